"""`data=` that is a form, a file, a body of parts, or what a registered payload is made of.

wayfare_multipart loads with the first of them.
"""

from collections.abc import Mapping
from typing import Any

from wayfare_http_core import RequestBody
from wayfare_multipart import (
    PAYLOAD_REGISTRY,
    AsyncIterablePayload,
    FormData,
    Payload,
    PayloadRegistry,
    StreamReaderPayload,
)
from wayfare_multipart.aio import async_body

__all__ = ("body_from_payload", "body_from_registered", "body_from_value")


def body_from_value(data: Any, registry: PayloadRegistry | None) -> tuple[RequestBody | bytes, str]:
    """A body and its media type from a value that is neither octets nor text; None is the usual registry.

    A mapping, a list or a tuple are the fields of a form, urlencoded unless there is a file among them. Files are read
    in a thread where they would block.

    Raises: TypeError, naming the type, for what cannot be sent; ValueError for a form that cannot be.
    """
    if registry is None:
        registry = PAYLOAD_REGISTRY
    if isinstance(data, Mapping | list | tuple):
        data = FormData(data, registry=registry)
    if isinstance(data, FormData):
        return body_from_payload(data())
    try:
        return body_from_payload(registry.get(data))
    except LookupError:
        raise TypeError(
            "data must be bytes, str, a form, a file, an iterator or async iterable of bytes or a RequestBody, not "
            f"{type(data).__name__}"
        ) from None


def body_from_registered(
    data: Any, registry: PayloadRegistry | None
) -> tuple[RequestBody | bytes, str] | None:
    """A body and its media type from an async iterable that a payload type of its own is registered for.

    None for any other: there is nothing more to know about it than that it gives octets.

    Raises: what makes the payload does.
    """
    if registry is None:
        registry = PAYLOAD_REGISTRY
    try:
        payload = registry.get(data)
    except LookupError:
        return None  # a registry of the caller's own may know no streams at all
    if type(payload) is AsyncIterablePayload or type(payload) is StreamReaderPayload:
        return None
    return body_from_payload(payload)


def body_from_payload(payload: Payload) -> tuple[RequestBody | bytes, str]:
    """A payload as a body for an event loop, with its media type."""
    octets = payload.in_memory
    return async_body(payload) if octets is None else octets, payload.content_type
