"""The client through squid, tinyproxy and microsocks: proxies that are not ours, to an nginx that is not ours."""

import asyncio
import base64
import importlib
import os
import pickle
import socket
import ssl
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import wayfare
from yarl import URL

pytestmark = pytest.mark.needs("nginx", "nginx_tls")

LOOPS = [asyncio.new_event_loop, importlib.import_module("uvloop").new_event_loop]
WRONG = "hunter2"

OPEN = [
    pytest.param("SQUID", marks=pytest.mark.needs("squid")),
    pytest.param("SQUID_TLS", marks=pytest.mark.needs("squid_tls")),
    pytest.param("TINYPROXY", marks=pytest.mark.needs("tinyproxy")),
    pytest.param("MICROSOCKS", marks=pytest.mark.needs("microsocks")),
]
CLOSED = [
    pytest.param("SQUID_CLOSED", marks=pytest.mark.needs("squid")),
    pytest.param("TINYPROXY_CLOSED", marks=pytest.mark.needs("tinyproxy")),
    pytest.param("MICROSOCKS_CLOSED", marks=pytest.mark.needs("microsocks")),
]
TARGETS = pytest.mark.parametrize("target", ["NGINX", "NGINX_TLS"])


def address(name: str) -> str:
    """Where a server answers."""
    return os.environ[f"WAYFARE_{name}_URL"]


def proxy_named(name: str, trust: ssl.SSLContext) -> wayfare.Proxy:
    """The proxy of that name; TLS with it is verified by `trust`."""
    url = address(name)
    return wayfare.Proxy(url, ssl=trust) if url.startswith("https:") else wayfare.Proxy(url)


def with_password(name: str, password: str | None) -> str:
    """The proxy's address with another password, or without user and password."""
    url = URL(address(name))
    return str(url.with_user(None) if password is None else url.with_password(password))


async def fetched(
    session: wayfare.ClientSession, url: str, **options: Any
) -> wayfare.ConnectionInfo:
    """Get the page of nginx; what is known of the connection that it came over."""
    async with session.get(url, **options) as response:
        assert response.status == 200
        assert await response.text() == "wayfare\n"
        assert response.connection_info is not None
        return response.connection_info


def port_of(info: wayfare.ConnectionInfo) -> int:
    """The port that a connection leads to."""
    assert isinstance(info.peername, tuple)
    port: int = info.peername[1]
    return port


def everything_said(error: BaseException) -> str:
    """All that a log could show of an exception and its causes."""
    data = vars(error)
    return f"{''.join(traceback.format_exception(error))} {error!r} {error.args!r} {data!r}"


@pytest.fixture
def trust() -> ssl.SSLContext:
    """A context that trusts the servers' certificate alone."""
    return ssl.create_default_context(cafile=os.environ["WAYFARE_NGINX_CERTIFICATE"])


@pytest.fixture
async def session(trust: ssl.SSLContext) -> AsyncIterator[wayfare.ClientSession]:
    """A session that trusts the servers."""
    async with wayfare.ClientSession(ssl=trust) as opened:
        yield opened


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port that refuses connections, and that nobody else can take meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


# --- the way there --------------------------------------------------------------------------------


@TARGETS
@pytest.mark.parametrize("name", [*OPEN, *CLOSED])
async def test_a_page_comes_through_a_proxy(
    session: wayfare.ClientSession, trust: ssl.SSLContext, name: str, target: str
) -> None:
    info = await fetched(session, address(target), proxy=proxy_named(name, trust))
    assert port_of(info) == URL(address(name)).port
    # To a proxy over TLS everything is encrypted; to others, what goes to a target over TLS.
    assert (info.tls_version is not None) == (target == "NGINX_TLS" or name == "SQUID_TLS")


