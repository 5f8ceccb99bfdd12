"""Content-Range: which part of a representation a response carries (RFC 9110 section 14.4).

Content-Range = "bytes" SP ( first "-" last "/" ( complete / "*" ) / "*/" complete )
"""

import re
import sys
from dataclasses import dataclass
from typing import final

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("ContentRange",)

# 18 digits are an exabyte and more. Other units than bytes are none that anybody asks for here.
_RANGE = re.compile(
    r"bytes[ \t]++(?:([0-9]{1,18})-([0-9]{1,18})|\*)/(?:([0-9]{1,18})|\*)\Z",
    re.ASCII | re.IGNORECASE,
)


@final
@dataclass(frozen=True, slots=True)
class ContentRange:
    """The octets from `first` to `last`, both included, of `complete` in all, which is None where it is not known.

    A 416 response says only how many there are: `first` and `last` are None then.
    """

    first: int | None
    last: int | None
    complete: int | None

    @property
    def length(self) -> int:
        """How many octets it is: 0 where none are satisfied."""
        return 0 if self.first is None or self.last is None else self.last - self.first + 1

    @override
    def __str__(self) -> str:
        part = "*" if self.first is None else f"{self.first}-{self.last}"
        return f"bytes {part}/{'*' if self.complete is None else self.complete}"

    @classmethod
    def parse(cls, value: str) -> "ContentRange | None":
        """What a field value says; None for what is no range, ends before it begins, or ends behind the end.

        Never raises. "A recipient of an invalid Content-Range must not attempt to recombine the received content with a
        stored representation."
        """
        match = _RANGE.fullmatch(value.strip(" \t"))
        if match is None:
            return None
        numbers = match.groups()
        first, last, complete = (None if n is None else int(n) for n in numbers)  # Y1: the pattern
        if first is None or last is None:
            return None if complete is None else cls(None, None, complete)
        if first > last or (complete is not None and last >= complete):
            return None
        return cls(first, last, complete)
