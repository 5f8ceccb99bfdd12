"""Answers of resolvers that are kept: for how long, how many, in which order (N5)."""

import asyncio
import socket
from collections.abc import Coroutine
from typing import Any

import pytest
from wayfare_connector import (
    ClientConnectorDNSError,
    DNSCache,
    ResolveResult,
    Target,
    TCPConnector,
)
from wayfare_connector.testing import FakeResolver, RecordingObserver
from wayfare_http_core import Connection, RequestHead
from wayfare_http_core.testing import ScriptedServer, listening, run_with_fake_clock

UNSPEC, V4, V6 = socket.AF_UNSPEC, socket.AF_INET, socket.AF_INET6
KEY = ("a.example", 80, int(UNSPEC))


def results(*hosts: str) -> list[ResolveResult]:
    return [
        ResolveResult(
            hostname="a.example",
            host=host,
            port=80,
            family=V6 if ":" in host else V4,
            proto=6,
            flags=0,
        )
        for host in hosts
    ]


def hosts(answer: list[ResolveResult] | None) -> list[str] | None:
    return None if answer is None else [result["host"] for result in answer]


def test_n5_an_answer_is_kept_for_its_time() -> None:
    cache = DNSCache(10)
    assert cache.get(KEY, 0.0) is None
    cache.put(KEY, results("192.0.2.1"), 100.0)
    assert hosts(cache.get(KEY, 109.9)) == ["192.0.2.1"]
    assert cache.get(KEY, 110.0) is None
    assert len(cache) == 0


def test_n5_for_ever_and_not_at_all() -> None:
    ever, never = DNSCache(None), DNSCache(0)
    for cache in (ever, never):
        cache.put(KEY, results("192.0.2.1"), 0.0)
    assert hosts(ever.get(KEY, 1e12)) == ["192.0.2.1"]
    assert never.get(KEY, 0.0) is None


def test_n5_no_answer_is_not_kept() -> None:
    cache = DNSCache()
    cache.put(KEY, [], 0.0)
    assert len(cache) == 0


