"""Dialling over TCP: names, addresses, races, sockets (N1, N2, N7 to N9, N11, F16, F17)."""

import asyncio
import errno
import os
import resource
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from wayfare_connector import (
    AbstractResolver,
    ClientConnectorDNSError,
    ClientConnectorError,
    ConnectDeadline,
    ConnectTimeouts,
    DialTimeoutError,
    DNSCache,
    DNSTimeoutError,
    FailedAttempt,
    SocketSettings,
    Target,
    TCPConnector,
    TCPDialer,
)
from wayfare_connector._race import _Attempts
from wayfare_connector._sockets import DEFAULT_SOCKETS
from wayfare_connector.testing import (
    DialerCase,
    FakeResolver,
    MemoryDialer,
    RecordingObserver,
    cancel_at_every_await,
    check_dialer,
)
from wayfare_http_core import RequestHead
from wayfare_http_core.testing import MemoryNetwork, ScriptedServer, listening, stop_accepting

from tests.stream_server import stream_server


class Echo(asyncio.Protocol):
    """Sends back what it gets."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


class Client(asyncio.Protocol):
    def __init__(self) -> None:
        self.closed = asyncio.get_running_loop().create_future()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set_result(exc)


def deadline(target: Target, **limits: float) -> ConnectDeadline:
    return ConnectDeadline(target, ConnectTimeouts(**limits))


async def dial(
    dialer: TCPDialer, target: Target, observer: RecordingObserver | None = None, **limits: float
) -> tuple[Any, ...]:
    """Dial, hang up, and return the peer's and the own address."""
    transport, client = await dialer.dial(
        target, Client, deadline=deadline(target, **limits), observer=observer
    )
    facts = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
    sock = transport.get_extra_info("socket")
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    transport.close()
    await client.closed
    return facts


@asynccontextmanager
async def tcp_case() -> AsyncIterator[DialerCase]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)

    async with stream_server(echo) as port:
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))  # and does not listen
            dialer = TCPDialer(FakeResolver({"echo.example": ["127.0.0.1"]}))
            yield DialerCase(
                dialer=dialer,
                echo=Target("http", "echo.example", port),
                refused=Target("http", "127.0.0.1", nobody.getsockname()[1]),
            )
            await dialer.close()


@asynccontextmanager
async def memory_case() -> AsyncIterator[DialerCase]:
    network = MemoryNetwork()
    network.serve("echo.example", 7, Echo)
    yield DialerCase(
        dialer=MemoryDialer(network),
        echo=Target("http", "echo.example", 7),
        refused=Target("http", "nobody.example", 7),
    )
    await asyncio.sleep(0)
    network.client_transports.assert_all_closed()


@pytest.mark.parametrize("case", [tcp_case, memory_case])
async def test_our_dialers_pass_their_suite(case: Callable[[], Any]) -> None:
    await check_dialer(case)


# -- a loop with a network of its own


class NetworkLoop(asyncio.SelectorEventLoop):
    """Connects addresses as a table says: a port of a real server, an error, nothing for a black
    hole, and any word for a peer that is gone as soon as it has accepted."""

    def __init__(self) -> None:
        super().__init__()
        self.routes: dict[str, Any] = {}
        self.attempts: list[str] = []
        self.times: list[float] = []
        self.sockets: list[socket.socket] = []
        self.when_given_up: Callable[[], object] = bool

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        self.attempts.append(address[0])
        self.times.append(self.time())
        self.sockets.append(sock)
        route = self.routes.get(address[0])
        if isinstance(route, Exception):
            raise route
        if route is None:
            try:
                await asyncio.Event().wait()
            finally:
                self.when_given_up()
        await asyncio.sleep(0)
        if isinstance(route, int):
            await super().sock_connect(sock, ("127.0.0.1", route))

    def still_open(self) -> int:
        return sum(sock.fileno() != -1 for sock in self.sockets)


REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
UNREACHABLE = OSError(errno.ENETUNREACH, "Network is unreachable")
TARGET = Target("http", "many.example", 80)


