"""Mutated responses through a whole connection: `python -m fuzz.mutated_responses [--count 100000] [--seed 0]`.

Whatever a server sends ends an exchange with a response or with an error of the tree, and leaves nothing behind: no
open transport, no task, no word to the loop's exception handler (F8).
"""

import argparse
import asyncio
import sys
import time
import traceback
from collections import Counter
from typing import Any, final

from wayfare_http_core import (
    ClientError,
    FieldBlock,
    RequestHead,
    ResponseHead,
    UnsupportedCodings,
    make_decoder,
    parse_content_codings,
)
from wayfare_http_core.aio import HTTP1Connection
from wayfare_http_core.testing import MemoryTransport, TransportRegistry, memory_pair

from .generated_responses import GeneratedResponse, ResponseGenerator

__all__ = ("MutationError", "run")

SLOWEST = 0.05
"""Seconds of processor time that one response may take (F8)."""

_AGAIN = 10
"""How often a response is played again at most to see whether it is what takes so long."""

_TICKS = 10
"""Iterations of the loop in which both ends are closed once one of them is aborted."""


class MutationError(AssertionError):
    """A response did damage: `response` is it."""

    def __init__(self, response: GeneratedResponse, what: str) -> None:
        super().__init__(response, what)
        self.response = response
        self.what = what

    def __str__(self) -> str:
        return f"{self.what}\n{self.response!r}"


@final
class _Server(asyncio.Protocol):
    """Answers the first octets of a request with the pieces of a response, one for each loop iteration, and closes."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces
        self._begun = False
        self._transport: MemoryTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, MemoryTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not self._begun:
            self._begun = True
            self._send()

    def _send(self) -> None:
        assert self._transport is not None
        if self._pieces and not self._transport.is_closing():
            self._transport.write(self._pieces.pop(0))
            asyncio.get_running_loop().call_soon(self._send)
        else:
            self._transport.close()


async def _exchange(response: GeneratedResponse, pieces: list[bytes]) -> str:
    """Carry an exchange out; returns what came of it. Raises whatever is no error of the tree."""
    registry = TransportRegistry()
    connection = HTTP1Connection()
    memory_pair(connection, _Server(pieces), registry=registry)
    await asyncio.sleep(0)
    tunnel = response.method == "CONNECT"
    fields = FieldBlock({"Connection": "upgrade", "Upgrade": "x"} if not tunnel else ())
    target = "h:443" if tunnel else "/"
    try:
        exchange = await connection.exchange(
            RequestHead(response.method, "http", "h:443" if tunnel else "h", target, fields)
        )
        await _read(exchange.head, exchange)
        result = str(exchange.head.status)
    except ClientError as exc:
        result = type(exc).__name__
        if not 0 < len(str(exc)) < 1000:
            raise ValueError("an error says nothing, or quotes more than an excerpt") from exc
    finally:
        connection.abort()
    await connection.wait_closed()
    for _ in range(_TICKS):
        if not registry.open_transports:
            break
        await asyncio.sleep(0)
    registry.assert_all_closed()
    return result


async def _read(head: ResponseHead, exchange: Any) -> None:
    codings = parse_content_codings(head.headers.getall("Content-Encoding", []))
    decoder = make_decoder(codings)
    if decoder is not None and not isinstance(decoder, UnsupportedCodings):
        exchange.content.decode_with(decoder)
    while await exchange.content.readany():
        pass


async def _play(count: int, seed: int) -> Counter[str]:
    loop = asyncio.get_running_loop()
    complaints: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda loop, context: complaints.append(context))
    generator = ResponseGenerator(seed)
    results: Counter[str] = Counter()
    for _ in range(count):
        response = generator.mutated()
        pieces = [piece for piece in generator.cuts(response.data) if piece]
        try:
            took = time.thread_time()
            results[await _exchange(response, list(pieces))] += 1
            took = time.thread_time() - took
            for _ in range(_AGAIN):
                if took <= SLOWEST:
                    break
                # The garbage collector's time, or the machine's, or the response's own.
                again = time.thread_time()
                await _exchange(response, list(pieces))
                took = time.thread_time() - again
        except Exception as exc:
            raise MutationError(response, "".join(traceback.format_exception(exc))) from exc
        if took > SLOWEST:
            raise MutationError(response, f"it took {took:.3f} s")
        if complaints:
            raise MutationError(response, f"the loop heard: {complaints}")
        if len(asyncio.all_tasks()) != 1:
            raise MutationError(response, f"tasks are left: {asyncio.all_tasks()}")
    return results


def run(count: int, seed: int) -> Counter[str]:
    """Play so many mutated responses; how often each status and each error came of them.

    Raises: MutationError for the first response that does damage.
    """
    with asyncio.Runner() as runner:
        return runner.run(_play(count, seed))


def main() -> int:
    """The process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.mutated_responses")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    started = time.monotonic()
    try:
        results = run(arguments.count, arguments.seed)
    except MutationError as exc:
        print(exc)
        return 1
    print(
        f"{arguments.count} mutated responses in {time.monotonic() - started:.1f} s, none did damage"
    )
    for name, number in results.most_common():
        print(f"   {number:>7} {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
