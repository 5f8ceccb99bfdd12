"""The arguments of requests and sessions: each one does something, and contradictions are refused."""

import asyncio
import gzip
import ssl
import sys
import zlib
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
import wayfare
from wayfare import BasicAuth, HttpVersion, HttpVersion10
from wayfare_http_core import RequestBody, make_decoder
from wayfare_http_core.aio import StreamReader
from wayfare_http_core.testing import Fin, ReadRequest, Repeat, Send

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ALWAYS = (Repeat(ReadRequest(), Send(OK)),)


def requests(server: Any) -> list[Any]:
    return [request for peer in server.peers for request in peer.requests]


# -- fields that are sent unasked -------------------------------------------------------------------------------------


async def test_automatic_fields_can_be_skipped(serve: Any) -> None:
    async with serve(ALWAYS, skip_auto_headers=["user-AGENT"]) as (session, server):
        assert session.skip_auto_headers == {"user-agent"}
        await session.get("/")
        await session.get("/", skip_auto_headers=["Accept", "Accept-Encoding"])
        await session.get("/", skip_auto_headers=["Accept"], headers={"accept": "text/x"})
        await session.post("/", data="x", skip_auto_headers=["Content-Type"])
    sent = [[name for name, _ in one.fields] for one in requests(server)]
    assert sent[0] == ["Host", "Accept", "Accept-Encoding"]
    assert sent[1] == ["Host"]
    assert sent[2] == ["Host", "Accept-Encoding", "accept"]
    assert "Content-Type" not in sent[3]


async def test_what_the_caller_gave_the_session_is_not_automatic(serve: Any) -> None:
    async with serve(ALWAYS, headers={"User-Agent": "mine"}) as (session, server):
        await session.get("/", skip_auto_headers=["User-Agent"])
    assert requests(server)[0].get("user-agent") == "mine"


class Typed:
    """A body with a media type."""

    content_type = "image/png"
    length = 1
    replayable = True

    def chunks(self) -> list[bytes]:
        return [b"x"]


async def test_the_type_of_a_body_can_be_skipped(serve: Any) -> None:
    body: RequestBody = Typed()
    async with serve(ALWAYS) as (session, server):
        await session.post("/", data=body, skip_auto_headers=["content-type"])
        await session.post("/", data=body)
    first, second = requests(server)
    assert (first.get("content-type"), first.body) == (None, b"x")
    assert second.get("content-type") == "image/png"


async def test_names_to_skip_are_several() -> None:
    async with wayfare.ClientSession() as session:
        with pytest.raises(TypeError, match="several names"):
            await session.get("http://h/", skip_auto_headers="Accept")


async def test_the_sessions_fields_can_be_changed(serve: Any) -> None:
    async with serve(ALWAYS) as (session, server):
        await session.get("/")
        session.headers["X-Now"] = "1"
        await session.get("/")
        await session.get("/", headers={"X-Other": "2"})
        del session.headers["X-Now"]
        await session.get("/")
        session.headers["X-Bad"] = "a\nb"
        with pytest.raises(ValueError, match="control character"):
            await session.get("/")
    assert [one.get("x-now") for one in requests(server)] == [None, "1", "1", None]


# -- credentials ------------------------------------------------------------------------------------------------------

AUTH = BasicAuth("u", "p")


async def test_credentials_of_a_request(serve: Any) -> None:
    async with serve(ALWAYS) as (session, server):
        await session.get("/", auth=AUTH)
        await session.get("/", auth=None)
    assert [one.get("authorization") for one in requests(server)] == ["Basic dTpw", None]


async def test_credentials_of_a_session_belong_to_its_origin(serve: Any) -> None:
    """D5: the base URL's origin, and no other."""
    async with serve(ALWAYS, auth=AUTH) as (session, server):
        assert session.auth == AUTH
        await session.get("/")
        await session.get("/", headers={"Authorization": "mine"})
        elsewhere = str(session.base_url).replace("127.0.0.1", "localhost")
        await session.get(elsewhere)
        async with wayfare.ClientSession(auth=AUTH) as anywhere:
            await anywhere.get(elsewhere)
            await anywhere.get(elsewhere.replace("http://", "http://a:b@"))
    assert [one.get("authorization") for one in requests(server)] == [
        "Basic dTpw",
        "mine",
        None,
        "Basic dTpw",
        "Basic YTpi",
    ]


