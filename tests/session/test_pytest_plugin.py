"""The plugin for pytest: what its fixtures do, and that it costs nothing where nobody asks for them.

Each test runs pytest in a process of its own: the plugin loads before anything else does.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

import pytest

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override


class Quiet(BaseRequestHandler):
    """Knows one answer."""

    @override
    def handle(self) -> None:
        connection: socket.socket = self.request
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nreal")


@contextmanager
def listening() -> Iterator[str]:
    """A server in a thread, and its URL."""
    with ThreadingTCPServer(("127.0.0.1", 0), Quiet) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


LEAN = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTEST_PLUGINS": "pytest_asyncio.plugin,pytest_wayfare",
}
"""No other plugins: each of them takes its time."""


def run(folder: Path, tests: str, *arguments: str, **environment: str) -> tuple[int, str]:
    """Run tests in a folder; the exit status and what was printed."""
    (folder / "test_it.py").write_text(tests, "utf-8")
    inherited = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         "-o", "filterwarnings=error", "-o", "asyncio_default_fixture_loop_scope=function",
         f"--rootdir={folder}", *arguments, str(folder)],
        capture_output=True, text=True, check=False, env=inherited | environment, cwd=folder,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_it_imports_nothing_of_ours(tmp_path: Path) -> None:
    tests = """
import sys

def test_it(pytestconfig):
    assert pytestconfig.pluginmanager.hasplugin("pytest_wayfare")
    assert not [name for name in sys.modules if name.startswith("wayfare")]
"""
    status, printed = run(tmp_path, tests, **LEAN)
    assert status == 0, printed


@pytest.mark.parametrize("mode", ["auto", "strict"])
def test_a_session_over_a_mock(tmp_path: Path, mode: str) -> None:
    tests = """
import pytest

pytestmark = pytest.mark.asyncio

async def test_it(wayfare_mock, wayfare_session):
    wayfare_mock.get("https://h/").reply(body="played")
    async with wayfare_session.get("https://h/") as response:
        assert await response.text() == "played"

async def test_the_server(wayfare_server):
    import wayfare

    wayfare_server.get("/").reply(body="served")
    async with wayfare.ClientSession() as session:
        async with session.get(wayfare_server.url) as response:
            assert await response.text() == "served"
"""
    status, printed = run(tmp_path, tests, "-o", f"asyncio_mode={mode}", **LEAN)
    assert status == 0, printed


def test_what_did_not_come_fails_the_test_once(tmp_path: Path) -> None:
    tests = """
async def test_session(wayfare_mock, wayfare_session):
    wayfare_mock.get("/session")

def test_mock(wayfare_mock):
    wayfare_mock.get("/mock")

async def test_server(wayfare_server):
    wayfare_server.get("/server")
"""
    status, printed = run(tmp_path, tests, "-o", "asyncio_mode=auto", **LEAN)
    assert status == 1
    assert "3 passed, 3 errors" in printed
    for name in ("/session", "/mock", "/server"):
        assert f"1. GET {name} (came 0 of 1)" in printed


def test_a_cassette_for_each_test(tmp_path: Path) -> None:
    tests = """
import pathlib
import pytest
import wayfare

@pytest.mark.parametrize("number", [1])
async def test_it(wayfare_cassette, number):
    url = pathlib.Path("url").read_text()
    async with wayfare.ClientSession(connector=wayfare_cassette) as session:
        async with session.get(url) as response:
            assert response.status == 200
"""
    auto = ("-o", "asyncio_mode=auto")
    with listening() as url:
        (tmp_path / "url").write_text(url, "utf-8")
        status, printed = run(tmp_path, tests, "--wayfare-record=record", *auto, **LEAN)
    assert status == 0, printed
    (kept,) = (tmp_path / "cassettes" / "test_it").iterdir()
    assert kept.name == "test_it-1-.json"
    assert len(json.loads(kept.read_text("utf-8"))["exchanges"]) == 1
    status, printed = run(tmp_path, tests, *auto, **LEAN)
    assert status == 0, printed
    kept.unlink()
    status, printed = run(tmp_path, tests, *auto, **LEAN)
    assert status == 1
    assert "FileNotFoundError" in printed
