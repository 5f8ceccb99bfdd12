"""The Python blocks of a Markdown page, taken out and run.

A page's blocks run in order and share their names, as a reader would type them. A block may await
at its top level. A block of `text` that follows directly after one of Python is what the page says
the program prints. `<!-- needs: NAME -->` before a block says that its page needs a server of
scripts/services.sh.
"""

import ast
import asyncio
import contextlib
import inspect
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<code>.*?)^(?P=indent)```$\n?",
    re.DOTALL | re.MULTILINE,
)
NEEDS = re.compile(r"<!-- needs: (\w+) -->")


@dataclass(frozen=True, slots=True)
class Block:
    """One Python block: where it starts, what it says, and what it is said to print."""

    page: Path
    line: int
    code: str
    output: str | None = None


class ExampleError(AssertionError):
    """A documented example prints something other than its page says."""


def blocks(page: Path) -> list[Block]:
    """The Python blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = list(FENCE.finditer(text))
    result = []
    for index, fence in enumerate(found):
        if fence["language"] != "python":
            continue
        output = None
        if index + 1 < len(found):
            following = found[index + 1]
            if (
                following["language"] == "text"
                and not text[fence.end() : following.start()].strip()
            ):
                output = following["code"]
        line = text.count("\n", 0, fence.start("code")) + 1
        result.append(Block(page, line, fence["code"], output))
    return result


def needed_services(page: Path) -> list[str]:
    """The servers without which the page's examples cannot run."""
    return sorted(set(NEEDS.findall(page.read_text(encoding="utf-8"))))


def run_page(page: Path, replace: dict[str, str] | None = None) -> int:
    """Run a page's blocks; the number of blocks.

    `replace` maps addresses that the page shows to those of a running server. Raises: whatever a
    block raises, or `ExampleError` where its output differs from the page.
    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    found = blocks(page)
    with asyncio.Runner() as runner:
        for block in found:
            run_block(block, namespace, runner, replace or {})
    return len(found)


def run_block(
    block: Block, namespace: dict[str, Any], runner: asyncio.Runner, replace: dict[str, str]
) -> None:
    """Run one block and compare what it prints."""
    code = block.code
    for shown, real in replace.items():
        code = code.replace(shown, real)
    # Line numbers of the page, so that a traceback points into it.
    source = "\n" * (block.line - 1) + code
    program = compile(source, str(block.page), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        if program.co_flags & inspect.CO_COROUTINE:
            runner.run(eval(program, namespace))
        else:
            exec(program, namespace)
    output = printed.getvalue()
    for shown, real in replace.items():
        output = output.replace(real, shown)
    if block.output is not None and output != block.output:
        raise ExampleError(f"{block.page}:{block.line}: printed {output!r}, not {block.output!r}")
