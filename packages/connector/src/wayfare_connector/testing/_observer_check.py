"""The suite for observers: every stage that a connect can have, told in the order and the forms in which it comes."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeAlias

from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.testing import MemoryNetwork

from wayfare_connector._observer import ConnectObserver
from wayfare_connector._target import Target

from ._cancelling import cancel_at_every_await
from ._checks import PATIENCE, require

__all__ = ("check_connect_observer",)

_Stage: TypeAlias = tuple[str, tuple[Any, ...]]
"""A method, and what it is called with."""

_PLAIN = Target("http", "a.example")
_SECURE = Target("https", "2001:db8::1", 8443)
_PROXY = Target("http", "proxy.example", 3128)


async def check_connect_observer(factory: Callable[[], ConnectObserver]) -> None:
    """Check a `ConnectObserver`: it can be told of each stage in every form that it comes in, raises nothing, goes on
    after stages that failed, waits for nothing, and can be cancelled.

    `factory` makes a new one for each connect.
    """
    require(isinstance(factory(), ConnectObserver), "an observer is a ConnectObserver")
    network = MemoryNetwork()
    network.serve("a.example", 80, asyncio.Protocol)
    transport, connection = await network.dial("a.example", 80, HTTP1Connection)
    try:
        for journey in _journeys(connection):
            await _follow(factory, journey)
    finally:
        transport.abort()
        await connection.wait_closed()


async def _follow(factory: Callable[[], ConnectObserver], journey: list[_Stage]) -> None:
    async def connect() -> None:
        observer = factory()
        for name, arguments in journey:
            await _tell(observer, name, arguments)

    async def check() -> None:
        # Another connect is told of, whatever became of the one before.
        await connect()

    await connect()
    await cancel_at_every_await(connect, check)


async def _tell(observer: ConnectObserver, name: str, arguments: tuple[Any, ...]) -> None:
    shown = f"{name}({', '.join(map(repr, arguments))})"
    try:
        told = getattr(observer, name)(*arguments)
        require(isinstance(told, Awaitable), f"{name} is awaited: it is made with `async def`")
        async with asyncio.timeout(PATIENCE):
            await told
    except TimeoutError as exc:
        raise AssertionError(f"{shown} waits for nothing: it delays the request") from exc
    except Exception as exc:
        if isinstance(exc, AssertionError):
            raise
        raise AssertionError(f"{shown} raises nothing: it would end the connect; {exc!r}") from exc


def _journeys(connection: HTTP1Connection) -> Iterator[list[_Stage]]:
    """What connects can consist of."""
    queued: list[_Stage] = [("queued_start", (_PLAIN,)), ("queued_end", (_PLAIN, 0.25))]
    yield [("reused", (_PLAIN, connection))]
    yield [*queued, ("reused", (_PLAIN, connection))]
    created: list[_Stage] = [
        ("create_start", (_PLAIN,)),
        ("dns_cache_miss", (_PLAIN,)),
        ("dns_start", (_PLAIN,)),
        ("dns_end", (_PLAIN, ("192.0.2.1", "2001:db8::1"), 0.5)),
        *_dialled(_PLAIN, ("192.0.2.1", 80)),
        ("create_end", (_PLAIN, connection, 1.0)),
    ]
    yield created
    # A stage that fails has no end, and nothing comes after it.
    yield from (created[:count] for count in range(1, len(created)))
    yield [*queued, *created]
    yield queued[:1]
    yield [
        ("create_start", (_SECURE,)),
        *_dialled(_SECURE, ("2001:db8::1", 8443, 0, 0)),
        ("tls_start", (_SECURE,)),
        ("tls_end", (_SECURE, "TLSv1.3", 0.125)),
        ("create_end", (_SECURE, connection, 1.0)),
    ]
    yield [
        ("create_start", (_SECURE,)),
        ("dns_cache_hit", (_PROXY,)),
        *_dialled(_PROXY, ("192.0.2.2", 3128)),
        ("tunnel_start", (_SECURE,)),
        ("tunnel_end", (_SECURE, 0.0)),
        ("tls_start", (_SECURE,)),
        ("tls_end", (_SECURE, None, 0.0)),
        ("create_end", (_SECURE, connection, 0.0)),
    ]
    for peername in ("/run/a.sock", None):  # a Unix socket, and a pipe
        yield [
            ("create_start", (_PLAIN,)),
            *_dialled(_PLAIN, peername),
            ("create_end", (_PLAIN, connection, 1.0)),
        ]


def _dialled(target: Target, peername: object) -> list[_Stage]:
    return [("dial_start", (target,)), ("dial_end", (target, peername, 0.0625))]
