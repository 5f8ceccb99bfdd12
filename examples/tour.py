"""Walks through the steps of an example: shows each exchange, checks it, and adds up at the end.

A step is an async function that takes the `Tour`; the first line of its docstring is its title. It
calls `Tour.show` with what was sent and came back, and `Tour.verify` with what must then be true.
A step counts as verified when it made at least one claim, all its claims held and nothing was
raised. Further lines of its docstring are shown below the title.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias, final

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.pretty import Pretty
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text
from wayfare import ClientResponse, ClientSession

_STEP_SECONDS = 60.0


@final
@dataclass(slots=True)
class Outcome:
    """What became of one step."""

    title: str
    held: int = 0
    failed: int = 0
    seconds: float = 0.0

    @property
    def verified(self) -> bool:
        """Whether the step claimed something, and nothing of it was wrong."""
        return self.held > 0 and self.failed == 0


@final
@dataclass(slots=True, kw_only=True)
class Tour:
    """What the steps share, and their way to the terminal.

    `session` has httpbin as its base URL; `bodies` is the base URL of the server of large bodies.
    """

    session: ClientSession
    bodies: str
    console: Console
    outcomes: list[Outcome] = field(default_factory=list)

    def show(self, response: ClientResponse, answer: object = None, **sent: object) -> None:
        """Print a request line with what was `sent`, then the status line with the `answer`."""
        line = Text.assemble((response.method, "bold cyan"), f" {response.url.raw_path_qs}")
        given = [Text.assemble((f"{name}=", "dim"), repr(value)) for name, value in sent.items()]
        self._arrow("→", line, *given)
        colour = "bold green" if response.ok else "bold yellow"
        kind = response.headers.get("Content-Type", "")
        line = Text.assemble((f"{response.status} {response.reason}", colour), (f"  {kind}", "dim"))
        self._arrow("←", line, *() if answer is None else (Pretty(answer, max_string=80),))

    def show_error(self, request: str, error: BaseException) -> None:
        """Print a `request` and the `error` it ended in."""
        self._arrow("→", Text(request))
        name = Text(type(error).__name__, "bold magenta")
        self._arrow("←", name, *(Text(line) for line in str(error).splitlines()))

    def verify(self, claim: str, holds: bool) -> None:
        """Print `claim` and whether it `holds`; the step fails if it does not."""
        outcome = self.outcomes[-1]
        if holds:
            outcome.held += 1
            self.console.print(Text.assemble(("  ✔ ", "green"), claim))
        else:
            outcome.failed += 1
            self.console.print(Text.assemble(("  ✘ ", "bold red"), (claim, "red")))

    @contextmanager
    def progress(self, label: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show a progress bar over `total` bytes; yields the function to report each advance to."""
        columns = (
            TextColumn(f"  {label}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
        )
        with Progress(*columns, console=self.console) as bar:
            task = bar.add_task(label, total=total)

            def advance(size: int) -> None:
                bar.advance(task, size)

            yield advance

    def _arrow(self, arrow: str, *lines: RenderableType) -> None:
        """Print `lines` below each other, to the right of `arrow`."""
        grid = Table.grid(padding=(0, 1))
        for line in lines:
            grid.add_row(f"  {arrow}", line)
            arrow = " "
        self.console.print(grid)


Step: TypeAlias = Callable[[Tour], Awaitable[None]]


async def run(tour: Tour, steps: Sequence[Step]) -> bool:
    """Run `steps` in order, whether or not earlier ones failed; return whether all were verified.

    Cancellation: the step in hand is cancelled, and nothing is added up.
    """
    for number, step in enumerate(steps, start=1):
        await _run_step(tour, number, step)
    _add_up(tour)
    return all(outcome.verified for outcome in tour.outcomes)


async def _run_step(tour: Tour, number: int, step: Step) -> None:
    title, _, note = inspect.cleandoc(step.__doc__ or "").partition("\n")
    outcome = Outcome(title.rstrip("."))
    tour.outcomes.append(outcome)
    tour.console.rule(f"[bold]{number}[/] · {outcome.title}", align="left", style="dim")
    if note:
        tour.console.print(Padding(Text(note.strip(), "dim italic"), (0, 2)))
    started = time.perf_counter()
    try:
        async with asyncio.timeout(_STEP_SECONDS):
            await step(tour)
    except Exception as error:  # A step may fail in any way, and the tour goes on to the next one.
        tour.verify(f"no exception, but {type(error).__name__}: {error}", False)
    outcome.seconds = time.perf_counter() - started
    if not outcome.held and not outcome.failed:
        tour.verify("the step came to the point where something can be verified", False)
    tour.console.print()


def _add_up(tour: Tour) -> None:
    table = Table("", "step", "verified", "time", box=None, header_style="dim", pad_edge=False)
    for outcome in tour.outcomes:
        mark = "[green]✔[/]" if outcome.verified else "[bold red]✘[/]"
        claims = f"{outcome.held} of {outcome.held + outcome.failed}"
        table.add_row(mark, outcome.title, claims, f"{outcome.seconds:.2f} s")
    tour.console.print(table)
    verified = sum(outcome.verified for outcome in tour.outcomes)
    colour = "bold green" if verified == len(tour.outcomes) else "bold red"
    tour.console.print(
        f"\n{verified} of {len(tour.outcomes)} steps verified", style=colour, highlight=False
    )
