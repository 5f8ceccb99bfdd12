"""What the protocol suites share: a response taken apart, however it was cut; a connection and its peer."""

import asyncio
import importlib
import importlib.util
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from wayfare_http_core import (
    DEFAULT_HEAD_LIMITS,
    Connection,
    EndOfMessage,
    HeadLimits,
    ResponseHead,
    ResponseParser,
)
from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.testing import Action, MemoryTransport, ScriptedPeer, memory_pair

_ALL_CUTS = 300
"""Octets up to this number are cut at every position, more of them at as many, evenly."""


@dataclass
class Outcome:
    """What a parser made of the octets it was fed."""

    heads: list[ResponseHead] = field(default_factory=list)
    content: bytes = b""
    trailers: list[tuple[str, str]] | None = None
    error: BaseException | None = None
    reusable: bool = False
    tunnelling: bool = False
    unused: bytes = b""

    @property
    def head(self) -> ResponseHead:
        """The last head, the final one if it arrived."""
        return self.heads[-1]

    @property
    def complete(self) -> bool:
        """Whether the end of the message was reached."""
        return self.trailers is not None

    def key(self) -> tuple[object, ...]:
        """What must not depend on how the octets were cut."""
        heads = [
            (h.version, h.status, h.reason, tuple(h.headers.items()), h.raw_headers)
            for h in self.heads
        ]
        trailers = None if self.trailers is None else tuple(self.trailers)
        # The excerpt and the count in an error say how much had arrived; its type is the verdict.
        error = type(self.error)
        return heads, self.content, trailers, error, self.reusable, self.tunnelling, self.unused


def _run(parser: ResponseParser, pieces: Iterator[bytes], *, eof: bool) -> Outcome:
    outcome = Outcome()
    content: list[bytes] = []
    events: list[Any] = []
    for piece in pieces:
        events += parser.feed(piece)
    if eof:
        events += parser.feed_eof()
    for event in events:
        assert outcome.error is None, "an error is the last event"
        assert outcome.trailers is None, "nothing follows the end"
        if isinstance(event, ResponseHead):
            outcome.heads.append(event)
        elif isinstance(event, bytes):
            content.append(event)
        elif isinstance(event, EndOfMessage):
            outcome.trailers = list(event.trailers.items())
        else:
            outcome.error = event
    outcome.content = b"".join(content)
    outcome.reusable = parser.reusable
    outcome.tunnelling = parser.tunnelling
    if parser.tunnelling:
        outcome.unused = parser.take_unused()
    return outcome


class Respond:
    """Feeds responses to parsers; the outcome is the same for every cut or the test fails (H26)."""

    def __call__(
        self,
        wire: bytes,
        *,
        method: str = "GET",
        eof: bool = False,
        upgrade: bool = False,
        before: bytes = b"",
        limits: HeadLimits = DEFAULT_HEAD_LIMITS,
        bytewise: bool = True,
    ) -> Outcome:
        def run(pieces: Iterator[bytes]) -> Outcome:
            parser = ResponseParser(limits)
            if before:
                parser.begin("GET")
                parser.feed(before)
            parser.begin(method)
            if upgrade:
                parser.offer_upgrade()
            return _run(parser, pieces, eof=eof)

        whole = run(iter((wire,)))
        size = len(wire)
        if bytewise:
            again = run(wire[i : i + 1] for i in range(size))
            assert again.key() == whole.key(), "octet by octet"
        for cut in range(0, size, max(1, size // _ALL_CUTS)):
            again = run(iter((wire[:cut], wire[cut:])))
            assert again.key() == whole.key(), f"cut at {cut}"
        return whole


@pytest.fixture(scope="session")
def respond() -> Respond:
    """Call with the octets of a response; gives an `Outcome` that no cut changes."""
    return Respond()


class Owner:
    """A pool of one: it notes what it is told and checks the order."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def connection_idle(self, connection: Connection, /) -> None:
        assert connection.available_exchanges == 1
        assert "retired" not in self.told
        self.told.append("idle")

    def connection_retired(self, connection: Connection, /) -> None:
        assert connection.available_exchanges == 0
        assert "retired" not in self.told
        self.told.append("retired")

    def connection_lost(self, connection: Connection, /) -> None:
        assert self.told[-1] == "retired"
        self.told.append("lost")


@dataclass
class Wire:
    """A connection, its peer, and both ends between them."""

    connection: HTTP1Connection
    peer: ScriptedPeer
    owner: Owner
    end: MemoryTransport

    async def sent(self, count: int) -> None:
        """Return when the peer has read that many requests."""
        while len(self.peer.requests) < count:
            await asyncio.sleep(0)

    async def closed(self) -> None:
        """Return when the connection is closed, which nobody here asked for."""
        await self.connection.wait_closed()
        assert self.owner.told[-2:] == ["retired", "lost"]


@asynccontextmanager
async def _connect(*script: Action) -> AsyncIterator[Wire]:
    """A connection to a peer with a script; everything is closed, and told, in the end."""
    owner = Owner()
    connection = HTTP1Connection(owner)
    peer = ScriptedPeer(script)
    end, _ = memory_pair(connection, peer)
    await asyncio.sleep(0)
    try:
        yield Wire(connection, peer, owner, end)
    finally:
        connection.abort()
        await connection.wait_closed()
        peer.transport.abort()
        await peer.wait_closed()
        await asyncio.sleep(0)
    assert owner.told[-2:] == ["retired", "lost"]
    assert peer.error is None
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture(scope="session")
def connect() -> Callable[..., AbstractAsyncContextManager[Wire]]:
    """Call with the actions of a peer; gives a `Wire` to it, to be entered."""
    return _connect


LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.SelectorEventLoop}
if importlib.util.find_spec("uvloop") is not None:  # not where this package is tested on its own
    LOOPS["uvloop"] = importlib.import_module("uvloop").new_event_loop


@pytest.fixture(params=LOOPS)
def loop_runner(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner]:
    """A runner of each event loop there is, for tests of real transports."""
    with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
        yield runner
