"""What programs say that were written for aiohttp 2 and the first 3: it works, or the error says what to write.

What has a modern spelling warns; what never had another one does not.
"""

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import trustme
import wayfare as aiohttp
from wayfare.streams import StreamReader
from wayfare_http_core.testing import (
    ReadRequest,
    Reply,
    ScriptedServer,
    Send,
    Serve,
    Stall,
    listening,
)
from yarl import URL

from .websocket_server import WebSocket, WebSocketServer, serving

AUTHORITY = trustme.CA()
CERTIFICATE = AUTHORITY.issue_cert("localhost", "127.0.0.1")
PINNED = hashlib.sha256(
    ssl.PEM_cert_to_DER_cert(CERTIFICATE.cert_chain_pems[0].bytes().decode("ascii"))
).digest()
ECHO = (Serve(lambda request: Reply(request.body)),)


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


def certified() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    CERTIFICATE.configure_cert(context)
    return context


@pytest.fixture
async def secure() -> AsyncIterator[str]:
    """A server whose certificate nobody knows."""
    async with listening(ScriptedServer(list(ECHO)), tls=certified()) as (host, port):
        yield f"https://{host}:{port}/"


async def status(session: aiohttp.ClientSession, url: str, **options: Any) -> int:
    async with session.get(url, **options) as resp:
        return resp.status


# --- TLS ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "old", [{"verify_ssl": False}, {"ssl_context": trusting()}, {"fingerprint": PINNED}], ids=list
)
async def test_tls_by_its_old_names(secure: str, old: dict[str, Any]) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.warns(DeprecationWarning, match=next(iter(old))):
            assert await status(session, secure, **old) == 200
        with pytest.raises(aiohttp.ClientSSLError):
            await session.get(secure)
    with pytest.warns(DeprecationWarning, match=next(iter(old))):
        conn = aiohttp.TCPConnector(**old)
    async with aiohttp.ClientSession(connector=conn) as session:
        assert await status(session, secure) == 200


async def test_two_of_them_exclude_each_other() -> None:
    old: dict[str, Any] = {"verify_ssl": False, "ssl_context": trusting()}
    with (
        pytest.warns(DeprecationWarning, match="is old"),
        pytest.raises(ValueError, match="verify_ssl and ssl_context exclude each other"),
    ):
        aiohttp.TCPConnector(**old)
    async with aiohttp.ClientSession() as session:
        with (
            pytest.warns(DeprecationWarning, match="is old"),
            pytest.raises(ValueError, match="verify_ssl and ssl_context exclude each other"),
        ):
            await session.get("https://localhost/", **old)


async def test_a_wrong_fingerprint_by_the_name_that_the_pages_had(secure: str) -> None:
    assert aiohttp.FingerprintMismatch is aiohttp.ServerFingerprintMismatch
    async with aiohttp.ClientSession() as session:
        with (
            pytest.warns(DeprecationWarning, match="Fingerprint"),
            pytest.raises(aiohttp.FingerprintMismatch) as caught,
        ):
            await session.get(secure, fingerprint=bytes(32))
    assert (caught.value.expected, caught.value.got) == (bytes(32), PINNED)
    assert (caught.value.host, caught.value.port) == ("127.0.0.1", URL(secure).port)


async def test_shorter_digests_warn_and_work(secure: str) -> None:
    der = ssl.PEM_cert_to_DER_cert(CERTIFICATE.cert_chain_pems[0].bytes().decode("ascii"))
    async with aiohttp.ClientSession() as session:
        for name in ("md5", "sha1"):
            with pytest.warns(DeprecationWarning, match="fingerprint"):
                assert (
                    await status(session, secure, fingerprint=hashlib.new(name, der).digest())
                    == 200
                )
    with pytest.raises(ValueError, match="32"):
        aiohttp.Fingerprint(bytes(20))


def test_errors_of_tls_are_those_of_the_standard_library_too() -> None:
    assert issubclass(aiohttp.ClientConnectorSSLError, ssl.SSLError)
    assert issubclass(aiohttp.ClientConnectorCertificateError, ssl.CertificateError)
    for error in (aiohttp.ClientConnectorSSLError, aiohttp.ClientConnectorCertificateError):
        assert issubclass(error, aiohttp.ClientSSLError)


# --- Time -----------------------------------------------------------------------------------------


async def test_a_number_of_seconds_for_a_request_and_for_a_session(serve: Any) -> None:
    async with serve((ReadRequest(), Stall()), timeout=0.02) as (session, _):
        with pytest.raises(TimeoutError):
            await session.get("/")
    async with serve((ReadRequest(), Stall())) as (session, _):
        with pytest.raises(asyncio.TimeoutError):
            await session.get("/", timeout=0.02)
    for never in (None, 0):
        async with serve("HTTP/1.1 204 No Content") as (session, _):
            assert await status(session, "/", timeout=never) == 204


