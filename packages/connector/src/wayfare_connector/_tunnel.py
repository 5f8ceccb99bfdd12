"""Ways through proxies: CONNECT (RFC 9110 section 9.3.6) and SOCKS.

A tunnel's transport is the one to the proxy: whoever is at its end gets it from the protocol that
asked for the way, together with nothing else. Octets that came too early are nobody's, for nobody
has spoken at the other end yet: somebody in between wants them taken for the target's (T10).
"""

import asyncio
import errno
import socket
import sys
from typing import TYPE_CHECKING, Final, cast, final

from wayfare_http_core import (
    BadHttpMessage,
    ClientConnectionError,
    ClientPayloadError,
    ExchangeOptions,
    HeadLimits,
    RequestHead,
    ResponseHead,
    parse_challenges,
)
from wayfare_http_core.aio import Deadline, HTTP1Connection, HTTP1Exchange
from wayfare_http_core.hdrs import PROXY_AUTHENTICATE

from ._errors import (
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientHttpProxyError,
    ClientProxyConnectionError,
)
from ._hosts import without_zone
from ._proxy import Proxy
from ._socks import SOCKSError, SOCKSHandshake, socks4_handshake, socks5_handshake
from ._target import Target
from ._tcp_dialer import TCPDialer
from ._timeouts import ConnectDeadline

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from ._route import Route
    from ._tls_layer import AppProtocol

__all__ = ("open_tunnel", "reach_proxy")

_CONNECT_HEAD: Final = 16 * 1024
"""Octets of the head that answers CONNECT: nobody needs more to say yes (P3, curl's limit)."""

_CONNECT_OPTIONS: Final = ExchangeOptions(
    limits=HeadLimits(field_line=_CONNECT_HEAD, head=_CONNECT_HEAD)
)

_KEPT_BODY: Final = 64 * 1024
"""Octets of a refusal's content that are kept for the error."""

_BODY_PATIENCE: Final = 1.0
"""Seconds in which it has to come: nobody waits longer for what only explains a failure."""

_UNSPOKEN: Final = ("Digest", "NTLM", "Negotiate")
"""Schemes whose credentials change with each request, or sign in a connection in several steps."""

_RESOLVING: Final = {"socks4": "socks4a", "socks5": "socks5h"}

_SOCKS_FAULTS: Final = {
    3: errno.ENETUNREACH,
    4: errno.EHOSTUNREACH,
    5: errno.ECONNREFUSED,
    6: errno.ETIMEDOUT,
}
"""The replies of RFC 1928 section 6 that are about the target."""


async def open_tunnel(
    route: "Route", target: Target, proxy: Proxy, protocol: "AppProtocol"
) -> None:
    """Let a protocol exchange octets with a target through its proxy.

    Raises: `ClientProxyConnectionError`, `ClientHttpProxyError`, `ConnectionTimeoutError`;
    `ClientConnectorError` where a SOCKS proxy says that the target is at fault.
    Cancellation: nothing stays open.
    """
    if proxy.is_socks:
        transport, unread = await _ask_socks(route, target, proxy)
    else:
        transport, unread = await _ask_http(route, target, proxy)
    if unread or transport.is_closing():
        transport.abort()
        what = f"it sent {len(unread)} octets unasked" if unread else "it hung up at once"
        raise ClientProxyConnectionError(proxy.target, OSError(errno.EPROTO, what))
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    transport.resume_reading()


async def reach_proxy(route: "Route", proxy: Proxy, protocol: "AppProtocol") -> None:
    """Let a protocol speak to a proxy itself.

    Raises: `ClientProxyConnectionError` for whatever is at fault, `ConnectionTimeoutError` that
    names the proxy.
    Cancellation: nothing stays open.
    """
    try:
        with route.deadline.at_proxy(proxy):
            await route.connect(proxy.target, protocol)
    except ClientProxyConnectionError:
        raise  # that of another proxy, on the way to this one
    except ClientConnectorError as exc:
        raise ClientProxyConnectionError(proxy.target, exc.os_error, exc.attempts) from exc


