"""Servers on this machine, by a Unix socket: what is meant for a proxy never gets there (P5)."""

import asyncio
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
import wayfare
from wayfare import BasicAuth, ProxyRules, TCPConnector, UnixConnector
from wayfare.testing import CassetteConnector, FaultDialer
from wayfare.testing._memory_connector import MemoryConnector
from wayfare_connector import UnixDialer
from wayfare_http_core.testing import (
    ReceivedRequest,
    Reply,
    ScriptedServer,
    Serve,
    listening,
    stop_accepting,
)
from yarl import URL

PROXY = "http://user:secret@proxy.example:3128"
NO_PROXIES = "leads to one peer, never through a proxy"


def served(request: ReceivedRequest) -> Reply:
    """What was asked, and whether it had to do with a proxy."""
    if request.path == "/moved":
        return Reply("", 302, fields=[("Location", f"//elsewhere.example{request.path}/away")])
    return Reply(f"{request.target} {request.get('host')} {request.get('proxy-authorization')}")


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[str, ScriptedServer]]:
    """A server at a Unix socket, whose path is short: it may have about a hundred octets."""
    server = ScriptedServer([Serve(served)])
    with tempfile.TemporaryDirectory(prefix="wf") as folder:
        path = str(Path(folder) / "s")
        loop = asyncio.get_running_loop()
        listener = await loop.create_unix_server(server, path, ssl=tls)
        try:
            yield path, server
        finally:
            await stop_accepting(listener)
            listener.close()
            server.abort()
            await server.wait_closed()
            await listener.wait_closed()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that names a proxy with a password for everything."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, PROXY)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("environment")
async def test_p5_the_environment_s_proxies_are_not_for_a_unix_socket() -> None:
    async with serving() as (path, server):
        connectors = (
            UnixConnector(path),
            TCPConnector(dialer=FaultDialer([], UnixDialer(path))),
        )
        for connector in connectors:
            assert connector.fixed_destination
            async with wayfare.ClientSession(connector=connector, trust_env=True) as session:
                async with session.get("http://docker/x") as response:
                    assert await response.text() == "/x docker None"
                async with session.get("http://docker/moved") as response:
                    assert await response.text() == "/moved/away elsewhere.example None"
        async with (
            wayfare.ClientSession(connector=UnixConnector(path)) as session,
            session.get("http://docker/y", trust_env=True) as response,
        ):
            assert await response.text() == "/y docker None"
    assert {request.method for peer in server.peers for request in peer.requests} == {"GET"}


@pytest.mark.usefixtures("environment")
async def test_p5_nor_for_a_cassette_that_records_one(tmp_path: Path) -> None:
    async with serving() as (path, _):
        cassette = CassetteConnector(tmp_path / "c", "record", connector=UnixConnector(path))
        async with (
            wayfare.ClientSession(connector=cassette, trust_env=True) as session,
            session.get("http://docker/x") as response,
        ):
            assert await response.text() == "/x docker None"
    assert not CassetteConnector(tmp_path / "c").fixed_destination


@pytest.mark.usefixtures("environment")
async def test_p5_nor_for_https_over_one() -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("docker").configure_cert(context)
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(trusting)
    async with serving(context) as (path, server):
        connector = UnixConnector(path, ssl=trusting)
        async with (
            wayfare.ClientSession(connector=connector, trust_env=True) as session,
            session.get("https://docker/x") as response,
        ):
            assert await response.text() == "/x docker None"
    assert len(server.peers) == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_p5_a_proxy_that_is_named_there_is_an_error(scheme: str) -> None:
    """Whoever names it: nothing is sent to anybody."""

    async def choosing(request: Any, handler: Any) -> Any:
        request.proxy = PROXY
        return await handler(request)

    url = f"{scheme}://docker/"
    async with serving() as (path, server):
        async with wayfare.ClientSession(connector=UnixConnector(path)) as session:
            for proxy in (PROXY, ProxyRules({"*": PROXY})):
                with pytest.raises(ValueError, match=NO_PROXIES):
                    await session.get(url, proxy=proxy)
            with pytest.raises(ValueError, match=NO_PROXIES):
                await session.get(url, middlewares=[choosing])
            with pytest.raises(ValueError, match="need a proxy"):
                await session.get(url, proxy_headers={"X-Key": "k"}, trust_env=True)
            assert session.connector.stats().created == 0
        async with wayfare.ClientSession(
            connector=UnixConnector(path), proxy=ProxyRules({"*": PROXY})
        ) as session:
            with pytest.raises(ValueError, match=NO_PROXIES):
                await session.get(url)
    assert server.peers == []


