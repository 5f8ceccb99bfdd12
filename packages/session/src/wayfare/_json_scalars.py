"""Readers of JSON values that are no objects and no arrays: what each type takes, and what it makes of it.

A reader is a function of a value as `json.loads` gives it. It returns what the type has for it, or raises `Mismatch`.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any, Final, TypeAlias
from uuid import UUID

__all__ = (
    "SCALARS",
    "Mismatch",
    "Reader",
    "any_value",
    "describe",
    "enum_reader",
    "expected",
    "key_reader",
    "literal_reader",
)

Reader: TypeAlias = Callable[[Any], Any]

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\Z", re.ASCII)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]{1,6})?\Z", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z", re.ASCII)

_SHOWN = 60


class Mismatch(Exception):
    """A value is not what a type takes. Whoever is around it adds the place, the innermost one first."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place: list[str | int] = []

    def again(self) -> "Mismatch":
        """The same once more, to be raised from another place."""
        copy = Mismatch(self.reason)
        copy.place += self.place
        return copy


def describe(value: Any) -> str:
    """What a value is, in JSON's words, with its text where that is short."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        shown = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"
        return f"the string {shown!r}"
    if isinstance(value, int):
        # Not `str` of any: it refuses those of more than 4,300 digits.
        return f"the number {value}" if value.bit_length() < _SHOWN else "a large number"
    if isinstance(value, float | Decimal):
        return f"the number {str(value)[:_SHOWN]}"
    if isinstance(value, dict):
        return "an object"
    return "an array" if isinstance(value, list) else f"a {type(value).__name__}"


def expected(what: str, value: Any) -> Mismatch:
    """The mismatch of a value that should have been something else."""
    return Mismatch(f"expected {what}, not {describe(value)}")


def any_value(value: Any) -> Any:
    """Whatever there is."""
    return value


def _null(value: Any) -> None:
    if value is not None:
        raise expected("null", value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise expected("true or false", value)
    return value


def _integer(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    # 1.0 and 1 are one number to JSON, and some servers write the former.
    if isinstance(value, float) and value.is_integer():
        return int(value)  # Y1: a number, no text
    raise expected("an integer", value)


def _float(value: Any) -> float:
    if isinstance(value, float):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise expected("a number that fits", value) from None
    raise expected("a number", value)


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise expected("a string", value)
    return value


def _decimal(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Decimal(str(value))
    if isinstance(value, str) and _NUMBER.match(value) is not None:
        return Decimal(value)
    raise expected("a decimal number", value)


def _uuid(value: Any) -> UUID:
    # Looked at first: `UUID` takes braces, underscores and more.
    if isinstance(value, str) and _UUID.match(value) is not None:
        return UUID(value)
    raise expected("a UUID", value)


def _iso(kind: type[datetime] | type[date] | type[time], what: str) -> Reader:
    """The reader of a form of ISO 8601."""

    def read(value: Any) -> Any:
        if isinstance(value, str) and value.isascii():
            try:
                return kind.fromisoformat(value)
            except ValueError:
                pass
        raise expected(what, value)

    return read


SCALARS: Final[dict[Any, Reader]] = {
    Any: any_value,
    object: any_value,
    None: _null,
    type(None): _null,
    bool: _boolean,
    int: _integer,
    float: _float,
    str: _string,
    Decimal: _decimal,
    UUID: _uuid,
    datetime: _iso(datetime, "a date and time"),
    date: _iso(date, "a date"),
    time: _iso(time, "a time"),
}
"""The readers of types that have no parts."""


def literal_reader(values: Iterable[Any]) -> Reader:
    """Takes one of these values; `True` is no `1`."""
    known = {(type(value), value) for value in _plain(values)}
    names = " or ".join(repr(value) for value in _plain(values))

    def read(value: Any) -> Any:
        if isinstance(value, str | int | None) and (type(value), value) in known:
            return value
        raise expected(names, value)

    return read


def _plain(values: Iterable[Any]) -> list[Any]:
    for value in values:
        if isinstance(value, Enum) or not isinstance(value, str | int | None):
            raise TypeError(f"JSON has nothing like the literal {value!r}")
    return list(values)


def enum_reader(kind: type[Enum]) -> Reader:
    """Takes the value of a member, or what the class's `_missing_` makes a member of."""
    members = {
        (type(member.value), member.value): member
        for member in kind
        if isinstance(member.value, str | int | float | None)
    }
    names = ", ".join(repr(member.value) for member in kind)
    what = f"one of {names}" if len(names) <= 200 else f"a value of {kind.__name__}"

    def read(value: Any) -> Any:
        if not isinstance(value, str | int | float | None):
            raise expected(what, value)
        member = members.get((type(value), value))
        if member is None:
            if isinstance(value, bool):
                raise expected(what, value)
            try:
                member = kind(value)
            except (ValueError, TypeError):
                raise expected(what, value) from None
        return member

    return read


def key_reader(reader: Reader) -> Reader:
    """What reads the names in an object as keys: numbers are strings there."""
    if reader is not _integer:
        return reader

    def read(name: str) -> int:
        if _INTEGER.match(name) is None:
            raise expected("an integer as the name", name)
        return int(name)

    return read
