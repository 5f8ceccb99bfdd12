"""Puts every public name of a package onto its page of the reference.

A page says `<!-- modules: wayfare_x -->` where its names belong, so a new one is described without anyone having to
remember the page. Names are grouped by the module that defines them: it is named after a thing, and its docstring
begins with a sentence about it.
"""

import ast
import importlib
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from docs._ext.plain_docstrings import converted  # noqa: E402 - the path must be set first
from scripts.checks.members import members  # noqa: E402 - the path must be set first
from scripts.checks.public_names import (  # noqa: E402 - the path must be set first
    PublicName,
    module_docstring,
    public_names,
)

MARK = re.compile(r"<!-- modules: (\w+) -->")

FIRST = ("_session", "_one_request", "_request", "_response", "_timeout", "_errors")
"""Modules whose names most readers look for; the others follow by name."""

SPELLINGS = {
    "asgi": "ASGI",
    "dns": "DNS",
    "har": "HAR",
    "http": "HTTP",
    "json": "JSON",
    "otel": "OpenTelemetry",
    "tcp": "TCP",
    "tls": "TLS",
    "websocket": "WebSocket",
    "ws": "WebSocket",
}
"""Words of headings that are not written as the names of modules are."""


@cache
def every_name() -> list[PublicName]:
    """All public names, each where it is described."""
    return public_names(members(ROOT))


def sections(root: str) -> str:
    """A section for each public module, the package itself first and without a heading."""
    (member,) = (member for member in members(ROOT) if member.root == root)
    return "\n".join(_section(module, root) for module in sorted(member.public_modules))


def _section(module: str, root: str) -> str:
    heading = "" if module == root else f"\n## {module}\n\n"
    own = sorted((name for name in every_name() if name.module == module), key=_place)
    groups = "".join(
        _group(source, module, list(names))
        for source, names in groupby(own, lambda name: name.source)
    )
    return f"{heading}{_block([f'.. automodule:: {module}', '   :no-members:'])}{groups}"


def _place(name: PublicName) -> tuple[int, str, bool, str]:
    """Where a name stands on its page."""
    stem = name.source.rpartition(".")[2]
    rank = FIRST.index(stem) if stem in FIRST else len(FIRST)
    return rank, name.source, name.is_value, name.name.lower()


def _group(source: str, module: str, names: Iterable[PublicName]) -> str:
    """What one module defines, below a heading and its first sentence; the public module itself has them already."""
    heading = ""
    if source != module:
        level = "##" if "." not in module else "###"
        intro = module_docstring(source).partition("\n\n")[0]
        heading = f"\n{level} {title(source)}\n\n{_block(converted(intro.splitlines()))}"
    return heading + "".join(_block(list(_directive(name))) for name in names)


def title(source: str) -> str:
    """A module's name as a heading."""
    words = source.rpartition(".")[2].strip("_").split("_")
    spelled = [SPELLINGS.get(word, word) for word in words]
    return " ".join([spelled[0][:1].upper() + spelled[0][1:], *spelled[1:]])


def _directive(name: PublicName) -> Iterator[str]:
    """What autodoc or Sphinx describes a name with."""
    match name.node:
        case ast.ClassDef():
            described = getattr(importlib.import_module(name.module), name.name)
            kind = "autoexception" if issubclass(described, BaseException) else "autoclass"
            yield f".. {kind}:: {name.module}.{name.name}"
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield f".. autofunction:: {name.module}.{name.name}"
        case node:
            yield f".. py:data:: {name.name}"
            yield f"   :module: {name.module}"
            yield from _value(node)
            yield ""
            yield from (f"   {line}" for line in converted((name.doc or "").splitlines()))


def _value(node: ast.AST | None) -> Iterator[str]:
    """The value of a constant, or what an alias stands for, where that is short enough to be read."""
    match node:
        case ast.AnnAssign(annotation=kind, value=ast.Constant(value=str() as text)) if (
            "TypeAlias" in ast.unparse(kind)
        ):
            pass
        case ast.Assign(value=ast.expr() as value) | ast.AnnAssign(value=ast.expr() as value):
            text = ast.unparse(value)
        case _:
            return
    if len(text) <= 80:
        yield f"   :value: {text}"


def _block(lines: Iterable[str]) -> str:
    return "\n".join(["```{eval-rst}", *lines, "```", ""])


def expand(app: Sphinx, name: str, content: list[str]) -> None:
    """The hook of reading a page."""
    content[0] = MARK.sub(lambda found: sections(found[1]), content[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the hook."""
    app.connect("source-read", expand)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
