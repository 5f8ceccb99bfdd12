"""How the demo runs gunicorn: one process with a pool of threads, gone with whoever started it."""

from __future__ import annotations

import os
import signal
from threading import Thread

worker_class = "gthread"
threads = 32
keepalive = 60  # Seconds: longer than any pause of the demo, so only the client closes connections.
graceful_timeout = 1  # Seconds for requests in hand; some are meant to outlast their client.
control_socket_disable = True  # Several demos may run at once, and none needs to be steered.


def post_worker_init(_worker: object) -> None:
    """Watch standard input from a thread of the worker; gunicorn calls this when it has started."""
    Thread(target=_stop_at_end_of_input, name="watch-starter", daemon=True).start()


def _stop_at_end_of_input() -> None:
    """Ask gunicorn to stop once standard input ends.

    It is a pipe whose other end is held by the process that started the demo. The end of that
    process, even an abrupt one that leaves it no chance to clean up, ends the pipe.
    """
    while os.read(0, 1024):  # Not sys.stdin: its lock, held here, would stall the exit of Python.
        pass
    os.kill(os.getppid(), signal.SIGTERM)
