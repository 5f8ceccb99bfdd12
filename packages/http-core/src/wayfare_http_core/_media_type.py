"""Media types: what a Content-Type field says (RFC 9110 section 8.3)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import final

from ._grammar import is_token
from ._list_field import MAX_PROBLEMS, excerpt, tell
from ._parameters import MAX_PARAMETERS, TOKEN, format_parameter, unquote_pairs

__all__ = ("MediaType", "parse_media_type")

_TYPE = re.compile(rf"[ \t]*+({TOKEN})/({TOKEN})[ \t]*+(?=;|\Z)", re.ASCII)
# Possessive: of two runs of white space side by side, each could give way to the other, in quadratic time.
_PARAMETER = re.compile(
    rf';[ \t]*+(?:({TOKEN})=(?:({TOKEN})|"((?:[^"\\]|\\.)*+)"))?[ \t]*+(?=;|\Z)',
    re.ASCII | re.DOTALL,
)


@final
@dataclass(frozen=True, slots=True)
class MediaType:
    """A media type in lower case with its parameters; parameter names are in lower case, values as they came.

    `problems` says what could not be read; it is no part of the value when two are compared.
    """

    type: str
    subtype: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))

    @property
    def essence(self) -> str:
        """`type/subtype`."""
        return f"{self.type}/{self.subtype}"

    def encode(self) -> str:
        """The value of a Content-Type field, parameters as tokens where they can be and quoted where not.

        Raises: ValueError for what has no place there: names that are no tokens, values that are not ASCII or hold
        control characters.
        """
        if not (is_token(self.type) and is_token(self.subtype)):
            raise ValueError(f"{self.essence!r} is no media type (RFC 9110 section 8.3.1)")
        parameters = [
            format_parameter(name, value, extended=False) for name, value in self.parameters.items()
        ]
        return "; ".join((self.essence, *parameters))


def parse_media_type(value: str) -> MediaType | None:
    """The media type in a field value, or None where it does not begin with `type/subtype`.

    Never raises. Parameters are read up to the first malformed one; of a repeated parameter the first counts. Either
    is told in `problems`: a charset or a boundary that is guessed does more harm than one that is missing.
    """
    match = _TYPE.match(value)
    if match is None:
        return None
    parameters: dict[str, str] = {}
    problems: list[str] = []
    position = match.end()
    while (parameter := _PARAMETER.match(value, position)) is not None:
        if len(parameters) >= MAX_PARAMETERS:
            break
        position = parameter.end()
        name, token, quoted = parameter.groups()
        if name is not None:
            name = name.lower()
            if name in parameters:
                tell(problems, "parameter {} is repeated", name)
            else:
                parameters[name] = token if token is not None else unquote_pairs(quoted)
    if position < len(value):
        # In the place of the last one, if need be: this is the problem that cost most.
        problems[MAX_PROBLEMS - 1 :] = [f"nothing is read from {excerpt(value[position:])} on"]
    return MediaType(match[1].lower(), match[2].lower(), parameters, tuple(problems))
