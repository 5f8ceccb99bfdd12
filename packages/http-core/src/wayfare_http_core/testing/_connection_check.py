"""The suite for connections: another version of HTTP, or another way to speak one, behind the `Connection` seam.

The server at the other end keeps connections, and answers with 200 to every request:

    GET /             hello
    POST /            the content of the request
    GET /unfinished   hello, too, and what follows does not come
    GET /silent       not at all
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, final

from wayfare_http_core._connection import (
    DEFAULT_EXCHANGE_OPTIONS,
    Connection,
    ConnectionFacts,
    ConnectionOwner,
    Exchange,
    ExchangeOptions,
    RequestBody,
)
from wayfare_http_core._errors import (
    BodyTooLargeError,
    ClientConnectionError,
    ClientError,
    FirstByteTimeoutError,
    ReadTimeoutError,
)
from wayfare_http_core._head import RequestHead
from wayfare_http_core.aio import Deadline

from ._body_check import PATIENCE, require

__all__ = ("ConnectionCase", "check_connection")

_SOON: Final = 0.02
"""Seconds after which a limit is to be noticed."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionCase:
    """A new connection, and what the heads of its requests have."""

    connection: Connection
    scheme: str = "http"
    authority: str = "example.com"


_Factory: TypeAlias = Callable[[ConnectionOwner], AbstractAsyncContextManager[ConnectionCase]]


async def check_connection(factory: _Factory) -> None:
    """Check a `Connection`: exchanges, bodies, limits, failures, cancellation, its end, and what its owner is told.

    `factory` makes the connection for the owner that it is given: an asynchronous context manager that yields a
    `ConnectionCase`, entered once for each check. At the other end is a server that keeps connections and answers with
    200: with `hello` to `GET /`, with the content of the request to `POST /`, with `hello` and no end to
    `GET /unfinished`, and never to `GET /silent`.

    Raises: AssertionError that says which rule is broken.
    Cancellation: safe.
    """
    for check in _CHECKS:
        owner = _Owner()
        async with factory(owner) as case:
            owner.connection = case.connection
            try:
                async with asyncio.timeout(PATIENCE):
                    await check(_Bench(case, owner))
                    case.connection.abort()
                    await case.connection.wait_closed()
            except TimeoutError as exc:
                what = check.__name__.strip("_").replace("_", " ")
                raise AssertionError(f"{what}: nothing takes so long; {exc!r}") from exc
            owner.check_end()