# -- CONNECT


async def _ask_http(
    route: "Route", target: Target, proxy: Proxy
) -> tuple[asyncio.Transport, bytes]:
    """Ask for a tunnel by CONNECT: its transport, and the octets that came behind the answer."""
    connection = HTTP1Connection()
    await reach_proxy(route, proxy, connection)
    try:
        await _tell_start(route, target)
        started = asyncio.get_running_loop().time()
        with route.deadline.at_proxy(proxy), route.deadline.tunnelling():
            exchange = await _exchange(connection, target, proxy)
            if not 200 <= exchange.head.status < 300:
                raise await _refusal(exchange, route.deadline)
        await _tell_end(route, target, started)
        upgraded = connection.upgrade()
    except BaseException:
        connection.abort()
        raise
    return upgraded.transport, upgraded.unread


async def _exchange(connection: HTTP1Connection, target: Target, proxy: Proxy) -> HTTP1Exchange:
    host = without_zone(target.host)
    if ":" in host:
        host = f"[{host}]"
    head = RequestHead("CONNECT", "http", f"{host}:{target.port}", "", proxy.fields)
    if not connection.available_exchanges:
        reset = ConnectionResetError(errno.ECONNRESET, "it hung up before it was asked")
        raise ClientProxyConnectionError(proxy.target, reset)
    try:
        return await connection.exchange(head, None, _CONNECT_OPTIONS)
    except (ClientConnectionError, BadHttpMessage) as exc:
        code = getattr(exc, "errno", None) or errno.EPROTO
        error = OSError(code, f"it did not answer CONNECT: {exc}")
        raise ClientProxyConnectionError(proxy.target, error) from exc


async def _refusal(exchange: HTTP1Exchange, limit: ConnectDeadline) -> ClientHttpProxyError:
    """The error for an answer that opens no tunnel, with the beginning of its content (P2)."""
    head = exchange.head
    error = ClientHttpProxyError(
        None, status=head.status, message=f"{head.reason}{_unmet(head)}", headers=head.headers
    )
    # The content must not cost what the head says already: it ends before the limit does.
    remaining = limit.remaining()
    patience = _BODY_PATIENCE if remaining is None else min(_BODY_PATIENCE, remaining / 2)
    body = bytearray()
    try:
        with Deadline.after(patience):
            while len(body) < _KEPT_BODY and (piece := await exchange.content.readany()):
                body += piece
    except (ClientConnectionError, ClientPayloadError, TimeoutError):
        pass  # what came is enough
    error.body = bytes(body[:_KEPT_BODY])
    return error


def _unmet(head: ResponseHead) -> str:
    """What to add to the reason of a proxy that wants credentials of a kind that it cannot be given by a user name."""
    if head.status != 407:
        return ""
    asked = {one.scheme for one in parse_challenges(*head.headers.getall(PROXY_AUTHENTICATE, ()))}
    kinds = [name for name in _UNSPOKEN if name.lower() in asked]
    if not kinds or "basic" in asked:
        return ""
    return f"; it takes no Basic credentials, only {' or '.join(kinds)}"


# -- SOCKS


