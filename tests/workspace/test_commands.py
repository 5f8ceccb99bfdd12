"""The commands of the workspace say what they do, and what they left out."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.checks.members import ROOT
from scripts.run_tests import Package, Report, run, summary

TARGETS = {"demo", "test", "check", "bench", "docs", "fuzz", "soak", "clean", "format", "lock"}
MARKED = """
import pytest

@pytest.mark.needs("teapot")
def test_with_a_teapot():
    raise AssertionError("there is none")

def test_without():
    pass
"""


def test_make_alone_lists_every_target() -> None:
    result = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = re.findall(r"^ +make ([a-z-]+) +\S.+$", result.stdout, re.MULTILINE)
    assert set(listed) >= TARGETS
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert set(listed) == set(phony[1].split())


def test_the_gate_runs_the_readmes_command_first() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    stages = re.findall(r'^stage "[^"]+" (.+)$', script.read_text(encoding="utf-8"), re.MULTILINE)
    assert stages[0] == "make test"
    assert "make demo" in stages


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
@pytest.mark.parametrize("address", ["", "http://127.0.0.1:1"], ids=["absent", "running"])
def test_what_needs_an_absent_server_is_left_out_and_said(
    tmp_path: Path, workers: tuple[str, ...], address: str
) -> None:
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path / "tests")
    (tmp_path / "tests" / "test_marked.py").write_text(MARKED, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = needs(service)\n", encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *workers, "tests"],
        cwd=tmp_path,
        env={**os.environ, "WAYFARE_TEAPOT_URL": address},
        capture_output=True,
        text=True,
        check=False,
    )
    said = "left out: 1 tests that need teapot (scripts/services.sh start teapot)\n"
    assert (said in result.stdout) is (not address)
    assert ("1 failed, 1 passed" in result.stdout) is bool(address)
    assert "skipped" not in result.stdout


def test_a_package_has_code_as_soon_as_it_has_a_module(tmp_path: Path) -> None:
    source = tmp_path / "wayfare_x"
    source.mkdir()
    package = Package("x", source, tmp_path / "tests")
    for name in ("__init__.py", "_version.py"):
        (source / name).touch()
    assert not package.has_code
    (source / "aio").mkdir()
    (source / "aio" / "__init__.py").touch()
    assert package.has_code


def test_a_failing_run_fails_the_summary(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "test_it.py").write_text("def test_it():\n    assert False\n", encoding="utf-8")
    report = Report()
    run("planted", [str(tmp_path), "-p", "no:cacheprovider"], report)
    assert report.failed == ["planted"]
    assert summary(report) == 1
    assert "FAILED: planted" in capsys.readouterr().out
    left_out = ["3 tests that need tea", "1 tests that need sugar", "2 tests that need tea"]
    assert summary(Report(left_out=left_out)) == 0
    said = "left out: 5 tests that need tea\nleft out: 1 tests that need sugar\nall suites passed"
    assert said in capsys.readouterr().out


def test_an_unknown_service_is_refused() -> None:
    command = [str(ROOT / "scripts" / "services.sh"), "require", "teapot"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "unknown service 'teapot'" in result.stderr
