"""`ClientTimeout`: what was given, what is inherited, and what each limit does."""

import asyncio
import copy
import pickle
from typing import Any

import pytest
import wayfare
from wayfare._timeout import DEFAULT_TIMEOUT, UNSET, read_timeout_option
from wayfare_http_core.testing import ReadRequest, ScriptedServer, Send, Stall

from .conftest import in_memory


def test_the_default_limits_the_whole_and_connecting() -> None:
    given = wayfare.ClientTimeout(total=300, sock_connect=30)
    assert given == DEFAULT_TIMEOUT
    assert (DEFAULT_TIMEOUT.connect, DEFAULT_TIMEOUT.sock_read) == (None, None)


@pytest.mark.parametrize(
    ("option", "total", "sock_connect"),
    [
        (UNSET, 300, 30),
        (60, 60, 30),
        (0.5, 0.5, 30),
        (None, None, 30),
        (0, None, 30),
        (wayfare.ClientTimeout(sock_connect=5), 300, 5),
        (wayfare.ClientTimeout(total=None), None, 30),
        (wayfare.ClientTimeout(total=7, sock_connect=None), 7, None),
        (wayfare.ClientTimeout(), 300, 30),
    ],
)
def test_what_is_not_given_is_inherited(
    option: Any, total: float | None, sock_connect: float | None
) -> None:
    """O3 and section 10 of the design: a number limits the total and lifts nothing else."""
    merged = read_timeout_option(option, DEFAULT_TIMEOUT)
    assert (merged.total, merged.sock_connect) == (total, sock_connect)


@pytest.mark.parametrize("bad", [-1, -0.001, float("nan")])
def test_negative_limits_are_refused(bad: float) -> None:
    """O3."""
    with pytest.raises(ValueError, match="timeout total must not be negative"):
        wayfare.ClientTimeout(total=bad)


@pytest.mark.parametrize("bad", ["5", True, b"1"])
def test_a_limit_is_a_number(bad: Any) -> None:
    with pytest.raises(TypeError, match="sock_read"):
        wayfare.ClientTimeout(sock_read=bad)


@pytest.mark.parametrize("bad", [5, (1, 2, 3), "ab"])
def test_a_minimum_speed_is_a_pair(bad: Any) -> None:
    with pytest.raises(TypeError, match="min_speed must be"):
        wayfare.ClientTimeout(min_speed=bad)


@pytest.mark.parametrize("bad", [(0, 5), (5, 0), (float("inf"), 5)])
def test_a_minimum_speed_is_positive_and_finite(bad: Any) -> None:
    with pytest.raises(ValueError, match="two positive numbers"):
        wayfare.ClientTimeout(min_speed=bad)


def test_a_minimum_speed_can_be_lifted_and_inherited() -> None:
    base = wayfare.ClientTimeout(min_speed=(1000, 10))
    assert base.min_speed == (1000, 10)
    assert wayfare.ClientTimeout(total=5).over(base).min_speed == (1000, 10)
    assert wayfare.ClientTimeout(min_speed=None).over(base).min_speed is None


def test_rounding_is_accepted_and_not_needed() -> None:
    assert wayfare.ClientTimeout(5.5, None, None, None, 5).total == 5.5
    with pytest.raises(TypeError, match="ceil_threshold"):
        wayfare.ClientTimeout(ceil_threshold="5")  # type: ignore[arg-type]  # what is refused


def test_an_option_that_is_no_timeout_is_named() -> None:
    with pytest.raises(TypeError, match="not str"):
        read_timeout_option("5", DEFAULT_TIMEOUT)


