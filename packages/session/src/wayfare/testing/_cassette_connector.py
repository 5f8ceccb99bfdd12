"""`CassetteConnector`: asks the network once, and replays what it said ever after."""

import asyncio
import sys
from collections.abc import Callable, Collection
from os import PathLike
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, final

from wayfare_connector import BaseConnector, TCPConnector
from wayfare_http_core import FieldBlock, RequestHead

from wayfare._redaction import Redaction

from ._calls import MockCall
from ._cassette import (
    RecordedResponse,
    Recording,
    read_cassette,
    record,
    redacted_call,
    without_framing,
    write_cassette,
)
from ._expectations import listed
from ._incoming import IncomingRequest
from ._memory_connector import MemoryConnector
from ._mock_book import UnexpectedRequestError
from ._responder import WITHOUT_CONTENT, Responder

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("CassetteConnector", "CassetteMode", "Match")

CassetteMode: TypeAlias = Literal["replay", "record", "new"]
"""`replay` never asks the network; `record` always does, and begins a new file; `new` does for what is not in the file.
"""

Match: TypeAlias = "Collection[str] | Callable[[MockCall, MockCall], bool]"
"""In what a request must equal a recorded one: some of `method`, `url`, `host`, `path`, `query`, `body`; or a function
that is asked with the recorded one and the new one, both without secrets."""

_ASPECTS: Final[dict[str, Callable[[MockCall], object]]] = {
    "method": lambda call: call.method,
    "url": lambda call: (call.url.origin(), call.url.raw_path, sorted(call.url.query.items())),
    "host": lambda call: call.url.host,
    "path": lambda call: call.url.raw_path,
    "query": lambda call: sorted(call.url.query.items()),
    "body": lambda call: call.body,
}
_MADE_ANEW: Final = frozenset(
    ("connection", "content-length", "expect", "host", "transfer-encoding")
)
"""What the connection to the server makes by itself."""


@final
class CassetteConnector(MemoryConnector):
    """A connector whose answers are recorded in a file, once, and replayed from it, so that tests need no network.

    In the mode `replay` a request that is not in the file raises `UnexpectedRequestError`. Each recorded exchange is
    replayed once, in the order of the file. What was recorded is written when the connector is closed; responses are
    read whole before they are handed on, so streams without an end cannot be recorded, nor can upgrades.

    Secrets are taken out by `redaction`, in requests, responses and their content: fields, parameters, forms, parts,
    JSON. A program gets the real ones while it records, and `***` from the file. `match` says when a request is a
    recorded one. `connector` is the one that asks the network, a `TCPConnector` unless you give another; it is
    closed with this one.

    `options` are those of `BaseConnector`.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        mode: CassetteMode = "replay",
        *,
        connector: BaseConnector | None = None,
        match: Match = ("method", "url", "body"),
        redaction: Redaction | None = None,
        **options: Any,
    ) -> None:
        if mode not in ("replay", "record", "new"):
            raise ValueError(f"mode must be replay, record or new, not {mode!r}")
        if not callable(match):
            unknown = set(match) - _ASPECTS.keys()
            if isinstance(match, str) or unknown:
                raise ValueError(f"match can be some of {', '.join(_ASPECTS)}, not {match!r}")
        super().__init__(self._answer, **options)
        self.path = Path(path)
        self.mode: CassetteMode = mode
        self._match = match
        self._redaction = redaction or Redaction()
        self._network = connector
        self._recordings: list[Recording | None] = []
        self._unused: list[int] = []
        self._loading: asyncio.Task[None] | None = None
        self._has_news = mode == "record"

    @property
    @override
    def fixed_destination(self) -> bool:
        """Whether the connector that asks the network leads to one peer; see `BaseConnector`."""
        return self._network is not None and self._network.fixed_destination

    @override
    async def close(self, *, abort_ssl: bool = False) -> None:
        """Close, and write what was recorded; see `BaseConnector`.

        Raises: OSError where the file cannot be written.
        Cancellation: what is still open is aborted; a file that is being written is written.
        """
        done = self.closed
        try:
            await super().close(abort_ssl=abort_ssl)
        finally:
            if self._loading is not None:
                await asyncio.wait([self._loading])
            if self._network is not None:
                await self._network.close()
        if self._has_news and not done:
            recordings = [recording for recording in self._recordings if recording is not None]
            await asyncio.to_thread(write_cassette, self.path, recordings)

    async def _answer(self, request: IncomingRequest, responder: Responder) -> None:
        body = await request.read()
        call = MockCall(request.method, request.url, request.headers, body)
        await self._load()
        response = self._replay(redacted_call(call, self._redaction))
        if response is None:
            response = await self._ask(request, call)
        fields = without_framing(response.fields, call.method)
        has_length = call.method != "HEAD" and response.status not in WITHOUT_CONTENT
        if has_length and not response.trailers:
            fields.append(("Content-Length", str(len(response.body))))
        responder.start(response.status, fields, response.reason)
        await responder.write(response.body)
        responder.end(response.trailers)

    async def _load(self) -> None:
        if self.mode == "record":
            return
        if self._loading is None:
            self._loading = asyncio.ensure_future(self._read())
        # Shielded: others wait for it as well.
        await asyncio.shield(self._loading)

    async def _read(self) -> None:
        try:
            found = await asyncio.to_thread(read_cassette, self.path)
        except FileNotFoundError:
            if self.mode == "replay":
                raise
            found = []
        self._recordings += found
        self._unused += range(len(found))

    def _replay(self, call: MockCall) -> RecordedResponse | None:
        """What was recorded for a request; None if it is to be asked."""
        reasons = []
        for number in self._unused:
            recording = self._recordings[number]
            reason = None if recording is None else self._difference(recording.request, call)
            if recording is not None and reason is None:
                self._unused.remove(number)
                return recording.response
            reasons.append(f"{recording and recording.request}: {reason}")
        if self.mode != "replay":
            return None
        raise UnexpectedRequestError(
            f"{self.path} has no answer to {call.method} {call.url}; left in it are:{listed(reasons)}"
        )

    def _difference(self, recorded: MockCall, call: MockCall) -> str | None:
        if callable(self._match):
            return None if self._match(recorded, call) else "it does not match"
        for name in self._match:
            aspect = _ASPECTS[name]
            if aspect(recorded) != aspect(call):
                return f"its {name} differs"
        return None

    async def _ask(self, request: IncomingRequest, call: MockCall) -> RecordedResponse:
        if "Upgrade" in request.headers:
            raise RuntimeError("what follows an upgrade is no HTTP, and cannot be recorded")
        place = len(self._recordings)
        self._recordings.append(None)
        if self._network is None:
            self._network = TCPConnector()
        connection = await self._network.connect(request.target)
        exchange = await connection.exchange(_head_of(request), call.body or None)
        head = exchange.head
        try:
            body = await exchange.content.read()
        except BaseException:
            exchange.abort()
            raise
        response = RecordedResponse(
            head.status,
            head.reason,
            tuple(head.headers.items()),
            body,
            tuple(exchange.trailers.items()),
        )
        self._recordings[place] = record(call, response, self._redaction)
        self._has_news = True
        return response


def _head_of(request: IncomingRequest) -> RequestHead:
    pairs = [pair for pair in request.headers.items() if pair[0].lower() not in _MADE_ANEW]
    hosts = request.headers.getall("Host")
    target = request.target
    if hosts != [target.authority]:
        pairs[:0] = [("Host", host) for host in hosts]
    return RequestHead(
        request.method, target.scheme, target.authority, request.url.raw_path_qs, FieldBlock(pairs)
    )
