"""Media types: what a Content-Type field says (RFC 9110 section 8.3)."""

import re
from typing import NamedTuple

__all__ = ("MediaType", "parse_media_type")

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_TYPE = re.compile(rf"[ \t]*({_TOKEN})/({_TOKEN})[ \t]*(?=;|\Z)", re.ASCII)
# Possessive: of two runs of white space side by side, each could give way to the other, in quadratic time.
_PARAMETER = re.compile(
    rf';[ \t]*+(?:({_TOKEN})=(?:({_TOKEN})|"((?:[^"\\]|\\.)*+)"))?[ \t]*+(?=;|\Z)',
    re.ASCII | re.DOTALL,
)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)


class MediaType(NamedTuple):
    """A media type in lower case with its parameters; parameter names are in lower case, values as they came."""

    type: str
    subtype: str
    parameters: dict[str, str]

    @property
    def essence(self) -> str:
        """`type/subtype`."""
        return f"{self.type}/{self.subtype}"


def parse_media_type(value: str) -> MediaType | None:
    """The media type in a field value, or None where there is none to be read.

    Never raises. Parameters are read up to the first malformed one; of a repeated parameter the first counts.
    """
    match = _TYPE.match(value)
    if match is None:
        return None
    parameters: dict[str, str] = {}
    position = match.end()
    while (parameter := _PARAMETER.match(value, position)) is not None:
        position = parameter.end()
        name, token, quoted = parameter.groups()
        if name is not None:
            text = token if token is not None else _QUOTED_PAIR.sub(r"\1", quoted)
            parameters.setdefault(name.lower(), text)
    return MediaType(match[1].lower(), match[2].lower(), parameters)