def race(
    hosts: list[str], routes: dict[str, Any], *, expect: Any = None, **options: Any
) -> NetworkLoop:
    """Dial a name with these addresses in a network with these routes."""
    loop = NetworkLoop()

    async def main() -> None:
        # Nobody accepts: a server of this loop would have tasks of its own for a moment.
        with socket.create_server(("127.0.0.1", 0), backlog=1000) as listener:
            port = listener.getsockname()[1]
            loop.routes = {a: port if r == "open" else r for a, r in routes.items()}
            dialer = TCPDialer(FakeResolver({"many.example": hosts}), **options)
            if expect is None:
                await dial(dialer, TARGET)
            else:
                await expect(dialer)
            await dialer.close()

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())
    assert loop.still_open() == 0
    return loop


def test_n1_the_next_address_is_tried_after_the_delay_and_the_loser_is_closed() -> None:
    loop = race(["10.0.0.1", "10.0.0.2"], {"10.0.0.2": "open"}, happy_eyeballs_delay=0.05)
    assert loop.attempts == ["10.0.0.1", "10.0.0.2"]
    assert loop.times[1] - loop.times[0] > 0.04


def test_n1_the_next_address_is_tried_at_once_when_one_fails() -> None:
    loop = race(
        ["10.0.0.1", "10.0.0.2"],
        {"10.0.0.1": REFUSED, "10.0.0.2": "open"},
        happy_eyeballs_delay=100,
    )
    assert loop.attempts == ["10.0.0.1", "10.0.0.2"]
    assert loop.times[1] - loop.times[0] < 100


def test_n1_families_take_turns() -> None:
    refused = {f"10.0.0.{n}": REFUSED for n in (1, 2, 3)}

    async def expect(dialer: TCPDialer) -> None:
        with pytest.raises(ClientConnectorError):
            await dial(dialer, TARGET)

    hosts = ["fd00::1", "fd00::2", "10.0.0.1", "10.0.0.2"]
    routes = {**refused, "fd00::1": REFUSED, "fd00::2": REFUSED}
    loop = race(hosts, routes, expect=expect)
    assert loop.attempts == ["fd00::1", "10.0.0.1", "fd00::2", "10.0.0.2"]
    loop = race(hosts, routes, expect=expect, interleave=2)
    assert loop.attempts == ["fd00::1", "fd00::2", "10.0.0.1", "10.0.0.2"]
    loop = race(hosts, routes, expect=expect, happy_eyeballs_delay=None)
    assert loop.attempts == hosts


def test_n2_one_error_names_every_address() -> None:
    async def expect(dialer: TCPDialer) -> None:
        with pytest.raises(ClientConnectorError) as raised:
            await dial(dialer, TARGET)
        assert raised.value.attempts == (
            FailedAttempt(("fd00::1", 80, 0, 0), errno.ENETUNREACH, "Network is unreachable"),
            FailedAttempt(("10.0.0.1", 80), errno.ECONNREFUSED, "Connection refused"),
        )
        assert raised.value.errno == errno.ENETUNREACH
        assert str(raised.value) == (
            "Cannot connect to host many.example:80: no address answered "
            "(fd00::1: Network is unreachable; 10.0.0.1: Connection refused)"
        )

    routes = {"fd00::1": UNREACHABLE, "10.0.0.1": REFUSED}
    race(["fd00::1", "10.0.0.1"], routes, expect=expect)
    race(["fd00::1", "10.0.0.1"], routes, expect=expect, happy_eyeballs_delay=None)


def test_n2_a_single_address_fails_with_its_own_error() -> None:
    async def expect(dialer: TCPDialer) -> None:
        with pytest.raises(ClientConnectorError) as raised:
            await dial(dialer, TARGET)
        assert raised.value.os_error is REFUSED
        assert len(raised.value.attempts) == 1

    race(["10.0.0.1"], {"10.0.0.1": REFUSED}, expect=expect)


def test_a_runtime_error_of_a_loop_is_an_os_error() -> None:
    """uvloop refuses some sockets so."""

    async def expect(dialer: TCPDialer) -> None:
        with pytest.raises(ClientConnectorError, match="cannot use this") as raised:
            await dial(dialer, TARGET)
        assert raised.value.errno == errno.EINVAL

    race(["10.0.0.1"], {"10.0.0.1": RuntimeError("cannot use this")}, expect=expect)


async def test_whatever_else_the_race_asks_for_is_the_loops() -> None:
    loop = asyncio.get_running_loop()
    attempts = _Attempts(loop, DEFAULT_SOCKETS)
    assert attempts.create_future().get_loop() is loop
    assert attempts.summary(REFUSED) is REFUSED


