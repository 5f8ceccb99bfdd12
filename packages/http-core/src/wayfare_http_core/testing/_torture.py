"""Torture: disturb an operation at every point where it waits, in every way, and look for damage.

An operation that awaits K times has K points at which the world can change behind its back, and
more while it waits there: every iteration of the loop. The harness runs the scenario once to count
both and then once for each point and each `Injection`, each time from scratch. After every run the
same questions are asked: did the operation end, and in a way that is allowed? Is a transport, a
task or a timer left? Did the loop, the warnings or the garbage collector complain? Does the client
still work?

The method is that of curl's torture tests, which let every single allocation fail in turn.
"""

import gc
from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from wayfare_http_core._errors import ClientError

from ._injection import Injection, Moment
from ._torture_run import Rules, ScenarioFactory, TortureRun

__all__ = ("TortureError", "TortureFailure", "TortureReport", "await_points", "torture")

_SHOWN_FAILURES = 20


@final
@dataclass(frozen=True, slots=True)
class TortureFailure:
    """A run that did damage. `only=(injection, moment, point)` replays it."""

    injection: Injection | None
    """None in the run that was not disturbed."""
    moment: Moment
    point: int
    violations: tuple[str, ...]

    def __str__(self) -> str:
        title = "undisturbed"
        if self.injection is not None:
            title = f"only=({self.injection.value!r}, {self.moment.value!r}, {self.point})"
        return "\n".join([f"{title}:", *(f"  - {line}" for line in self.violations)])


@final
@dataclass(frozen=True, slots=True)
class TortureReport:
    """What a sweep did."""

    points: int
    """How often the operation yields."""
    ticks: int
    """How many iterations of the loop it takes."""
    runs: int
    acted: int
    """The runs in which the injection found something to act upon."""


@final
class TortureError(AssertionError):
    """Some runs did damage: `failures` has them, the message shows the first ones."""

    def __init__(self, failures: Iterable[TortureFailure], runs: int) -> None:
        self.failures = tuple(failures)
        self.runs = runs
        super().__init__(self.failures, runs)

    def __str__(self) -> str:
        shown = "\n".join(map(str, self.failures[:_SHOWN_FAILURES]))
        return f"{len(self.failures)} of {self.runs} runs did damage\n{shown}"


def await_points(factory: ScenarioFactory) -> int:
    """How often the scenario's operation yields to the loop when nothing disturbs it.

    Raises: TortureError when it fails or leaves something behind.
    """
    return torture(factory, injections=()).points


def torture(
    factory: ScenarioFactory,
    *,
    injections: Iterable[Injection] = tuple(Injection),
    allowed_errors: tuple[type[BaseException], ...] = (ClientError, TimeoutError),
    lingering_timers: tuple[str, ...] = (),
    patience: float = 60.0,
    only: tuple[str, str, int] | None = None,
) -> TortureReport:
    """Run the scenario undisturbed, then once for each injection at each point of the operation.

    `factory` makes the scenario for a world; call this where no event loop runs. Undisturbed the
    operation must succeed. Cancelled, it must end with CancelledError; disturbed otherwise, it must
    succeed or raise one of `allowed_errors`, within `patience` seconds of the loop's clock (so that
    a lost wake-up is not hidden by a generous timeout). Afterwards must hold: only the transports
    that the scenario calls idle are open, and none after `close`; no task is left; no timer is
    pending, except those whose repr contains one of `lingering_timers`, and these must come to rest;
    the loop's exception handler, warnings and unraisable errors are silent; the scenario has no
    violations of its own to report; its follow-up succeeds. `only` replays one run.

    Raises: TortureError with every run that did damage.
    """
    rules = Rules(
        allowed_errors=allowed_errors, lingering_timers=lingering_timers, patience=patience
    )
    failures: list[TortureFailure] = []
    runs = acted = 0

    def play(injection: Injection | None, moment: Moment, point: int) -> TortureRun:
        nonlocal runs, acted
        run = TortureRun(factory, rules, injection, moment, point).play()
        runs += 1
        acted += run.acted
        if run.violations:
            failures.append(TortureFailure(injection, moment, point, tuple(run.violations)))
        return run

    # Whatever exists by now is not the runs' doing: frozen, it costs their collections nothing.
    gc.collect()
    gc.freeze()
    try:
        points = play(None, Moment.YIELD, 0).points
        if only is not None:
            play(Injection(only[0]), Moment(only[1]), only[2])
        elif not failures:
            for injection in injections:
                for moment in injection.moments:
                    for point in range(1, points[moment] + 1):
                        play(injection, moment, point)
    finally:
        gc.unfreeze()
    if failures:
        raise TortureError(failures, runs)
    return TortureReport(points[Moment.YIELD], points[Moment.TICK], runs, acted)
