"""Where each public name is described: the module of the reference, and what its source says of it.

The sources are read, since at run time a constant or an alias of a type has no docstring.
"""

import ast
import importlib
import importlib.util
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

from .members import Member
from .names_table import EVERYWHERE, WHOLE_MODULES, exported, in_order_of_dependence

Definition: TypeAlias = (
    ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Assign | ast.AnnAssign
)


@dataclass(frozen=True, slots=True)
class PublicName:
    """A name, where the reference describes it, and where it is defined."""

    name: str
    module: str
    """The public module under which it is described."""
    source: str
    """The module that defines it; another package's where it is only handed on."""
    node: Definition | None
    """Its definition; None for what is not defined in this workspace."""
    doc: str | None
    """Its docstring."""

    @property
    def is_value(self) -> bool:
        """Whether it is a constant or an alias of a type."""
        return isinstance(self.node, ast.Assign | ast.AnnAssign)


def public_names(workspace: Iterable[Member]) -> list[PublicName]:
    """Every public name once: in the first public module of its home package."""
    ordered = in_order_of_dependence(workspace)
    roots = {member.root for member in ordered}
    found: dict[str, PublicName] = {}
    for member in ordered:
        for module in member.public_modules:
            if module.rpartition(".")[2] in WHOLE_MODULES:
                continue
            for name in exported(module):
                if name not in EVERYWHERE | WHOLE_MODULES and name not in found:
                    found[name] = _described(module, name, roots)
    return list(found.values())


def _described(module: str, name: str, roots: set[str]) -> PublicName:
    source, original = module, name
    while source.partition(".")[0] in roots:
        body = list(_top_level(_tree(source).body))
        for position, node in enumerate(body):
            if isinstance(node, Definition) and _defines(node, original):
                return PublicName(name, module, source, node, _doc(node, body[position + 1 :]))
        source, original = _origin(source, body, original, roots)
    return PublicName(name, module, source, None, f"`{source}.{original}`, handed on.")


def _top_level(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, those under conditions included."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try):
            handlers = node.handlers if isinstance(node, ast.Try) else []
            handling = [statement for handler in handlers for statement in handler.body]
            yield from _top_level([*node.body, *node.orelse, *handling])


def _defines(node: Definition, name: str) -> bool:
    if isinstance(node, ast.Assign):
        return any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
    if isinstance(node, ast.AnnAssign):
        return isinstance(node.target, ast.Name) and node.target.id == name
    return node.name == name


def _doc(node: Definition, following: list[ast.stmt]) -> str | None:
    """The docstring of a definition; that of a value is the string right after it."""
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return ast.get_docstring(node)
    match following:
        case [ast.Expr(ast.Constant(str() as text)), *_]:
            return inspect.cleandoc(text)
    return None


def _origin(module: str, body: Iterable[ast.stmt], name: str, roots: set[str]) -> tuple[str, str]:
    """The module, and the name in it, from which a module has a name.

    Where there are several, one of this workspace: beside what is compiled there is what says the same in Python.
    """
    found = [
        (_absolute(module, node), alias.name)
        for node in body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if (alias.asname or alias.name) == name
    ]
    if not found:
        raise LookupError(f"{module}: nothing defines or imports {name}")
    return next((origin for origin in found if origin[0].partition(".")[0] in roots), found[0])


def _absolute(module: str, node: ast.ImportFrom) -> str:
    package = module if _file(module).name == "__init__.py" else module.rpartition(".")[0]
    return importlib.util.resolve_name("." * node.level + (node.module or ""), package)


@cache
def _file(module: str) -> Path:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise LookupError(f"there is no module {module}")
    return Path(spec.origin)


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(_file(module).read_bytes())


def module_docstring(module: str) -> str:
    """What a module says of itself."""
    return ast.get_docstring(_tree(module)) or ""


def undocumented_members(name: PublicName) -> Iterator[str]:
    """The public methods and properties of a class that have no docstring, not even an inherited one."""
    if not isinstance(name.node, ast.ClassDef):
        return
    described = getattr(importlib.import_module(name.module), name.name)
    for member, value in vars(described).items():
        if member.startswith("_") or not _is_described(value):
            continue
        if not inspect.getdoc(getattr(described, member)):
            yield f"{name.module}.{name.name}.{member}"


def _is_described(value: object) -> bool:
    return isinstance(value, property) or inspect.isroutine(getattr(value, "__func__", value))
