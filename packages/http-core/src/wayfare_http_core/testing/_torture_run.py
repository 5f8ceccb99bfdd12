"""One run of a scenario under torture, and the questions that are asked after it."""

import asyncio
import gc
import sys
import warnings
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeAlias, final

from ._clock import DeadlockError, FakeClockLoop
from ._injection import Disturbance, Injection, Moment, SteppedCoroutine
from ._world import Scenario, World

__all__ = ("Rules", "ScenarioFactory", "TortureRun")

ScenarioFactory: TypeAlias = Callable[[World], Scenario]

_MAX_LINGERING_ROUNDS = 20


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is allowed: see `torture` for the fields."""

    allowed_errors: tuple[type[BaseException], ...]
    lingering_timers: tuple[str, ...]
    patience: float


@final
class TortureRun:
    """Plays a scenario once on a fresh loop. `play` once, then read `points` and `violations`."""

    def __init__(
        self,
        factory: ScenarioFactory,
        rules: Rules,
        injection: Injection | None,
        moment: Moment = Moment.YIELD,
        point: int = 0,
    ) -> None:
        self.points = {Moment.YIELD: 0, Moment.TICK: 0}
        """How many moments of each kind the operation had."""
        self.violations: list[str] = []
        self.acted = injection is None
        """Whether the injection found something to act upon."""
        self._factory = factory
        self._rules = rules
        self._injection = injection
        self._moment = moment
        self._point = point
        self._phase = "setup"

    def play(self) -> "TortureRun":
        """Run the scenario; whatever it does wrong becomes a violation."""
        complaints: list[str] = []
        old_hook = sys.unraisablehook
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            sys.unraisablehook = lambda args: complaints.append(f"unraisable: {args.exc_value!r}")
            try:
                hung = self._play_on(FakeClockLoop(), complaints)
            finally:
                sys.unraisablehook = old_hook
        if not hung:
            complaints.extend(f"warning: {warning.message}" for warning in caught)
            self.violations.extend(complaints)
        return self

    def _play_on(self, loop: FakeClockLoop, complaints: list[str]) -> bool:
        def complain(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            complaints.append(f"loop: {context['message']}: {context.get('exception')!r}")

        loop.set_exception_handler(complain)
        try:
            loop.run_until_complete(self._drive(loop))
        except DeadlockError as exc:
            self.violations.append(f"hang during {self._phase}: {exc}")
            _cancel_everything(loop)
            return True
        else:
            # What the run left in cycles complains now: unretrieved exceptions, unclosed transports.
            gc.collect()
            return False
        finally:
            loop.close()

    async def _drive(self, loop: FakeClockLoop) -> None:
        world = World(loop)
        scenario = self._factory(world)
        await scenario.setup()
        await loop.settled()
        baseline = asyncio.all_tasks()

        self._phase = "run"
        await self._disturb(scenario, world)
        await loop.settled()
        self._check_transports(world, scenario.idle_transports())
        self._check_tasks(baseline, "after the run")
        self.violations.extend(scenario.violations())

        self._phase = "follow-up"
        await self._attempt(scenario.follow_up())
        self._phase = "close"
        await self._attempt(scenario.close())
        await loop.settled()
        self._check_transports(world, 0)
        self._check_tasks(baseline, "after close")
        for server in world.servers:
            self.violations.extend(f"a server was sent nonsense: {exc!r}" for exc in server.errors)
        await self._check_timers(world)
        world.drop_servers()
        await loop.settled()

    async def _disturb(self, scenario: Scenario, world: World) -> None:
        disturbance = Disturbance(self._injection, self._moment, self._point, world)
        stepped = SteppedCoroutine(scenario.run(), disturbance.on_yield)
        task = asyncio.get_running_loop().create_task(stepped, name="tortured")
        disturbance.task = task
        world.loop.watch_iterations(disturbance.on_tick)
        await asyncio.wait({task})
        world.loop.watch_iterations(None)
        world.network.client_transports.on_delivery = None
        self.points = {Moment.YIELD: stepped.points, Moment.TICK: disturbance.ticks}
        self.acted = self.acted or disturbance.at is not None
        self._check_outcome(task, disturbance)
        if disturbance.at is not None:
            took = world.loop.time() - disturbance.at
            if took > self._rules.patience:
                self.violations.append(f"run ended only {took:g} seconds after the injection")

    def _check_outcome(self, task: "asyncio.Task[None]", disturbance: Disturbance) -> None:
        if not disturbance.reached and self._injection is not None:
            self.violations.append(
                f"run never came to {self._moment} {self._point}: it is not deterministic"
            )
        if task.cancelled():
            if not disturbance.cancelled:
                self.violations.append("run ended with CancelledError although nobody cancelled it")
            return
        exc = task.exception()
        if disturbance.cancelled:
            ending = "with success" if exc is None else f"with {exc!r}"
            self.violations.append(f"the cancellation was swallowed: run ended {ending}")
        elif exc is not None and (
            not self.acted
            or self._injection is None
            or self._injection.cancels
            or not isinstance(exc, self._rules.allowed_errors)
        ):
            self.violations.append(f"run ended with {exc!r}")

    async def _attempt(self, part: Coroutine[Any, Any, None]) -> None:
        try:
            await part
        except Exception as exc:
            self.violations.append(f"{self._phase} failed with {exc!r}")

    def _check_transports(self, world: World, expected: int) -> None:
        found = world.open_transports
        if len(found) != expected:
            listed = ", ".join(map(repr, found)) or "none"
            self.violations.append(
                f"{len(found)} transports open after {self._phase}, {expected} expected: {listed}"
            )

    def _check_tasks(self, baseline: "set[asyncio.Task[Any]]", when: str) -> None:
        for task in asyncio.all_tasks() - baseline:
            self.violations.append(f"a task is left {when}: {task!r}")

    async def _check_timers(self, world: World) -> None:
        """Every pending timer must be one that may linger, and lingering must have an end."""
        for timer in world.client_timers():
            if not any(name in repr(timer) for name in self._rules.lingering_timers):
                self.violations.append(f"a timer is left after close: {timer!r}")
        for _ in range(_MAX_LINGERING_ROUNDS):
            timers = world.client_timers()
            if not timers:
                return
            world.loop.jump_to(timers[0].when())
            await world.loop.settled()
        self.violations.append(f"a timer is armed again and again: {timers[0]!r}")


def _cancel_everything(loop: asyncio.AbstractEventLoop) -> None:
    """Give a hung run's tasks the chance to end; what they do then was never promised."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    try:
        loop.run_until_complete(asyncio.wait(tasks))
    except DeadlockError:
        return
