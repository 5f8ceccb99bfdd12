"""Proxies as a session chooses them; how connections are made through them is the connector's."""

import asyncio
import functools
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import trustme
import wayfare
from wayfare import BasicAuth, Proxy, ProxyRules
from wayfare_connector.testing import FakeProxyChooser
from wayfare_http_core.testing import (
    ReadRequest,
    ReceivedRequest,
    Repeat,
    Reply,
    ScriptedServer,
    Send,
    Serve,
    listening,
)
from yarl import URL

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ALWAYS = (Repeat(ReadRequest(), Send(OK)),)
HOSTS = ("a.test", "b.test", "c.test")
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that names no proxy."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def seen(server: Any) -> list[tuple[str, str | None]]:
    """What a proxy was asked, and with which credentials."""
    return [
        (request.target, request.get("proxy-authorization"))
        for peer in server.peers
        for request in peer.requests
    ]


async def test_a_proxy_for_every_request_and_for_one(serve: Any) -> None:
    async with serve(ALWAYS) as (other, server):
        proxy = str(other.base_url)
        async with wayfare.ClientSession(proxy=proxy, proxy_auth=BasicAuth("u", "p")) as session:
            response = await session.get("http://example.test/a")
            assert await response.text() == "ok"
            await session.get("http://example.test/b", proxy_headers={"X-For-Proxy": "1"})
            await session.get("http://example.test/c", proxy_auth=BasicAuth("v", "w"))
        async with wayfare.ClientSession() as session:
            await session.get("http://example.test/d", proxy=URL(proxy))
            await session.get("http://example.test/e", proxy=Proxy(proxy, auth=BasicAuth("x")))
    assert seen(server) == [
        ("http://example.test/a", "Basic dTpw"),
        ("http://example.test/b", "Basic dTpw"),
        ("http://example.test/c", "Basic djp3"),
        ("http://example.test/d", None),
        ("http://example.test/e", "Basic eDo="),
    ]
    assert server.peers[1].requests[0].get("x-for-proxy") == "1"


