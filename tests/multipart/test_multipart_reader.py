"""`MultipartReader`: from part to part, over any source, bodies within bodies, limits (M5, M9 to M11, M15)."""

import asyncio
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
    PartHeadError,
)

from tests.multipart.bodies import MIXED, body, part, pieces, reader

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
    with pytest.raises(MultipartLimitError, match=r"more than 8 .* within each other"):
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
