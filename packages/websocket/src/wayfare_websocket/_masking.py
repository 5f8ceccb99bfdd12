"""Masking: what a client does to its payloads (RFC 6455 section 5.3).

In Python, XOR is fast for numbers only, so a payload becomes a number and back. That takes 1 to 4 ns per octet: nothing
for small messages, and the larger part of the work for large ones. `_compiled` has the same in C.
"""

__all__ = ("KEY_SIZE", "mask_payload")

KEY_SIZE = 4

_BLOCK = 16 * 1024  # fits the first caches, and is long enough for the calls not to count
_ONES = int.from_bytes(b"\x01\x00\x00\x00" * (_BLOCK // 4), "little")


def mask_payload(data: bytes, key: bytes) -> bytes:
    """The payload, XORed with the four octets of the key; masking twice gives it again.

    Raises: ValueError for a key of another size.
    """
    if len(key) != KEY_SIZE:
        raise ValueError(f"a masking key has {KEY_SIZE} octets")
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
