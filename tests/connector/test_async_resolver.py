"""c-ares against a real name server on the loopback interface (F16, N5 to N8)."""

import asyncio
import contextlib
import socket
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
import wayfare_connector
from wayfare_connector import (
    AbstractResolver,
    ClientConnectorDNSError,
    ConnectTimeouts,
    DNSTimeoutError,
    Target,
    TCPConnector,
    ThreadedResolver,
)
from wayfare_connector._async_resolver import AsyncResolver
from wayfare_connector.testing import ResolverCase, check_resolver
from wayfare_http_core.testing import ScriptedServer, listening

UNSPEC, V4, V6 = socket.AF_UNSPEC, socket.AF_INET, socket.AF_INET6
A, AAAA = 1, 28
NXDOMAIN, SERVFAIL = 3, 2


class NameServer(asyncio.DatagramProtocol):
    """Answers from tables, over UDP and TCP at one port.

    Addresses move up with each answer. `codes` are names that get a response code, `truncated` those
    whose answer only fits into TCP, `silent` those that get none.
    """

    def __init__(self) -> None:
        self.addresses: dict[str, list[str]] = {}
        self.codes: dict[str, int] = {}
        self.truncated: set[str] = set()
        self.silent: set[str] = set()
        self.asked: list[tuple[str, int, str]] = []
        self.port = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Only selector loops derive theirs from asyncio.DatagramTransport.
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        answer = self.answer(data, "udp")
        if answer:
            self.transport.sendto(answer, addr)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                answer = self.answer(await reader.readexactly(length), "tcp")
                writer.write(struct.pack("!H", len(answer)) + answer)
        writer.close()

    def answer(self, query: bytes, over: str) -> bytes:
        labels = []
        position = 12
        while query[position]:
            length = query[position]
            labels.append(query[position + 1 : position + 1 + length].decode("ascii").lower())
            position += 1 + length
        name = ".".join(labels)
        (kind,) = struct.unpack("!H", query[position + 1 : position + 3])
        question = query[12 : position + 5]
        self.asked.append((name, kind, over))
        if name in self.silent:
            return b""
        code = self.codes.get(name, 0 if name in self.addresses else NXDOMAIN)
        records = []
        if not code:
            family = V4 if kind == A else V6
            everything = self.addresses[name]
            self.addresses[name] = everything[1:] + everything[:1]
            fitting = [a for a in everything if (":" in a) is (kind == AAAA)]
            packed = [socket.inet_pton(family, address) for address in fitting]
            records = [struct.pack("!HHHIH", 0xC00C, kind, 1, 60, len(p)) + p for p in packed]
        flags = 0x8180 | code
        if name in self.truncated and over == "udp":
            flags |= 0x0200
            records = []
        head = query[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0)
        return head + question + b"".join(records)


@asynccontextmanager
async def serving() -> AsyncIterator[NameServer]:
    names = NameServer()
    loop = asyncio.get_running_loop()
    tcp = await asyncio.start_server(names.talk, "127.0.0.1", 0)
    names.port = tcp.sockets[0].getsockname()[1]
    transport, _ = await loop.create_datagram_endpoint(
        lambda: names, local_addr=("127.0.0.1", names.port)
    )
    try:
        yield names
    finally:
        transport.close()
        tcp.close()
        await tcp.wait_closed()


@pytest.fixture
async def names() -> AsyncIterator[NameServer]:
    async with serving() as names:
        yield names


def ask(names: NameServer, **options: Any) -> AsyncResolver:
    """A resolver that asks this server alone."""
    options = {"timeout": 60.0, "tries": 1, "lookups": "b", **options}
    return AsyncResolver(nameservers=[f"127.0.0.1:{names.port}"], **options)


@pytest.fixture
async def resolver(names: NameServer) -> AsyncIterator[AsyncResolver]:
    resolver = ask(names)
    yield resolver
    await resolver.close()


async def test_it_asks_the_name_servers_it_was_given(
    names: NameServer, resolver: AsyncResolver
) -> None:
    names.addresses["a.example"] = ["192.0.2.1", "192.0.2.2", "2001:db8::1"]
    results = await resolver.resolve("a.example", 8080, UNSPEC)
    assert {result["host"] for result in results} == {"192.0.2.1", "192.0.2.2", "2001:db8::1"}
    assert {result["port"] for result in results} == {8080}
    assert {name for name, _, _ in names.asked} == {"a.example"}
    (result,) = await resolver.resolve("a.example", 80, V6)
    assert (result["host"], result["family"], result["hostname"]) == (
        "2001:db8::1",
        V6,
        "a.example",
    )


