"""Errors are data: each pickles and copies whole, hides credentials, and says which request it ended."""

import asyncio
import copy
import inspect
import pickle
import re
import ssl
from typing import Any

import pytest
import wayfare
import wayfare_connector
import wayfare_http_core
from multidict import CIMultiDict, CIMultiDictProxy
from wayfare_connector import Target
from wayfare_http_core import ClientError, RequestFailure
from wayfare_http_core.testing import ReadRequest, Repeat, Send, Stall
from yarl import URL

FIELDS = CIMultiDictProxy(CIMultiDict({"Authorization": "Basic SECRET"}))
INFO = wayfare.RequestInfo(URL("http://h/x"), "GET", FIELDS, URL("http://h/x#f"))
FAILURE = RequestFailure("GET", ("http://h/x",), "connecting", 2, 1.5, reused=True)
TARGET = Target("https", "h", ssl=ssl.create_default_context())
REFUSED = ConnectionRefusedError(111, "Connection refused")
CERTIFICATE = ssl.SSLCertVerificationError(1, "certificate verify failed")


def error_classes() -> dict[str, type[BaseException]]:
    """Every class of error that the session can raise, by name."""
    found: dict[str, type[BaseException]] = {}
    for module in (wayfare_http_core, wayfare_connector, wayfare):
        for name in module.__all__:
            try:
                one = getattr(module, name)
            except ModuleNotFoundError:
                continue  # of an extra that is not installed
            if (
                inspect.isclass(one)
                and issubclass(one, ClientError | TimeoutError)
                and one.__module__.startswith("wayfare")
            ):
                found[one.__name__] = one
    return found


# How to make those that cannot be made from a message alone.
ARGUMENTS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "ClientOSError": ((104, "reset"), {}),
    "ClientConnectorError": ((TARGET, REFUSED), {}),
    "ClientConnectorDNSError": ((TARGET, REFUSED), {}),
    "ClientProxyConnectionError": ((TARGET, REFUSED), {}),
    "UnixClientConnectorError": (("/path", TARGET, REFUSED), {}),
    "AddressRefusedError": ((TARGET, REFUSED), {}),
    "ClientSSLError": ((TARGET, ssl.SSLError(1, "bad")), {}),
    "ClientConnectorSSLError": ((TARGET, ssl.SSLError(1, "bad")), {}),
    "ClientConnectorCertificateError": ((TARGET, CERTIFICATE), {}),
    "ServerFingerprintMismatch": ((b"a" * 32, b"b" * 32, "h", 443), {}),
    "LineTooLong": ((b"line", 10, 11), {}),
    "BadStatusLine": ((b"line",), {}),
    "UnsupportedVersionError": ((b"line",), {}),
    "InvalidHeader": ((b"line",), {}),
    "IncompleteBodyError": ((5, 10), {}),
    "BodyTooLargeError": ((5,), {}),
    "EventTooLargeError": ((5,), {}),
    "ChecksumMismatchError": (("md5", "00", "11"), {}),
    "JSONModelError": (("$.x", "expected an integer, not null"), {}),
    "ReadTimeoutError": ((5.0,), {}),
    "WriteTimeoutError": ((5.0,), {}),
    "FirstByteTimeoutError": ((5.0,), {}),
    "SlowTransferError": ((5.0, 2.0), {}),
    "TotalTimeoutError": ((5.0,), {}),
    "InvalidURL": (("http://u:SECRET@h/", "no"), {}),
    "InvalidUrlClientError": (("http://u:SECRET@h/", "no"), {}),
    "InvalidUrlRedirectClientError": (("http://u:SECRET@h/", "no"), {}),
    "NonHttpUrlClientError": (("ftp://u:SECRET@h/",), {}),
    "NonHttpUrlRedirectClientError": (("ftp://u:SECRET@h/",), {}),
    "ConnectorClosedError": ((), {}),
    "WebSocketError": ((1002, "no"), {}),
    "WSTimeoutError": ((5.0,), {}),
    "WSOpenTimeoutError": ((5.0,), {}),
    "WSPingTimeoutError": ((5.0,), {}),
    "WSCloseTimeoutError": ((5.0,), {}),
    "HttpProcessingError": ((), {"code": 400, "message": "no"}),
}
OF_RESPONSES = (
    "ClientResponseError",
    "ContentTypeError",
    "DigestProofError",
    "TooManyRedirects",
    "ClientHttpProxyError",
    "WSServerHandshakeError",
)


def made(name: str, one: type[BaseException]) -> BaseException:
    if name in OF_RESPONSES:
        hop = wayfare.FollowedResponse("GET", URL("http://h/"), 302, "Found", (("A", "b"),))
        return one(INFO, (hop,), status=404, message="no", headers=FIELDS)  # type: ignore[call-arg]  # those of responses
    if issubclass(one, wayfare.ConnectionTimeoutError):
        return one(TARGET, 5.0)
    arguments, keywords = ARGUMENTS.get(name, (("what happened",), {}))
    return one(*arguments, **keywords)


