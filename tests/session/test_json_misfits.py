"""JSON that does not fit its type, and types that JSON cannot be made into: what is said of them."""

import json
import pickle
import sys
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar, Literal
from uuid import UUID

import msgspec
import pydantic
import pytest
from wayfare import JSONModelError
from wayfare._json_models import read_model, reader_of

from .test_json_models import (
    Both,
    Checked,
    Color,
    Item,
    KeyedByNumber,
    Level,
    Loose,
    Movie,
    Named,
    Node,
    Order,
    Page,
    Point,
    Points,
    Rack,
    Renamed,
    Row,
    Shelves,
    Texts,
    User,
    made,
)

MISFITS: list[tuple[Any, str, str]] = [
    (None, "1", "$: expected null, not the number 1"),
    (bool, "1", "$: expected true or false, not the number 1"),
    (int, "true", "$: expected an integer, not true"),
    (int, "false", "$: expected an integer, not false"),
    (int, "1.5", "$: expected an integer, not the number 1.5"),
    (int, "null", "$: expected an integer, not null"),
    (int, '"1"', "$: expected an integer, not the string '1'"),
    (int, "Infinity", "$: expected an integer, not the number inf"),
    (float, "true", "$: expected a number, not true"),
    (float, "9" * 400, "$: expected a number that fits, not a large number"),
    (str, "[]", "$: expected a string, not an array"),
    (str, "{}", "$: expected a string, not an object"),
    (Decimal, "true", "$: expected a decimal number, not true"),
    (Decimal, '"1_0"', "$: expected a decimal number, not the string '1_0'"),
    (Decimal, '"٣"', "$: expected a decimal number, not the string '٣'"),
    (UUID, '"{12345678-1234-5678-1234-567812345678}"', "$: expected a UUID, not the string "),
    (UUID, "1", "$: expected a UUID, not the number 1"),
    (datetime, '"soon"', "$: expected a date and time, not the string 'soon'"),
    (datetime, '"٢026-11-30T12:30"', "$: expected a date and time, not the string "),
    (date, "20261130", "$: expected a date, not the number 20261130"),
    (time, '"25:00"', "$: expected a time, not the string '25:00'"),
    (str | Decimal, "[]", "$: expected str | Decimal, not an array"),
    (datetime | None, '"x"', "$: expected a date and time, not the string 'x'"),
    (list[int] | str | None, "1", "$: expected list[int] | str | null, not the number 1"),
    (list[int], "{}", "$: expected an array, not an object"),
    (list[int], '[1, "a"]', "$[1]: expected an integer, not the string 'a'"),
    (set[Any], "[[]]", "$: it cannot be held: unhashable type: 'list'"),
    (tuple[int, str], "1", "$: expected an array, not the number 1"),
    (tuple[int, str], "[1]", "$: expected an array of 2, not of 1"),
    (tuple[int, str], "[1, 2]", "$[1]: expected a string, not the number 2"),
    (dict[str, int], "[]", "$: expected an object, not an array"),
    (dict[str, int], '{"a b": "c"}', "$['a b']: expected an integer, not the string 'c'"),
    (
        dict[int, int],
        '{"1_0": 1}',
        "$['1_0']: expected an integer as the name, not the string '1_0'",
    ),
    (Literal["a", "b"], '"c"', "$: expected 'a' or 'b', not the string 'c'"),
    (Literal[1], "true", "$: expected 1, not true"),
    (Literal[1], "[]", "$: expected 1, not an array"),
    (Color, '"green"', "$: expected one of 'red', 'blue', not the string 'green'"),
    (Color, "[]", "$: expected one of 'red', 'blue', not an array"),
    (Level, "true", "$: expected one of 1, 2, not true"),
    (Level, "3", "$: expected one of 1, 2, not the number 3"),
    (Enum("Many", [f"name{n}" for n in range(99)]), '"x"', "$: expected a value of Many, not "),
    (Point, "[]", "$: expected an object for Point, not an array"),
    (Point, "{}", "$.x: missing, and Point needs it"),
    (Point, '{"x": "1"}', "$.x: expected an integer, not the string '1'"),
    (
        Order,
        '{"number": 1, "color": "red", "points": [{"x": 1}, {"x": {}}]}',
        "$.points[1].x: expected an integer, not an object",
    ),
    (Node | None, '{"name": "a", "children": [{}]}', "$.children[0].name: missing, and Node "),
    (Page[Point], '{"items": [1]}', "$.items[0]: expected an object for Point, not the number 1"),
    (Points, '{"items": ["a"]}', "$.items[0]: expected an object for Point, not the string 'a'"),
    (Shelves[Point], '{"items": [1]}', "$.items[0]: expected an array, not the number 1"),
    (
        Shelves[Point],
        '{"items": [], "best": 1}',
        "$.best: expected an object for Point, not the number 1",
    ),
    (Both, '{"items": [1]}', "$.items[0]: expected an object for Point, not the number 1"),
    (Both, '{"items": [], "next": null}', "$.next: expected a string, not null"),
    (KeyedByNumber, '{"key": "a", "name": "n"}', "$.key: expected an integer, not the string 'a'"),
    (Renamed, '{"unit_price": 1}', "$.unitPrice: missing, and Renamed needs it"),
    (Renamed, '{"unitPrice": "1"}', "$.unitPrice: expected a number, not"),
    (Renamed, "[1]", "$: expected an object for Renamed, not an array"),
    (Row, "[1]", "$: expected an array of 2 to 3, not of 1"),
    (Row, '[1, "a", [], 4]', "$: expected an array of 2 to 3, not of 4"),
    (Named, "[1, 2, 3]", "$: expected an array of 2, not of 3"),
    (Row, '[1, "a", [{"x": null}]]', "$[2][0].x: expected an integer, not null"),
    (Row, '{"number": 1}', "$.name: missing, and Row needs it"),
    (Row, '"a"', "$: expected an object or an array for Row, not"),
    (Rack, '{"label": "long"}', "$: Rack refuses it:"),
    (Rack, '{"label": 1}', "$.label: expected a string, not the number 1"),
    (Rack, "{}", "$.label: missing, and Rack needs it"),
    (Checked, '{"age": -1}', "$: Checked refuses it: nobody is younger than 0"),
    (Movie, "{}", "$.name: missing, and Movie needs it"),
    (Loose, "{}", "$.name: missing, and Loose needs it"),
    (Texts, "{}", "$.in: missing, and Texts needs it"),
    (Item, "[]", "$: Expected `object`, got `array`"),
    (
        list[Item],
        '[{"name": "a", "prices": [1, "b"]}]',
        "$[0].prices[1]: Expected `int`, got `str`",
    ),
    (list[User], '[{"id": 1, "friends": [{"id": "x"}]}]', "$[0].friends[0].id: Input should be "),
    (User, '{"id": "x", "at": "y"}', "$.id: Input should be a valid integer, "),
]


