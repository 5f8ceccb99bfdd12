"""The build of the module in C: a wheel carries it, and one without it is made where it cannot be compiled."""

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from scripts.checks.members import ROOT

PACKAGE = ROOT / "packages" / "websocket"
MODULE = "_wayfare_frames"
SWITCH = "WAYFARE_WEBSOCKET_EXTENSION"


def build(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    settings = {name: value for name, value in os.environ.items() if name not in (SWITCH, "CC")}
    return subprocess.run(
        command,
        cwd=PACKAGE,
        env={**settings, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def wheel(folder: Path) -> tuple[str, list[str]]:
    """The tags of the only wheel in the folder, and what of it is no part of the package."""
    (path,) = folder.iterdir()
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    tags = path.stem.split("-", 2)[2]
    package = ("wayfare_websocket/", "wayfare_websocket-")
    return tags, [name for name in names if not name.startswith(package)]


def test_a_wheel_carries_the_compiled_module(tmp_path: Path) -> None:
    """One for every Python from 3.11 on. Where this environment has none, there is no compiler: the wheel is pure."""
    result = build(tmp_path)
    assert result.returncode == 0, result.stderr
    tags, files = wheel(tmp_path)
    if importlib.util.find_spec(MODULE):
        assert tags.startswith("cp311-abi3-")
        assert [name.partition(".")[0] for name in files] == [MODULE]
    else:
        assert (tags, files) == ("py3-none-any", [])


def test_without_a_compiler_the_wheel_is_pure(tmp_path: Path) -> None:
    result = build(tmp_path, CC="false")
    assert result.returncode == 0, result.stderr
    assert wheel(tmp_path) == ("py3-none-any", [])
    assert f"{MODULE} is left out" in result.stdout + result.stderr


def test_nothing_is_compiled_where_that_is_not_wanted(tmp_path: Path) -> None:
    result = build(tmp_path, CC="false", **{SWITCH: "never"})
    assert result.returncode == 0, result.stderr
    assert wheel(tmp_path) == ("py3-none-any", [])
    assert MODULE not in result.stdout + result.stderr


def test_a_build_that_wants_the_module_fails_without_a_compiler(tmp_path: Path) -> None:
    result = build(tmp_path, CC="false", **{SWITCH: "always"})
    assert result.returncode != 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("setting", ["yes", "0", "Never"])
def test_an_unknown_wish_is_an_error(tmp_path: Path, setting: str) -> None:
    result = build(tmp_path, **{SWITCH: setting})
    assert result.returncode != 0
    assert f"{SWITCH} is {setting!r}" in result.stderr
