"""Values of JSON made into types: dataclasses, TypedDicts, NamedTuples, containers, and the models of attrs, msgspec
and pydantic.

A type is turned into a reader once, and kept. Models of other libraries are known by what they have, so that nothing is
imported for a program that does not use them.
"""

import dataclasses
import re
import sys
import types
import typing
from collections import abc
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from enum import Enum
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, NotRequired, Required, TypeVar, Union, final

from ._errors import JSONModelError
from ._json_scalars import (
    SCALARS,
    Mismatch,
    Reader,
    any_value,
    enum_reader,
    expected,
    key_reader,
    literal_reader,
)

__all__ = ("read_model", "reader_of")

Bindings = Mapping[Any, Any]
"""What stands for the type variables of a generic class."""

_ARRAYS: Final[dict[Any, Callable[[list[Any]], Any]]] = {
    list: list,
    set: set,
    frozenset: frozenset,
    abc.Sequence: list,
    abc.MutableSequence: list,
    abc.Collection: list,
    abc.Iterable: list,
    abc.Set: set,
}
_QUALIFIERS: Final = (Required, NotRequired, Final, getattr(typing, "ReadOnly", Required))
"""What says something of a field, and nothing of its values. ReadOnly is there from Python 3.13 on."""
_FIELDED: Final = (
    "__dataclass_fields__",
    "__attrs_attrs__",
    "__required_keys__",
    "_field_defaults",
)
"""What classes with annotated fields have: of dataclasses, attrs, TypedDict, NamedTuple."""
_OBJECTS: Final = (dict, abc.Mapping, abc.MutableMapping)
_STEP = re.compile(r"\.([^.\[`]+)|\[([0-9]{1,18})\]", re.ASCII)
_NO_BINDINGS: Final[Bindings] = {}
_TRIED: Final[ContextVar[dict[tuple[int, int], Any]]] = ContextVar("tried")
"""What came of each value that a union was asked to read, in the document that is being read."""


def read_model(value: Any, reader: Reader) -> Any:
    """Make a value of JSON into a type by its reader.

    Raises: `JSONModelError`.
    """
    mark = _TRIED.set({})
    try:
        return reader(value)
    except Mismatch as exc:
        raise JSONModelError(_path(exc.place), exc.reason) from exc.__cause__
    except RecursionError:
        raise JSONModelError("$", "it is nested too deeply") from None
    finally:
        _TRIED.reset(mark)


def _path(place: list[str | int]) -> str:
    """Where it is, as JSONPath writes it."""
    parts = ["$"]
    for step in reversed(place):
        if isinstance(step, int):
            parts.append(f"[{step}]")
        else:
            parts.append(f".{step}" if step.isidentifier() else f"[{step[:60]!r}]")
    return "".join(parts)


def reader_of(model: Any) -> Reader:
    """What makes values of JSON into a type.

    Raises: TypeError for a type that JSON cannot be made into.
    """
    try:
        return _kept_reader(model)
    except TypeError as exc:
        # An unhashable model: something in an Annotated, or no type at all.
        if not str(exc).startswith("unhashable"):
            raise
        return _Compiler().reader(model, _NO_BINDINGS)


@lru_cache(maxsize=256)
def _kept_reader(model: Any) -> Reader:
    return _Compiler().reader(model, _NO_BINDINGS)