async def test_two_credentials_are_refused() -> None:
    async with wayfare.ClientSession() as session:
        with pytest.raises(ValueError, match="auth and an Authorization field"):
            await session.get("http://h/", auth=AUTH, headers={"authorization": "x"})
        with pytest.raises(ValueError, match="auth and credentials in the URL"):
            await session.get("http://a:b@h/", auth=AUTH)
        with pytest.raises(TypeError, match="auth must be a BasicAuth, not tuple"):
            await session.get("http://h/", auth=("u", "p"))  # type: ignore[arg-type]  # what is refused


# -- content ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coding", [True, "deflate", "gzip", "br", "zstd"])
@pytest.mark.parametrize("size", [10, 200_000])
async def test_content_is_sent_in_the_coding_that_it_is_labelled_with(
    serve: Any, coding: Any, size: int
) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    async with serve(ALWAYS) as (session, server):
        await session.post("/", data=content, compress=coding)
    [request] = requests(server)
    label = request.get("content-encoding")
    assert label == ("deflate" if coding is True else coding)
    reader = StreamReader()
    reader.feed_data(request.body)
    reader.feed_eof()
    decoder: Any = make_decoder([label])
    reader.decode_with(decoder)
    assert await reader.read() == content
    framed_by = "content-length" if len(content) < 65536 else "transfer-encoding"
    assert request.get(framed_by) is not None


async def test_a_stream_is_encoded_piece_by_piece(serve: Any) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a" * 100_000
        yield b"b"

    class Twice:
        content_type = "text/x"
        length = 4
        replayable = True

        def chunks(self) -> list[bytes]:
            return [b"ab", b"cd"]

    async with serve(ALWAYS) as (session, server):
        await session.post("/", data=pieces(), compress="gzip")
        await session.post("/", data=Twice(), compress="gzip")
    first, second = requests(server)
    assert gzip.decompress(first.body) == b"a" * 100_000 + b"b"
    assert gzip.decompress(second.body) == b"abcd"
    assert second.get("content-type") == "text/x"


async def test_no_content_is_not_compressed(serve: Any) -> None:
    async with serve(ALWAYS) as (session, server):
        await session.post("/", compress=True)
        await session.post("/", data=b"", compress=True)
        await session.post("/", data=b"x", compress=False)
    assert [one.get("content-encoding") for one in requests(server)] == [None] * 3


async def test_compress_that_makes_no_sense(serve: Any) -> None:
    async with serve(ALWAYS) as (session, _):
        with pytest.raises(ValueError, match="compress and a Content-Encoding field"):
            await session.post("/", data=b"x", compress=True, headers={"content-encoding": "x"})
        with pytest.raises(ValueError, match="'lzw'"):
            await session.post("/", data=b"x", compress="lzw")
        with pytest.raises(TypeError, match="compress must be a str or a bool, not int"):
            await session.post("/", data=b"x", compress=5)


async def test_chunks_are_sent_where_they_are_asked_for(serve: Any) -> None:
    async with serve(ALWAYS) as (session, server):
        await session.post("/", data=b"content", chunked=True)
        await session.post("/", chunked=True)
        await session.post("/", data=b"content", chunked=None)
        for name in ("Transfer-Encoding", "Content-Length"):
            with pytest.raises(ValueError, match=f"chunked and a {name} field"):
                await session.post("/", data=b"x", chunked=True, headers={name: "1"})
    codings = [(one.get("transfer-encoding"), one.body) for one in requests(server)]
    assert codings == [("chunked", b"content"), ("chunked", b""), (None, b"content")]


async def test_r15_an_expectation_is_sent_for_content_only(serve: Any) -> None:
    answered = (ReadRequest(), Send(OK), ReadRequest(), Send(b"HTTP/1.1 100 Continue\r\n\r\n" + OK))
    async with serve(answered) as (session, server):
        await session.get("/", expect100=True)
        await session.post("/", data=b"content", expect100=True)
    first, second = requests(server)
    assert (first.get("expect"), second.get("expect")) == (None, "100-continue")
    assert second.body == b"content"


async def test_json_as_octets(serve: Any) -> None:
    def as_octets(value: Any) -> bytes:
        return repr(value).encode()

    async with serve(ALWAYS, json_serialize_bytes=as_octets) as (session, server):
        await session.post("/", json=[1])
    assert requests(server)[0].body == b"[1]"


