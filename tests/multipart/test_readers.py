"""`MultipartReader` and `BodyPartReader`: parts as they arrive, over any source (M10 to M18)."""

import asyncio
import gzip
import io
import json
import zlib
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from wayfare_http_core.aio import StreamReader
from wayfare_multipart import (
    BodyPartReader,
    BodyTruncatedError,
    BoundaryError,
    MultipartLimitError,
    MultipartLimits,
    MultipartReader,
    MultipartResponseWrapper,
    PartEncodingError,
    PartHeadError,
    SyncBodyPartReader,
    SyncMultipartReader,
)

MIXED = {"Content-Type": "multipart/mixed; boundary=B"}
FORM = {"Content-Type": 'multipart/form-data; boundary="B"'}


def part(data: bytes, *fields: str) -> bytes:
    return (
        b"--B\r\n" + "".join(f"{field}\r\n" for field in fields).encode() + b"\r\n" + data + b"\r\n"
    )


def body(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--B--\r\n"


async def pieces(octets: bytes, size: int = 7) -> AsyncIterator[bytes]:
    for at in range(0, len(octets), size):
        yield b""
        await asyncio.sleep(0)
        yield octets[at : at + size]


def reader(*parts: bytes, headers: dict[str, str] = MIXED, **options: Any) -> MultipartReader:
    return MultipartReader(headers, pieces(body(*parts)), **options)


async def only(data: bytes, *fields: str, **options: Any) -> BodyPartReader:
    """The one part of a body."""
    found = await reader(part(data, *fields), **options).next()
    assert isinstance(found, BodyPartReader)
    return found


# --- Sources.


def sources(octets: bytes) -> Iterator[Any]:
    yield pieces(octets)
    ours = StreamReader()
    ours.feed_data(octets)
    ours.feed_eof()
    yield ours
    theirs = asyncio.StreamReader()
    theirs.feed_data(octets)
    theirs.feed_eof()
    yield theirs


async def test_any_source_will_do() -> None:
    octets = body(part(b"one\n" * 10), part(b"two"))
    for source in sources(octets):
        found = [await each.read() async for each in MultipartReader(MIXED, source)]  # type: ignore[union-attr]  # none is nested
        assert found == [b"one\n" * 10, b"two"]
    with pytest.raises(TypeError, match="from list"):
        MultipartReader(MIXED, [octets])  # type: ignore[arg-type]  # what the error is for


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain; boundary=B",
        "multipart/mixed",
        'multipart/mixed; boundary="B "',
        "multipart",
    ],
)
async def test_m5_what_is_no_multipart_type(content_type: str) -> None:
    """M5: said before anything is read."""
    with pytest.raises(BoundaryError):
        MultipartReader({"Content-Type": content_type}, pieces(b""))
    with pytest.raises(BoundaryError):
        MultipartReader({}, pieces(b""))


async def test_what_an_error_of_the_source_is() -> None:
    """Whatever reading raises; what came before it is read."""

    async def failing() -> AsyncIterator[bytes]:
        yield part(b"one") + part(b"tw")[:-3]
        raise ConnectionError("gone")

    parts = MultipartReader(MIXED, failing())
    first = await parts.next()
    assert isinstance(first, BodyPartReader)
    assert await first.read() == b"one"
    second = await parts.next()
    assert isinstance(second, BodyPartReader)
    with pytest.raises(ConnectionError):
        await second.read()
    assert await second.read_chunk() == b"t"


# --- Reading a part.


async def test_what_a_part_says_of_itself() -> None:
    found = await only(
        b"x",
        'Content-Disposition: form-data; name="a"; filename="../é.txt"',
        "Content-Type: text/plain; charset=latin-1",
        headers=FORM,
    )
    assert (found.name, found.filename) == ("a", "../é.txt")
    assert found.headers["content-type"] == "text/plain; charset=latin-1"
    assert found.get_charset("utf-8") == "latin-1"
    assert repr(found) == "<BodyPartReader 'a'>"
    plain = await only(b"x")
    assert (plain.name, plain.filename, plain.get_charset("utf-8")) == (None, None, "utf-8")