@final
class _Compiler:
    """Turns one type into a reader; types that contain themselves meet their own reader again."""

    def __init__(self) -> None:
        self._known: dict[Any, _ObjectReader | _Later] = {}

    def reader(self, model: Any, bindings: Bindings) -> Reader:
        if isinstance(model, TypeVar):
            bound = bindings.get(model, model.__bound__)
            return any_value if bound is None else self.reader(bound, _NO_BINDINGS)
        origin, arguments = typing.get_origin(model), typing.get_args(model)
        if origin is None:
            return self._plain(model)
        if origin is Annotated or origin in _QUALIFIERS:
            return self.reader(arguments[0], bindings)
        if origin is Literal:
            return literal_reader(arguments)
        if origin in (Union, types.UnionType):
            return self._union(arguments, bindings)
        if origin is tuple and not arguments and model != tuple[()]:  # typing.Tuple
            return _array_reader(tuple, any_value)
        if origin is tuple:
            return self._tuple(arguments, bindings)
        if origin in _ARRAYS:
            (item,) = arguments or (Any,)
            return _array_reader(_ARRAYS[origin], self.reader(item, bindings))
        if origin in _OBJECTS:
            key, value = (self.reader(argument, bindings) for argument in arguments or (Any, Any))
            return _mapping_reader(key_reader(key), value)
        if hasattr(origin, "__value__"):  # `type X[T] = …`
            return self._alias(model, origin.__value__, _bound(origin, arguments, bindings))
        return self._class(model, origin, _bound(origin, arguments, bindings))

    def _plain(self, model: Any) -> Reader:
        """The reader of a type without arguments."""
        if isinstance(model, abc.Hashable) and model in SCALARS:
            return SCALARS[model]
        if hasattr(model, "__supertype__"):  # a NewType
            return self.reader(model.__supertype__, _NO_BINDINGS)
        if not isinstance(model, type) and hasattr(model, "__value__"):  # `type X = …`
            return self._alias(model, model.__value__, _NO_BINDINGS)
        if not isinstance(model, type):
            raise TypeError(f"JSON cannot be made into {model!r}: it is no type")
        if model is tuple or model in _ARRAYS:
            return _array_reader(_ARRAYS.get(model, tuple), any_value)
        if model in _OBJECTS:
            return _mapping_reader(any_value, any_value)
        return self._class(model, model, _NO_BINDINGS)

    def _alias(self, model: Any, value: Any, bindings: Bindings) -> Reader:
        """The reader of a type that has a name, by which it may contain itself."""
        if model not in self._known:
            later = self._known[model] = _Later()
            later.reader = self.reader(value, bindings)
        return self._known[model]

    def _class(self, model: Any, origin: Any, bindings: Bindings) -> Reader:
        """The reader of a class, which `origin` is; `model` has its arguments, too."""
        if not isinstance(origin, type):
            raise TypeError(f"JSON cannot be made into {model!r}")
        if issubclass(origin, Enum):
            return enum_reader(origin)
        if hasattr(origin, "__struct_fields__"):
            return _struct_reader(model)
        if hasattr(origin, "model_validate"):
            return _pydantic_reader(model)
        known = self._known.get(model)
        if known is not None:
            return known
        if hasattr(origin, "__dataclass_fields__"):
            reader = self._known[model] = _ObjectReader(origin.__name__, origin)
            self._add_dataclass_fields(reader, origin, bindings)
        elif hasattr(origin, "__attrs_attrs__"):
            reader = self._known[model] = _ObjectReader(origin.__name__, origin)
            self._add_attrs_fields(reader, origin, bindings)
        elif issubclass(origin, tuple) and hasattr(origin, "_field_defaults"):
            reader = self._known[model] = _ObjectReader(origin.__name__, origin, is_row=True)
            hints = _bound_hints(origin, bindings)
            row: Any = origin
            for name in row._fields:
                hint = self.reader(*hints.get(name, (Any, bindings)))
                reader.add(name, hint, name not in row._field_defaults)
        elif issubclass(origin, dict) and hasattr(origin, "__required_keys__"):
            reader = self._known[model] = _ObjectReader(origin.__name__, dict)
            self._add_keys(reader, origin, bindings)
        else:
            raise TypeError(f"JSON cannot be made into {origin.__module__}.{origin.__qualname__}")
        return reader

    def _add_dataclass_fields(
        self, reader: "_ObjectReader", origin: type, bindings: Bindings
    ) -> None:
        hints = _bound_hints(origin, bindings)
        for field in dataclasses.fields(origin):
            if field.init:
                required = (
                    field.default is dataclasses.MISSING
                    and field.default_factory is dataclasses.MISSING
                )
                hint = self.reader(*hints[field.name])
                reader.add(_json_name(field), hint, required, field.name)

    def _add_attrs_fields(self, reader: "_ObjectReader", origin: Any, bindings: Bindings) -> None:
        hints = _bound_hints(origin, bindings)
        nothing = sys.modules["attr"].NOTHING  # which made the class, so it is there
        for field in origin.__attrs_attrs__:
            if field.init:
                # One of `attr.ib()` has no annotation.
                usual = Any if field.type is None else field.type, bindings
                hint = self.reader(*hints.get(field.name, usual))
                reader.add(_json_name(field), hint, field.default is nothing, field.alias)

    def _add_keys(self, reader: "_ObjectReader", origin: Any, bindings: Bindings) -> None:
        for name, (hint, own) in _bound_hints(origin, bindings).items():
            # Asked of the hint first: of annotations that were strings, `__required_keys__` knows nothing.
            said = typing.get_origin(hint)
            required = said is Required or (
                said is not NotRequired and name in origin.__required_keys__
            )
            reader.add(name, self.reader(hint, own), required)

    def _tuple(self, arguments: tuple[Any, ...], bindings: Bindings) -> Reader:
        if len(arguments) == 2 and arguments[1] is ...:
            return _array_reader(tuple, self.reader(arguments[0], bindings))
        readers = [self.reader(argument, bindings) for argument in arguments]

        def read(value: Any) -> Any:
            if not isinstance(value, list):
                raise expected("an array", value)
            if len(value) != len(readers):
                raise Mismatch(f"expected an array of {len(readers)}, not of {len(value)}")
            return tuple(
                _part(reader, one, at)
                for at, (reader, one) in enumerate(zip(readers, value, strict=True))
            )

        return read

    def _union(self, arguments: tuple[Any, ...], bindings: Bindings) -> Reader:
        some = [one for one in arguments if one is not type(None)]
        return _UnionReader(
            " | ".join(map(_name, arguments)),
            [self.reader(argument, bindings) for argument in some],
            # What is one of them already stays as it is: `1` of `float | int` is no 1.0.
            frozenset(one for one in arguments if one in (bool, int, float, type(None))),
        )


