"""The connector without a network passes the suite of connectors, and records; so does the policy that is a table."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address

from wayfare_connector import Target
from wayfare_connector.testing import (
    ConnectorCase,
    FakeAddressPolicy,
    MemoryConnector,
    check_address_policy,
    check_connector,
)
from wayfare_http_core import RequestHead
from wayfare_http_core.testing import MemoryNetwork, ScriptedServer


@asynccontextmanager
async def case(ok_server: ScriptedServer) -> AsyncIterator[ConnectorCase]:
    network = MemoryNetwork()
    network.serve("a.example", 80, ok_server)
    yield ConnectorCase(
        make=lambda **options: MemoryConnector(network, **options),
        server=Target("http", "a.example"),
        refused=Target("http", "nobody.example"),
        in_memory=True,
    )


async def test_it_passes_the_suite_of_connectors(ok_server: ScriptedServer) -> None:
    await check_connector(lambda: case(ok_server))


async def test_https_is_spoken_in_the_clear_and_recorded(ok_server: ScriptedServer) -> None:
    network = MemoryNetwork()
    network.serve("a.example", 443, ok_server)
    target = Target("https", "a.example")
    async with MemoryConnector(network) as connector:
        connection = await connector.connect(target)
        exchange = await connection.exchange(RequestHead("GET", "https", "a.example", "/"))
        assert await exchange.content.read() == b"hi"
        assert connector.lease_nowait(target) is connection
    assert connector.opened == [target]


def test_the_policy_passes_its_suite_and_records() -> None:
    policy = FakeAddressPolicy({"192.0.2.1": "it is closed on Sundays"})
    check_address_policy(policy, refused="192.0.2.1", permitted="192.0.2.2")
    policy.asked.clear()
    target = Target("http", "a.example")
    assert policy.refusal(target, ip_address("192.0.2.1")) == "it is closed on Sundays"
    assert policy.asked == [("a.example", "192.0.2.1")]
