"""The life of a session: making, sharing, closing, forgetting; on one loop, on two, on none."""

import asyncio
import gc
import subprocess
import sys
import textwrap
import threading
from typing import Any

import pytest
import wayfare
from wayfare_http_core.testing import ReadRequest, Repeat, Send, Stall

ALWAYS = (Repeat(ReadRequest(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")),)


def test_a_session_is_made_without_a_loop(serve: Any) -> None:
    session = wayfare.ClientSession("http://h/", timeout=5)
    assert not session.closed
    assert session.connector_owner
    assert session.timeout == wayfare.ClientTimeout(total=5, sock_connect=30)
    asyncio.run(session.close())
    assert session.closed


async def test_awaiting_entering_and_running_as_a_task(serve: Any) -> None:
    async with serve(ALWAYS) as (session, server):
        response = await session.get("/")
        assert await response.text() == "ok"
        async with session.get("/") as response:
            assert await response.text() == "ok"
        task = asyncio.create_task(session.get("/"))
        assert await (await task).text() == "ok"
        responses = await asyncio.gather(*[session.get("/") for _ in range(3)])
        assert [await one.text() for one in responses] == ["ok"] * 3
        assert asyncio.iscoroutine(context := session.get("/"))
        assert await (await context).text() == "ok"
    assert sum(len(peer.requests) for peer in server.peers) == 7


async def test_a_request_that_is_never_awaited_warns() -> None:
    async with wayfare.ClientSession() as session:
        with pytest.warns(RuntimeWarning, match="never awaited"):
            session.get("http://127.0.0.1:1/")
        context = session.get("http://127.0.0.1:1/")
        context.close()


async def test_errors_travel_through_the_coroutine(serve: Any) -> None:
    async with serve((ReadRequest(), Stall())) as (session, _):
        task = asyncio.create_task(session.get("/"))
        while not session.connector.stats().leased:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert session.connector.stats().leased == 0
        with pytest.raises(TimeoutError):
            async with session.get("/", timeout=0.02):
                raise AssertionError("entered without a response")


async def test_leaving_a_block_by_an_error_releases(serve: Any) -> None:
    async with serve(ALWAYS) as (session, _):
        with pytest.raises(LookupError):
            async with session.get("/"):
                raise LookupError
        assert session.connector.stats().leased == 0


async def test_use_after_close() -> None:
    """O7."""
    session = wayfare.ClientSession()
    await session.close()
    await session.close()
    with pytest.raises(RuntimeError, match="the session is closed"):
        await session.get("http://127.0.0.1:1/")


async def test_o7_closing_fails_requests_under_way(serve: Any) -> None:
    async with serve((ReadRequest(), Stall())) as (session, server):
        tasks = [asyncio.create_task(session.get("/")) for _ in range(20)]
        while len([peer for peer in server.peers if peer.requests]) < 20:
            await asyncio.sleep(0)
        await session.close()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, wayfare.ClientConnectionError) for result in results)


async def test_a_shared_connector_survives(serve: Any) -> None:
    connector = wayfare.TCPConnector()
    async with serve(ALWAYS, connector=connector, connector_owner=False) as (session, _):
        assert session.connector is connector
        await session.get("/")
        async with wayfare.ClientSession(connector=connector, connector_owner=False):
            pass
        assert not connector.closed
        await session.get("/")
    assert not connector.closed
    await connector.close()


async def test_a_connector_belongs_to_one_session() -> None:
    connector = wayfare.TCPConnector()
    async with wayfare.ClientSession(connector=connector):
        with pytest.raises(ValueError, match="connector_owner=False"):
            wayfare.ClientSession(connector=connector)
    assert connector.closed


async def test_a_failed_construction_leaves_nothing_to_close() -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        wayfare.ClientSession(timeout=-1)
    gc.collect()


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"read_bufsize": -5}, ValueError, "read_bufsize must be at least 1, not -5"),
        ({"read_bufsize": None}, TypeError, "read_bufsize must be an int, not NoneType"),
        ({"max_headers": 0}, ValueError, "max_headers"),
        ({"max_line_size": "x"}, TypeError, "max_line_size"),
        ({"max_field_size": True}, TypeError, "max_field_size"),
        ({"connector": 5}, TypeError, "connector must be a BaseConnector, not int"),
        ({"connector_owner": 1}, TypeError, "connector_owner"),
        ({"ssl": "x"}, TypeError, "ssl must be a bool, an SSLContext or a Fingerprint, not str"),
        ({"auto_decompress": "no"}, TypeError, "auto_decompress"),
        ({"json_serialize": 3}, TypeError, "json_serialize"),
        ({"raise_for_status": None}, TypeError, "raise_for_status"),
    ],
)
async def test_arguments_that_make_no_sense_are_named(
    options: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        wayfare.ClientSession(**options)


async def test_a_large_field_is_allowed_where_it_was_asked_for(serve: Any) -> None:
    """The limit on the whole head follows the one on a field."""
    head = "HTTP/1.1 200 OK\nX-Large: " + "x" * 400_000 + "\nContent-Length: 0"
    async with serve(head, max_field_size=500_000) as (session, _):
        assert len((await session.get("/")).headers["X-Large"]) == 400_000


async def test_what_a_session_made_itself_it_closes() -> None:
    session = wayfare.ClientSession(connector_owner=False)
    assert session.connector_owner
    await session.close()
    assert session.connector.closed


async def test_a_second_close_waits_for_the_first(serve: Any) -> None:
    async with serve(ALWAYS) as (session, server):
        await session.get("/")
        first = asyncio.create_task(session.close())
        await asyncio.sleep(0)
        assert session.closed
        await session.close()
        stats = session.connector.stats()
        assert (stats.idle, stats.leased) == (0, 0)
        await first
        await server.wait_closed()


async def test_the_context_manager_is_asynchronous() -> None:
    session: Any = wayfare.ClientSession()
    with pytest.raises(TypeError, match="async with"), session:
        raise AssertionError("entered")
    session.__exit__(None, None, None)
    await session.close()


async def test_loop_is_ignored_with_a_warning() -> None:
    with pytest.warns(DeprecationWarning, match="loop= is ignored"):
        session = wayfare.ClientSession(loop=asyncio.get_running_loop())
    await session.close()


def test_o10_a_session_belongs_to_one_loop(serve: Any) -> None:
    session = wayfare.ClientSession()

    async def fail_to_connect() -> None:
        with pytest.raises(wayfare.ClientConnectorError):
            await session.get("http://127.0.0.1:1/")

    async def use_elsewhere() -> None:
        with pytest.raises(RuntimeError, match="another event loop"):
            await session.get("http://127.0.0.1:1/")

    async def close() -> None:
        await session.close()

    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(fail_to_connect())
        asyncio.run(use_elsewhere())
        loop.run_until_complete(close())
    finally:
        loop.close()


def test_o10_two_sessions_in_two_threads(serve: Any) -> None:
    texts: list[str] = []

    async def fetch() -> None:
        async with serve(ALWAYS) as (session, _):
            for _ in range(5):
                texts.append(await (await session.get("/")).text())

    threads = [threading.Thread(target=asyncio.run, args=(fetch(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == ["ok"] * 10


async def test_o8_a_forgotten_session_warns_with_where_it_was_made() -> None:
    holder = [wayfare.ClientSession()]
    with pytest.warns(ResourceWarning, match=r"unclosed client session, made at .*test_sessions"):
        holder.clear()


SCRIPT = """
import asyncio, ssl, sys
import wayfare

async def main():
    async def answer(reader, writer):
        await reader.readuntil(b"\\r\\n\\r\\n")
        writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
        await reader.read()
        writer.close()
        await writer.wait_closed()
        served.set_result(None)
    served = asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = "http://127.0.0.1:%d/" % server.sockets[0].getsockname()[1]
    session = wayfare.ClientSession()
    async with session.get(url) as response:
        print(await response.text())
    await session.close()
    await served
    server.close()

{run}
"""


@pytest.mark.parametrize(
    "run",
    [
        "asyncio.run(main())",
        "loop = asyncio.new_event_loop(); loop.run_until_complete(main()); loop.close()",
        "asyncio.run(main(), debug=True)",
    ],
)
def test_o9_closing_is_enough_before_the_loop_ends(run: str) -> None:
    """No sleep is needed, and nothing is said under `-W error`."""
    script = textwrap.dedent(SCRIPT).replace("{run}", run)
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # asyncio's debug mode tells how slow a busy machine is; that is nobody's fault here.
    said = [line for line in done.stderr.splitlines() if not line.startswith("Executing <")]
    assert (done.stdout, said, done.returncode) == ("ok\n", [], 0)
