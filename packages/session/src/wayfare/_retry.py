"""Whether a request that failed may be sent again without the caller's doing (RFC 9112 section 9.3.1).

A pooled connection may have been closed by the server in the very moment in which a request was sent on it. Nobody did
anything wrong, and a caller can do nothing about it but ask again, so the session does: once, and only where the server
cannot have acted on the request, or acting twice is the same as acting once.
"""

from typing import Final

from wayfare_http_core import (
    ClientConnectionResetError,
    ClientOSError,
    RequestBody,
    RequestFailure,
    ServerDisconnectedError,
)

from ._request import ClientRequest

__all__ = ("IDEMPOTENT", "can_be_sent_again", "may_retry", "without_expectation")

IDEMPOTENT: Final = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "PUT", "TRACE"))
"""Methods whose request may be sent twice (RFC 9110 section 9.2.2)."""

_LOST: Final = (ServerDisconnectedError, ClientOSError, ClientConnectionResetError)
"""What the loss of a connection looks like; a timeout is none, nor is a response that breaks HTTP."""


def may_retry(
    method: str,
    body: RequestBody | bytes | None,
    error: BaseException,
    failure: RequestFailure | None,
) -> bool:
    """Whether an exchange that failed with this error may be repeated (L9).

    Never on a new connection: a server that drops those would get each request twice, and nobody would be helped.
    """
    if failure is None or not failure.reused or failure.response_started:
        return False
    if not isinstance(error, _LOST):
        return False
    # A middleware may have sent another method than the caller asked for; either must allow it.
    if failure.request_started and not IDEMPOTENT.issuperset((method, failure.method)):
        return False
    return can_be_sent_again(body)


def without_expectation(request: ClientRequest) -> ClientRequest | None:
    """The request to send after 417 refused its Expect (RFC 9110 section 10.1.1); None if that was not the reason."""
    if "expect" not in request.fields.names or not can_be_sent_again(request.body):
        return None
    again = request.copy()
    again.headers.popall("Expect")
    again.attempt += 1
    return again


def can_be_sent_again(body: RequestBody | bytes | None) -> bool:
    """Whether content can be sent once more, whole."""
    return body is None or isinstance(body, bytes) or body.replayable
