"""Payloads: what they say of themselves, their octets, and what happens when those change."""

import asyncio
import gzip
import io
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from wayfare_http_core import FileBody, RequestBody
from wayfare_http_core.aio import StreamReader
from wayfare_multipart import (
    AsyncIterablePayload,
    BufferedReaderPayload,
    BytesIOPayload,
    BytesPayload,
    IOBasePayload,
    IterablePayload,
    JsonBytesPayload,
    JsonPayload,
    Payload,
    PayloadSizeError,
    StreamReaderPayload,
    StringIOPayload,
    StringPayload,
    TextIOPayload,
    get_payload,
)
from wayfare_multipart._payload import ABSENT, guessed_type
from wayfare_multipart._segments import PIECE

BIG = bytes(range(256)) * (PIECE // 100)


def octets(payload: Payload) -> bytes:
    return b"".join(payload.iter_bytes())


async def aoctets(payload: Payload) -> bytes:
    return b"".join([piece async for piece in payload.aiter_bytes()])


class Sink:
    """Takes what is written."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    async def write(self, chunk: bytes) -> None:
        self.pieces.append(chunk)


async def agive(*pieces: Any) -> AsyncIterator[Any]:
    for piece in pieces:
        yield piece


# -- in memory --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "kind", "content"),
    [
        (BytesPayload(b"abc"), "application/octet-stream", b"abc"),
        (BytesPayload(bytearray(b"abc")), "application/octet-stream", b"abc"),
        (BytesPayload(memoryview(b"abc")), "application/octet-stream", b"abc"),
        (BytesPayload(b"", content_type="a/b"), "a/b", b""),
        (BytesPayload(b"x", filename="a.png"), "image/png", b"x"),
        (BytesPayload(b"x", filename="a.unheard-of"), "application/octet-stream", b"x"),
        (BytesPayload(b"x", filename="a.tar.gz"), "application/gzip", b"x"),
        (
            BytesPayload(b"x", content_type=None, headers={"X-A": "1"}),
            "application/octet-stream",
            b"x",
        ),
        (BytesPayload(b"x", headers=[("content-type", "c/d")]), "c/d", b"x"),
        (StringPayload("é"), "text/plain; charset=utf-8", b"\xc3\xa9"),
        (StringPayload("é", encoding="latin-1"), "text/plain; charset=latin-1", b"\xe9"),
        (
            StringPayload("é", content_type="text/x; charset=latin-1"),
            "text/x; charset=latin-1",
            b"\xe9",
        ),
        (StringPayload("é", content_type="text/x"), "text/x", b"\xc3\xa9"),
        (StringPayload("é", content_type="nonsense"), "nonsense", b"\xc3\xa9"),
        (JsonPayload({"a": 1}), "application/json", b'{"a": 1}'),
        (JsonPayload(1, dumps=lambda value: "é", encoding="latin-1"), "application/json", b"\xe9"),
        (JsonBytesPayload(1, dumps=lambda value: b"[]"), "application/json", b"[]"),
    ],
)
async def test_what_is_in_memory(payload: Payload, kind: str, content: bytes) -> None:
    assert payload.content_type == payload.headers["Content-Type"] == kind
    assert (payload.size, payload.length, len(content)) == (len(content),) * 3
    assert (payload.replayable, payload.consumed, payload.autoclose) == (True, False, True)
    assert octets(payload) == octets(payload) == await aoctets(payload) == content
    assert await payload.as_bytes() == content
    assert isinstance(payload, RequestBody)
    assert not isinstance(payload, FileBody)
    assert repr(payload) == f"<{type(payload).__name__} {kind}, {len(content)} octets>"
    await payload.close()


def test_an_empty_media_type_says_none() -> None:
    for payload in (
        BytesPayload(b"x", content_type=""),
        BytesPayload(b"x", filename="a.txt", content_type=""),
    ):
        assert "Content-Type" not in payload.headers
        assert payload.content_type == ""
        assert repr(payload) == "<BytesPayload without a type, 1 octets>"
    assert octets(StringPayload("é", content_type="")) == "é".encode()


def test_octets_are_copied_from_what_may_change() -> None:
    value = bytearray(b"abc")
    payload = BytesPayload(value)
    value[0] = 0
    assert octets(payload) == b"abc"
    with pytest.raises(TypeError, match="not str"):
        BytesPayload("abc")  # type: ignore[arg-type]  # the mistake


def test_text_has_an_encoding() -> None:
    assert StringPayload("é").encoding == "utf-8"
    assert BytesPayload(b"").encoding is None
    assert StringPayload("é", encoding="latin-1").decode("latin-1") == "é"
    with pytest.raises(UnicodeEncodeError):
        StringPayload("é", encoding="ascii")


def test_a_disposition() -> None:
    payload = BytesPayload(b"", filename="a")
    payload.set_content_disposition("attachment", filename="é")
    assert payload.headers["Content-Disposition"] == "attachment; filename*=utf-8''%C3%A9"
    assert payload.filename == "a"
    with pytest.raises(ValueError, match="no disposition type"):
        payload.set_content_disposition("a b")


async def test_writing_to_something_that_takes_octets() -> None:
    sink = Sink()
    await BytesPayload(b"abc").write(sink)
    await BytesPayload(BIG).write_with_length(sink, 2)
    await BytesIOPayload(io.BytesIO(BIG)).write_with_length(sink, PIECE + 1)
    assert [len(piece) for piece in sink.pieces] == [3, 2, PIECE, 1]
    await BytesPayload(b"abc").write_with_length(sink, 0)
    assert len(sink.pieces) == 4


def test_octets_for_clients_that_iterate() -> None:
    payload = BytesPayload(b"abc")
    assert (list(payload.octets()), payload.octets().len) == ([b"abc"], 3)
    assert not hasattr(IterablePayload(iter([b"a"])).octets(), "len")


async def test_octets_for_clients_that_iterate_in_a_coroutine() -> None:
    assert [piece async for piece in BytesPayload(b"abc").async_octets()] == [b"abc"]


def test_an_argument_that_is_not_given_is_not_none() -> None:
    assert repr(ABSENT) == "<not given>"
    assert guessed_type("") is None
    assert guessed_type("a.json") == "application/json"


# -- files ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "big.bin"
    path.write_bytes(BIG)
    return path


async def test_a_file_is_read_from_where_it_stands(path: Path) -> None:
    with path.open("rb") as file:
        file.seek(10)
        payload = get_payload(file)
        file.seek(0)
        assert isinstance(payload, BufferedReaderPayload)
        assert (payload.size, payload.replayable, payload.autoclose) == (len(BIG) - 10, True, False)
        assert octets(payload) == await aoctets(payload) == BIG[10:]
        assert payload.file_range() == (file, 10, len(BIG) - 10)
        assert isinstance(payload, FileBody)
        assert payload.filename == "big.bin"
        assert payload.headers["Content-Disposition"] == 'attachment; filename="big.bin"'
        await payload.close()
        assert file.closed


def test_a_file_may_be_unbuffered_or_open_for_writing(path: Path) -> None:
    with path.open("rb", buffering=0) as raw, path.open("r+b") as both:
        for file in (raw, both):
            payload = get_payload(file)
            assert (payload.size, octets(payload)) == (len(BIG), BIG)


def test_two_passes_at_once_do_not_disturb_each_other(path: Path) -> None:
    with path.open("rb") as file:
        one, two = get_payload(file), get_payload(file)
        pieces = [a + b for a, b in zip(one.iter_bytes(), two.iter_bytes(), strict=True)]
        assert b"".join(pieces) == b"".join(
            BIG[at : at + PIECE] * 2 for at in range(0, len(BIG), PIECE)
        )


def test_names_and_dispositions(path: Path) -> None:
    with path.open("rb") as file:
        assert "Content-Disposition" not in IOBasePayload(file, disposition=None).headers
        named = IOBasePayload(file, filename="x.txt")
        assert (named.filename, named.content_type) == ("x.txt", "text/plain")
        unnamed = IOBasePayload(file, filename="")
        assert (unnamed.filename, unnamed.content_type) == (None, "application/octet-stream")
        assert "Content-Disposition" not in unnamed.headers
        own = IOBasePayload(file, headers={"Content-Disposition": "inline"})
        assert own.headers["Content-Disposition"] == "inline"


@pytest.mark.parametrize("name", ["<stdin>", 3, None, ""])
def test_what_is_no_file_name(name: object) -> None:
    file = io.BytesIO(b"")
    file.name = name
    assert get_payload(file).filename is None


@pytest.mark.parametrize("change", [b"", b"short", BIG + b"!"])
def test_a_file_that_changes_while_it_is_sent_m4(path: Path, change: bytes) -> None:
    with path.open("rb") as file:
        pieces = get_payload(file).iter_bytes()
        assert next(pieces) == BIG[:PIECE]
        path.write_bytes(change)
        with pytest.raises(PayloadSizeError) as caught:
            list(pieces)
        assert caught.value.expected == len(BIG)
        words = "ended after" if len(change) < len(BIG) else "more than"
        assert words in str(caught.value)


def test_a_file_that_is_cut_at_once_m4(path: Path) -> None:
    with path.open("rb") as file:
        payload = get_payload(file)
        path.write_bytes(b"")
        assert (payload.size, octets(payload)) == (0, b"")
        file.seek(3)
        assert get_payload(file).size == 0


def test_a_pipe_has_no_size_and_one_pass() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"abc")
    os.close(writing)
    with open(reading, "rb") as file:
        payload = get_payload(file)
        assert (payload.size, payload.replayable) == (None, True)
        assert isinstance(payload, BufferedReaderPayload)
        assert payload.file_range() is None
        assert payload.filename is None
        assert octets(payload) == b"abc"
        assert (payload.replayable, payload.consumed) == (
            False,
            True,
        ) or payload.replayable is False
        with pytest.raises(ValueError, match="no positions"):
            octets(payload)


def test_a_raw_file_that_does_not_block_is_told() -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with (
        open(reading, "rb", buffering=0) as file,
        pytest.raises(BlockingIOError, match="nothing now"),
    ):
        octets(get_payload(file))
    os.close(writing)


def test_a_file_of_ones_own_kind_has_no_size(path: Path) -> None:
    packed = path.with_suffix(".gz")
    packed.write_bytes(gzip.compress(BIG))
    with gzip.open(packed) as file:
        payload = get_payload(file)
        assert type(payload) is IOBasePayload
        assert (payload.size, payload.replayable) == (None, True)
        assert octets(payload) == octets(payload) == BIG


def test_temporary_files(tmp_path: Path) -> None:
    with tempfile.NamedTemporaryFile(dir=tmp_path) as named, tempfile.TemporaryFile() as plain:
        for file in (named, plain):
            file.write(BIG)
            file.seek(1)
            payload = get_payload(file)
            assert (payload.size, octets(payload)) == (len(BIG) - 1, BIG[1:])
        assert get_payload(named).filename == Path(named.name).name


def test_octets_in_memory_files() -> None:
    file = io.BytesIO(BIG)
    file.seek(5)
    payload = get_payload(file)
    assert isinstance(payload, BytesIOPayload)
    assert (payload.size, payload.autoclose) == (len(BIG) - 5, True)
    assert octets(payload) == octets(payload) == BIG[5:]
    file.seek(len(BIG) + 3)
    assert get_payload(file).size == 0


async def test_text_files(tmp_path: Path) -> None:
    text = "é\n" * 200_000
    path = tmp_path / "text.txt"
    path.write_text(text, encoding="utf-8", newline="")
    with path.open(encoding="utf-8", newline="") as file:
        payload = get_payload(file)
        assert isinstance(payload, TextIOPayload)
        assert (payload.size, payload.replayable) == (None, True)
        assert payload.content_type == "text/plain; charset=utf-8"
        assert octets(payload) == await aoctets(payload) == text.encode()
        latin = TextIOPayload(file, encoding="latin-1")
        file.seek(0)
        assert octets(TextIOPayload(file, content_type="text/x; charset=latin-1")) == text.encode(
            "latin-1"
        )
        assert latin.encoding == "latin-1"
    memory = get_payload(io.StringIO("é"))
    assert isinstance(memory, StringIOPayload)
    assert octets(memory) == octets(memory) == b"\xc3\xa9"


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16", "iso-2022-jp"])
def test_the_length_of_text_in_memory_is_known(encoding: str) -> None:
    """In encodings, too, that begin with a mark or end with a sequence, and from where the text stands."""
    text = "\u65e5" * 100_000 if encoding == "iso-2022-jp" else "\xe9\n" * 100_000
    memory = io.StringIO("past" + text)
    memory.read(4)
    payload = StringIOPayload(memory, encoding=encoding)
    for _ in range(2):
        assert payload.size == len(octets(payload))
    assert octets(payload) == text.encode(encoding)


def test_text_that_its_encoding_has_not_is_found_before_it_is_sent() -> None:
    with pytest.raises(UnicodeEncodeError):
        _ = StringIOPayload(io.StringIO("\u65e5"), encoding="latin-1").size


def test_text_from_a_pipe_has_one_pass() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"abc")
    os.close(writing)
    with open(reading, encoding="utf-8") as file:
        payload = get_payload(file)
        assert octets(payload) == b"abc"
        with pytest.raises(ValueError, match="no positions"):
            octets(payload)


def test_a_file_without_positions_may_say_so_in_many_ways() -> None:
    class Odd:
        def read(self, size: int) -> bytes:
            return b""

    payload = get_payload(Odd())
    assert (type(payload), payload.size, octets(payload)) == (IOBasePayload, None, b"")


# -- streams ----------------------------------------------------------------------------------------------------------


def give() -> Iterator[Any]:
    yield b"a"
    yield b""
    yield "é"
    yield bytearray(b"c")
    yield memoryview(b"d")


async def test_an_iterable_is_taken_once() -> None:
    payload = get_payload(give())
    assert isinstance(payload, IterablePayload)
    assert (payload.size, payload.replayable, payload.consumed) == (None, True, False)
    assert list(payload.iter_bytes()) == [b"a", b"\xc3\xa9", b"c", b"d"]
    assert (payload.replayable, payload.consumed) == (False, True)
    with pytest.raises(ValueError, match="only once"):
        octets(payload)
    assert await aoctets(IterablePayload([b"x", b"y"])) == b"xy"
    with pytest.raises(TypeError, match="gives bytes, not int"):
        octets(IterablePayload([1]))  # type: ignore[list-item]  # the mistake
    with pytest.raises(TypeError, match="iterable of bytes, not int"):
        IterablePayload(1)  # type: ignore[arg-type]  # the mistake


async def test_an_async_iterable_is_taken_once() -> None:
    payload = get_payload(agive(b"a", b"", "é", b"b"))
    assert isinstance(payload, AsyncIterablePayload)
    assert payload.is_async
    with pytest.raises(TypeError, match="async for"):
        octets(AsyncIterablePayload(agive(b"a")))
    assert [piece async for piece in payload.aiter_bytes()] == [b"a", b"\xc3\xa9", b"b"]
    assert payload.consumed
    with pytest.raises(ValueError, match="only once"):
        await aoctets(payload)
    with pytest.raises(TypeError, match="async iterable of bytes, not list"):
        AsyncIterablePayload([b"a"])  # type: ignore[arg-type]  # the mistake


async def test_chunks_are_of_the_kind_that_the_value_is() -> None:
    assert isinstance(BytesPayload(b"a").chunks(), Iterator)
    chunks = AsyncIterablePayload(agive(b"a")).chunks()
    assert isinstance(chunks, AsyncIterator)
    assert [piece async for piece in chunks] == [b"a"]


async def test_stream_readers_are_read_by_pieces() -> None:
    for reader in (asyncio.StreamReader(), StreamReader()):
        reader.feed_data(b"one\ntwo\n")
        reader.feed_eof()
        payload = get_payload(reader)
        assert isinstance(payload, StreamReaderPayload)
        assert [piece async for piece in payload.aiter_bytes()] == [b"one\ntwo\n"]