def test_a_socket_that_breaks_when_connected_is_an_error() -> None:
    async def expect(dialer: TCPDialer) -> None:
        with pytest.raises(ClientConnectorError):
            await dial(dialer, TARGET)

    race(["10.0.0.1"], {"10.0.0.1": "gone"}, expect=expect)


def test_o1_a_black_hole_ends_by_sock_connect() -> None:
    async def expect(dialer: TCPDialer) -> None:
        with pytest.raises(DialTimeoutError) as raised:
            await dial(dialer, TARGET, sock_connect=0.02)
        assert raised.value.seconds == 0.02

    race(["10.0.0.1", "fd00::1"], {}, expect=expect, happy_eyeballs_delay=0.001)


@pytest.mark.parametrize("limits", [{"sock_connect": 0.05}, {"connect": 0.05}])
@pytest.mark.parametrize("delay", [None, 0.001])
def test_n2_o1_a_timeout_tells_what_became_of_each_address(
    limits: dict[str, float], delay: float | None
) -> None:
    async def expect(dialer: TCPDialer) -> None:
        watch = deadline(TARGET, **limits)
        with pytest.raises(DialTimeoutError) as raised, watch.overall():
            await dialer.dial(TARGET, Client, deadline=watch, observer=None)
        attempts = (
            FailedAttempt(("fd00::1", 80, 0, 0), errno.ECONNREFUSED, "Connection refused"),
            FailedAttempt(("10.0.0.1", 80), errno.ETIMEDOUT, "no answer"),
        )
        assert raised.value.attempts == attempts
        told = "(fd00::1: Connection refused; 10.0.0.1: no answer)"
        assert str(raised.value).endswith(told)

    hosts = ["fd00::1", "10.0.0.1"]
    race(hosts, {"fd00::1": REFUSED}, expect=expect, happy_eyeballs_delay=delay)


def test_n2_what_was_never_tried_is_not_told_of() -> None:
    async def expect(dialer: TCPDialer) -> None:
        with pytest.raises(DialTimeoutError) as raised:
            await dial(dialer, TARGET, sock_connect=0.02)
        assert [attempt.address[0] for attempt in raised.value.attempts] == ["10.0.0.1"]

    race(["10.0.0.1", "10.0.0.2"], {}, expect=expect, happy_eyeballs_delay=100)


@pytest.mark.parametrize("delay", [None, 0.001])
def test_n1_l2_a_race_can_be_cancelled_at_every_await(delay: float | None) -> None:
    async def expect(dialer: TCPDialer) -> None:
        async def scenario() -> None:
            await dial(dialer, TARGET, RecordingObserver(), connect=60, sock_connect=60)

        async def check() -> None:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, NetworkLoop)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert loop.still_open() == 0
            assert len(asyncio.all_tasks()) == 1

        assert await cancel_at_every_await(scenario, check) > 8

    race(
        ["fd00::1", "10.0.0.1"],
        {"fd00::1": UNREACHABLE, "10.0.0.1": "open"},
        expect=expect,
        happy_eyeballs_delay=delay,
    )


def test_o4_a_cancellation_while_the_losers_are_given_up_stays_one() -> None:
    async def expect(dialer: TCPDialer) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, NetworkLoop)
        task = asyncio.ensure_future(dial(dialer, TARGET))
        loop.when_given_up = task.cancel
        await asyncio.wait([task])
        assert loop.attempts == ["10.0.0.1", "10.0.0.2"]
        assert task.cancelled()

    race(["10.0.0.1", "10.0.0.2"], {"10.0.0.2": "open"}, expect=expect, happy_eyeballs_delay=0.001)


# -- the real network


async def test_n9_an_address_never_reaches_the_resolver() -> None:
    resolver = FakeResolver({})
    dialer = TCPDialer(resolver)
    observer = RecordingObserver()
    async with listening(ScriptedServer()) as (host, port):
        peername, _ = await dial(dialer, Target("http", host, port), observer)
    assert peername == (host, port)
    assert observer.names == ["dial_start", "dial_end"]
    assert resolver.calls == []
    await dialer.close()


async def test_a_literal_of_another_family_is_an_error() -> None:
    dialer = TCPDialer(FakeResolver({}), family=socket.AF_INET6)
    with pytest.raises(ClientConnectorError, match="not an address of AF_INET6"):
        await dial(dialer, Target("http", "127.0.0.1", 80))
    await dialer.close()


