"""JSON made into types: what each takes, and what it makes of it."""

import json
import sys
import typing
from collections import namedtuple
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import InitVar, dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum, IntEnum, IntFlag
from typing import (
    Annotated,
    Any,
    Final,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Required,
    TypedDict,
    TypeVar,
)
from uuid import UUID

import attr
import attrs
import msgspec
import pydantic
import pytest
from wayfare import JSONModelError
from wayfare._json_models import read_model, reader_of

if sys.version_info >= (3, 12):
    from typing import TypeAliasType
else:
    from typing_extensions import TypeAliasType

T = TypeVar("T")
B = TypeVar("B", bound=int)
K = TypeVar("K")


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2

    @classmethod
    def _missing_(cls, value: object) -> "Level | None":
        return cls.HIGH if value == 99 else None


class Bits(IntFlag):
    A = 1
    B = 2


class Mixed(Enum):
    NONE = None
    TEXT = "t"
    FLOAT = 1.0
    TUPLE = (1, 2)


@dataclass
class Point:
    x: int
    y: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    number: int
    color: Color
    at: datetime | None = None
    points: list[Point] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    total: float = field(default=0.0, init=False)


@dataclass
class Node:
    name: str
    children: list["Node"] = field(default_factory=list)
    parent: "Node | None" = None


@dataclass
class Page(Generic[T]):
    items: list[T]
    next: str | None = None


@dataclass
class Book(Generic[K]):
    page: Page[K]
    shelf: Page[list[K]]
    plain: Page[int]


@dataclass
class Sum:
    left: "Sum | Product | int"
    plus: int = 0


@dataclass
class Product:
    left: "Sum | Product | int"
    times: int


@dataclass
class Points(Page[Point]):
    unit: str = "m"


@dataclass
class Shelves(Page[list[T]], Generic[T]):
    """Its variable has the name of the one of `Page`, and stands for another thing."""

    best: T | None = None


@dataclass
class Both(Points, Page[Point]):
    next: Final[str] = "none"  # type: ignore[misc] # narrower than in its base


class Keyed(TypedDict, Generic[K]):
    key: K


class KeyedByNumber(Keyed[int]):
    name: str


@dataclass
class Renamed:
    unit_price: float = field(metadata={"alias": "unitPrice"})
    plain: int = field(default=0, metadata={"alias": 7})


class Row(NamedTuple):
    number: int
    name: str
    points: Sequence[Point] = ()


class Described(Row):
    """A row with methods of its own."""


Named = namedtuple("Named", ("a", "b"))


class Cell(NamedTuple, Generic[T]):
    value: T
    next: "Cell[T] | None" = None


@attrs.define
class Rack:
    label: str = attrs.field(validator=attrs.validators.max_len(3))
    points: list[Point] = attrs.Factory(list)
    _hidden: int = 0
    made_up: int = attrs.field(default=0, metadata={"alias": "madeUp"})
    count: int = attrs.field(init=False, default=0)


@attrs.frozen
class Tall:
    label: str
    height: float = attrs.field(kw_only=True)
    inner: "Tall | None" = None


@attrs.define
class Box(Generic[T]):
    content: T


@attrs.define
class PointBox(Box[Point]):
    size: int


@attr.s
class OldStyle:
    a = attr.ib(type=str)
    b: Any = attr.ib()


@dataclass
class Checked:
    age: int
    unit: InitVar[str] = "years"

    def __post_init__(self, unit: str) -> None:
        if self.age < 0:
            raise ValueError("nobody is younger than 0")


class Movie(TypedDict):
    name: str
    year: NotRequired[int]


class Loose(TypedDict, total=False):
    name: Required[str]
    year: int


Texts = TypedDict("Texts", {"in": "str", "not-a-name": "NotRequired[int]"})


class Item(msgspec.Struct):
    name: str
    prices: list[int] = []


class User(pydantic.BaseModel):
    id: int
    at: datetime | None = None
    friends: list["User"] = []


UserId = NewType("UserId", int)
Alias = TypeAliasType("Alias", list[int])
Pair = TypeAliasType("Pair", tuple[T, T], type_params=(T,))


class LateAlias:
    """What `type Tree = int | list[Tree]` makes where Python has that statement."""

    __value__: Any


Tree = LateAlias()
Tree.__value__ = int | list[Tree]  # type: ignore[valid-type]  # a type at run time only

# Old spellings, which a linter would modernise.
OldList, OldTuple, OldDict = (vars(typing)[name] for name in ("List", "Tuple", "Dict"))
OldUnion, OldOptional = vars(typing)["Union"], vars(typing)["Optional"]

