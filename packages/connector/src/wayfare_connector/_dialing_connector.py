"""Connectors that open transports with a dialer and speak HTTP/1.1 over them."""

import sys
from typing import TYPE_CHECKING, Any

from wayfare_http_core import Connection, ConnectionOwner

from ._connector import BaseConnector
from ._target import Target, TLSSetting
from ._timeouts import ConnectDeadline

if TYPE_CHECKING:
    from ._dialer import Dialer
    from ._observer import ConnectObserver

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("DialingConnector",)


class DialingConnector(BaseConnector):
    """What all connectors have in common that dial; `options` are those of `BaseConnector`."""

    def __init__(self, dialer: "Dialer", ssl: TLSSetting | None, **options: Any) -> None:
        super().__init__(**options)
        if not callable(getattr(dialer, "dial", None)):
            raise TypeError(f"dialer must be a Dialer, not {type(dialer).__name__}")
        self._dialer = dialer
        self._ssl: TLSSetting = True if ssl is None else ssl

    @property
    @override
    def ssl(self) -> TLSSetting:
        """The TLS setting for targets that are asked for without one of their own."""
        return self._ssl

    @property
    @override
    def fixed_destination(self) -> bool:
        """Whether the dialer leads to the same peer whatever the target is; see `BaseConnector`."""
        return bool(getattr(self._dialer, "fixed_destination", False))

    @property
    def dialer(self) -> "Dialer":
        """What opens the transports."""
        return self._dialer

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
        # Imported here: HTTP/1.1 loads with the first connection.
        from ._open_http1 import open_http1

        return await open_http1(
            self._dialer,
            target,
            owner,
            shutdown_timeout=self._ssl_shutdown_timeout,
            deadline=deadline,
            observer=observer,
        )