@final
class _UnionReader:
    """Tries one type after the other, and each value of a document once.

    Types in a union may have such a union in them again. If each read anew what is inside, every level would double the
    work, and a hundred octets could keep the loop busy for ever.
    """

    __slots__ = ("_exact", "_names", "_readers")

    def __init__(self, names: str, readers: list[Reader], exact: frozenset[type]) -> None:
        self._names = names
        self._readers = readers
        self._exact = exact

    def __call__(self, value: Any) -> Any:
        if type(value) in self._exact:
            return value
        # The document holds its values, so none has the id of another one.
        tried, key = _TRIED.get(), (id(self), id(value))
        if key in tried:
            made = tried[key]
        else:
            failures = []
            for reader in self._readers:
                try:
                    made = reader(value)
                    break
                except Mismatch as exc:
                    failures.append(exc)
            else:
                made = self._refusal(value, failures)
            if len(self._readers) > 1 and isinstance(value, dict | list):
                tried[key] = made
        if isinstance(made, Mismatch):
            # A copy, since the place becomes longer on the way up.
            raise made.again() from made.__cause__
        return made

    def _refusal(self, value: Any, failures: list[Mismatch]) -> Mismatch:
        # The one that came furthest is what was meant.
        furthest = max(failures, key=lambda failure: len(failure.place))
        if furthest.place or len(failures) == 1:
            return furthest
        return expected(self._names, value)


@final
class _Later:
    """The reader of a type that is being made out."""

    __slots__ = ("reader",)

    reader: Reader

    def __call__(self, value: Any) -> Any:
        return self.reader(value)


@final
class _ObjectReader:
    """Makes objects into instances of a class, or into a dict: each field by its own reader, others left out.

    What `is_row` may come as an array as well, with the fields in their order.
    """

    __slots__ = ("_fields", "_is_row", "_make", "_name")

    def __init__(self, name: str, make: Callable[..., Any], *, is_row: bool = False) -> None:
        self._name = name
        self._make = make
        self._is_row = is_row
        self._fields: list[tuple[str, Reader, bool, str]] = []

    def add(self, name: str, reader: Reader, required: bool, argument: str = "") -> None:
        """Know a field; one that is not required may be missing. The class may call it otherwise."""
        self._fields.append((name, reader, required, argument or name))

    def __call__(self, value: Any) -> Any:
        if isinstance(value, dict):
            return self._made(self._of_object(value))
        if self._is_row and isinstance(value, list):
            return self._made(self._of_array(value))
        form = "an object or an array" if self._is_row else "an object"
        raise expected(f"{form} for {self._name}", value)

    def _of_object(self, value: dict[str, Any]) -> dict[str, Any]:
        found = {}
        for name, reader, required, argument in self._fields:
            if name in value:
                found[argument] = _part(reader, value[name], name)
            elif required:
                missing = Mismatch(f"missing, and {self._name} needs it")
                missing.place.append(name)
                raise missing
        return found

    def _of_array(self, value: list[Any]) -> dict[str, Any]:
        most = len(self._fields)
        least = sum(required for _, _, required, _ in self._fields)
        if not least <= len(value) <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}"
            raise Mismatch(f"expected an array of {wanted}, not of {len(value)}")
        return {
            argument: _part(reader, one, at)
            for at, ((_, reader, _, argument), one) in enumerate(
                zip(self._fields, value, strict=False)
            )
        }

    def _made(self, found: dict[str, Any]) -> Any:
        try:
            return self._make(**found)
        except (ValueError, TypeError) as exc:
            # What the class itself checks, in `__post_init__` say.
            raise Mismatch(f"{self._name} refuses it: {exc}") from exc


