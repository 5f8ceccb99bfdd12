"""What a verb returns: something to await, to enter, or to hand to a task."""

import sys
from collections.abc import Coroutine, Generator
from types import TracebackType
from typing import Any, final

from ._response import ClientResponse

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("RequestContext",)


@final
class RequestContext(Coroutine[Any, Any, ClientResponse]):
    """A request that is sent when this is awaited, entered with `async with`, or run as a task.

    `async with` releases the response at the end of its block. One that is never awaited warns, as coroutines do.
    """

    __slots__ = ("_coroutine", "_received")

    def __init__(
        self, coroutine: Coroutine[Any, Any, ClientResponse], received: list[ClientResponse]
    ) -> None:
        self._coroutine = coroutine
        # Where the coroutine leaves its response for `__aexit__`. A reference to this object would be a cycle, and
        # one that is never awaited would warn late.
        self._received = received

    @override
    def send(self, value: Any) -> Any:
        """Resume the request (the coroutine protocol; for event loops)."""
        return self._coroutine.send(value)

    @override
    def throw(self, *args: Any) -> Any:
        """Raise inside the request (the coroutine protocol; for event loops)."""
        return self._coroutine.throw(*args)

    @override
    def close(self) -> None:
        """Give the request up before it is awaited."""
        self._coroutine.close()

    @override
    def __await__(self) -> Generator[Any, None, ClientResponse]:
        return self._coroutine.__await__()

    def __aenter__(self) -> Coroutine[Any, Any, ClientResponse]:
        return self._coroutine

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for response in self._received:
            response.release()