NOON = datetime(2026, 11, 30, 12, 30, tzinfo=UTC)

FITS: list[tuple[Any, str, Any]] = [
    (Any, '[{"a": 1}]', [{"a": 1}]),
    (object, "1", 1),
    (None, "null", None),
    (type(None), "null", None),
    (bool, "true", True),
    (int, "7", 7),
    (int, "7.0", 7),
    (float, "7", 7.0),
    (float, "7.5", 7.5),
    (str, '"7"', "7"),
    (Decimal, '"7.10"', Decimal("7.10")),
    (Decimal, "7.1", Decimal("7.1")),
    (Decimal, "7", Decimal(7)),
    (UUID, '"12345678-1234-5678-1234-567812345678"', UUID(int=0x12345678123456781234567812345678)),
    (datetime, '"2026-11-30T12:30:00Z"', NOON),
    (datetime, '"2026-11-30 12:30+00:00"', NOON),
    (date, '"2026-11-30"', date(2026, 11, 30)),
    (time, '"12:30"', time(12, 30)),
    (list, "[1, null]", [1, None]),
    (list[int], "[1, 2]", [1, 2]),
    (OldList[int], "[1]", [1]),
    (OldList, "[1]", [1]),
    (Sequence[int], "[1]", [1]),
    (Iterable[str], '["a"]', ["a"]),
    (AbstractSet[int], "[1, 1]", {1}),
    (Sequence, "[1]", [1]),
    (set[int], "[1, 1]", {1}),
    (frozenset[str], '["a"]', frozenset("a")),
    (tuple, "[1]", (1,)),
    (OldTuple, "[1]", (1,)),
    (tuple[int, ...], "[1, 2]", (1, 2)),
    (tuple[int, str], '[1, "a"]', (1, "a")),
    (tuple[()], "[]", ()),
    (dict, '{"a": 1}', {"a": 1}),
    (OldDict, '{"a": 1}', {"a": 1}),
    (Mapping, '{"a": 1}', {"a": 1}),
    (dict[str, float], '{"a": 1}', {"a": 1.0}),
    (Mapping[int, str], '{"-1": "a"}', {-1: "a"}),
    (dict[Color, int], '{"red": 1}', {Color.RED: 1}),
    (OldOptional[int], "null", None),
    (int | None, "1", 1),
    (OldUnion[str, int], "1", 1),
    (float | int, "1", 1),
    (float | int, "1.5", 1.5),
    (int | bool, "true", True),
    (datetime | str, '"2026-11-30T12:30Z"', NOON),
    (datetime | str, '"soon"', "soon"),
    (Point | Order, '{"number": 1, "color": "red"}', Order(number=1, color=Color.RED)),
    (Literal["a", 1, None, True], "1", 1),
    (Literal["a", 1, None, True], "true", True),
    (Literal["a", 1, None, True], "null", None),
    (Color, '"blue"', Color.BLUE),
    (Level, "2", Level.HIGH),
    (Level, "99", Level.HIGH),
    (Bits, "3", Bits.A | Bits.B),
    (Mixed, "null", Mixed.NONE),
    (Mixed, "1", Mixed.FLOAT),
    (Annotated[int, "units"], "1", 1),
    (Annotated[int, ["unhashable"]], "1", 1),
    (UserId, "1", 1),
    (Alias, "[1]", [1]),
    (Tree, "[1, [2, [3]]]", [1, [2, [3]]]),
    (Pair[int], "[1, 2]", (1, 2)),
    (T, "1", 1),
    (B, "1", 1),
    (Point, '{"x": 1, "z": 3}', Point(1)),
    (
        Order,
        '{"number": 7, "color": "red", "at": "2026-11-30T12:30Z", "points": [{"x": 1, "y": 2}],'
        ' "tags": {"a": "b"}, "total": 9}',
        Order(number=7, color=Color.RED, at=NOON, points=[Point(1, 2)], tags={"a": "b"}),
    ),
    (
        Node,
        '{"name": "a", "children": [{"name": "b"}], "parent": {"name": "c"}}',
        Node("a", [Node("b")], Node("c")),
    ),
    (Page[Point], '{"items": [{"x": 1}], "next": "n"}', Page([Point(1)], "n")),
    (Page, '{"items": [1, "a"]}', Page([1, "a"])),
    (Points, '{"items": [{"x": 1}], "unit": "km"}', Points([Point(1)], unit="km")),
    (
        Shelves[Point],
        '{"items": [[{"x": 1}]], "best": {"x": 2}}',
        Shelves([[Point(1)]], None, Point(2)),
    ),
    (Both, '{"items": [{"x": 1}], "next": "n"}', Both([Point(1)], "n")),
    (KeyedByNumber, '{"key": 1, "name": "n"}', {"key": 1, "name": "n"}),
    (
        Book[Point],
        '{"page": {"items": [{"x": 1}]}, "shelf": {"items": [[{"x": 2}]]}, "plain": {"items": [3]}}',
        Book(Page([Point(1)]), Page([[Point(2)]]), Page([3])),
    ),
    (Checked, '{"age": 7}', Checked(7)),
    (Renamed, '{"unitPrice": 1, "unit_price": 2, "plain": 3}', Renamed(1.0, 3)),
    (Row, '[1, "a", [{"x": 2}]]', Row(1, "a", [Point(2)])),
    (Row, '{"number": 1, "name": "a"}', Row(1, "a")),
    (Row, '[1, "a"]', Row(1, "a")),
    (Named, '[1, "a"]', Named(1, "a")),
    (Cell[int], "[1, [2, null]]", Cell(1, Cell(2, None))),
    (Described, '[1, "a"]', Described(1, "a")),
    (
        Rack,
        '{"label": "r", "points": [{"x": 1}], "_hidden": 3, "madeUp": 1}',
        Rack("r", [Point(1)], hidden=3, made_up=1),
    ),
    (Rack, '{"label": "r", "hidden": 3}', Rack("r")),
    (
        Tall,
        '{"label": "r", "height": 2, "inner": {"label": "s", "height": 1}}',
        Tall("r", height=2, inner=Tall("s", height=1)),
    ),
    (Box[Point], '{"content": {"x": 1}}', Box(Point(1))),
    (PointBox, '{"content": {"x": 1}, "size": 2}', PointBox(Point(1), 2)),
    (OldStyle, '{"a": "1", "b": [1]}', OldStyle("1", [1])),
    (Movie, '{"name": "M", "director": "L"}', {"name": "M"}),
    (Movie, '{"name": "M", "year": 1931}', {"name": "M", "year": 1931}),
    (Loose, '{"name": "M"}', {"name": "M"}),
    (Texts, '{"in": "a", "not-a-name": 1}', {"in": "a", "not-a-name": 1}),
    (Item, '{"name": "a", "prices": [1]}', Item("a", [1])),
    (list[Item], '[{"name": "a", "more": 1}]', [Item("a")]),
    (
        User,
        '{"id": 1, "at": "2026-11-30T12:30Z", "friends": [{"id": 2}]}',
        User(id=1, at=NOON, friends=[User(id=2)]),
    ),
    (dict[str, User], '{"a": {"id": 1}}', {"a": User(id=1)}),
]