@pytest.mark.parametrize(
    ("code", "errno"), [(NXDOMAIN, socket.EAI_NONAME), (SERVFAIL, socket.EAI_AGAIN)]
)
async def test_f16_a_failure_is_a_gaierror(
    names: NameServer, resolver: AsyncResolver, code: int, errno: int
) -> None:
    names.codes["bad.example"] = code
    with pytest.raises(socket.gaierror) as raised:
        await resolver.resolve("bad.example", 80, UNSPEC)
    assert raised.value.errno == errno


async def test_f16_no_address_of_the_family_is_a_gaierror(
    names: NameServer, resolver: AsyncResolver
) -> None:
    names.addresses["a.example"] = ["192.0.2.1"]
    with pytest.raises(socket.gaierror) as raised:
        await resolver.resolve("a.example", 80, V6)
    assert raised.value.errno == socket.EAI_NONAME


async def test_f16_a_truncated_answer_is_asked_for_again_over_tcp(
    names: NameServer, resolver: AsyncResolver
) -> None:
    names.addresses["long.example"] = [f"192.0.2.{n}" for n in range(1, 100)]
    names.truncated.add("long.example")
    results = await resolver.resolve("long.example", 80, V4)
    assert len(results) == 99
    assert [over for _, _, over in names.asked] == ["udp", "tcp"]


async def test_f16_o1_an_answer_that_does_not_come_ends_by_dns(names: NameServer) -> None:
    names.silent.add("slow.example")
    resolver = ask(names)
    async with TCPConnector(resolver=resolver) as connector:
        with pytest.raises(DNSTimeoutError) as raised:
            await connector.connect(
                Target("http", "slow.example"), ConnectTimeouts(connect=60, dns=0.1)
            )
    assert raised.value.seconds == 0.1
    await resolver.close()


async def test_f16_closing_fails_what_is_being_asked(names: NameServer) -> None:
    names.silent.add("slow.example")
    resolver = ask(names)
    lookup = asyncio.ensure_future(resolver.resolve("slow.example", 80, V4))
    while not names.asked:
        await asyncio.sleep(0)
    await resolver.close()
    with pytest.raises((socket.gaierror, asyncio.CancelledError)):
        await lookup


async def test_n5_n6_a_connector_resolves_once_and_connects(
    names: NameServer, resolver: AsyncResolver, ok_server: ScriptedServer
) -> None:
    names.addresses["a.example"] = ["127.0.0.1"]
    async with (
        listening(ok_server) as (_, port),
        TCPConnector(resolver=resolver, family=V4) as connector,
    ):
        target = Target("http", "a.example", port)
        connections = await asyncio.gather(*(connector.connect(target) for _ in range(10)))
        assert len(connections) == 10
        with pytest.raises(ClientConnectorDNSError):
            await connector.connect(Target("http", "nobody.example"))
    assert [name for name, _, _ in names.asked] == ["a.example", "nobody.example"]


@asynccontextmanager
async def case() -> AsyncIterator[ResolverCase]:
    async with serving() as names:
        names.addresses["a.example"] = ["192.0.2.1", "2001:db8::1"]
        resolver = ask(names)
        yield ResolverCase(
            resolver=resolver, known="a.example", families=(V4, V6), unknown="nobody.example"
        )
        await resolver.close()


async def test_it_passes_the_suite_of_resolvers() -> None:
    await check_resolver(case)


async def test_without_name_servers_it_asks_those_of_the_system() -> None:
    resolver = AsyncResolver()
    results = await resolver.resolve("localhost", 80, UNSPEC)
    assert {result["host"] for result in results} <= {"127.0.0.1", "::1"}
    await resolver.close()


async def test_closing_before_anything_was_asked() -> None:
    await AsyncResolver().close()


def test_loop_is_accepted_and_ignored() -> None:
    loop = asyncio.new_event_loop()
    with pytest.warns(DeprecationWarning, match="loop= does nothing"):
        AsyncResolver(loop)
    loop.close()


def test_without_the_extra_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiodns", None)
    with pytest.raises(ImportError, match=r"wayfare-connector\[aiodns\]"):
        AsyncResolver()


def test_the_default_is_the_quickest_that_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def default() -> type[AbstractResolver]:
        import importlib

        from wayfare_connector import _default_resolver

        resolver: type[AbstractResolver] = importlib.reload(_default_resolver).DefaultResolver
        return resolver

    assert default() is AsyncResolver
    monkeypatch.setitem(sys.modules, "aiodns", None)
    assert default() is ThreadedResolver
    monkeypatch.undo()
    assert default() is wayfare_connector.AsyncResolver