@final
class _SOCKSProtocol(asyncio.Protocol):
    """Speaks one SOCKS handshake, then waits for whoever takes the transport over."""

    def __init__(self, handshake: SOCKSHandshake) -> None:
        self.transport: asyncio.Transport | None = None
        self._handshake = handshake
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    @override
    def data_received(self, data: bytes) -> None:
        try:
            answer = self._handshake.feed(data)
        except SOCKSError as exc:
            self._end(exc)
            return
        if answer and self.transport is not None:
            self.transport.write(answer)
        if self._handshake.complete:
            self._end(None)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or ConnectionResetError("it hung up"))

    def _end(self, error: Exception | None) -> None:
        if self._done.done():
            return
        if error is not None:
            self._done.set_exception(error)
            self._done.exception()  # nobody may be left to look at it
        else:
            self._done.set_result(None)

    async def finish(self) -> tuple[asyncio.Transport, bytes]:
        """Wait for the tunnel: its transport, and the octets that came behind the handshake.

        Raises: `SOCKSError`, `OSError`.
        """
        if self.transport is None:
            raise RuntimeError("there is no connection to the proxy")
        self.transport.write(self._handshake.to_send)
        await self._done
        return self.transport, self._handshake.unread

    def abort(self) -> None:
        """Give up the connection to the proxy."""
        if self.transport is not None:
            self.transport.abort()


async def _ask_socks(
    route: "Route", target: Target, proxy: Proxy
) -> tuple[asyncio.Transport, bytes]:
    """Ask for a tunnel by SOCKS: its transport, and the octets that came behind the answer."""
    host = await _destination(route, target, proxy)
    try:
        protocol = _SOCKSProtocol(_handshake(proxy, host, target.port))
    except ValueError as exc:
        error = OSError(errno.EINVAL, str(exc))
        raise ClientProxyConnectionError(proxy.target, error) from exc
    await reach_proxy(route, proxy, protocol)
    try:
        await _tell_start(route, target)
        started = asyncio.get_running_loop().time()
        with route.deadline.at_proxy(proxy), route.deadline.tunnelling():
            result = await _finish(protocol, target, proxy)
        await _tell_end(route, target, started)
    except BaseException:
        protocol.abort()
        raise
    return result


def _handshake(proxy: Proxy, host: str, port: int) -> SOCKSHandshake:
    if proxy.scheme in ("socks4", "socks4a"):
        return socks4_handshake(host, port, proxy.username or "")
    return socks5_handshake(host, port, proxy.username, proxy.password)


async def _finish(
    protocol: _SOCKSProtocol, target: Target, proxy: Proxy
) -> tuple[asyncio.Transport, bytes]:
    try:
        return await protocol.finish()
    except SOCKSError as exc:
        fault = _SOCKS_FAULTS.get(exc.reply or 0) if proxy.scheme.startswith("socks5") else None
        if fault is not None:
            raise ClientConnectorError(target, OSError(fault, str(exc))) from exc
        error = OSError(errno.ECONNREFUSED, str(exc))
        raise ClientProxyConnectionError(proxy.target, error) from exc
    except OSError as exc:
        raise ClientProxyConnectionError(proxy.target, exc) from exc


async def _destination(route: "Route", target: Target, proxy: Proxy) -> str:
    """What the proxy is told to connect to: the name, or an address that we looked up (P13).

    Raises: as `TCPDialer.addresses`; `ClientProxyConnectionError` where nobody can look it up.
    """
    if proxy.resolves_names or target.is_ip_literal:
        return without_zone(target.host)
    if not isinstance(route.dialer, TCPDialer):
        error = OSError(
            errno.EINVAL, f"this dialer resolves no names: use {_RESOLVING[proxy.scheme]} instead"
        )
        raise ClientProxyConnectionError(proxy.target, error)
    for info in await route.dialer.addresses(target, route.deadline, route.observer):
        if info[0] == socket.AF_INET or proxy.scheme == "socks5":
            return str(info[4][0])
    error = socket.gaierror(socket.EAI_NONAME, "no IPv4 address, and SOCKS 4 carries no others")
    raise ClientConnectorDNSError(target, error)


# -- observation


async def _tell_start(route: "Route", target: Target) -> None:
    if route.observer is not None:
        await route.observer.tunnel_start(target)


async def _tell_end(route: "Route", target: Target, started: float) -> None:
    if route.observer is not None:
        seconds = asyncio.get_running_loop().time() - started
        await route.observer.tunnel_end(target, seconds)
