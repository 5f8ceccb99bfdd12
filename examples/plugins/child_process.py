"""A dialer through the standard input and output of a child process, as `ssh -W host:port` offers them.

    connector = TCPConnector(dialer=ChildProcessDialer("ssh", "-W", "{host}:{port}", "jump.example"))

It uses public names alone. TLS, the pool and all timeouts work on top of it unchanged.
"""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar, cast

from wayfare_connector import ConnectDeadline, ConnectObserver, Target

P = TypeVar("P", bound=asyncio.BaseProtocol)


class ChildProcessDialer:
    """Starts a command for each connection; `{host}` and `{port}` in its arguments are the target's."""

    def __init__(self, *command: str) -> None:
        self.command = command
        # A command that is not told where to lead leads to one peer: nothing that is meant for a proxy may get there.
        self.fixed_destination = not any("{host}" in word for word in command)

    async def dial(
        self,
        target: Target,
        protocol_factory: Callable[[], P],
        *,
        deadline: ConnectDeadline,
        observer: ConnectObserver | None,
    ) -> tuple[asyncio.Transport, P]:
        """Start the command and let the protocol speak through it; see `wayfare_connector.Dialer`."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        if observer is not None:
            await observer.dial_start(target)
        command = [word.format(host=target.host, port=target.port) for word in self.command]
        protocol = protocol_factory()
        with deadline.connecting():
            _, child = await loop.subprocess_exec(lambda: Child(protocol), *command, stderr=None)
        if observer is not None:
            try:
                await observer.dial_end(target, None, loop.time() - started)
            except BaseException:
                child.abort()
                raise
        return child, protocol


class Child(asyncio.SubprocessProtocol, asyncio.Transport):
    """One end of a stream: a child's protocol to the loop, and the transport of the protocol above."""

    def __init__(self, protocol: asyncio.BaseProtocol) -> None:
        asyncio.Transport.__init__(self)
        self._protocol: Any = protocol
        self._closing = False
        self._reading = True

    # For the loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._child = cast(asyncio.SubprocessTransport, transport)
        self._stdin = cast(asyncio.WriteTransport, self._child.get_pipe_transport(0))
        self._stdout = cast(asyncio.ReadTransport, self._child.get_pipe_transport(1))
        self._protocol.connection_made(self)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        # A BufferedProtocol brings its own memory; fill as much of it as there is, again and again.
        if not isinstance(self._protocol, asyncio.BufferedProtocol):
            self._protocol.data_received(data)
            return
        while data:
            buffer = memoryview(self._protocol.get_buffer(len(data)))
            size = min(len(buffer), len(data))
            buffer[:size] = data[:size]
            data = data[size:]
            self._protocol.buffer_updated(size)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd == 1 and not self._closing and not self._protocol.eof_received():
            self.close()

    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._protocol.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        self._child.close()
        self._protocol.connection_lost(exc)

    # For the protocol above, and whoever puts another one in its place.

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return cast(asyncio.BaseProtocol, self._protocol)

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        """Say goodbye: what was written still goes out, then the child reads the end and ends too."""
        self._closing = True
        self._stdin.close()

    def abort(self) -> None:
        """End the child at once."""
        self._closing = True
        self._child.close()

    def is_reading(self) -> bool:
        return self._reading and not self._closing

    def pause_reading(self) -> None:
        if self.is_reading():
            self._reading = False
            self._stdout.pause_reading()

    def resume_reading(self) -> None:
        if not self._reading and not self._closing:
            self._reading = True
            self._stdout.resume_reading()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._stdin.write(data)

    def get_write_buffer_size(self) -> int:
        return self._stdin.get_write_buffer_size()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._stdin.get_write_buffer_limits()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._stdin.set_write_buffer_limits(high, low)
