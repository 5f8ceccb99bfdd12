"""`send_body`: what a sink is given of each kind of body, and when (R8, R10)."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core import ChunkedDecoder, EncodedRequest
from wayfare_http_core.aio._upload import send_body

PIECE = 256 * 1024


class Sink:
    """Takes everything; each `drain` gives the loop its turn."""

    def __init__(self) -> None:
        self.writes: list[bytes | memoryview] = []
        self.drains = 0
        self.piece = PIECE
        self.content = 0

    def write(self, data: bytes | memoryview, content: int) -> None:
        self.content += content
        assert self.drains == len(self.writes), "nothing is written before the last piece drained"
        self.writes.append(data)

    async def drain(self) -> None:
        await asyncio.sleep(0)
        self.drains = len(self.writes)

    @property
    def sent(self) -> bytes:
        return b"".join(self.writes)


class Body:
    content_type = None
    length = None
    replayable = False

    def __init__(self, pieces: Iterable[bytes] | AsyncIterable[bytes]) -> None:
        self._pieces = pieces

    def chunks(self) -> Iterable[bytes] | AsyncIterable[bytes]:
        return self._pieces


class Generator:
    """A body whose asynchronous generator says when it was closed."""

    content_type = None
    length = None
    replayable = False

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces
        self.closed = False

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            for piece in self.pieces:
                yield piece
        finally:
            await asyncio.sleep(0)
            self.closed = True


class Source:
    """Asynchronous iteration that is no generator."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces: Iterator[bytes] = iter(pieces)

    def __aiter__(self) -> "Source":
        return self

    async def __anext__(self) -> bytes:
        for piece in self._pieces:
            return piece
        raise StopAsyncIteration


def sized(length: int) -> EncodedRequest:
    return EncodedRequest(b"", False, length)


CHUNKED = EncodedRequest(b"", True, 0)


async def test_large_bytes_leave_in_pieces_that_are_not_copied() -> None:
    content = bytes(range(256)) * 2049
    sink = Sink()
    await send_body(sink, content, sized(len(content)))
    assert [len(piece) for piece in sink.writes] == [PIECE, PIECE, 256]
    assert all(isinstance(piece, memoryview) and piece.obj is content for piece in sink.writes)
    assert sink.sent == content


@pytest.mark.parametrize(
    "pieces", [[b"a", b"", b"bc"], (b"abc",), iter([b"ab", b"c"]), Source(b"abc")]
)
async def test_every_iterable_is_sent(pieces: Iterable[bytes] | AsyncIterable[bytes]) -> None:
    sink = Sink()
    await send_body(sink, Body(pieces), sized(3))
    assert sink.sent == b"abc"


async def test_an_asynchronous_generator_is_sent() -> None:
    sink = Sink()
    body = Generator(b"ab", b"c")
    await send_body(sink, body, sized(3))
    assert sink.sent == b"abc"
    assert body.closed


async def test_pieces_are_pulled_no_faster_than_they_drain() -> None:
    sink = Sink()

    def pieces() -> Iterator[bytes]:
        for number in range(5):
            assert (len(sink.writes), sink.drains) == (number, number)
            yield b"%d" % number

    await send_body(sink, Body(pieces()), sized(5))
    assert sink.sent == b"01234"


@given(st.lists(st.binary(max_size=20)))
def test_chunks_decode_to_the_content(pieces: list[bytes]) -> None:
    """R10: an empty piece is no chunk, for an empty chunk would end the body."""

    async def main() -> None:
        sink = Sink()
        await send_body(sink, Body(pieces), CHUNKED)
        assert len(sink.writes) == sum(map(bool, pieces)) + 1
        decoder = ChunkedDecoder()
        assert decoder.decode(sink.sent) == b"".join(pieces)
        assert decoder.done
        assert decoder.unused == b""

    asyncio.run(main())


async def test_bytes_go_in_chunks_where_the_head_said_so() -> None:
    sink = Sink()
    await send_body(sink, b"abc", CHUNKED)
    assert sink.sent == b"3\r\nabc\r\n0\r\n\r\n"


@pytest.mark.parametrize("make", [bytearray, memoryview, lambda b: memoryview(b).cast("H")])
async def test_what_is_not_bytes_is_copied_before_it_is_kept(make: type[bytes]) -> None:
    """A transport keeps what it cannot send, and a reader into one buffer overwrites it."""
    sink = Sink()
    buffer = bytearray(b"abcd")

    def pieces() -> Iterator[bytes]:
        yield make(buffer)
        buffer[:] = b"efgh"
        yield make(buffer)

    await send_body(sink, Body(pieces()), sized(8))
    assert sink.sent == b"abcdefgh"


@pytest.mark.parametrize("piece", ["text", 5, None])
async def test_what_holds_no_octets_is_refused(piece: bytes) -> None:
    sink = Sink()
    with pytest.raises(TypeError):
        await send_body(sink, Body([piece]), CHUNKED)
    assert sink.writes == []


async def test_a_body_that_is_too_short_is_an_error() -> None:
    """R8: what was promised is not there."""
    sink = Sink()
    with pytest.raises(ValueError, match="ended after 2 of the announced 3 octets"):
        await send_body(sink, Body([b"ab"]), sized(3))


async def test_of_a_body_that_is_too_long_nothing_more_is_sent() -> None:
    """R8: the surplus would be read as another request."""
    sink = Sink()
    body = Generator(b"ab", b"cd")
    with pytest.raises(ValueError, match="longer than the announced 3 octets"):
        await send_body(sink, body, sized(3))
    assert sink.sent == b"ab"
    assert body.closed


async def test_an_error_of_the_body_ends_it_without_a_last_chunk() -> None:
    """R10: the peer must not take a part for the whole."""
    sink = Sink()

    def pieces() -> Iterator[bytes]:
        yield b"abc"
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        await send_body(sink, Body(pieces()), CHUNKED)
    assert sink.sent == b"3\r\nabc\r\n"


async def test_a_cancelled_sending_closes_its_generator() -> None:
    """What the generator has open is closed when the sending is over, not when it is collected."""
    sink = Sink()
    body = Generator(b"ab", b"c")
    sending = asyncio.ensure_future(send_body(sink, body, CHUNKED))
    await asyncio.sleep(0)
    assert sink.sent == b"2\r\nab\r\n"
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert body.closed
    assert sink.sent == b"2\r\nab\r\n"
