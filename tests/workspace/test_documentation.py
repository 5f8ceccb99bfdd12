"""Nothing public is undocumented, no page is out of reach, no link leads nowhere."""

import importlib
import re
from collections import Counter
from pathlib import Path

import pytest

from scripts.checks.members import ROOT, Member, members
from scripts.checks.public_names import PublicName, public_names, undocumented_members

DOCS = ROOT / "docs"
LINK = re.compile(r"\]\((?!https?:|mailto:|#)(?P<path>[^)#\s]+)(?:#[^)\s]*)?\)")
FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
TREE = re.compile(r"```\{toctree\}\n(?P<body>.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def names() -> list[PublicName]:
    """Every public name, with what its source says of it."""
    return public_names(members())


def pages() -> list[Path]:
    """Everything that a user reads."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("packages/*/README.md")]
    found += [path for path in DOCS.rglob("*.md") if "_build" not in path.parts]
    return sorted(found)


def in_the_index() -> list[str]:
    """The pages of the sidebar."""
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    lines = [line for tree in TREE.finditer(text) for line in tree["body"].splitlines()]
    entries = [line for line in lines if line and not line.startswith(":")]
    return [entry.rpartition("<")[2].removesuffix(">") for entry in entries]


def test_every_public_name_has_a_docstring(names: list[PublicName]) -> None:
    assert [f"{name.module}.{name.name}" for name in names if not name.doc] == []


def test_every_public_method_has_a_docstring(names: list[PublicName]) -> None:
    assert [found for name in names for found in undocumented_members(name)] == []


def test_the_reference_describes_every_public_name_once(
    names: list[PublicName], member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(DOCS / "_ext")
    text = importlib.import_module("reference_pages").sections(member.root)
    objects = re.findall(r"^\.\. auto(?:class|exception|function):: (\S+)$", text, re.MULTILINE)
    values = re.findall(r"^\.\. py:data:: (\S+)\n   :module: (\S+)$", text, re.MULTILINE)
    described = Counter([*objects, *(f"{module}.{name}" for name, module in values)])
    own = [name for name in names if name.module.partition(".")[0] == member.root]
    assert described == Counter(f"{name.module}.{name.name}" for name in own)


PLANTED = """\
LIMIT = 1
'How many.'
NUMBER = 2

class Thing:
    'A thing.'
    def turn(self): ...
    def _turn(self): ...

try:
    from absent import make
except ImportError:
    def make(): ...
"""


def test_what_has_no_docstring_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "packages" / "planted" / "src" / "planted_docs"
    package.mkdir(parents=True)
    manifest = package.parent.parent / "pyproject.toml"
    manifest.write_text('[project]\nname = "planted-docs"\n', encoding="utf-8")
    (package / "_inner.py").write_text(PLANTED, encoding="utf-8")
    (package / "__init__.py").write_text(
        "from ._inner import LIMIT, NUMBER, Thing, make\n"
        "__all__ = ('LIMIT', 'NUMBER', 'Thing', 'make')\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(package.parent)
    found = public_names(members(tmp_path))
    docs = {name.name: name.doc for name in found}
    assert docs == {"LIMIT": "How many.", "NUMBER": None, "Thing": "A thing.", "make": None}
    members_without = [bad for name in found for bad in undocumented_members(name)]
    assert members_without == ["planted_docs.Thing.turn"]


def test_every_page_is_in_the_sidebar_once() -> None:
    every = {str(path.relative_to(DOCS).with_suffix("")) for path in DOCS.glob("*/*.md")}
    assert Counter(in_the_index()) == Counter(every)


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    targets = [found["path"] for found in LINK.finditer(text)]
    assert [target for target in targets if not (page.parent / target).exists()] == []
