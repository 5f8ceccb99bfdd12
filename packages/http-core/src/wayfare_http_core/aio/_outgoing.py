"""How a request leaves: decided here, before any octet of it is written."""

from typing import NamedTuple

from wayfare_http_core._connection import ExchangeOptions, RequestBody, TrailerBody
from wayfare_http_core._fields import FieldBlock
from wayfare_http_core._head import RequestHead
from wayfare_http_core._request_writer import EncodedRequest, encode_request_head

__all__ = ("Outgoing", "prepare_request")

_JOINED_BODY = 64 * 1024
"""Up to this many octets, a body is joined to its head and leaves in one write."""


class Outgoing(NamedTuple):
    """A request, encoded, and what else its connection has to know of it."""

    octets: bytes
    """What is written first: the head, and a short body with it."""
    joined: int
    """How many of these octets are content, -1 for a request without a body or with one that follows."""
    body: RequestBody | bytes | None
    """The body that follows, if any."""
    request: EncodedRequest
    """How it is delimited."""
    expects_continue: bool
    """Whether the body waits for 100 (RFC 9110 section 10.1.1)."""
    offers_upgrade: bool
    closes: bool
    """Whether the request asks for the end of the connection."""

    def tell_sent(self, options: ExchangeOptions) -> None:
        """Call the hooks for a body that left together with its head, or that is empty."""
        if self.joined > 0 and options.on_sent is not None:
            options.on_sent(self.joined)
        if self.joined >= 0 and options.on_upload_end is not None:
            options.on_upload_end(None)


def prepare_request(
    head: RequestHead,
    body: RequestBody | bytes | None,
    via: FieldBlock | None = None,
    *,
    may_expect: bool = True,
) -> Outgoing:
    """Encode a request that is more than a plain head.

    `Expect: 100-continue` is left out where there is nothing to wait for: the body is empty, or `may_expect` is False,
    since the peer spoke HTTP/1.0 and does not know the field. With `via` the request is for a proxy: in the
    absolute-form, with these fields behind its own.

    Raises: as `encode_request_head`, before anything is sent.
    """
    names = head.fields.names
    expects = "expect" in names and "100-continue" in head.fields.options("expect")
    if expects and (not may_expect or _is_empty(body)):
        head = _without_expectation(head)
        expects = False
    request = _encode(head, body, absolute=via is not None)
    if via is not None:
        request = request._replace(octets=b"%b%b\r\n" % (request.octets[:-2], via.encoded))
    joined = -1
    octets = request.octets
    if isinstance(body, bytes) and len(body) <= _JOINED_BODY and not (expects or request.chunked):
        joined = len(body)
        octets += body
        body = None
    return Outgoing(
        octets=octets,
        joined=joined,
        body=body,
        request=request,
        expects_continue=expects,
        offers_upgrade="upgrade" in names,
        closes="connection" in names and "close" in head.fields.options("connection"),
    )


def _is_empty(body: RequestBody | bytes | None) -> bool:
    return not body if body is None or isinstance(body, bytes) else body.length == 0


def _without_expectation(head: RequestHead) -> RequestHead:
    fields = FieldBlock(
        (name, value) for name, value in head.fields.pairs if name.lower() != "expect"
    )
    return RequestHead(head.method, head.scheme, head.authority, head.path, fields)


def _encode(
    head: RequestHead, body: RequestBody | bytes | None, *, absolute: bool
) -> EncodedRequest:
    if body is None:
        return encode_request_head(head, -1, absolute=absolute)
    if isinstance(body, bytes):
        return encode_request_head(head, len(body), absolute=absolute)
    with_trailers = isinstance(body, TrailerBody)
    length = None if with_trailers else body.length
    request = encode_request_head(head, length, content_type=body.content_type, absolute=absolute)
    if with_trailers and not request.chunked:
        raise ValueError("a body with trailer fields is sent in chunks, and Content-Length forbids")
    return request
