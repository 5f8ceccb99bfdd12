"""Run `mypy --strict` over each package by itself, then over all the other Python."""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def targets() -> list[list[str]]:
    """What is checked in one run each: a package must not need what another's run has seen."""
    found = [[str(source.relative_to(ROOT))] for source in sorted(ROOT.glob("packages/*/src"))]
    found.append(["tests"])
    found.append([str(hook.relative_to(ROOT)) for hook in ROOT.glob("packages/*/hatch_build.py")])
    rest = [
        name
        for name in ("scripts", "examples", "benchmarks", "fuzz")
        if any((ROOT / name).rglob("*.py"))
    ]
    found.append([*rest, "docs/conf.py", "docs/_ext"])
    return found


def main() -> int:
    """The number of targets with errors."""
    failures = 0
    for target in targets():
        started = time.perf_counter()
        status = subprocess.run(
            [sys.executable, "-m", "mypy", *sys.argv[1:], *target], cwd=ROOT, check=False
        )
        print(f"   mypy {' '.join(target)}: {time.perf_counter() - started:.1f} s", flush=True)
        failures += status.returncode != 0
    return failures


if __name__ == "__main__":
    sys.exit(main())
