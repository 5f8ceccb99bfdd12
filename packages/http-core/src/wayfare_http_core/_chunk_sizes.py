"""The sizes of a body's chunks, packed: an octet for each small one, so that octets in chunks of one do not grow (B22).

A size from 1 to 255 is one octet. Any other is a zero and eight octets, most significant first.
"""

__all__ = ("pack_sizes", "sum_sizes", "unpack_size")

_LARGE = 9
"""Octets of a packed size that does not fit into one."""


def pack_sizes(sizes: list[int]) -> bytes:
    """Sizes from 1 to 2**63 - 1, packed."""
    try:
        return bytes(sizes)
    except ValueError:
        return b"".join(
            [
                size.to_bytes(1, "big") if size < 256 else b"\0" + size.to_bytes(8, "big")
                for size in sizes
            ]
        )


def unpack_size(packed: bytes, at: int) -> tuple[int, int]:
    """The size that begins at an index, and the index of the next one."""
    size = packed[at]
    if size:
        return size, at + 1
    return int.from_bytes(packed[at + 1 : at + _LARGE], "big"), at + _LARGE


def sum_sizes(packed: bytes) -> int:
    """The octets of all the chunks together."""
    if 0 not in packed:
        return sum(packed)
    total = at = 0
    while at < len(packed):
        size, at = unpack_size(packed, at)
        total += size
    return total
