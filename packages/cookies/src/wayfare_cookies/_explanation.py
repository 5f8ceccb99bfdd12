"""The answer to "why was this cookie stored, or not sent?"."""

import sys
from dataclasses import dataclass
from typing import final

from ._cookie import Cookie
from ._rules import Rule

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("Explanation",)

_ACCEPTING = frozenset((Rule.STORED, Rule.REPLACED, Rule.DELETED, Rule.SENT))


@final
@dataclass(frozen=True, slots=True)
class Explanation:
    """What happens to one cookie, and by which rule. Printed, it is a sentence without the cookie's value."""

    rule: Rule
    cookie: Cookie | None = None
    """None where a Set-Cookie field makes no cookie."""

    @property
    def accepted(self) -> bool:
        """Whether the cookie is stored (or removes one, as its server wants), or is sent."""
        return self.rule in _ACCEPTING

    @property
    def section(self) -> str:
        """Where the rule stands: a section of RFC 6265bis, CHIPS, or an option of the jar."""
        return self.rule.section

    @property
    def reason(self) -> str:
        """The rule as a sentence."""
        return self.rule.reason

    @override
    def __str__(self) -> str:
        what = "the field" if self.cookie is None else repr(self.cookie)
        return f"{what}: {self.rule.name.lower()}, {self.reason} ({self.section})"
