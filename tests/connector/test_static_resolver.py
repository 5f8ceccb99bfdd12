"""Names whose addresses the program knows by itself."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from wayfare_connector import StaticResolver
from wayfare_connector.testing import FakeResolver, ResolverCase, check_resolver

UNSPEC, V4, V6 = socket.AF_UNSPEC, socket.AF_INET, socket.AF_INET6


@asynccontextmanager
async def static() -> AsyncIterator[ResolverCase]:
    yield ResolverCase(
        resolver=StaticResolver({"a.example": ["192.0.2.1", "2001:db8::1"]}),
        known="a.example",
        families=(V4, V6),
        unknown="b.example",
    )


async def test_it_passes_the_suite_of_resolvers() -> None:
    await check_resolver(static)


async def test_names_and_addresses_are_normalised() -> None:
    resolver = StaticResolver({"A.EXAMPLE": "192.0.2.1", "bücher.example": ["2001:DB8::0:1"]})
    (result,) = await resolver.resolve("a.example", 80, UNSPEC)
    assert (result["host"], result["port"], result["family"]) == ("192.0.2.1", 80, V4)
    (result,) = await resolver.resolve("xn--bcher-kva.example", 80, UNSPEC)
    assert (result["host"], result["family"]) == ("2001:db8::1", V6)


async def test_other_names_go_elsewhere() -> None:
    other = FakeResolver({"b.example": ["192.0.2.2"], "a.example": ["192.0.2.3"]})
    resolver = StaticResolver({"a.example": "192.0.2.1"}, other)
    assert (await resolver.resolve("b.example", 80))[0]["host"] == "192.0.2.2"
    assert (await resolver.resolve("a.example", 80))[0]["host"] == "192.0.2.1"
    with pytest.raises(socket.gaierror):
        await resolver.resolve("a.example", 80, V6)
    await resolver.close()
    assert not other.closed


@pytest.mark.parametrize("table", [{"a b": "192.0.2.1"}, {"a.example": ["b.example"]}])
def test_what_is_no_host_or_address_is_refused(table: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="not a"):
        StaticResolver(table)