async def test_http_1_0(serve: Any) -> None:
    once = (ReadRequest(), Send(b"HTTP/1.0 200 OK\r\n\r\nok"), Fin())
    async with serve(once, once, version=HttpVersion10) as (session, server):
        assert session.version == HttpVersion(1, 0)
        assert await (await session.get("/")).text() == "ok"
        response = await session.post("/", data=b"xy")
        assert (response.version, await response.text()) == (HttpVersion10, "ok")
        with pytest.raises(ValueError, match="unknown length"):
            await session.post("/", data=stream_of_nothing())
    first, second = requests(server)
    assert (first.version, first.get("connection")) == ("1.0", "close")
    assert second.body == b"xy"


async def test_http_1_0_with_cookies(serve: Any) -> None:
    """What the jar adds changes nothing of the version."""
    once = (ReadRequest(), Send(b"HTTP/1.0 200 OK\r\n\r\nok"), Fin())
    async with serve(once, version=HttpVersion10, cookies={"a": "b"}) as (session, server):
        assert await (await session.get("/")).text() == "ok"
    (request,) = requests(server)
    assert (request.version, request.get("cookie")) == ("1.0", "a=b")


async def stream_of_nothing() -> AsyncIterator[bytes]:
    yield b""


# -- the response -----------------------------------------------------------------------------------------------------


async def test_content_without_a_length_can_be_left(serve: Any) -> None:
    endless = (ReadRequest(), Send(b"HTTP/1.1 200 OK\r\n\r\nsome"), ReadRequest())
    async with serve(endless, ALWAYS) as (session, _):
        response = await session.get("/", read_until_eof=False)
        assert response.closed
        assert await response.read() == b""
        assert await response.content.read() == b""
        assert response.trailers == {}
        response.release()
        response.close()
        assert session.connector.stats().leased == 0
        assert await (await session.get("/", read_until_eof=False)).read() == b"ok"


@pytest.mark.parametrize("where", ["session", "request"])
async def test_b26_too_much_content_is_an_error(serve: Any, where: str) -> None:
    content = gzip.compress(b"x" * 10_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(content)}\r\n\r\n"
    script = (Repeat(ReadRequest(), Send(head.encode() + content)),)
    of_session = {"max_body_size": 9_999} if where == "session" else {}
    of_request = {"max_body_size": 9_999} if where == "request" else {}
    async with serve(script, **of_session) as (session, _):
        response = await session.get("/", **of_request)
        with pytest.raises(wayfare.ClientPayloadError, match="larger than the limit of 9999"):
            await response.read()
        response = await session.get("/", max_body_size=10_000)
        assert len(await response.read()) == 10_000


async def test_limits_of_one_request(serve: Any) -> None:
    head = b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1000 + b"\r\nContent-Length: 0\r\n\r\n"
    async with serve((ReadRequest(), Send(head)), (Repeat(ReadRequest(), Send(head)),)) as (
        session,
        _,
    ):
        with pytest.raises(wayfare.ClientResponseError, match="more than 100 octets"):
            await session.get("/", max_field_size=100)
        response = await session.get("/", max_line_size=50, max_headers=2, read_bufsize=10)
        assert response.status == 200


async def test_decoding_of_one_request(serve: Any) -> None:
    content = zlib.compress(b"content")
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: %d\r\n\r\n"
    script = (Repeat(ReadRequest(), Send(head % len(content) + content)),)
    async with serve(script) as (session, _):
        assert await (await session.get("/")).read() == b"content"
        assert await (await session.get("/", auto_decompress=False)).read() == content


# -- spellings of old -------------------------------------------------------------------------------------------------


async def test_old_names_of_tls_settings(serve: Any) -> None:
    context = ssl.create_default_context()
    async with serve(ALWAYS) as (session, _):
        for name, value in (
            ("verify_ssl", False),
            ("ssl_context", context),
            ("fingerprint", b"x" * 32),
        ):
            with pytest.warns(DeprecationWarning, match=name) as caught:
                await session.get("/", **{name: value})
            assert caught[0].filename == __file__
        with (
            pytest.raises(ValueError, match="exclude each other"),
            pytest.warns(DeprecationWarning, match="is old"),
        ):
            await session.get("/", verify_ssl=False, ssl_context=context)


async def test_text_of_old(serve: Any) -> None:
    async with serve(ALWAYS) as (session, server):
        with pytest.warns(DeprecationWarning, match="text= is called data= now"):
            await session.post("/", text="Тест")
        with pytest.raises(ValueError, match="text, data and json"):
            await session.post("/", text="x", data=b"y")
        with (
            pytest.warns(DeprecationWarning, match="text="),
            pytest.raises(TypeError, match="text must be str"),
        ):
            await session.post("/", text=b"x")
    assert requests(server)[0].body == "Тест".encode()


