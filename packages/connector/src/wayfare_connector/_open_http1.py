"""From a target to an HTTP/1.1 connection: dial, or go through its proxy; then TLS where the target
asks for it, then HTTP."""

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
    shutdown_timeout: float | None = 1.0,
    deadline: ConnectDeadline,
    observer: "ConnectObserver | None" = None,
) -> HTTP1Connection:
    """Open an HTTP/1.1 connection that reports to this owner, all that the target says done.

    The dialer opens a transport to the target, or to its proxy, of which the way to the target is asked. TLS
    is laid over that for `https`, with the target's settings, and its certificate checked. So whoever writes
    an `open_connection` sends nothing in the clear that is to be secret, and passes over no proxy.
    Closing TLS may take `shutdown_timeout` seconds: 0 aborts at once, None waits.

    Raises: `ValueError` for a proxy where the dialer's destination is fixed, what the dialer raises,
    `ClientProxyConnectionError`, `ClientHttpProxyError`, `ClientSSLError` and its subclasses,
    `ServerFingerprintMismatch`, `ConnectionTimeoutError`.
    Cancellation: nothing stays open.
    """
    proxy = target.proxy
    if proxy is not None and getattr(dialer, "fixed_destination", False):
        raise ValueError("this dialer leads to one peer, never through a proxy")
    if proxy is None and not target.is_ssl:
        connection = HTTP1Connection(owner)
        await dialer.dial(target, lambda: connection, deadline=deadline, observer=observer)
    else:
        # The TLS stage and that of proxies load with the first target that needs them.
        from ._route import Route

        if proxy is not None:
            _check_address(dialer, target)
        route = Route(
            dialer, shutdown_timeout=shutdown_timeout, deadline=deadline, observer=observer
        )
        if proxy is None or target.tunnels:
            connection = HTTP1Connection(owner)
            await route.connect(target, connection)
        else:
            from ._tunnel import reach_proxy

            # Plain HTTP: the proxy is given the requests.
            connection = HTTP1Connection(owner, via=proxy.fields)
            await reach_proxy(route, proxy, connection)
    connection.facts = connection.facts._replace(timings=deadline.timings())
    return connection


def _check_address(dialer: "Dialer", target: Target) -> None:
    """Ask the dialer's address policy about an address that a proxy is to be told."""
    # With a proxy only.
    from ._tcp_dialer import TCPDialer

    if isinstance(dialer, TCPDialer):
        dialer.check_literal(target)
