"""`python -m benchmarks.codings`: decode a body of 64 MiB, beside the bare loop over the library that does the work.

A decoder adds to its library what a body needs: bounded steps, members and frames, limits, errors that come after the
content. This program says what that costs. Both sides get the same pieces, of the size that a connection reads at
once; they take turns, and the figure is the median of the rounds' ratios of CPU time.
"""

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any

from wayfare_http_core import UnsupportedCodings, ZlibBackend, make_decoder, make_encoder

PIECE = 64 * 1024
STEP = 256 * 1024
LIMIT = 1.10
"""A decoder may take a tenth longer than the bare loop."""

Run = Callable[[Sequence[bytes]], int]
"""Decode the pieces, dropping what they give; return how much that was."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each coding and library; return 1 where a decoder takes too long, else 0."""
    parsed = _parser().parse_args(arguments)
    plain = list(body(parsed.mebibytes))
    _say(f"{'coding':<10}{'library':<18}{'bare':>7}{'decoder':>9} MiB/s{'time':>8}{'spread':>8}")
    slow = False
    for coding, library, bare, ours in contestants():
        pieces = encoded(coding, plain)
        bare_times, times = race(parsed.rounds, pieces, bare, ours)
        ratios = sorted(mine / its for mine, its in zip(times, bare_times, strict=True))
        ratio = statistics.median(ratios)
        spread = (ratios[-1 - len(ratios) // 4] - ratios[len(ratios) // 4]) / 2
        rates = [parsed.mebibytes / statistics.median(each) for each in (bare_times, times)]
        _say(
            f"{coding:<10}{library:<18}{rates[0]:>7.0f}{rates[1]:>9.0f}      "
            f"{ratio:>8.3f}{spread:>8.3f}"
        )
        slow |= ratio > LIMIT
    return int(slow)


def body(mebibytes: int) -> Iterator[bytes]:
    """Text that packs to about a third, as pages and JSON do."""
    chance = random.Random(64)
    words = [bytes(chance.choices(b"etaoinshrdlu", k=chance.randint(2, 9))) for _ in range(4000)]
    for _ in range(mebibytes):
        yield b" ".join(chance.choices(words, k=200_000))[: 1 << 20]


def encoded(coding: str, plain: Sequence[bytes]) -> list[bytes]:
    """The body as it arrives."""
    encoder = make_encoder(coding, level=3 if coding in ("gzip", "deflate") else None)
    coded = b"".join(map(encoder.encode, plain)) + encoder.flush()
    return [coded[at : at + PIECE] for at in range(0, len(coded), PIECE)]


def race(
    rounds: int, pieces: Sequence[bytes], bare: Run, ours: Run
) -> tuple[list[float], list[float]]:
    """The seconds of CPU time of both, one pair for each round."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        runs = ((0, bare), (1, ours))
        for which, run in runs if number % 2 else reversed(runs):
            start = time.process_time()
            run(pieces)
            times[which].append(time.process_time() - start)
    sizes = {bare(pieces), ours(pieces)}
    if len(sizes) != 1:
        raise SystemExit(f"the two decoded different contents: {sizes} octets")
    return times


def contestants() -> Iterator[tuple[str, str, Run, Run]]:
    """Coding, library, the bare loop, and the decoder over the same library."""
    for name in ("zlib", "isal.isal_zlib", "zlib_ng.zlib_ng"):
        library = import_module(name)
        for coding, wbits in (("gzip", 31), ("deflate", 15)):
            yield coding, name.rpartition(".")[2], zlib_loop(library, wbits), loop(coding, library)
    yield "br", "brotli", brotli_loop(import_module("brotli")), loop("br")
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    yield "zstd", name, zstd_loop(import_module(name)), loop("zstd")


def zlib_loop(library: Any, wbits: int) -> Run:
    """As short as it can be with zlib: one member, with no more output at once than a step."""

    def run(pieces: Sequence[bytes]) -> int:
        inflater = library.decompressobj(wbits)
        total = 0
        for piece in pieces:
            total += len(inflater.decompress(piece, STEP))
            while inflater.unconsumed_tail:
                total += len(inflater.decompress(inflater.unconsumed_tail, STEP))
        return total

    return run


def brotli_loop(library: Any) -> Run:
    """The same with brotli, which may have more to give although it says that it takes more."""

    def run(pieces: Sequence[bytes]) -> int:
        decompressor = library.Decompressor()
        total = 0
        for piece in pieces:
            out = decompressor.process(piece, output_buffer_limit=STEP)
            total += len(out)
            while len(out) >= STEP or not decompressor.can_accept_more_data():
                out = decompressor.process(b"", output_buffer_limit=STEP)
                total += len(out)
        return total

    return run


def zstd_loop(library: Any) -> Run:
    """The same with zstd: one frame."""

    def run(pieces: Sequence[bytes]) -> int:
        decompressor = library.ZstdDecompressor()
        total = 0
        for piece in pieces:
            total += len(decompressor.decompress(piece, STEP))
            while not (decompressor.needs_input or decompressor.eof):
                total += len(decompressor.decompress(b"", STEP))
        return total

    return run


def loop(coding: str, library: ZlibBackend | None = None) -> Run:
    """What a stream does: one decoder, fed until nothing is pending."""

    def run(pieces: Sequence[bytes]) -> int:
        decoder = make_decoder([coding], zlib_backend=library)
        if decoder is None or isinstance(decoder, UnsupportedCodings):
            raise SystemExit(f"{coding} cannot be decoded here")
        total = 0
        for piece in pieces:
            total += len(decoder.decode(piece, STEP))
            while decoder.has_pending:
                total += len(decoder.decode(b"", STEP))
        decoder.finish()
        return total

    return run


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.codings", description=__doc__)
    parser.add_argument("--mebibytes", type=int, default=64, help="size of the body (64)")
    parser.add_argument("--rounds", type=int, default=7, help="rounds; the median counts (7)")
    return parser


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
