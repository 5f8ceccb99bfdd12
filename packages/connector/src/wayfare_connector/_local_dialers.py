"""Dialling what has a path on this machine: Unix sockets, and Windows' named pipes."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast, final

from ._errors import UnixClientConnectorError
from ._target import Target
from ._timeouts import ConnectDeadline

if TYPE_CHECKING:
    from ._observer import ConnectObserver

__all__ = ("NamedPipeDialer", "UnixDialer")

P = TypeVar("P", bound=asyncio.BaseProtocol)


@final
class UnixDialer:
    """Dials a Unix socket, whatever the target's host and port are.

    `path` is the socket's, or with a leading NUL a name of Linux' abstract namespace.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)

    async def dial(
        self,
        target: Target,
        protocol_factory: Callable[[], P],
        *,
        deadline: ConnectDeadline,
        observer: "ConnectObserver | None",
    ) -> tuple[asyncio.Transport, P]:
        """Connect to the socket; see `Dialer`.

        Raises: `UnixClientConnectorError` when there is none, nobody listens, or the path is too
        long for the system (N10).
        Cancellation: nothing stays open.
        """
        create = asyncio.get_running_loop().create_unix_connection
        dialling = partial(create, protocol_factory, self.path)
        return await _dial(self.path, dialling, target, deadline, observer)


@final
class NamedPipeDialer:
    r"""Dials a named pipe of Windows, such as `\\.\pipe\name`, whatever the target's host is.

    It needs asyncio's proactor event loop.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    async def dial(
        self,
        target: Target,
        protocol_factory: Callable[[], P],
        *,
        deadline: ConnectDeadline,
        observer: "ConnectObserver | None",
    ) -> tuple[asyncio.Transport, P]:
        """Connect to the pipe; see `Dialer`.

        Raises: `UnixClientConnectorError`; `RuntimeError` on a loop that knows no pipes.
        Cancellation: nothing stays open.
        """
        loop: Any = asyncio.get_running_loop()
        create = getattr(loop, "create_pipe_connection", None)
        if create is None:
            raise RuntimeError(
                f"{type(loop).__name__} has no named pipes: use asyncio's ProactorEventLoop"
            )
        dialling = partial(create, protocol_factory, self.path)
        return await _dial(self.path, dialling, target, deadline, observer)


async def _dial(
    path: str,
    dialling: Callable[[], Awaitable[Any]],
    target: Target,
    deadline: ConnectDeadline,
    observer: "ConnectObserver | None",
) -> tuple[asyncio.Transport, P]:
    loop = asyncio.get_running_loop()
    started = loop.time()
    if observer is not None:
        await observer.dial_start(target)
    with deadline.connecting():
        try:
            transport, protocol = await dialling()
        except OSError as exc:
            raise UnixClientConnectorError(path, target, exc) from exc
    if observer is not None:
        try:
            await observer.dial_end(target, path, loop.time() - started)
        except BaseException:
            transport.abort()
            raise
    return cast(asyncio.Transport, transport), protocol
