"""Connectors to servers on the same machine: by a Unix socket, by a named pipe of Windows."""

import asyncio
import os
from typing import TYPE_CHECKING, ClassVar, final

from ._connector import DEFAULT_KEEPALIVE, BaseConnector
from ._dialing_connector import DialingConnector
from ._local_dialers import NamedPipeDialer, UnixDialer

if TYPE_CHECKING:
    from ._target import TLSSetting

__all__ = ("NamedPipeConnector", "UnixConnector")


@final
class UnixConnector(DialingConnector):
    """Connects to the Unix socket at `path`, whatever host a URL names; with TLS for `https`.

    The host of the URL still goes into the Host field, and TLS verifies it. There are no proxies on
    the way: those of the environment are not looked at, and any other is a `ValueError`. The rest:
    see `BaseConnector`, and for `ssl` `TCPConnector`.
    """

    allowed_protocol_schema_set: ClassVar[frozenset[str]] = (
        BaseConnector.allowed_protocol_schema_set | {"unix"}
    )

    def __init__(
        self,
        path: str | os.PathLike[str],
        force_close: bool = False,
        keepalive_timeout: float | None = DEFAULT_KEEPALIVE,
        limit: int | None = 100,
        limit_per_host: int | None = 0,
        loop: asyncio.AbstractEventLoop | None = None,
        *,
        ssl: "TLSSetting" = True,
        max_connection_age: float | None = None,
        max_connection_uses: int | None = None,
        ssl_shutdown_timeout: float | None = 1.0,
    ) -> None:
        dialer = UnixDialer(path)
        super().__init__(
            dialer,
            ssl,
            force_close=force_close,
            keepalive_timeout=keepalive_timeout,
            limit=limit,
            limit_per_host=limit_per_host,
            max_connection_age=max_connection_age,
            max_connection_uses=max_connection_uses,
            ssl_shutdown_timeout=ssl_shutdown_timeout,
            loop=loop,
        )
        self._path = dialer.path

    @property
    def path(self) -> str:
        """Where the socket is."""
        return self._path


@final
class NamedPipeConnector(DialingConnector):
    r"""Connects to the named pipe at `path`, such as `\\.\pipe\name`: on Windows, with asyncio's
    proactor event loop. The rest: see `UnixConnector`.

    Raises: `RuntimeError` where there is no such loop.
    """

    allowed_protocol_schema_set: ClassVar[frozenset[str]] = (
        BaseConnector.allowed_protocol_schema_set | {"npipe"}
    )

    def __init__(
        self,
        path: str,
        force_close: bool = False,
        keepalive_timeout: float | None = DEFAULT_KEEPALIVE,
        limit: int | None = 100,
        limit_per_host: int | None = 0,
        loop: asyncio.AbstractEventLoop | None = None,
        *,
        ssl: "TLSSetting" = True,
        max_connection_age: float | None = None,
        max_connection_uses: int | None = None,
        ssl_shutdown_timeout: float | None = 1.0,
    ) -> None:
        if not hasattr(asyncio, "ProactorEventLoop"):
            raise RuntimeError("named pipes exist on Windows alone")
        super().__init__(
            NamedPipeDialer(path),
            ssl,
            force_close=force_close,
            keepalive_timeout=keepalive_timeout,
            limit=limit,
            limit_per_host=limit_per_host,
            max_connection_age=max_connection_age,
            max_connection_uses=max_connection_uses,
            ssl_shutdown_timeout=ssl_shutdown_timeout,
            loop=loop,
        )
        self._path = path

    @property
    def path(self) -> str:
        """Where the pipe is."""
        return self._path
