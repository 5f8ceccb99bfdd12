"""Dial a target that wants TLS, and do the handshake on the transport that won."""

import asyncio
import ssl

from wayfare_http_core.aio import HTTP1Connection

from ._dialer import Dialer
from ._errors import (
    ClientConnectorCertificateError,
    ClientConnectorSSLError,
    ClientSSLError,
    ServerFingerprintMismatch,
)
from ._fingerprint import Fingerprint
from ._observer import ConnectObserver
from ._target import Target
from ._timeouts import ConnectDeadline
from ._tls import TLSLayer, get_default_context, unverified_context

__all__ = ("open_tls",)


async def open_tls(
    dialer: Dialer,
    target: Target,
    connection: HTTP1Connection,
    *,
    shutdown_timeout: float | None,
    deadline: ConnectDeadline,
    observer: ConnectObserver | None,
) -> HTTP1Connection:
    """Connect an HTTP/1.1 connection over TLS.

    Raises: what the dialer raises, `ClientSSLError` and its subclasses, `ConnectionTimeoutError`.
    Cancellation: nothing stays open.
    """
    # Before dialling: without certificates, or for a name that none could hold, it would be in
    # vain.
    layer = await _tls_layer(target, connection, shutdown_timeout)
    transport, _ = await dialer.dial(target, lambda: layer, deadline=deadline, observer=observer)
    try:
        await _secure(target, layer, connection, deadline, observer)
    except BaseException:
        transport.abort()
        raise
    return connection


async def _tls_layer(
    target: Target, connection: HTTP1Connection, shutdown_timeout: float | None
) -> TLSLayer:
    try:
        return TLSLayer(
            connection,
            await _context(target),
            server_hostname=target.server_hostname or target.host,
            shutdown_timeout=shutdown_timeout,
        )
    except ValueError as exc:
        raise ClientSSLError(target, OSError(None, str(exc))) from exc
    except OSError as exc:
        raise ClientSSLError(target, exc) from exc


async def _context(target: Target) -> ssl.SSLContext:
    if isinstance(target.ssl, ssl.SSLContext):
        return target.ssl
    if target.ssl is True:
        return await get_default_context()
    if target.ssl is False or isinstance(target.ssl, Fingerprint):
        return unverified_context()
    raise ValueError("the target only describes an SSLContext, it does not have one")


async def _secure(
    target: Target,
    layer: TLSLayer,
    connection: HTTP1Connection,
    deadline: ConnectDeadline,
    observer: ConnectObserver | None,
) -> None:
    """Do the handshake on the transport that won (N4)."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    if observer is not None:
        await observer.tls_start(target)
    try:
        with deadline.securing():
            await layer.handshake()
    except ssl.CertificateError as exc:
        raise ClientConnectorCertificateError(target, exc) from exc
    except ssl.SSLError as exc:
        raise ClientConnectorSSLError(target, exc) from exc
    except ConnectionError as exc:
        raise ClientSSLError(target, exc) from exc
    _check_fingerprint(target, connection.facts.peer_certificate)
    alpn = connection.facts.alpn
    if alpn not in (None, "http/1.1"):
        # The caller's context offered more than this connection speaks (T9).
        message = f"the server chose {alpn!r}, this connection speaks HTTP/1.1"
        raise ClientSSLError(target, OSError(None, message))
    if observer is not None:
        version = connection.facts.tls_version
        await observer.tls_end(target, version, loop.time() - started)


def _check_fingerprint(target: Target, certificate: bytes | None) -> None:
    """Nothing was sent yet but the handshake (T5)."""
    pin = target.ssl
    if not isinstance(pin, Fingerprint):
        return
    if certificate is None:
        raise ClientSSLError(target, OSError(None, "the server showed no certificate"))
    if not pin.matches(certificate):
        got = pin.same_form(certificate)
        raise ServerFingerprintMismatch(pin.given, got, target.host, target.port)