@pytest.mark.parametrize(("model", "text", "message"), MISFITS)
def test_what_does_not_fit(model: Any, text: str, message: str) -> None:
    with pytest.raises(JSONModelError) as caught:
        made(model, text)
    assert str(caught.value).startswith(message)
    assert str(caught.value) == f"{caught.value.path}: {caught.value.reason}"
    assert isinstance(caught.value, ValueError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_long_values_are_cut() -> None:
    with pytest.raises(JSONModelError) as caught:
        made(int, json.dumps("x" * 1000))
    assert len(str(caught.value)) < 120
    with pytest.raises(JSONModelError) as caught:
        made(dict[str, int], json.dumps({"x y" * 1000: ""}))
    assert len(str(caught.value)) < 200


def test_the_cause_is_what_the_library_raised() -> None:
    for model, kind in (
        (Item, msgspec.ValidationError),
        (User, pydantic.ValidationError),
        (Checked, ValueError),
    ):
        with pytest.raises(JSONModelError) as caught:
            made(model, '{"age": -1}')
        assert isinstance(caught.value.__cause__, kind)
    with pytest.raises(JSONModelError, match=r"\(and 1 more\)"):
        made(User, '{"id": "x", "at": "y"}')


class Picky:
    """A model that a library like pydantic could have, whose errors say nothing of places."""

    @classmethod
    def model_validate(cls, value: object) -> None:
        raise ValueError("never")


def test_a_model_whose_errors_have_no_places() -> None:
    with pytest.raises(JSONModelError, match=r"^\$: never\Z"):
        made(Picky, "1")


def test_what_is_nested_beyond_all_measure() -> None:
    """Y: a hostile server sends no other error than ours."""
    value: dict[str, Any] = {"name": "a"}
    for _ in range(sys.getrecursionlimit()):
        value = {"name": "a", "parent": value}
    with pytest.raises(JSONModelError, match="nested too deeply"):
        read_model(value, reader_of(Node))


class Plain:
    """A class like any other."""


@dataclass
class Unresolved:
    x: "Nowhere"  # type: ignore[name-defined]  # noqa: F821 - what the test is about


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (bytes, "JSON cannot be made into builtins.bytes"),
        (Picky.__class__, "JSON cannot be made into builtins.type"),
        (list[Plain], r"JSON cannot be made into [\w.]+\.Plain"),
        (int | complex, "JSON cannot be made into builtins.complex"),
        (ClassVar[int], r"JSON cannot be made into typing.ClassVar\[int\]"),
        (7, "JSON cannot be made into 7: it is no type"),
        ([], r"JSON cannot be made into \[\]: it is no type"),
        ("Point", "JSON cannot be made into 'Point': it is no type"),
        (Literal[b"a"], "JSON has nothing like the literal b'a'"),
        (Literal[Color.RED], "JSON has nothing like the literal <Color.RED"),
        (type[int], "JSON cannot be made into builtins.type"),
        (Unresolved, "the annotations of Unresolved do not resolve: name 'Nowhere' is not defined"),
    ],
)
def test_what_is_no_model(model: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        reader_of(model)


def test_a_refusal_that_is_told_again_keeps_its_cause() -> None:
    document = [{"a": {"age": -1}}]
    with pytest.raises(JSONModelError, match="nobody is younger") as caught:
        read_model(document, reader_of(list[dict[str, Checked] | list[int]]))
    assert caught.value.path == "$[0].a"
    assert type(caught.value.__cause__) is ValueError
