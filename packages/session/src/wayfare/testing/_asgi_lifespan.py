"""`Lifespan`: an ASGI application's startup and shutdown, in a task of its own."""

import asyncio
from collections.abc import Callable
from typing import Any, final

__all__ = ("Lifespan",)


@final
class Lifespan:
    """Starts an application once, and stops it once."""

    def __init__(self, application: Callable[..., Any]) -> None:
        self.state: dict[str, Any] = {}
        """What the application keeps for its requests; each gets a copy."""
        self._app = application
        self._task: asyncio.Task[None] | None = None
        self._started: asyncio.Future[None] | None = None
        self._stopped: asyncio.Future[None] | None = None
        self._told_to_stop = asyncio.Event()
        self._greeted = False

    async def start(self) -> None:
        """Return when the application has started; it is asked to only once.

        Raises: what it raises, RuntimeError where it says that it failed.
        Cancellation: safe; the startup goes on.
        """
        if self._started is None:
            loop = asyncio.get_running_loop()
            self._started, self._stopped = loop.create_future(), loop.create_future()
            self._task = loop.create_task(self._run(self._started, self._stopped))
        await asyncio.shield(self._started)

    async def stop(self) -> None:
        """Return when the application has shut down; at once if it never started.

        Raises: what it raises, RuntimeError where it says that it failed.
        Cancellation: the application is cancelled.
        """
        task, started, stopped = self._task, self._started, self._stopped
        if task is None or started is None or stopped is None:
            return
        self._task = None
        try:
            if started.done() and started.exception() is None:
                self._told_to_stop.set()
                await asyncio.wait([stopped, task], return_when=asyncio.FIRST_COMPLETED)
        finally:
            task.cancel()
            await asyncio.wait([task])
        if stopped.done():
            stopped.result()

    async def _run(self, started: "asyncio.Future[None]", stopped: "asyncio.Future[None]") -> None:
        version = {"version": "3.0", "spec_version": "2.0"}
        scope = {"type": "lifespan", "asgi": version, "state": self.state}
        error: Exception | None = None
        try:
            await self._app(scope, self._receive, self._send)
        except Exception as exc:
            error = exc
        finally:
            if not started.done():
                why = error or RuntimeError("the application returned before it had started")
                started.set_exception(why)
                # It may be that nobody waits for it any more.
                started.exception()
            elif error is not None and not stopped.done():
                stopped.set_exception(error)

    async def _receive(self) -> dict[str, Any]:
        if not self._greeted:
            self._greeted = True
            return {"type": "lifespan.startup"}
        await self._told_to_stop.wait()
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: dict[str, Any]) -> None:
        kind, text = message["type"], message.get("message", "")
        future = self._started if kind.startswith("lifespan.startup.") else self._stopped
        if future is None or future.done() or kind not in _OUTCOMES:
            raise RuntimeError(f"{kind} has no place here")
        if kind.endswith(".complete"):
            future.set_result(None)
        else:
            stage = kind.split(".")[1]
            future.set_exception(RuntimeError(f"the application's {stage} failed: {text}"))
            future.exception()


_OUTCOMES = frozenset(
    f"lifespan.{stage}.{end}" for stage in ("startup", "shutdown") for end in ("complete", "failed")
)
