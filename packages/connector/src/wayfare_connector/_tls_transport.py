"""The transport that an application gets from TLS: the upper side of a `TLSLayer`."""

import asyncio
import ssl
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast, final

from wayfare_http_core.aio import receive_level

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from ._tls_layer import AppProtocol, TLSLayer

__all__ = ("TLSTransport",)

_JOIN_LIMIT = 64 * 1024
"""Octets up to which copying pieces together is cheaper than a record, and a system call, for
each."""

_EXTRA: dict[str, Callable[[ssl.SSLObject], Any]] = {
    "ssl_object": lambda ssl_object: ssl_object,
    "sslcontext": lambda ssl_object: ssl_object.context,
    "peercert": ssl.SSLObject.getpeercert,
    "cipher": ssl.SSLObject.cipher,
    "compression": ssl.SSLObject.compression,
}


@final
class TLSTransport(asyncio.Transport):
    """An `asyncio.Transport` whose octets travel encrypted. A `TLSLayer` makes it when its
    handshake is finished.

    Encryption holds nothing back: what is written is with the raw transport when `write` returns.
    Write buffers, their limits and the calls to pause_writing and resume_writing are therefore the
    raw transport's, counted in octets of ciphertext.

    If the application's eof_received returns a true value the transport stays open for writing, as
    RFC 8446 section 6.1 allows; otherwise it closes. Half-closing from this side is not supported.
    """

    __slots__ = ("__weakref__", "_layer")

    def __init__(self, layer: "TLSLayer") -> None:
        super().__init__()
        self._layer = layer

    @override
    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """ssl_object, sslcontext, peercert, cipher, compression, receive_level; everything else is
        the raw transport's answer."""
        own = _EXTRA.get(name)
        if name == "receive_level":
            # What is decrypted must not be written over the ciphertext that is left to decrypt.
            below = receive_level(self._layer.raw_transport)
            return default if below is None else below + 1
        if own is None:
            return self._layer.raw_transport.get_extra_info(name, default)
        return own(self._layer.engine.ssl_object)

    @override
    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._layer.set_app_protocol(cast("AppProtocol", protocol))

    @override
    def get_protocol(self) -> asyncio.BaseProtocol:
        return cast("asyncio.BaseProtocol", self._layer.app_protocol)

    @override
    def is_closing(self) -> bool:
        return self._layer.is_closing

    @override
    def close(self) -> None:
        """Flush, exchange close_notify with the peer within the layer's shutdown timeout, and
        close; idempotent."""
        self._layer.close()

    @override
    def abort(self) -> None:
        """Close at once, without a word to the peer; what is not sent yet is lost."""
        self._layer.abort()

    @override
    def is_reading(self) -> bool:
        return self._layer.is_reading

    @override
    def pause_reading(self) -> None:
        self._layer.pause_reading()

    @override
    def resume_reading(self) -> None:
        self._layer.resume_reading()

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._layer.write(data)

    @override
    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Write the pieces in order; small ones together, as one record."""
        pieces = list(list_of_data)
        if sum(map(len, pieces)) <= _JOIN_LIMIT:
            self._layer.write(b"".join(pieces))
        else:
            for piece in pieces:
                self._layer.write(piece)

    @override
    def can_write_eof(self) -> bool:
        return False

    @override
    def write_eof(self) -> None:
        """Not supported.

        Raises: NotImplementedError. TLS 1.2 can't half-close, so no HTTP peer may rely on it.
        """
        raise NotImplementedError("TLS connections are not half-closed")

    @override
    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._layer.raw_transport.set_write_buffer_limits(high, low)

    @override
    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._layer.raw_transport.get_write_buffer_limits()

    @override
    def get_write_buffer_size(self) -> int:
        blocked = sum(map(len, self._layer.engine.blocked))
        return self._layer.raw_transport.get_write_buffer_size() + blocked