@pytest.mark.parametrize(
    ("value", "filename"),
    [
        ("", None),
        ("form-data; filename", None),
        ("form-data; filename=a; filename*=utf-8''b", "b"),
        ("form-data; filename*=no-such-charset''b", None),
        ("form-data; filename*0=a; filename*1=b", "ab"),
        ("form-data; " + "; " * 4000 + "filename=a", None),
    ],
)
async def test_m13_any_content_disposition(value: str, filename: str | None) -> None:
    """M13, M14: no error, and one winner."""
    found = await only(b"x", f"Content-Disposition: {value}", limits=MultipartLimits(head=16_000))
    assert found.filename == filename or filename is None


async def test_a_part_is_read_once() -> None:
    found = await only(b"content")
    assert not found.at_eof()
    assert await found.read() == b"content"
    assert found.at_eof()
    assert await found.read() == b""
    assert await found.next() is None
    assert await (await only(b"content")).next() == b"content"


async def test_a_part_in_chunks() -> None:
    found = await only(b"0123456789")
    chunks = []
    while chunk := await found.read_chunk(4):
        assert len(chunk) <= 4
        chunks.append(chunk)
    assert b"".join(chunks) == b"0123456789"
    assert b"".join([chunk async for chunk in await only(b"0123456789")]) == b"0123456789"
    assert [chunk async for chunk in (await only(b"ab")).iter_chunks(1)] == [b"a", b"b"]
    whole = await only(b"0123456789" * 2)
    assert await whole.readany()


async def test_a_part_in_lines() -> None:
    found = await only(b"one\r\ntwo\n\nthree")
    lines = []
    while line := await found.readline():
        lines.append(line)
    assert lines == [b"one\r\n", b"two\n", b"\n", b"three"]


async def test_a_line_that_is_too_long_stays_readable() -> None:
    content = b"x" * (513 * 1024)
    parts = MultipartReader(MIXED, pieces(body(part(content)), 100_000))
    found = await parts.next()
    assert isinstance(found, BodyPartReader)
    with pytest.raises(MultipartLimitError, match="octets in a line"):
        await found.readline()
    assert await found.read() == content


async def test_text_json_and_forms() -> None:
    assert await (await only("é".encode())).text() == "é"
    latin = await only(b"\xe9", "Content-Type: text/plain; charset=iso-8859-1")
    assert await latin.text() == "é"
    assert await (await only(b"\xe9")).text(encoding="latin-1") == "é"
    with pytest.raises(UnicodeDecodeError):
        await (await only(b"\xe9")).text()
    with pytest.raises(PartEncodingError, match="not known"):
        await (await only(b"x", "Content-Type: text/plain; charset=klingon")).text()
    assert await (await only(b'{"a": 1}')).json() == {"a": 1}
    assert await (await only(b"")).json() is None
    with pytest.raises(json.JSONDecodeError):
        await (await only(b"{")).json()
    form = await only(b"a=1&b=%C3%A9+x&c=\r\n")
    assert await form.form() == [("a", "1"), ("b", "é x"), ("c", "")]
    assert await (await only(b"a=\xe9")).form(encoding="latin-1") == [("a", "é")]
    with pytest.raises(ValueError, match="fields"):
        await (await only(b"&".join([b"a=1"] * 1001))).form()


