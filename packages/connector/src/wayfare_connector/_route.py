"""The way to a peer: dial it or go through its proxy, and lay TLS over that where it wants TLS."""

import asyncio
import ssl
from functools import partial
from typing import TYPE_CHECKING, final

from ._errors import (
    ClientConnectorCertificateError,
    ClientConnectorSSLError,
    ClientSSLError,
    ServerFingerprintMismatch,
)
from ._fingerprint import Fingerprint
from ._target import Target
from ._timeouts import ConnectDeadline
from ._tls import TLSFacts, TLSLayer, get_default_context, tls_facts, unverified_context

if TYPE_CHECKING:
    from ._dialer import Dialer
    from ._observer import ConnectObserver
    from ._tls_layer import AppProtocol

__all__ = ("Route",)


@final
class Route:
    """What one connect has at hand, whichever peers lie on its way."""

    __slots__ = ("deadline", "dialer", "observer", "shutdown_timeout")

    def __init__(
        self,
        dialer: "Dialer",
        *,
        shutdown_timeout: float | None,
        deadline: ConnectDeadline,
        observer: "ConnectObserver | None",
    ) -> None:
        self.dialer = dialer
        self.shutdown_timeout = shutdown_timeout
        self.deadline = deadline
        self.observer = observer

    async def connect(self, peer: Target, protocol: "AppProtocol") -> None:
        """Let a protocol speak to a peer, over TLS if that is what the peer speaks.

        Raises: what the dialer raises, `ClientProxyConnectionError`, `ClientHttpProxyError`,
        `ClientSSLError` and its subclasses, `ServerFingerprintMismatch`, `ConnectionTimeoutError`.
        Cancellation: nothing stays open.
        """
        if not peer.is_ssl:
            await self._reach(peer, protocol)
            return
        # Before dialling: without certificates, or for a name that none could hold, it would be in
        # vain.
        layer = await self._tls_layer(peer, protocol)
        try:
            await self._reach(peer, layer)
            await self._secure(peer, layer)
        except BaseException:
            layer.abort()
            raise

    async def _reach(self, peer: Target, protocol: "AppProtocol") -> None:
        """Let a protocol exchange octets with a peer."""
        if peer.proxy is None:
            await self.dialer.dial(
                peer, lambda: protocol, deadline=self.deadline, observer=self.observer
            )
        else:
            # With a proxy only.
            from ._tunnel import open_tunnel

            await open_tunnel(self, peer, peer.proxy, protocol)

    async def _tls_layer(self, peer: Target, protocol: "AppProtocol") -> TLSLayer:
        try:
            return TLSLayer(
                protocol,
                await _context(peer),
                server_hostname=peer.server_hostname or peer.host,
                shutdown_timeout=self.shutdown_timeout,
                refusal=partial(_refused, peer),
            )
        except ValueError as exc:
            raise ClientSSLError(peer, OSError(None, str(exc))) from exc
        except OSError as exc:
            raise ClientSSLError(peer, exc) from exc

    async def _secure(self, peer: Target, layer: TLSLayer) -> None:
        """Do the handshake on the transport that won (N4)."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        if self.observer is not None:
            await self.observer.tls_start(peer)
        try:
            with self.deadline.securing():
                await layer.handshake()
        except ssl.CertificateError as exc:
            raise ClientConnectorCertificateError(peer, exc) from exc
        except ssl.SSLError as exc:
            raise ClientConnectorSSLError(peer, exc) from exc
        except ConnectionError as exc:
            raise ClientSSLError(peer, exc) from exc
        facts = tls_facts(layer.engine.ssl_object)
        _check(peer, facts)
        if self.observer is not None:
            await self.observer.tls_end(peer, facts.tls_version, loop.time() - started)


def _refused(peer: Target, exc: ssl.SSLError) -> ClientConnectorSSLError:
    """What the application is told of an alert that comes instead of the peer's first octet."""
    error = ClientConnectorSSLError(peer, exc)
    error.__cause__ = exc
    return error


async def _context(peer: Target) -> ssl.SSLContext:
    if isinstance(peer.ssl, ssl.SSLContext):
        return peer.ssl
    if peer.ssl is True:
        return await get_default_context()
    if peer.ssl is False or isinstance(peer.ssl, Fingerprint):
        return unverified_context()
    raise ValueError("the target only describes an SSLContext, it does not have one")


def _check(peer: Target, facts: TLSFacts) -> None:
    """Nothing was sent yet but the handshake (T5, T9)."""
    pin = peer.ssl
    certificate = facts.peer_certificate
    if isinstance(pin, Fingerprint):
        if certificate is None:
            raise ClientSSLError(peer, OSError(None, "the server showed no certificate"))
        if not pin.matches(certificate):
            got = pin.same_form(certificate)
            raise ServerFingerprintMismatch(pin.given, got, peer.host, peer.port)
    if facts.alpn not in (None, "http/1.1"):
        # The caller's context offered more than this connection speaks.
        message = f"the server chose {facts.alpn!r}, this connection speaks HTTP/1.1"
        raise ClientSSLError(peer, OSError(None, message))
