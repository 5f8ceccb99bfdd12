"""`python -m benchmarks`: measure, print tables, write JSON and SVG (see README.md)."""

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from benchmarks import readme_table
from benchmarks.cases import CASES
from benchmarks.chart import draw
from benchmarks.clients import CLIENTS, REFERENCE, SUBJECT
from benchmarks.job import Loop
from benchmarks.processor import per_processor_second
from benchmarks.results import environment, to_json
from benchmarks.server.nginx import ServerError, version
from benchmarks.suite import Options, run
from benchmarks.table import render, render_facts

_LOOPS: dict[str, tuple[Loop, ...]] = {
    "asyncio": ("asyncio",),
    "uvloop": ("uvloop",),
    "both": ("asyncio", "uvloop"),
}

_T = TypeVar("_T")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 1 when the subject of the measurement failed a case, 2 without a server, else 0."""
    parsed = _parser().parse_args(arguments)
    options = _options(parsed)
    facts = environment((*options.clients, "uvloop"), version())
    _say(render_facts(facts))
    results = []
    try:
        for result in run(options):
            results.append(result)
            _say(render(result, REFERENCE))
    except ServerError as error:
        _say(str(error))
        return 2
    _write(parsed.json, to_json(facts, results))
    _write(parsed.svg, draw(results, REFERENCE))
    _write(parsed.cpu_svg, draw([per_processor_second(one) for one in results], REFERENCE))
    if parsed.readme is not None:
        given = sys.argv[1:] if arguments is None else arguments
        command = f'make bench ARGS="{" ".join(given)}"'
        readme_table.write(parsed.readme, facts, results, REFERENCE, command)
    failed = any(row.client == SUBJECT and row.failure for one in results for row in one.rows)
    return 1 if failed else 0


def chosen(text: str, known: Mapping[str, _T] | Iterable[str]) -> tuple[str, ...]:
    """Return the names in the comma-separated `text`, each one of `known`.

    Raises:
        argparse.ArgumentTypeError: a name is not known, or there is none.
    """
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    known_names = tuple(known)
    if unknown := [name for name in names if name not in known_names]:
        raise argparse.ArgumentTypeError(
            f"unknown: {', '.join(unknown)}; choose from {', '.join(known_names)}"
        )
    if not names:
        raise argparse.ArgumentTypeError(f"choose from {', '.join(known_names)}")
    return names


def _options(parsed: argparse.Namespace) -> Options:
    quick: bool = parsed.quick
    return Options(
        cases=tuple(CASES[name] for name in parsed.cases),
        clients=parsed.clients,
        loops=_LOOPS[parsed.loop],
        rounds=min(parsed.rounds, 3) if quick else parsed.rounds,
        seconds=min(parsed.seconds, 0.3) if quick else parsed.seconds,
        warmup=0.1 if quick else 0.3,
        pin=parsed.pin,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--cases",
        type=lambda text: chosen(text, CASES),
        default=tuple(CASES),
        help=f"comma-separated, of: {', '.join(CASES)} (default: all)",
    )
    parser.add_argument(
        "--clients",
        type=lambda text: chosen(text, CLIENTS),
        default=CLIENTS,
        help=f"comma-separated, of: {', '.join(CLIENTS)} (default: all)",
    )
    parser.add_argument("--rounds", type=_positive, default=7, help="rounds per case (7)")
    parser.add_argument("--seconds", type=float, default=1.0, help="measured per round (1.0)")
    parser.add_argument("--loop", choices=_LOOPS, default="asyncio", help="event loop (asyncio)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample here")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write a plot here")
    parser.add_argument(
        "--cpu-svg", type=Path, metavar="FILE", help="write a plot by processor time here"
    )
    parser.add_argument(
        "--readme",
        type=Path,
        metavar="FILE",
        help="write the ratios between the marks of this page",
    )
    parser.add_argument(
        "--pin",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="keep clients on one core and the server on another (yes)",
    )
    parser.add_argument("--quick", action="store_true", help="short rounds, at most three")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _write(file: Path | None, text: str) -> None:
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
