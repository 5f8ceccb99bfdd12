"""What a parser of a list-based field gives: the elements it could read, and what it could not.

Parsers of field values have one habit. None of them raises for what a peer sent. Where a value says nothing that
can be used the answer is None; any other answer carries `problems`, one sentence for each thing that was left out
or read with good will. Problems are for logs and for tools: they are no part of a value when values are compared.
"""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar, final, overload

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("MAX_ELEMENTS", "MAX_PROBLEMS", "ListField", "excerpt", "skip", "tell")

MAX_ELEMENTS = 1_000
"""The elements that are read of one field, as many as the parts of a multipart body.

A head of 128 KiB has room for 40,000 of them, and each takes some hundred octets of memory.
"""

MAX_PROBLEMS = 32
"""The problems that are kept: a person reads no more, and a peer should not fill a log."""

_EXCERPT = 40

T = TypeVar("T")


@final
@dataclass(frozen=True, slots=True)
class ListField(Sequence[T], Generic[T]):
    """An immutable sequence of a field's elements in their order, with what could not be read of it."""

    elements: tuple[T, ...] = ()
    problems: tuple[str, ...] = field(default=(), compare=False)

    @override
    def __len__(self) -> int:
        return len(self.elements)

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...

    @override
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        return self.elements[index]


def excerpt(text: str) -> str:
    """The beginning of what a peer sent, quoted and in ASCII, so that it can stand in a log."""
    return ascii(text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}...")


def skip(pattern: re.Pattern[str], text: str, position: int) -> int:
    """Where the pattern ends that is looked for at a position: there, if it does not match."""
    match = pattern.match(text, position)
    return position if match is None else match.end()


def tell(problems: list[str], sentence: str, about: str) -> None:
    """Add a problem, an excerpt of what it is about in place of `{}`; nothing once there are enough of them.

    To write thousands of sentences that nobody reads would take longer than the parsing (H27).
    """
    if len(problems) < MAX_PROBLEMS:
        problems.append(sentence.format(excerpt(about)))