async def test_p5_nor_does_a_session_take_one() -> None:
    for options in ({"proxy": PROXY}, {"proxy": PROXY, "proxy_auth": BasicAuth("u")}):
        with pytest.raises(ValueError, match=NO_PROXIES):
            wayfare.ClientSession(connector=UnixConnector("/s"), **options)
    with pytest.raises(ValueError, match="need a proxy"):
        wayfare.ClientSession(connector=UnixConnector("/s"), proxy_auth=BasicAuth("u"))


async def test_a_connector_s_own_scheme_is_plain_http() -> None:
    """And what is decided by a URL goes by that; other connectors do not know it."""
    async with serving() as (path, server):
        async with wayfare.ClientSession(
            "unix://docker", connector=UnixConnector(path), cookies={"a": "b"}
        ) as session:
            assert session.base_url == URL("http://docker/")
            for url in ("unix://docker/x", "x", "unix://docker:80/x", "UNIX://docker/x"):
                async with session.get(url) as response:
                    assert await response.text() == "/x docker None"
                    assert str(response.url) == "http://docker/x"
            async with session.get("unix://docker/moved") as response:
                assert str(response.url) == "http://elsewhere.example/moved/away"
            with pytest.raises(wayfare.WSServerHandshakeError) as refused:
                await session.ws_connect("unix://docker/socket")
            assert refused.value.request_info is not None
            assert str(refused.value.request_info.url) == "ws://docker/socket"
            for other in ("tcp://docker/", "npipe://docker/", "ftp://docker/"):
                with pytest.raises(wayfare.NonHttpUrlClientError):
                    await session.get(other)
                with pytest.raises(wayfare.NonHttpUrlClientError):
                    await session.ws_connect(other)
        with pytest.raises(wayfare.NonHttpUrlClientError):
            wayfare.ClientSession("unix://docker/")
    fields = [request.get("cookie") for peer in server.peers for request in peer.requests]
    assert fields == [*["a=b"] * 6, None]


async def test_tcp_is_plain_http_to_a_tcp_connector() -> None:
    async with (
        listening(ScriptedServer([Serve(served)])) as (host, port),
        wayfare.ClientSession() as session,
    ):
        async with session.get(f"tcp://{host}:{port}/x") as response:
            assert await response.text() == f"/x {host}:{port} None"
        with pytest.raises(wayfare.InvalidUrlClientError, match="has no host"):
            await session.get("tcp:///x")


async def test_a_connector_may_have_less_schemes_than_others() -> None:
    """What it does not allow is not asked of it, and not by a redirect either."""

    class Secure(MemoryConnector):
        allowed_protocol_schema_set = frozenset({"https"})

    async def answer(request: Any, responder: Any) -> None:
        responder.start(302, [("Location", "http://b.test/"), ("Content-Length", "0")])
        responder.end()

    async with wayfare.ClientSession(connector=Secure(answer)) as session:
        with pytest.raises(wayfare.NonHttpUrlClientError):
            await session.get("http://a.test/")
        with pytest.raises(wayfare.NonHttpUrlRedirectClientError) as refused:
            await session.get("https://a.test/")
    assert refused.value.url == "http://b.test/"


async def test_a_proxy_at_a_unix_socket_is_reached_by_a_dialer_that_says_nothing() -> None:
    """It is the peer itself then, and its password is for it."""

    class ProxyDialer:
        """Leads to the proxy, of whatever name."""

        def __init__(self, path: str) -> None:
            self.inner = UnixDialer(path)

        async def dial(self, *args: Any, **options: Any) -> Any:
            return await self.inner.dial(*args, **options)

    async with serving() as (path, _):
        connector = TCPConnector(dialer=ProxyDialer(path))
        assert not connector.fixed_destination
        async with (
            wayfare.ClientSession(connector=connector, proxy="http://u:p@proxy/") as session,
            session.get("http://far.example/x") as response,
        ):
            assert await response.text() == "http://far.example/x far.example Basic dTpw"
