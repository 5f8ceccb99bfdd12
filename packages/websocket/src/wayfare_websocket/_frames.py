"""Frames on their way out (RFC 6455 section 5.2).

 0                   1                   2                   3
| FIN RSV1 RSV2 RSV3 opcode(4) | MASK length(7) | length(16 or 64) | masking key(32) | payload
"""

import struct

from ._masking import mask_payload

__all__ = ("CONTROL", "FIN", "MAX_CONTROL_PAYLOAD", "OPCODE", "RSV1", "RSV23", "encode_frame")

FIN = 0x80
RSV1 = 0x40
"""The frame begins a compressed message (RFC 7692 section 6)."""
RSV23 = 0x30
OPCODE = 0x0F
CONTROL = 0x08
"""The bit that all opcodes of control frames have."""

MAX_CONTROL_PAYLOAD = 125

_MASKED = 0x80
_SHORT = struct.Struct("!BBH").pack
_LONG = struct.Struct("!BBQ").pack


def encode_frame(first: int, payload: bytes, key: bytes | None) -> bytes:
    """One frame whose first octet is `first`, masked where there is a key.

    Raises: ValueError for a key of another size than four octets.
    """
    size = len(payload)
    masked = 0 if key is None else _MASKED
    if size < 126:
        head = bytes((first, masked | size))
    elif size < 1 << 16:
        head = _SHORT(first, masked | 126, size)
    else:
        head = _LONG(first, masked | 127, size)
    if key is None:
        return head + payload
    return head + key + mask_payload(payload, key)
