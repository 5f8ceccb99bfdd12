"""Who may import whom: the table of packages, held against the source and against the manifests.

Every import counts, at module level, inside a function or under TYPE_CHECKING: an edge that only a
type checker sees still ties two packages together.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .members import Member


@dataclass(frozen=True, slots=True)
class Allowed:
    """What one package may depend on: siblings by import name, others by distribution name.

    `compiled` are the modules that its own build makes from the C files in `native/`.
    """

    siblings: frozenset[str] = frozenset()
    libraries: frozenset[str] = frozenset()
    extras: dict[str, frozenset[str]] = field(default_factory=dict)
    compiled: frozenset[str] = frozenset()


HTTP_CORE = frozenset({"wayfare_http_core"})
TABLE = {
    "wayfare_http_core": Allowed(
        libraries=frozenset({"multidict"}),
        extras={
            "brotli": frozenset({"brotli", "brotlicffi"}),
            "zstd": frozenset({"backports-zstd"}),
            "isal": frozenset({"isal"}),
        },
    ),
    "wayfare_cookies": Allowed(
        libraries=frozenset({"yarl", "publicsuffixlist"}),
        extras={"redis": frozenset({"redis"})},
    ),
    # Fields of payloads and parts are multidicts, which http-core brings anyway.
    "wayfare_multipart": Allowed(siblings=HTTP_CORE, libraries=frozenset({"multidict"})),
    "wayfare_websocket": Allowed(siblings=HTTP_CORE, compiled=frozenset({"_wayfare_frames"})),
    "wayfare_connector": Allowed(
        siblings=HTTP_CORE,
        libraries=frozenset({"yarl", "aiohappyeyeballs"}),
        extras={
            "aiodns": frozenset({"aiodns"}),
            "socks": frozenset({"python-socks"}),
            "truststore": frozenset({"truststore"}),
        },
    ),
    "wayfare": Allowed(
        siblings=frozenset(
            {
                "wayfare_http_core",
                "wayfare_cookies",
                "wayfare_multipart",
                "wayfare_websocket",
                "wayfare_connector",
            }
        ),
        libraries=frozenset({"aiosignal", "multidict", "yarl"}),
        extras={
            "speedups": frozenset({"aiodns", "brotli", "backports-zstd"}),
            "otel": frozenset({"opentelemetry-api"}),
            "cli": frozenset({"click", "rich"}),
        },
    ),
}
# Every package may use this one where the standard library is too old for `override`.
EVERYWHERE = frozenset({"typing-extensions"})

# Import names whose distribution is called otherwise.
DISTRIBUTION_OF = {
    "backports": "backports-zstd",
    "opentelemetry": "opentelemetry-api",
    "python_socks": "python-socks",
    "typing_extensions": "typing-extensions",
}


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, with the names taken from it."""

    line: int
    module: str
    names: tuple[str, ...] = ()
    level: int = 0


def normalised(requirement: str) -> str:
    """The distribution's name in a requirement, as PEP 503 writes it."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    if name is None:
        raise ValueError(f"not a requirement: {requirement!r}")
    return re.sub(r"[-_.]+", "-", name.group()).lower()


def imports(tree: ast.AST) -> Iterator[Import]:
    """Every import statement and every `import_module("…")` of a literal name, wherever it
    stands.
    """
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                for alias in node.names:
                    yield Import(node.lineno, alias.name)
            case ast.ImportFrom():
                names = tuple(alias.name for alias in node.names)
                yield Import(node.lineno, node.module or "", names, node.level)
            case ast.Call(
                func=ast.Attribute(attr="import_module")
                | ast.Name(id="import_module" | "__import__"),
                args=[ast.Constant(value=str(module)), *_],
            ):
                yield Import(node.lineno, module)


def check_module(member: Member, path: Path, allowed: Allowed) -> Iterator[str]:
    """What is wrong with the imports of one module, each as `path:line: what`."""
    declared = declared_distributions(member)
    depth = len(path.relative_to(member.source).parts)
    for found in imports(ast.parse(path.read_bytes())):
        problem = _problem(found, member.root, allowed, declared, depth)
        if problem:
            yield f"{path}:{found.line}: {problem}"


def declared_distributions(member: Member) -> frozenset[str]:
    """Everything that the manifest names, its extras included."""
    project = member.manifest["project"]
    extras = project.get("optional-dependencies", {})
    every = [
        *project.get("dependencies", ()),
        *(name for extra in extras.values() for name in extra),
    ]
    return frozenset(map(normalised, every))


def _problem(
    found: Import, own: str, allowed: Allowed, declared: frozenset[str], depth: int
) -> str | None:
    if found.level:
        return "relative import out of the package" if found.level > depth else None
    top = found.module.partition(".")[0]
    if top == own or top in sys.stdlib_module_names or top in allowed.compiled:
        return None
    if top in TABLE:
        return _sibling_problem(found, top, allowed)
    distribution = DISTRIBUTION_OF.get(top, top.replace("_", "-"))
    if distribution not in declared:
        return f"imports {top}, which the manifest does not declare"
    return None


def _sibling_problem(found: Import, top: str, allowed: Allowed) -> str | None:
    if top not in allowed.siblings:
        return f"imports {found.module}: no such edge in the table"
    private = [part for part in (*found.module.split("."), *found.names) if part.startswith("_")]
    if private and private != ["__version__"]:
        return f"reaches into {top}: {'.'.join(private)} is private"
    return None


def check_member(member: Member, allowed: Allowed) -> list[str]:
    """What is wrong with all imports of a package and with its declared dependencies."""
    problems = [found for path in member.modules for found in check_module(member, path, allowed)]
    return [*problems, *check_manifest(member, allowed), *check_native(member, allowed)]


def check_native(member: Member, allowed: Allowed) -> Iterator[str]:
    """Where the C files of a package differ from the table."""
    sources = {path.stem for path in (member.folder / "native").glob("*.c")}
    for name in sorted(sources ^ allowed.compiled):
        where = "not in the table" if name in sources else "in the table but has no source"
        yield f"{member.folder}: the compiled module {name} is {where}"


def check_manifest(member: Member, allowed: Allowed) -> Iterator[str]:
    """Where the declared dependencies differ from the table."""
    project = member.manifest["project"]
    declared = {normalised(requirement) for requirement in project.get("dependencies", ())}
    siblings = {name for name in declared if name.replace("-", "_") in TABLE}
    wanted = {name.replace("_", "-") for name in allowed.siblings}
    for name in sorted(siblings ^ wanted):
        where = "not in the table" if name in siblings else "in the table but not declared"
        yield f"{member.folder}: sibling {name} is {where}"
    for name in sorted(declared - siblings - allowed.libraries - EVERYWHERE):
        yield f"{member.folder}: {name} is declared but not in the table"
    for extra, requirements in sorted(project.get("optional-dependencies", {}).items()):
        names = {normalised(requirement) for requirement in requirements}
        permitted = allowed.extras.get(extra)
        if permitted is None:
            yield f"{member.folder}: the extra {extra} is not in the table"
        elif not names <= permitted | wanted:
            yield f"{member.folder}: the extra {extra} declares {sorted(names - permitted)}"
