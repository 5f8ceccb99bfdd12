"""`check_connection`: it passes connections that are right, and finds what is wrong with others."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from wayfare_http_core import ClientConnectionError, ConnectionOwner
from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.testing import (
    Answer,
    ConnectionCase,
    MemoryNetwork,
    Reply,
    ScriptedServer,
    Send,
    Serve,
    Stall,
    check_connection,
    listening,
    run_with_fake_clock,
    ticks,
)

BEGINNING = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
ANSWERS: dict[str, Answer] = {
    "GET /": Reply("hello"),
    "POST /": lambda request: Reply(request.body),
    "/unfinished": [Send(BEGINNING), Stall()],
    "/silent": Stall(),
}


@asynccontextmanager
async def over_tcp(owner: ConnectionOwner) -> AsyncIterator[ConnectionCase]:
    loop = asyncio.get_running_loop()
    async with listening(ScriptedServer([Serve(ANSWERS)])) as (host, port):
        _, connection = await loop.create_connection(lambda: HTTP1Connection(owner), host, port)
        yield ConnectionCase(connection=connection, authority=f"{host}:{port}")


async def test_our_connection_passes_its_suite() -> None:
    await check_connection(over_tcp)


class Wrapped:
    """Hands everything on to a connection that is right; others change one thing."""

    def __init__(self, owner: ConnectionOwner) -> None:
        self.owner = owner
        self.retired = False
        self.real = HTTP1Connection(self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def connection_idle(self, connection: Any) -> None:
        self.owner.connection_idle(self)

    def connection_retired(self, connection: Any) -> None:
        self.retired = True
        self.owner.connection_retired(self)

    def connection_lost(self, connection: Any) -> None:
        self.owner.connection_lost(self)


def over_memory(kind: Any, answers: Any = ANSWERS) -> Any:
    @asynccontextmanager
    async def case(owner: ConnectionOwner) -> AsyncIterator[ConnectionCase]:
        network = MemoryNetwork()
        network.serve("example.com", 80, ScriptedServer([Serve(answers)]))
        connection = kind(owner)
        await network.dial("example.com", 80, lambda: connection.real)
        try:
            yield ConnectionCase(connection=connection)
        finally:
            connection.real.abort()
            await connection.real.wait_closed()
            for transport in network.server_transports.open_transports:
                transport.abort()
            await ticks()

    return case


class OtherExchange:
    """Hands everything on to an exchange; others change one thing."""

    def __init__(self, connection: Wrapped, real: Any) -> None:
        self.connection, self.real = connection, real
        self.read = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    @property
    def content(self) -> Any:
        self.read = True
        return self.real.content


def exchanging(kind: Any) -> type[Wrapped]:
    """Connections with such exchanges."""

    class Exchanging(Wrapped):
        async def exchange(self, *args: Any) -> Any:
            return kind(self, await self.real.exchange(*args))

    return Exchanging


# -- others that are right, too


class Declining(OtherExchange):
    """It keeps the content in its stream."""

    def take_whole(self) -> None:
        return None


class Leaving(OtherExchange):
    """It drains nothing."""

    def discard(self) -> None:
        if not self.read:
            self.connection.real.abort()
        self.real.discard()


class Multiplexed(Wrapped):
    """It says that there is always a place."""

    @property
    def available_exchanges(self) -> int:
        return int(not self.retired)


@pytest.mark.parametrize("kind", [Wrapped, exchanging(Declining), exchanging(Leaving), Multiplexed])
def test_connections_pass_their_suite(kind: Any) -> None:
    run_with_fake_clock(check_connection(over_memory(kind)))


# -- what is wrong


class Full(Wrapped):
    available_exchanges = 0


class Uncounted(Wrapped):
    exchanges_started = 0


class Unknown(Wrapped):
    facts = None


class Strange(Wrapped):
    """It tells its owner of something else."""

    def connection_idle(self, connection: Any) -> None:
        self.owner.connection_idle(connection)


class Twice(Wrapped):
    def connection_retired(self, connection: Any) -> None:
        super().connection_retired(connection)
        super().connection_retired(connection)


class Mute(Wrapped):
    def connection_idle(self, connection: Any) -> None:
        """The owner is not told."""


class Changed(Wrapped, ABC):
    """It changes what an exchange is given."""

    async def exchange(self, head: Any, body: Any, options: Any, deadline: Any) -> Any:
        return await self.real.exchange(*self.changed(head, body, options, deadline))

    @abstractmethod
    def changed(self, head: Any, body: Any, options: Any, deadline: Any) -> Any:
        """What the exchange is given instead."""


class Unhooked(Changed):
    def changed(self, head: Any, body: Any, options: Any, deadline: Any) -> Any:
        return head, body, options._replace(on_sent=None), deadline


class Unended(Changed):
    def changed(self, head: Any, body: Any, options: Any, deadline: Any) -> Any:
        return head, body, options._replace(on_upload_end=None), deadline


class Careless(Changed):
    def changed(self, head: Any, body: Any, options: Any, deadline: Any) -> Any:
        negative = (options.read_timeout or 0) < 0
        return head, body, options._replace(read_timeout=None) if negative else options, deadline


class Lossy(Changed):
    def changed(self, head: Any, body: Any, options: Any, deadline: Any) -> Any:
        return head, body[:-1] if isinstance(body, bytes) else body, options, deadline


class Patient(Changed):
    def changed(self, head: Any, body: Any, options: Any, deadline: Any) -> Any:
        endless = head.path == "/silent" and options.read_timeout
        return head, body, options._replace(read_timeout=None) if endless else options, deadline


class PatientWithin(Changed):
    def changed(self, head: Any, body: Any, options: Any, deadline: Any) -> Any:
        endless = head.path == "/unfinished"
        return head, body, options._replace(read_timeout=None) if endless else options, deadline


class Late(Changed):
    def changed(self, head: Any, body: Any, options: Any, deadline: Any) -> Any:
        return head, body, options._replace(first_byte_timeout=None), deadline


class Timeless(Changed):
    def changed(self, head: Any, body: Any, options: Any, deadline: Any) -> Any:
        return head, body, options, None


class Unlimited(Changed):
    def changed(self, head: Any, body: Any, options: Any, deadline: Any) -> Any:
        return head, body, options._replace(max_body_size=None), deadline


class Raising(Wrapped):
    """Its failures are others."""

    kind: Any = Exception
    other: Any = ClientConnectionError

    async def exchange(self, *args: Any) -> Any:
        try:
            return await self.real.exchange(*args)
        except self.kind as exc:
            raise self.other(str(exc)) from exc


class Blurred(Raising):
    kind = RuntimeError


class Uncancelled(Raising):
    kind = asyncio.CancelledError


class Shielded(Wrapped):
    """What was cancelled goes on."""

    async def exchange(self, *args: Any) -> Any:
        task = asyncio.ensure_future(self.real.exchange(*args))
        task.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(task)


class Hidden(Wrapped):
    """What a body raises is told in other words."""

    async def exchange(self, head: Any, body: Any, options: Any, deadline: Any) -> Any:
        try:
            return await self.real.exchange(head, body, options, deadline)
        except Exception as exc:
            if body is None:
                raise
            raise ClientConnectionError("it failed") from exc


class Open(Wrapped):
    def close(self) -> None:
        """It stays."""


class Quiet(Raising):
    """What is closed looks like a timeout."""

    kind = ClientConnectionError
    other = LookupError

    async def exchange(self, *args: Any) -> Any:
        if args[2].read_timeout or args[2].first_byte_timeout:
            return await self.real.exchange(*args)
        return await super().exchange(*args)


class Unending(Wrapped):
    async def wait_closed(self) -> None:
        await asyncio.get_running_loop().create_future()


class Generous(OtherExchange):
    def take_whole(self) -> bytes:
        return b"hello"


class Short(OtherExchange):
    def take_whole(self) -> bytes:
        return b"hell"


class Ongoing(OtherExchange):
    is_over = False


class Held(OtherExchange):
    def discard(self) -> None:
        """It goes on."""


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        (Full, "another exchange can start then"),
        (Uncounted, "exchanges_started counts them"),
        (Unknown, "facts are ConnectionFacts"),
        (Strange, "the owner is told of the connection itself"),
        (Twice, "the owner is told idle, retired once, lost once, in that order"),
        (Mute, "the owner is told when an exchange is over"),
        (Unhooked, "on_sent is told of each octet"),
        (Unended, "on_upload_end is told once"),
        (Careless, "options that make no sense are refused: ValueError, and nothing"),
        (Lossy, "a server gets the content that was given"),
        (Patient, "silence before the head is limited: nothing takes so long"),
        (PatientWithin, "silence within content is limited: nothing takes so long"),
        (Late, "the first octet is limited: nothing takes so long"),
        (Timeless, "the deadline holds: nothing takes so long"),
        (Unlimited, "content beyond max_body_size: BodyTooLargeError, and nothing was raised"),
        (Raising, "options that make no sense are refused: ValueError, not"),
        (Blurred, "an exchange for which there is no place: RuntimeError, not"),
        (Uncancelled, "a cancellation comes out as CancelledError"),
        (Shielded, "a cancelled exchange ends the connection: nothing takes so long"),
        (Hidden, "what a body raises comes out: _PlannedError, not"),
        (Open, r"no exchange can start after close\(\)"),
        (Quiet, r"what close\(\) breaks raises ClientConnectionError: LookupError"),
        (Unending, "exchanges follow each other: nothing takes so long"),
        (exchanging(Generous), "take_whole gives it once"),
        (exchanging(Short), "take_whole gives the content"),
        (exchanging(Ongoing), "an exchange that is complete is over"),
        (exchanging(Held), "an exchange that was discarded is over"),
    ],
)
def test_the_suite_finds_what_is_wrong(kind: Any, rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        run_with_fake_clock(check_connection(over_memory(kind)))


@pytest.mark.parametrize(
    ("answers", "rule"),
    [
        ({**ANSWERS, "GET /": Reply("hello", 201)}, "answers 200"),
        ({**ANSWERS, "/silent": Reply("hello")}, "a request for /silent gets no answer"),
    ],
)
def test_the_server_has_to_be_the_right_one(answers: Any, rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        run_with_fake_clock(check_connection(over_memory(Wrapped, answers)))
