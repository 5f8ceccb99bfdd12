"""The clients that are measured: their names, and where the adapter of each is.

An adapter's module is imported in the worker process only, so that a client that is not
installed fails alone.
"""

from importlib import import_module

from benchmarks.contract import Opener

SUBJECT = "wayfare"
"""The client that this project makes."""

REFERENCE = "aiohttp"
"""The peer whose API the subject has; ratios are given to it first."""

BOUND = "bound"
"""Not a client: one blocking socket with the fewest system calls, the ceiling of a case."""

_ADAPTERS = {
    SUBJECT: ("benchmarks.clients.aiohttp_api", "open_wayfare"),
    REFERENCE: ("benchmarks.clients.aiohttp_api", "open_aiohttp"),
    "httpx": ("benchmarks.clients.pure_python", "open_httpx"),
    "niquests": ("benchmarks.clients.pure_python", "open_niquests"),
    "pyreqwest": ("benchmarks.clients.native", "open_pyreqwest"),
    "wreq": ("benchmarks.clients.native", "open_wreq"),
    "pyqwest": ("benchmarks.clients.native", "open_pyqwest"),
    "curl_cffi": ("benchmarks.clients.native", "open_curl_cffi"),
    BOUND: ("benchmarks.clients.raw_socket", "open_bound"),
}

CLIENTS = tuple(name for name in _ADAPTERS if name != BOUND)
"""The name of every client, which is also the name of its import."""


def opener_of(name: str) -> Opener:
    """Return what opens the client called `name`.

    Raises:
        ImportError: its library is not installed.
        KeyError: there is no such client.
    """
    module, function = _ADAPTERS[name]
    opener: Opener = getattr(import_module(module), function)
    return opener
