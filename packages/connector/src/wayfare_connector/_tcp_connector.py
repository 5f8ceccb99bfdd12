"""The connector for TCP."""

import asyncio
import socket
import sys
from ssl import SSLContext
from typing import TYPE_CHECKING, final

from wayfare_http_core import Connection, ConnectionOwner

from ._connector import DEFAULT_KEEPALIVE, BaseConnector
from ._open_http1 import open_http1
from ._target import LocalAddress, Target, TLSSetting
from ._timeouts import ConnectDeadline
from ._tls_options import read_tls_options

if TYPE_CHECKING:
    from ._dialer import Dialer
    from ._observer import ConnectObserver
    from ._resolver import AbstractResolver
    from ._tcp_dialer import TCPDialer

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("TCPConnector",)


@final
class TCPConnector(BaseConnector):
    """Connects over TCP, with TLS for `https`.

    `ssl` is for targets that are asked for without a setting of their own: whoever makes targets
    reads it here; `verify_ssl`, `ssl_context` and `fingerprint` are its spellings of old, with a
    `DeprecationWarning`. `family`, `local_addr`, `resolver`, `happy_eyeballs_delay` and `interleave` are those
    of `TCPDialer`; with a `dialer` of one's own they have no meaning and are refused. A resolver or
    dialer that is handed in stays the caller's to close. The rest: see `BaseConnector`.
    """

    def __init__(
        self,
        *,
        limit: int | None = 100,
        limit_per_host: int | None = 0,
        keepalive_timeout: float | None = DEFAULT_KEEPALIVE,
        force_close: bool = False,
        max_connection_age: float | None = None,
        max_connection_uses: int | None = None,
        ssl: TLSSetting = True,
        verify_ssl: bool | None = None,
        ssl_context: SSLContext | None = None,
        fingerprint: bytes | None = None,
        family: socket.AddressFamily = socket.AF_UNSPEC,
        local_addr: LocalAddress | None = None,
        resolver: "AbstractResolver | None" = None,
        happy_eyeballs_delay: float | None = 0.25,
        interleave: int | None = None,
        ssl_shutdown_timeout: float | None = 1.0,
        dialer: "Dialer | None" = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        setting = read_tls_options(
            ssl, verify_ssl=verify_ssl, ssl_context=ssl_context, fingerprint=fingerprint
        )
        super().__init__(
            limit=limit,
            limit_per_host=limit_per_host,
            keepalive_timeout=keepalive_timeout,
            force_close=force_close,
            max_connection_age=max_connection_age,
            max_connection_uses=max_connection_uses,
            ssl_shutdown_timeout=ssl_shutdown_timeout,
            loop=loop,
        )
        self._ssl = True if setting is None else setting
        self._own_dialer: TCPDialer | None = None
        if dialer is None:
            dialer = self._own_dialer = _load_dialer()(
                resolver,
                family=family,
                local_addr=local_addr,
                happy_eyeballs_delay=happy_eyeballs_delay,
                interleave=interleave,
            )
        elif (resolver, family, local_addr, happy_eyeballs_delay, interleave) != (
            None,
            socket.AF_UNSPEC,
            None,
            0.25,
            None,
        ):
            raise ValueError("a dialer brings its own way of resolving and connecting")
        self._dialer = dialer

    @property
    @override
    def ssl(self) -> TLSSetting:
        """The TLS setting for targets that are asked for without one of their own."""
        return self._ssl

    @property
    def dialer(self) -> "Dialer":
        """What opens the transports."""
        return self._dialer

    @property
    def family(self) -> socket.AddressFamily:
        """The family of addresses that are connected to, `AF_UNSPEC` for any."""
        return socket.AF_UNSPEC if self._own_dialer is None else self._own_dialer.family

    @override
    async def open_connection(
        self,
        target: Target,
        owner: ConnectionOwner,
        *,
        deadline: ConnectDeadline,
        observer: "ConnectObserver | None",
    ) -> Connection:
        """Dial, do the TLS handshake and start HTTP/1.1; see `BaseConnector`.

        Cancellation: nothing stays open.
        """
        return await open_http1(
            self._dialer,
            target,
            owner,
            shutdown_timeout=self._ssl_shutdown_timeout,
            deadline=deadline,
            observer=observer,
        )

    @override
    async def close(self) -> None:
        """See `BaseConnector.close`; the connector's own resolver is closed too.

        Cancellation: what is still open is aborted.
        """
        try:
            await super().close()
        finally:
            if self._own_dialer is not None:
                await self._own_dialer.close()


def _load_dialer() -> "type[TCPDialer]":
    """It loads with the first connector that dials this way."""
    from ._tcp_dialer import TCPDialer

    return TCPDialer
