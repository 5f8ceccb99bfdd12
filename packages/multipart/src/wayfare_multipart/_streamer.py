"""`@streamer`: bodies that push their octets into a writer, as programs of 2018 have them.

    @streamer
    async def file_sender(writer, file_name=None):
        with open(file_name, "rb") as file:
            while chunk := file.read(65536):
                await writer.write(chunk)

    session.post(url, data=file_sender(file_name="huge_file"))

An async generator says the same in fewer words.
"""

import sys
import warnings
from collections.abc import Awaitable, Callable, Iterator
from types import coroutine
from typing import Any, cast, final

from ._payload import BodyWriter
from ._registry import PAYLOAD_REGISTRY
from ._segments import Segment
from ._stream_payloads import OncePayload

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("StreamWrapperPayload", "StreamerCall", "streamer")

Push = Callable[..., Awaitable[object]]


@final
class StreamerCall:
    """A decorated function with its arguments; given a writer it writes."""

    __slots__ = ("_arguments", "_keywords", "_push")

    def __init__(self, push: Push, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        self._push = push
        self._arguments = arguments
        self._keywords = keywords

    def __call__(self, writer: BodyWriter) -> Awaitable[object]:
        """Begin to write."""
        return self._push(writer, *self._arguments, **self._keywords)


@final
class streamer:
    """Make a body of a function that writes its octets: `async def`, or a generator that says `yield from
    writer.write(chunk)`. Deprecated: send an async generator.
    """

    __slots__ = ("_push",)

    def __init__(self, push: Callable[..., Any]) -> None:
        warnings.warn(
            "@streamer is deprecated: send an async generator as data=",
            DeprecationWarning,
            stacklevel=2,
        )
        # Imported here: it is large, and new programs have no use for it.
        from inspect import isgeneratorfunction

        self._push = cast("Push", coroutine(push) if isgeneratorfunction(push) else push)

    def __call__(self, *args: Any, **kwargs: Any) -> StreamerCall:
        """The body that the function writes with these arguments."""
        return StreamerCall(self._push, args, kwargs)


@final
class StreamWrapperPayload(OncePayload):
    """What a `streamer` writes. Sent once, in chunks; the function runs in a task, one piece ahead at most."""

    def __init__(self, value: StreamerCall | streamer, *args: Any, **kwargs: Any) -> None:
        super().__init__(value() if isinstance(value, streamer) else value, *args, **kwargs)

    @property
    @override
    def is_async(self) -> bool:
        return True

    @override
    def segments(self) -> Iterator[Segment]:
        # Imported here: it takes an event loop, which whoever sends this has.
        from .aio import pushed

        yield pushed(self._take())


PAYLOAD_REGISTRY.register(StreamWrapperPayload, (StreamerCall, streamer))
