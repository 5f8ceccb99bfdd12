"""Middlewares: what stands between a session and the exchange of one request for one response."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias, final

from ._request import ClientRequest
from ._response import ClientResponse

__all__ = ("ClientHandlerType", "ClientMiddlewareType", "chain")

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