def _json_name(field: Any) -> str:
    """What a field of a dataclass or of attrs is called in JSON."""
    alias = field.metadata.get("alias")
    return alias if isinstance(alias, str) else str(field.name)


def _part(reader: Reader, value: Any, step: str | int) -> Any:
    """Read what is at a place within; an error says so."""
    try:
        return reader(value)
    except Mismatch as exc:
        exc.place.append(step)
        raise


def _array_reader(make: Callable[[list[Any]], Any], reader: Reader) -> Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, list):
            raise expected("an array", value)
        items = [_part(reader, one, at) for at, one in enumerate(value)]
        try:
            return make(items)
        except TypeError as exc:
            raise Mismatch(f"it cannot be held: {exc}") from exc  # unhashable, in a set

    return read


def _mapping_reader(key: Reader, reader: Reader) -> Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise expected("an object", value)
        return {_part(key, name, name): _part(reader, one, name) for name, one in value.items()}

    return read


def _struct_reader(model: Any) -> Reader:
    """The reader of a msgspec Struct, which exists, so msgspec is there."""
    msgspec = sys.modules["msgspec"]

    def read(value: Any) -> Any:
        try:
            return msgspec.convert(value, model)
        except msgspec.ValidationError as exc:
            reason, _, at = str(exc).partition(" - at `")
            mismatch = Mismatch(reason)
            steps = _STEP.findall(at)
            for name, index in reversed(steps):
                mismatch.place.append(int(index) if index else name)  # Y1: the pattern looked
            raise mismatch from exc

    return read


def _pydantic_reader(model: Any) -> Reader:
    """The reader of a pydantic model, by what it has."""

    def read(value: Any) -> Any:
        try:
            return model.model_validate(value)
        except ValueError as exc:
            problems = exc.errors(include_url=False) if hasattr(exc, "errors") else []
            if not problems:
                raise Mismatch(str(exc)) from exc
            first = problems[0]
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            mismatch = Mismatch(f"{first['msg']}{more}")
            mismatch.place.extend(reversed(first["loc"]))
            raise mismatch from exc

    return read


def _hints(origin: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(origin, include_extras=True)
    except NameError as exc:
        raise TypeError(f"the annotations of {origin.__qualname__} do not resolve: {exc}") from exc


def _bound_hints(origin: Any, bindings: Bindings) -> dict[str, tuple[Any, Bindings]]:
    """The annotations of a class, and what stands for the type variables in each.

    That is another thing for those of its bases: `class Users(Page[User])` says what the variable of `Page` is, and
    a variable of the same name may mean something else in the class itself.
    """
    found: dict[str, tuple[Any, Bindings]] = {}
    # The first base goes before the others.
    for base in reversed(origin.__dict__.get("__orig_bases__", origin.__bases__)):
        parent = typing.get_origin(base) or base
        if any(hasattr(parent, mark) for mark in _FIELDED):
            found |= _bound_hints(parent, _bound(parent, typing.get_args(base), bindings))
    # A TypedDict lists the keys of its bases as its own.
    own = () if hasattr(origin, "__required_keys__") else origin.__annotations__
    for name, hint in _hints(origin).items():
        if name in own or name not in found:
            found[name] = hint, bindings
    return found


def _bound(origin: Any, arguments: tuple[Any, ...], bindings: Bindings) -> Bindings:
    """What the type variables of a generic class stand for."""
    parameters = getattr(origin, "__parameters__", ())
    said = [_substituted(argument, bindings) for argument in arguments]
    return dict(zip(parameters, said, strict=False))


def _substituted(argument: Any, bindings: Bindings) -> Any:
    """An argument of a generic class whose type variables are those of the class around it."""
    if isinstance(argument, TypeVar):
        return bindings.get(argument, argument)
    variables = getattr(argument, "__parameters__", ())
    if not variables or isinstance(argument, type):
        return argument
    return argument[tuple(bindings.get(variable, variable) for variable in variables)]


def _name(model: Any) -> str:
    if model is type(None):
        return "null"
    return model.__name__ if typing.get_origin(model) is None else str(model)
