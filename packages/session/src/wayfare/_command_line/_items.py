"""The words behind the URL: fields, query parameters and content, told apart by what stands between name and value.

    Name:value      a field of the request; `Name:` takes an automatic one away, `Name;` sends it empty
    name==value     a query parameter
    name=value      a string in the content
    name:=value     a value in JSON
    name@path       a file
    name=@path      a string that a file holds
    name:=@path     a value in JSON that a file holds
    @path           the whole content, as a file holds it

The notation is HTTPie's, which many hands know. A backslash makes the character behind it a part of the name.
"""

import re
from enum import Enum
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ("Item", "ItemKind", "parse_item")


class ItemKind(Enum):
    """What an item is, as the separator says."""

    FIELD = ":"
    EMPTY_FIELD = ";"
    PARAMETER = "=="
    STRING = "="
    JSON = ":="
    FILE = "@"
    STRING_FILE = "=@"
    JSON_FILE = ":=@"


class Item(NamedTuple):
    """One word: its kind, its name, and its value or path."""

    kind: ItemKind
    name: str
    value: str

    @property
    def is_content(self) -> bool:
        """Whether the item is a part of the request's content."""
        return self.kind not in (ItemKind.FIELD, ItemKind.EMPTY_FIELD, ItemKind.PARAMETER)

    def read_text(self) -> str:
        """The value: what the item says, or what its file holds.

        Raises: OSError, and ValueError for a file that is no UTF-8.
        """
        if self.kind in (ItemKind.STRING_FILE, ItemKind.JSON_FILE):
            return Path(self.value).read_text(encoding="utf-8")
        return self.value


# The longer one first: at one place, `:=@` is none of its parts.
_SEPARATOR: Final = re.compile(rb":=@|:=|==|=@|=|@|:|;\Z")


def parse_item(word: str) -> Item:
    """Take a word apart at its first separator.

    Raises: ValueError for a word without one.
    """
    name = []
    at = 0
    octets = word.encode("utf-8", "surrogateescape")
    while at < len(octets):
        if octets[at : at + 1] == b"\\" and at + 1 < len(octets):
            name.append(octets[at + 1 : at + 2])
            at += 2
            continue
        found = _SEPARATOR.match(octets, at)
        if found is not None:
            kind = ItemKind(found.group().decode("ascii"))
            return Item(kind, _text(b"".join(name)), _text(octets[found.end() :]))
        name.append(octets[at : at + 1])
        at += 1
    raise ValueError(
        f"{word!r} is none of: a field (Name:value), a parameter (name==value), "
        "content (name=value, name:=json), a file (name@path)"
    )


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")
