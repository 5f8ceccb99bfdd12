"""Rules for the packages' source that no general linter knows, each answered with `path:line:
what`.
"""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

BANNED_NAMES = frozenset({"utils", "helpers", "common", "misc", "base", "types"})
BANNED_IMPORTS = frozenset({"pickle", "marshal", "shelve", "dill", "unittest.mock", "mock"})
BANNED_CALLS = frozenset({"eval", "exec"})
SILENCED = re.compile(r"#\s*(?:type: ignore|noqa)(?:\[[\w, -]+\]|: [A-Z0-9, ]+)?(?P<rest>.*)")
MODULE_LINES = 600
FUNCTION_LINES = 60

FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
Check = Callable[[Path], Iterator[str]]
Rule = Callable[[ast.Module], Iterator[tuple[int, str]]]


def check_name(path: Path) -> Iterator[str]:
    """A module's name is a noun of its field (DESIGN: a thing that has no noun is not ready to be
    shared). A public module that only hands names on may have the name that users import.
    """
    for part in (*path.parent.parts, path.stem):
        if part.strip("_") in BANNED_NAMES and not hands_on(path):
            yield f"{path}:1: a module must not be called {part!r}"


def hands_on(path: Path) -> bool:
    """Whether a module is public and holds nothing but imports and `__all__`."""
    if path.stem.startswith("_") or not path.is_file():
        return False
    docstring, *rest = ast.parse(path.read_bytes()).body
    return isinstance(docstring, ast.Expr) and all(
        isinstance(node, ast.ImportFrom) or ast.unparse(node).startswith("__all__ = (")
        for node in rest
    )


def check_length(path: Path) -> Iterator[str]:
    """A module has at most 600 lines."""
    lines = path.read_text(encoding="utf-8").count("\n")
    if lines > MODULE_LINES:
        yield f"{path}:1: {lines} lines, {MODULE_LINES} at most"


def check_functions(path: Path) -> Iterator[str]:
    """A function has at most 60 lines; its docstring is not counted."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, FUNCTION):
            length = function_lines(node)
            if length > FUNCTION_LINES:
                found = f"{node.name} has {length} lines, {FUNCTION_LINES} at most"
                yield f"{path}:{node.lineno}: {found}"


def function_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function without its decorators and its docstring."""
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is not None:
        length -= (first.end_lineno or first.lineno) - first.lineno + 1
    return length


