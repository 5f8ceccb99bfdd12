"""Requests to a proxy for plain HTTP: the absolute-form, and the fields of its hop (P5)."""

import asyncio

from wayfare_http_core import FieldBlock, RequestHead
from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.testing import MemoryNetwork, ReadRequest, Repeat, ScriptedServer, Send

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
VIA = FieldBlock([("Proxy-Authorization", "Basic c2VjcmV0"), ("X-Hop", "1")])


async def sent(
    head: RequestHead, body: bytes | None = None, via: FieldBlock | None = VIA
) -> tuple[str, list[tuple[str, str]]]:
    """The target and the fields of a request as they arrive."""
    network = MemoryNetwork()
    server = ScriptedServer([Repeat(ReadRequest(), Send(OK))])
    network.serve("proxy.example", 80, server)
    connection = HTTP1Connection(via=via)
    await network.dial("proxy.example", 80, lambda: connection)
    exchange = await connection.exchange(head, body)
    assert await exchange.content.read() == b"hi"
    connection.close()
    await connection.wait_closed()
    (request,) = server.peers[0].requests
    return request.target, list(request.fields)


async def test_p5_a_proxy_gets_whole_urls_and_its_fields() -> None:
    target, fields = await sent(RequestHead("GET", "http", "a.example:8080", "/path?q"))
    assert target == "http://a.example:8080/path?q"
    assert fields[0] == ("Host", "a.example:8080")
    assert fields[-2:] == list(VIA.pairs)


async def test_p5_with_a_body_too() -> None:
    own = FieldBlock([("X-Own", "2")])
    target, fields = await sent(RequestHead("POST", "http", "a.example", "/", own), b"body")
    assert target == "http://a.example/"
    assert ("X-Own", "2") in fields
    assert ("Content-Length", "4") in fields
    assert fields[-2:] == list(VIA.pairs)


async def test_p5_what_a_head_keeps_is_never_the_form_for_a_proxy() -> None:
    """One head through a proxy, then directly, then through the proxy again."""
    head = RequestHead("GET", "http", "a.example", "/")
    targets = []
    for via in (VIA, None, VIA, FieldBlock()):
        target, fields = await sent(head, via=via)
        targets.append(target)
        assert ("Proxy-Authorization" in dict(fields)) is (via is VIA)
    whole = "http://a.example/"
    assert targets == [whole, "/", whole, whole]


async def test_the_server_itself_is_meant_by_a_url_without_a_path() -> None:
    target, _ = await sent(RequestHead("OPTIONS", "http", "a.example", "*"))
    assert target == "http://a.example"
    assert asyncio.all_tasks() == {asyncio.current_task()}
