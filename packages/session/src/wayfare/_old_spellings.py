"""Arguments as they were called years ago, turned into those of today.

Each works as it did and warns with a DeprecationWarning that says what to write. Two that mean the same thing exclude
each other, the old one and the new one included.
"""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from wayfare_connector import TCPConnector, read_tls_options

from ._options import OLD_REQUEST_NAMES, OLD_SESSION_NAMES, OLD_TLS_NAMES
from ._timeout import UNSET, ClientTimeout
from ._ws_timeout import DEFAULT_WS_TIMEOUT, ClientWSTimeout, read_ws_timeout

__all__ = ("modern_request", "modern_session", "modern_ws_timeout")


def modern_request(options: Mapping[str, Any], stacklevel: int) -> dict[str, Any]:
    """A request's arguments under their names of today.

    Raises: ValueError for two that exclude each other, TypeError for values of the wrong kind.
    """
    modern = {name: value for name, value in options.items() if name not in OLD_REQUEST_NAMES}
    _modernise_tls(modern, options, stacklevel + 1)
    if options.get("text") is not None:
        if modern.get("data") is not None or modern.get("json") is not None:
            raise ValueError("text, data and json exclude each other: a request has one content")
        _warn("text= is called data= now", stacklevel)
        if not isinstance(options["text"], str):
            raise TypeError(f"text must be str, not {type(options['text']).__name__}")
        modern["data"] = options["text"]
    return modern


def modern_ws_timeout(options: Mapping[str, Any], stacklevel: int) -> ClientWSTimeout:
    """The limits of a WebSocket from a number of seconds, and from `receive_timeout`.

    Raises: TypeError, ValueError for values of the wrong kind.
    """
    timeout = options.get("timeout", DEFAULT_WS_TIMEOUT)
    if not isinstance(timeout, ClientTimeout | ClientWSTimeout):
        _warn("timeout= of a number is timeout=ClientWSTimeout(ws_close=…) now", stacklevel)
        timeout = ClientWSTimeout(ws_close=timeout)
    timeout = read_ws_timeout(timeout)
    if "receive_timeout" in options:
        _warn("receive_timeout= is timeout=ClientWSTimeout(ws_receive=…) now", stacklevel)
        timeout = replace(timeout, ws_receive=options["receive_timeout"])
    return timeout


def modern_session(options: Mapping[str, Any], stacklevel: int) -> dict[str, Any]:
    """A session's arguments under their names of today.

    Raises: ValueError for two that exclude each other, TypeError for values of the wrong kind.
    """
    modern = {name: value for name, value in options.items() if name not in OLD_SESSION_NAMES}
    _modernise_tls(modern, options, stacklevel + 1)
    if options.get("loop") is not None:
        _warn("loop= is ignored; a session finds its loop itself", stacklevel)
    whole, connect = options.get("read_timeout"), options.get("conn_timeout")
    if whole is not None or connect is not None:
        if "timeout" in modern:
            raise ValueError("read_timeout and conn_timeout exclude timeout, which replaces them")
        _warn("read_timeout= and conn_timeout= are timeout=ClientTimeout(…) now", stacklevel)
        modern["timeout"] = ClientTimeout(
            total=UNSET if whole is None else whole, connect=UNSET if connect is None else connect
        )
    if "ssl_shutdown_timeout" in options:
        if modern.get("connector") is not None:
            raise ValueError("ssl_shutdown_timeout is the connector's: give it to that one")
        _warn("ssl_shutdown_timeout= is an argument of connectors now", stacklevel)
        modern["connector"] = TCPConnector(ssl_shutdown_timeout=options["ssl_shutdown_timeout"])
        modern["connector_owner"] = True
    return modern


def _modernise_tls(modern: dict[str, Any], options: Mapping[str, Any], stacklevel: int) -> None:
    """Say as `ssl` how to verify, where it was said otherwise."""
    old = {name: options[name] for name in sorted(OLD_TLS_NAMES & options.keys())}
    if old:
        modern["ssl"] = read_tls_options(options.get("ssl"), **old, stacklevel=stacklevel)


def _warn(message: str, stacklevel: int) -> None:
    warnings.warn(message, DeprecationWarning, stacklevel=stacklevel + 1)
