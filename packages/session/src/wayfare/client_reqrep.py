"""Requests and responses, where applications look for them."""

from wayfare_connector import Fingerprint
from wayfare_connector import Target as ConnectionKey
from wayfare_http_core import ContentDisposition

from ._request import ClientRequest, RequestInfo
from ._response import ClientResponse

__all__ = (
    "ClientRequest",
    "ClientResponse",
    "ConnectionKey",
    "ContentDisposition",
    "Fingerprint",
    "RequestInfo",
)
