"""`python -m benchmarks.multipart_writer`: write a multipart body beside aiohttp, and a large file beside a bare loop.

A small body is made anew, asked for its size and written: 200 parts of 200 octets, and the same as fields of a form. A
large one is a form with a file that the system has in memory; the loop beside it reads the same file in pieces of 256
KiB and does nothing else. Rounds are interleaved; the figure is the median over the rounds, in milliseconds per body.
"""

import argparse
import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.job import Failure, Outcome, Sample
from benchmarks.rounds import interleave
from benchmarks.summary import Roles, Row, summarise

PARTS, OCTETS = 200, 200
PIECE = 256 * 1024
LARGE = 64 * 1024 * 1024
SMALL = 10
"""Small bodies for one figure."""

Run: TypeAlias = Callable[[Path], Coroutine[Any, Any, int]]
"""Write a body; return its octets."""


class Sink:
    """Takes what is written, and counts it."""

    def __init__(self) -> None:
        self.octets = 0

    async def write(self, chunk: bytes) -> None:
        """Count the octets."""
        self.octets += len(chunk)


async def _parts(module: Any) -> int:
    """Write parts with names by a writer of this module, which is ours or aiohttp's."""
    writer = module.MultipartWriter("form-data")
    for number in range(PARTS):
        part = module.BytesPayload(b"x" * OCTETS)
        part.set_content_disposition("form-data", name=f"field{number}")
        writer.append_payload(part)
    return await _written(writer)


async def _fields(module: Any) -> int:
    """Write the fields of a form, text each."""
    form = module.FormData(default_to_multipart=True)
    for number in range(PARTS):
        form.add_field(f"field{number}", "x" * OCTETS)
    return await _written(form())


async def _written(body: Any) -> int:
    sink = Sink()
    await body.write(sink)
    if body.size != sink.octets:
        raise ValueError(f"{sink.octets} octets, not {body.size}")
    return sink.octets


async def parts_wayfare(path: Path) -> int:
    """Write parts with Wayfare."""
    return await _parts(import_module("wayfare_multipart"))


async def parts_aiohttp(path: Path) -> int:
    """Write parts with aiohttp."""
    return await _parts(import_module("aiohttp"))


async def fields_wayfare(path: Path) -> int:
    """Write fields with Wayfare."""
    return await _fields(import_module("wayfare_multipart"))


async def fields_aiohttp(path: Path) -> int:
    """Write fields with aiohttp."""
    return await _fields(import_module("aiohttp"))


async def file_wayfare(path: Path) -> int:
    """Write a form with a file as a session does."""
    body = import_module("wayfare_multipart.aio").async_body
    form = import_module("wayfare_multipart").FormData
    with path.open("rb") as file:
        octets = 0
        async for piece in body(form({"file": file})()).chunks():
            octets += len(piece)
    return octets


async def file_iterated(path: Path) -> int:
    """Write a form with a file without an event loop's help."""
    form = import_module("wayfare_multipart").FormData
    with path.open("rb") as file:
        octets = 0
        for piece in form({"file": file})().iter_bytes():
            octets += len(piece)
    return octets


async def file_loop(path: Path) -> int:
    """Read the file."""
    with path.open("rb", buffering=0) as file:
        octets = 0
        while piece := file.read(PIECE):
            octets += len(piece)
    return octets


WRITERS: dict[str, Run] = {
    "parts, wayfare": parts_wayfare,
    "parts, aiohttp": parts_aiohttp,
    "fields, wayfare": fields_wayfare,
    "fields, aiohttp": fields_aiohttp,
    "file, wayfare": file_wayfare,
    "file, iterated": file_iterated,
    "file, bare loop": file_loop,
}
PAIRS = (
    ("parts, wayfare", "parts, aiohttp"),
    ("fields, wayfare", "fields, aiohttp"),
    ("file, wayfare", "file, bare loop"),
    ("file, iterated", "file, bare loop"),
)


def measure(name: str, path: Path) -> Outcome:
    """Return the milliseconds per body of the writer called `name`."""
    try:
        run = WRITERS[name]
        gc.collect()
        gc.disable()
        elapsed = asyncio.run(_timed(run, path, 1 if name.startswith("file") else SMALL))
    except Exception as error:
        return Failure(f"{type(error).__name__}: {error}")
    finally:
        gc.enable()
    return Sample(elapsed * 1e3, {})


async def _timed(run: Run, path: Path, times: int) -> float:
    """Return the seconds that a body takes, over so many of them."""
    await run(path)  # imports, and the file into memory
    start = time.perf_counter()
    for _ in range(times):
        await run(path)
    return (time.perf_counter() - start) / times


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 1 when our own writer failed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.multipart_writer", description=__doc__
    )
    parser.add_argument("--rounds", type=int, default=9, help="rounds (9)")
    parser.add_argument("--octets", type=int, default=LARGE, help="octets of the file (64 MiB)")
    options = parser.parse_args(arguments)
    failed = False
    sys.stdout.write("a ratio above 1 is faster than what stands behind it\n")
    with tempfile.NamedTemporaryFile() as file:
        file.write(bytes(options.octets))
        file.flush()
        for ours, theirs in PAIRS:
            series = interleave(
                [ours, theirs], options.rounds, partial(measure, path=Path(file.name))
            )
            rows = summarise(series, Roles(ours, theirs, frozenset()), higher_is_better=False)
            sys.stdout.write("".join(_line(row, theirs) for row in rows))
            failed = failed or series[ours].failure is not None
    return 1 if failed else 0


def _line(row: Row, theirs: str) -> str:
    if row.median is None:
        return f"{row.client:<18} FAILED: {row.failure}\n"
    ratio = f"{row.to_reference or 0:6.2f} x {theirs}"
    return f"{row.client:<18} {row.median:8.2f} ms ±{row.spread:.1%} {ratio}\n"


if __name__ == "__main__":
    sys.exit(main())