async def test_read_timeout_and_conn_timeout() -> None:
    with pytest.warns(DeprecationWarning, match="ClientTimeout"):
        session = aiohttp.ClientSession(read_timeout=60, conn_timeout=5)
    async with session:
        assert (session.timeout.total, session.timeout.connect) == (60, 5)
    with pytest.raises(ValueError, match="exclude"):
        aiohttp.ClientSession(read_timeout=60, timeout=60)


async def test_a_timeout_around_a_request_leaves_nothing_behind(serve: Any) -> None:
    async with serve((ReadRequest(), Stall())) as (session, _):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await session.get("/")
        stats = session.connector.stats()
        assert (stats.leased, stats.connecting, stats.waiting, stats.idle) == (0, 0, 0, 0)


# --- Content --------------------------------------------------------------------------------------


def _streamers() -> list[Callable[..., Any]]:
    async def coroutine(writer: Any, text: bytes) -> None:
        await writer.write(text)

    def generator(writer: Any, text: bytes) -> Generator[Any, Any, None]:
        yield from writer.write(text)

    return [coroutine, generator]


@pytest.mark.parametrize("function", _streamers(), ids=["async-def", "generator"])
async def test_a_streamer(serve: Any, function: Callable[..., Any]) -> None:
    with pytest.warns(DeprecationWarning, match="streamer"):
        sender = aiohttp.streamer(function)
    async with serve(ECHO) as (session, _), session.post("/", data=sender(text=b"sent")) as resp:
        assert await resp.read() == b"sent"


async def test_a_stream_that_is_made_without_arguments_and_fed_later(serve: Any) -> None:
    async with serve(ECHO) as (session, _):
        stream = StreamReader()
        task = asyncio.get_running_loop().create_task(session.post("/", data=stream))
        stream.feed_data(b"one ")
        await asyncio.sleep(0)
        stream.feed_data(b"two")
        stream.feed_eof()
        async with await task as resp:
            assert await resp.read() == b"one two"


async def test_arguments_of_a_stream_in_each_of_their_orders() -> None:
    loop = asyncio.get_running_loop()
    with pytest.warns(DeprecationWarning, match="loop"):
        assert StreamReader(limit=10, timer=None, loop=loop).get_read_buffer_limits() == (10, 20)
    assert StreamReader(None, 10).get_read_buffer_limits() == (10, 20)


async def test_a_stream_of_asyncio_goes_out_in_pieces_not_lines(serve: Any) -> None:
    stream = asyncio.StreamReader()
    stream.feed_data(b"a\n" * 1000)
    stream.feed_eof()
    async with serve(ECHO) as (session, server), session.post("/", data=stream) as resp:
        assert await resp.read() == b"a\n" * 1000
    assert server.peers[0].requests[0].get("transfer-encoding") == "chunked"


async def test_the_content_of_a_response_is_the_next_requests(serve: Any) -> None:
    async with serve(ECHO, ECHO) as (session, _):
        resp = await session.get("/", data=b"data")
        async with session.post("/", data=resp.content) as posted:
            assert await posted.read() == b"data"


async def test_text(serve: Any) -> None:
    async with serve(ECHO) as (session, _):
        with pytest.warns(DeprecationWarning, match="data="):
            async with session.post("/", text="Тест") as resp:
                assert await resp.text() == "Тест"


# --- Connectors -----------------------------------------------------------------------------------


async def test_a_unix_socket_with_a_base_url_and_with_tls(tmp_path: Path) -> None:
    for scheme, tls in (("http", None), ("https", certified())):
        path = str(tmp_path / scheme)
        server = ScriptedServer(list(ECHO))
        listener = await asyncio.get_running_loop().create_unix_server(server, path, ssl=tls)
        conn = aiohttp.UnixConnector(path=path, ssl=trusting())
        base = f"{scheme}://localhost/"
        async with aiohttp.ClientSession(base, connector=conn) as session:
            assert conn.path == path
            assert await status(session, "relative") == 200
            assert await status(session, f"{base}absolute") == 200
        listener.close()
        await server.wait_closed()
        await listener.wait_closed()