def test_n5_addresses_take_turns_and_families_keep_their_places() -> None:
    cache = DNSCache()
    cache.put(KEY, results("2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "192.0.2.3"), 0)
    turns = [hosts(cache.get(KEY, 0)) for _ in range(6)]
    assert turns[0] == ["2001:db8::2", "192.0.2.2", "2001:db8::1", "192.0.2.3", "192.0.2.1"]
    assert turns[1] == ["2001:db8::1", "192.0.2.3", "2001:db8::2", "192.0.2.1", "192.0.2.2"]
    assert turns[5] == ["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "192.0.2.3"]


def test_n5_what_was_asked_for_longest_ago_is_forgotten() -> None:
    cache = DNSCache(max_size=2)
    one, two, three = (("a.example", port, int(UNSPEC)) for port in (1, 2, 3))
    cache.put(one, results("192.0.2.1"), 0)
    cache.put(two, results("192.0.2.2"), 0)
    assert cache.get(one, 0) is not None
    cache.put(three, results("192.0.2.3"), 0)
    assert cache.get(two, 0) is None
    assert cache.get(one, 0) is not None
    assert cache.get(three, 0) is not None


def test_n5_ten_thousand_hosts_are_bounded() -> None:
    cache = DNSCache(max_size=1000)
    for n in range(10_000):
        cache.put((f"h{n}.example", 80, 0), results("192.0.2.1"), 0)
    assert len(cache) == 1000


def test_it_can_be_cleared() -> None:
    cache = DNSCache()
    keys = [("a.example", 80, 0), ("a.example", 80, 2), ("a.example", 81, 0), ("b.example", 80, 0)]

    def fill() -> None:
        for key in keys:
            cache.put(key, results("192.0.2.1"), 0)

    fill()
    cache.clear("a.example", 80)
    assert [cache.get(key, 0) is not None for key in keys] == [False, False, True, True]
    fill()
    cache.clear("a.example")
    assert len(cache) == 1
    cache.clear()
    assert len(cache) == 0


def test_bad_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="negative time"):
        DNSCache(-1)
    with pytest.raises(ValueError, match="room for one"):
        DNSCache(max_size=0)
    with pytest.raises(ValueError, match="negative time"):
        TCPConnector(ttl_dns_cache=-1)


# -- in a connector


async def get(connection: Connection) -> None:
    exchange = await connection.exchange(RequestHead("GET", "http", "a.example", "/"))
    assert await exchange.content.read() == b"hi"


async def look_up(connector: TCPConnector, target: Target) -> list[str]:
    """Open one more connection, and tell what the observer heard of names."""
    observer = RecordingObserver()
    connection = await connector.connect(target, observer=observer)
    connection.close()
    await connection.wait_closed()
    return [name for name in observer.names if name.startswith("dns")]


MISS = ["dns_cache_miss", "dns_start", "dns_end"]
HIT = ["dns_cache_hit"]


async def test_n5_a_name_is_asked_for_once(ok_server: ScriptedServer) -> None:
    resolver = FakeResolver({"a.example": ["127.0.0.1"]})
    async with (
        listening(ok_server) as (_, port),
        TCPConnector(resolver=resolver) as connector,
    ):
        target = Target("http", "a.example", port)
        assert connector.use_dns_cache
        assert [await look_up(connector, target) for _ in range(3)] == [MISS, HIT, HIT]
        connector.clear_dns_cache("A.example", port)
        assert await look_up(connector, target) == MISS
        connector.clear_dns_cache("a.example", port + 1)
        assert await look_up(connector, target) == HIT
        connector.clear_dns_cache("a.example")
        assert await look_up(connector, target) == MISS
        connector.clear_dns_cache()
        assert await look_up(connector, target) == MISS
        with pytest.raises(ValueError, match="a port alone"):
            connector.clear_dns_cache(port=port)
    assert len(resolver.calls) == 4


async def test_without_a_cache_a_name_is_asked_for_every_time(ok_server: ScriptedServer) -> None:
    resolver = FakeResolver({"a.example": ["127.0.0.1"]})
    async with (
        listening(ok_server) as (_, port),
        TCPConnector(resolver=resolver, use_dns_cache=False) as connector,
    ):
        target = Target("http", "a.example", port)
        assert not connector.use_dns_cache
        connector.clear_dns_cache()
        for _ in range(2):
            assert await look_up(connector, target) == ["dns_start", "dns_end"]
    assert len(resolver.calls) == 2


async def test_n5_a_failure_is_not_kept(ok_server: ScriptedServer) -> None:
    resolver = FakeResolver({})
    async with (
        listening(ok_server) as (_, port),
        TCPConnector(resolver=resolver) as connector,
    ):
        target = Target("http", "a.example", port)
        with pytest.raises(ClientConnectorDNSError):
            await connector.connect(target)
        resolver.table["a.example"] = ["127.0.0.1"]
        assert await look_up(connector, target) == MISS


def test_n5_an_answer_ends_by_the_clock_of_the_loop() -> None:
    async def main() -> None:
        resolver = FakeResolver({"a.example": ["127.0.0.1"]})
        async with TCPConnector(resolver=resolver, ttl_dns_cache=3) as connector:
            dialer = connector.dialer
            lookups = dialer._lookups  # type: ignore[attr-defined]  # the sockets are not wanted
            await lookups.resolve("a.example", 80, UNSPEC)
            await asyncio.sleep(2.9)
            assert lookups.known("a.example", 80, UNSPEC) is not None
            await asyncio.sleep(0.2)
            assert lookups.known("a.example", 80, UNSPEC) is None
        assert lookups.known("a.example", 80, UNSPEC) is None

    coroutine: Coroutine[Any, Any, None] = main()
    run_with_fake_clock(coroutine)


def test_a_foreign_dialer_has_no_cache(network: Any) -> None:
    from wayfare_connector.testing import MemoryDialer

    connector = TCPConnector(dialer=MemoryDialer(network))
    assert not connector.use_dns_cache
    connector.clear_dns_cache("a.example")
    with pytest.raises(ValueError, match="a dialer brings its own"):
        TCPConnector(dialer=MemoryDialer(network), ttl_dns_cache=1)
