"""How many connections real requests take: reuse, limits and closing, as the server counts them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from wayfare import ClientConnectorError, ClientSession, TCPConnector


@pytest.fixture
def meter() -> str:
    """The path of a meter that no other test uses."""
    return f"/meters/{uuid4().hex}"


async def work(session: ClientSession, meter: str, **options: Any) -> None:
    """Have one request counted by `meter`."""
    async with session.get(f"{meter}/work", **options) as response:
        assert response.status == 200
        assert await response.json() == {"done": True}


async def reading(session: ClientSession, meter: str) -> dict[str, int]:
    """What `meter` has counted: requests, peak and connections."""
    async with session.get(meter) as response:
        seen: dict[str, int] = await response.json()
        return seen


# --- Reuse ---


async def test_requests_in_turn_share_one_connection(bodies: str, meter: str) -> None:
    async with ClientSession(bodies) as session:
        for _ in range(5):
            await work(session, meter)
        assert await reading(session, meter) == {"requests": 5, "peak": 1, "connections": 1}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/download/1000", None),
        ("GET", "/download/1000/chunked", None),
        ("HEAD", "/download/1000", None),
        ("HEAD", "/download/1000/chunked", None),
        ("PUT", "/upload", b"x" * 1000),
        ("OPTIONS", "/upload", None),
        ("GET", "/no-such-thing", None),
        ("DELETE", "/upload", None),
    ],
)
async def test_the_connection_is_reused_after(
    bodies: str, meter: str, method: str, path: str, body: bytes | None
) -> None:
    async with ClientSession(bodies) as session:
        await work(session, meter)
        async with session.request(method, path, data=body) as response:
            await response.read()
        await work(session, meter)
        assert (await reading(session, meter))["connections"] == 1


async def test_a_connection_the_request_closes_is_not_reused(bodies: str, meter: str) -> None:
    async with ClientSession(bodies) as session:
        await work(session, meter, headers={"Connection": "close"})
        await work(session, meter)
        assert (await reading(session, meter))["connections"] == 2


async def test_force_close_takes_a_connection_for_each_request(bodies: str, meter: str) -> None:
    async with ClientSession(bodies, connector=TCPConnector(force_close=True)) as session:
        for _ in range(3):
            await work(session, meter)
        assert (await reading(session, meter))["connections"] == 3


async def test_a_connection_left_in_the_middle_of_a_body_is_not_reused(
    bodies: str, meter: str
) -> None:
    async with ClientSession(bodies) as session:
        await work(session, meter)
        async with session.get("/download/50000000") as response:
            await response.content.readexactly(1)
        await work(session, meter)
        assert (await reading(session, meter))["connections"] == 2


async def test_sessions_do_not_share_connections(bodies: str, meter: str) -> None:
    async with ClientSession(bodies) as one, ClientSession(bodies) as other:
        await work(one, meter)
        await work(other, meter)
        assert (await reading(one, meter))["connections"] == 2


# --- Limits ---


@pytest.mark.parametrize(
    "connector",
    [
        pytest.param(partial(TCPConnector, limit=3), id="limit"),
        pytest.param(partial(TCPConnector, limit_per_host=3), id="limit-per-host"),
    ],
)
async def test_requests_beyond_the_limit_wait_their_turn(
    bodies: str, meter: str, connector: Callable[[], TCPConnector]
) -> None:
    async with ClientSession(bodies, connector=connector()) as session:
        await asyncio.gather(*(work(session, meter) for _ in range(12)))
        seen = await reading(session, meter)
    assert seen["requests"] == 12
    assert 1 < seen["peak"] <= 3
    assert seen["connections"] <= 3


async def test_no_limit_means_a_connection_for_each_request_at_once(
    bodies: str, meter: str
) -> None:
    async with ClientSession(bodies, connector=TCPConnector(limit=0)) as session:
        await asyncio.gather(*(work(session, meter) for _ in range(20)))
        assert (await reading(session, meter))["connections"] == 20


async def test_a_request_cancelled_in_the_queue_gives_up_its_place(bodies: str, meter: str) -> None:
    async with ClientSession(bodies, connector=TCPConnector(limit=1)) as session:
        tasks = [asyncio.create_task(work(session, meter)) for _ in range(4)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        seen = await reading(session, meter)
    assert isinstance(ends[1], asyncio.CancelledError)
    assert [ends[0], ends[2], ends[3]] == [None, None, None]
    assert seen == {"requests": 3, "peak": 1, "connections": 1}


# --- Many at once ---


async def test_a_hundred_requests_at_once_each_get_their_own_answer(client: ClientSession) -> None:
    async def ask(number: int) -> str:
        body = f"body {number}" * number
        async with client.post(f"/anything/{number}", data=body) as response:
            answer = await response.json()
        assert answer["data"] == body
        return str(answer["url"]).rpartition("/")[2]

    answers = await asyncio.gather(*map(ask, range(100)))
    assert answers == [str(number) for number in range(100)]


# --- Refusal ---


async def test_a_closed_port_is_a_connector_error(client: ClientSession) -> None:
    with socket.socket() as claimed:  # Bound, but not listening: the port is ours and closed.
        claimed.bind(("127.0.0.1", 0))
        port = claimed.getsockname()[1]
        with pytest.raises(ClientConnectorError) as caught:
            await client.get(f"http://127.0.0.1:{port}/")
    assert (caught.value.host, caught.value.port) == ("127.0.0.1", port)
    assert isinstance(caught.value, OSError)