async def test_a_resolver_with_servers_of_its_own() -> None:
    from wayfare.resolver import AsyncResolver

    resolver = AsyncResolver(nameservers=["127.0.0.1"])
    conn = aiohttp.TCPConnector(resolver=resolver)
    await conn.close()
    await resolver.close()


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda old: aiohttp.TCPConnector(**old), {"resolve": True}),
        (lambda old: aiohttp.TCPConnector(**old), {"conn_timeout": 5}),
        (lambda old: aiohttp.UnixConnector("/", **old), {"conn_timeout": 5}),
    ],
    ids=["resolve", "conn_timeout", "unix-conn_timeout"],
)
def test_arguments_that_are_gone_are_named(make: Callable[..., Any], named: dict[str, Any]) -> None:
    """Taking them and doing nothing would be worse: a limit that somebody set would be none."""
    with pytest.raises(TypeError, match=next(iter(named))):
        make(named)


async def test_with_without_async_says_what_to_write() -> None:
    made: Any
    for made in (aiohttp.TCPConnector(), aiohttp.ClientSession()):
        with pytest.raises(TypeError, match="use 'async with'"), made:
            pass
        await made.close()


async def test_the_loop_is_an_argument_of_everything() -> None:
    """The one argument that is taken and does nothing."""
    loop = asyncio.get_running_loop()
    made: list[Any] = []
    for maker in (
        aiohttp.ClientSession,
        aiohttp.TCPConnector,
        aiohttp.CookieJar,
        aiohttp.DummyCookieJar,
        aiohttp.ThreadedResolver,
        aiohttp.AsyncResolver,
        aiohttp.StreamReader,
    ):
        with pytest.warns(DeprecationWarning, match="loop"):
            made.append(maker(loop=loop))
    for one in made:
        if hasattr(one, "close"):
            await one.close()


async def test_websockets_by_their_old_spellings() -> None:
    for name in ("TEXT", "BINARY", "PING", "PONG", "CLOSE", "CLOSING", "CLOSED", "ERROR"):
        assert getattr(aiohttp.WSMsgType, name.lower()) is aiohttp.WSMsgType[name]

    async def echo(ws: WebSocket) -> None:
        async for msg in ws:
            await ws.send_str(str(msg.data))

    async with serving(WebSocketServer(echo)) as server, aiohttp.ClientSession() as session:
        with pytest.warns(DeprecationWarning, match="ClientWSTimeout"):
            ws = await session.ws_connect(server.url, timeout=10.0)
        with pytest.warns(DeprecationWarning, match="ws_receive"):
            other = await session.ws_connect(server.url, receive_timeout=5)
        await ws.send_str("old")
        assert await ws.receive_str() == "old"
        await ws.close()
        await other.close()


# --- Responses, errors, jars, sessions ------------------------------------------------------------


async def test_releasing_may_be_awaited(serve: Any) -> None:
    async with serve("HTTP/1.1 200 OK\nContent-Length: 0") as (session, _):
        resp = await session.get("/")
        assert await resp.release() is None
        resp = aiohttp.ClientSession()
        await resp.close()


async def test_attributes_of_old(serve: Any) -> None:
    head = "HTTP/1.1 404 Not Found\nContent-Type: text/plain; charset=koi8-r\nContent-Length: 0"
    async with serve(head) as (session, _), session.get("/") as resp:
        assert resp.charset == "koi8-r"
        with pytest.warns(DeprecationWarning, match="url"):
            assert resp.url_obj == resp.url
        with pytest.raises(aiohttp.ClientResponseError) as caught:
            resp.raise_for_status()
        with pytest.warns(DeprecationWarning, match="status"):
            assert caught.value.code == 404
        with pytest.warns(DeprecationWarning, match="get_running_loop"):
            assert session.loop is asyncio.get_running_loop()


def test_a_jar_is_asked_with_a_str() -> None:
    jar = aiohttp.CookieJar()
    jar.update_cookies({"name": "value"}, URL("http://httpbin.org/"))
    assert jar.filter_cookies("http://httpbin.org")["name"].value == "value"


def test_a_session_is_made_before_any_loop_and_the_loop_may_end_right_after_it() -> None:
    session = aiohttp.ClientSession()

    async def use() -> int:
        async with (
            session,
            listening(ScriptedServer([ReadRequest(), Send(NO_CONTENT)])) as (host, port),
        ):
            return await status(session, f"http://{host}:{port}/")

    loop = asyncio.new_event_loop()
    assert loop.run_until_complete(use()) == 204
    loop.close()


NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


async def test_what_the_verbs_return_is_a_coroutine(serve: Any) -> None:
    """`ensure_future`, `wait`, `gather` and `create_task` took it in 2018, and take it here."""
    async with serve(ECHO, ECHO, ECHO) as (session, _):
        loop = asyncio.get_running_loop()
        waiting: list[Awaitable[aiohttp.ClientResponse]] = [
            asyncio.ensure_future(session.get("/")),
            loop.create_task(session.get("/")),
            session.get("/"),
        ]
        for resp in await asyncio.gather(*waiting):
            async with resp:
                assert resp.status == 200
