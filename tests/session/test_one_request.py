"""`wayfare.request`: one request with nothing left behind."""

import sys
from typing import Any

import pytest
import wayfare
from wayfare_http_core.testing import Fin, ReadRequest, Repeat, Send

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ALWAYS = (Repeat(ReadRequest(), Send(OK)),)


async def test_one_request(serve: Any) -> None:
    async with serve(ALWAYS) as (session, server):
        url = str(session.base_url)
        context = wayfare.request("GET", url, params={"a": 1}, timeout=5)
        for _ in range(2):
            async with context as response:
                assert await response.text() == "ok"
            assert response.url.query_string == "a=1"
    assert len(server.peers) == 2


async def test_its_connector_is_closed_only_if_it_is_its_own(serve: Any) -> None:
    connector = wayfare.TCPConnector()
    async with serve(ALWAYS) as (session, server):
        url = str(session.base_url)
        for _ in range(2):
            async with wayfare.request("GET", url, connector=connector) as response:
                assert response.status == 200
        assert connector.stats().idle == 1
        await connector.close()
    assert len(server.peers) == 1


async def test_an_error_leaves_nothing_behind(serve: Any) -> None:
    async with serve((ReadRequest(), Fin())) as (session, _):
        with pytest.raises(wayfare.ServerDisconnectedError):
            async with wayfare.request("GET", str(session.base_url)):
                raise AssertionError("entered without a response")
        with pytest.raises(TypeError, match="'verifi_ssl'"):
            async with wayfare.request("GET", "http://h/", verifi_ssl=False):  # type: ignore[call-arg]  # what is refused
                raise AssertionError("entered")


async def test_warnings_of_old_names_point_to_the_call(serve: Any) -> None:
    async with serve(ALWAYS) as (session, _):
        url = str(session.base_url)
        old: dict[str, Any] = {"verify_ssl": False, "text": "x", "loop": session}
        for name, value in old.items():
            line = sys._getframe().f_lineno + 2
            with pytest.warns(DeprecationWarning, match=f"{name}= is") as caught:
                context = wayfare.request("POST", url, **{name: value})
            assert [(one.filename, one.lineno) for one in caught] == [(__file__, line)]
            async with context as response:
                assert await response.text() == "ok"


async def test_status_errors_are_raised_in_the_block(serve: Any) -> None:
    missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n\r\nmissing"
    async with serve((Repeat(ReadRequest(), Send(missing)),)) as (session, _):
        url = str(session.base_url)
        with pytest.raises(wayfare.ClientResponseError):
            async with wayfare.request("GET", url, raise_for_status=True):
                raise AssertionError("entered")
        async with wayfare.request("GET", url, version=wayfare.HttpVersion10) as response:
            with pytest.raises(wayfare.ClientResponseError, match="404"):
                response.raise_for_status()
            assert await response.text() == "missing"
