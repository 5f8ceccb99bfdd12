"""`session.ws_connect`: the handshake goes the way of any request, and leaves a WebSocket (W1 to W6, W25, D22)."""

import asyncio
import base64
import ssl
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trustme
from wayfare import (
    BaseConnector,
    BasicAuth,
    ClientConnectionError,
    ClientHandlerType,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    HttpVersion10,
    InvalidUrlClientError,
    NonHttpUrlClientError,
    TCPConnector,
    TraceConfig,
)
from wayfare._ws_timeout import ClientWSTimeout, read_ws_timeout
from wayfare_connector import Target
from wayfare_http_core import Connection
from wayfare_http_core.aio import HTTP1Connection
from wayfare_websocket import (
    DeflateOffer,
    DeflateParameters,
    WSMsgType,
    WSOpenTimeoutError,
    WSServerHandshakeError,
)

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

from .websocket_server import Asked, WebSocket, WebSocketServer, echo, serving


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as made:
        yield made


def refuse(status: int, *fields: str, content: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {status} No", f"Content-Length: {len(content)}", *fields]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


# -- opening ------------------------------------------------------------------------------------------------------


async def test_messages_go_both_ways(session: ClientSession) -> None:
    """W24: compression is not offered where nobody asked for it."""
    async with serving(WebSocketServer(echo)) as server:
        async with session.ws_connect(server.url) as ws:
            await ws.send_str("é")
            assert await ws.receive_str() == "é"
            await ws.send_bytes(b"\x00")
            assert await ws.receive_bytes() == b"\x00"
            assert not ws.closed
        assert ws.closed
        assert ws.close_code == 1000
    asked = server.asked[0]
    assert asked.method == "GET"
    assert asked.headers["Upgrade"] == "websocket"
    assert asked.headers["Connection"] == "Upgrade"
    assert asked.headers["Sec-WebSocket-Version"] == "13"
    assert len(base64.b64decode(asked.headers["Sec-WebSocket-Key"])) == 16
    assert "Sec-WebSocket-Extensions" not in asked.headers
    assert "Origin" not in asked.headers


async def test_awaited_and_as_a_task(session: ClientSession) -> None:
    """What `ws_connect` returns is awaitable, a block, and a coroutine."""
    async with serving(WebSocketServer(echo)) as server:
        one = await session.ws_connect(server.url)
        other = await asyncio.create_task(session.ws_connect(server.url))
        third, fourth = await asyncio.gather(
            session.ws_connect(server.url), session.ws_connect(server.url)
        )
        for ws in (one, other, third, fourth):
            await ws.send_str("x")
            assert await ws.receive_str() == "x"
            assert await ws.close()
    never = session.ws_connect("ws://localhost/")
    never.close()
    thrown = session.ws_connect("ws://localhost/")
    with pytest.raises(KeyError):
        thrown.throw(KeyError())


async def test_never_awaited(session: ClientSession) -> None:
    contexts = [session.ws_connect("ws://localhost/")]
    with pytest.warns(RuntimeWarning, match="was never awaited"):
        contexts.clear()


@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_http_urls_mean_the_same(session: ClientSession, scheme: str) -> None:
    async with serving(WebSocketServer(echo)) as server:
        url = f"{scheme}://127.0.0.1:{server.port}/chat?a=1"
        async with session.ws_connect(url, params={"b": 2}) as ws:
            assert await ws.close()
    assert server.asked[0].target == "/chat?a=1&b=2"


async def test_relative_to_the_base_url() -> None:
    async with (
        serving(WebSocketServer(echo)) as server,
        ClientSession(f"http://127.0.0.1:{server.port}/api/") as session,
        session.ws_connect("chat"),
    ):
        assert server.asked[0].target == "/api/chat"


async def test_urls_that_lead_nowhere(session: ClientSession) -> None:
    with pytest.raises(NonHttpUrlClientError):
        await session.ws_connect("ftp://localhost/")
    with pytest.raises(InvalidUrlClientError):
        await session.ws_connect("/chat")
    with pytest.raises(InvalidUrlClientError):
        await session.ws_connect("http:///chat")


async def test_what_is_agreed_on(session: ClientSession) -> None:
    """Subprotocol, Origin, compression, and what came behind the answer (W5)."""
    server = WebSocketServer(
        echo, protocols=("b", "c"), deflate=DeflateParameters(), behind=b"\x81\x02hi"
    )
    async with (
        serving(server),
        session.ws_connect(
            server.url, protocols=["a", "b"], origin="https://page.example", compress=12
        ) as ws,
    ):
        assert await ws.receive_str() == "hi"
        assert (ws.protocol, ws.compress, ws.client_notakeover) == ("b", 12, False)
        await ws.send_str("x" * 1000)
        assert await ws.receive_str() == "x" * 1000
    headers = server.asked[0].headers
    assert headers["Sec-WebSocket-Protocol"] == "a, b"
    assert headers["Origin"] == "https://page.example"
    assert headers["Sec-WebSocket-Extensions"] == (
        "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12"
    )


async def test_more_to_say_of_compression(session: ClientSession) -> None:
    offer = DeflateOffer(client_no_context_takeover=True, server_max_window_bits=10)
    async with (
        serving(WebSocketServer(echo, deflate=DeflateParameters())) as server,
        session.ws_connect(server.url, compress=offer) as ws,
    ):
        assert (ws.compress, ws.client_notakeover) == (15, True)


async def test_texts_as_bytes_and_limits(session: ClientSession) -> None:
    async with (
        serving(WebSocketServer(echo)) as server,
        session.ws_connect(server.url, decode_text=False, max_msg_size=10) as ws,
    ):
        await ws.send_str("é")
        assert await ws.receive_str() == "é".encode()
        await ws.send_str("x" * 11)
        assert (await ws.receive()).data.code == 1009


async def test_w6_each_attempt_has_its_own_key() -> None:
    """W6: also the one after a stale connection and the one after a redirect."""

    def answer(asked: Asked) -> bytes | None:
        if asked.target == "/":
            return refuse(302, "Location: /there")
        return None

    async with serving(WebSocketServer(echo, answer)) as server, ClientSession() as session:
        async with session.ws_connect(server.url, allow_redirects=True):
            pass
        async with session.ws_connect(server.url, allow_redirects=True):
            pass
    keys = [asked.headers["Sec-WebSocket-Key"] for asked in server.asked]
    assert len(keys) == len(set(keys)) == 4


# -- like any request ---------------------------------------------------------------------------------------------


async def test_fields_cookies_and_credentials() -> None:
    async with (
        serving(WebSocketServer(echo, extra="Set-Cookie: later=1\r\n")) as server,
        ClientSession(
            headers={"X-Session": "s"}, cookies={"a": "1"}, auth=BasicAuth("u", "p")
        ) as session,
    ):
        options: Any = {"headers": {"X-Own": "o"}, "cookies": {"b": "2"}}
        url = f"ws://localhost:{server.port}/"
        async with session.ws_connect(url, **options):
            pass
        async with session.ws_connect(url):
            pass
    first, second = server.asked
    assert (first.headers["X-Session"], first.headers["X-Own"]) == ("s", "o")
    assert first.headers["Authorization"] == BasicAuth("u", "p").encode()
    assert sorted(first.headers["Cookie"].split("; ")) == ["a=1", "b=2"]
    assert sorted(second.headers["Cookie"].split("; ")) == ["a=1", "later=1"]


async def test_fields_of_the_handshake_win(session: ClientSession) -> None:
    """A caller's Connection or Sec-WebSocket-Key would only break what is agreed on."""
    headers = {"Sec-WebSocket-Key": "mine", "connection": "close", "Sec-WebSocket-Version": "8"}
    async with (
        serving(WebSocketServer(echo)) as server,
        session.ws_connect(server.url, headers=headers),
    ):
        asked = server.asked[0].headers
    assert asked.getall("Connection") == ["Upgrade"]
    assert asked.getall("Sec-WebSocket-Version") == ["13"]
    assert len(asked.getall("Sec-WebSocket-Key")) == 1


async def test_middlewares(session: ClientSession) -> None:
    """Those of the call, or of the session; they see the handshake, and may answer in its place."""
    seen: list[str] = []

    async def watch(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        seen.append(f"{request.url.scheme} {request.headers['Upgrade']}")
        request.headers["X-Seen"] = "yes"
        return await handler(request)

    async with serving(WebSocketServer(echo)) as server:
        async with session.ws_connect(server.url, middlewares=[watch]):
            pass
        async with ClientSession(middlewares=[watch]) as other, other.ws_connect(server.url):
            pass
        assert [asked.headers["X-Seen"] for asked in server.asked] == ["yes", "yes"]
        assert seen == ["ws websocket"] * 2

        async def instead(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
            await handler(request)
            assert request.session is not None
            return await request.session.get(f"http://127.0.0.1:{server.port}/")

        server.answer = lambda asked: None if "Upgrade" in asked.headers else refuse(200)
        with pytest.raises(WSServerHandshakeError, match="a middleware answered in the server's"):
            await session.ws_connect(server.url, middlewares=[instead])


async def test_traces() -> None:
    """Signals of the request, with the caller's context."""
    seen: list[str] = []
    config = TraceConfig()

    async def started(session: object, context: Any, params: Any) -> None:
        seen.append(f"start {context.trace_request_ctx}")

    async def ended(session: object, context: Any, params: Any) -> None:
        seen.append(f"end {params.response.status}")

    config.on_request_start.append(started)
    config.on_request_end.append(ended)
    async with (
        serving(WebSocketServer(echo)) as server,
        ClientSession(trace_configs=[config]) as session,
        session.ws_connect(server.url, trace_request_ctx="mine"),
    ):
        assert seen == ["start mine", "end 101"]


async def test_the_lease_counts_until_the_socket_is_closed() -> None:
    async with (
        serving(WebSocketServer(echo)) as server,
        ClientSession(connector=TCPConnector(limit=1)) as session,
    ):
        async with session.ws_connect(server.url) as ws:
            assert session.connector.stats().leased == 1
            waiting = asyncio.create_task(session.ws_connect(server.url))
            await asyncio.sleep(0.01)
            assert not waiting.done()
            await ws.close()
        async with await waiting:
            assert session.connector.stats().leased == 1
        assert session.connector.stats().leased == 0


async def test_a_session_that_is_closed_takes_its_websockets_along() -> None:
    async with serving(WebSocketServer(echo)) as server:
        async with ClientSession() as session:
            ws = await session.ws_connect(server.url)
        assert (await ws.receive()).type is WSMsgType.CLOSED
        assert ws.close_code == 1006
        with pytest.raises(RuntimeError, match="the session is closed"):
            await session.ws_connect(server.url)


async def test_tls_and_secure_cookies(session: ClientSession) -> None:
    """W25: `wss` is TLS by the session's rules, and secure for cookies."""
    authority = trustme.CA()
    there, here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(there)
    authority.configure_trust(here)
    server = WebSocketServer(echo, extra="Set-Cookie: safe=1; Secure\r\n")
    async with serving(server, there):
        url = f"wss://localhost:{server.port}/"
        for _ in range(2):
            async with session.ws_connect(url, ssl=here) as ws:
                await ws.send_bytes(bytes(100_000))
                assert await ws.receive_bytes() == bytes(100_000)
                assert ws.get_extra_info("ssl_object") is not None
    assert "Cookie" not in server.asked[0].headers
    assert server.asked[1].headers["Cookie"] == "safe=1"


# -- refusals (W4) ------------------------------------------------------------------------------------------------


async def refused(session: ClientSession, server: WebSocketServer, **options: Any) -> Any:
    async with serving(server):
        with pytest.raises(WSServerHandshakeError) as caught:
            await session.ws_connect(server.url, **options)
        assert session.connector.stats().leased == 0
        return caught.value


async def test_w4_another_status(session: ClientSession) -> None:
    """W4: the error has the status, the fields and the beginning of the content."""
    answer = refuse(403, "X-Why: because", content=b"go away")
    error = await refused(session, WebSocketServer(echo, lambda asked: answer))
    assert (error.status, error.headers["X-Why"], error.body) == (403, "because", b"go away")
    assert error.message == "the server did not switch protocols"
    assert str(error.request_info.url).startswith("ws://127.0.0.1")
    assert error.history == ()


async def test_w4_the_content_is_bounded(session: ClientSession) -> None:
    """W4: 64 KiB of it are kept, however much there is."""
    answer = refuse(500, content=b"x" * 200_000)
    error = await refused(session, WebSocketServer(echo, lambda asked: answer))
    assert error.body == b"x" * 65536


async def test_w4_content_that_breaks_off(session: ClientSession) -> None:
    answer = b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nnonsense"
    error = await refused(session, WebSocketServer(echo, lambda asked: answer))
    assert (error.status, error.body) == (500, b"abc")


async def test_w4_the_session_judges_nothing() -> None:
    """`raise_for_status` of the session is for responses; a refusal has an error of its own."""
    answer = refuse(404, content=b"no")
    async with ClientSession(raise_for_status=True) as session:
        error = await refused(session, WebSocketServer(echo, lambda asked: answer))
    assert (error.status, error.body) == (404, b"no")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("Upgrade: websocket\r\nConnection: Upgrade", "Sec-WebSocket-Accept does not fit the key"),
        ("Upgrade: h2c\r\nConnection: Upgrade", "Upgrade is not websocket"),
        ("Upgrade: websocket\r\nConnection: close", "Connection does not say upgrade"),
    ],
)
async def test_w1_an_answer_that_is_not_ours(
    session: ClientSession, fields: str, message: str
) -> None:
    """W1: status 101 alone opens nothing."""
    answer = f"HTTP/1.1 101 Switching\r\n{fields}\r\n\r\n\x81\x01x".encode("latin-1")
    error = await refused(session, WebSocketServer(echo, lambda asked: answer))
    assert (error.status, error.message, error.body) == (101, message, b"")


async def test_w2_w3_what_was_not_offered(session: ClientSession) -> None:
    """W2, W3."""
    server = WebSocketServer(echo, extra="Sec-WebSocket-Protocol: mine\r\n")
    error = await refused(session, server)
    assert "subprotocol that was not offered" in error.message
    server = WebSocketServer(echo, extra="Sec-WebSocket-Extensions: permessage-deflate\r\n")
    error = await refused(session, server)
    assert "extension that was not offered" in error.message


async def test_a_connection_that_is_gone_when_it_is_wanted() -> None:
    """A trace handler may take its time, and the session be closed meanwhile."""
    config = TraceConfig()

    async def ended(session: ClientSession, context: Any, params: Any) -> None:
        await session.connector.close()

    config.on_request_end.append(ended)
    async with (
        serving(WebSocketServer(echo)) as server,
        ClientSession(trace_configs=[config]) as session,
    ):
        with pytest.raises(ClientConnectionError, match="closed before it was taken over"):
            await session.ws_connect(server.url)


class Foreign:
    """A connection of somebody else's, which cannot be taken over."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class ForeignConnector(BaseConnector):
    """Hands out connections of another kind."""

    @override
    async def open_connection(
        self, target: Target, owner: Any, *, deadline: Any, observer: Any
    ) -> Connection:
        connection = HTTP1Connection(owner)
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: connection, target.host, target.port)
        return connection

    @override
    async def connect(self, *arguments: Any) -> Any:
        return Foreign(await super().connect(*arguments))


async def test_a_foreign_connection() -> None:
    async with (
        serving(WebSocketServer(echo)) as server,
        ClientSession(connector=ForeignConnector()) as session,
    ):
        with pytest.raises(RuntimeError, match="a Foreign cannot be taken over"):
            await session.ws_connect(server.url)


# -- limits and arguments -----------------------------------------------------------------------------------------


async def silence(websocket: WebSocket) -> None:
    await websocket._link.wait_closed()


async def test_the_opening_may_take_too_long(session: ClientSession) -> None:
    async with serving(WebSocketServer(echo, lambda asked: b"")) as server:
        for timeout in (ClientWSTimeout(ws_open=0.05), ClientTimeout(total=0.05)):
            with pytest.raises(WSOpenTimeoutError, match=r"not open within 0\.05 s") as caught:
                await session.ws_connect(server.url, timeout=timeout)
            assert caught.value.failure is not None
            assert caught.value.failure.urls == (server.url,)
        assert session.connector.stats().leased == 0


async def test_limits_of_an_open_websocket(session: ClientSession) -> None:
    timeout = ClientWSTimeout(ws_receive=0.05, ws_close=0.05, ws_ping=0.05)
    async with serving(WebSocketServer(silence)) as server:
        ws = await session.ws_connect(server.url, timeout=timeout)
        with pytest.raises(TimeoutError, match=r"within 0\.05 s"):
            await ws.receive()
        for websocket in server.websockets:
            websocket._link.transport.pause_reading()
        with pytest.raises(TimeoutError):
            await (await ws.ping())
        await ws.close()
        assert ws.close_code == 1006


async def test_old_spellings(session: ClientSession) -> None:
    async with serving(WebSocketServer(silence)) as server:
        with pytest.warns(DeprecationWarning, match=r"timeout=ClientWSTimeout\(ws_close=…\)"):
            opening: Any = session.ws_connect(server.url, timeout=0.05)
        async with opening as ws:
            assert ws._link.options.close_timeout == 0.05
        with pytest.warns(DeprecationWarning, match=r"ClientWSTimeout\(ws_receive=…\)") as caught:
            opening = session.ws_connect(server.url, receive_timeout=0.05)
        assert caught[0].filename == __file__
        async with opening as ws:
            with pytest.raises(TimeoutError):
                await ws.receive()
        with pytest.warns(DeprecationWarning, match="verify_ssl= is old"):
            opening = session.ws_connect(server.url, verify_ssl=False)
        async with opening:
            pass


def test_ws_timeout() -> None:
    default = ClientWSTimeout()
    assert (default.ws_receive, default.ws_close, default.ws_ping) == (None, 10.0, None)
    assert ClientWSTimeout(1, 2) == ClientWSTimeout(ws_receive=1.0, ws_close=2.0)
    assert ClientWSTimeout(ws_close=0).ws_close is None
    assert ClientWSTimeout(ws_open=3).ws_open == ClientTimeout(total=3)
    assert ClientWSTimeout(ws_open=None).ws_open == ClientTimeout(total=None)
    with pytest.raises(ValueError, match="timeout ws_ping must not be negative"):
        ClientWSTimeout(ws_ping=-1)
    with pytest.raises(ValueError, match="timeout ws_receive must not be negative"):
        ClientWSTimeout(ws_receive=float("nan"))
    bad: Any
    for bad in ("1", True):
        with pytest.raises(TypeError, match="timeout ws_close must be a number of seconds"):
            ClientWSTimeout(ws_close=bad)
    with pytest.raises(TypeError, match="timeout must be a ClientWSTimeout or a ClientTimeout"):
        read_ws_timeout("1")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nothing": 1}, "ws_connect got an unexpected keyword argument 'nothing'"),
        ({"data": b"x"}, "ws_connect got an unexpected keyword argument 'data'"),
        ({"autoclose": 1}, "autoclose must be True or False, not int"),
        ({"autoping": None}, "autoping must be True or False, not NoneType"),
        ({"protocols": "chat"}, "protocols must be several names, not one"),
        ({"protocols": ["a b"]}, "is no token"),
        ({"origin": 1}, "origin must be a str, not int"),
        ({"max_msg_size": 1.5}, "max_msg_size must be an int, not float"),
        ({"max_msg_size": True}, "max_msg_size must be an int, not bool"),
        ({"max_msg_size": -1}, "max_msg_size must not be negative, and -1 is"),
        ({"heartbeat": "1"}, "heartbeat must be a number of seconds, not str"),
        ({"heartbeat": -1}, "heartbeat must not be negative, and -1 is"),
        ({"compress": True}, "compress must be a number of bits or a DeflateOffer, not bool"),
        ({"compress": 8}, "compress must be 9 to 15 bits, or 0"),
    ],
)
async def test_arguments_that_make_no_sense(
    session: ClientSession, options: dict[str, Any], message: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        await session.ws_connect("ws://localhost/", **options)


async def test_http_1_0_has_no_websockets() -> None:
    async with ClientSession(version=HttpVersion10) as session:
        with pytest.raises(ValueError, match=r"needs HTTP/1\.1"):
            await session.ws_connect("ws://localhost/")


async def test_o8_forgotten(session: ClientSession) -> None:
    """O8: the warning names the line that opened it."""
    async with serving(WebSocketServer(echo)) as server:
        kept = [await session.ws_connect(server.url)]
        with pytest.warns(ResourceWarning, match=r"to ws://127.*opened at .*test_ws_connect"):
            kept.clear()
        await asyncio.wait(server.tasks)
        assert session.connector.stats().leased == 0
