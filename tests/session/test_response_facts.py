"""What a response knows beside its content: its connection, its links, its presentation, its encoding, its errors."""

import asyncio
import gzip
import pickle
import ssl
from typing import Any

import pytest
import trustme
import wayfare
from wayfare_connector import TCPConnector
from wayfare_http_core import ConnectionFacts, ContentDisposition
from wayfare_http_core.testing import (
    Call,
    ReadRequest,
    Repeat,
    ScriptedServer,
    Send,
    Stall,
    listening,
)
from yarl import URL

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answer(content: bytes, *fields: str, status: str = "200 OK") -> tuple[str, bytes]:
    lines = [f"HTTP/1.1 {status}", *fields, f"Content-Length: {len(content)}"]
    return "\n".join(lines), content


# -- the connection -------------------------------------------------------------------------------


async def test_facts_of_the_connection_survive_everything(serve: Any) -> None:
    found = b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 5\r\n\r\nfound"
    script = (ReadRequest(), Send(found), ReadRequest(), Send(OK))
    async with serve(script) as (session, _):
        async with session.get("/a") as response:
            assert await response.read() == b"ok"
        address = ("127.0.0.1", session.base_url.port)
    del session
    (first,) = response.history
    for one, exchange in ((first, 1), (response, 2)):
        info = one.connection_info
        assert (info.peername, info.exchange, info.reused) == (address, exchange, exchange > 1)
        assert info.sockname[0] == "127.0.0.1"
        assert (info.tls_version, info.cipher, info.alpn, info.peer_certificate) == (None,) * 4
        assert info.timings.total >= info.timings.dial >= 0
        assert (info.timings.dns, info.timings.tls, info.timings.queued) == (None, None, None)
        assert info.first_byte is None
        assert one.connection is None
        assert pickle.loads(pickle.dumps(info)) == info
    # A redirect's content, where it came with the head, stays too.
    assert await first.read() == b"found"
    with pytest.raises(AttributeError):
        info.exchange = 3
    assert wayfare.ConnectionInfo is type(info)


async def test_facts_of_tls() -> None:
    authority = trustme.CA()
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.configure_cert(served)
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(trusting)
    server = ScriptedServer([Repeat(ReadRequest(), Send(OK))])
    async with listening(server, tls=served) as (host, port):
        connector = TCPConnector(ssl=trusting)
        async with (
            wayfare.ClientSession(f"https://{host}:{port}/", connector=connector) as session,
            session.get("/") as response,
        ):
            await response.read()
    info = response.connection_info
    assert info.tls_version == "TLSv1.3"
    assert info.cipher is not None
    assert info.peer_certificate == ssl.PEM_cert_to_DER_cert(
        certificate.cert_chain_pems[0].bytes().decode()
    )
    assert info.timings.tls is not None
    assert info.timings.tls >= 0