async def test_the_charset_of_a_form() -> None:
    """RFC 7578 section 4.6: a part named `_charset_` speaks for all that name none."""
    charset = part(b"latin-1", 'Content-Disposition: form-data; name="_charset_"')
    plain = part(b"\xe9", 'Content-Disposition: form-data; name="a"')
    parts = reader(charset, plain, headers=FORM)
    found = await parts.next()
    assert isinstance(found, BodyPartReader)
    assert (found.name, await found.text()) == ("a", "é")
    assert await parts.next() is None
    mixed = await reader(charset, plain).next()
    assert isinstance(mixed, BodyPartReader)
    assert mixed.name == "_charset_"
    for wrong in (b"x" * 32, b"\xff"):
        with pytest.raises(PartEncodingError):
            await reader(
                part(wrong, 'Content-Disposition: form-data; name="_charset_"'), headers=FORM
            ).next()


async def test_more_than_the_application_allows() -> None:
    class TooMuchError(Exception):
        pass

    options: dict[str, Any] = {"client_max_size": 5, "max_size_error_cls": TooMuchError}
    assert await (await only(b"12345", **options)).read() == b"12345"
    found = await only(b"123456", **options)
    with pytest.raises(TooMuchError, match="5"):
        await found.read()
    assert b"".join([chunk async for chunk in found]) == b"123456"
    bomb = await only(zlib.compress(bytes(6)), "Content-Encoding: deflate", client_max_size=12)
    assert await bomb.read(decode=True) == bytes(6)
    bomb = await only(
        gzip.compress(bytes(50 << 20)), "Content-Encoding: gzip", client_max_size=1 << 20
    )
    with pytest.raises(ValueError, match="1048576"):
        await bomb.read(decode=True)


# --- Encodings.

CONTENT = bytes(range(256)) * 3


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        (["Content-Transfer-Encoding: BASE64"], b64encode(CONTENT)),
        (["Content-Transfer-Encoding: binary"], CONTENT),
        (["Content-Encoding: gzip"], gzip.compress(CONTENT)),
        (["Content-Encoding: identity"], CONTENT),
        (["Content-Encoding: deflate, gzip"], gzip.compress(zlib.compress(CONTENT))),
        (
            ["Content-Encoding: deflate", "content-encoding: gzip"],
            gzip.compress(zlib.compress(CONTENT)),
        ),
        (
            ["Content-Transfer-Encoding: base64", "Content-Encoding: gzip"],
            b64encode(gzip.compress(CONTENT)),
        ),
    ],
)
async def test_m16_m17_encodings_are_undone(fields: list[str], sent: bytes) -> None:
    """M16, M17: whole and in pieces; and not, where that is not asked for."""
    assert await (await only(sent, *fields)).read() == sent
    assert await (await only(sent, *fields)).read(decode=True) == CONTENT
    found = await only(sent, *fields)
    assert b"".join([piece async for piece in found.iter_chunks(5, decode=True)]) == CONTENT
    assert found.decode(sent) == CONTENT
    assert b"".join([piece async for piece in found.decode_iter(sent)]) == CONTENT
    lines = SyncMultipartReader(MIXED, [body(part(sent, *fields))]).next()
    assert isinstance(lines, SyncBodyPartReader)
    assert b"".join(lines.iter_chunks(5, decode=True)) == CONTENT


def test_content_that_unpacks_to_whole_steps() -> None:
    """Nothing is left behind the last of them, and no empty piece is given."""
    content = bytes(2 * 256 * 1024)
    octets = body(part(gzip.compress(content), "Content-Encoding: gzip"))
    found = SyncMultipartReader(MIXED, [octets]).next()
    assert isinstance(found, SyncBodyPartReader)
    assert [len(piece) for piece in found.iter_chunks(decode=True)] == [256 * 1024] * 2


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        ("Content-Transfer-Encoding: rot13", b"x"),
        ("Content-Encoding: rot13", b"x"),
        ("Content-Encoding: " + "gzip, " * 6, b"x"),
        ("Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: base64", b"QUJD"),
        ("Content-Transfer-Encoding: base64", b"QUJ"),
        ("Content-Encoding: gzip", gzip.compress(CONTENT)[:-4]),
        ("Content-Encoding: gzip", b"no gzip"),
    ],
)
async def test_m16_m17_encodings_that_cannot_be_undone(field: str, sent: bytes) -> None:
    found = await only(sent, field)
    with pytest.raises(PartEncodingError):
        await found.read(decode=True)
    with pytest.raises(PartEncodingError):
        [piece async for piece in (await only(sent, field)).iter_chunks(decode=True)]


