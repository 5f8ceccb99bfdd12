"""`UploadTracker` and `on_progress`: how far the content of a request has come on its way out."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Generator
from typing import Any, final

from wayfare_http_core import ExchangeOptions, RequestBody, UploadAbortedError

from ._response import ClientResponse

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("UploadTracker", "UploadWatch")


@final
class UploadTracker:
    """Give one as `upload_tracker=` to a request, and look at it from elsewhere while the request is under way.

    `attempts` is how often the content was begun with (a redirect or a retry may send it again), `bytes_written` how
    many octets of the latest attempt left for the kernel: of the content in its coding, chunks not counted.

    Raises, where it is given to a second request: RuntimeError.
    """

    __slots__ = (
        "_aborted",
        "_awaited",
        "_begun",
        "_future",
        "_over",
        "_pending",
        "_used",
        "_whole",
        "attempts",
        "bytes_written",
    )

    def __init__(self) -> None:
        self.attempts = 0
        self.bytes_written = 0
        self._used = False
        self._awaited = False
        self._pending = False
        """Whether the present attempt may still send some of its content."""
        self._begun = False
        self._whole = False
        self._over = False
        self._aborted: UploadAbortedError | None = None
        self._future: asyncio.Future[None] | None = None

    @property
    def upload_complete(self) -> "asyncio.Future[None]":
        """Done when the content was sent whole for the first time, or when the response to a request without any came.

        It fails with `UploadAbortedError` when the request is over and never sent it whole. Of the running loop: ask
        for it while one runs.
        """
        if self._future is None:
            self._future = asyncio.get_running_loop().create_future()
            self._settle()
        return self._future

    def begin(self) -> None:
        """Be given to a request.

        Raises: RuntimeError the second time.
        """
        if self._used:
            raise RuntimeError("an UploadTracker is for one request")
        self._used = True

    def expect(self, body: RequestBody | bytes | None) -> None:
        """Another attempt follows, with this content."""
        self._pending = body is not None and body != b""
        self._begun = False

    def sent(self, octets: int) -> None:
        """So many octets of content left."""
        self._begin_attempt()
        self.bytes_written += octets

    def ended(self, error: UploadAbortedError | None) -> None:
        """The content was sent whole, or no more of it will be."""
        self._pending = False
        if error is None:
            self._begin_attempt()  # content of no octets was not heard of before
            self._whole = True
        self._aborted = error
        self._settle()

    def watch(
        self, request: Callable[[], Coroutine[Any, Any, ClientResponse]]
    ) -> Coroutine[Any, Any, ClientResponse]:
        """What begins the request and awaits it; when it is over, no further attempt will come.

        Raises, Cancellation, when awaited: as the request.
        """
        return _Watched(self, self._watch(request))

    def drop(self) -> None:
        """The request will not begin, unless it has."""
        if not self._awaited:
            self._over = True
            self._aborted = UploadAbortedError("the request was given up before it began")
            self._settle()

    async def _watch(
        self, request: Callable[[], Coroutine[Any, Any, ClientResponse]]
    ) -> ClientResponse:
        self._awaited = True
        try:
            # Made only here: what is never awaited warns once, and what is closed before does not.
            return await request()
        except BaseException as exc:
            self._pending = False
            if self._aborted is None:
                self._aborted = UploadAbortedError("the request failed")
                self._aborted.__cause__ = exc
            raise
        finally:
            self._over = True
            self._settle()

    def _begin_attempt(self) -> None:
        if not self._begun:
            self._begun = True
            self.attempts += 1
            self.bytes_written = 0

    def _settle(self) -> None:
        """Tell whoever waits, if it is decided."""
        future = self._future
        if future is None or future.done():
            return
        if self._whole:
            future.set_result(None)
        elif self._over and not self._pending:
            if self._aborted is None:
                future.set_result(None)
                return
            future.set_exception(self._aborted)
            # Nobody has to look: it is the request's own error once more.
            future.exception()


@final
class _Watched(Coroutine[Any, Any, ClientResponse]):
    """A request's coroutine that tells its tracker when it ends before it began: no code of its own runs then."""

    __slots__ = ("_coroutine", "_tracker")

    def __init__(
        self, tracker: UploadTracker, coroutine: Coroutine[Any, Any, ClientResponse]
    ) -> None:
        self._tracker = tracker
        self._coroutine = coroutine

    @override
    def send(self, value: Any) -> Any:
        """Resume the request."""
        return self._coroutine.send(value)

    @override
    def throw(self, *args: Any) -> Any:
        """Raise inside the request; a task that is cancelled before its first step does that at once."""
        self._tracker.drop()
        return self._coroutine.throw(*args)

    @override
    def close(self) -> None:
        """Give the request up."""
        self._tracker.drop()
        self._coroutine.close()

    @override
    def __await__(self) -> Generator[Any, None, ClientResponse]:
        return self._coroutine.__await__()


@final
class UploadWatch:
    """Whom to tell of a request's content: a tracker, a callable, or both."""

    __slots__ = ("_on_progress", "_tracker")

    def __init__(
        self, tracker: UploadTracker | None, on_progress: Callable[[int, int | None], None] | None
    ) -> None:
        self._tracker = tracker
        self._on_progress = on_progress

    def options(self, base: ExchangeOptions, body: RequestBody | bytes | None) -> ExchangeOptions:
        """The options of the next attempt, which sends this content."""
        tracker = self._tracker
        if tracker is not None:
            tracker.expect(body)
            base = base._replace(on_sent=tracker.sent, on_upload_end=tracker.ended)
        if self._on_progress is None or body is None:
            return base
        total = len(body) if isinstance(body, bytes) else body.length
        return base._replace(on_sent=_reporter(self._on_progress, total, tracker))


def _reporter(
    on_progress: Callable[[int, int | None], None], total: int | None, tracker: UploadTracker | None
) -> Callable[[int], None]:
    sent = 0

    def report(octets: int) -> None:
        nonlocal sent
        sent += octets
        if tracker is not None:
            tracker.sent(octets)
        on_progress(sent, total)

    return report
