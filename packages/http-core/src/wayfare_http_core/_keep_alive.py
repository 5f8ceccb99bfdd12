"""Keep-Alive: how long a peer keeps an idle connection (RFC 2068 section 19.7.1, in use ever since)."""

import re
from dataclasses import dataclass, field
from typing import final

from ._grammar import is_digits
from ._list_field import tell
from ._parameters import ascii_lower

__all__ = ("KeepAlive", "parse_keep_alive")

_ELEMENT = re.compile(r'[ \t]*+([^=,]*+)(?:=[ \t]*+"?([^",]*+)"?)?[^,]*+(?:,|\Z)', re.ASCII)
_MOST = 999_999_999
"""Numbers that are larger mean the same: thirty years, or more requests than a connection lives."""

_SAFETY = 1.0
"""Seconds that a connection is given up earlier than its peer does, for a request that is on its way (I9)."""


@final
@dataclass(frozen=True, slots=True)
class KeepAlive:
    """What a peer promises of a connection: seconds it stays open while idle, requests it still takes.

    None where it says nothing, or nothing that could be read: `problems` tells which.
    """

    timeout: int | None = None
    max: int | None = None
    problems: tuple[str, ...] = field(default=(), compare=False)

    def shorten(self, idle_timeout: float) -> float:
        """The seconds after which to give up an idle connection: ours, or the peer's less a second (I9).

        Never more than ours, since a peer must not make us hold what we meant to let go, and never below 0.
        """
        if self.timeout is None:
            return idle_timeout
        return min(idle_timeout, max(0.0, self.timeout - _SAFETY))


def parse_keep_alive(value: str) -> KeepAlive:
    """What a Keep-Alive field says, several of them joined by commas. Never raises.

    Of a repeated parameter the first counts; unknown ones are ignored.
    """
    found: dict[str, int] = {}
    problems: list[str] = []
    for match in _ELEMENT.finditer(value):
        name = ascii_lower(match[1].strip(" \t"))
        if name not in ("timeout", "max"):
            continue
        digits = (match[2] or "").strip(" \t")
        if not is_digits(digits):
            tell(problems, "{} is no number", match[0])
        elif name in found:
            tell(problems, "{} is repeated", name)
        else:
            found[name] = _number(digits)
    return KeepAlive(found.get("timeout"), found.get("max"), tuple(problems))


def _number(digits: str) -> int:
    digits = digits.lstrip("0") or "0"
    # The length first: a thousand digits would cost time, and some more of them an exception.
    if len(digits) > len(str(_MOST)):
        return _MOST
    return int(digits)  # Y1: the caller saw that they are digits