@final
class _Owner(ConnectionOwner):
    """Whoever lends the connection, and what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.connection: Connection | None = None
        self._strangers = 0

    def connection_idle(self, connection: Connection, /) -> None:
        self._tell("idle", connection)

    def connection_retired(self, connection: Connection, /) -> None:
        self._tell("retired", connection)

    def connection_lost(self, connection: Connection, /) -> None:
        self._tell("lost", connection)

    def _tell(self, what: str, connection: Connection) -> None:
        self.told.append(what)
        self._strangers += connection is not self.connection

    def check_end(self) -> None:
        """Fail the check unless the calls came in their order."""
        require(not self._strangers, "the owner is told of the connection itself")
        before = self.told[:-2]
        fits = self.told[-2:] == ["retired", "lost"] and set(before) <= {"idle"}
        require(
            fits, f"the owner is told idle, retired once, lost once, in that order: {self.told}"
        )


@final
class _Bench:
    """A connection to be checked."""

    def __init__(self, case: ConnectionCase, owner: _Owner) -> None:
        self.connection = case.connection
        self.owner = owner
        self._case = case

    async def ask(
        self,
        path: str = "/",
        body: RequestBody | bytes | None = None,
        options: ExchangeOptions = DEFAULT_EXCHANGE_OPTIONS,
        deadline: Deadline | None = None,
    ) -> Exchange:
        """One exchange."""
        method = "GET" if body is None else "POST"
        head = RequestHead(method, self._case.scheme, self._case.authority, path)
        exchange = await self.connection.exchange(head, body, options, deadline)
        require(exchange.head.status == 200, "the server of a ConnectionCase answers 200")
        return exchange

    async def hello(self) -> Exchange:
        """An exchange that has to succeed, from beginning to end."""
        exchange = await self.ask()
        require(await exchange.content.read() == b"hello", "the content is what the server sends")
        require(exchange.is_complete, "an exchange whose content ended is complete")
        require(exchange.is_over, "an exchange that is complete is over")
        return exchange

    async def begun(self) -> "asyncio.Task[Exchange]":
        """An exchange that has no answer yet."""
        task = asyncio.ensure_future(self.ask("/silent"))
        await asyncio.wait([task], timeout=_SOON)
        if task.done():
            raise AssertionError("a request for /silent gets no answer") from task.exception()
        return task

    def check_free(self) -> None:
        """Fail the check unless another exchange can start."""
        require(self.connection.available_exchanges > 0, "another exchange can start then")

    async def check_gone(self, after: str) -> None:
        """Fail the check unless the connection ends by itself."""
        require(self.connection.available_exchanges == 0, f"no exchange can start after {after}")
        await self.connection.wait_closed()
        told = self.owner.told[-2:]
        require(told == ["retired", "lost"], f"after {after} the owner is told: {self.owner.told}")


async def _fails(awaitable: Awaitable[object], kind: type[BaseException], rule: str) -> None:
    try:
        await awaitable
    except kind:
        return
    except Exception as exc:
        raise AssertionError(f"{rule}: {kind.__name__}, not {exc!r}") from exc
    raise AssertionError(f"{rule}: {kind.__name__}, and nothing was raised")


# -- exchanges


async def _exchanges_follow_each_other(bench: _Bench) -> None:
    connection, now = bench.connection, asyncio.get_running_loop().time
    require(connection.exchanges_started == 0, "a new connection has started no exchange")
    require(isinstance(connection.facts, ConnectionFacts), "facts are ConnectionFacts")
    bench.check_free()
    for count in (1, 2):
        exchange = await bench.hello()
        require(connection.exchanges_started == count, "exchanges_started counts them")
        require(connection.request_started, "request_started says that something was sent")
        require(connection.response_started, "response_started says that something came")
        require(bench.owner.told == ["idle"] * count, "the owner is told when an exchange is over")
        require(connection.is_quiet(now()), "an idle connection with nothing to read is quiet")
        hint = connection.keep_alive_hint
        require(
            hint is None or isinstance(hint, int | float), "keep_alive_hint is a number or None"
        )
        require(isinstance(exchange.trailers, Mapping), "trailers are a mapping")
        exchange.discard()
        exchange.abort()
        await exchange.wait_over()
        bench.check_free()


async def _content_can_be_taken_whole(bench: _Bench) -> None:
    exchange = await bench.ask()
    whole = exchange.take_whole()
    if whole is None:
        await exchange.content.read()
    else:
        require(whole == b"hello", "take_whole gives the content")
        require(exchange.take_whole() is None, "take_whole gives it once")
    bench.check_free()


class _Body(RequestBody):
    """Pieces of content; an exception among them is raised."""

    content_type = None
    replayable = True

    def __init__(self, length: int | None, *pieces: bytes | Exception) -> None:
        self._length = length
        self._pieces = pieces

    @property
    def length(self) -> int | None:
        return self._length

    async def chunks(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            await asyncio.sleep(0)
            if isinstance(piece, Exception):
                raise piece
            yield piece


async def _bodies_arrive(bench: _Bench) -> None:
    large = bytes(range(256)) * 2048
    bodies: list[tuple[RequestBody | bytes, bytes]] = [
        (b"", b""),
        (b"octets", b"octets"),
        (large, large),
        (_Body(6, b"oct", b"", b"ets"), b"octets"),
        (_Body(None, b"oct", b"", b"ets"), b"octets"),
        (_Body(0), b""),
        (_Body(None), b""),
    ]
    for body, octets in bodies:
        sent: list[int] = []
        ends: list[object] = []
        options = ExchangeOptions(on_sent=sent.append, on_upload_end=ends.append)
        exchange = await bench.ask("/", body, options)
        got = await exchange.content.read()
        require(got == octets, "a server gets the content that was given, and no more or less")
        require(sum(sent) == len(octets), "on_sent is told of each octet of the content")
        require(ends == [None], "on_upload_end is told once, with None")
        bench.check_free()


# -- what does not even start


async def _options_are_looked_at(bench: _Bench) -> None:
    for options in (
        ExchangeOptions(read_timeout=-1.0),
        ExchangeOptions(write_timeout=float("nan")),
    ):
        asking = bench.ask("/", None, options)
        await _fails(asking, ValueError, "options that make no sense are refused")
        require(not bench.connection.request_started, "nothing is sent of what is refused")
        await bench.hello()


async def _no_more_exchanges_than_there_are(bench: _Bench) -> None:
    task = await bench.begun()
    try:
        if bench.connection.available_exchanges == 0:
            await _fails(bench.ask(), RuntimeError, "an exchange for which there is no place")
            require(not task.done(), "the one that is under way goes on")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


# -- what goes wrong


class _PlannedError(Exception):
    """What hooks and bodies of the suite raise."""


def _raise(*_: object) -> Any:
    raise _PlannedError


async def _a_cancelled_exchange_ends_the_connection(bench: _Bench) -> None:
    task = await bench.begun()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    require(task.cancelled(), "a cancellation comes out as CancelledError")
    await bench.check_gone("a cancellation")


async def _silence_before_the_head_is_limited(bench: _Bench) -> None:
    asking = bench.ask("/silent", None, ExchangeOptions(read_timeout=_SOON))
    await _fails(asking, ReadTimeoutError, "a read_timeout that is over")
    await bench.check_gone("a timeout")


async def _the_first_octet_is_limited(bench: _Bench) -> None:
    asking = bench.ask("/silent", None, ExchangeOptions(first_byte_timeout=_SOON))
    await _fails(asking, FirstByteTimeoutError, "a first_byte_timeout that is over")
    await bench.check_gone("a timeout")


async def _silence_within_content_is_limited(bench: _Bench) -> None:
    exchange = await bench.ask("/unfinished", None, ExchangeOptions(read_timeout=_SOON))
    reading = exchange.content.read()
    await _fails(reading, ReadTimeoutError, "a read_timeout that is over within content")


async def _the_deadline_holds(bench: _Bench) -> None:
    asking = bench.ask("/silent", deadline=Deadline.after(_SOON, _PlannedError))
    await _fails(asking, _PlannedError, "a deadline that has come raises its error")
    await bench.check_gone("a deadline")


async def _content_has_a_limit(bench: _Bench) -> None:
    exchange = await bench.ask("/", None, ExchangeOptions(max_body_size=4))
    await _fails(exchange.content.read(), BodyTooLargeError, "content beyond max_body_size")


async def _a_body_that_fails_ends_the_connection(bench: _Bench) -> None:
    body = _Body(None, b"octets", _PlannedError())
    await _fails(bench.ask("/", body), _PlannedError, "what a body raises comes out")
    await bench.check_gone("a body that failed")


async def _a_body_of_another_length_ends_the_connection(bench: _Bench) -> None:
    asking = bench.ask("/", _Body(7, b"octets"))
    await _fails(asking, ValueError, "a body that is shorter than announced is refused")
    await bench.check_gone("a body that was too short")


async def _what_a_hook_raises_comes_out(bench: _Bench) -> None:
    asking = bench.ask("/", _Body(None, b"octets"), ExchangeOptions(on_sent=_raise))
    await _fails(asking, _PlannedError, "what on_sent raises comes out")
    await bench.check_gone("a hook that failed")


# -- giving up


async def _a_small_rest_can_be_discarded(bench: _Bench) -> None:
    exchange = await bench.ask()
    exchange.discard()
    exchange.discard()
    await exchange.wait_over()
    require(exchange.is_over, "an exchange that was discarded is over")
    if bench.connection.available_exchanges:
        await bench.hello()


async def _the_rest_can_be_given_up(bench: _Bench) -> None:
    exchange = await bench.ask("/unfinished")
    came = await exchange.content.readany()
    require(came == b"hello", "content can be read while more is under way")
    require(not exchange.is_over, "an exchange whose content comes is not over")
    require(exchange.take_whole() is None, "content that is under way cannot be taken whole")
    exchange.discard()
    require(exchange.is_over, "an exchange that was discarded is over")
    exchange.abort()
    await exchange.wait_over()
    await _fails(exchange.content.read(), ClientError, "content that was given up cannot be read")
    require(not exchange.is_complete, "what was given up is not complete")


async def _an_exchange_can_be_aborted(bench: _Bench) -> None:
    exchange = await bench.ask("/unfinished")
    exchange.abort()
    exchange.abort()
    await exchange.wait_over()
    require(exchange.is_over, "an exchange that was aborted is over")
    await _fails(exchange.content.read(), ClientError, "content that was given up cannot be read")
    await bench.check_gone("an aborted exchange")


# -- the end


async def _closing_ends_it(bench: _Bench) -> None:
    await bench.hello()
    bench.connection.close()
    bench.connection.close()
    require(bench.connection.available_exchanges == 0, "no exchange can start after close()")
    await bench.check_gone("close()")
    await _fails(bench.ask(), RuntimeError, "an exchange on a closed connection")
    require(isinstance(bench.connection.facts, ConnectionFacts), "facts are kept")
    bench.connection.close()
    await bench.connection.wait_closed()


async def _closing_breaks_what_is_under_way(bench: _Bench) -> None:
    task = await bench.begun()
    bench.connection.close()
    (error,) = await asyncio.gather(task, return_exceptions=True)
    broken = isinstance(error, ClientConnectionError)
    require(broken, f"what close() breaks raises ClientConnectionError: {error!r}")
    await bench.check_gone("close()")


_CHECKS: Final = (
    _exchanges_follow_each_other,
    _content_can_be_taken_whole,
    _bodies_arrive,
    _options_are_looked_at,
    _no_more_exchanges_than_there_are,
    _a_cancelled_exchange_ends_the_connection,
    _silence_before_the_head_is_limited,
    _the_first_octet_is_limited,
    _silence_within_content_is_limited,
    _the_deadline_holds,
    _content_has_a_limit,
    _a_body_that_fails_ends_the_connection,
    _a_body_of_another_length_ends_the_connection,
    _what_a_hook_raises_comes_out,
    _a_small_rest_can_be_discarded,
    _the_rest_can_be_given_up,
    _an_exchange_can_be_aborted,
    _closing_ends_it,
    _closing_breaks_what_is_under_way,
)
