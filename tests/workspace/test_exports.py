"""Each public module says what it offers, sorted and complete; the table of names says where
everything lives.
"""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.checks import names_table
from scripts.checks.members import ROOT, Member, members

NAMES = ROOT / "docs" / "reference" / "names.md"


def order(name: str) -> tuple[int, list[str | int]]:
    """Constants, then classes, then the rest; numbers inside names count as numbers (as ruff sorts
    them).
    """
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return kind, [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def re_exported(tree: ast.Module) -> Iterator[str]:
    """The public names that a module takes from its own package, to hand them on."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level:
            yield from (alias.asname or alias.name for alias in node.names)


def export_problems(module_name: str) -> Iterator[str]:
    """What is wrong with a module's `__all__`."""
    if module_name.rpartition(".")[2] in names_table.WHOLE_MODULES:
        return
    module = importlib.import_module(module_name)
    names = getattr(module, "__all__", None)
    if not isinstance(names, tuple):
        yield f"{module_name}: __all__ is not a tuple"
        return
    if list(names) != sorted(names, key=order):
        yield f"{module_name}: __all__ is not sorted"
    for name in names:
        if not hasattr(module, name):
            yield f"{module_name}: {name} is in __all__ and does not exist"
    source = Path(str(module.__file__))
    if source.name == "__init__.py":
        handed_on = set(re_exported(ast.parse(source.read_bytes())))
        for name in sorted(handed_on - set(names)):
            # A submodule is there for importing, not as a name of its package.
            if not name.startswith("_") and f"{module_name}.{name}" not in _submodules(source):
                yield f"{module_name}: {name} is imported and not in __all__"


def _submodules(source: Path) -> set[str]:
    """The dotted names of the modules beside an `__init__.py`."""
    package = source.parent
    stems = {path.stem for path in package.glob("*.py")} | {
        path.parent.name for path in package.glob("*/__init__.py")
    }
    dotted = (
        ".".join(package.parts[package.parts.index("src") + 1 :])
        if "src" in package.parts
        else package.name
    )
    return {f"{dotted}.{stem}" for stem in stems}


def test_every_public_module_exports_in_order(member: Member) -> None:
    assert [found for module in member.public_modules for found in export_problems(module)] == []


def test_the_root_exports_its_version(member: Member) -> None:
    assert "__version__" in importlib.import_module(member.root).__all__


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("__all__ = ['a']\na = 1", "not a tuple"),
        ("__all__ = ('b', 'a')\na = b = 1", "not sorted"),
        ("__all__ = ('b', 'C')\nb = C = 1", "not sorted"),
        ("__all__ = ('a',)", "does not exist"),
        ("from ._inner import a, b\n__all__ = ('a',)", "b is imported"),
        ("from ._inner import a, b\n__all__ = ('a', 'b')", None),
        ("from . import public\n__all__ = ()", None),
    ],
)
def test_a_wrong_export_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, problem: str | None
) -> None:
    name = f"planted_{abs(hash(code))}"
    package = tmp_path / name
    package.mkdir()
    (package / "__init__.py").write_text(code, encoding="utf-8")
    (package / "_inner.py").write_text("a = b = 1", encoding="utf-8")
    (package / "public.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    found = list(export_problems(name))
    assert len(found) == (problem is not None)
    assert problem is None or problem in found[0]


def test_the_table_of_names_is_true() -> None:
    """`python -m scripts.checks.names_table` brings it up to date."""
    real = names_table.real_rows(members())
    assert list(names_table.differences(names_table.read_rows(NAMES), real)) == []


def test_every_package_has_its_page_in_the_reference(member: Member) -> None:
    page = NAMES.parent / f"{member.folder.name}.md"
    assert f"<!-- modules: {member.root} -->" in page.read_text(encoding="utf-8")
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    assert f"reference/{page.stem}\n" in index


def test_homes_are_members() -> None:
    homes = {row.home for row in names_table.read_rows(NAMES)}
    assert homes <= {member.distribution for member in members()}


def test_a_wrong_table_is_found() -> None:
    row = names_table.Row("Thing", "wayfare", "`wayfare`")
    moved = names_table.Row("Thing", "wayfare-cookies", "`wayfare_cookies`")
    planned = names_table.Row("Later", "wayfare", names_table.PLANNED)
    assert list(names_table.differences([row, planned], [row])) == []
    assert len(list(names_table.differences([row], []))) == 1
    assert len(list(names_table.differences([], [row]))) == 1
    assert len(list(names_table.differences([row], [moved]))) == 1
    assert len(list(names_table.differences([row, row], [row]))) == 1
    arrived = names_table.Row("Later", "wayfare", "`wayfare`")
    assert len(list(names_table.differences([planned], [arrived]))) == 1


def test_updating_the_table_keeps_what_is_planned(tmp_path: Path) -> None:
    page = tmp_path / "names.md"
    real = [names_table.Row("Thing", "wayfare", "`wayfare`")]
    page.write_text(
        f"# Names\n\n{names_table.MARKER}\n| `Later` | `wayfare` | planned |\n", encoding="utf-8"
    )
    names_table.update(page, real)
    assert page.read_text(encoding="utf-8").startswith("# Names\n")
    assert [row.name for row in names_table.read_rows(page)] == ["Later", "Thing"]
    assert list(names_table.differences(names_table.read_rows(page), real)) == []
