"""Middlewares: what stands between a session and the exchange of one request for one response."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias, final

from ._request import ClientRequest
from ._response import ClientResponse

__all__ = ("ClientHandlerType", "ClientMiddlewareType", "Sender", "chain")

ClientHandlerType: TypeAlias = Callable[[ClientRequest], Awaitable[ClientResponse]]
"""What a middleware calls to have a request sent, as often as it likes."""

ClientMiddlewareType: TypeAlias = Callable[
    [ClientRequest, ClientHandlerType], Awaitable[ClientResponse]
]
"""`async def middleware(request, handler)`: changes the request, the response, or whether there is one."""


def chain(
    middlewares: Sequence[ClientMiddlewareType], handler: ClientHandlerType
) -> ClientHandlerType:
    """A handler that sends a request through the middlewares, the first of them outermost."""
    for middleware in reversed(middlewares):
        handler = _Link(middleware, handler)
    return handler


@final
class _Link:
    __slots__ = ("_handler", "_middleware")

    def __init__(self, middleware: ClientMiddlewareType, handler: ClientHandlerType) -> None:
        self._middleware = middleware
        self._handler = handler

    def __call__(self, request: ClientRequest) -> Awaitable[ClientResponse]:
        return self._middleware(request, self._handler)


@final
class Sender:
    """The innermost handler of one attempt. It remembers the responses, so that none is left over."""

    __slots__ = ("_send", "responses")

    def __init__(self, send: ClientHandlerType) -> None:
        self._send = send
        self.responses: list[ClientResponse] = []

    async def __call__(self, request: ClientRequest) -> ClientResponse:
        response = await self._send(request)
        self.responses.append(response)
        return response

    def release_but(self, returned: ClientResponse | None) -> None:
        """Release what no middleware returned.

        A response of somebody else's making may stand for any of ours, so all are left to it then.
        """
        if returned is None or returned in self.responses:
            for response in self.responses:
                if response is not returned:
                    response.release()
