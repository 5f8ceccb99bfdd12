"""What can go wrong on the way to a live connection: this package's part of the exception tree.

    ClientError                                     (wayfare_http_core, down to ServerTimeoutError)
    └ ClientConnectionError
      ├ ConnectorClosedError                        the connector was closed first
      ├ ClientOSError                               (+ OSError)
      │ └ ClientConnectorError                      the target cannot be reached
      │   ├ ClientConnectorDNSError                 its name cannot be resolved
      │   ├ UnixClientConnectorError                its socket or pipe cannot be reached
      │   ├ ClientProxyConnectionError              its proxy cannot be reached, or speaks nonsense
      │   ├ AddressRefusedError                     a policy speaks against its addresses
      │   └ ClientSSLError
      │     ├ ClientConnectorSSLError               (+ ssl.SSLError) no TLS with it
      │     └ ClientConnectorCertificateError       (+ ssl.CertificateError) its certificate is bad
      └ ServerConnectionError
        ├ ServerFingerprintMismatch                 its certificate is not the expected one
        └ ServerTimeoutError                        (+ TimeoutError)
          └ ConnectionTimeoutError                  it took too long, in one of its phases:
            ├ PoolTimeoutError                      waiting for a place in the pool
            ├ DNSTimeoutError                       resolving the name
            ├ DialTimeoutError                      opening the transport
            ├ ProxyTimeoutError                     asking a proxy for the way
            └ TLSTimeoutError                       the TLS handshake

    ClientResponseError
    └ ClientHttpProxyError                          the proxy answered, and opened no way

An exception here holds data and nothing that is alive: the target without its SSLContext. All of
them pickle. The message describes the failure at this level, `__cause__` the one below.
"""

import ssl
import sys
from typing import TYPE_CHECKING, Any

from wayfare_http_core import (
    ClientConnectionError,
    ClientOSError,
    ClientResponseError,
    ServerConnectionError,
    ServerTimeoutError,
)

from ._fingerprint import Fingerprint
from ._target import Target

if TYPE_CHECKING:
    from ._failed_attempt import FailedAttempt
    from ._proxy import Proxy
    from ._target import TLSSetting

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = (
    "AddressRefusedError",
    "ClientConnectorCertificateError",
    "ClientConnectorDNSError",
    "ClientConnectorError",
    "ClientConnectorSSLError",
    "ClientHttpProxyError",
    "ClientProxyConnectionError",
    "ClientSSLError",
    "ConnectionTimeoutError",
    "ConnectorClosedError",
    "DNSTimeoutError",
    "DialTimeoutError",
    "FingerprintMismatch",
    "PoolTimeoutError",
    "ProxyTimeoutError",
    "ServerFingerprintMismatch",
    "TLSTimeoutError",
    "UnixClientConnectorError",
)


class ConnectorClosedError(ClientConnectionError):
    """The connector was closed before it had a connection to give."""

    def __init__(self, message: str = "the connector is closed") -> None:
        super().__init__(message)


class ClientConnectorError(ClientOSError):
    """The target cannot be reached; `errno` and `strerror` are those of `os_error`.

    `attempts` lists each address that was tried and how it failed (N2), in the order of failing.
    `connection_key` is None only in an error that is made by hand.
    """

    def __init__(
        self,
        connection_key: Target | None,
        os_error: OSError,
        attempts: "tuple[FailedAttempt, ...]" = (),
    ) -> None:
        self.connection_key = _detached(connection_key)
        self.os_error = os_error
        self.attempts = attempts
        super().__init__(os_error.errno, os_error.strerror)
        self.args = (self.connection_key, os_error)

    @property
    def host(self) -> str:
        """The target's host, empty without a target."""
        return "" if self.connection_key is None else self.connection_key.host

    @property
    def port(self) -> int:
        """The target's port, 0 without a target."""
        return 0 if self.connection_key is None else self.connection_key.port

    @property
    def ssl(self) -> "TLSSetting | None":
        """The target's TLS setting, None without TLS; a `TLSContextRef` stands for a context."""
        return None if self.connection_key is None else self.connection_key.ssl

    @override
    def __str__(self) -> str:
        return f"Cannot connect to host{_where(self.connection_key)}: {_reason(self.os_error)}"

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.connection_key, self.os_error, self.attempts), self.__dict__


class ClientConnectorDNSError(ClientConnectorError):
    """The target's name cannot be resolved."""


class UnixClientConnectorError(ClientConnectorError):
    """The Unix socket, or the named pipe, at `path` cannot be reached."""

    def __init__(
        self,
        path: str,
        connection_key: Target | None,
        os_error: OSError,
        attempts: "tuple[FailedAttempt, ...]" = (),
    ) -> None:
        super().__init__(connection_key, os_error, attempts)
        self.path = path

    @override
    def __str__(self) -> str:
        return f"Cannot connect to socket {self.path!r}: {_reason(self.os_error)}"

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return (
            type(self),
            (self.path, self.connection_key, self.os_error, self.attempts),
            self.__dict__,
        )


class ClientProxyConnectionError(ClientConnectorError):
    """The proxy cannot be reached, or what it answers makes no sense; the target had no part in it.

    `connection_key`, `host` and `port` are the proxy's.
    """

    @override
    def __str__(self) -> str:
        return f"Cannot connect to proxy{_where(self.connection_key)}: {_reason(self.os_error)}"


