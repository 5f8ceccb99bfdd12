"""Run the test suites: each package's own with its coverage gate, then those that cross packages.

    python scripts/run_tests.py                      everything, as `make test` does
    python scripts/run_tests.py --isolated cookies   one package's suite without coverage (iso:test)
    python scripts/run_tests.py --fuzz               only the property-based tests, by a larger profile
    python scripts/run_tests.py --services           only what needs a server of scripts/services.sh

A package is measured by its own suite alone: lines that only another package's tests reach count as
untested. It gets the gate by itself as soon as it holds a module beside `__init__` and `_version`.
"""

import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = "left out: "


@dataclass(frozen=True, slots=True)
class Package:
    """A member of the workspace: its source folder and the folder of its tests."""

    suite: str
    source: Path
    tests: Path

    @property
    def has_code(self) -> bool:
        """Whether there is anything to measure yet."""
        bare = {self.source / "__init__.py", self.source / "_version.py"}
        return any(module not in bare for module in self.source.rglob("*.py"))


@dataclass(slots=True)
class Report:
    """What one run of all suites found."""

    failed: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def packages() -> Iterator[Package]:
    """The members, the ones that others depend on first."""
    for folder in ("http-core", "cookies", "multipart", "websocket", "connector", "session"):
        suite = folder.replace("-", "_")
        (source,) = (ROOT / "packages" / folder / "src").glob("wayfare*")
        yield Package(suite, source, ROOT / "tests" / suite)


def crossing_suites() -> Iterator[Path]:
    """The folders under tests/ that belong to no single package."""
    own = {package.tests for package in packages()}
    for folder in sorted((ROOT / "tests").iterdir()):
        if folder.is_dir() and folder not in own and any(folder.rglob("test_*.py")):
            yield folder


def has_tests(folder: Path) -> bool:
    return any(folder.rglob("test_*.py"))


def workers() -> list[str]:
    """The arguments that spread a suite over the processors; more than four do not pay."""
    return ["-n", str(min(os.cpu_count() or 1, 4))]


def run(name: str, arguments: Sequence[str], report: Report) -> None:
    """Run pytest in its own process; pass its output on, note what failed or was left out."""
    print(f"\n== {name}", flush=True)
    started = time.perf_counter()
    colour = ["--color=yes"] if sys.stdout.isatty() else []
    command = [sys.executable, "-m", "pytest", "-q", *colour, *arguments]
    environment = {**os.environ, "COVERAGE_FILE": str(ROOT / f".coverage.{name.replace('/', '_')}")}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            if line.startswith(LEFT_OUT):
                report.left_out.append(line.removeprefix(LEFT_OUT).strip())
    print(f"== {name}: {time.perf_counter() - started:.1f} s", flush=True)
    if process.returncode:
        report.failed.append(name)


def run_everything(report: Report) -> None:
    """Each package's suite under its gate, then the suites that cross packages."""
    for package in packages():
        if not package.has_code:
            print(f"\n== {package.suite}: no code yet, nothing to measure")
            continue
        source = package.source.relative_to(ROOT)
        measure = [f"--cov={source}", "--cov-branch", "--cov-report=term-missing:skip-covered"]
        gate = "--cov-fail-under=100"
        run(package.suite, [str(package.tests), *workers(), *measure, gate], report)
    for folder in crossing_suites():
        run(folder.name, [str(folder), *workers()], report)


def run_isolated(suite: str, report: Report) -> None:
    """One package's suite in an environment that holds only the package and what it declares."""
    (package,) = (package for package in packages() if package.suite == suite)
    if not package.has_code and not has_tests(package.tests):
        print(f"== {suite}: no code yet")
        return
    run(suite, [str(package.tests), *workers()], report)


def run_fuzz(report: Report) -> None:
    """Every test of hypothesis and all that is marked `fuzz`, by the profile of that name."""
    patience = ["-o", "faulthandler_timeout=3600"]
    run("fuzz", ["tests", "-m", "fuzz or hypothesis", *patience, *workers()], report)


def run_with_services(report: Report) -> None:
    """What the running servers of scripts/services.sh make possible."""
    run("services", ["tests", "-m", "needs", *workers()], report)


def summary(report: Report) -> int:
    """Say what was left out and what failed; the process's exit status."""
    print()
    together: Counter[str] = Counter()
    for line in report.left_out:
        number, _, what = line.partition(" ")
        together[what] += int(number)
    for what, total in together.items():
        print(f"left out: {total} {what}")
    if report.failed:
        print(f"FAILED: {', '.join(report.failed)}")
        return 1
    print("all suites passed")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--isolated", metavar="PACKAGE", help="one package's suite, without coverage"
    )
    which.add_argument("--fuzz", action="store_true", help="only the property-based suites")
    which.add_argument("--services", action="store_true", help="only what needs a server")
    arguments = parser.parse_args()
    report = Report()
    if arguments.isolated:
        run_isolated(arguments.isolated, report)
    elif arguments.fuzz:
        run_fuzz(report)
    elif arguments.services:
        run_with_services(report)
    else:
        run_everything(report)
    return summary(report)


if __name__ == "__main__":
    sys.exit(main())
