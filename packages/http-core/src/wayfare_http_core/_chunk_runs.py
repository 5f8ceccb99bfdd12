"""Runs of small chunks, read with a few bulk operations: a chunk one by one costs more than its octets are worth.

Servers that write line by line or token by token send such bodies, and hostile ones send a chunk per octet (B22).
"""

from functools import cache
from operator import ne

__all__ = ("FEW_OCTETS", "RUN_OCTETS", "SMALL_CHUNK", "read_run")

SMALL_CHUNK = 256
"""Octets from which on a chunk is not small: its data, and no longer its framing, is what costs."""

FEW_OCTETS = 256
"""Octets of the wire that are too few to be worth a run."""

RUN_OCTETS = 8 * 1024
"""Octets of the wire that are looked at as one run: at most this much is looked at twice where a run breaks off."""


@cache
def _small_sizes() -> dict[bytes, int]:
    """The size lines of small chunks, in either case, up to two digits; none for nothing, which ends a body."""
    sizes = range(1, SMALL_CHUNK)
    return {spelt % size: size for spelt in (b"%x", b"%X", b"%02x", b"%02X") for size in sizes}


def read_run(
    data: bytes, position: int, content: list[bytes | memoryview], sizes: list[int]
) -> tuple[int, bool]:
    """Read small chunks from where a size line begins; returns how far it came, and whether another run may follow.

    Adds their data to `content` and their sizes to `sizes`. What is out of the ordinary is left for the reader of
    single chunks: another spelling of the size, extensions, CRLF within the data, the last chunk, whatever is wrong.
    """
    end = position + RUN_OCTETS
    # Where each chunk is as long as it says, every second part is a size line and its neighbour the data.
    parts = data[position:end].split(b"\r\n")
    whole = (len(parts) - 1) // 2 * 2
    lines, pieces = parts[0:whole:2], parts[1:whole:2]
    announced = list(map(_small_sizes().get, lines))
    actual = list(map(len, pieces))
    more = bool(lines) and end < len(data)
    if announced != actual:
        more = False
        count = list(map(ne, announced, actual)).index(True)
        del lines[count:], pieces[count:], actual[count:]
    # Joined here, and not with all others at the end: `join` takes 80 octets of memory for each piece (B22).
    content.append(b"".join(pieces))
    sizes += actual
    framing = sum(map(len, lines)) + 4 * len(lines)
    return position + framing + sum(actual), more