@TARGETS
@pytest.mark.parametrize("name", OPEN)
@pytest.mark.parametrize("new_loop", LOOPS)
def test_on_each_loop(
    new_loop: Callable[[], asyncio.AbstractEventLoop], name: str, target: str
) -> None:
    async def main() -> None:
        trust = ssl.create_default_context(cafile=os.environ["WAYFARE_NGINX_CERTIFICATE"])
        proxy = proxy_named(name, trust)
        async with wayfare.ClientSession(proxy=proxy, ssl=trust) as session:
            content = b"".join([await part(session) for _ in range(2)])
        assert len(content) == 2 * 1024 * 1024

    async def part(session: wayfare.ClientSession) -> bytes:
        async with session.get(f"{address(target)}/files/1m.bin") as response:
            return await response.read()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())


@pytest.mark.parametrize("name", OPEN)
async def test_an_upload_goes_through_a_tunnel(
    session: wayfare.ClientSession, trust: ssl.SSLContext, name: str
) -> None:
    proxy = proxy_named(name, trust)
    content = os.urandom(256 * 1024)
    url = f"{address('NGINX_TLS')}/upload/{os.urandom(8).hex()}"
    async with session.put(url, data=content, proxy=proxy) as response:
        assert response.status == 201
    async with session.get(url, proxy=proxy) as response:
        assert await response.read() == content
    async with session.delete(url, proxy=proxy) as response:
        assert response.status == 204


@pytest.mark.parametrize("name", [*OPEN, *CLOSED])
async def test_p7_a_tunnel_is_used_again_and_only_for_its_target(
    session: wayfare.ClientSession, trust: ssl.SSLContext, name: str
) -> None:
    proxy = proxy_named(name, trust)
    infos = [await fetched(session, address("NGINX_TLS"), proxy=proxy) for _ in range(3)]
    assert [info.exchange for info in infos] == [1, 2, 3]
    assert len({info.sockname for info in infos}) == 1
    assert not (await fetched(session, address("NGINX_TLS"))).reused
    assert session.connector.stats().created == 2


@pytest.mark.needs("microsocks")
async def test_p13_the_proxy_resolves_the_name() -> None:
    there = str(URL(address("MICROSOCKS")).with_scheme("socks5h"))
    connector = wayfare.TCPConnector(resolver=wayfare.StaticResolver({}))
    async with wayfare.ClientSession(connector=connector) as session:
        url = str(URL(address("NGINX")).with_host("localhost"))
        await fetched(session, url, proxy=there)
        with pytest.raises(wayfare.ClientConnectorDNSError):
            await fetched(session, url, proxy=address("MICROSOCKS"))


@TARGETS
@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("SQUID", "TINYPROXY", marks=pytest.mark.needs("squid", "tinyproxy")),
        pytest.param(
            "TINYPROXY_CLOSED", "SQUID_TLS", marks=pytest.mark.needs("squid_tls", "tinyproxy")
        ),
        pytest.param("SQUID_TLS", "SQUID_CLOSED", marks=pytest.mark.needs("squid", "squid_tls")),
        pytest.param("MICROSOCKS_CLOSED", "SQUID", marks=pytest.mark.needs("squid", "microsocks")),
        pytest.param("SQUID", "MICROSOCKS", marks=pytest.mark.needs("squid", "microsocks")),
    ],
)
async def test_a_proxy_is_reached_through_another(
    session: wayfare.ClientSession, trust: ssl.SSLContext, first: str, second: str, target: str
) -> None:
    url = address(second)
    verified: Any = trust if url.startswith("https:") else True
    proxy = wayfare.Proxy(url, ssl=verified, via=proxy_named(first, trust))
    info = await fetched(session, address(target), proxy=proxy)
    assert port_of(info) == URL(address(first)).port


# --- credentials ----------------------------------------------------------------------------------


@pytest.mark.needs("squid")
@TARGETS
async def test_p5_p8_credentials_may_stand_beside_the_proxy(
    session: wayfare.ClientSession, target: str
) -> None:
    proxy = with_password("SQUID_CLOSED", None)
    auth = wayfare.BasicAuth("user", "pass word")
    await fetched(session, address(target), proxy=proxy, proxy_auth=auth)
    written = "Basic " + base64.b64encode(b"user:pass word").decode()
    fields = {"Proxy-Authorization": written}
    await fetched(session, address(target), proxy=proxy, proxy_headers=fields)


