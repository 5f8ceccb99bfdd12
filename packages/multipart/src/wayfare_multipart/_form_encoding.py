"""Forms in their urlencoded shape, as browsers write them (URL standard, section 5.2)."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote_plus

__all__ = ("urlencoded",)

_SAFE = "*-._"


def urlencoded(pairs: Iterable[tuple[str, Any]], charset: str = "utf-8") -> bytes:
    """Names and values, each with what is no letter or digit as `%XX`, spaces as `+`.

    A value is text, octets, or something with a text form; a list or tuple stands for several values of its name.

    Raises: UnicodeEncodeError for text that the charset does not have.
    """
    found = [
        f"{_quoted(name, charset)}={_quoted(one, charset)}"
        for name, value in pairs
        for one in (value if isinstance(value, list | tuple) else (value,))
    ]
    return "&".join(found).encode("ascii")


def _quoted(value: Any, charset: str) -> str:
    is_octets = isinstance(value, bytes | bytearray | memoryview)
    octets = bytes(value) if is_octets else str(value).encode(charset)
    # `~` is the one character that quote_plus leaves and forms do not.
    return quote_plus(octets, safe=_SAFE).replace("~", "%7E")
