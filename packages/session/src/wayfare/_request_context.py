"""What a verb returns: something to await, to enter, or to hand to a task."""

import sys
from collections.abc import Coroutine, Generator
from types import TracebackType
from typing import Any, TypedDict, TypeVar, final

from ._response import ClientResponse

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("CoroutineContext", "Delivery", "RequestContext")

Result = TypeVar("Result", covariant=True)


class Delivery(TypedDict, total=False):
    """Where a request's coroutine leaves its response for the block that waits for it; `to_block` if there is one.

    It stands between the two because a reference from the coroutine to its context would be a cycle: a request that is
    never awaited would warn late. A dictionary, since the garbage collector does not look at one that holds no objects:
    it has less to do while many requests wait.
    """

    to_block: bool
    response: ClientResponse


class CoroutineContext(Coroutine[Any, Any, Result]):
    """A coroutine, and what more a class below makes of it; one that is never awaited warns, as coroutines do."""

    __slots__ = ("_coroutine",)

    _coroutine: Coroutine[Any, Any, Result]

    @override
    def send(self, value: Any) -> Any:
        """Resume it (the coroutine protocol; for event loops)."""
        return self._coroutine.send(value)

    @override
    def throw(self, *args: Any) -> Any:
        """Raise inside of it (the coroutine protocol; for event loops)."""
        return self._coroutine.throw(*args)

    @override
    def close(self) -> None:
        """Give it up before it is awaited."""
        self._coroutine.close()

    @override
    def __await__(self) -> Generator[Any, None, Result]:
        return self._coroutine.__await__()


@final
class RequestContext(CoroutineContext[ClientResponse]):
    """A request that is sent when this is awaited, entered with `async with`, or run as a task.

    `async with` releases the response at the end of its block. One that is never awaited warns, as coroutines do.
    """

    __slots__ = ("_delivery",)

    def __init__(self, coroutine: Coroutine[Any, Any, ClientResponse], delivery: Delivery) -> None:
        self._coroutine = coroutine
        self._delivery = delivery

    def __aenter__(self) -> Coroutine[Any, Any, ClientResponse]:
        self._delivery["to_block"] = True
        return self._coroutine

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._delivery["response"].release()