async def test_n3_localhost_with_a_dead_address_works() -> None:
    """aiohttp #5357: the server listens on one family only."""
    resolver = FakeResolver({"localhost": ["::1", "127.0.0.1"]})
    dialer = TCPDialer(resolver)
    observer = RecordingObserver()
    async with listening(ScriptedServer()) as (host, port):
        peername, _ = await dial(dialer, Target("http", "localhost", port), observer)
    assert peername == (host, port)
    assert observer.names == ["dns_start", "dns_end", "dial_start", "dial_end"]
    assert observer.events[1][1][0] == ("::1", "127.0.0.1")
    assert observer.events[3][1][0] == (host, port)
    await dialer.close()


async def test_it_resolves_by_the_system_when_nothing_else_is_said() -> None:
    dialer = TCPDialer()
    async with listening(ScriptedServer()) as (host, port):
        peername, _ = await dial(dialer, Target("http", "localhost", port))
    assert peername == (host, port)
    await dialer.close()
    with pytest.raises(ClientConnectorDNSError, match="closed"):
        await dial(dialer, Target("http", "localhost", port))


async def test_the_family_is_asked_for() -> None:
    resolver = FakeResolver({"localhost": ["::1", "127.0.0.1"]})
    dialer = TCPDialer(resolver, family=socket.AF_INET)
    observer = RecordingObserver()
    async with listening(ScriptedServer()) as (_, port):
        await dial(dialer, Target("http", "localhost", port), observer)
    assert resolver.calls == [("localhost", port, socket.AF_INET)]
    assert observer.events[1][1][0] == ("127.0.0.1",)
    await dialer.close()


async def test_n11_the_local_address_is_bound_to() -> None:
    async with listening(ScriptedServer()) as (host, port):
        dialer = TCPDialer(sockets=SocketSettings(local_addr=("127.0.0.2", 0)))
        _, sockname = await dial(dialer, Target("http", host, port))
        assert sockname[0] == "127.0.0.2"
        own = Target("http", host, port, local_addr=("127.0.0.3", 0))
        _, sockname = await dial(dialer, own)
        assert sockname[0] == "127.0.0.3"
        await dialer.close()


async def test_f17_a_local_address_that_cannot_be_bound_to_is_an_error() -> None:
    dialer = TCPDialer(sockets=SocketSettings(local_addr=("192.0.2.1", 0)))
    with pytest.raises(ClientConnectorError) as raised:
        await dial(dialer, Target("http", "127.0.0.1", 80))
    assert raised.value.errno == errno.EADDRNOTAVAIL
    assert raised.value.attempts[0].address == ("127.0.0.1", 80)
    await dialer.close()


async def test_f17_emfile_is_an_error_and_passes() -> None:
    async with (
        listening(ScriptedServer()) as (host, port),
        TCPConnector(limit=1) as connector,
    ):
        target = Target("http", host, port)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        filler = [os.dup(0)]
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(filler) + 1, hard))
            while True:
                try:
                    filler.append(os.dup(0))
                except OSError:
                    break
            for _ in range(3):
                with pytest.raises(ClientConnectorError) as raised:
                    await connector.connect(target)
                assert raised.value.errno == errno.EMFILE
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for descriptor in filler:
                os.close(descriptor)
        assert (await connector.connect(target)).available_exchanges == 1


# -- names


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("a" * 64 + ".example", "label"),
        (".".join(["a" * 50] * 6), "longer than 253"),
        ("a..example", "empty label"),
    ],
)
async def test_n9_an_impossible_name_is_not_looked_up(host: str, message: str) -> None:
    resolver = FakeResolver({})
    dialer = TCPDialer(resolver)
    with pytest.raises(ClientConnectorDNSError, match=message):
        await dial(dialer, Target("http", host))
    assert resolver.calls == []
    await dialer.close()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "not known"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "Temporary failure"),
        (ZeroDivisionError("oops"), "the resolver failed: ZeroDivisionError: oops"),
        (UnicodeError("label too long"), "the resolver failed: UnicodeError"),
        ([], "not known"),
    ],
)
async def test_f16_whatever_the_resolver_does_is_a_dns_error(answer: Any, message: str) -> None:
    dialer = TCPDialer(FakeResolver({"a.example": answer}))
    with pytest.raises(ClientConnectorDNSError, match=message) as raised:
        await dial(dialer, Target("http", "a.example"))
    assert raised.value.host == "a.example"
    assert raised.value.__cause__ is not None
    await dialer.close()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([{"host": "::1"}], "no usable address"),  # of the wrong family
        ([{"host": b"127.0.0.1"}], "the resolver failed: TypeError"),
        (None, "the resolver failed: TypeError"),
        (7, "the resolver failed: TypeError"),
    ],
)
async def test_n8_f16_results_of_no_use_are_no_results(answer: Any, message: str) -> None:
    class Wrong(AbstractResolver):
        async def resolve(self, host: str, port: int = 0, family: int = 0) -> Any:
            return answer

        async def close(self) -> None:
            raise AssertionError("it was handed in")

    dialer = TCPDialer(Wrong(), family=socket.AF_INET, dns_cache=DNSCache())
    target = Target("http", "a.example")
    # Twice: the second one must not find what the first one could not use.
    for _ in range(2):
        dials = (dial(dialer, target) for _ in range(3))
        for failure in await asyncio.gather(*dials, return_exceptions=True):
            assert isinstance(failure, ClientConnectorDNSError)
            assert message in str(failure)
    await dialer.close()


