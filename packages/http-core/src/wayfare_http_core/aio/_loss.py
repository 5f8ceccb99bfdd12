"""What a connection leaves that is lost or given up: octets that nobody read, and an error."""

import asyncio

from wayfare_http_core._errors import (
    ClientConnectionError,
    ClientError,
    ClientOSError,
    ServerDisconnectedError,
)

from ._facts import has_plain_socket

__all__ = ("closed", "loss_error", "read_rest", "released")


def read_rest(transport: asyncio.BaseTransport, limit: int) -> bytes:
    """The octets that wait on a broken transport's socket, `limit` at most.

    For `connection_lost`, where the transport has stopped reading and its socket is still open. A peer that answers
    and closes while we write resets the connection, and our write meets that before the answer was read
    (RFC 9112 section 9.6). b"" where the transport has no socket of its own, or where the system drops on a reset what
    was not read.

    Whether the peer ended what it sent cannot be known here: after a reset, a socket reads as if it had.
    """
    if not has_plain_socket(transport):
        return b""
    sock = transport.get_extra_info("socket")
    if sock.fileno() < 0:
        return b""
    rest = bytearray()
    # The transport's own object cannot receive.
    with sock.dup() as own:
        own.setblocking(False)
        try:
            while len(rest) < limit and (piece := own.recv(limit - len(rest))):
                rest += piece
        except OSError:
            pass  # nothing more waits, or the reset itself
    return bytes(rest)


def loss_error(exc: Exception | None, incomplete: ClientError | None = None) -> ClientError:
    """What a lost connection means, as an error of ours with the transport's as its cause.

    `incomplete` is the error for a message that had begun. A transport that says it in our words, as TLS
    can, is taken at them.
    """
    error: ClientError
    if isinstance(exc, ClientError) and incomplete is None:
        return exc
    if incomplete is not None:
        error = incomplete
    elif exc is None:
        error = ServerDisconnectedError()
    elif isinstance(exc, OSError):
        error = ClientOSError(exc.errno, exc.strerror or str(exc))
    else:
        error = ClientConnectionError(str(exc) or type(exc).__name__)
    error.__cause__ = exc
    return error


def closed() -> ClientConnectionError:
    """The error of an exchange whose connection we closed."""
    return ClientConnectionError("the connection was closed while the exchange was under way")


def released() -> ClientConnectionError:
    """The error of content that nobody wanted."""
    return ClientConnectionError("the response was released before its content was read")