async def test_a_form_has_no_content_encoding() -> None:
    """RFC 7578 section 4.8: the field means nothing there."""
    found = await only(CONTENT, "Content-Encoding: gzip", headers=FORM)
    assert await found.read(decode=True) == CONTENT


# --- Going from part to part.


async def test_parts_that_are_not_read_are_passed_over() -> None:
    parts = reader(*(part(b"%d" % number * 50) for number in range(4)))
    assert not parts.at_eof()
    first = await parts.next()
    assert isinstance(first, BodyPartReader)
    assert await first.read_chunk(3)
    await parts.next()
    third = await parts.next()
    assert isinstance(third, BodyPartReader)
    assert await first.read() == b""
    assert await third.read() == b"2" * 50
    await parts.release()
    assert parts.at_eof()
    assert await parts.next() is None
    assert [each async for each in parts] == []


async def test_m11_a_body_that_ends_too_early() -> None:
    """M11: said by the part that is cut, and by every read after that."""
    parts = MultipartReader(MIXED, pieces(body(part(b"one"), part(b"two"))[:-8]))
    first = await parts.next()
    assert isinstance(first, BodyPartReader)
    assert await first.read() == b"one"
    second = await parts.next()
    assert isinstance(second, BodyPartReader)
    for _ in range(2):
        with pytest.raises(BodyTruncatedError):
            await second.read()
        with pytest.raises(BodyTruncatedError):
            await parts.next()


async def test_m9_m10_limits() -> None:
    """M9, M10: by their own names, and by those of other readers."""
    many = [part(b"x") for _ in range(4)]
    with pytest.raises(MultipartLimitError, match="more than 3 parts"):
        await reader(*many, limits=MultipartLimits(parts=3)).release()
    with pytest.raises(MultipartLimitError, match="octets in the head"):
        await reader(part(b"x", "A: " + "x" * 100), max_field_size=50).next()
    with pytest.raises(MultipartLimitError, match="more than 2 fields"):
        await reader(part(b"x", "A: 1", "B: 2", "C: 3"), max_headers=2).next()
    with pytest.raises(PartHeadError):
        await reader(part(b"x", "no field")).next()


async def test_m15_bodies_within_bodies() -> None:
    """M15: an inner boundary may begin like the outer one; what is not read of an inner body is passed over."""
    for boundary in ("BB", "C"):
        inner = b"preamble\r\n--%b\r\n\r\none\r\n--%b\r\n\r\ntwo\r\n--%b--\r\nepilogue" % (
            (boundary.encode(),) * 3
        )
        for count in range(4):
            parts = reader(
                part(inner, f"Content-Type: Multipart/Mixed; boundary={boundary}"), part(b"last")
            )
            nested = await parts.next()
            assert isinstance(nested, MultipartReader)
            assert nested.media_type.essence == "multipart/mixed"
            read = []
            for _ in range(count):
                each = await nested.next()
                if each is not None:
                    assert isinstance(each, BodyPartReader)
                    read.append(await each.read())
            assert read == [b"one", b"two"][:count]
            last = await parts.next()
            assert isinstance(last, BodyPartReader)
            assert await last.read() == b"last"
            assert await parts.next() is None


