"""`wayfare download`: many files, bars, names and failures."""

import asyncio
from pathlib import Path

import pytest
from wayfare._command_line._downloading import file_name, paths_for
from wayfare._command_line._exit_codes import ExitCode
from wayfare._command_line._running import run
from wayfare_http_core.testing import (
    Fin,
    ReadRequest,
    Repeat,
    ScriptedServer,
    Send,
    Stall,
    listening,
)
from yarl import URL

from .command_program import on_screen, reply


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://h/a/tea.txt?x=1", "tea.txt"),
        ("http://h/a%2F..%2F.netrc", "_netrc"),
        ("http://h.example/", "h.example"),
        ("http://h.example/dir/", "h.example"),
    ],
)
def test_a_file_is_called_as_its_url_ends(url: str, name: str) -> None:
    assert file_name(URL(url)) == name


def test_no_two_files_have_one_name() -> None:
    urls = [URL(f"http://h/{folder}/tea.txt") for folder in "abc"]
    assert [path.name for path in paths_for(urls, Path("d"))] == [
        "tea.txt",
        "tea-2.txt",
        "tea-3.txt",
    ]


def held(folder: Path) -> dict[str, bytes]:
    """The files in a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def server() -> ScriptedServer:
    return ScriptedServer((Repeat(ReadRequest(), Send(reply(b"tea"))),))


async def test_files_are_downloaded(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    script = Repeat(ReadRequest(), Send(reply(b"tea")))
    peer = ScriptedServer(*[(script,)] * 4)
    async with listening(peer) as (host, port):
        urls = [f"{host}:{port}/{name}" for name in ("a.txt", "b.txt")]
        status = await asyncio.to_thread(run, ["download", "-d", str(tmp_path), *urls])
    assert status == ExitCode.OK
    assert held(tmp_path) == {"a.txt": b"tea", "b.txt": b"tea"}
    assert f"{tmp_path / 'b.txt'}: 3 octets" in capfd.readouterr().out


async def test_a_download_goes_on_where_it_was(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tea"
    tag = 'ETag: "1"'
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n" + tag.encode() + b"\r\n\r\ngreen"
    rest = reply(b" tea", "Content-Range: bytes 5-8/9", tag, status="206 Partial Content")
    peer = ScriptedServer((ReadRequest(), Send(cut), Fin()), (ReadRequest(), Send(rest)))
    async with listening(peer) as (host, port):
        words = ["download", "-o", str(path), f"{host}:{port}/tea"]
        assert await asyncio.to_thread(run, words) == ExitCode.ANSWER
        assert await asyncio.to_thread(run, words) == ExitCode.OK
    assert path.read_bytes() == b"green tea"
    assert "9 octets, 5 of them from before" in capfd.readouterr().out


async def test_a_download_has_the_time_that_it_is_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with listening(ScriptedServer((ReadRequest(), Stall()))) as (host, port):
        words = ["download", "-o", str(tmp_path / "tea"), "--timeout", "0.05", f"{host}:{port}/tea"]
        assert await asyncio.to_thread(run, words) == ExitCode.TIMEOUT
    assert "longer than 0.05 s in total" in capfd.readouterr().err


async def test_one_that_fails_leaves_the_others(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    gone = reply(b"", status="404 Not Found")
    peer = ScriptedServer((ReadRequest(), Send(gone), ReadRequest(), Send(reply(b"tea"))))
    async with listening(peer) as (host, port):
        urls = [f"{host}:{port}/gone", f"{host}:{port}/tea"]
        words = ["download", "--jobs", "1", "-d", str(tmp_path), *urls]
        status = await asyncio.to_thread(run, words)
    assert status == ExitCode.CLIENT_ERROR
    assert held(tmp_path) == {"tea": b"tea"}
    assert "/gone: 404" in capfd.readouterr().err


async def test_a_terminal_shows_bars(tmp_path: Path) -> None:
    async with listening(server()) as (host, port):
        with on_screen() as screen:
            words = ["download", "-d", str(tmp_path), f"{host}:{port}/tea.txt"]
            assert await asyncio.to_thread(run, words) == ExitCode.OK
            shown = screen.text()
    assert "tea.txt" in shown
    assert "3/3 bytes" in shown


@pytest.mark.parametrize("option", ["-o", "--sha256"])
async def test_what_is_for_one_file(option: str, capfd: pytest.CaptureFixture[str]) -> None:
    status = await asyncio.to_thread(run, ["download", option, "x", "h/a", "h/b"])
    assert status == ExitCode.USAGE
    assert "for one file alone" in capfd.readouterr().err
