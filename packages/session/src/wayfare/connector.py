"""Connectors, where applications look for them."""

from wayfare_connector import (
    AddrInfoType,
    BaseConnector,
    Fingerprint,
    NamedPipeConnector,
    SocketFactoryType,
    TCPConnector,
    UnixConnector,
)
from wayfare_http_core import Connection

__all__ = (
    "AddrInfoType",
    "BaseConnector",
    "Connection",
    "Fingerprint",
    "NamedPipeConnector",
    "SocketFactoryType",
    "TCPConnector",
    "UnixConnector",
)
