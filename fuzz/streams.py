"""Target: reading a stream piece by piece gives the content's octets, whatever is asked for in whatever order."""

import asyncio
import gzip

from wayfare_http_core import Decoder, UnsupportedCodings, make_decoder
from wayfare_http_core.aio import StreamReader

from .properties import cuts

__all__ = ("stream",)

_SEPARATORS = (b"\n", b"\r\n", b"ab", b"aab", b"\x00\x00")
_loop = asyncio.new_event_loop()


def stream(data: bytes) -> None:
    """B13, B28: separators are found across pieces, and no octet is lost, doubled or out of order."""
    size = data[0] % 16 if data else 0
    plan, content = data[1 : size + 1], data[size + 1 :]
    if len(plan) < 2:
        return
    coded = bool(plan[0] & 1)
    wire = gzip.compress(content, 1, mtime=0) if coded else content
    reader = StreamReader()
    if coded:
        reader.decode_with(_gzip_decoder())
    for piece in cuts(plan[0], plan[1], wire):
        reader.feed_data(piece)
    reader.feed_eof()
    _loop.run_until_complete(_read(reader, plan, content))


def _gzip_decoder() -> Decoder:
    decoder = make_decoder(["gzip"])
    assert decoder is not None
    assert not isinstance(decoder, UnsupportedCodings)
    return decoder


async def _read(reader: StreamReader, plan: bytes, content: bytes) -> None:
    position = 0
    for step in plan:
        rest = content[position:]
        size = step >> 3
        match step & 7:
            case 0:
                found = await reader.read(size)
                assert rest.startswith(found)
                assert len(found) <= size
                assert found or not rest or not size
            case 1:
                found = await reader.readany()
                assert rest.startswith(found)
                assert found or not rest
            case 2:
                found = await reader.readline()
                assert found == _up_to(rest, b"\n")
            case 3:
                try:
                    found = await reader.readexactly(size)
                except asyncio.IncompleteReadError as exc:
                    found = exc.partial
                    assert found == rest
                    assert len(rest) < size
                else:
                    assert found == rest[:size]
            case 4:
                found = reader.read_nowait(size)
                assert rest.startswith(found)
            case _:
                separator = _SEPARATORS[size % len(_SEPARATORS)]
                found = await reader.readuntil(separator)
                assert found == _up_to(rest, separator)
        position += len(found)
    assert await reader.read() == content[position:]
    assert reader.at_eof()


def _up_to(content: bytes, separator: bytes) -> bytes:
    before, found, _ = content.partition(separator)
    return before + found
