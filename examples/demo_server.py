"""Two real web servers for the demo and the integration tests: httpbin, and one for large bodies.

Use it from code::

    with demo_servers() as servers:
        ...  # servers.httpbin and servers.bodies are base URLs

or from a terminal, to try things by hand: ``python examples/demo_server.py``.

Both run under gunicorn in processes of their own, on free ports of the loopback interface, and
are gone when the block is left.
"""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, final

from large_bodies import Sabotage
from rich.console import Console

_HERE = Path(__file__).resolve().parent
_START_SECONDS = 30.0
_STOP_SECONDS = 10.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DemoServers:
    """Where the servers answer: base URLs such as ``http://127.0.0.1:34567``."""

    httpbin: str
    bodies: str


@final
class ServerDidNotStartError(Exception):
    """A server ended, or stayed silent, before it answered its first request."""

    def __init__(self, app: str, log: str) -> None:
        """Keep what was started and what it said."""
        super().__init__(app, log)
        self.app = app
        self.log = log

    def __str__(self) -> str:
        """Name the server and show its log."""
        return f"the server {self.app!r} did not start; its log:\n{self.log}"


@contextmanager
def demo_servers(sabotage: Sabotage | None = None) -> Iterator[DemoServers]:
    """Run both servers for as long as the block runs.

    `sabotage` makes the server of large bodies lie, so that a test can see the demo fail.

    Raises:
        ServerDidNotStartError: a server did not answer within 30 seconds.
    """
    with ExitStack() as stack:
        httpbin = stack.enter_context(_gunicorn("httpbin:app"))
        bodies = stack.enter_context(_gunicorn(f"large_bodies:create_app({sabotage!r})"))
        # Wait only now: they have been starting side by side.
        yield DemoServers(httpbin=httpbin.wait_until_ready(), bodies=bodies.wait_until_ready())


@contextmanager
def run_server(app: str) -> Iterator[str]:
    """Run the WSGI app ``module:name`` for as long as the block runs; yield its base URL.

    Raises:
        ServerDidNotStartError: it did not answer within 30 seconds.
    """
    with _gunicorn(app) as server:
        yield server.wait_until_ready()


@final
@dataclass(frozen=True, slots=True)
class _Server:
    app: str
    port: int
    log: IO[bytes]

    def wait_until_ready(self) -> str:
        """Return the base URL once a first request has been answered.

        The kernel accepts connections from the start, because the socket was listening before
        gunicorn was; the answer comes when a worker has taken one. A server that dies closes the
        socket, which ends the wait at once.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_START_SECONDS)
        try:
            connection.request("HEAD", "/")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException) as error:
            self.log.seek(0)
            log = self.log.read().decode(errors="replace")
            raise ServerDidNotStartError(self.app, log) from error
        finally:
            connection.close()
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def _gunicorn(app: str) -> Iterator[_Server]:
    """Run `app` under gunicorn on a free port; stop it at the end of the block."""
    with TemporaryFile() as log:
        # Bound and listening here, then handed over: no other process can take the port between.
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            process = _start(app, listener, log)
        try:
            yield _Server(app, port, log)
        finally:
            _stop(process)


def _start(app: str, listener: socket.socket, log: IO[bytes]) -> subprocess.Popen[bytes]:
    command = (sys.executable, "-m", "gunicorn", "--config", "gunicorn_settings.py")
    return subprocess.Popen(
        (*command, "--bind", f"fd://{listener.fileno()}", app),
        cwd=_HERE,
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        pass_fds=(listener.fileno(),),
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End `process` and wait for it; by force if it does not listen."""
    with process:  # Closes the pipe to its standard input, and waits.
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
            return
        process.kill()


def main() -> None:
    """Run both servers until Ctrl-C."""
    console = Console()
    with demo_servers() as servers, suppress(KeyboardInterrupt):
        console.print(f"httpbin       {servers.httpbin}")
        console.print(f"large bodies  {servers.bodies}")
        console.print("Ctrl-C stops them.")
        signal.pause()


if __name__ == "__main__":
    main()
