"""The Python blocks of a Markdown page, taken out and run.

A page's blocks run in order and share their names, as a reader would type them. A block may await
at its top level. A block of `text` that follows directly after one of Python is what the page says
the program prints. `<!-- needs: NAME -->` right before a block says that it needs a server of
scripts/services.sh.
"""

import ast
import asyncio
import contextlib
import inspect
import io
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<code>.*?)^(?P=indent)```$\n?",
    re.DOTALL | re.MULTILINE,
)
NEEDS = re.compile(r"<!-- needs: (\w+) -->\s*\Z")


@dataclass(frozen=True, slots=True)
class Block:
    """One Python block: where it starts, what it says, and what it is said to print."""

    page: Path
    line: int
    code: str
    output: str | None = None
    needs: str | None = None


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
        needs = NEEDS.search(text, 0, fence.start())
        result.append(Block(page, line, fence["code"], output, needs and needs[1]))
    return result


def needed_services(page: Path) -> list[str]:
    """The servers without which some of the page's examples cannot run."""
    return sorted({block.needs for block in blocks(page) if block.needs})


def run_page(
    page: Path, replace: dict[str, str] | None = None, services: Collection[str] = ()
) -> int:
    """Run a page's blocks, those that need no other server than `services`; how many were run.

    `replace` maps addresses that the page shows to those of a running server. Raises: whatever a
    block raises, or `ExampleError` where its output differs from the page.
    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    found = [block for block in blocks(page) if block.needs is None or block.needs in services]
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
