"""From a target to an HTTP/1.1 connection: dial, then TLS where the target asks for it, then HTTP."""

from typing import TYPE_CHECKING

from wayfare_http_core import ConnectionOwner
from wayfare_http_core.aio import HTTP1Connection

from ._target import Target
from ._timeouts import ConnectDeadline

if TYPE_CHECKING:
    from ._dialer import Dialer
    from ._observer import ConnectObserver

__all__ = ("open_http1",)


async def open_http1(
    dialer: "Dialer",
    target: Target,
    owner: ConnectionOwner,
    *,
    shutdown_timeout: float | None,
    deadline: ConnectDeadline,
    observer: "ConnectObserver | None",
) -> HTTP1Connection:
    """Open an HTTP/1.1 connection that reports to this owner.

    Raises: what the dialer raises, `ClientSSLError` and its subclasses, `ConnectionTimeoutError`.
    Cancellation: nothing stays open.
    """
    connection = HTTP1Connection(owner)
    if not target.is_ssl:
        await dialer.dial(target, lambda: connection, deadline=deadline, observer=observer)
    else:
        # The TLS stage loads with the first target that needs it.
        from ._open_tls import open_tls

        await open_tls(
            dialer,
            target,
            connection,
            shutdown_timeout=shutdown_timeout,
            deadline=deadline,
            observer=observer,
        )
    connection.facts = connection.facts._replace(timings=deadline.timings())
    return connection
