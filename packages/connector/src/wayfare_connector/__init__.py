"""From a target to a live connection: dialling, TLS and the pool."""

from ._connector import BaseConnector, TCPConnector
from ._dialer import Dialer, TCPDialer
from ._errors import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientSSLError,
    ConnectionTimeoutError,
    ConnectorClosedError,
    DialTimeoutError,
    DNSTimeoutError,
    FailedAttempt,
    PoolTimeoutError,
    TLSTimeoutError,
)
from ._observer import ConnectObserver
from ._pool import Decision, Pool, PoolStats, Ticket, TicketState
from ._resolver import AbstractResolver, ResolveResult, ThreadedResolver
from ._target import LimitKey, LocalAddress, Target, TLSContextRef, TLSSetting
from ._timeouts import ConnectDeadline, ConnectTimeouts
from ._tls import (
    TLSFacts,
    TLSLayer,
    TLSTransport,
    default_context,
    get_default_context,
    tls_facts,
    unverified_context,
)
from ._version import __version__

__all__ = (
    "AbstractResolver",
    "BaseConnector",
    "ClientConnectorCertificateError",
    "ClientConnectorDNSError",
    "ClientConnectorError",
    "ClientConnectorSSLError",
    "ClientSSLError",
    "ConnectDeadline",
    "ConnectObserver",
    "ConnectTimeouts",
    "ConnectionTimeoutError",
    "ConnectorClosedError",
    "DNSTimeoutError",
    "Decision",
    "DialTimeoutError",
    "Dialer",
    "FailedAttempt",
    "LimitKey",
    "LocalAddress",
    "Pool",
    "PoolStats",
    "PoolTimeoutError",
    "ResolveResult",
    "TCPConnector",
    "TCPDialer",
    "TLSContextRef",
    "TLSFacts",
    "TLSLayer",
    "TLSSetting",
    "TLSTimeoutError",
    "TLSTransport",
    "Target",
    "ThreadedResolver",
    "Ticket",
    "TicketState",
    "__version__",
    "default_context",
    "get_default_context",
    "tls_facts",
    "unverified_context",
)
