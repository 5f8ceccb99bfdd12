"""`UploadTracker`: how far the content of a request has come on its way out."""

import asyncio
from collections.abc import Coroutine
from typing import Any, final

from wayfare_http_core import ExchangeOptions, UploadAbortedError

from ._response import ClientResponse

__all__ = ("UploadTracker",)


@final
class UploadTracker:
    """Give one as `upload_tracker=` to a request, and look at it from elsewhere while the request is under way.

    `attempts` is how often the content was begun with (a redirect or a retry may send it again), `bytes_written` how
    many octets of the present attempt were handed to the transport, codings and chunks not counted.

    Raises, where it is given to a second request: RuntimeError.
    """

    __slots__ = (
        "_aborted",
        "_future",
        "_over",
        "_sending",
        "_used",
        "_whole",
        "attempts",
        "bytes_written",
    )

    def __init__(self) -> None:
        self.attempts = 0
        self.bytes_written = 0
        self._used = False
        self._sending = False
        self._whole = False
        self._over = False
        self._aborted: UploadAbortedError | None = None
        self._future: asyncio.Future[None] | None = None

    @property
    def upload_complete(self) -> "asyncio.Future[None]":
        """Done when the content was sent whole; fails with `UploadAbortedError` when it never will be.

        Of the running loop: ask for it while one runs.
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

    def options(self, base: ExchangeOptions) -> ExchangeOptions:
        """The options of an exchange that tells this tracker."""
        return base._replace(on_sent=self._sent, on_upload_end=self._ended)

    async def watch(self, request: Coroutine[Any, Any, ClientResponse]) -> ClientResponse:
        """Await the request; when it is over, no further attempt will come.

        Raises, Cancellation: as the request.
        """
        try:
            response = await request
        except BaseException as exc:
            self._aborted = self._aborted or UploadAbortedError("the request failed")
            self._aborted.__cause__ = exc
            raise
        finally:
            self._over = True
            self._settle()
        return response

    def _sent(self, octets: int) -> None:
        if not self._sending:
            self._sending = True
            self._whole = False
            self.attempts += 1
            self.bytes_written = 0
        self.bytes_written += octets

    def _ended(self, error: UploadAbortedError | None) -> None:
        if not self._sending and error is None:
            self.attempts += 1  # content of no octets
        self._sending = False
        self._whole = error is None
        self._aborted = error
        self._settle()

    def _settle(self) -> None:
        """Tell whoever waits, if it is decided."""
        future = self._future
        if future is None or future.done():
            return
        if self._over and self._aborted is not None:
            future.set_exception(self._aborted)
            # Nobody has to look: it is the request's own error once more.
            future.exception()
        elif self._over and not self._sending:
            future.set_result(None)
