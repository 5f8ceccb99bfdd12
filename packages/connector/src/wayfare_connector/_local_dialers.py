"""Dialling what has a path on this machine: Unix sockets, and Windows' named pipes."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast, final

from ._errors import UnixClientConnectorError
from ._target import Target
from ._timeouts import ConnectDeadline

if TYPE_CHECKING:
    from ._observer import ConnectObserver

__all__ = ("NamedPipeDialer", "UnixDialer")

P = TypeVar("P", bound=asyncio.BaseProtocol)

_FIRST_PAUSE: Final = 0.001
_LONGEST_PAUSE: Final = 0.05
"""Seconds between two tries: a server that lives accepts within the first, one that hangs costs little."""


@final
class UnixDialer:
    """Dials a Unix socket, whatever the target's host and port are.

    `path` is the socket's, or with a leading NUL a name of Linux' abstract namespace.
    """

    fixed_destination: Final = True
    """There are no proxies on the way; see `Dialer`."""

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
        """Connect to the socket; see `Dialer`. A server that has not accepted all who came before is waited for.

        Raises: `UnixClientConnectorError` when there is none, nobody listens, or the path is too
        long for the system (N10).
        Cancellation: nothing stays open.
        """
        dialling = partial(self._open, protocol_factory)
        return await _dial(self.path, dialling, target, deadline, observer)

    async def _open(
        self, protocol_factory: Callable[[], P]
    ) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            await _connect(sock, self.path)
            loop = asyncio.get_running_loop()
            return await loop.create_unix_connection(protocol_factory, sock=sock)
        except BaseException:
            sock.close()
            raise


@final
class NamedPipeDialer:
    r"""Dials a named pipe of Windows, such as `\\.\pipe\name`, whatever the target's host is.

    It needs asyncio's proactor event loop.
    """

    fixed_destination: Final = True
    """There are no proxies on the way; see `Dialer`."""

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


async def _connect(sock: socket.socket, path: str) -> None:
    """Connect a socket that does not block.

    With a full backlog Linux says EAGAIN, for which loops take the connection to be under way. It is not, and
    nothing tells when there is room: only another try does.
    """
    pause = _FIRST_PAUSE
    while True:
        try:
            sock.connect(path)
        except BlockingIOError:
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        else:
            return


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
