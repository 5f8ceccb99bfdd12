"""Names that a peer chose, made safe for a directory of ours."""

from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core import safe_filename


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("\xc4rger \u20ac.txt", "\xc4rger \u20ac.txt"),
        ("a.tar.gz", "a.tar.gz"),
        # Paths, in either style.
        ("/etc/passwd", "passwd"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\autoexec.bat", "autoexec.bat"),
        ("C:\\Users\\x/y.txt", "y.txt"),
        ("C:autoexec.bat", "C_autoexec.bat"),
        ("a/", "download"),
        ("\\\\server\\share\\", "download"),
        # Dots only, and nothing.
        ("", "download"),
        (".", "download"),
        ("..", "download"),
        ("...", "download"),
        (". .", "download"),
        ("a/..", "download"),
        (" \t\xa0", "download"),
        ("\r\n\0", "download"),
        # Hidden files, and what Windows cuts off.
        (".netrc", "_netrc"),
        ("..bashrc", "_bashrc"),
        ("a.txt. .", "a.txt"),
        (" a.txt ", "a.txt"),
        # Control and invisible characters.
        ("a\r\nb\0c\x7f\x85.txt", "abc.txt"),
        ("invoice\u202etxt.exe", "invoicetxt.exe"),
        ("a\u200b\ufeff\u2028b", "ab"),
        ("a\ud800\udce4b", "ab"),
        ('<a>:"b|?*', "_a___b___"),
        ("a.txt:hidden", "a.txt_hidden"),
        # Devices of Windows.
        ("CON", "_CON"),
        ("con.txt", "_con.txt"),
        ("Nul .tar.gz", "_Nul .tar.gz"),
        ("com1", "_com1"),
        ("LPT\xb9.x", "_LPT\xb9.x"),
        ("conout$", "_conout$"),
        ("console", "console"),
        ("com10.txt", "com10.txt"),
        ("con\u0131n$", "con\u0131n$"),
    ],
)
def test_m14_safe(name: str, safe: str) -> None:
    """M14: one name, without a directory, without surprises."""
    assert safe_filename(name) == safe


def test_the_default_is_for_the_caller_to_choose() -> None:
    assert safe_filename("..", "index.html") == "index.html"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        (300 * "a" + ".txt", 251 * "a" + ".txt"),
        (300 * "a", 255 * "a"),
        (200 * "\xe4" + ".pdf", 125 * "\xe4" + ".pdf"),
        (200 * "\u20ac", 85 * "\u20ac"),
        ("a." + 300 * "b", "a." + 253 * "b"),
        (254 * "a" + "..b" + 40 * "c", 254 * "a"),
    ],
)
def test_m14_short_enough_for_every_file_system(name: str, safe: str) -> None:
    """M14: at most 255 octets, whole characters, the extension kept if it is one."""
    assert safe_filename(name) == safe


DEVICES = {
    "CON",
    "PRN",
    "AUX",
    "NUL",
    *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10)),
}


@given(st.text() | st.text("./\\ :ab\x00C\xe4ON1\ud800\u202e") | st.text("a.\xe4", min_size=250))
def test_m14_whatever_the_peer_says(name: str) -> None:
    """M14: the result is a plain name on every system, and making it safe again changes nothing."""
    safe = safe_filename(name)
    assert PurePosixPath(safe).name == PureWindowsPath(safe).name == safe
    assert safe.partition(".")[0].rstrip(" ").upper() not in DEVICES
    assert safe[0] not in ". "
    assert safe[-1] not in ". "
    assert len(safe.encode()) <= 255
    assert all(ord(character) >= 32 for character in safe)
    assert safe_filename(safe) == safe


def test_h27_linear_time() -> None:
    """H27: a name of a mebibyte is nothing to wait for."""
    for piece in ("a", ".", " ", "\\", "/", "con", "\u202e", "a."):
        assert len(safe_filename(piece * (2**20 // len(piece)))) <= 255