async def test_the_connection_is_there_while_the_response_holds_it(serve: Any) -> None:
    script = (ReadRequest(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha"), Stall())
    async with serve(script) as (session, _):
        response = await session.get("/")
        assert response.connection is not None
        held = response.connection
        assert held.facts.peername == response.connection_info.peername
        assert repr(held) == f"<ResponseConnection peer {held.facts.peername!r}>"
        assert held.loop is asyncio.get_running_loop()
        transport = held.transport
        assert transport is not None
        assert held.protocol is not None
        assert not held.closed
        assert not transport.is_closing()
        assert transport.get_extra_info("peername") == response.connection_info.peername
        assert transport.get_extra_info("socket").getpeername() == held.facts.peername
        assert transport.get_extra_info("ssl_object", "none") == "none"
        response.close()
        assert response.connection is None
        assert held.closed
        assert transport.is_closing()
        assert (held.transport, held.protocol) == (None, None)
        assert repr(held).startswith("<ResponseConnection closed ")


@pytest.mark.parametrize("how", ["close", "release", "transport"])
async def test_the_connection_is_let_go_with_its_response(serve: Any, how: str) -> None:
    script = (ReadRequest(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\nha"), Stall())
    async with serve(script) as (session, _):
        response = await session.get("/")
        held = response.connection
        transport = held.transport
        if how == "transport":
            transport.close()
        else:
            getattr(held, how)()
        await response.wait_for_close()
        assert response.closed
        # What the connection knew, its facts still know.
        assert transport.get_extra_info("peername") == held.facts.peername
        assert transport.get_extra_info("socket") is None


def test_a_connection_of_another_kind_has_its_facts() -> None:
    class Other:
        facts = ConnectionFacts(peername=("192.0.2.1", 80))

    class Response:
        closed = False

    other: Any = Other()
    response: Any = Response()
    transport = wayfare.ResponseConnection(response, other).transport
    assert transport is not None
    assert transport.get_extra_info("peername") == ("192.0.2.1", 80)
    assert transport.get_extra_info("cipher", "none") == "none"
    assert transport.get_extra_info("socket", "none") == "none"


async def test_waiting_for_the_end_of_a_response(serve: Any) -> None:
    """A rest that is dropped, content that came whole, and a connection that is closed."""
    begun = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nthe "
    peers: list[Any] = []
    script = (
        *(ReadRequest(), Send(begun), Call(peers.append)),
        *(ReadRequest(), Send(OK)),
        *(ReadRequest(), Send(begun), Stall()),
    )
    async with serve(script) as (session, _):
        stats = session.connector.stats
        response = await session.get("/")
        waiting = asyncio.ensure_future(response.wait_for_close())
        await asyncio.sleep(0)
        assert not waiting.done()
        peers[0].write(b"rest!")
        await waiting
        assert (stats().leased, stats().idle) == (0, 1)
        response = await session.get("/")
        await response.wait_for_close()
        assert await response.read() == b"ok"
        other = await session.get("/")
        other.close()
        await other.wait_for_close()
        assert stats().idle == 0


async def test_waiting_for_the_end_of_content_that_counts_as_none(serve: Any) -> None:
    endless = (ReadRequest(), Send(b"HTTP/1.1 200 OK\r\n\r\nuntil"), Stall())
    async with serve(endless) as (session, _):
        response = await session.get("/", read_until_eof=False)
        await response.wait_for_close()
        assert await response.read() == b""
        assert session.connector.stats().leased == 0


async def test_cancelling_the_wait_for_the_end(serve: Any) -> None:
    """Cancellation: the response is released all the same."""
    begun = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nthe "
    async with serve((ReadRequest(), Send(begun), Stall())) as (session, _):
        response = await session.get("/")
        waiting = asyncio.ensure_future(response.wait_for_close())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert response.closed


# -- fields ---------------------------------------------------------------------------------------


async def test_links_are_resolved_and_found_by_their_relation(serve: Any) -> None:
    fields = (
        'Link: </page/2>; rel="next last"; title="Page two", <https://h.test/x>; rel=License',
        "Link: <?q=1>; type=text/html; foo, <http://[>; rel=broken",
        "Link: <other>; rel=next; title*=UTF-8''%C3%A9",
    )
    async with serve(answer(b"", *fields)) as (session, _):
        response = await session.get("/a/b")
    base = session.base_url
    links = response.links
    assert [key for key, _ in links.items()] == [
        "next",
        "last",
        "license",
        str(base.join(URL("/a/b?q=1"))),
        "next",
    ]
    first, last = links.getall("next")
    assert first["url"] == links["last"]["url"] == base / "page" / "2"
    assert (first["rel"], first["title"]) == ("next last", "Page two")
    assert (last["url"], last["title"]) == (base.join(URL("/a/other")), "é")
    assert links["license"]["url"] == URL("https://h.test/x")
    unnamed = links[str(base.join(URL("/a/b?q=1")))]
    assert dict(unnamed) == {"type": "text/html", "foo": "", "url": base.join(URL("/a/b?q=1"))}
    with pytest.raises(TypeError):
        links["x"] = unnamed


async def test_a_response_without_links(serve: Any) -> None:
    async with serve(answer(b"")) as (session, _):
        response = await session.get("/")
    assert len(response.links) == 0


async def test_content_disposition(serve: Any) -> None:
    field = "Content-Disposition: attachment; filename=plain; filename*=UTF-8''na%C3%AFve.txt; x=1"
    async with serve(answer(b"", field)) as (session, _):
        response = await session.get("/")
    disposition = response.content_disposition
    assert isinstance(disposition, ContentDisposition)
    assert (disposition.type, disposition.filename) == ("attachment", "naïve.txt")
    assert dict(disposition.parameters) == {"filename": "naïve.txt", "x": "1"}
    parameters: Any = disposition.parameters
    with pytest.raises(TypeError):
        parameters["x"] = "2"
    async with serve(answer(b"")) as (session, _):
        assert (await session.get("/")).content_disposition is None


async def test_trailers(serve: Any) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    content = b"3\r\nabc\r\n0\r\nX-Checksum: 42\r\n\r\n"
    script = (ReadRequest(), Send(head), Send(content))
    async with serve(script) as (session, _), session.get("/") as response:
        assert await response.read() == b"abc"
        assert response.trailers["x-checksum"] == "42"
    async with serve(answer(b"ok")) as (session, _), session.get("/") as response:
        assert dict(response.trailers) == {}


async def test_a_reason_that_is_none_is_empty(serve: Any) -> None:
    async with serve("HTTP/1.1 200\nContent-Length: 0") as (session, _):
        assert (await session.get("/")).reason == ""


async def test_the_url_under_its_old_name(serve: Any) -> None:
    async with serve(answer(b"")) as (session, _):
        response = await session.get("/a")
    with pytest.warns(DeprecationWarning, match="called url now"):
        assert response.url_obj is response.url


# -- text -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        ("text/plain; charset=koi8-r", "koi8-r"),
        ("application/json", "utf-8"),
        ("application/rdap+json", "utf-8"),
        ("application/json; charset=latin-1", "latin-1"),
        ("text/html", "latin-1"),
        ("text/html; charset=hex", "latin-1"),
        ("", "latin-1"),
    ],
)
async def test_an_encoding_that_is_not_said_is_asked_for(
    serve: Any, content_type: str, encoding: str
) -> None:
    asked: list[bytes] = []

    def resolve(response: wayfare.ClientResponse, content: bytes) -> str:
        assert response.status == 200
        asked.append(content)
        return "latin-1"

    script = answer(b"ok", f"Content-Type: {content_type}")
    async with serve(script, fallback_charset_resolver=resolve) as (session, _):
        response = await session.get("/")
        if encoding == "latin-1" and "json" not in content_type:
            with pytest.raises(RuntimeError, match="was not read yet"):
                response.get_encoding()
            assert await response.text() == "ok"
            assert asked == [b"ok"]
        assert response.get_encoding() == encoding


async def test_without_a_resolver_text_is_utf_8(serve: Any) -> None:
    async with serve(answer("é".encode(), "Content-Type: text/html")) as (session, _):
        response = await session.get("/")
        assert response.get_encoding() == "utf-8"
        assert await response.text() == "é"


def test_a_resolver_must_be_callable() -> None:
    with pytest.raises(TypeError, match="fallback_charset_resolver must be callable"):
        wayfare.ClientSession(fallback_charset_resolver="utf-8")  # type: ignore[arg-type]  # what is tested


# -- errors ---------------------------------------------------------------------------------------


PROBLEM = b'{"title": "no such thing"}'


@pytest.mark.parametrize("coding", ["identity", "gzip"])
async def test_an_error_has_the_beginning_of_the_content(serve: Any, coding: str) -> None:
    content = gzip.compress(PROBLEM) if coding == "gzip" else PROBLEM
    script = answer(content, f"Content-Encoding: {coding}", status="404 Not Found")
    async with serve(script) as (session, _):
        with pytest.raises(wayfare.ClientResponseError) as caught:
            await session.get("/", raise_for_status=True)
    error = caught.value
    assert (error.status, error.message, error.body) == (404, "Not Found", PROBLEM)
    assert "thing" not in str(error) + repr(error)
    assert pickle.loads(pickle.dumps(error)).body == PROBLEM


async def test_the_content_of_an_error_can_still_be_read(serve: Any) -> None:
    later = b"HTTP/1.1 500 Oops\r\nContent-Length: 12\r\n\r\n"
    script = (ReadRequest(), Send(later + b"first "), Stall())
    async with serve(script) as (session, _), session.get("/") as response:
        with pytest.raises(wayfare.ClientResponseError) as caught:
            response.raise_for_status()
        assert caught.value.body == b"first "
        assert await response.content.read(3) == b"fir"
        with pytest.raises(wayfare.ClientResponseError) as caught:
            response.raise_for_status()
        assert caught.value.body == b""


async def test_an_error_keeps_no_more_than_64_kib(serve: Any) -> None:
    async with serve(answer(bytes(100_000), status="500 Oops")) as (session, _):
        response = await session.get("/")
        await response.read()
        with pytest.raises(wayfare.ClientResponseError) as caught:
            response.raise_for_status()
    assert caught.value.body == bytes(64 * 1024)


async def test_an_unexpected_type_comes_with_the_content_and_the_history(serve: Any) -> None:
    found = b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"
    script = (ReadRequest(), Send(found), ReadRequest(), Send(page))
    async with serve(script) as (session, _), session.get("/a") as response:
        with pytest.raises(wayfare.ContentTypeError, match="'text/html', not") as caught:
            await response.json()
        assert await response.text() == "<html>"
    error = pickle.loads(pickle.dumps(caught.value))
    assert error.body == b"<html>"
    assert [(one.status, one.url.path) for one in error.history] == [(302, "/a")]


# -- limits ---------------------------------------------------------------------------------------


async def test_content_over_the_limit_is_an_error(serve: Any) -> None:
    content = gzip.compress(bytes(100_000))
    script = answer(content, "Content-Encoding: gzip")
    async with serve(script, max_body_size=50_000) as (session, _):
        response = await session.get("/")
        with pytest.raises(wayfare.ClientPayloadError, match="larger than the limit of 50000"):
            await response.read()
