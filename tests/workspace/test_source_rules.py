"""The rules that the packages' source follows, and proof that each check can fail."""

import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

from scripts.checks import source_rules as rules
from scripts.checks.members import ROOT, Member

PYTHON_FOLDERS = ("tests", "scripts", "examples", "benchmarks")


def relative(paths: list[Path]) -> list[Path]:
    return [path.relative_to(ROOT) for path in paths]


def everything_else() -> list[Path]:
    """Python outside the packages."""
    return relative(
        [path for name in PYTHON_FOLDERS for path in sorted((ROOT / name).rglob("*.py"))]
    )


@pytest.mark.parametrize(
    "check",
    [
        rules.check_name,
        rules.check_length,
        rules.check_functions,
        rules.check_source,
        rules.check_comments,
    ],
)
def test_the_source_keeps_the_rule(member: Member, check: rules.Check) -> None:
    assert [found for path in relative(member.modules) for found in check(path)] == []


def test_patterns_are_ascii_and_anchored(member: Member) -> None:
    """Y3."""
    names = [
        ".".join(path.relative_to(member.folder / "src").with_suffix("").parts)
        for path in member.modules
    ]
    modules = [importlib.import_module(name.removesuffix(".__init__")) for name in names]
    assert [found for module in modules for found in rules.check_patterns(module)] == []


def test_no_compiled_module_shadows_its_source(member: Member) -> None:
    assert [path for suffix in ("so", "pyd") for path in member.folder.rglob(f"*.{suffix}")] == []


@pytest.mark.parametrize("check", [rules.check_functions, rules.check_comments])
def test_the_rest_keeps_the_rule(check: rules.Check) -> None:
    assert [found for path in everything_else() for found in check(path)] == []


def test_tests_are_run_and_not_mocked() -> None:
    tests = relative(sorted((ROOT / "tests").rglob("*.py")))
    assert [found for path in tests for found in rules.check_tests(path)] == []


def plant(folder: Path, code: str, name: str = "planted.py") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(code, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["utils.py", "_helpers.py", "common/__init__.py", "base.py"])
def test_a_name_without_meaning_is_found(tmp_path: Path, name: str) -> None:
    assert len(list(rules.check_name(Path("src") / name))) == 1
    assert list(rules.check_name(Path("src/_database.py"))) == []


@pytest.mark.parametrize(
    ("name", "code", "problems"),
    [
        ("helpers.py", '"""Handed on."""\nfrom a import b\n__all__ = ("b",)', 0),
        ("helpers.py", '"""One more."""\nfrom a import b\n__all__ = ("b",)\nc = b', 1),
        ("helpers.py", "from a import b", 1),
        ("_helpers.py", '"""Private."""\nfrom a import b\n__all__ = ("b",)', 1),
    ],
)
def test_a_public_module_that_hands_names_on_is_called_what_users_import(
    tmp_path: Path, name: str, code: str, problems: int
) -> None:
    assert len(list(rules.check_name(plant(tmp_path, code, name)))) == problems


def test_a_long_module_is_found(tmp_path: Path) -> None:
    assert list(rules.check_length(plant(tmp_path, "x = 1\n" * 600))) == []
    assert "601 lines" in next(rules.check_length(plant(tmp_path, "x = 1\n" * 601)))


def test_a_long_function_is_found_and_its_docstring_not_counted(tmp_path: Path) -> None:
    docstring = '    """First.\n' + "    more\n" * 40 + '    """\n'
    head = "async def f():\n" + docstring
    assert list(rules.check_functions(plant(tmp_path, head + "    x = 1\n" * 59))) == []
    (found,) = rules.check_functions(plant(tmp_path, head + "    x = 1\n" * 60))
    assert found.startswith(f"{tmp_path}/planted.py:1: f has 61 lines")


@pytest.mark.parametrize(
    "code",
    [
        "def f(x):\n    assert x",
        "import pickle",
        "from pickle import loads",
        "import unittest.mock",
        "from unittest import mock",
        "from unittest.mock import Mock",
        "eval('1')",
        "exec(code)",
        "import re\ndef f(x):\n    return re.match('a', x)",
        "def f(x):\n    return int(x)",
        "def f(x):\n    return int(x.strip(), 16)",
        "def f(x):\n    return int(x) if x.isdigit() else 0",
    ],
)
def test_a_broken_rule_is_found(tmp_path: Path, code: str) -> None:
    path = plant(tmp_path, code)
    assert {found.split(":")[0] for found in rules.check_source(path)} == {str(path)}


@pytest.mark.parametrize(
    "code",
    [
        "import unittest\nimport re\nPATTERN = re.compile(b'a')",
        "def f(x):\n    return int(x) if PATTERN.fullmatch(x) else 0",
        "def f(x):\n    return int(x) if is_digits(x) else 0",
        "def f(x):\n    return int(x)  # Y1: the caller's own number",
        "def f(x):\n    return int(x) if x.isascii() and x.isdecimal() else 0",
        "def f(found: re.Match[str]) -> int:\n    return int(found[1], 8)",
        "def f(x):\n    return int(x / 2)",
        "import re\ndef f(x):\n    return re.escape(x)",
    ],
)
def test_what_keeps_the_rules_passes(tmp_path: Path, code: str) -> None:
    assert list(rules.check_source(plant(tmp_path, code))) == []


@pytest.mark.parametrize(
    ("line", "problems"),
    [
        ("x = 1  # noqa: E501", 1),
        ("x = 1  # type: ignore[misc]", 1),
        ("x = 1  # type: ignore[misc]  # the stub says object", 0),
        ("x = 1  # noqa: T201 - a program for the terminal", 0),
        ("x = 1  # " + "pragma: no cover", 1),
        ("x = 1  # an ordinary comment", 0),
    ],
)
def test_silencing_needs_a_reason(tmp_path: Path, line: str, problems: int) -> None:
    assert len(list(rules.check_comments(plant(tmp_path, line)))) == problems


@pytest.mark.parametrize(
    ("pattern", "problems"),
    [
        (re.compile(rb"a\Z"), 0),
        (re.compile(r"\d+\Z", re.ASCII), 0),
        (re.compile(r"[$]\$\Z", re.ASCII), 0),
        (re.compile(r"[0-9a-z\\]+\Z"), 0),
        (re.compile(r"\d+\Z"), 1),
        (re.compile(r"[a-z]\Z", re.IGNORECASE), 1),
        (re.compile(rb"a$"), 1),
        (re.compile(r"\w$"), 2),
    ],
)
def test_a_loose_pattern_is_found(
    pattern: re.Pattern[str] | re.Pattern[bytes], problems: int
) -> None:
    module = ModuleType("planted")
    module.__dict__["PATTERN"] = pattern
    assert len(list(rules.check_patterns(module))) == problems
    holder = type("Holder", (), {"PATTERN": pattern, "__module__": "planted"})
    module = ModuleType("planted")
    module.__dict__["Holder"] = holder
    assert len(list(rules.check_patterns(module))) == problems


@pytest.mark.parametrize(
    "code",
    [
        "import pytest\npytest.skip('not today')",
        "import pytest\n@pytest.mark.xfail\ndef test(): ...",
        "import pytest\nzlib = pytest.importorskip('zlib')",
        "from unittest.mock import Mock",
        "import time\ntime.sleep(1)",
    ],
)
def test_a_test_that_dodges_is_found(tmp_path: Path, code: str) -> None:
    assert list(rules.check_tests(plant(tmp_path, code)))
    assert list(rules.check_tests(plant(tmp_path, "import pickle\nimport pytest"))) == []
