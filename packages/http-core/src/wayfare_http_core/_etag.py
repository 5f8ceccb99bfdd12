"""Entity tags: which representation of a resource it is (RFC 9110 section 8.8.3).

entity-tag = [ %s"W/" ] DQUOTE *etagc DQUOTE
"""

import re
import sys
from dataclasses import dataclass
from typing import final

from ._grammar import is_field_content
from ._list_field import MAX_ELEMENTS, ListField, excerpt, skip, tell

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("ETag", "parse_etags")

# A backslash escapes nothing here. Spaces are not in the grammar and are in tags that servers send: as a tag means
# nothing but itself, it is kept as it is, to be sent back.
_TAG = re.compile(r'(W/)?"([^"\x00-\x08\x0a-\x1f\x7f]*+)"', re.ASCII)
_SEPARATORS = re.compile(r"[ \t,]*+", re.ASCII)
_GARBAGE = re.compile(r"[^,]++", re.ASCII)
_ELEMENT = re.compile(rf"{_TAG.pattern}[ \t]*+(?=,|\Z)", re.ASCII)


@final
@dataclass(frozen=True, slots=True)
class ETag:
    """An entity tag; `value` is without its quotes, `str()` gives it as fields have it.

    Equality is of both parts. Whether two tags mean the same is for `strong_match` and `weak_match` to say.

    Raises: ValueError for a quote or a control character in the value, which no field could hold.
    """

    value: str
    is_weak: bool = False

    def __post_init__(self) -> None:
        if '"' in self.value or not is_field_content(self.value):
            raise ValueError(f"{excerpt(self.value)} is no value of an entity tag")

    @override
    def __str__(self) -> str:
        return f'W/"{self.value}"' if self.is_weak else f'"{self.value}"'

    @classmethod
    def parse(cls, value: str) -> "ETag | None":
        """The tag in the value of an ETag field; None where it is none, such as one without quotes. Never raises."""
        match = _TAG.fullmatch(value.strip(" \t"))
        return None if match is None else cls(match[2], match[1] is not None)

    def strong_match(self, other: "ETag") -> bool:
        """Whether both name the same octets: equal, and neither is weak. For ranges and for If-Match."""
        return self.value == other.value and not (self.is_weak or other.is_weak)

    def weak_match(self, other: "ETag") -> bool:
        """Whether both name equivalent representations, weak or not. For If-None-Match."""
        return self.value == other.value


def parse_etags(*values: str) -> ListField[ETag]:
    """The tags of all If-Match or If-None-Match fields of a message; a comma inside of a tag is part of it.

    Never raises. `*`, which stands for any representation and not for a tag, is left out and told like anything else
    that is no tag: look for it first.
    """
    tags: list[ETag] = []
    problems: list[str] = []
    for value in values:
        position = skip(_SEPARATORS, value, 0)
        while position < len(value):
            match = _ELEMENT.match(value, position)
            end = skip(_GARBAGE, value, position) if match is None else match.end()
            if match is None:
                tell(problems, "{} is no entity tag", value[position:end])
            elif len(tags) < MAX_ELEMENTS:
                tags.append(ETag(match[2], match[1] is not None))
            else:
                tell(problems, f"only the first {MAX_ELEMENTS} tags are read", "")
                break
            position = skip(_SEPARATORS, value, end)
    return ListField(tuple(tags), tuple(problems))
