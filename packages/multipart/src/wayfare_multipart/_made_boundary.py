"""Boundaries that are made here: what stands between the parts of a body that is written (RFC 2046 section 5.1.1)."""

import re
from secrets import token_hex
from typing import Final

from wayfare_http_core import quote_string

__all__ = ("boundary_parameter", "is_token", "make_boundary")

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", re.ASCII)


def is_token(text: str) -> bool:
    """Whether text is a token (RFC 9110 section 5.6.2)."""
    return _TOKEN.fullmatch(text) is not None


def make_boundary() -> str:
    """A boundary that no content has: 128 bits from the system's random generator (M3).

    It needs no quotes. Who could foretell it could write parts of his own into somebody else's form.
    """
    return token_hex(16)


def boundary_parameter(boundary: str) -> str:
    """The boundary as a Content-Type field says it, in quotes where it is no token."""
    return boundary if is_token(boundary) else quote_string(boundary)
