"""Which addresses may be connected to: the policy against requests to the inside, and its place."""

import itertools
import socket
from collections.abc import AsyncIterator
from ipaddress import ip_address
from typing import Any

import pytest
from wayfare_connector import (
    AddressPolicy,
    AddressRefusedError,
    ClientConnectorError,
    ClientProxyConnectionError,
    FailedAttempt,
    Proxy,
    PublicAddresses,
    Target,
    TCPConnector,
)
from wayfare_connector._address_policy import Address
from wayfare_connector.testing import FakeResolver, RecordingObserver, check_address_policy
from wayfare_http_core.testing import ScriptedServer, listening

TARGET = Target("http", "a.example")

INSIDE = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",  # metadata of Alibaba
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",  # Azure's host services
    "169.254.1.1",
    "169.254.169.254",  # metadata of most clouds
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",  # metadata of Oracle
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "3fff::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "fc00::1",
    "fd00:ec2::254",  # metadata of Amazon
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "4000::1",
]

OUTSIDE = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.215.14",
    "172.32.0.1",
    "2606:4700:4700::1111",
    "2a00:1450:4001:82a::200e",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
]


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_not_public_is_refused(address: str) -> None:
    assert PublicAddresses().refusal(TARGET, ip_address(address)) == "it is not a public address"


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_is_public_is_not(address: str) -> None:
    assert PublicAddresses().refusal(TARGET, ip_address(address)) is None


def test_networks_can_be_allowed() -> None:
    policy = PublicAddresses(["10.1.0.0/16", "fd00::/64", "::ffff:192.168.0.0/112"])
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "fd00::5"):
        assert policy.refusal(TARGET, ip_address(address)) is None
    for address in ("10.2.0.1", "fd00:1::5", "127.0.0.1", "192.168.0.1"):
        assert policy.refusal(TARGET, ip_address(address)) is not None
    with pytest.raises(ValueError, match="network"):
        PublicAddresses(["10.0.0.0/99"])


def test_it_passes_the_suite_of_address_policies() -> None:
    check_address_policy(PublicAddresses(), refused="10.0.0.1", permitted="1.1.1.1")
    policy = PublicAddresses(["10.0.0.0/8"])
    check_address_policy(policy, refused="127.0.0.1", permitted="10.0.0.1")


class Broken:
    """A policy with a fault."""

    def __init__(self, *answers: Any) -> None:
        self.answers = itertools.cycle(answers)

    def refusal(self, target: Target, address: Address) -> Any:
        return next(self.answers)


