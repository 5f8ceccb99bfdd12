"""The end of a program, whichever way it comes: rules O8 to O12, under `-W error`.

Each script runs in an interpreter of its own, in development mode, where every leaked socket and every forgotten task
says so on standard error.
"""

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme

PRELUDE = """
import asyncio, gc, ssl, sys, threading
import wayfare

async def serve(certificate=None):
    async def answer(reader, writer):
        try:
            while True:
                await reader.readuntil(b"\\r\\n\\r\\n")
                writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    return server, server.sockets[0].getsockname()[1]

def in_thread(certificate=None):
    started = threading.Event()
    box = []
    def run():
        async def main():
            server, port = await serve(certificate)
            box.append(port)
            started.set()
            await asyncio.sleep(3600)
        try:
            asyncio.run(main())
        except BaseException:
            pass
    threading.Thread(target=run, daemon=True).start()
    started.wait()
    return box[0]
"""


class Outcome(NamedTuple):
    """What a script printed and how it ended."""

    stdout: str
    stderr: str
    returncode: int


def run(script: str, *arguments: str, warnings: str = "error") -> Outcome:
    command = [sys.executable, "-X", "dev", "-W", warnings, "-c"]
    done = subprocess.run(
        [*command, PRELUDE + textwrap.dedent(script), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # asyncio's debug mode tells how slow a busy machine is; that is nobody's fault here.
    lines = [line for line in done.stderr.splitlines() if not line.startswith("Executing <")]
    return Outcome(done.stdout, "\n".join(lines), done.returncode)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and certificate for localhost, in one file."""
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    trustme.CA().issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(path)
    return path


CLOSED_AT_ONCE = """
    port = in_thread(*sys.argv[2:])
    loop = asyncio.new_event_loop()
    async def main():
        async with wayfare.ClientSession() as session:
            async with session.get(f"{sys.argv[1]}://localhost:{port}/", ssl=False) as response:
                print(await response.text())
    loop.run_until_complete(main())
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    gc.collect()
"""


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_o9_the_loop_may_be_closed_right_after(scheme: str, certificate: Path) -> None:
    arguments = (scheme,) if scheme == "http" else (scheme, str(certificate))
    done = run(CLOSED_AT_ONCE, *arguments)
    assert done == ("ok\n", "", 0)


UNCLOSED = """
    port = in_thread(*sys.argv[2:])
    async def main():
        session = wayfare.ClientSession()
        async with session.get(f"{sys.argv[1]}://localhost:{port}/", ssl=False) as response:
            print(await response.text())
        if len(sys.argv) > 9:
            await session.close()
    asyncio.run(main())
    gc.collect()
"""


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_o8_o9_a_session_that_is_not_closed_warns_and_nothing_else(
    scheme: str, certificate: Path
) -> None:
    """No "Task was destroyed", no "Event loop is closed", no "Fatal error on SSL transport"."""
    arguments = (scheme,) if scheme == "http" else (scheme, str(certificate))
    done = run(UNCLOSED, *arguments, warnings="always")
    assert (done.stdout, done.returncode) == ("ok\n", 0)
    assert "unclosed client session, made at <string>:" in done.stderr
    for words in ("Task was destroyed", "Event loop is closed", "Fatal error", "Traceback"):
        assert words not in done.stderr


@pytest.mark.usefixtures("interruptible")
def test_o11_a_keyboard_interrupt_leaves_nothing_behind() -> None:
    script = """
        import os, signal
        port = in_thread()
        async def main():
            async with wayfare.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/") as response:
                    await response.read()
                asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGINT)
                while True:
                    await (await session.get(f"http://127.0.0.1:{port}/")).read()
        try:
            asyncio.run(main())
        except KeyboardInterrupt:
            print("interrupted")
        gc.collect()
    """
    done = run(script)
    assert done == ("interrupted\n", "", 0)


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "SystemExit"])
def test_o11_what_ends_a_program_passes_through_a_middleware(error: str) -> None:
    script = f"""
        port = in_thread()
        async def ending(request, handler):
            await handler(request)
            raise {error}
        async def main():
            async with wayfare.ClientSession(middlewares=[ending]) as session:
                await session.get(f"http://127.0.0.1:{{port}}/")
        try:
            asyncio.run(main())
        except {error}:
            print("passed")
        gc.collect()
    """
    done = run(script)
    assert done == ("passed\n", "", 0)


def test_o10_two_loops_in_two_threads() -> None:
    script = """
        port = in_thread()
        async def main():
            async with wayfare.ClientSession() as session:
                for _ in range(20):
                    assert await (await session.get(f"http://127.0.0.1:{port}/")).text() == "ok"
        threads = [threading.Thread(target=asyncio.run, args=(main(),)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print("done")
    """
    done = run(script)
    assert done == ("done\n", "", 0)


def test_o10_a_session_made_before_the_loop_and_none_after_its_end() -> None:
    script = """
        port = in_thread()
        session = wayfare.ClientSession()
        async def main():
            return await (await session.get(f"http://127.0.0.1:{port}/")).text()
        async def end():
            await main()
            await session.close()
        loop = asyncio.new_event_loop()
        print(loop.run_until_complete(main()))
        other = asyncio.new_event_loop()
        try:
            other.run_until_complete(main())
        except RuntimeError as error:
            print("another event loop" in str(error))
        other.close()
        loop.run_until_complete(end())
        loop.close()
    """
    done = run(script)
    assert done == ("ok\nTrue\n", "", 0)


def test_o8_a_response_that_is_forgotten_warns_and_frees_its_connection() -> None:
    script = """
        import warnings
        async def main():
            async def answer(reader, writer):
                await reader.readuntil(b"\\r\\n\\r\\n")
                writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 200000\\r\\n\\r\\nsome")
                await reader.read()
                writer.close()
            server = await asyncio.start_server(answer, "127.0.0.1", 0)
            url = "http://127.0.0.1:%d/" % server.sockets[0].getsockname()[1]
            async with wayfare.ClientSession() as session:
                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always")
                    await session.get(url)
                    gc.collect()
                print([str(one.message).partition(" http")[0] for one in caught])
                while session.connector.stats().leased:
                    await asyncio.sleep(0)
            server.close()
            await server.wait_closed()
        asyncio.run(main())
    """
    done = run(script)
    assert (done.stdout, done.returncode) == ("['unclosed response <GET']\n", 0), done.stderr


def test_o7_a_response_outlives_its_session() -> None:
    script = """
        port = in_thread()
        async def main():
            async with wayfare.ClientSession() as session:
                response = await session.get(f"http://127.0.0.1:{port}/")
            print(response.status, response.headers["Content-Length"], await response.text())
        asyncio.run(main())
    """
    done = run(script)
    assert done == ("200 2 ok\n", "", 0)
