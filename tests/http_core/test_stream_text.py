r"""`StreamReader` as text: characters, lines and JSON values that are never cut (B28)."""

import asyncio
import io
import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core import IncompleteBodyError, LineTooLong
from wayfare_http_core.aio import StreamReader


def fed(*pieces: bytes, eof: bool = True, limit: int = 256 * 1024) -> StreamReader:
    stream = StreamReader(limit=limit)
    for piece in pieces:
        stream.feed_data(piece)
    if eof:
        stream.feed_eof()
    return stream


async def trickled(content: bytes, marks: list[int], read: Any) -> list[Any]:
    """What an iterator gives when the content comes in pieces, each of which is read before the next."""
    stream = StreamReader()

    async def feed() -> None:
        cuts = sorted({0, len(content), *(mark % (len(content) + 1) for mark in marks)})
        for a, b in itertools.pairwise(cuts):
            stream.feed_data(content[a:b])
            await asyncio.sleep(0)
        stream.feed_eof()

    feeding = asyncio.create_task(feed())
    found = [each async for each in read(stream)]
    await feeding
    return found


# --- Text.


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1", "shift-jis"])
async def test_a_character_is_never_cut(encoding: str) -> None:
    text = "aé¥" if encoding == "latin-1" else "aァ¥" if encoding == "shift-jis" else "aé€𐍈¥"
    octets = text.encode(encoding, "replace")
    text = octets.decode(encoding)
    for marks in [[at] for at in range(len(octets))] + [list(range(len(octets)))]:
        pieces = await trickled(octets, marks, lambda stream: stream.iter_text(encoding))
        assert "".join(pieces) == text
        assert all(pieces)


async def test_text_that_is_not_in_its_encoding() -> None:
    with pytest.raises(UnicodeDecodeError):
        [_ async for _ in fed(b"a\xff").iter_text()]
    with pytest.raises(UnicodeDecodeError, match="unexpected end"):
        [_ async for _ in fed(b"a\xe2\x82").iter_text()]
    assert [text async for text in fed(b"a\xff\xe2\x82").iter_text(errors="replace")] == [
        "a�",
        "�",
    ]
    with pytest.raises(LookupError):
        fed().iter_text("no-such-encoding")


async def test_text_that_breaks_off() -> None:
    """B13."""
    stream = fed(b"text", eof=False)
    stream.set_exception(IncompleteBodyError(4))
    texts = stream.iter_text()
    assert await anext(texts) == "text"
    with pytest.raises(IncompleteBodyError):
        await anext(texts)


# --- Lines.


async def test_lines_end_as_in_text_files() -> None:
    stream = fed(b"one\ntwo\r\nthree\rfour\n\n\r\n\x0bfive\xe2\x80\xa8\x85x".replace(b"\x85", b""))
    lines = [line async for line in stream.iter_lines()]
    assert lines == ["one", "two", "three", "four", "", "", "\x0bfive\u2028x"]


@given(
    st.lists(st.sampled_from(["a", "é", "\n", "\r", "\r\n", "\x85", "\u2028", "bc"]), max_size=20),
    st.lists(st.integers(0, 99)),
)
def test_lines_are_those_of_pythons_text_files(parts: list[str], marks: list[int]) -> None:
    r"""However they are cut: between \r and \n, too."""
    content = "".join(parts).encode()
    expected = [line.removesuffix("\n") for line in io.TextIOWrapper(io.BytesIO(content), "utf-8")]
    assert asyncio.run(trickled(content, marks, lambda s: s.iter_lines())) == expected


async def test_a_line_over_the_limit() -> None:
    for pieces in ([b"12345678\nrest"], [b"1234", b"5678\nrest"]):
        assert [line async for line in fed(*pieces).iter_lines(max_line_length=8)] == [
            "12345678",
            "rest",
        ]
        lines = fed(*pieces).iter_lines(max_line_length=7)
        for _ in range(2):
            with pytest.raises(LineTooLong) as caught:
                await anext(lines)
            assert caught.value.limit == 7


async def test_a_line_without_an_end_is_not_collected_for_ever() -> None:
    """B27: at the high-water mark unless said otherwise, whether its end comes or not."""
    stream = fed(b"x" * 16, eof=False, limit=8)
    lines = stream.iter_lines()
    reading = asyncio.ensure_future(anext(lines))
    await asyncio.sleep(0)
    assert not reading.done()
    stream.feed_data(b"x")
    with pytest.raises(LineTooLong) as caught:
        await reading
    assert (caught.value.limit, caught.value.actual) == (16, 17)
    with pytest.raises(LineTooLong):
        await anext(lines)


async def test_lines_in_another_encoding() -> None:
    stream = fed("één\r\ntwee".encode("utf-16-le"))
    assert [line async for line in stream.iter_lines("utf-16-le")] == ["één", "twee"]
    assert [line async for line in fed(b"\xff\n").iter_lines(errors="replace")] == ["�"]


async def test_a_cancelled_step_loses_nothing() -> None:
    """At its wait, with a line begun."""
    stream = fed(b"one\ntw", eof=False)
    lines: AsyncIterator[str] = stream.iter_lines()
    assert await anext(lines) == "one"
    for piece in (b"o and \xe2\x82", b"\xac\r"):
        reading = asyncio.ensure_future(anext(lines))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        stream.feed_data(piece)
    stream.feed_data(b"\nthree")
    stream.feed_eof()
    assert [line async for line in lines] == ["two and €", "three"]
    with pytest.raises(StopAsyncIteration):
        await anext(lines)


async def test_many_lines_of_one_piece() -> None:
    """Work grows with the octets and not with octets times lines."""
    lines = 200_000
    count = 0
    async for line in fed(b"0123456789\n" * lines).iter_lines():
        count += len(line)
    assert count == 10 * lines


# --- JSON.


async def test_json_lines() -> None:
    stream = fed(b'{"a": 1}\n[2,\t3]\r\n\n  \r\n"\xe2\x82\xac"\nnull')
    assert [value async for value in stream.iter_json_lines()] == [{"a": 1}, [2, 3], "€", None]


@given(
    st.lists(st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=4)),
    st.lists(st.integers(0, 400)),
    st.booleans(),
)
def test_any_json_lines_in_any_pieces(values: list[Any], marks: list[int], ascii: bool) -> None:
    text = "".join(json.dumps(value, ensure_ascii=ascii) + "\n" for value in values)
    found = asyncio.run(
        trickled(text.encode("utf-8", "surrogatepass"), marks, lambda s: s.iter_json_lines())
    )
    assert found == values


async def test_json_lines_with_another_reader() -> None:
    stream = fed(b"1.5\n2\n")
    values = [value async for value in stream.iter_json_lines(loads=lambda text: text + "!")]
    assert values == ["1.5!", "2!"]


async def test_a_line_that_is_no_json_costs_only_itself() -> None:
    values = fed(b"1\nno\n\xff\n2\n").iter_json_lines()
    assert await anext(values) == 1
    with pytest.raises(json.JSONDecodeError):
        await anext(values)
    with pytest.raises(UnicodeDecodeError):
        await anext(values)
    assert await anext(values) == 2
    with pytest.raises(StopAsyncIteration):
        await anext(values)


async def test_a_json_line_over_the_limit() -> None:
    values = fed(b"[1, 2, 3]\n").iter_json_lines(max_line_length=5)
    with pytest.raises(LineTooLong):
        await anext(values)
