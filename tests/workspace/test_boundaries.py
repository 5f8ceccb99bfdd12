"""The table of packages holds: nobody imports what it must not, nobody depends on what the table
does not name.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.checks.boundaries import TABLE, Allowed, check_manifest, check_member
from scripts.checks.members import Member, members

SANS_IO = ("wayfare_http_core", "wayfare_cookies", "wayfare_multipart", "wayfare_websocket")

# Prints which of the forbidden modules an import brought in that were not there before.
PROBE = """
import sys
sys.path[:0] = sys.argv[2:]
before = set(sys.modules)
__import__(sys.argv[1])
print(*sorted({"asyncio", "socket", "ssl"} & (set(sys.modules) - before)))
"""


def brought_in(module: str, *paths: Path) -> list[str]:
    """Which of asyncio, socket and ssl a fresh interpreter holds after importing a module."""
    command = [sys.executable, "-c", PROBE, module, *map(str, paths)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return result.stdout.split()


def planted(folder: Path, code: str, dependencies: tuple[str, ...] = ()) -> Member:
    """A package `wayfare-multipart` that holds one module with the given code."""
    source = folder / "src" / "wayfare_multipart"
    source.mkdir(parents=True)
    (source / "_thing.py").write_text(code, encoding="utf-8")
    project = {"name": "wayfare-multipart", "dependencies": list(dependencies)}
    return Member(folder, {"project": project})


def test_the_table_names_every_member() -> None:
    assert {member.root for member in members()} == set(TABLE)


def test_imports_and_dependencies_are_those_of_the_table(member: Member) -> None:
    assert check_member(member, TABLE[member.root]) == []


@pytest.mark.parametrize(
    "code",
    [
        "import wayfare_connector",
        "from wayfare_cookies import CookieJar",
        "def lazily():\n    from wayfare import ClientSession",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import wayfare_websocket",
        "import importlib\nimportlib.import_module('wayfare_connector')",
        "from wayfare_http_core._head import ResponseHead",
        "from wayfare_http_core import _head",
        "import wayfare_http_core.aio._connection",
        "import yarl",
        "from attrs import define",
        "from ... import outside",
    ],
)
def test_a_forbidden_import_is_found(tmp_path: Path, code: str) -> None:
    member = planted(tmp_path, code)
    problems = [
        found
        for found in check_member(member, Allowed(siblings=frozenset({"wayfare_http_core"})))
        if "_thing.py" in found
    ]
    assert len(problems) == 1


@pytest.mark.parametrize(
    "code",
    [
        "import asyncio\nimport http.client",
        "from . import sibling",
        "from .sibling import thing",
        "from wayfare_http_core import ResponseHead, __version__",
        "from wayfare_http_core.aio import StreamReader",
        "import wayfare_multipart",
        "from typing_extensions import override",
    ],
)
def test_an_allowed_import_passes(tmp_path: Path, code: str) -> None:
    member = planted(tmp_path, code, ("wayfare-http-core>=0.1,<0.2", "typing_extensions>=4.10"))
    assert check_member(member, TABLE["wayfare_multipart"]) == []


@pytest.mark.parametrize(
    ("dependencies", "extras"),
    [
        ((), {}),
        (("wayfare-http-core>=0.1,<0.2", "wayfare-cookies>=0.1,<0.2"), {}),
        (("wayfare-http-core>=0.1,<0.2", "requests"), {}),
        (("wayfare-http-core>=0.1,<0.2",), {"redis": ["redis"]}),
    ],
)
def test_a_dependency_beside_the_table_is_found(
    tmp_path: Path, dependencies: tuple[str, ...], extras: dict[str, list[str]]
) -> None:
    member = planted(tmp_path, "", dependencies)
    member.manifest["project"]["optional-dependencies"] = extras
    assert len(list(check_manifest(member, TABLE["wayfare_multipart"]))) == 1


def test_an_extra_holds_what_the_table_says(tmp_path: Path) -> None:
    allowed = Allowed(extras={"speed": frozenset({"isal"})})
    member = planted(tmp_path, "")
    member.manifest["project"]["optional-dependencies"] = {"speed": ["isal>=1"]}
    assert list(check_manifest(member, allowed)) == []
    member.manifest["project"]["optional-dependencies"] = {"speed": ["isal>=1", "numpy"]}
    assert "numpy" in next(check_manifest(member, allowed))


def test_a_compiled_module_is_in_the_table_and_has_its_source(tmp_path: Path) -> None:
    allowed = Allowed(compiled=frozenset({"_wayfare_frames"}))
    member = planted(tmp_path, "from _wayfare_frames import encode_frame")
    (found,) = check_member(member, allowed)
    assert "the compiled module _wayfare_frames is in the table but has no source" in found
    (tmp_path / "native").mkdir()
    (tmp_path / "native" / "_wayfare_frames.c").touch()
    assert check_member(member, allowed) == []
    assert len(check_member(member, Allowed())) == 2


@pytest.mark.parametrize("module", SANS_IO)
def test_importing_a_protocol_package_brings_in_no_input_or_output(module: str) -> None:
    assert brought_in(module) == []


def test_the_probe_sees_what_a_module_brings_in(tmp_path: Path) -> None:
    (tmp_path / "chatty.py").write_text("import socket\n", encoding="utf-8")
    (tmp_path / "loopy.py").write_text("def f():\n    pass\nimport asyncio\n", encoding="utf-8")
    assert brought_in("chatty", tmp_path) == ["socket"]
    assert "asyncio" in brought_in("loopy", tmp_path)
