"""Masking: what a client does to its payloads (RFC 6455 section 5.3).

In Python, XOR is fast for numbers only, so a payload becomes a number and back. That takes 3 to 4 ns per octet: nothing
for small messages, and the larger part of the work for large ones. `Mask` is the seam for a compiled function.
"""

from collections.abc import Callable
from typing import TypeAlias

__all__ = ("Mask", "mask_payload")

Mask: TypeAlias = Callable[[bytes, bytes], bytes]
"""A function of the payload and the four octets of the key; masking twice gives the payload again."""

_BLOCK = 16 * 1024  # fits the first caches, and is long enough for the calls not to count
_ONES = int.from_bytes(b"\x01\x00\x00\x00" * (_BLOCK // 4), "little")


def mask_payload(data: bytes, key: bytes) -> bytes:
    """XOR with the key, repeated."""
    size = len(data)
    if size < _BLOCK:
        repeated = (key * (size + 3 >> 2))[:size]
        number = int.from_bytes(data, "little") ^ int.from_bytes(repeated, "little")
        return number.to_bytes(size, "little")
    # The key repeated over a block, as a number: one multiplication by the key.
    repeated_key = _ONES * int.from_bytes(key, "little")
    end = size - size % _BLOCK
    blocks = [
        (int.from_bytes(data[at : at + _BLOCK], "little") ^ repeated_key).to_bytes(_BLOCK, "little")
        for at in range(0, end, _BLOCK)
    ]
    blocks.append(mask_payload(data[end:], key))
    return b"".join(blocks)
