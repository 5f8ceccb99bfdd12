"""From a target to a live connection: dialling, TLS and the pool."""

from importlib import import_module
from typing import TYPE_CHECKING

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
    ProxyTimeoutError,
    TLSTimeoutError,
)
from ._observer import ConnectObserver
from ._pool import Decision, Pool, PoolStats, Ticket, TicketState
from ._resolver import AbstractResolver, ResolveResult, ThreadedResolver
from ._target import LimitKey, LocalAddress, Target, TLSContextRef, TLSSetting
from ._timeouts import ConnectDeadline, ConnectTimeouts
from ._version import __version__

if TYPE_CHECKING:
    from ._tls import (
        TLSFacts,
        TLSLayer,
        TLSTransport,
        default_context,
        get_default_context,
        tls_facts,
        unverified_context,
    )
else:
    # The TLS stage loads with the first target that needs it, or when one of its names is asked for.
    _OF_TLS = frozenset(
        (
            "TLSFacts",
            "TLSLayer",
            "TLSTransport",
            "default_context",
            "get_default_context",
            "tls_facts",
            "unverified_context",
        )
    )

    def __getattr__(name):
        if name not in _OF_TLS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module("wayfare_connector._tls"), name)
        return value


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
    "ProxyTimeoutError",
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