@pytest.mark.parametrize("verb", ["get", "options", "head", "post", "put", "patch", "delete"])
async def test_warnings_of_old_names_point_to_the_call(serve: Any, verb: str) -> None:
    async with serve(ALWAYS) as (session, _):
        for send in (getattr(session, verb), partial(session.request, verb)):
            for name, value in (("verify_ssl", False), ("text", "x")):
                line = sys._getframe().f_lineno + 2
                with pytest.warns(DeprecationWarning, match=f"{name}= is") as caught:
                    request = send("/", **{name: value})
                assert [(one.filename, one.lineno) for one in caught] == [(__file__, line)]
                request.close()


async def test_old_timeouts_of_a_session() -> None:
    with pytest.warns(DeprecationWarning, match="read_timeout") as caught:
        session = wayfare.ClientSession(read_timeout=5, conn_timeout=2)
    assert caught[0].filename == __file__
    assert session.timeout == wayfare.ClientTimeout(total=5, connect=2, sock_connect=30)
    await session.close()
    with pytest.raises(ValueError, match="exclude timeout"):
        wayfare.ClientSession(read_timeout=5, timeout=5)
    with pytest.warns(DeprecationWarning, match="conn_timeout"):
        session = wayfare.ClientSession(conn_timeout=2)
    assert session.timeout.total == 300
    await session.close()