def no_assert(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Y5: an assertion vanishes under -O, so it can validate nothing."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            yield node.lineno, "assert in shipped code (Y5)"


def no_banned_imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Y6: nothing that turns bytes into code; and no mocks."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            if any(name == banned or name.startswith(f"{banned}.") for banned in BANNED_IMPORTS):
                yield getattr(node, "lineno", 1), f"imports {name}"


def no_evaluation(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Y6: no eval and no exec."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in BANNED_CALLS:
                yield node.lineno, f"calls {name} (Y6)"


def no_pattern_in_function(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Y3: a pattern is compiled at module level, where `check_patterns` can see it."""
    for function in ast.walk(tree):
        if not isinstance(function, FUNCTION):
            continue
        for node in ast.walk(function):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=name)):
                    if name != "escape":
                        yield node.lineno, f"re.{name} inside a function (Y3)"


def checked_integers(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Y1: `int(text)` accepts `1_0`, `+5`, blanks and other scripts' digits.

    A function that calls it on something not made in the program must itself look at the digits: by
    a pattern's `fullmatch` or `match` (or by taking a match as its argument), by a predicate of
    digits, by `isascii` together with `isdigit` or `isdecimal` — or say in a `# Y1: …` comment on
    that line who did.
    """
    for function in ast.walk(tree):
        if not isinstance(function, FUNCTION):
            continue
        if _looks_at_digits(function):
            continue
        for node in ast.walk(function):
            match node:
                case ast.Call(func=ast.Name(id="int"), args=[argument, *_]):
                    if not _may_be_text(argument):
                        continue
                    yield node.lineno, "int() of something whose digits nobody checked here (Y1)"


def _looks_at_digits(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function calls a pattern or a predicate of digits, or is handed a match."""
    if any(
        "Match[" in ast.unparse(argument.annotation or argument) for argument in function.args.args
    ):
        return True
    called: set[str] = set()
    for node in ast.walk(function):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                called.add(name)
    # The methods of str take every script's digits.
    if called & {"isdigit", "isdecimal"}:
        return "isascii" in called
    return bool(called & {"match", "fullmatch"}) or any("digit" in name for name in called)


def _may_be_text(argument: ast.expr) -> bool:
    """Whether the argument of an int() could be text: not for literals, arithmetic and
    comparisons.
    """
    return not isinstance(
        argument, ast.Constant | ast.BinOp | ast.Compare | ast.UnaryOp | ast.BoolOp
    )


AST_RULES: tuple[Rule, ...] = (
    no_assert,
    no_banned_imports,
    no_evaluation,
    no_pattern_in_function,
    checked_integers,
)


def check_source(path: Path, rules: tuple[Rule, ...] = AST_RULES) -> Iterator[str]:
    """Apply the rules that read the syntax tree."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    tree = ast.parse(text)
    for rule in rules:
        for line, problem in rule(tree):
            if rule is checked_integers and "# Y1:" in lines[line - 1]:
                continue
            yield f"{path}:{line}: {problem}"


def check_comments(path: Path) -> Iterator[str]:
    """A comment that silences a tool says why; coverage is never silenced."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if re.search(r"#\s*pragma: no (cover|branch)", line):
            yield f"{path}:{number}: coverage is silenced"
        silenced = SILENCED.search(line)
        if silenced and not silenced["rest"].strip(" #"):
            yield f"{path}:{number}: a tool is silenced without a reason beside it"


def patterns(module: ModuleType) -> Iterator[tuple[str, re.Pattern[str] | re.Pattern[bytes]]]:
    """The compiled patterns that are a module's or its classes' attributes."""
    own = [value for value in vars(module).values() if isinstance(value, type)]
    spaces = [module, *(value for value in own if value.__module__ == module.__name__)]
    for space in spaces:
        for name, value in vars(space).items():
            if isinstance(value, re.Pattern):
                yield name, value


def check_patterns(module: ModuleType) -> Iterator[str]:
    r"""Y3: a pattern means ASCII; it ends with `\Z`, as `$` lets a newline pass.

    In a pattern of str, `\d`, `\w`, `\s`, `\b` and IGNORECASE reach beyond ASCII unless re.ASCII is
    set.
    """
    for name, pattern in patterns(module):
        text = pattern.pattern
        if (
            isinstance(text, str)
            and not pattern.flags & re.ASCII
            and reaches_beyond(text, pattern.flags)
        ):
            yield f"{module.__name__}.{name}: a pattern of str without re.ASCII (Y3)"
        if has_dollar(text if isinstance(text, str) else text.decode("latin-1")):
            yield rf"{module.__name__}.{name}: `$` where `\Z` is meant (Y3)"


def reaches_beyond(pattern: str, flags: int) -> bool:
    """Whether a pattern of str matches other alphabets' characters without naming them."""
    escapes = {escape[1] for escape in re.findall(r"\\.", pattern, flags=re.DOTALL)}
    return bool(flags & re.IGNORECASE or escapes & set("dDwWsSbB"))


def has_dollar(pattern: str) -> bool:
    """Whether a pattern holds `$` as an anchor: not escaped and not inside a character class."""
    without_escapes = re.sub(r"\\.", "", pattern, flags=re.DOTALL)
    return "$" in re.sub(r"\[\^?\]?[^\]]*\]", "", without_escapes)


def check_tests(path: Path) -> Iterator[str]:
    """A test is run or left out by its server; it is never skipped, expected to fail or mocked."""
    tree = ast.parse(path.read_bytes())
    for line, problem in no_banned_imports(tree):
        # Proving that an exception survives pickling is what pickle may be used for.
        if problem != "imports pickle":
            yield f"{path}:{line}: {problem}"
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr="skip" | "skipif" | "xfail" | "importorskip"):
                if "pytest" in ast.unparse(node.value):
                    yield f"{path}:{node.lineno}: {ast.unparse(node)}"
            case ast.Call(func=ast.Attribute(value=ast.Name(id="time"), attr="sleep")):
                yield f"{path}:{node.lineno}: time.sleep"
