"""The opening handshake of a WebSocket as a step of a request's way, and what a refusal becomes."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, final

from wayfare_websocket import (
    Accepted,
    ClientHandshake,
    DeflateOffer,
    HandshakeRefused,
    WSServerHandshakeError,
)

from ._refused_response import beginning_of
from ._request import ClientRequest
from ._response import ClientResponse

if TYPE_CHECKING:
    from ._middlewares import ClientHandlerType

__all__ = ("HandshakeStep", "refusal")


@final
class HandshakeStep:
    """The innermost middleware of a handshake: every attempt gets a key of its own, also after a redirect (W6)."""

    __slots__ = ("_attempts", "_deflate", "_protocols")

    def __init__(self, protocols: Iterable[str], deflate: DeflateOffer | None) -> None:
        """Raises: ValueError as `ClientHandshake`."""
        self._protocols = tuple(protocols)
        self._deflate = deflate
        self._attempts: list[tuple[ClientResponse, ClientHandshake]] = []

    def make_handshake(self) -> ClientHandshake:
        """One attempt."""
        return ClientHandshake(protocols=self._protocols, deflate=self._deflate)

    async def __call__(
        self, request: ClientRequest, handler: "ClientHandlerType"
    ) -> ClientResponse:
        """Send the request with the fields of one attempt."""
        handshake = self.make_handshake()
        for name, value in handshake.fields:
            request.headers[name] = value
        response = await handler(request)
        self._attempts.append((response, handshake))
        return response

    def check(self, response: ClientResponse) -> Accepted | HandshakeRefused:
        """What the answer means, by the attempt that it answers."""
        for answer, handshake in self._attempts:
            if answer is response:
                return handshake.check(response.status, response.headers)
        return HandshakeRefused(response.status, "a middleware answered in the server's place")


async def refusal(response: ClientResponse, refused: HandshakeRefused) -> WSServerHandshakeError:
    """The error for an answer that does not open a WebSocket, with the beginning of its content.

    Cancellation: the response is released.
    """
    try:
        body = b"" if response.status == 101 else await beginning_of(response)
    finally:
        error = response.make_error(WSServerHandshakeError, _words(response, refused))
        response.close()
    error.body = body
    return error


def _words(response: ClientResponse, refused: HandshakeRefused) -> str:
    location = response.headers.get("Location")
    if location is None or not 300 <= response.status < 400:
        return refused.reason
    return (
        f"{refused.reason}; it redirects to {location[:200]!r}, which allow_redirects=True follows"
    )
