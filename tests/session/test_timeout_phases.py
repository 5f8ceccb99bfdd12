"""Each limit of time ends its own phase, alone, with its own error, in time: rules O1, O2, O4 to O6 and D21.

In memory and on a clock that jumps, so that seconds cost nothing and hundredths can be told apart.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
import wayfare
from wayfare import ClientSession, ClientTimeout, TCPConnector
from wayfare_connector import (
    DialTimeoutError,
    DNSTimeoutError,
    PoolTimeoutError,
    ProxyTimeoutError,
    TLSTimeoutError,
)
from wayfare_connector.testing import FakeResolver, MemoryDialer
from wayfare_http_core import (
    FirstByteTimeoutError,
    ReadTimeoutError,
    SlowTransferError,
    WriteTimeoutError,
)
from wayfare_http_core.testing import (
    Drip,
    MemoryNetwork,
    ReadRequest,
    Repeat,
    Script,
    ScriptedServer,
    Send,
    Stall,
    Wait,
    run_with_fake_clock,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nhalf"
SLACK = 0.02

Use = Callable[[ClientSession], Coroutine[Any, Any, object]]


def times(
    script: Script, use: Use, limits: ClientTimeout, *, url: str = "http://h/", limit: int = 100
) -> tuple[BaseException, float]:
    """What ends this use of a session, and after how many seconds."""

    async def main() -> tuple[BaseException, float]:
        loop = asyncio.get_running_loop()
        network = MemoryNetwork()
        server = ScriptedServer(script)
        network.serve("h", 80, server)
        network.serve("h", 443, server)
        connector = TCPConnector(dialer=MemoryDialer(network), limit=limit, ssl=False)
        session = ClientSession(url, connector=connector, timeout=limits)
        started = loop.time()
        try:
            await use(session)
        except Exception as exc:
            ended = exc
        else:
            raise AssertionError("nothing ended it")
        elapsed = loop.time() - started
        assert connector.stats().leased == limit % 100
        await session.close()
        await asyncio.sleep(0)  # what was aborted in a handshake is gone in the next iteration
        network.client_transports.assert_all_closed()
        server.abort()
        await asyncio.sleep(0)
        return ended, elapsed

    return run_with_fake_clock(main())


async def get(session: ClientSession) -> object:
    async with session.get("/") as response:
        return await response.read()


async def upload(session: ClientSession) -> object:
    return await session.post("/", data=b"x" * 10_000_000)


async def get_behind_another(session: ClientSession) -> object:
    held = await session.get("/held", timeout=None)
    try:
        return await session.get("/")
    finally:
        assert not held.closed


REDIRECTS = Repeat(
    ReadRequest(),
    Wait(0.7),
    Send(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"),
)
DRIPPING = (ReadRequest(), Drip(HALF + b"x" * 1000, seconds=0.4))
SLOW_HEAD = (ReadRequest(), Drip(OK, seconds=0.4))

PHASES: dict[str, tuple[type[Exception], Script, Use, dict[str, Any], float]] = {
    "total, before the head": (
        wayfare.TotalTimeoutError,
        (ReadRequest(), Stall()),
        get,
        {"total": 3},
        3,
    ),
    "total, a head that drips": (
        wayfare.TotalTimeoutError,
        SLOW_HEAD,
        get,
        {"total": 3, "sock_read": 1},
        3,
    ),
    "total, content that drips": (
        wayfare.TotalTimeoutError,
        DRIPPING,
        get,
        {"total": 50, "sock_read": 1},
        50,
    ),
    "total, an upload that nobody takes": (
        wayfare.TotalTimeoutError,
        (Stall(reading=False),),
        upload,
        {"total": 3},
        3,
    ),
    "total, over redirects": (
        wayfare.TotalTimeoutError,
        (REDIRECTS,),
        get,
        {"total": 3, "sock_read": 1},
        3,
    ),
    "silence before the head": (
        ReadTimeoutError,
        (ReadRequest(), Stall()),
        get,
        {"sock_read": 2},
        2,
    ),
    "silence in the head": (
        ReadTimeoutError,
        (ReadRequest(), Send(b"HTTP/1.1 2"), Stall()),
        get,
        {"sock_read": 2},
        2,
    ),
    "silence in the content": (
        ReadTimeoutError,
        (ReadRequest(), Send(HALF), Stall()),
        get,
        {"sock_read": 2},
        2,
    ),
    "an upload that nobody takes": (
        WriteTimeoutError,
        (Stall(reading=False),),
        upload,
        {"write": 2},
        2,
    ),
    "no first octet": (FirstByteTimeoutError, (ReadRequest(), Stall()), get, {"first_byte": 2}, 2),
    "too slow": (SlowTransferError, DRIPPING, get, {"min_speed": (10, 5)}, 35),
    "no place in the pool": (
        PoolTimeoutError,
        (ReadRequest(), Send(HALF), Stall()),
        get_behind_another,
        {"pool": 2},
        2,
    ),
    "no connection": (
        PoolTimeoutError,
        (ReadRequest(), Send(HALF), Stall()),
        get_behind_another,
        {"connect": 2},
        2,
    ),
}


@pytest.mark.parametrize("phase", PHASES)
def test_o1_each_limit_has_its_error(phase: str) -> None:
    error, script, use, limits, seconds = PHASES[phase]
    timeout = ClientTimeout(**{"total": None, **limits})
    pooled = use is get_behind_another
    ended, elapsed = times(script, use, timeout, limit=1 if pooled else 100)
    assert type(ended) is error
    assert isinstance(ended, TimeoutError)
    if phase != "too slow":
        assert seconds <= elapsed <= seconds + SLACK + (0.25 if "write" in limits else 0)


def limited(limits: dict[str, Any]) -> ClientTimeout:
    return ClientTimeout(**{"total": None, "sock_connect": None, **limits})


@pytest.mark.parametrize("limits", [{"tls": 2}, {"sock_connect": 2}, {"connect": 2}])
def test_o1_a_handshake_that_stalls(limits: dict[str, float]) -> None:
    timeout = limited(limits)
    ended, elapsed = times((Stall(),), get, timeout, url="https://h/")
    assert type(ended) is TLSTimeoutError
    assert 2 <= elapsed <= 2 + SLACK
    assert isinstance(ended, wayfare.ClientError)
    assert ended.failure is not None
    assert ended.failure.phase == "connecting"


def ends(connector: TCPConnector, limits: ClientTimeout) -> tuple[BaseException, float]:
    """What ends a GET over this connector, and after how many seconds."""

    async def main() -> tuple[BaseException, float]:
        loop = asyncio.get_running_loop()
        started = loop.time()
        async with ClientSession("http://h/", connector=connector, timeout=limits) as session:
            with pytest.raises(TimeoutError) as caught:
                await get(session)
            return caught.value, loop.time() - started

    return run_with_fake_clock(main())


@pytest.mark.parametrize("limits", [{"dns": 2}, {"connect": 2}])
def test_o1_a_resolver_that_stalls(limits: dict[str, float]) -> None:
    resolver = FakeResolver({"h": ["127.0.0.1"]})
    resolver.hold()
    timeout = limited(limits)
    ended, elapsed = ends(TCPConnector(resolver=resolver), timeout)
    assert type(ended) is DNSTimeoutError
    assert 2 <= elapsed <= 2 + SLACK


@pytest.mark.parametrize("limits", [{"proxy": 2}, {"sock_connect": 2}, {"connect": 2}])
def test_o1_p3_a_proxy_that_stalls(limits: dict[str, float]) -> None:
    async def use(session: ClientSession) -> object:
        return await session.get("https://server.example/", proxy="http://h")

    ended, elapsed = times((ReadRequest(), Drip(OK, 1, 0.3)), use, limited(limits))
    assert isinstance(ended, ProxyTimeoutError)
    assert 2 <= elapsed <= 2 + SLACK
    assert ended.proxy is not None
    assert ended.proxy.host == "h"


@pytest.mark.parametrize("limits", [{"sock_connect": 2}, {"connect": 2}])
def test_o1_a_dial_that_stalls(limits: dict[str, float]) -> None:
    dialer = MemoryDialer(MemoryNetwork())
    dialer.hold()
    timeout = limited(limits)
    ended, elapsed = ends(TCPConnector(dialer=dialer), timeout)
    assert type(ended) is DialTimeoutError
    assert 2 <= elapsed <= 2 + SLACK


def test_o1_total_ends_connecting_too() -> None:
    dialer = MemoryDialer(MemoryNetwork())
    dialer.hold()
    ended, elapsed = ends(TCPConnector(dialer=dialer), ClientTimeout(total=2))
    assert isinstance(ended, wayfare.TotalTimeoutError)
    assert 2 <= elapsed <= 2 + SLACK
    assert ended.failure is not None
    assert ended.failure.phase == "connecting"
    assert ended.failure.elapsed == pytest.approx(2, abs=0.1)


def test_d21_the_total_spans_the_chain_and_says_so() -> None:
    ended, _ = times((REDIRECTS,), get, ClientTimeout(total=3))
    assert isinstance(ended, wayfare.TotalTimeoutError)
    failure = ended.failure
    assert failure is not None
    assert failure.urls == ("http://h/",) * 5
    assert failure.elapsed == pytest.approx(3, abs=SLACK)


def test_the_total_bounds_a_middleware_that_waits() -> None:
    async def waiting(request: Any, handler: Any) -> Any:
        await asyncio.sleep(10)

    async def use(session: ClientSession) -> object:
        return await session.get("/", middlewares=[waiting])

    ended, elapsed = times((Stall(),), use, ClientTimeout(total=3))
    assert isinstance(ended, wayfare.TotalTimeoutError)
    assert 3 <= elapsed <= 3 + SLACK
    assert ended.failure is not None
    assert ended.failure.phase == "between exchanges"


# -- cancellation ----------------------------------------------------------------------------------------------------


async def pieces() -> AsyncIterator[bytes]:
    yield b"x"
    await asyncio.sleep(100)


USES: dict[str, Callable[[ClientSession], Coroutine[Any, Any, object]]] = {
    "get": get,
    "upload": upload,
    "stream": lambda session: _awaited(session.post("/", data=pieces())),
}


async def _awaited(context: wayfare.RequestContext) -> object:
    return await context


async def with_session(
    use: Callable[[ClientSession], Coroutine[Any, Any, object]],
) -> None:
    """Run something against a server that stalls; nothing may be left of it."""
    network = MemoryNetwork()
    server = ScriptedServer((ReadRequest(), Stall(reading=False)))
    network.serve("h", 80, server)
    connector = TCPConnector(dialer=MemoryDialer(network))
    async with ClientSession("http://h/", connector=connector, timeout=60) as session:
        await use(session)
        await asyncio.sleep(0)
        assert connector.stats().leased == 0
    network.client_transports.assert_all_closed()
    server.abort()
    await asyncio.sleep(0)


@pytest.mark.parametrize("name", USES)
def test_o4_a_cancellation_stays_one(name: str) -> None:
    """O4, O6: once, twice, and in the same moment as the total time ends."""

    async def use(session: ClientSession) -> None:
        for cancels in (1, 2):
            for after in (0, 0.5, 60):
                task = asyncio.ensure_future(USES[name](session))
                await asyncio.sleep(after)
                for _ in range(cancels):
                    task.cancel()
                with pytest.raises((asyncio.CancelledError, TimeoutError)) as caught:
                    await task
                if after < 60:
                    assert isinstance(caught.value, asyncio.CancelledError)
                    assert task.cancelled()

    run_with_fake_clock(with_session(use))


@pytest.mark.parametrize("name", USES)
def test_o5_under_other_peoples_timeouts(name: str) -> None:
    """O5: `asyncio.timeout`, `wait_for` and a TaskGroup; what was asked to cancel is taken back."""

    async def use(session: ClientSession) -> None:
        task = asyncio.current_task()
        assert task is not None
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(1):
                await USES[name](session)
        assert not isinstance(caught.value, wayfare.TotalTimeoutError)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(USES[name](session), 1)
        assert task.cancelling() == 0
        with pytest.raises(ExceptionGroup) as group:
            await in_group(session)
        assert isinstance(group.value.exceptions[0], LookupError)

    async def in_group(session: ClientSession) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(USES[name](session))
            tasks.create_task(_fail_later())

    run_with_fake_clock(with_session(use))


async def _fail_later() -> None:
    await asyncio.sleep(1)
    raise LookupError


if sys.version_info >= (3, 12):

    @pytest.mark.parametrize("name", USES)
    def test_o5_in_eager_tasks(name: str) -> None:
        async def use(session: ClientSession) -> None:
            asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
            task = asyncio.ensure_future(USES[name](session))
            await asyncio.sleep(1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        run_with_fake_clock(with_session(use))