# -- arguments that make no sense --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"allow_redirects": None}, TypeError, "allow_redirects must be True or False"),
        ({"retry_stale": 1}, TypeError, "retry_stale must be True or False, not int"),
        ({"read_until_eof": 0}, TypeError, "read_until_eof"),
        ({"chunked": 4096}, TypeError, "chunked"),
        ({"max_redirects": None}, TypeError, "max_redirects must be an int"),
        ({"max_redirects": -1}, ValueError, "max_redirects must be at least 0, not -1"),
        ({"max_redirects": True}, TypeError, "max_redirects must be an int, not bool"),
        ({"max_body_size": -1}, ValueError, "max_body_size must be at least 0"),
        ({"max_headers": 0}, ValueError, "max_headers must be at least 1"),
        ({"raise_for_status": "yes"}, TypeError, "raise_for_status"),
        ({"ssl": "yes"}, TypeError, "ssl must be"),
        ({"ssl": True, "server_hostname": "a b"}, ValueError, "not a host"),
        ({"server_hostname": 5}, TypeError, "server_hostname must be a str, not int"),
        ({"redirect_policy": 5}, TypeError, "redirect_policy must be a RedirectPolicy, not int"),
    ],
)
async def test_arguments_of_a_request(options: Any, error: type[Exception], words: str) -> None:
    async with wayfare.ClientSession() as session:
        with pytest.raises(error, match=words):
            await session.get("https://h/", **options)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"version": HttpVersion(2, 0)}, ValueError, "HttpVersion10 or HttpVersion11"),
        ({"max_redirects": -1}, ValueError, "max_redirects"),
        ({"auth": "u:p"}, TypeError, "auth must be a BasicAuth"),
        ({"ssl": "yes"}, TypeError, "ssl must be"),
        ({"skip_auto_headers": "Accept"}, TypeError, "several names"),
        ({"raise_for_status": 3}, TypeError, "raise_for_status"),
        ({"redirect_policy": 5}, TypeError, "redirect_policy must be a RedirectPolicy, not int"),
    ],
)
async def test_arguments_of_a_session(options: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        wayfare.ClientSession("http://h/", **options)


# -- what a session tells ----------------------------------------------------------------------------------------------


async def test_deprecated_properties() -> None:
    async with wayfare.ClientSession() as session:
        with pytest.warns(DeprecationWarning, match="get_running_loop"):
            assert session.loop is asyncio.get_running_loop()
        assert session.requote_redirect_url
        with pytest.warns(DeprecationWarning, match="when the session is made"):
            session.requote_redirect_url = False
        assert not session.requote_redirect_url


async def test_detaching_leaves_the_connector_open(serve: Any) -> None:
    async with serve(ALWAYS) as (session, _):
        await session.get("/")
        url = session.base_url
        session.detach()
        session.detach()
        assert session.closed
        assert not session.connector.closed
        with pytest.raises(RuntimeError, match="closed"):
            await session.get("/")
        async with wayfare.ClientSession(connector=session.connector) as heir:
            assert await (await heir.get(url)).text() == "ok"


@pytest.mark.parametrize(
    "way", [{}, {"ssl": False}, {"server_hostname": "other"}, {"proxy": "http://127.0.0.1:1"}]
)
async def test_a_session_knows_its_origin_whatever_the_way_there(way: Any) -> None:
    """How the server is verified or reached makes no other origin of it."""
    seen: list[str | None] = []

    async def looking(request: wayfare.ClientRequest, handler: object) -> Any:
        seen.append(request.headers.get("Authorization"))
        raise LookupError("far enough")

    async with wayfare.ClientSession(
        "https://home.invalid/", auth=BasicAuth("u", "p"), middlewares=[looking]
    ) as session:
        for url in ("/", "https://home.invalid:444/", "http://home.invalid/", "https://h.invalid/"):
            with pytest.raises(LookupError):
                await session.get(url, **way)
    assert seen == ["Basic dTpw", None, None, None]


def tls_context(*, verifies: bool = True, names: bool = True) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = verifies and names
    context.verify_mode = ssl.CERT_REQUIRED if verifies else ssl.CERT_NONE
    return context


OWN, OTHER = tls_context(), tls_context()
BLIND, NAMELESS = tls_context(verifies=False), tls_context(names=False)
PIN = wayfare.Fingerprint(bytes(32))


@pytest.mark.parametrize(
    ("of_connector", "of_session", "asked", "expected"),
    [
        (True, None, None, True),
        (OWN, None, None, OWN),
        (OWN, None, True, OWN),
        (OWN, True, None, OWN),
        (OWN, True, True, OWN),
        (OWN, False, None, False),
        (OWN, False, True, OWN),
        (OWN, OTHER, True, OTHER),
        (OWN, BLIND, True, OWN),
        (OWN, None, False, False),
        (OWN, None, OTHER, OTHER),
        (OWN, None, PIN, PIN),
        (PIN, None, True, PIN),
        (PIN, None, OWN, OWN),
        (False, None, True, True),
        (False, True, None, True),
        (BLIND, None, None, BLIND),
        (BLIND, None, True, True),
        (NAMELESS, None, True, True),
    ],
)
async def test_true_verifies_by_the_setting_that_is_there(
    of_connector: Any, of_session: Any, asked: Any, expected: Any
) -> None:
    """Names included: what says that it does not look at them is no way to verify."""
    found: list[Any] = []

    async def looking(request: wayfare.ClientRequest, handler: object) -> Any:
        found.extend((request.ssl, request.connection_key.ssl))
        request.ssl = True
        found.append(request.ssl)
        raise LookupError("far enough")

    async with wayfare.ClientSession(
        connector=wayfare.TCPConnector(ssl=of_connector), ssl=of_session, middlewares=[looking]
    ) as session:
        with pytest.raises(LookupError):
            await session.get("https://h.invalid/", ssl=asked)
        with pytest.raises(LookupError):
            await session.ws_connect("wss://h.invalid/", ssl=asked)
    assert found[:2] == found[3:5] == [expected, expected]
    assert found[2] in (OWN, OTHER, PIN, True)


def test_one_sensitive_name_is_not_several() -> None:
    with pytest.raises(TypeError, match="sensitive_headers must be several names"):
        wayfare.ClientSession(sensitive_headers="X-Partner")


async def test_a_plain_function_judges_responses(serve: Any) -> None:
    def judge(response: wayfare.ClientResponse) -> None:
        if response.status != 200:
            raise LookupError(response.status)

    fine = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    busy = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
    script = (ReadRequest(), Send(fine), ReadRequest(), Send(busy))
    async with serve(script, raise_for_status=judge) as (session, _):
        assert (await session.get("/")).status == 200
        with pytest.raises(LookupError, match="503"):
            await session.get("/")


async def test_a_session_hands_an_old_argument_to_its_own_connector() -> None:
    with pytest.warns(DeprecationWarning, match="ssl_shutdown_timeout") as caught:
        session = wayfare.ClientSession(ssl_shutdown_timeout=0.5, connector_owner=False)
    assert caught[0].filename == __file__
    assert session.connector_owner
    await session.close()
    assert session.connector.closed
    with pytest.raises(ValueError, match="give it to that one"):
        wayfare.ClientSession(ssl_shutdown_timeout=0.5, connector=wayfare.TCPConnector())
    with (
        pytest.warns(DeprecationWarning, match="ssl_shutdown_timeout"),
        pytest.raises(ValueError, match="negative"),
    ):
        wayfare.ClientSession(ssl_shutdown_timeout=-1)
