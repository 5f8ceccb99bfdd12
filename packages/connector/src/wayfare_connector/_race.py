"""The race for the first address that answers (RFC 8305), and how each of the others failed."""

import asyncio
import errno
import socket
from typing import Any, cast, final

from aiohappyeyeballs import start_connection

from ._addresses import AddrInfoType
from ._cancel_requests import cancel_requests
from ._errors import ClientConnectorError
from ._failed_attempt import FailedAttempt
from ._sockets import SocketSettings
from ._target import Target
from ._timeouts import ConnectDeadline

__all__ = ("connect_first",)


async def connect_first(
    target: Target,
    addr_infos: list[AddrInfoType],
    *,
    settings: SocketSettings,
    delay: float | None,
    interleave: int | None,
    deadline: ConnectDeadline,
) -> socket.socket:
    """The first socket that connects (N1); the others are closed.

    Raises: `ClientConnectorError` that lists each address (N2).
    Cancellation: all are closed; the deadline is told of each address that was tried.
    """
    attempts = _Attempts(asyncio.get_running_loop(), settings)
    before = cancel_requests()
    try:
        sock = await start_connection(
            addr_infos,
            happy_eyeballs_delay=delay,
            interleave=interleave,
            loop=cast(asyncio.AbstractEventLoop, attempts),
            socket_factory=attempts.open_socket,
        )
        return _unless_cancelled(sock, before)
    except OSError as exc:
        raise ClientConnectorError(target, attempts.summary(exc), attempts.failed()) from exc
    except asyncio.CancelledError:
        deadline.tried(attempts.failed() + attempts.unanswered())
        raise


def _unless_cancelled(sock: socket.socket, before: int) -> socket.socket:
    """The winner, if there are no more requests to cancel than before.

    The race awaits its losers when it ends them, and takes a cancellation of ours for theirs.
    """
    if cancel_requests() > before:
        sock.close()
        raise asyncio.CancelledError
    return sock


@final
class _Attempts:
    """Stands between the race and the loop, and keeps how each address failed.

    The race itself only tells how the first one failed, or one text for all.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, settings: SocketSettings) -> None:
        self._loop = loop
        self._settings = settings
        self._errors: list[tuple[Any, OSError]] = []
        self._pending: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    def open_socket(self, addr_info: AddrInfoType) -> socket.socket:
        """A socket for this address."""
        try:
            return self._settings.open(addr_info)
        except OSError as exc:
            self._errors.append((addr_info[4], exc))
            raise

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """What the race calls for each address."""
        self._pending.append(address)
        try:
            await self._loop.sock_connect(sock, address)
        except OSError as exc:
            self._fail(address, exc)
            raise
        except RuntimeError as exc:
            # uvloop's way to refuse a socket.
            error = OSError(errno.EINVAL, str(exc))
            self._fail(address, error)
            raise error from exc
        self._pending.remove(address)

    def _fail(self, address: Any, error: OSError) -> None:
        self._pending.remove(address)
        self._errors.append((address, error))

    def failed(self) -> tuple[FailedAttempt, ...]:
        """Each address that failed, and its error."""
        return tuple(
            FailedAttempt(address, exc.errno, exc.strerror or str(exc))
            for address, exc in self._errors
        )

    def unanswered(self) -> tuple[FailedAttempt, ...]:
        """Each address that was given up."""
        return tuple(
            FailedAttempt(address, errno.ETIMEDOUT, "no answer") for address in self._pending
        )

    def summary(self, fallback: OSError) -> OSError:
        """One error for all of them, with the errno of the first."""
        causes = [exc for _, exc in self._errors] or [fallback]
        if len(causes) == 1:
            return causes[0]
        reasons = "; ".join(f"{address[0]}: {exc.strerror or exc}" for address, exc in self._errors)
        return OSError(causes[0].errno, f"no address answered ({reasons})")