@pytest.mark.parametrize(
    ("answers", "rule"),
    [
        ((True,), "a reason is a str"),
        (("",), "a reason has words"),
        (("no", None), "does not change"),
        ((None,), "10.0.0.1 is refused"),
        (("no",), "1.1.1.1 is permitted"),
    ],
)
def test_the_suite_finds_faults(answers: tuple[Any, ...], rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        check_address_policy(Broken(*answers), refused="10.0.0.1", permitted="1.1.1.1")


# -- in a connector


class NotTheFirst:
    """Somebody's own policy."""

    def refusal(self, target: Target, address: Address) -> str | None:
        return "not this one" if str(address) == "127.0.0.2" else None


@pytest.fixture
async def port(ok_server: ScriptedServer) -> AsyncIterator[int]:
    async with listening(ok_server) as (_, port):
        yield port


async def test_addresses_are_checked_after_the_look_up(
    port: int, ok_server: ScriptedServer
) -> None:
    names = FakeResolver({"inside.example": ["127.0.0.1", "::ffff:127.0.0.1"]})
    observer = RecordingObserver()
    async with TCPConnector(resolver=names, address_policy=PublicAddresses()) as connector:
        target = Target("http", "inside.example", port)
        with pytest.raises(AddressRefusedError) as raised:
            await connector.connect(target, observer=observer)
    exc = raised.value
    assert isinstance(exc, ClientConnectorError)
    assert "the address policy refuses it (127.0.0.1: it is not a public address; " in str(exc)
    assert [attempt.address[0] for attempt in exc.attempts] == ["127.0.0.1", "::ffff:127.0.0.1"]
    assert isinstance(exc.attempts[0], FailedAttempt)
    assert "dial_start" not in observer.names
    assert ok_server.peers == []


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254"])
async def test_addresses_in_urls_are_checked_too(host: str) -> None:
    async with TCPConnector(address_policy=PublicAddresses()) as connector:
        with pytest.raises(AddressRefusedError):
            await connector.connect(Target("http", host, 9))


async def test_a_name_that_leads_elsewhere_the_next_time_is_checked_again(port: int) -> None:
    """DNS rebinding: what is connected to is what was checked, each time."""
    names = FakeResolver({"moves.example": ["127.0.0.1"]})
    policy = PublicAddresses(["127.0.0.1/32"])
    async with TCPConnector(
        resolver=names, address_policy=policy, use_dns_cache=False, force_close=True
    ) as connector:
        target = Target("http", "moves.example", port)
        (await connector.connect(target)).close()
        names.table["moves.example"] = ["127.0.0.2"]
        with pytest.raises(AddressRefusedError):
            await connector.connect(target)


async def test_only_what_is_refused_is_left_out(port: int) -> None:
    policy: AddressPolicy = NotTheFirst()
    names = FakeResolver({"two.example": ["127.0.0.2", "127.0.0.1"]})
    observer = RecordingObserver()
    async with TCPConnector(resolver=names, address_policy=policy) as connector:
        await connector.connect(Target("http", "two.example", port), observer=observer)
    (peername,) = [event[1][0] for event in observer.events if event[0] == "dial_end"]
    assert peername == ("127.0.0.1", port)


@pytest.mark.parametrize("host", ["127.0.0.1", "a.example"])
async def test_f16_a_policy_that_raises_permits_nothing(host: str) -> None:
    class Broken:
        def refusal(self, target: Target, address: Address) -> str | None:
            raise ZeroDivisionError("planned")

    names = FakeResolver({"a.example": ["127.0.0.1"]})
    async with TCPConnector(resolver=names, address_policy=Broken()) as connector:
        with pytest.raises(AddressRefusedError, match="ZeroDivisionError: planned") as raised:
            await connector.connect(Target("http", host))
    assert isinstance(raised.value.__cause__, ZeroDivisionError)


async def test_the_zone_of_an_address_is_no_way_around(port: int) -> None:
    zone = socket.if_indextoname(1)
    async with TCPConnector(address_policy=PublicAddresses()) as connector:
        with pytest.raises(AddressRefusedError):
            await connector.connect(Target("http", f"fe80::1%{zone}", port))


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("proxy", ["http", "socks5h", "socks5"])
@pytest.mark.parametrize("host", ["169.254.169.254", "::ffff:10.0.0.1", "fe80::1%lo"])
async def test_an_address_in_a_url_is_checked_before_a_proxy_is_told(
    scheme: str, proxy: str, host: str, port: int, ok_server: ScriptedServer
) -> None:
    """Whatever family the dialer is for: it is the proxy that connects."""
    policy = PublicAddresses(["127.0.0.1/32"])
    async with TCPConnector(address_policy=policy, family=socket.AF_INET) as connector:
        target = Target(scheme, host, proxy=Proxy(f"{proxy}://127.0.0.1:{port}"))
        with pytest.raises(AddressRefusedError, match="it is not a public address"):
            await connector.connect(target)
    assert ok_server.peers == []


async def test_names_behind_a_proxy_are_the_proxy_s_and_its_own_address_is_checked(
    port: int,
) -> None:
    proxy = Proxy(f"http://127.0.0.1:{port}")
    allowed = PublicAddresses(["127.0.0.1/32"])
    for host in ("inside.example", "localhost", "8.8.8.8", "2606:4700:4700::1111"):
        async with TCPConnector(address_policy=allowed, family=socket.AF_INET) as connector:
            (await connector.connect(Target("http", host, proxy=proxy))).close()
    async with TCPConnector(address_policy=PublicAddresses()) as connector:
        with pytest.raises(ClientProxyConnectionError, match="it is not a public address"):
            await connector.connect(Target("http", "inside.example", proxy=proxy))
