"""Connectors, where applications look for them."""

from wayfare_connector import (
    AddrInfoType,
    BaseConnector,
    Fingerprint,
    SocketFactoryType,
    TCPConnector,
)
from wayfare_http_core import Connection

__all__ = (
    "AddrInfoType",
    "BaseConnector",
    "Connection",
    "Fingerprint",
    "SocketFactoryType",
    "TCPConnector",
)