@pytest.mark.parametrize("password", [None, WRONG])
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("SQUID_CLOSED", marks=pytest.mark.needs("squid")),
        pytest.param("TINYPROXY_CLOSED", marks=pytest.mark.needs("tinyproxy")),
    ],
)
async def test_p2_p15_a_tunnel_without_the_right_password_is_refused(
    session: wayfare.ClientSession, name: str, password: str | None
) -> None:
    proxy = with_password(name, password)
    with pytest.raises(wayfare.ClientHttpProxyError) as caught:
        await fetched(session, address("NGINX_TLS"), proxy=proxy)
    error = caught.value
    # tinyproxy answers 401 to a wrong password, as if it were the target.
    wrong = name == "TINYPROXY_CLOSED" and password is not None
    assert error.status == (401 if wrong else 407)
    assert error.headers is not None
    assert "Basic" in error.headers["WWW-Authenticate" if wrong else "Proxy-Authenticate"]
    assert session.connector.stats().created == 0
    assert pickle.loads(pickle.dumps(error)).status == error.status
    written = base64.b64encode(f"user:{password}".encode()).decode()
    assert WRONG not in everything_said(error)
    assert written not in everything_said(error)


@pytest.mark.needs("squid")
async def test_p2_a_plain_request_without_the_right_password_is_answered(
    session: wayfare.ClientSession,
) -> None:
    """The proxy's answer to a request that it was handed is a response, as any other."""
    proxy = with_password("SQUID_CLOSED", WRONG)
    async with session.get(address("NGINX"), proxy=proxy) as response:
        assert response.status == 407
        assert response.headers["Proxy-Authenticate"].startswith("Basic")


@TARGETS
@pytest.mark.parametrize("password", [None, WRONG])
@pytest.mark.needs("microsocks")
async def test_p12_p15_socks_without_the_right_password_is_refused(
    session: wayfare.ClientSession, target: str, password: str | None
) -> None:
    with pytest.raises(wayfare.ClientProxyConnectionError) as caught:
        await fetched(session, address(target), proxy=with_password("MICROSOCKS_CLOSED", password))
    assert caught.value.port == URL(address("MICROSOCKS_CLOSED")).port
    assert WRONG not in everything_said(caught.value)


@pytest.mark.needs("squid")
async def test_p7_who_has_another_password_gets_no_tunnel_of_others(
    session: wayfare.ClientSession,
) -> None:
    await fetched(session, address("NGINX_TLS"), proxy=address("SQUID_CLOSED"))
    with pytest.raises(wayfare.ClientHttpProxyError):
        await fetched(session, address("NGINX_TLS"), proxy=with_password("SQUID_CLOSED", WRONG))


# --- failures -------------------------------------------------------------------------------------


@TARGETS
@pytest.mark.parametrize("scheme", ["http", "https", "socks4", "socks5", "socks5h"])
async def test_f15_p15_a_proxy_that_is_not_there(
    session: wayfare.ClientSession, dead_port: int, scheme: str, target: str
) -> None:
    user = "user" if scheme == "socks4" else f"user:{WRONG}"
    with pytest.raises(wayfare.ClientProxyConnectionError) as caught:
        await fetched(session, address(target), proxy=f"{scheme}://{user}@127.0.0.1:{dead_port}")
    assert (caught.value.host, caught.value.port) == ("127.0.0.1", dead_port)
    assert WRONG not in everything_said(caught.value)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        pytest.param("SQUID", 503, marks=pytest.mark.needs("squid")),
        pytest.param("SQUID_TLS", 503, marks=pytest.mark.needs("squid_tls")),
        pytest.param("TINYPROXY", 500, marks=pytest.mark.needs("tinyproxy")),
    ],
)
async def test_p2_a_proxy_that_cannot_reach_the_target(
    session: wayfare.ClientSession, trust: ssl.SSLContext, dead_port: int, name: str, status: int
) -> None:
    proxy = proxy_named(name, trust)
    with pytest.raises(wayfare.ClientHttpProxyError) as caught:
        await fetched(session, f"https://127.0.0.1:{dead_port}/", proxy=proxy)
    assert caught.value.status == status
    async with session.get(f"http://127.0.0.1:{dead_port}/", proxy=proxy) as response:
        assert response.status == status


