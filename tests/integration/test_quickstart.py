"""The quickstart on its own: what it does when the servers are not what it expects."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path


def run_quickstart(examples: Path, httpbin: str, bodies: str) -> tuple[int, str]:
    """Run ``quickstart.py`` as a process; return its exit code and its last line."""
    ended = subprocess.run(
        [sys.executable, "-X", "utf8", examples / "quickstart.py", httpbin, bodies],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    return ended.returncode, ended.stdout.rstrip().rpartition("\n")[2]


def test_against_its_servers_it_verifies_every_step(
    examples: Path, httpbin: str, bodies: str
) -> None:
    code, last = run_quickstart(examples, httpbin, bodies)
    assert code == 0
    assert re.fullmatch(r"(\d+) of \1 steps verified", last), last


def test_the_wrong_server_fails_every_step_that_needs_httpbin(examples: Path, bodies: str) -> None:
    """Download, upload, fifty at once and a refused connection need none; any server has a 404."""
    code, last = run_quickstart(examples, bodies, bodies)
    assert code == 1
    assert last == "5 of 16 steps verified"


def test_no_server_at_all_fails_every_step_but_one(examples: Path) -> None:
    """A refused connection is what one step is about, and it brings its own closed port."""
    with socket.socket() as claimed:
        claimed.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{claimed.getsockname()[1]}"
        code, last = run_quickstart(examples, nowhere, nowhere)
    assert code == 1
    assert last == "1 of 16 steps verified"
