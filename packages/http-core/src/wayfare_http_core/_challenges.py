"""Challenges of WWW-Authenticate and Proxy-Authenticate: how a server wants to be convinced (RFC 9110 section 11).

    challenge  = auth-scheme [ 1*SP ( token68 / #auth-param ) ]
    auth-param = token BWS "=" BWS ( token / quoted-string )

A comma separates both challenges and their parameters, so only what follows a token tells which of them it is: an
`=` makes it a parameter, anything else a scheme.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import final

from ._grammar import is_token
from ._list_field import MAX_ELEMENTS, ListField, skip, tell
from ._parameters import MAX_PARAMETERS, TOKEN, ascii_lower, format_parameter, unquote_pairs

__all__ = ("Challenge", "parse_challenges")

_SEPARATORS = re.compile(r"[ \t,]*+", re.ASCII)
_SCHEME = re.compile(rf"({TOKEN})(?=[ \t,]|\Z)[ \t]*+", re.ASCII)
_TOKEN68 = re.compile(r"([A-Za-z0-9\-._~+/]++=*+)[ \t]*+(?=,|\Z)", re.ASCII)
# Unquoted values that are no tokens, such as Base64, cannot be mistaken for anything else.
_PARAMETER = re.compile(
    rf'({TOKEN})[ \t]*+=[ \t]*+(?:"((?:[^"\\]|\\.)*+)"|([^ \t,"]++))[ \t]*+(?=,|\Z)',
    re.ASCII | re.DOTALL,
)
_GARBAGE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*+"?)*+', re.ASCII | re.DOTALL)
_ONLY_TOKEN68 = re.compile(r"[A-Za-z0-9\-._~+/]++=*+", re.ASCII)


@final
@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge: its scheme and the names of its parameters in lower case, and either a token68 or parameters."""

    scheme: str
    token68: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))

    @property
    def realm(self) -> str | None:
        """The protection space within the origin that asks (RFC 9110 section 11.5), or None."""
        return self.parameters.get("realm")

    def encode(self) -> str:
        """The challenge as a field has it, values as quoted strings, which every client reads.

        Raises: ValueError for a scheme or a name that is no token, for what is no token68, for both a token68 and
        parameters, and for values that are not ASCII or hold control characters.
        """
        if not is_token(self.scheme):
            raise ValueError(f"{self.scheme!r} is no authentication scheme")
        if self.token68 is None:
            parameters = [
                format_parameter(name, value, extended=False, quoted=True)
                for name, value in self.parameters.items()
            ]
            return f"{self.scheme} {', '.join(parameters)}" if parameters else self.scheme
        if self.parameters or _ONLY_TOKEN68.fullmatch(self.token68) is None:
            raise ValueError("a challenge has either a token68 or parameters")
        return f"{self.scheme} {self.token68}"


@dataclass(slots=True)
class _Draft:
    """A challenge while it is read."""

    scheme: str
    token68: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    broken: bool = False


def parse_challenges(*values: str) -> ListField[Challenge]:
    """The challenges of all WWW-Authenticate (or Proxy-Authenticate) fields of a response, in their order.

    Never raises. A challenge of which something cannot be read is left out as a whole and told in the problems:
    credentials are not to be made for what a server might have meant (D19). Of a repeated parameter the first counts.
    """
    drafts: list[_Draft] = []
    problems: list[str] = []
    for value in values:
        _read(value, drafts, problems)
    challenges = [
        Challenge(draft.scheme, draft.token68, draft.parameters)
        for draft in drafts
        if not draft.broken
    ]
    return ListField(tuple(challenges), tuple(problems))


def _read(value: str, drafts: list[_Draft], problems: list[str]) -> None:
    draft: _Draft | None = None
    position = skip(_SEPARATORS, value, 0)
    while position < len(value):
        if (match := _PARAMETER.match(value, position)) is not None:
            _add(draft, match, problems)
        elif (match := _SCHEME.match(value, position)) is not None:
            if len(drafts) == MAX_ELEMENTS:
                tell(problems, f"only the first {MAX_ELEMENTS} challenges are read", "")
                return
            draft = _Draft(ascii_lower(match[1]))
            drafts.append(draft)
            match = _read_first(value, draft, match, problems)
        if match is None:
            end = skip(_GARBAGE, value, position)
            tell(problems, "{} is no challenge", value[position:end])
            if draft is not None:
                draft.broken = True
            position = end
        else:
            position = match.end()
        position = skip(_SEPARATORS, value, position)


def _read_first(
    value: str, draft: _Draft, scheme: re.Match[str], problems: list[str]
) -> re.Match[str] | None:
    """What follows a scheme before the next comma; None if it is none of what may follow."""
    end = scheme.end()
    if end == len(value) or value[end] == ",":
        return scheme
    # `a=` and `a==` are both; only a parameter has something else behind its `=`.
    if (match := _TOKEN68.match(value, end)) is not None:
        draft.token68 = match[1]
    elif (match := _PARAMETER.match(value, end)) is not None:
        _add(draft, match, problems)
    return match


def _add(draft: _Draft | None, match: re.Match[str], problems: list[str]) -> None:
    name = ascii_lower(match[1])
    if draft is None:
        tell(problems, "parameter {} belongs to no challenge", name)
    elif draft.token68 is not None:
        tell(problems, "{} has a token68 and parameters", draft.scheme)
        draft.broken = True
    elif name in draft.parameters:
        tell(problems, f"parameter {{}} of {draft.scheme[:40]} is repeated", name)
    elif len(draft.parameters) == MAX_PARAMETERS:
        tell(problems, "{} has too many parameters", draft.scheme)
        draft.broken = True
    else:
        draft.parameters[name] = match[3] if match[2] is None else unquote_pairs(match[2])
