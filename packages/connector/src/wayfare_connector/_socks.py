"""SOCKS, the client's side, without I/O: version 4, its extension 4a, and version 5 (RFC 1928, RFC 1929).

A handshake is written down as it is spoken: a generator that yields what to send together with the number of octets to
wait for, and gets exactly so many. So a reply may come in any pieces, and what follows it is never touched.
"""

import sys
from collections.abc import Generator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, TypeAlias, final

from ._hosts import is_ip_literal

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("SOCKSError", "SOCKSHandshake", "socks4_handshake", "socks5_handshake")

_Steps: TypeAlias = Generator[tuple[bytes, int], bytes, None]

_CONNECT: Final = 1
_NO_AUTHENTICATION: Final = 0
_USERNAME_PASSWORD: Final = 2
_NO_ACCEPTABLE_METHODS: Final = 0xFF
_IPV4, _NAME, _IPV6 = 1, 3, 4

_REPLIES_5: Final = {
    1: "general failure of the SOCKS server",
    2: "connection not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused by the target",
    6: "TTL expired",
    7: "command not supported",
    8: "address type not supported",
}
"""RFC 1928 section 6."""

_GRANTED_4: Final = 0x5A
_REPLIES_4: Final = {
    0x5B: "request rejected or failed",
    0x5C: "the server cannot reach identd on the client",
    0x5D: "identd on the client reports another user",
}


class SOCKSError(Exception):
    """A SOCKS server refused, or answered what is no SOCKS.

    `reply` is the code that it gave, None where it gave none. Credentials are not told.
    """

    reply: int | None

    def __init__(self, message: str, reply: int | None = None) -> None:
        super().__init__(message, reply)
        self.reply = reply

    @override
    def __str__(self) -> str:
        return str(self.args[0])


@final
class SOCKSHandshake:
    """One handshake: send `to_send`, feed what arrives, until it is `complete`.

    What arrives after the handshake's last octet belongs to the tunnel and waits in `unread`.
    """

    __slots__ = ("_missing", "_received", "_steps", "complete", "to_send")

    to_send: bytes
    """What to send first."""
    complete: bool
    """Whether the server has opened the tunnel."""

    def __init__(self, steps: _Steps) -> None:
        self._steps = steps
        self._received = bytearray()
        self.complete = False
        self.to_send, self._missing = next(steps)

    @property
    def unread(self) -> bytes:
        """Octets that arrived behind the handshake."""
        return bytes(self._received)

    def feed(self, data: bytes) -> bytes:
        """Take octets as they arrive; return what to send next, often nothing.

        Raises: `SOCKSError` when the server refuses or breaks the protocol.
        """
        self._received += data
        answer = b""
        while not self.complete and len(self._received) >= self._missing:
            taken = bytes(self._received[: self._missing])
            del self._received[: self._missing]
            try:
                octets, self._missing = self._steps.send(taken)
            except StopIteration:
                self.complete = True
            else:
                answer += octets
        return answer


def socks5_handshake(
    host: str, port: int, username: str | None = None, password: str | None = None
) -> SOCKSHandshake:
    """A SOCKS 5 handshake for a tunnel to a host, normalised as in a `Target`.

    An address goes as an address; a name goes as a name, for the server to resolve (what URLs call `socks5h`), so
    whoever wants to resolve it himself (`socks5`) passes the address.

    Raises: ValueError for an address with a zone, a name of more than 255 octets (CVE-2023-38545), or credentials that
    do not fit (1 to 255 octets each, RFC 1929 section 2).
    """
    credentials = None
    if username is not None:
        credentials = b"\x01" + _counted("username", username) + _counted("password", password)
    return SOCKSHandshake(_socks5(_address(host) + port.to_bytes(2, "big"), credentials))


def socks4_handshake(host: str, port: int, user_id: str = "") -> SOCKSHandshake:
    """A SOCKS 4 handshake; with a name instead of an IPv4 address, one of its extension 4a.

    Raises: ValueError for an IPv6 address, which SOCKS 4 cannot carry, a name of more than 255 octets, and for a user
    that holds a NUL.
    """
    if "\0" in user_id:
        raise ValueError("the user of a SOCKS 4 proxy must not contain NUL")
    name = b""
    if is_ip_literal(host):
        address = ip_address(host)
        if not isinstance(address, IPv4Address):
            raise ValueError("SOCKS 4 cannot connect to IPv6 addresses")
        packed = address.packed
    else:
        # An address that no host has says that a name follows.
        packed = b"\x00\x00\x00\x01"
        name = _counted("host", host)[1:] + b"\0"
    head = bytes((4, _CONNECT)) + port.to_bytes(2, "big") + packed
    return SOCKSHandshake(_socks4(head + user_id.encode("utf-8") + b"\0" + name))


def _socks5(destination: bytes, credentials: bytes | None) -> _Steps:
    methods = (
        [_NO_AUTHENTICATION] if credentials is None else [_NO_AUTHENTICATION, _USERNAME_PASSWORD]
    )
    version, method = yield bytes((5, len(methods), *methods)), 2
    _check_version(5, version)
    if method == _NO_ACCEPTABLE_METHODS:
        raise SOCKSError(
            "the SOCKS server wants credentials of a kind that it was not offered"
            if credentials is not None
            else "the SOCKS server wants credentials, and there are none",
            method,
        )
    if method not in methods:
        raise SOCKSError(f"the SOCKS server chose method {method}, which was not offered", method)
    if method == _USERNAME_PASSWORD and credentials is not None:
        _, status = yield credentials, 2
        if status:
            raise SOCKSError("the SOCKS server refused the username or password", status)
    version, reply, _, kind, first = yield bytes((5, _CONNECT, 0)) + destination, 5
    _check_version(5, version)
    if reply:
        reason = _REPLIES_5.get(reply, f"unknown reply {reply}")
        raise SOCKSError(f"the SOCKS server refused: {reason}", reply)
    # The server's own address, which nobody needs, but whose end must be found (RFC 1928 section 6): its first octet
    # is read already, and is the length if it is a name.
    rest = {_IPV4: 3, _NAME: first, _IPV6: 15}.get(kind)
    if rest is None:
        raise SOCKSError(f"the SOCKS server answered with an address of the unknown type {kind}")
    yield b"", rest + 2


def _socks4(request: bytes) -> _Steps:
    reply = yield request, 8
    if reply[0] != 0:
        raise SOCKSError(f"the answer is none of SOCKS 4: it begins with {reply[0]:#04x}")
    if reply[1] != _GRANTED_4:
        reason = _REPLIES_4.get(reply[1], f"unknown reply {reply[1]}")
        raise SOCKSError(f"the SOCKS server refused: {reason}", reply[1])


def _check_version(expected: int, version: int) -> None:
    if version != expected:
        raise SOCKSError(f"the answer is none of SOCKS {expected}: it begins with {version:#04x}")


def _address(host: str) -> bytes:
    """A destination with its type (RFC 1928 section 5)."""
    if not is_ip_literal(host):
        return bytes((_NAME,)) + _counted("host", host)
    if "%" in host:
        raise ValueError("a SOCKS server cannot be told the zone of an address")
    address: IPv4Address | IPv6Address = ip_address(host)
    return bytes((_IPV4 if address.version == 4 else _IPV6,)) + address.packed


def _counted(what: str, text: str | None) -> bytes:
    octets = (text or "").encode("utf-8")
    if not 0 < len(octets) < 256:
        raise ValueError(
            f"the {what} for a SOCKS proxy must have 1 to 255 octets, not {len(octets)}"
        )
    return bytes((len(octets),)) + octets