async def test_the_environment_is_trusted_only_when_asked(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D17: and it is asked for each request, and each hop, anew."""
    async with serve(ALWAYS) as (other, server):
        monkeypatch.setenv("http_proxy", str(other.base_url))
        async with wayfare.ClientSession() as session:
            assert not session.trust_env
            with pytest.raises(wayfare.ClientConnectorError):
                await session.get("http://127.0.0.1:1/")
            await session.get("http://127.0.0.1:1/once", trust_env=True)
        async with wayfare.ClientSession(trust_env=True) as session:
            assert session.trust_env
            await session.get("http://example.test/")
            await session.get("http://example.test/")
            with pytest.raises(wayfare.ClientConnectorError):
                await session.get("http://127.0.0.1:1/", trust_env=False)
            monkeypatch.setenv("no_proxy", "127.0.0.1")
            with pytest.raises(wayfare.ClientConnectorError):
                await session.get("http://127.0.0.1:1/")
            await session.get("http://example.test/again")
    assert [target for target, _ in seen(server)] == [
        "http://127.0.0.1:1/once",
        "http://example.test/",
        "http://example.test/",
        "http://example.test/again",
    ]


async def test_d17_each_hop_has_its_own_proxy(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve(ALWAYS) as (direct, origin):
        there = str(direct.base_url)
        moved = f"HTTP/1.1 302 Found\r\nLocation: {there}\r\nContent-Length: 0\r\n\r\n".encode()
        async with serve((ReadRequest(), Send(moved))) as (proxied, proxy):
            monkeypatch.setenv("http_proxy", str(proxied.base_url).replace("//", "//u:p@"))
            monkeypatch.setenv("no_proxy", "127.0.0.1")
            async with wayfare.ClientSession(trust_env=True) as session:
                response = await session.get("http://example.test/")
                assert str(response.url) == there
    assert seen(proxy) == [("http://example.test/", "Basic dTpw")]
    assert seen(origin) == [("/", None)]


async def test_a_middleware_may_choose_the_proxy(serve: Any) -> None:
    async with serve(ALWAYS) as (other, server):
        proxy = str(other.base_url)

        async def choosing(request: Any, handler: Any) -> Any:
            assert request.proxy is None
            request.proxy = proxy
            assert request.proxy.port == other.base_url.port
            response = await handler(request)
            request.proxy = None
            return response

        async with wayfare.ClientSession(middlewares=[choosing]) as session:
            await session.get("http://example.test/")
    assert [target for target, _ in seen(server)] == ["http://example.test/"]


async def test_what_is_no_proxy_is_refused() -> None:
    with pytest.raises(ValueError, match="Proxy-Authorization field need a proxy"):
        wayfare.ClientSession(proxy_auth=BasicAuth("u"))
    with pytest.raises(ValueError, match="unknown kind of proxy"):
        wayfare.ClientSession(proxy="ftp://h")
    with pytest.raises(TypeError, match="trust_env must be True or False"):
        wayfare.ClientSession(trust_env=None)  # type: ignore[arg-type]  # what is refused
    async with wayfare.ClientSession() as session:
        with pytest.raises(ValueError, match="Proxy-Authorization field need a proxy"):
            await session.get("http://h/", proxy_headers={"X": "y"})
        with pytest.raises(ValueError, match="Proxy-Authorization field need a proxy"):
            await session.get("http://h/", proxy_headers={"X": "y"}, trust_env=False)
    for twice in ({"Proxy-Authorization": "a"}, iter([("Proxy-Authorization", "a")])):
        with pytest.raises(ValueError, match="credentials for the proxy are given twice"):
            wayfare.ClientSession(trust_env=True, proxy_auth="b", proxy_headers=twice)
    with pytest.raises(ValueError, match="the connection has its own host"):
        wayfare.ClientSession(trust_env=True, proxy_headers={"Host": "h"})


# -- what the environment's proxy is told


async def test_the_environment_s_proxy_is_told_what_the_arguments_say(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P5: and nobody else; what a request says goes before what its session says, and both before the environment."""
    async with serve(ALWAYS) as (other, server):
        monkeypatch.setenv("http_proxy", str(other.base_url).replace("//", "//env:e@"))
        auth, fields = BasicAuth("u", "p"), {"X-Key": "s"}
        async with wayfare.ClientSession(trust_env=True) as session:
            await session.get("http://a.test/plain")
            await session.get("http://a.test/auth", proxy_auth=auth)
            await session.get("http://a.test/fields", proxy_headers={"X-Key": "r"})
            given = {"Proxy-Authorization": "Bearer t", "X-Key": "r"}
            await session.get("http://a.test/both", proxy_headers=given)
        async with wayfare.ClientSession(
            trust_env=True, proxy_auth=auth, proxy_headers=iter(fields.items())
        ) as session:
            await session.get("http://a.test/session")
            await session.get("http://a.test/wins", proxy_auth=BasicAuth("v"))
            await session.get("http://a.test/ours", proxy_headers={"X-Key": "r"})
            # What is for the environment's proxy is for no other, and there may be none.
            await session.get("http://a.test/other", proxy=str(other.base_url))
            monkeypatch.setenv("no_proxy", "127.0.0.1")
            await session.get(other.base_url / "direct")
        async with wayfare.ClientSession() as session:
            await session.get("http://a.test/once", trust_env=True, proxy_auth=auth)
    asked = {
        request.target.rpartition("/")[2]: (
            request.get("proxy-authorization"),
            request.get("x-key"),
        )
        for peer in server.peers
        for request in peer.requests
    }
    assert asked == {
        "plain": ("Basic ZW52OmU=", None),
        "auth": ("Basic dTpw", None),
        "fields": ("Basic ZW52OmU=", "r"),
        "both": ("Bearer t", "r"),
        "session": ("Basic dTpw", "s"),
        "wins": ("Basic djo=", "s"),
        "ours": ("Basic dTpw", "r"),
        "other": (None, None),
        "direct": (None, None),
        "once": ("Basic dTpw", None),
    }


async def test_a_session_s_proxy_is_told_the_session_s_fields(serve: Any) -> None:
    async with serve(ALWAYS) as (other, server):
        proxy = str(other.base_url)
        async with wayfare.ClientSession(proxy=proxy, proxy_headers={"X-Key": "s"}) as session:
            await session.get("http://a.test/")
            await session.get("http://a.test/", proxy_headers={"X-Key": "r"})
            await session.get("http://a.test/", proxy_auth="Bearer t")
            await session.get("http://a.test/", proxy=proxy)
    keys = [request.get("x-key") for peer in server.peers for request in peer.requests]
    assert keys == ["s", "r", "s", None]


async def test_a_middleware_that_lets_the_environment_decide_keeps_what_it_is_told(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def undecided(request: Any, handler: Any) -> Any:
        request.proxy = "http://127.0.0.1:1"
        request.proxy = None
        return await handler(request)

    async with serve(ALWAYS) as (other, server):
        monkeypatch.setenv("http_proxy", str(other.base_url))
        async with wayfare.ClientSession(
            trust_env=True, proxy_auth=BasicAuth("u", "p"), middlewares=[undecided]
        ) as session:
            await session.get("http://a.test/")
    assert seen(server) == [("http://a.test/", "Basic dTpw")]


# -- Proxy-Authorization among the fields


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@asynccontextmanager
async def tunnels(
    authority: trustme.CA,
) -> AsyncIterator[tuple[str, str, list[bytes], list[bytes]]]:
    """A proxy that carries octets, and an https server; each with the heads that it got."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    asked: list[bytes] = []
    told: list[bytes] = []

    running: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.append(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                told.append(head)
                moved = b"Location: /there\r\n" if b" /moved " in head else b""
                writer.write(b"HTTP/1.1 %d OK\r\n" % (302 if moved else 200) + moved)
                writer.write(b"Content-Length: 0\r\n\r\n")
        writer.close()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.append(asyncio.current_task())
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(65536):
                sink.write(data)
            sink.close()

        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    async with (
        await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server,
        await asyncio.start_server(carry, "127.0.0.1", 0) as proxy,
    ):
        port = server.sockets[0].getsockname()[1]
        there = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
        yield there, f"https://localhost:{port}/", asked, told
        # Whoever asked is gone: so they end by themselves.
        await asyncio.gather(*[task for task in running if task is not None])


NAME = "proxy-AUTHORIZATION"
FIELD = {NAME: "Bearer t", "X-Other": "o"}


async def test_p5_the_field_goes_to_the_proxy_and_never_through_the_tunnel(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P5: whoever gives it, and on each hop."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)

    async def adding(request: Any, handler: Any) -> Any:
        request.headers.update(FIELD)
        response = await handler(request)
        assert NAME not in response.request_info.headers
        return response

    async with tunnels(authority) as (proxy, url, asked, told):
        options: dict[str, Any] = {"ssl": context, "connector": None}
        for session_has, request_has in (
            ({"proxy": proxy}, {"headers": FIELD}),
            ({}, {"proxy": proxy, "headers": list(FIELD.items())}),
            ({"proxy": proxy, "headers": FIELD}, {}),
            ({"proxy": proxy, "headers": FIELD}, {"headers": {"X-More": "m"}}),
            ({"proxy": proxy, "middlewares": [adding]}, {}),
            ({"proxy": proxy, "proxy_auth": "Bearer u", "middlewares": [adding]}, {}),
            ({"proxy": proxy, "proxy_auth": "Bearer u"}, {"headers": FIELD}),
        ):
            async with (
                wayfare.ClientSession(**(options | session_has)) as session,
                session.get(f"{url}moved", **request_has) as response,
            ):
                assert response.url.path == "/there"
        monkeypatch.setenv("https_proxy", proxy.replace("//", "//env:e@"))
        async with wayfare.ClientSession(ssl=context, trust_env=True, headers=FIELD) as session:
            await session.get(url)
            session.headers[NAME] = "Bearer live"
            await session.get(url)
        async with wayfare.ClientSession(ssl=context, trust_env=True) as session:
            await session.get(url, headers={NAME: b"Bearer t"})
            with pytest.raises(wayfare.WSServerHandshakeError):
                await session.ws_connect(url, headers={NAME: "Bearer ws"})
    lines = [line for head in asked for line in head.split(b"\r\n") if b"uthorization" in line]
    assert lines == [
        *[b"Proxy-Authorization: Bearer t"] * 8,
        b"Proxy-Authorization: Bearer live",
        b"Proxy-Authorization: Bearer t",
        b"Proxy-Authorization: Bearer ws",
    ]
    assert len(told) == 7 * 2 + 4
    assert not any(b"proxy" in head.lower() or b"Bearer" in head for head in told)
    assert sum(b"X-Other: o" in head for head in told) == 16


async def test_p5_without_a_proxy_the_field_is_an_error(serve: Any) -> None:
    """P5: no server gets it, nor a second proxy that nobody gave it."""

    async def adding(request: Any, handler: Any) -> Any:
        request.headers[NAME] = "Bearer t"
        return await handler(request)

    async def sneaking(request: Any, handler: Any) -> Any:
        response = await handler(request)
        request.headers[NAME] = "Bearer t"
        with pytest.raises(ValueError, match="never for a server"):
            request.head()
        return response

    async with serve(ALWAYS) as (session, server), serve(ALWAYS) as (other, proxy):
        with pytest.raises(ValueError, match="Proxy-Authorization field need a proxy"):
            await session.get("/", headers=FIELD)
        with pytest.raises(ValueError, match="needs a proxy: it is for no server"):
            await session.get("/", middlewares=[adding])
        with pytest.raises(ValueError, match="takes a user and a password"):
            await session.get("/", headers=FIELD, proxy="socks5://127.0.0.1:1")
        with pytest.raises(ValueError, match="given twice"):
            await session.get("/", headers=FIELD, proxy="http://h", proxy_auth="Bearer u")
        with pytest.raises(ValueError, match="given twice"):
            await session.get("/", headers=[(NAME, "a"), (NAME, "b")], proxy="http://h")
        with pytest.raises(ValueError, match="says by itself"):
            await session.get("/", headers=FIELD, proxy=ProxyRules({}))
        await session.get("/", middlewares=[sneaking])
        session.headers[NAME] = "Bearer live"
        with pytest.raises(ValueError, match="Proxy-Authorization field need a proxy"):
            await session.get("/")
        await session.get("http://a.test/", proxy=str(other.base_url))
        await session.get("http://a.test/", proxy=str(other.base_url), proxy_auth="Bearer u")
    with pytest.raises(ValueError, match="Proxy-Authorization field need a proxy"):
        wayfare.ClientSession(headers=FIELD)
    with pytest.raises(ValueError, match="given twice"):
        wayfare.ClientSession(headers=FIELD, proxy="http://h", proxy_auth="Bearer u")
    assert seen(server) == [("/", None)]
    assert seen(proxy) == [("http://a.test/", None), ("http://a.test/", "Bearer u")]


# -- chosen for each URL


async def test_a_function_chooses_for_each_request_and_hop(serve: Any) -> None:
    """P5, D17: each hop has its proxy and that proxy's credentials, and the function sees no user info."""
    async with serve(ALWAYS) as (direct, origin):
        there = str(direct.base_url)
        moved = f"HTTP/1.1 302 Found\r\nLocation: {there}#f\r\nContent-Length: 0\r\n\r\n".encode()
        async with serve((ReadRequest(), Send(moved))) as (proxied, proxy):
            chooser = FakeProxyChooser(
                {"example.test": str(proxied.base_url).replace("//", "//u:p@")}
            )
            async with wayfare.ClientSession(proxy=chooser) as session:
                response = await session.get("http://me:secret@example.test/?q=1")
                assert str(response.url) == there
    assert chooser.asked == [URL("http://example.test/?q=1"), URL(there)]
    assert seen(proxy) == [("http://example.test/?q=1", "Basic dTpw")]
    assert seen(origin) == [("/", None)]


async def test_a_function_is_asked_once_for_a_request_whatever_its_arguments(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its word is final: the environment is not asked behind it."""
    async with serve(ALWAYS) as (other, server):
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        chooser = FakeProxyChooser({}, str(other.base_url))
        base = "http://example.test/"
        async with wayfare.ClientSession(base, proxy=chooser, trust_env=True) as session:
            assert chooser.asked == []
            await session.get("a")
            await session.get("a")
            await session.get("b", ssl=False, params={"x": "y"})
            assert len(chooser.asked) == 3
            chooser.otherwise = None
            await session.get(other.base_url)
            # A request's own proxy comes before what the session's function says.
            await session.get("c", proxy=str(other.base_url))
            await session.get("d", proxy=ProxyRules({"*": str(other.base_url)}))
    asked = [target for target, _ in seen(server)]
    assert asked.count("/") == 1
    assert [target for target in asked if target != "/"] == [
        f"{base}{path}" for path in ("a", "a", "b?x=y", "c", "d")
    ]


async def test_what_a_function_raises_goes_to_the_caller(serve: Any) -> None:
    """O11: also between two hops, and nothing stays leased then."""

    def choosing(url: URL) -> str | None:
        if url.host == "example.test":
            raise LookupError("no such proxy")
        return "gopher://p" if url.host == "b.test" else None

    moved = "HTTP/1.1 302 Found\nLocation: http://example.test/\nContent-Length: 0"
    async with serve(moved, proxy=choosing) as (session, _):
        with pytest.raises(LookupError, match="no such proxy"):
            await session.get("http://example.test/")
        with pytest.raises(ValueError, match="unknown kind of proxy 'gopher'"):
            await session.get("http://b.test/")
        with pytest.raises(LookupError, match="no such proxy"):
            await session.get("/")
        assert session.connector is not None
        assert session.connector.stats().leased == 0


async def test_a_function_says_by_itself_how_its_proxies_are_spoken_to() -> None:
    chooser = FakeProxyChooser({})
    with pytest.raises(ValueError, match="says by itself"):
        wayfare.ClientSession(proxy=chooser, proxy_auth=BasicAuth("u"))
    async with wayfare.ClientSession(proxy=chooser) as session:
        with pytest.raises(ValueError, match="says by itself"):
            await session.get("http://h/", proxy_headers={"X": "y"})
    with pytest.raises(TypeError, match="a proxy is a URL or a str, not int"):
        wayfare.ClientSession(proxy=3128)  # type: ignore[arg-type]  # what is refused


async def test_a_function_that_chooses_cannot_be_async() -> None:
    """It is refused when it is given: nobody would wait for its answer."""

    async def late(url: URL, more: str = "") -> None:
        """No chooser: nobody waits for it."""

    class Late:
        __call__ = staticmethod(late)

    for slow in (late, functools.partial(late, more="x"), Late()):
        with pytest.raises(TypeError, match="it cannot be async"):
            wayfare.ClientSession(proxy=slow)  # type: ignore[arg-type]  # what is refused


async def test_a_function_chooses_for_a_websocket(serve: Any) -> None:
    """It gets a tunnel, and is asked for under its own scheme."""
    refusal = "HTTP/1.1 407 No\nContent-Length: 0"
    async with serve(refusal) as (other, server), wayfare.ClientSession() as session:
        chooser = FakeProxyChooser({}, str(other.base_url))
        with pytest.raises(wayfare.ClientHttpProxyError):
            await session.ws_connect("http://a.test/socket", proxy=chooser)
    assert chooser.asked == [URL("ws://a.test/socket")]
    assert [request.method for peer in server.peers for request in peer.requests] == ["CONNECT"]


async def test_a_middleware_may_set_a_function(serve: Any) -> None:
    async with serve(ALWAYS) as (other, server):
        chooser = FakeProxyChooser({}, str(other.base_url))

        async def choosing(request: Any, handler: Any) -> Any:
            request.proxy = chooser
            request.ssl = False
            assert request.proxy.port == other.base_url.port
            return await handler(request)

        async with wayfare.ClientSession(middlewares=[choosing]) as session:
            await session.get("http://example.test/")
    assert chooser.asked == [URL("http://example.test/")]
    assert [target for target, _ in seen(server)] == ["http://example.test/"]


async def test_p5_p7_credentials_go_to_their_own_proxy_whatever_runs_at_once() -> None:
    """Three proxies, of which two are one with two users; hops that change it, and requests that are given up."""

    def served(request: ReceivedRequest) -> Reply:
        credentials = request.get("proxy-authorization") or "none"
        if request.path.startswith("/moved"):
            number = int(request.path.rpartition("/")[2])
            return Reply(b"", 302, fields=[("Location", f"http://{HOSTS[number % 3]}/{number}")])
        return Reply(f"{request.target} {credentials} {request.get('authorization')}".encode())

    async with (
        listening(ScriptedServer([Serve(served)])) as (_, one),
        listening(ScriptedServer([Serve(served)])) as (_, two),
    ):
        rules = ProxyRules(
            {
                HOSTS[0]: Proxy(f"http://127.0.0.1:{one}", auth=BasicAuth("a", "1")),
                HOSTS[1]: Proxy(f"http://127.0.0.1:{one}", auth=BasicAuth("b", "2")),
                HOSTS[2]: Proxy(f"http://127.0.0.1:{two}"),
            }
        )
        own = [BasicAuth("a", "1").encode(), BasicAuth("b", "2").encode(), "none"]
        connector = wayfare.TCPConnector(limit=7)
        async with wayfare.ClientSession(proxy=rules, connector=connector) as session:

            async def ask(number: int) -> None:
                host = HOSTS[number * 7 % 5 % 3]
                moved = number % 2 == 0
                path = f"moved/{number}" if moved else f"{number}"
                end = HOSTS[number % 3] if moved else host
                auth = BasicAuth("me", f"{number}") if number % 5 == 0 else None
                async with session.get(f"http://{host}/{path}", auth=auth) as response:
                    target, *credentials = (await response.text()).split(" ", 1)
                assert target == f"http://{end}/{number}"
                # The target's own go no further than its origin.
                kept = auth.encode() if auth is not None and end == host else None
                assert credentials == [f"{own[HOSTS.index(end)]} {kept}"]

            tasks = [asyncio.ensure_future(ask(number)) for number in range(300)]
            for number in range(0, 300, 11):
                asyncio.get_running_loop().call_later(number / 3000, tasks[number].cancel)
            done = await asyncio.gather(*tasks, return_exceptions=True)
            assert {type(outcome) for outcome in done} <= {type(None), asyncio.CancelledError}
            assert done.count(None) >= 300 - 28
            assert connector.stats().leased == 0
