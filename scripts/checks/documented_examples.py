"""The blocks of Python and of shell sessions on a Markdown page, taken out and run.

A page's blocks run in order and share their names, as a reader would type them. A block may await
at its top level. A block of `text` that follows directly after one of Python is what the page says
the program prints. A block of `console` is a shell session: its lines that begin with `$ ` are run,
and what stands below each is what it prints. `<!-- needs: NAME -->` right before a block says that it
needs a server of scripts/services.sh.
"""

import ast
import asyncio
import contextlib
import inspect
import io
import os
import re
import subprocess
import sys
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
    """One block: where it starts, what it says, and what it is said to print."""

    page: Path
    line: int
    code: str
    is_session: bool = False
    output: str | None = None
    needs: str | None = None


class ExampleError(AssertionError):
    """A documented example prints something other than its page says."""


def blocks(page: Path) -> list[Block]:
    """The blocks of a page that can be run, in order."""
    text = page.read_text(encoding="utf-8")
    found = list(FENCE.finditer(text))
    result = []
    for index, fence in enumerate(found):
        if fence["language"] not in ("python", "console"):
            continue
        is_session = fence["language"] == "console"
        output = None
        if index + 1 < len(found) and not is_session:
            following = found[index + 1]
            if (
                following["language"] == "text"
                and not text[fence.end() : following.start()].strip()
            ):
                output = following["code"]
        line = text.count("\n", 0, fence.start("code")) + 1
        needs = NEEDS.search(text, 0, fence.start())
        needed = needs and needs[1]
        result.append(Block(page, line, fence["code"], is_session, output, needed))
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
            if block.is_session:
                run_session(block, replace or {})
            else:
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


def commands(session: str) -> list[tuple[str, str]]:
    """The commands of a shell session, each with what it is said to print; `> ` goes on with one."""
    result: list[tuple[str, str]] = []
    for line in session.splitlines(keepends=True):
        if line.startswith("$ "):
            result.append((line.removeprefix("$ "), ""))
        elif line.startswith("> ") and result and not result[-1][1]:
            result[-1] = (result[-1][0] + line.removeprefix("> "), "")
        elif result:
            result[-1] = (result[-1][0], result[-1][1] + line)
        else:
            raise ValueError(f"a session begins with a command, not with {line!r}")
    return result


def run_session(block: Block, replace: dict[str, str]) -> None:
    """Run the commands of a shell session, and compare what each prints on either output."""
    # The programs that are installed beside the interpreter, as in an environment that is in use.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    for command, expected in commands(block.code):
        for shown, real in replace.items():
            command = command.replace(shown, real)
        done = subprocess.run(
            command,
            shell=True,
            env={**os.environ, "PATH": path, "COLUMNS": "100"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        output = done.stdout
        for shown, real in replace.items():
            output = output.replace(real, shown)
        # The prompt would stand behind a last line without an end; a page breaks the line there.
        if output and not output.endswith("\n"):
            output += "\n"
        if output != expected:
            raise ExampleError(f"{block.page}:{block.line}: printed {output!r}, not {expected!r}")
