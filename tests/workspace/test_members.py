"""Every package is complete in itself: files, metadata, version, changelog."""

import ast
import importlib
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from scripts.checks.boundaries import imports
from scripts.checks.members import ROOT, Member, members

FILES = ("LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "changelog.d")
INTERPRETER = re.compile(r"Programming Language :: Python :: (3\.\d+)")


def version_of(member: Member) -> str:
    version: str = importlib.import_module(f"{member.root}._version").__version__
    return version


def missing_files(member: Member) -> list[str]:
    """What a package lacks on disk."""
    lacking = [name for name in FILES if not (member.folder / name).exists()]
    return lacking + [name for name in ("py.typed",) if not (member.source / name).is_file()]


def test_nothing_is_missing(member: Member) -> None:
    assert missing_files(member) == []


def test_a_missing_file_is_found(tmp_path: Path) -> None:
    member = Member(tmp_path, {"project": {"name": "wayfare-x"}})
    assert missing_files(member) == [*FILES, "py.typed"]


def test_the_licence_is_a_real_copy(member: Member) -> None:
    assert (member.folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert not (member.folder / "LICENSE").is_symlink()


def test_the_version_is_written_once(member: Member) -> None:
    assert re.fullmatch(r"0\.1\.\d+", version_of(member))
    assert importlib.import_module(member.root).__version__ == version_of(member)
    assert member.manifest["project"]["dynamic"] == ["version"]
    assert member.manifest["tool"]["hatch"]["version"]["path"] == f"src/{member.root}/_version.py"


def test_ranges_of_siblings_admit_the_local_versions(member: Member) -> None:
    local = {other.distribution: version_of(other) for other in members()}
    for text in member.manifest["project"]["dependencies"]:
        requirement = Requirement(text)
        if requirement.name in local:
            assert str(requirement.specifier) == "<0.2,>=0.1"
            assert local[requirement.name] in requirement.specifier


def test_every_module_comes_from_the_checkout(member: Member) -> None:
    """A sibling missing from an environment's members would come from an index, silently."""
    module = importlib.import_module(member.root)
    assert module.__file__ is not None
    assert Path(module.__file__).resolve() == member.source / "__init__.py"


def test_classifiers_name_the_tested_interpreters(member: Member) -> None:
    manifest = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (matrix,) = manifest["tool"]["hatch"]["envs"]["iso"]["matrix"]
    found = map(INTERPRETER.fullmatch, member.manifest["project"]["classifiers"])
    assert [match[1] for match in found if match] == matrix["python"]
    assert member.manifest["project"]["requires-python"] == f">={matrix['python'][0]}"


def test_the_isolated_environments_hold_each_package_with_what_it_depends_on(
    member: Member,
) -> None:
    manifest = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    rows = manifest["tool"]["hatch"]["envs"]["iso"]["overrides"]["matrix"]["package"]
    suite = member.folder.name.replace("-", "_")
    held = {row["value"] for row in rows["workspace"]["members"] if suite in row["if"]}
    by_name = {other.distribution: other for other in members()}
    names = {Requirement(text).name for text in member.manifest["project"]["dependencies"]}
    siblings = [by_name[name] for name in names if name in by_name]
    expected = {f"packages/{other.folder.name}" for other in [member, *siblings]}
    assert held == expected


def draft(member: Member, folder: Path, fragment: str) -> subprocess.CompletedProcess[str]:
    """The changelog that a copy of the package would get with one more fragment."""
    copy = folder / member.folder.name
    shutil.copytree(member.folder, copy, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    (copy / "changelog.d" / fragment).write_text("Teach the client to sing.\n", encoding="utf-8")
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "9.9.9"]
    return subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)


def test_a_changelog_fragment_shows_in_the_draft(member: Member, tmp_path: Path) -> None:
    result = draft(member, tmp_path, "+singing.feature.md")
    assert result.returncode == 0, result.stderr
    assert "Teach the client to sing." in result.stdout
    assert "9.9.9" in result.stdout


def test_a_fragment_of_an_unknown_kind_fails(member: Member, tmp_path: Path) -> None:
    assert draft(member, tmp_path, "+singing.novelty.md").returncode != 0


def test_breaking_changes_come_first(member: Member) -> None:
    kinds = [kind["directory"] for kind in member.manifest["tool"]["towncrier"]["type"]]
    assert kinds == ["breaking", "deprecation", "feature", "bugfix", "doc", "packaging"]


@pytest.mark.parametrize(
    "line", (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
)
def test_constraints_pin_versions_and_name_no_host(line: str) -> None:
    assert re.fullmatch(r"#.*|[a-z0-9.-]+==[^\s/@]+( ;.*)?", line)
    assert "://" not in line


def test_what_pytest_loads_everywhere_is_outside_the_package() -> None:
    (session,) = (member for member in members() if member.root == "wayfare")
    plugins = session.manifest["project"]["entry-points"]["pytest11"]
    assert plugins == {"wayfare": "pytest_wayfare"}
    plugin = session.source.with_name("pytest_wayfare.py")
    imported = {found.module.partition(".")[0] for found in imports(ast.parse(plugin.read_bytes()))}
    assert imported == {
        "collections",
        "pathlib",
        "pytest",
        "pytest_asyncio",
        "re",
        "typing",
        "wayfare",
    }
    wheel = session.manifest["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel == {"only-include": ["src/wayfare", "src/pytest_wayfare.py"], "sources": ["src"]}
