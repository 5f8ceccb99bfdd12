"""A peer that does what its script says, over memory transports and over real sockets."""

import asyncio
import random
import socket
import struct
import sys
from collections.abc import Callable, Generator, Iterable
from itertools import count
from typing import TypeAlias, assert_never, cast, final

from ._actions import (
    Action,
    Answer,
    Call,
    CloseWrite,
    Drip,
    Fin,
    Flood,
    Garbage,
    Read,
    ReadHead,
    ReadRequest,
    Repeat,
    Reset,
    Send,
    Serve,
    Stall,
    Wait,
)
from ._answers import actions_for
from ._memory import MemoryTransport
from ._replies import Reply
from ._request_rules import ReceivedRequest
from ._request_scanner import RequestScanner

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("ScriptedPeer",)

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_LINGER_ZERO = struct.pack("ii", 1, 0)

_Steps: TypeAlias = Generator[None, None, None]
"""A running action: it yields while it has to wait, and looks again each time something happens."""


class _ClientGone(Exception):
    """The client sent FIN where the script expected octets."""


@final
class ScriptedPeer(asyncio.Protocol):
    """One connection of a scripted server.

    It runs no task of its own: the script goes on in the callbacks of the transport, so a test that
    counts tasks sees only those of the code under test. When the script is over the peer stays
    connected and silent; it closes when the client closes. A client that sends what RFC 9112
    forbids gets an RST, and `error` says why.
    """

    def __init__(
        self,
        script: Iterable[Action],
        on_request: Callable[[ReceivedRequest], object] | None = None,
    ) -> None:
        self.received = bytearray()
        """Every octet that arrived."""
        self.requests: list[ReceivedRequest] = []
        """The requests that were read whole."""
        self.heads: list[ReceivedRequest] = []
        """The heads that were read before their content."""
        self.error: BaseException | None = None
        """What the client did wrong, or what a `Call` raised."""
        self.client_finished = False
        """Whether the client's FIN arrived."""
        self.connected = False
        self.lost_by: Exception | None = None
        """The error that ended the connection, if any."""
        self.script_done = False
        """Whether the script was played to its end."""
        self._script: tuple[Action, ...] = tuple(script)
        self._on_request = on_request
        self._scanner = RequestScanner()
        self._unanswered: ReceivedRequest | None = None
        self._head_read = False
        """Whether a head was read and its content was not."""
        self._transport: asyncio.Transport | None = None
        self._steps: _Steps | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._elapsed = False
        self._advancing = False
        self._news = False
        self._writable = True
        self._disconnected = asyncio.Event()
        self._disconnected.set()

    @property
    def transport(self) -> asyncio.Transport:
        """The peer's end of the connection. Raises: RuntimeError before it is connected."""
        if self._transport is None:
            raise RuntimeError("the peer was never connected")
        return self._transport

    @property
    def _plain(self) -> bool:
        return self.transport.get_extra_info("ssl_object") is None

    @property
    def timer(self) -> asyncio.TimerHandle | None:
        """The timer of the `Wait` that runs now."""
        return self._timer

    def write(self, data: bytes) -> None:
        """Send octets now, whatever the script is doing.

        Unless they begin an informational response, they count as the answer to the request that was read last.
        """
        if not data.startswith(b"HTTP/1.1 1"):
            self._unanswered = None
        self.transport.write(data)

    async def wait_closed(self) -> None:
        """Return when the connection is gone; at once if there was never one.

        Cancellation: safe.
        """
        await self._disconnected.wait()

    # -- the script ---------------------------------------------------------------------------

    def _advance(self) -> None:
        # TLS transports call back from within write() and close(): look again afterwards instead.
        self._news = True
        if self._advancing:
            return
        self._advancing = True
        try:
            while self._news and self._steps is not None:
                self._news = False
                self._step(self._steps)
        finally:
            self._advancing = False

    def _step(self, steps: _Steps) -> None:
        try:
            next(steps)
        except StopIteration:
            self._steps = None
            self.script_done = True
            if self.client_finished:
                self.transport.close()
        except _ClientGone:
            self._steps = None
            self.transport.close()
        except Exception as exc:
            self._steps = None
            self.error = exc
            self._reset()

    def _run(self, actions: Iterable[Action]) -> _Steps:
        for action in actions:
            yield from self._perform(action)

    def _perform(self, action: Action) -> _Steps:  # one case for each action
        match action:
            case ReadHead() | ReadRequest() | Read():
                yield from self._read(action)
            case Send(data):
                yield from self._send(data)
            case Garbage(seed, size):
                yield from self._send(random.Random(seed).randbytes(size))
            case Drip(data, size, seconds):
                for start in range(0, len(data), size):
                    yield from self._send(data[start : start + size])
                    yield from self._wait(seconds) if seconds else self._until_tick()
            case Flood(data, times):
                for _ in count() if times is None else range(times):
                    yield from self._send(data)
                    yield from self._until_tick()
            case Wait(seconds):
                yield from self._wait(seconds)
            case Stall(reading):
                if not reading:
                    self.transport.pause_reading()
                yield from self._until_lost()
            case CloseWrite():
                self.transport.write_eof()
            case Fin():
                self.transport.close()
                yield from self._until_lost()
            case Reset():
                self._reset()
                yield from self._until_lost()
            case Call(function):
                function(self)
            case Repeat(actions):
                while True:
                    yield from self._run(actions)
            case Reply():
                yield from self._reply(action)
            case Serve(answer, at_head):
                yield from self._serve(answer, at_head)
            case _:
                assert_never(action)

    def _read(self, action: ReadHead | ReadRequest | Read) -> _Steps:
        while not self._take(action):
            if self.client_finished:
                raise _ClientGone
            yield

    def _take(self, action: ReadHead | ReadRequest | Read) -> bool:
        match action:
            case Read(octets):
                return self._scanner.maybe_octets(octets) is not None
            case ReadHead():
                found = self._scanner.maybe_head()
                if found is not None:
                    self.heads.append(found)
                    self._unanswered = found
                    self._head_read = True
            case ReadRequest():
                found = self._scanner.maybe_request()
                if found is not None:
                    self._note(found)
        return found is not None

    def _note(self, request: ReceivedRequest) -> None:
        self.requests.append(request)
        # Of a request whose head was read before, the answer may be on its way already.
        if not self._head_read or self._unanswered is not None:
            self._unanswered = request
        self._head_read = False
        if self._on_request is not None:
            self._on_request(request)

    def _next_request(self, *, at_head: bool) -> Generator[None, None, ReceivedRequest]:
        """Wait for a request that has no answer yet: for its head, or for all of it."""
        while (request := self._unanswered) is None:
            yield from self._read(ReadRequest() if self._head_read else ReadHead())
        if self._head_read and not at_head:
            if request.get("expect") is not None:
                yield from self._send(_CONTINUE)
            yield from self._read(ReadRequest())
            request = self.requests[-1]
        return request

    def _reply(self, reply: Reply) -> _Steps:
        early = self._head_read and self._unanswered is not None
        request = yield from self._next_request(at_head=early)
        yield from self._send(reply.encode(request.method))
        if reply.is_final:
            self._unanswered = None
            if reply.closes or request.closes:
                self.transport.close()
                yield from self._until_lost()

    def _serve(self, answer: Answer, at_head: bool) -> _Steps:
        while True:
            request = yield from self._next_request(at_head=at_head)
            yield from self._run(actions_for(answer, request))
            self._unanswered = None

    def _send(self, data: bytes) -> _Steps:
        self.write(data)
        while not self._writable:
            yield

    def _until_lost(self) -> _Steps:
        while True:
            yield

    def _until_tick(self) -> _Steps:
        self._elapsed = False
        asyncio.get_running_loop().call_soon(self._time_is_up)
        while not self._elapsed:
            yield

    def _wait(self, seconds: float) -> _Steps:
        self._elapsed = False
        self._timer = asyncio.get_running_loop().call_later(seconds, self._time_is_up)
        while not self._elapsed:
            yield
        self._timer = None

    def _time_is_up(self) -> None:
        self._elapsed = True
        self._advance()

    def _reset(self) -> None:
        transport = self.transport
        if isinstance(transport, MemoryTransport):
            transport.reset()
            return
        carrier: socket.socket = transport.get_extra_info("socket")
        carrier.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        transport.abort()

    # -- events of the transport --------------------------------------------------------------

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the script."""
        # Not by its class: uvloop's transports are none of asyncio's.
        if not hasattr(transport, "write"):
            raise TypeError(f"{type(transport).__name__} carries no stream")
        stream = self._transport = cast(asyncio.Transport, transport)
        self.connected = True
        self._disconnected.clear()
        # With the lowest mark the peer knows when all it sent is out: an RST must not overtake it.
        # asyncio's TLS transports pause at the mark already, the others above it.
        stream.set_write_buffer_limits(0 if self._plain else 1, 0)
        self._steps = self._run(self._script)
        self._advance()

    @override
    def data_received(self, data: bytes) -> None:
        """Record octets and go on with the script."""
        self.received += data
        self._scanner.feed(data)
        self._advance()

    @override
    def eof_received(self) -> bool:
        """Go on with the script, which may still send; close when it cannot go on."""
        self.client_finished = True
        self._advance()
        # TLS has no half-close: there the transport closes whatever is answered.
        return self._steps is not None and self._plain

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the script."""
        self.connected = False
        self.lost_by = exc
        self._disconnected.set()
        self._steps = None
        if self._timer is not None:
            self._timer.cancel()

    @override
    def pause_writing(self) -> None:
        """Hold the script while the transport has octets to send."""
        self._writable = False

    @override
    def resume_writing(self) -> None:
        """Go on: everything was sent."""
        self._writable = True
        self._advance()

    @override
    def __repr__(self) -> str:
        state = "connected" if self.connected else "not connected"
        return f"<ScriptedPeer {state} received={len(self.received)} error={self.error!r}>"