def test_a_timeout_is_an_immutable_value() -> None:
    timeout = wayfare.ClientTimeout(total=5, sock_read=None)
    with pytest.raises(AttributeError, match="immutable"):
        timeout.total = 6
    with pytest.raises(AttributeError, match="immutable"):
        del timeout.total
    assert timeout == wayfare.ClientTimeout(total=5, sock_read=None)
    assert timeout != wayfare.ClientTimeout(total=5)
    assert timeout != 5
    assert hash(timeout) == hash(wayfare.ClientTimeout(total=5, sock_read=None))
    assert repr(timeout) == "ClientTimeout(total=5.0, sock_read=None)"
    for twin in (pickle.loads(pickle.dumps(timeout)), copy.copy(timeout), copy.deepcopy(timeout)):
        assert twin == timeout
        assert twin.over(DEFAULT_TIMEOUT).sock_connect == 30


def test_one_is_made_from_another() -> None:
    """`copy.replace` of Python 3.13 calls this; what was not given stays so."""
    old = wayfare.ClientTimeout(total=5, sock_read=1)
    assert old.__replace__(total=7, dns=2) == wayfare.ClientTimeout(total=7, sock_read=1, dns=2)
    assert old.__replace__(total=None) == wayfare.ClientTimeout(sock_read=1).over(
        wayfare.ClientTimeout(total=None)
    )
    assert old == wayfare.ClientTimeout(total=5, sock_read=1)
    with pytest.raises(TypeError, match="dinner"):
        old.__replace__(dinner=1)


def test_the_mark_of_what_was_not_given() -> None:
    assert repr(UNSET) == "UNSET"
    assert not UNSET


async def test_total_ends_the_wait_for_a_head(serve: Any) -> None:
    """O1, O4: a plain TimeoutError that says how long; nothing stays leased."""
    async with serve((ReadRequest(), Stall())) as (session, _):
        with pytest.raises(TimeoutError, match=r"longer than 0\.02 s in total") as caught:
            await session.get("/", timeout=0.02)
        assert not isinstance(caught.value, wayfare.ClientError)
        assert session.connector.stats().leased == 0


def test_total_ends_the_wait_for_content() -> None:
    """O1, O2: the total covers the content, and the connection goes with it."""
    script = (ReadRequest(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), Stall())

    async def use(session: wayfare.ClientSession, server: ScriptedServer) -> None:
        response = await session.get("/", timeout=0.05)
        assert await response.content.read(4) == b"half"
        with pytest.raises(TimeoutError, match="in total"):
            await response.content.read()
        assert session.connector.stats().leased == 0
        assert response.closed

    in_memory(use, script)


async def test_sock_read_ends_the_wait_for_a_head(serve: Any) -> None:
    async with serve((ReadRequest(), Stall())) as (session, _):
        with pytest.raises(wayfare.SocketTimeoutError, match=r"nothing arrived for 0\.02 s"):
            await session.get("/", timeout=wayfare.ClientTimeout(sock_read=0.02))
        assert session.connector.stats().leased == 0


def test_sock_read_ends_the_wait_for_content() -> None:
    script = (ReadRequest(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), Stall())

    async def use(session: wayfare.ClientSession, server: ScriptedServer) -> None:
        response = await session.get("/")
        with pytest.raises(wayfare.SocketTimeoutError):
            await response.read()
        assert session.connector.stats().leased == 0

    in_memory(use, script, timeout=wayfare.ClientTimeout(sock_read=0.02))


async def test_an_answer_within_sock_read_passes(serve: Any) -> None:
    async with serve("HTTP/1.1 204 No Content") as (session, _):
        response = await session.get("/", timeout=wayfare.ClientTimeout(sock_read=30))
        assert response.status == 204


async def test_total_and_connect_end_the_wait_for_a_place(serve: Any) -> None:
    connector = wayfare.TCPConnector(limit=1)
    async with serve((ReadRequest(), Stall()), connector=connector) as (session, _):
        first = asyncio.ensure_future(session.get("/"))
        while not connector.stats().leased:
            await asyncio.sleep(0)
        with pytest.raises(TimeoutError, match="in total"):
            await session.get("/", timeout=0.02)
        with pytest.raises(wayfare.ConnectionTimeoutError):
            await session.get("/", timeout=wayfare.ClientTimeout(connect=0.02))
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (connector.stats().leased, connector.stats().waiting) == (0, 0)
