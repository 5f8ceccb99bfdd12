"""The members of the workspace, read from their manifests."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class Member:
    """One package of the workspace."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def distribution(self) -> str:
        """The name that installers know."""
        name: str = self.manifest["project"]["name"]
        return name

    @property
    def root(self) -> str:
        """The import name."""
        return self.distribution.replace("-", "_")

    @property
    def source(self) -> Path:
        """The folder of the import package."""
        return self.folder / "src" / self.root

    @property
    def modules(self) -> list[Path]:
        """Every Python file of the package."""
        return sorted(self.source.rglob("*.py"))

    @property
    def public_modules(self) -> list[str]:
        """The dotted names of all modules that an outsider may import."""
        found = []
        for path in self.modules:
            parts = list(path.relative_to(self.source).with_suffix("").parts)
            if parts[-1] == "__init__":
                parts.pop()
            if not any(part.startswith("_") for part in parts):
                found.append(".".join([self.root, *parts]))
        return found


def read_member(folder: Path) -> Member:
    """The member whose manifest lies in a folder."""
    return Member(folder, tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8")))


def members(root: Path = ROOT) -> list[Member]:
    """All members, by the name of their folder."""
    return [read_member(path.parent) for path in sorted(root.glob("packages/*/pyproject.toml"))]