def made(model: Any, text: str) -> Any:
    return read_model(json.loads(text), reader_of(model))


@pytest.mark.parametrize(("model", "text", "value"), FITS)
def test_what_fits(model: Any, text: str, value: Any) -> None:
    found = made(model, text)
    assert found == value
    assert type(found) is type(value)


def test_what_other_json_libraries_make() -> None:
    """`loads=` may give values of other types."""
    assert read_model(Decimal("1.5"), reader_of(Decimal)) == Decimal("1.5")
    with pytest.raises(JSONModelError, match=r"expected an integer, not the number 1\.5"):
        read_model(Decimal("1.5"), reader_of(int))
    with pytest.raises(JSONModelError, match="expected an integer, not a tuple"):
        read_model((), reader_of(int))


def test_a_reader_is_made_once() -> None:
    assert reader_of(Order) is reader_of(Order)


@pytest.mark.parametrize("leaf", ["a", [], {}])
def test_types_in_unions_that_have_unions_in_them_are_read_in_little_time(leaf: object) -> None:
    """Every level of such a document doubled the work: this one would have taken some thousand years."""
    document: object = leaf
    for _ in range(60):
        document = {"left": document}
    reader = reader_of(Sum | Product)
    with pytest.raises(JSONModelError) as caught:
        read_model(document, reader)
    assert caught.value.path.startswith("$" + 60 * ".left")


def test_what_another_type_of_the_union_made_of_a_part_is_taken_from_there() -> None:
    document: Any = 1
    for _ in range(60):
        document = {"left": document, "times": 2}
    found = read_model(document, reader_of(Literal["a"] | Product | Sum))
    assert isinstance(found, Product)
    assert isinstance(found.left, Sum)
