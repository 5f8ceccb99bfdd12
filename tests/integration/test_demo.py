"""The demo as a user runs it, and its servers: they start, they lie on request, they go away."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

STEPS = 16


def run_demo(examples: Path, *arguments: str) -> tuple[int, str]:
    """Run ``run_demo.py`` as a process; return its exit code and what it printed."""
    ended = subprocess.run(
        [sys.executable, examples / "run_demo.py", *arguments],
        env={**os.environ, "PYTHONUTF8": "1", "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    return ended.returncode, ended.stdout


def verified(output: str) -> tuple[int, int]:
    """How many steps the demo says it verified, and of how many."""
    found = re.search(r"^(\d+) of (\d+) steps verified$", output, re.MULTILINE)
    assert found, output
    return int(found[1]), int(found[2])


def test_the_demo_verifies_every_step_and_exits_with_0(examples: Path) -> None:
    code, output = run_demo(examples)
    assert verified(output) == (STEPS, STEPS), output
    assert code == 0
    assert "✘" not in output
    assert output.endswith("the servers have stopped\n")


@pytest.mark.parametrize(
    ("lie", "step"),
    [("download", "Stream 100 MB into a file"), ("meter", "Fifty requests at once")],
)
def test_a_server_that_lies_makes_the_demo_fail(examples: Path, lie: str, step: str) -> None:
    code, output = run_demo(examples, "--sabotage", lie)
    assert code == 1
    assert verified(output) == (STEPS - 1, STEPS), output
    assert re.search(f"^✘ +{step}", output, re.MULTILINE), output


def test_servers_that_cannot_start_are_reported_with_their_log(examples: Path) -> None:
    from demo_server import ServerDidNotStartError, run_server

    with (
        pytest.raises(ServerDidNotStartError, match="No module named 'no_such_app'"),
        run_server("no_such_app:app"),
    ):
        pytest.fail("the block must not be entered")


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_the_servers_end_with_the_process_that_started_them(
    examples: Path, ending: signal.Signals
) -> None:
    """However that process ends: asked politely, or killed without a chance to clean up."""
    with subprocess.Popen(
        [sys.executable, "-u", examples / "demo_server.py"], stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        ports = [port_of(starter.stdout.readline()) for _ in range(2)]
        # Its last line: from here on it waits to be ended.
        assert "Ctrl-C" in starter.stdout.readline()
        connections = [socket.create_connection(("127.0.0.1", port), 30) for port in ports]
        starter.send_signal(ending)
        for connection in connections:
            with connection:
                assert connection.recv(1) == b""  # The server closed it, by ending.
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 30)


def port_of(line: str) -> int:
    """The port in a line such as ``httpbin  http://127.0.0.1:34567``."""
    port = urlsplit(line.split()[-1]).port
    assert port is not None
    return port
