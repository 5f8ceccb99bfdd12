"""`python -m benchmarks.websocket_frames`: read, write and mask, beside the code of peers that does the same.

Reading: a server's frame, as a client gets it, beside aiohttp's compiled reader and the library `websockets`. Writing:
a client's frame, masked, beside that library's, which masks in C. Masking: the functions alone, ours in Python too. The
sides take turns; the figure is the median over the rounds, in microseconds of CPU time per message.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module

from wayfare_websocket import Role, WebSocketEngine, mask_payload

SIZES = (32, 1024, 64 * 1024, 1024 * 1024)
OCTETS = 8 << 20
"""Octets that a round handles, in messages of one size: 20,000 of them at most."""

Run = Callable[[int], None]
"""Handle so many messages."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.websocket_frames", description=__doc__
    )
    parser.add_argument("--rounds", type=int, default=7, help="rounds; the median counts (7)")
    parsed = parser.parse_args(arguments)
    for title, contestants in (("read", readers), ("write", writers), ("mask", maskers)):
        for size in SIZES:
            figures = measure(contestants(size), min(OCTETS // size, 20_000), parsed.rounds)
            own = figures["wayfare"]
            row = [f"{name} {time_:8.2f} ({time_ / own:.2f} x)" for name, time_ in figures.items()]
            _say(f"{title:<6}{size:>8} octets   {'   '.join(row)}")
    return 0


def measure(contestants: dict[str, Run], count: int, rounds: int) -> dict[str, float]:
    """Microseconds for each message, by name."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds):
        names = list(contestants)
        for name in names[number % len(names) :] + names[: number % len(names)]:
            start = time.process_time()
            contestants[name](count)
            times[name].append((time.process_time() - start) / count * 1e6)
    return {name: statistics.median(each) for name, each in times.items()}


def readers(size: int) -> dict[str, Run]:
    """Who reads a text message of one frame."""
    frame = WebSocketEngine(Role.SERVER).send_text("x" * size)

    def wayfare(count: int) -> None:
        engine = WebSocketEngine(Role.CLIENT)
        for _ in range(count):
            engine.receive_data(frame)

    return {
        "wayfare": wayfare,
        "aiohttp": aiohttp_reader(frame),
        "websockets": websockets_reader(frame),
    }


def aiohttp_reader(frame: bytes) -> Run:
    """aiohttp's reader with its queue, which nobody empties."""
    module = import_module("aiohttp._websocket.reader")

    class Protocol:
        _reading_paused = False

        def pause_reading(self) -> None:
            self._reading_paused = True

        def resume_reading(self) -> None:
            self._reading_paused = False

    def run(count: int) -> None:
        loop = asyncio.new_event_loop()
        queue = module.WebSocketDataQueue(Protocol(), 1 << 30, loop=loop)
        reader = module.WebSocketReader(queue, 4 << 20, False, True)
        for _ in range(count):
            reader.feed_data(frame)
        loop.close()

    return run


def websockets_reader(frame: bytes) -> Run:
    """The protocol of `websockets`, which leaves texts undecoded; decoding is added."""
    protocol = import_module("websockets.client").ClientProtocol
    uri = import_module("websockets.uri").parse_uri("ws://localhost/")
    state = import_module("websockets.protocol").State.OPEN

    def run(count: int) -> None:
        client = protocol(uri, state=state, max_size=4 << 20)
        for _ in range(count):
            client.receive_data(frame)
            for event in client.events_received():
                str(event.data, "utf-8")

    return run


def writers(size: int) -> dict[str, Run]:
    """Who writes a masked text message of one frame."""
    text = "x" * size
    frames = import_module("websockets.frames")

    def wayfare(count: int) -> None:
        engine = WebSocketEngine(Role.CLIENT)
        for _ in range(count):
            engine.send_text(text)

    def websockets(count: int) -> None:
        for _ in range(count):
            frames.Frame(frames.Opcode.TEXT, text.encode()).serialize(mask=True)

    return {"wayfare": wayfare, "websockets": websockets}


def maskers(size: int) -> dict[str, Run]:
    """Who masks a payload."""
    data, key = b"x" * size, b"\x01\x82\x03\xf4"
    in_place = import_module("aiohttp._websocket.helpers").websocket_mask

    def aiohttp(count: int) -> None:
        for _ in range(count):
            in_place(key, bytearray(data))

    def calls(mask: Callable[[bytes, bytes], bytes]) -> Run:
        def run(count: int) -> None:
            for _ in range(count):
                mask(data, key)

        return run

    return {
        "wayfare": calls(mask_payload),
        "in Python": calls(import_module("wayfare_websocket._masking").mask_payload),
        "websockets": calls(import_module("websockets.frames").apply_mask),
        "aiohttp": aiohttp,
    }


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