class ClientHttpProxyError(ClientResponseError):
    """The proxy answered CONNECT with another status than 2xx, so that there is no way (P2).

    `status`, `headers` and `body` are those of its answer. `message` is its reason, and for a 407 the kind of
    credentials that it wants, where there is none that a `Proxy` can have.
    """


class AddressRefusedError(ClientConnectorError):
    """The address policy refuses each address of the target; `attempts` says why."""


class ClientSSLError(ClientConnectorError):
    """No TLS connection with the target: the base for any reason."""


class ClientConnectorSSLError(ClientSSLError, ssl.SSLError):
    """The TLS handshake failed, or TLS ended in the middle of it."""


class ClientConnectorCertificateError(ClientSSLError, ssl.CertificateError):
    """The target's certificate is not valid for it; `certificate_error` says why."""

    def __init__(
        self,
        connection_key: Target | None,
        certificate_error: ssl.CertificateError,
        attempts: "tuple[FailedAttempt, ...]" = (),
    ) -> None:
        super().__init__(connection_key, certificate_error, attempts)
        self.certificate_error = certificate_error


class ServerFingerprintMismatch(ServerConnectionError):
    """The server's certificate is not the one whose fingerprint was given.

    `expected` and `got` are written in the same form, the one in which the fingerprint was given.
    """

    def __init__(self, expected: bytes | str, got: bytes | str, host: str, port: int) -> None:
        super().__init__(expected, got, host, port)
        self.expected = expected
        self.got = got
        self.host = host
        self.port = port

    @override
    def __str__(self) -> str:
        return (
            f"the certificate of {self.host}:{self.port} has the fingerprint {_hex(self.got)}, "
            f"not the expected {_hex(self.expected)}"
        )


FingerprintMismatch = ServerFingerprintMismatch
"""The name of old for `ServerFingerprintMismatch`."""


class ConnectionTimeoutError(ServerTimeoutError):
    """No connection within the time allowed for it.

    `seconds` is the limit that was reached, `elapsed` the seconds that the phase had taken until
    then. All are None in an exception that is raised by hand. `attempts` lists the addresses that were
    being connected to (N2): those that had failed and how, then those that had not answered.
    `connection_key` is always the target; `proxy` is the proxy whose turn it was on the way there,
    without its credentials, or None.
    """

    phase = "connecting"
    """What was going on, in words."""

    def __init__(
        self,
        connection_key: Target | None = None,
        seconds: float | None = None,
        elapsed: float | None = None,
        attempts: "tuple[FailedAttempt, ...]" = (),
        proxy: "Proxy | None" = None,
    ) -> None:
        super().__init__()
        self.connection_key = _detached(connection_key)
        self.seconds = seconds
        self.elapsed = elapsed
        self.attempts = attempts
        self.proxy = None if proxy is None else proxy.detached()
        self.args = (self.connection_key, seconds, elapsed)

    @override
    def __str__(self) -> str:
        where = "" if self.connection_key is None else f" to{_where(self.connection_key)}"
        limit = "" if self.seconds is None else f" within {self.seconds:g} s"
        took = "" if self.elapsed is None else f", which took {self.elapsed:.3g} s"
        reasons = "; ".join(f"{attempt.address[0]}: {attempt.message}" for attempt in self.attempts)
        tried = f" ({reasons})" if reasons else ""
        at = "" if self.proxy is None else f" at the proxy{_where(self.proxy.target)}"
        return f"no connection{where}{limit}: timed out{at} while {self.phase}{took}{tried}"

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        limits = self.connection_key, self.seconds, self.elapsed
        return type(self), (*limits, self.attempts, self.proxy), self.__dict__


class PoolTimeoutError(ConnectionTimeoutError):
    """All places of the pool stayed taken."""

    phase = "waiting for a place in the pool"


class DNSTimeoutError(ConnectionTimeoutError):
    """The name was not resolved in time."""

    phase = "resolving the name"


class DialTimeoutError(ConnectionTimeoutError):
    """No address answered in time."""

    phase = "connecting"


class ProxyTimeoutError(ConnectionTimeoutError):
    """The proxy did not open the way to the target in time."""

    phase = "asking the proxy for the way"


class TLSTimeoutError(ConnectionTimeoutError):
    """The TLS handshake did not end in time."""

    phase = "doing the TLS handshake"


def _detached(target: Target | None) -> Target | None:
    return None if target is None else target.detached()


def _where(target: Target | None) -> str:
    """A target behind a word; nothing in an error that is made by hand."""
    if target is None:
        return ""
    # A stand-in for a target may come from the tests of a program: what it says is not worth another error.
    host = f"[{target.host}]" if ":" in str(target.host) else target.host
    if target.ssl is None:
        return f" {host}:{target.port}"
    setting = "own context"
    if isinstance(target.ssl, bool):
        setting = "verified" if target.ssl else "not verified"
    elif isinstance(target.ssl, Fingerprint):
        setting = "by fingerprint"
    return f" {host}:{target.port} (TLS, {setting})"


def _hex(fingerprint: bytes | str) -> str:
    """A fingerprint to look at; bytes are raw unless they are hex digits."""
    if isinstance(fingerprint, str):
        return fingerprint
    return fingerprint.decode("latin-1") if len(fingerprint) > 32 else fingerprint.hex()


def _reason(error: OSError) -> str:
    # strerror is None when an OSError was made from a message alone.
    return error.strerror or str(error) or type(error).__name__
