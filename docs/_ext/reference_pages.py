"""Puts every public module of a package onto its page of the reference.

A page says `<!-- modules: wayfare_x -->` where its modules belong, so a new public module is described without
anyone having to remember the page.
"""

import importlib
import re
import sys
from contextlib import suppress
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from scripts.checks.members import members  # noqa: E402 - the path must be set first
from scripts.checks.names_table import WHOLE_MODULES  # noqa: E402 - the path must be set first

OWN_SUBMODULES = frozenset(("wayfare.testing",))
"""Submodules of the client with names of their own."""

MARK = re.compile(r"<!-- modules: (\w+) -->")


def sections(root: str) -> str:
    """A section for each public module, the package itself first and without a heading."""
    (member,) = (member for member in members(ROOT) if member.root == root)
    return "\n".join(_section(module, root) for module in sorted(member.public_modules))


def _section(module: str, root: str) -> str:
    _load_all(module)
    heading = "" if module == root else f"\n## {module}\n\n"
    # Hundreds of constants say nothing that their module does not; and the submodules of the client hand on what is
    # described elsewhere.
    hands_on = module.startswith("wayfare.") and module not in OWN_SUBMODULES
    silent = module.rpartition(".")[2] in WHOLE_MODULES or hands_on
    option = "   :no-members:\n" if silent else ""
    return f"{heading}```{{eval-rst}}\n.. automodule:: {module}\n{option}```\n"


def _load_all(module: str) -> None:
    """Load the names that a module loads when they are asked for: autodoc asks for none, and describes what is there.

    A name that needs an extra is left out where that is not installed.
    """
    loaded = importlib.import_module(module)
    for name in getattr(loaded, "__all__", ()):
        with suppress(ImportError):
            getattr(loaded, name)


def expand(app: Sphinx, name: str, content: list[str]) -> None:
    """The hook of reading a page."""
    content[0] = MARK.sub(lambda found: sections(found[1]), content[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the hook."""
    app.connect("source-read", expand)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
