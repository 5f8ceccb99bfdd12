"""Sending a file from the kernel's cache to a socket, past the process (sendfile(2)).

It takes about half of the processor time of reading and writing. It is done here and not by `loop.sendfile`, which
stops reading meanwhile: the answer of a server that refuses the upload would not be seen. It also waits for the disk
on the loop's thread, and uvloop does not have it. Here a thread brings into memory what is not there yet.
"""

import asyncio
import errno
import os
import stat
from typing import BinaryIO, Protocol

__all__ = ("FilePace", "WriteFailedError", "send_file", "wake")

_STEP = 256 * 1024
"""Octets per call: what one call can send to a peer that takes everything."""
_UNSUPPORTED = frozenset((errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP))


class WriteFailedError(Exception):
    """The connection broke."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error)
        self.error = error


class FilePace(Protocol):
    """Whoever sends a file is told how it goes."""

    def moved(self, octets: int) -> None:
        """So many octets left."""

    def blocked(self, octets: int) -> None:
        """So many octets wait for the peer."""

    async def turn(self) -> None:
        """Let others run, from time to time. Raises where nothing more is to be sent."""


async def send_file(
    pace: FilePace, transport: asyncio.BaseTransport, file: BinaryIO, offset: int, count: int
) -> bool:
    """Send `count` octets of a file from `offset` on; False, and nothing was sent, where that is not possible.

    The transport must be one that sends to its socket what it is given as it is, and must have nothing to send.

    Raises: ValueError when the file is too short or changes its size meanwhile (R8), OSError where it cannot be read,
    `WriteFailedError`.
    Cancellation: some of the file was sent.
    """
    try:
        source = file.fileno()
    except (AttributeError, OSError):
        return False
    before = os.fstat(source)
    if not stat.S_ISREG(before.st_mode):
        return False
    loop = asyncio.get_running_loop()
    target = os.dup(transport.get_extra_info("socket").fileno())
    try:
        sent = 0
        while sent < count:
            at, step = offset + sent, min(count - sent, _STEP)
            try:
                # Both ends are looked at: the system reads ahead in one stretch.
                if not (_is_in_memory(source, at) and _is_in_memory(source, at + step - 1)):
                    await loop.run_in_executor(None, os.pread, source, step, at)
                octets = os.sendfile(target, source, at, step)
            except BlockingIOError:
                pace.blocked(count - sent)
                await _writable(target)
                continue
            except OSError as exc:
                if not sent and exc.errno in _UNSUPPORTED:
                    return False
                if not isinstance(exc, ConnectionError | TimeoutError):
                    # Routes and interfaces fail with other errors, too, and none says whose it is. It is the socket's
                    # if the file can be read; if not, this raises the file's.
                    await loop.run_in_executor(None, os.pread, source, step, at)
                raise WriteFailedError(exc) from exc
            if not octets:
                raise ValueError(f"the file ended after {sent} of the announced {count} octets")
            sent += octets
            pace.moved(octets)
            await pace.turn()
    finally:
        os.close(target)
    if os.fstat(source).st_size != before.st_size:
        raise ValueError("the file changed its size while it was sent")
    return True


def _is_in_memory(descriptor: int, at: int) -> bool:
    """Whether an octet of a file can be read without a wait; False where the system does not say."""
    try:
        return os.preadv(descriptor, [bytearray(1)], at, os.RWF_NOWAIT) >= 0
    except (AttributeError, OSError):
        return False


async def _writable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    writable: asyncio.Future[None] = loop.create_future()
    # A duplicate, since the loop does not let its transports' own descriptors be watched.
    loop.add_writer(descriptor, wake, writable)
    try:
        await writable
    finally:
        loop.remove_writer(descriptor)


def wake(future: "asyncio.Future[None]") -> None:
    """End a wait that is not over yet."""
    if not future.done():
        future.set_result(None)
