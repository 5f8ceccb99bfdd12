"""The bounds on what a peer may send. Each has a name, so that each can be found, tested and changed.

None of them is a protocol rule: RFC 9112 section 3 asks for at least 8,000 octets in a start line and leaves the rest
open. The values are wide enough for what real servers send (some content security policies exceed 8 KiB in one
field) and small enough that a hostile peer gets an error and no memory.
"""

from typing import NamedTuple

__all__ = (
    "DEFAULT_HEAD_LIMITS",
    "MAX_CHUNK_EXTENSIONS",
    "MAX_CHUNK_LINE",
    "MAX_TRAILERS",
    "HeadLimits",
)


# A NamedTuple and not a dataclass: it is on the way of every import, and costs a tenth of one there.
class HeadLimits(NamedTuple):
    """Bounds on a message head, each counted over the accumulated octets however they arrive.

    `start_line` and `field_line` count a line's octets without its line end, `fields` the field lines, `head` all
    octets up to the blank line, and `informational` the 1xx responses before a final one.
    """

    start_line: int = 8190
    field_line: int = 32 * 1024
    fields: int = 256
    head: int = 128 * 1024
    informational: int = 10


DEFAULT_HEAD_LIMITS = HeadLimits()
"""The limits of a head unless others are given."""

MAX_CHUNK_LINE = 4 * 1024
"""Octets of one chunk-size line with its extensions; Go's reader has the same bound."""

MAX_CHUNK_EXTENSIONS = 16 * 1024
"""Octets of chunk extensions in one body (hyper's bound), against one-byte chunks that carry kilobytes."""

MAX_TRAILERS = 16 * 1024
"""Octets of a trailer section. Its fields count with those of the head."""
