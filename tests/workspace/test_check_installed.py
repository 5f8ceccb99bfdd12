"""What is checked of installed wheels, tried on the packages that are installed here."""

import re
import sys

import pytest

from scripts.check_installed import SAMPLE, frame_problems, main, response_problems


def test_the_sample_response_is_read() -> None:
    assert response_problems() == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"HTTP/1.1", b"HTTQ", r"read as \['BadStatusLine'\]"),
        (b"\r\n0\r\n\r\n", b"", r"read as \['ResponseHead', 'bytes'\]"),
        (b"0\r\n\r\n", b"0\r\n\r\nmore", "message complete"),
        (b"200 OK", b"201 OK", "head was read as"),
        (b"Server: ", b"A: b\r\nServer: ", "head was read as"),
        (b"Encoding: gzip", b"Language: en", "content was read as"),
    ],
)
def test_a_response_that_is_read_otherwise_is_a_problem(
    old: bytes, new: bytes, message: str
) -> None:
    (problem,) = response_problems(SAMPLE.replace(old, new))
    assert re.search(message, problem)


def test_frames_are_masked_and_by_what_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert frame_problems("any") == []
    by_what = capsys.readouterr().out.removeprefix("frames: compiled: ").rstrip()
    assert frame_problems(by_what) == []
    other = {"yes": "no", "no": "yes"}[by_what]
    assert frame_problems(other) == [f"frames are compiled: {by_what}"]


def test_a_wrong_mask_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wayfare_websocket.mask_payload", lambda data, key: data)
    assert frame_problems("any") == ["a payload was not masked as it should be"]


@pytest.mark.parametrize(
    ("roots", "expected"),
    [
        (["wayfare_http_core"], "a sample response: 200 and 11 octets of content"),
        (["wayfare_cookies"], None),
    ],
)
def test_the_command_says_what_it_found(
    roots: list[str],
    expected: str | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The checkout is not below the environment, which is the one problem of an editable install."""
    monkeypatch.setattr(sys, "argv", ["check_installed.py", *roots])
    status = main()
    output = capsys.readouterr().out
    failed = [line for line in output.splitlines() if line.startswith("FAILED")]
    assert [line.partition(" comes from ")[0] for line in failed] == (
        [f"FAILED: {root}" for root in roots] if status else []
    )
    assert ("a sample response" in output) is (expected is not None)
    assert expected is None or expected in output