async def test_m15_the_depth_is_bounded() -> None:
    octets = b"x"
    for level in range(12, 0, -1):
        kind = f"Content-Type: multipart/mixed; boundary=B{level}\r\n" if level < 12 else ""
        name = b"B%d" % (level - 1)
        octets = (
            b"--" + name + b"\r\n" + kind.encode() + b"\r\n" + octets + b"\r\n--" + name + b"--"
        )

    async def depth_of(limits: MultipartLimits) -> int:
        current: Any = MultipartReader(
            {"Content-Type": "multipart/mixed; boundary=B0"}, pieces(octets), limits=limits
        )
        depth = 0
        while isinstance(current, MultipartReader):
            depth += 1
            current = await current.next()
        assert await current.read() == b"x"
        return depth

    assert await depth_of(MultipartLimits(depth=None)) == 12
    assert await depth_of(MultipartLimits(depth=12)) == 12
    with pytest.raises(MultipartLimitError, match="within each other"):
        await depth_of(MultipartLimits())


async def test_a_nested_body_without_a_boundary() -> None:
    with pytest.raises(BoundaryError):
        await reader(part(b"x", "Content-Type: multipart/mixed")).next()


async def test_classes_of_ones_own() -> None:
    class MyPart(BodyPartReader):
        pass

    class MyReader(MultipartReader):
        part_reader_cls = MyPart

    parts = MyReader(
        MIXED,
        pieces(
            body(
                part(b"x"),
                part(b"--C\r\n\r\ny\r\n--C--", "Content-Type: multipart/mixed; boundary=C"),
            )
        ),
    )
    assert type(await parts.next()) is MyPart
    nested = await parts.next()
    assert type(nested) is MyReader
    assert repr(nested) == "<MyReader multipart/mixed>"
    MyReader.multipart_reader_cls = MultipartReader
    plain = MyReader(MIXED, pieces(body(part(b"", "Content-Type: multipart/mixed; boundary=C"))))
    assert type(await plain.next()) is MultipartReader


class Response:
    """What a reader needs of a response."""

    def __init__(self, octets: bytes, *, awaitable: bool) -> None:
        self.headers = MIXED
        self.content = pieces(octets)
        self.released = 0
        self._awaitable = awaitable

    def release(self) -> Any:
        self.released += 1
        return asyncio.sleep(0) if self._awaitable else None


@pytest.mark.parametrize("awaitable", [True, False])
async def test_a_response_is_released_behind_its_last_part(awaitable: bool) -> None:
    response = Response(body(part(b"one"), part(b"two")), awaitable=awaitable)
    parts = MultipartReader.from_response(response)
    assert isinstance(parts, MultipartResponseWrapper)
    found = []
    async for each in parts:
        assert isinstance(each, BodyPartReader)
        assert not response.released
        found.append(await each.read())
    assert found == [b"one", b"two"]
    assert parts.at_eof()
    assert response.released == 1


# --- Cancellation.


class Stepper:
    """Makes calls, one of which is cancelled at a turn of the loop and made again."""

    def __init__(self, cancel_at: int) -> None:
        self.turns = 0
        self._cancel_at = cancel_at

    async def __call__(self, call: Any, *arguments: Any) -> Any:
        while True:
            task = asyncio.ensure_future(call(*arguments))
            while not task.done():
                await asyncio.sleep(0)
                self.turns += 1
                if self.turns == self._cancel_at:
                    task.cancel()
                    break
            try:
                return await task
            except asyncio.CancelledError:
                continue


async def read_in_steps(octets: bytes, step: Stepper) -> list[bytes]:
    """Decoded chunks of one part, a part within a part, a line and the rest of the last one."""
    stream = StreamReader()

    async def feed() -> None:
        for at in range(0, len(octets), 9):
            stream.feed_data(octets[at : at + 9])
            for _ in range(3):
                await asyncio.sleep(0)
        stream.feed_eof()

    feeding = asyncio.ensure_future(feed())
    parts = MultipartReader(MIXED, stream)
    first = await step(parts.next)
    chunks = first.iter_chunks(3, decode=True)
    text = b""

    async def next_chunk() -> bytes:
        return await anext(chunks, b"")

    while chunk := await step(next_chunk):
        text += chunk
    nested = await step(parts.next)
    inner = await step(nested.next)
    found = [text, await step(inner.read)]
    last = await step(parts.next)
    found += [await step(last.readline), await step(last.read)]
    assert await step(parts.next) is None
    await feeding
    return found