@pytest.mark.parametrize("name", sorted(error_classes()))
def test_every_error_pickles_whole(name: str) -> None:
    error: Any = made(name, error_classes()[name])
    error.failure = FAILURE
    error.add_note("a note")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is type(error)
        assert str(twin) == str(error)
        assert twin.failure == FAILURE
        assert twin.__notes__ == ["a note"]
        for key in set(vars(error)) - {"request_info"}:
            assert repr(getattr(twin, key)) == repr(getattr(error, key)), key


@pytest.mark.parametrize("name", sorted(error_classes()))
def test_no_error_shows_a_secret(name: str) -> None:
    """Y10, U8."""
    error = made(name, error_classes()[name])
    for text in (str(error), repr(error), repr(error.args)):
        assert "SECRET" not in text


def test_the_tree_is_the_one_that_callers_know() -> None:
    tree: dict[str, tuple[type[BaseException], ...]] = {
        "ContentTypeError": (wayfare.ClientResponseError,),
        "TooManyRedirects": (wayfare.ClientResponseError,),
        "ClientConnectionResetError": (wayfare.ClientConnectionError, ConnectionResetError),
        "ClientOSError": (wayfare.ClientConnectionError, OSError),
        "ServerTimeoutError": (wayfare.ServerConnectionError, TimeoutError),
        "SocketTimeoutError": (wayfare.ServerTimeoutError,),
        "ConnectionTimeoutError": (wayfare.ServerTimeoutError,),
        "InvalidURL": (wayfare.ClientError, ValueError),
        "InvalidUrlClientError": (wayfare.InvalidURL,),
        "InvalidUrlRedirectClientError": (
            wayfare.InvalidUrlClientError,
            wayfare.RedirectClientError,
        ),
        "NonHttpUrlRedirectClientError": (
            wayfare.NonHttpUrlClientError,
            wayfare.RedirectClientError,
        ),
        "RedirectClientError": (wayfare.ClientError,),
        "TotalTimeoutError": (TimeoutError,),
        "WSServerHandshakeError": (wayfare.ClientResponseError,),
        "WSMessageTypeError": (TypeError,),
        "WSOpenTimeoutError": (TimeoutError,),
    }
    for name, bases in tree.items():
        assert issubclass(getattr(wayfare, name), bases)
    assert not issubclass(wayfare.TotalTimeoutError, wayfare.ClientError)


def test_a_total_timeout_without_a_number() -> None:
    assert str(wayfare.TotalTimeoutError()) == "the request took too long in total"


# -- what an error knows of its request -------------------------------------------------------------------------------


def failure_of(error: ClientError) -> RequestFailure:
    assert error.failure is not None
    return error.failure


async def test_a_refused_connection_names_the_url_without_credentials() -> None:
    async with wayfare.ClientSession() as session:
        with pytest.raises(wayfare.ClientConnectorError) as caught:
            await session.get("http://u:SECRET@127.0.0.1:1/x#f")
    failure = failure_of(caught.value)
    assert failure.method == "GET"
    assert failure.urls == ("http://127.0.0.1:1/x#f",)
    assert (failure.phase, failure.attempt, failure.reused) == ("connecting", 1, False)
    assert failure.elapsed is not None
    [note] = caught.value.__notes__
    assert re.match(r"GET http://127\.0\.0\.1:1/x#f: connecting, after \d+\.", note, re.ASCII)


async def test_silence_is_located(serve: Any) -> None:
    async with serve((ReadRequest(), Send(b"HTTP/1.1 2"), Stall())) as (session, _):
        with pytest.raises(wayfare.SocketTimeoutError) as caught:
            await session.get("/", timeout=wayfare.ClientTimeout(sock_read=0.01))
    assert failure_of(caught.value).phase == "receiving the response"


async def test_broken_http_has_its_request(serve: Any) -> None:
    async with serve((ReadRequest(), Send(b"HTTP/1.1 xyz\r\n\r\n"))) as (session, _):
        with pytest.raises(wayfare.ClientResponseError) as caught:
            await session.get("/x")
        assert caught.value.request_info is not None
        assert str(caught.value.request_info.url) == f"{session.base_url}x"
        assert failure_of(caught.value).urls == (f"{session.base_url}x",)


async def test_content_that_breaks_names_its_request(serve: Any) -> None:
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"
    async with serve((Repeat(ReadRequest(), Send(half)),)) as (session, server):
        response = await session.get("/x")
        server.peers[0].transport.abort()
        for _ in range(2):
            with pytest.raises(wayfare.ClientPayloadError) as caught:
                await response.read()
        failure = failure_of(caught.value)
        assert (failure.phase, failure.urls) == ("reading the content", (f"{session.base_url}x",))
        [note] = caught.value.__notes__
        assert note == f"GET {session.base_url}x: reading the content"


async def test_what_is_no_error_of_ours_is_left_alone(serve: Any) -> None:
    async with serve((ReadRequest(), Stall())) as (session, _):
        with pytest.raises(ValueError, match="not a token"):
            await session.request("BAD METHOD", "/")
        task = asyncio.ensure_future(session.get("/"))
        while not session.connector.stats().leased:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
