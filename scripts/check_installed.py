"""Check an environment that holds installed wheels: every root imports from there, and nothing else
is installed.

    python check_installed.py wayfare_http_core --beside multidict typing-extensions

Run it with the environment's own interpreter; it must not see the checkout.
"""

import argparse
import importlib
import sys
from importlib.metadata import distributions
from pathlib import Path


def installed() -> set[str]:
    """The names of all installed distributions, as PEP 503 writes them."""
    return {found.name.lower().replace("_", "-") for found in distributions()}


def import_problems(roots: list[str]) -> list[str]:
    """Import each package; say which came from somewhere else, lacks its marker or a name of its
    `__all__`.
    """
    problems = []
    for root in roots:
        module = importlib.import_module(root)
        folder = Path(str(module.__file__)).parent
        if not folder.is_relative_to(sys.prefix):
            problems.append(f"{root} comes from {folder}")
        if not (folder / "py.typed").is_file():
            problems.append(f"{root} has no py.typed")
        problems += [f"{root} lacks {name}" for name in module.__all__ if not hasattr(module, name)]
        print(f"import {root}: {len(module.__all__)} public names, version {module.__version__}")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("roots", nargs="+", help="the packages to import")
    parser.add_argument("--beside", nargs="*", help="the only other distributions allowed there")
    arguments = parser.parse_args()
    problems = import_problems(arguments.roots)
    if arguments.beside is not None:
        allowed = {*arguments.beside, *(root.replace("_", "-") for root in arguments.roots)}
        problems += [f"{name} is installed too" for name in sorted(installed() - allowed)]
    for problem in problems:
        print(f"FAILED: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
