"""TLS, complete: the stage between a raw transport and whoever speaks over it."""

from ._tls_context import default_context, get_default_context, unverified_context
from ._tls_facts import TLSFacts, tls_facts
from ._tls_layer import TLSLayer
from ._tls_names import server_name, sni_name
from ._tls_transport import TLSTransport

__all__ = (
    "TLSFacts",
    "TLSLayer",
    "TLSTransport",
    "default_context",
    "get_default_context",
    "server_name",
    "sni_name",
    "tls_facts",
    "unverified_context",
)
