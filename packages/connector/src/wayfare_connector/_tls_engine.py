"""TLS without I/O: ciphertext in, plaintext out, and back, on OpenSSL's memory BIOs.

The engine knows no loop and no clock. Whoever drives it carries octets between it and a transport.
"""

import ssl
from collections import deque
from collections.abc import Callable
from typing import cast, final

from ._tls_records import RecordFramer

__all__ = ("TLSEngine",)

_RECORD = 16 * 1024
"""Plaintext of one record (RFC 8446 section 5.1): OpenSSL returns no more from one read."""

_NOTHING = memoryview(b"")


@final
class TLSEngine:
    """One side of a TLS connection.

    Incoming: `receive`, then `handshake`, or `read_into` / `read` / `discard` while `readable`.
    They raise ssl.SSLError when the peer's octets are wrong, after all that was right was returned.

    Outgoing: `encrypt` returns ciphertext; everything else leaves its ciphertext for `take`.
    """

    __slots__ = (
        "_error",
        "_framer",
        "_fresh",
        "_incoming",
        "_read_into",
        "_source",
        "blocked",
        "outgoing",
        "peer_closed",
        "ssl_object",
    )

    def __init__(
        self, context: ssl.SSLContext, *, server_hostname: str | None, server_side: bool
    ) -> None:
        self._incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        """Ciphertext that is due for the peer; `take` takes it."""
        self.ssl_object = context.wrap_bio(
            self._incoming,
            self.outgoing,
            server_side=server_side,
            server_hostname=server_hostname,
        )
        # With a buffer `read` returns a number, which its type does not say.
        self._read_into = cast("Callable[[int, memoryview], int]", self.ssl_object.read)
        self._framer = RecordFramer()
        self._source = _NOTHING
        # Whether there are whole records, or the rest of one, that no read has been tried on.
        self._fresh = False
        self._error: ssl.SSLError | None = None
        self.blocked: deque[bytes] = deque()
        """Plaintext that can't be encrypted before the peer has answered a renegotiation."""
        self.peer_closed = False
        """Whether the peer's close_notify was read: nothing follows it."""

    # Incoming.

    def receive(self, data: memoryview) -> None:
        """Take ciphertext. It is borrowed: `settle` before its memory changes."""
        if self._source:
            data = memoryview(bytes(self._source) + data)
        self._source = data

    def settle(self) -> None:
        """Copy what was received and not used up, so that the memory it came in can be reused."""
        if self._source:
            self._source = memoryview(bytes(self._source))

    def clear(self) -> None:
        """Forget what was received and what is blocked: the connection is over."""
        self._source = _NOTHING
        self._error = None
        self.blocked.clear()

    def readable(self) -> bool:
        """Whether a read has something to work on: whole records, or the rest of one."""
        return self._fresh or self._feed()

    def handshake(self) -> bool:
        """Go on with the handshake; True when it is finished.

        Raises: ssl.SSLError when it failed; the alert for the peer is there to be taken.
        """
        while True:
            try:
                self.ssl_object.do_handshake()
            except ssl.SSLWantReadError:
                if not self._feed():
                    return False
            else:
                self._fresh = self._incoming.pending > 0
                return True

    def read_into(self, buffer: memoryview) -> int:
        """Decrypt into buffer, which must not be empty, as much as it holds; return the octets.

        0 does not mean the end, `peer_closed` does: records may carry no plaintext.
        """
        if self._error is not None:
            raise self._taken(self._error)
        room = len(buffer)
        filled = 0
        try:
            while True:
                count = self._read_into(room - filled, buffer[filled:] if filled else buffer)
                if not count:
                    self.peer_closed = True
                    break
                filled += count
                if filled == room:
                    self._fresh = self.ssl_object.pending() > 0 or self._incoming.pending > 0
                    break
                # With room left OpenSSL holds no plaintext back.
                if not self._incoming.pending and not self._feed():
                    break
        except ssl.SSLWantReadError:
            self._fresh = False
        except ssl.SSLError as exc:
            if not filled:
                raise
            self._error = exc
        return filled

    def read(self) -> bytes:
        """Decrypt all there is. b"" does not mean the end, `peer_closed` does."""
        if self._error is not None:
            raise self._taken(self._error)
        parts: list[bytes] = []
        try:
            while True:
                part = self.ssl_object.read(_RECORD)
                if not part:
                    self.peer_closed = True
                    break
                parts.append(part)
                if not self._incoming.pending and not self._feed():
                    break
        except ssl.SSLWantReadError:
            self._fresh = False
        except ssl.SSLError as exc:
            if not parts:
                raise
            self._error = exc
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def discard(self) -> int:
        """Read one piece and throw it away; return its octets.

        Reading is the only way to find the peer's close_notify after ours was sent: OpenSSL calls
        it an error if application data lies before it.
        """
        try:
            return len(self.read())
        except ssl.SSLZeroReturnError:
            self.peer_closed = True
            return 0

    def _feed(self) -> bool:
        """Give OpenSSL the next whole records; False if there is none."""
        source = self._source
        size = len(source)
        if not size:
            self._fresh = False
            return False
        cut = self._framer.cut(source)
        if cut == size:
            self._incoming.write(source)
            self._source = _NOTHING
        else:
            self._incoming.write(source[:cut])
            self._source = source[cut:]
        self._fresh = not self._framer.missing
        return self._fresh

    def _taken(self, error: ssl.SSLError) -> ssl.SSLError:
        """What an earlier read held back in favour of its data, to be raised once."""
        self._error = None
        return error

    # Outgoing.

    def encrypt(self, data: bytes | bytearray | memoryview) -> bytes:
        """The ciphertext to send for data; b"" if data went to `blocked` instead.

        All data of one call is in memory as ciphertext, and OpenSSL keeps memory of that size for
        good: large data is for the caller to cut.
        """
        if self.blocked:
            self.blocked.append(bytes(data))
            return b""
        try:
            self.ssl_object.write(data)
        except ssl.SSLWantReadError:
            self.blocked.append(bytes(data))
            return b""
        return self.outgoing.read()

    def unblock(self) -> None:
        """Encrypt what is `blocked`, in order, as far as it can be now."""
        try:
            while self.blocked:
                self.ssl_object.write(self.blocked[0])
                del self.blocked[0]
        except ssl.SSLWantReadError:
            pass

    def send_close_notify(self) -> None:
        """Say that nothing more will be sent. Nothing may be `readable` when this is called.

        Raises: ssl.SSLError when the connection is in no state for that.
        """
        try:
            self.ssl_object.unwrap()
        except ssl.SSLWantReadError:
            return
        self.peer_closed = True

    def take(self) -> bytes:
        """The ciphertext that is due for the peer; mostly none."""
        return self.outgoing.read() if self.outgoing.pending else b""