async def test_a_read_cancelled_at_any_wait_loses_no_octet() -> None:
    """Of a part, of its decoded chunks, and on the way to the next part."""
    octets = body(
        part(b64encode(b"line one\nline two"), "Content-Transfer-Encoding: base64"),
        part(b"--C\r\n\r\ninner\r\n--C--", "Content-Type: multipart/mixed; boundary=C"),
        part(b"last\nlines"),
    )
    step = Stepper(0)
    assert await read_in_steps(octets, step) == [
        b"line one\nline two",
        b"inner",
        b"last\n",
        b"lines",
    ]
    assert step.turns > 30
    for cancel_at in range(1, step.turns + 1):
        again = await read_in_steps(octets, Stepper(cancel_at))
        assert again == [b"line one\nline two", b"inner", b"last\n", b"lines"], cancel_at


async def test_two_tasks_cannot_read_at_once() -> None:
    stream = StreamReader()
    parts = MultipartReader(MIXED, stream)
    reading = asyncio.ensure_future(parts.next())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="another task"):
        await parts.next()
    stream.feed_data(body())
    assert await reading is None


# --- Without an event loop.


@pytest.mark.parametrize("as_file", [True, False])
def test_reading_without_an_event_loop(as_file: bool) -> None:
    octets = body(
        part(
            b'{"a": 1}',
            'Content-Disposition: form-data; name="a"; filename="b"',
            "Content-Type: application/json; charset=utf-8",
        ),
        part(b"one\ntwo\nthree\nfour"),
        part(b"--C\r\n\r\ninner\r\n--C--", "Content-Type: multipart/mixed; boundary=C"),
        part(b"a=1"),
        part("é".encode()),
        part(b"passed over"),
    )
    source: Any = (
        io.BytesIO(octets) if as_file else [octets[at : at + 5] for at in range(0, len(octets), 5)]
    )
    parts = SyncMultipartReader(MIXED, source)
    assert parts.headers is MIXED
    first = next(parts)
    assert isinstance(first, SyncBodyPartReader)
    assert (first.name, first.filename, first.get_charset("x")) == ("a", "b", "utf-8")
    assert first.disposition.type == "form-data"
    assert first.headers["Content-Type"].startswith("application/json")
    assert repr(first) == "<SyncBodyPartReader 'a'>"
    assert first.json() == {"a": 1}
    assert first.at_eof()
    second = next(parts)
    assert isinstance(second, SyncBodyPartReader)
    assert second.readline() == b"one\n"
    assert second.read_chunk(2)
    second.release()
    nested = next(parts)
    assert isinstance(nested, SyncMultipartReader)
    assert [each.read() for each in nested if isinstance(each, SyncBodyPartReader)] == [b"inner"]
    fourth = parts.next()
    assert isinstance(fourth, SyncBodyPartReader)
    assert fourth.form() == [("a", "1")]
    fifth = parts.next()
    assert isinstance(fifth, SyncBodyPartReader)
    assert fifth.text() == "é"
    parts.release()
    assert parts.at_eof()
    assert parts.next() is None
    assert list(parts) == []
    whole = SyncMultipartReader(FORM, io.BytesIO(body(part(b"x"))), client_max_size=0).next()
    assert isinstance(whole, SyncBodyPartReader)
    with pytest.raises(ValueError, match="0"):
        whole.read()
    assert b"".join(whole) == b"x"


def test_errors_without_an_event_loop() -> None:
    with pytest.raises(BodyTruncatedError):
        list(SyncMultipartReader(MIXED, [b"--B\r\n\r\nx"]))