@pytest.mark.needs("microsocks")
async def test_p12_a_socks_server_that_cannot_reach_the_target(
    session: wayfare.ClientSession, dead_port: int
) -> None:
    with pytest.raises(wayfare.ClientConnectorError) as caught:
        await fetched(session, f"http://127.0.0.1:{dead_port}/", proxy=address("MICROSOCKS"))
    assert not isinstance(caught.value, wayfare.ClientProxyConnectionError)
    assert caught.value.port == dead_port


@pytest.mark.needs("squid_tls")
async def test_t12_a_proxy_whose_certificate_nobody_trusts(session: wayfare.ClientSession) -> None:
    """`ssl` of the session is about the target, and vouches for no proxy."""
    with pytest.raises(wayfare.ClientProxyConnectionError) as caught:
        await fetched(session, address("NGINX_TLS"), proxy=address("SQUID_TLS"))
    assert isinstance(caught.value.__cause__, wayfare.ClientConnectorCertificateError)
    assert caught.value.port == URL(address("SQUID_TLS")).port


@pytest.mark.needs("squid")
async def test_t12_a_target_whose_certificate_nobody_trusts() -> None:
    async with wayfare.ClientSession(proxy=address("SQUID")) as session:
        with pytest.raises(wayfare.ClientConnectorCertificateError) as caught:
            await fetched(session, address("NGINX_TLS"))
    assert caught.value.port == URL(address("NGINX_TLS")).port


# --- the environment ------------------------------------------------------------------------------


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that names no proxy yet."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


@pytest.mark.needs("squid", "tinyproxy")
async def test_p10_the_environment_names_a_proxy_for_each_scheme(
    environment: pytest.MonkeyPatch, trust: ssl.SSLContext
) -> None:
    environment.setenv("http_proxy", address("TINYPROXY_CLOSED"))
    environment.setenv("HTTPS_PROXY", address("SQUID_CLOSED"))
    async with wayfare.ClientSession(trust_env=True, ssl=trust) as session:
        plain = await fetched(session, address("NGINX"))
        secure = await fetched(session, address("NGINX_TLS"))
    assert port_of(plain) == URL(address("TINYPROXY_CLOSED")).port
    assert port_of(secure) == URL(address("SQUID_CLOSED")).port


@pytest.mark.needs("microsocks")
async def test_p11_no_proxy_names_who_needs_none(
    environment: pytest.MonkeyPatch, trust: ssl.SSLContext
) -> None:
    environment.setenv("ALL_PROXY", address("MICROSOCKS_CLOSED"))
    environment.setenv("NO_PROXY", "example.org, localhost")
    async with wayfare.ClientSession(trust_env=True, ssl=trust) as session:
        # One server is asked by its address, the other by its name.
        through = await fetched(session, address("NGINX"))
        straight = await fetched(session, address("NGINX_TLS"))
    assert port_of(through) == URL(address("MICROSOCKS_CLOSED")).port
    assert port_of(straight) == URL(address("NGINX_TLS")).port


async def test_p10_an_environment_that_nobody_trusts(
    environment: pytest.MonkeyPatch, session: wayfare.ClientSession, dead_port: int
) -> None:
    environment.setenv("ALL_PROXY", f"http://127.0.0.1:{dead_port}")
    assert port_of(await fetched(session, address("NGINX"))) == URL(address("NGINX")).port
