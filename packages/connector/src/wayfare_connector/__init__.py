"""From a target to a live connection: dialling, TLS and the pool."""

from importlib import import_module
from typing import TYPE_CHECKING

from ._connector import BaseConnector
from ._errors import (
    AddressRefusedError,
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientHttpProxyError,
    ClientProxyConnectionError,
    ClientSSLError,
    ConnectionTimeoutError,
    ConnectorClosedError,
    DialTimeoutError,
    DNSTimeoutError,
    FingerprintMismatch,
    PoolTimeoutError,
    ProxyTimeoutError,
    ServerFingerprintMismatch,
    TLSTimeoutError,
    UnixClientConnectorError,
)
from ._fingerprint import Fingerprint
from ._pool import Decision, Pool, Ticket, TicketState
from ._target import LimitKey, LocalAddress, Target, TLSContextRef, TLSSetting
from ._tcp_connector import TCPConnector
from ._timeouts import ConnectDeadline, ConnectTimeouts
from ._version import __version__

if TYPE_CHECKING:
    from ._address_policy import AddressPolicy, PublicAddresses
    from ._addresses import AddrInfoType
    from ._async_resolver import AsyncResolver
    from ._connector_options import ConnectorOptions
    from ._default_resolver import DefaultResolver
    from ._dialer import Dialer
    from ._dns_cache import DNSCache
    from ._failed_attempt import FailedAttempt
    from ._local_connectors import NamedPipeConnector, UnixConnector
    from ._local_dialers import NamedPipeDialer, UnixDialer
    from ._no_proxy import NoProxy
    from ._observer import ConnectObserver
    from ._open_http1 import open_http1
    from ._pool_stats import PoolStats
    from ._proxy import Proxy, as_proxy
    from ._proxy_chooser import ProxyChooser, ProxyRules, choose_proxy
    from ._proxy_environment import EnvironmentProxies, ProxyVariableError, current_proxies
    from ._resolver import AbstractResolver, ResolveResult, ThreadedResolver
    from ._sockets import SocketFactoryType, SocketSettings
    from ._socks import SOCKSError, SOCKSHandshake, socks4_handshake, socks5_handshake
    from ._static_resolver import StaticResolver
    from ._tcp_dialer import TCPDialer
    from ._tls import (
        TLSFacts,
        TLSLayer,
        TLSTransport,
        default_context,
        get_default_context,
        tls_facts,
        unverified_context,
    )
    from ._tls_options import read_tls_options
    from ._truststore import truststore_context
else:
    # What a program may never need loads when one of its names is asked for, and the TLS stage with
    # the first target that needs it. Add new ones above and here.
    _LAZY = {
        "AbstractResolver": "_resolver",
        "AddrInfoType": "_addresses",
        "AddressPolicy": "_address_policy",
        "AsyncResolver": "_async_resolver",
        "ConnectObserver": "_observer",
        "ConnectorOptions": "_connector_options",
        "DNSCache": "_dns_cache",
        "DefaultResolver": "_default_resolver",
        "Dialer": "_dialer",
        "EnvironmentProxies": "_proxy_environment",
        "FailedAttempt": "_failed_attempt",
        "NamedPipeConnector": "_local_connectors",
        "NamedPipeDialer": "_local_dialers",
        "NoProxy": "_no_proxy",
        "PoolStats": "_pool_stats",
        "Proxy": "_proxy",
        "ProxyChooser": "_proxy_chooser",
        "ProxyRules": "_proxy_chooser",
        "ProxyVariableError": "_proxy_environment",
        "PublicAddresses": "_address_policy",
        "ResolveResult": "_resolver",
        "SOCKSError": "_socks",
        "SOCKSHandshake": "_socks",
        "SocketFactoryType": "_sockets",
        "SocketSettings": "_sockets",
        "StaticResolver": "_static_resolver",
        "TCPDialer": "_tcp_dialer",
        "TLSFacts": "_tls",
        "TLSLayer": "_tls",
        "TLSTransport": "_tls",
        "ThreadedResolver": "_resolver",
        "UnixConnector": "_local_connectors",
        "UnixDialer": "_local_dialers",
        "as_proxy": "_proxy",
        "choose_proxy": "_proxy_chooser",
        "current_proxies": "_proxy_environment",
        "default_context": "_tls",
        "get_default_context": "_tls",
        "open_http1": "_open_http1",
        "read_tls_options": "_tls_options",
        "socks4_handshake": "_socks",
        "socks5_handshake": "_socks",
        "tls_facts": "_tls",
        "truststore_context": "_truststore",
        "unverified_context": "_tls",
    }

    def __getattr__(name):
        module = _LAZY.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f".{module}", __name__), name)
        return value


__all__ = (
    "AbstractResolver",
    "AddrInfoType",
    "AddressPolicy",
    "AddressRefusedError",
    "AsyncResolver",
    "BaseConnector",
    "ClientConnectorCertificateError",
    "ClientConnectorDNSError",
    "ClientConnectorError",
    "ClientConnectorSSLError",
    "ClientHttpProxyError",
    "ClientProxyConnectionError",
    "ClientSSLError",
    "ConnectDeadline",
    "ConnectObserver",
    "ConnectTimeouts",
    "ConnectionTimeoutError",
    "ConnectorClosedError",
    "ConnectorOptions",
    "DNSCache",
    "DNSTimeoutError",
    "Decision",
    "DefaultResolver",
    "DialTimeoutError",
    "Dialer",
    "EnvironmentProxies",
    "FailedAttempt",
    "Fingerprint",
    "FingerprintMismatch",
    "LimitKey",
    "LocalAddress",
    "NamedPipeConnector",
    "NamedPipeDialer",
    "NoProxy",
    "Pool",
    "PoolStats",
    "PoolTimeoutError",
    "Proxy",
    "ProxyChooser",
    "ProxyRules",
    "ProxyTimeoutError",
    "ProxyVariableError",
    "PublicAddresses",
    "ResolveResult",
    "SOCKSError",
    "SOCKSHandshake",
    "ServerFingerprintMismatch",
    "SocketFactoryType",
    "SocketSettings",
    "StaticResolver",
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
    "UnixClientConnectorError",
    "UnixConnector",
    "UnixDialer",
    "__version__",
    "as_proxy",
    "choose_proxy",
    "current_proxies",
    "default_context",
    "get_default_context",
    "open_http1",
    "read_tls_options",
    "socks4_handshake",
    "socks5_handshake",
    "tls_facts",
    "truststore_context",
    "unverified_context",
)
