"""`HARRecorder`: a middleware that keeps every exchange for an HTTP Archive (HAR 1.2)."""

import asyncio
import json
import sys
from collections import deque
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from ._har_entry import HAREntry
from ._redaction import Redaction
from ._version import __version__
from ._whole_file import write_whole

if TYPE_CHECKING:
    from ._middlewares import ClientHandlerType
    from ._request import ClientRequest
    from ._response import ClientResponse

__all__ = ("HARRecorder",)


@final
class HARRecorder:
    """Keeps what is sent and what comes, for the tools of browsers to show: a middleware of a session or a request.

    Each exchange is an entry: a redirect, another attempt of a middleware further out, a request that failed. Secrets
    are taken out by `redaction`; None keeps them. Of content up to `max_body` octets are kept, on either side: 0 keeps
    none. Content is kept as it is read, so what nobody reads is not in the archive; content of a request that can be
    sent only once is not, either. The oldest entries are dropped when there are more than `max_entries`, or when all of
    them have more than `max_total` octets in their URLs, fields and content; None is no such limit.

    It is not for one session alone. Entries are in the order in which their requests were sent.
    """

    def __init__(
        self,
        *,
        max_body: int = 64 * 1024,
        max_entries: int = 10_000,
        max_total: int | None = 64 * 1024 * 1024,
        redaction: Redaction | None = Redaction(),  # noqa: B008 - immutable
    ) -> None:
        if max_body < 0 or max_entries < 1 or (max_total or 0) < 0:
            raise ValueError("no limit can be negative, and max_entries must be positive")
        self._max_body = max_body
        self._redaction = redaction
        self._max_entries = max_entries
        self._max_total = max_total
        self._entries: deque[HAREntry] = deque()
        self._total = 0

    async def __call__(
        self, request: "ClientRequest", handler: "ClientHandlerType"
    ) -> "ClientResponse":
        """Send the request, and keep what comes of it.

        Raises, Cancellation: as the handler; both become entries.
        """
        loop = asyncio.get_running_loop()
        if len(self._entries) == self._max_entries:
            self._drop_oldest()
        entry = HAREntry(request, datetime.now(UTC), self._redaction, self._max_body, self._grew)
        self._entries.append(entry)
        self._grew(entry.octets)
        started = loop.time()
        try:
            response = await handler(request)
        except BaseException as exc:
            entry.fail(exc, loop.time() - started)
            raise
        entry.answer(response, loop.time() - started)
        return response

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        """Forget all entries."""
        while self._entries:
            self._drop_oldest()

    def _grew(self, octets: int) -> None:
        """So many octets more are kept."""
        self._total += octets
        if self._max_total is not None:
            while self._total > self._max_total and self._entries:
                self._drop_oldest()

    def _drop_oldest(self) -> None:
        entry = self._entries.popleft()
        self._total -= entry.octets
        entry.drop()

    def archive(self) -> dict[str, Any]:
        """The archive as JSON has it: `{"log": {"version": "1.2", …}}`."""
        python = ".".join(map(str, sys.version_info[:3]))
        return {
            "log": {
                "version": "1.2",
                "creator": {
                    "name": "wayfare",
                    "version": __version__,
                    "comment": f"Python {python}",
                },
                "entries": [entry.as_json() for entry in self._entries],
            }
        }

    async def save(self, path: str | PathLike[str]) -> None:
        """Write the archive to a file, whole or not at all, in a thread.

        Raises: OSError where it cannot be written.
        Cancellation: the writing goes on.
        """
        archive = self.archive()
        await asyncio.to_thread(_write, Path(path), archive)


def _write(path: Path, archive: dict[str, Any]) -> None:
    write_whole(path, json.dumps(archive, ensure_ascii=False, indent=1))
