"""The targets of `fuzz/` hold for their seeds and for what hypothesis makes of them, with or without atheris.

A seed may be an input that broke a property once: this suite keeps it mended.
"""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz import __main__ as command
from fuzz.targets import CORPUS, TARGETS, Target
from scripts.checks.members import ROOT


def test_every_target_has_seeds_and_every_folder_a_target() -> None:
    assert sorted(folder.name for folder in CORPUS.iterdir()) == sorted(TARGETS)
    for target in TARGETS.values():
        assert target.seeds()
        assert sum(map(len, target.seeds())) < 16 * 1024


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)
def test_the_seeds_hold(target: Target) -> None:
    for seed in target.seeds():
        target.check(seed)


def mutations(target: Target) -> st.SearchStrategy[bytes]:
    """Seeds with pieces put in, and plain octets."""
    words = [word.encode("latin-1") for word in target.words]
    pieces = st.binary(max_size=8) | st.sampled_from([*words, b"", b"\x00", b"\xff"])
    changes = st.lists(st.tuples(st.floats(0, 1), pieces, st.integers(0, 4)), max_size=4)
    return st.builds(mutate, st.sampled_from(target.seeds()), changes) | st.binary(max_size=200)


def mutate(seed: bytes, changes: list[tuple[float, bytes, int]]) -> bytes:
    for place, piece, removed in changes:
        at = int(place * len(seed))
        seed = seed[:at] + piece + seed[at + removed :]
    return seed


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)
@given(data=st.data())
def test_the_targets_hold(target: Target, data: st.DataObject) -> None:
    """R1 to R14, H26, B13 to B28, Z14, C1 to C8, as far as the targets state them."""
    target.check(data.draw(mutations(target)))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, in a process where atheris cannot be found."""
    code = (
        "import sys, runpy; sys.modules['atheris'] = None; sys.argv[1:] = sys.argv[1:]; "
        "runpy.run_module('fuzz', run_name='__main__', alter_sys=True)"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_atheris_the_command_says_what_is_left_out() -> None:
    done = run("--seconds", "1", "dates")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("left out: ")


def test_an_unknown_target_is_refused() -> None:
    done = run("nothing")
    assert done.returncode == 2
    assert "no target is called nothing" in done.stderr


def test_words_are_written_as_libfuzzer_reads_them() -> None:
    assert command.escaped('a"\\\xff\n') == r"\x61\x22\x5c\xff\x0a"
