"""The table of public names in docs/reference/names.md: every name, its home package, where it is
imported from.

    python -m scripts.checks.names_table      bring the rows of existing names up to date; keep the
    planned ones

A row is `| name | home | imported from |`; a name that is still to come says `planned` in its third
column. A name's home is the package that defines it; `wayfare` hands most names on.
"""

import importlib
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .members import ROOT, Member, members

PLANNED = "planned"
ROW = re.compile(r"\| `(?P<name>\w+)` \| `(?P<home>[\w-]+)` \| (?P<where>.+?) \|")
# Modules whose contents are described by one row of their own: names by the hundred.
WHOLE_MODULES = frozenset({"hdrs"})
# Every package has it; it belongs to none.
EVERYWHERE = frozenset({"__version__"})
MARKER = "<!-- the table of names -->"


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """One public name."""

    name: str
    home: str
    where: str

    def __str__(self) -> str:
        return f"| `{self.name}` | `{self.home}` | {self.where} |"


def read_rows(page: Path) -> list[Row]:
    """The rows of the table."""
    lines = page.read_text(encoding="utf-8").splitlines()
    matches = (ROW.fullmatch(line) for line in lines)
    return [Row(found["name"], found["home"], found["where"]) for found in matches if found]


def in_order_of_dependence(workspace: Iterable[Member]) -> list[Member]:
    """Members with the ones that others import first: a name's home is the first that has it."""
    return sorted(
        workspace, key=lambda member: (member.root == "wayfare", member.root != "wayfare_http_core")
    )


def exported(module_name: str) -> tuple[str, ...]:
    """A module's `__all__`."""
    names: tuple[str, ...] = tuple(getattr(importlib.import_module(module_name), "__all__", ()))
    return names


def real_rows(workspace: Iterable[Member]) -> list[Row]:
    """One row for each name that exists, made from the packages' `__all__`."""
    homes: dict[str, str] = {}
    places: dict[str, list[str]] = {}
    for member in in_order_of_dependence(workspace):
        for module in member.public_modules:
            for name in _names(module):
                homes.setdefault(name, member.distribution)
                places.setdefault(name, []).append(f"`{module}`")
    return sorted(Row(name, home, ", ".join(places[name])) for name, home in homes.items())


def _names(module: str) -> Iterator[str]:
    if module.rpartition(".")[2] in WHOLE_MODULES:
        yield module.rpartition(".")[2]
        return
    yield from (name for name in exported(module) if name not in EVERYWHERE)


def differences(rows: Iterable[Row], real: Iterable[Row]) -> Iterator[str]:
    """What the table says wrongly, what it lacks, and what it says twice."""
    existing = {row.name: row for row in real}
    seen: set[str] = set()
    for row in rows:
        if row.name in seen:
            yield f"{row.name} stands in the table twice"
        seen.add(row.name)
        fact = existing.get(row.name)
        if fact is None and row.where != PLANNED:
            yield f"{row.name} is in the table and does not exist"
        elif fact is not None and fact != row:
            yield f"{row.name}: the table says {row}, the packages say {fact}"
    for name in sorted(existing.keys() - seen):
        yield f"{name} exists and is not in the table"


def update(page: Path, real: list[Row]) -> None:
    """Write the table anew below its marker: real rows, and the planned ones that are still to
    come.
    """
    existing = {row.name for row in real}
    planned = [row for row in read_rows(page) if row.where == PLANNED and row.name not in existing]
    head, _, _ = page.read_text(encoding="utf-8").partition(MARKER)
    rows = sorted([*real, *planned], key=lambda row: (row.name.lower(), row.name))
    table = ["| name | home | imported from |", "|---|---|---|", *map(str, rows)]
    page.write_text(f"{head}{MARKER}\n\n" + "\n".join(table) + "\n", encoding="utf-8")


if __name__ == "__main__":
    update(ROOT / "docs" / "reference" / "names.md", real_rows(members()))
    sys.exit(0)