async def test_n7_o1_a_resolver_that_hangs_ends_by_connect() -> None:
    resolver = FakeResolver({"a.example": ["127.0.0.1"]})
    resolver.hold()
    dialer = TCPDialer(resolver)
    async with TCPConnector(dialer=dialer) as connector:
        with pytest.raises(DNSTimeoutError) as raised:
            await connector.connect(
                Target("http", "a.example"), ConnectTimeouts(connect=0.02, sock_connect=0.001)
            )
        assert raised.value.seconds == 0.02
    await dialer.close()


@pytest.mark.parametrize("event", ["dns_start", "dns_end", "dial_start", "dial_end"])
async def test_o11_an_observer_that_raises_leaves_no_socket(event: str) -> None:
    class PlannedError(Exception):
        pass

    dialer = TCPDialer(FakeResolver({"a.example": ["127.0.0.1"]}))
    async with listening(ScriptedServer()) as (_, port):
        with pytest.raises(PlannedError):
            await dial(
                dialer,
                Target("http", "a.example", port),
                RecordingObserver({event: PlannedError()}),
            )
    await dialer.close()


async def test_a_protocol_factory_that_raises_leaves_no_socket() -> None:
    def fail() -> asyncio.Protocol:
        raise ZeroDivisionError

    dialer = TCPDialer()
    async with listening(ScriptedServer()) as (host, port):
        target = Target("http", host, port)
        with pytest.raises(ZeroDivisionError):
            await dialer.dial(target, fail, deadline=deadline(target), observer=None)
    await dialer.close()


# -- two families on real sockets


def one_of_two(living: str, dead: str) -> tuple[socket.socket, socket.socket]:
    """A socket that listens at one address, and one that has the same port at the other and does not listen."""
    families = {"127.0.0.1": socket.AF_INET, "::1": socket.AF_INET6}
    while True:
        listener = socket.create_server((living, 0), family=families[living])
        other = socket.socket(families[dead])
        try:
            other.bind((dead, listener.getsockname()[1]))
        except OSError:  # somebody else has that one
            other.close()
            listener.close()
        else:
            return listener, other


@pytest.mark.parametrize("delay", [0.25, None])
@pytest.mark.parametrize("first", ["127.0.0.1", "::1"])
@pytest.mark.parametrize(("living", "dead"), [("127.0.0.1", "::1"), ("::1", "127.0.0.1")])
async def test_n1_the_family_that_lives_is_found(
    ok_server: ScriptedServer, living: str, dead: str, first: str, delay: float | None
) -> None:
    names = FakeResolver({"a.example": sorted([living, dead], key=lambda host: host != first)})
    sock, other = one_of_two(living, dead)
    listener = await asyncio.get_running_loop().create_server(ok_server, sock=sock)
    target = Target("http", "a.example", sock.getsockname()[1])
    try:
        with other:
            async with TCPConnector(resolver=names, happy_eyeballs_delay=delay) as connector:
                connection = await connector.connect(target)
                assert connection.facts.peername is not None
                assert connection.facts.peername[:2] == (living, target.port)
                exchange = await connection.exchange(RequestHead("GET", "http", "a.example", "/"))
                assert await exchange.content.read() == b"hi"
    finally:
        await stop_accepting(listener)
        listener.close()
        ok_server.abort()
        await ok_server.wait_closed()
        await listener.wait_closed()
