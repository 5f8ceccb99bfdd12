"""The version of HTTP that a message was sent with (RFC 9110 section 2.5)."""

import sys
from typing import NamedTuple

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("HttpVersion", "HttpVersion10", "HttpVersion11")


class HttpVersion(NamedTuple):
    """A version's two numbers; versions compare as pairs, `str` gives the form of a start line."""

    major: int
    minor: int

    @override
    def __str__(self) -> str:
        return f"HTTP/{self.major}.{self.minor}"


HttpVersion10 = HttpVersion(1, 0)
"""HTTP/1.0."""
HttpVersion11 = HttpVersion(1, 1)
"""HTTP/1.1."""
