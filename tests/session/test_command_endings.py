"""How the program ends: its exit status, and what it says of failures and of wrong use."""

import asyncio
import io
import os
import runpy
import ssl
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import trustme
from wayfare._command_line._exit_codes import ExitCode, code_of
from wayfare._command_line._running import run
from wayfare_http_core.testing import Fin, ReadRequest, Repeat, Send, Stall

from .command_program import Start, reply


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("204 No Content", ExitCode.OK),
        ("304 Not Modified", ExitCode.REDIRECT),
        ("404 Not Found", ExitCode.CLIENT_ERROR),
        ("503 Busy", ExitCode.SERVER_ERROR),
    ],
)
async def test_the_exit_status_tells_the_status_on_request(
    start: Start, status: str, code: ExitCode
) -> None:
    head = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()
    async with start(head, head) as served:
        assert (await served.run(served.url)).status == ExitCode.OK
        assert (await served.run("--check-status", served.url)).status == code


async def test_a_failure_is_one_line(start: Start, tmp_path: Path) -> None:
    found = Repeat(ReadRequest(), Send(reply(b"", "Location: /", status="302 Found")))
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"
    async with start(
        (found,), (ReadRequest(), Send(b"SSH-2.0\r\n")), (ReadRequest(), Send(cut), Fin())
    ) as served:
        outcomes = [
            await served.run("-F", "--max-redirects", "2", served.url),
            await served.run(served.url),
            await served.run(served.url),
        ]
    assert [one.status for one in outcomes] == [
        ExitCode.TOO_MANY_REDIRECTS,
        ExitCode.ANSWER,
        ExitCode.ANSWER,
    ]
    for outcome in outcomes:
        assert outcome.error.startswith("wayfare: ")
        assert outcome.error.count("\n") == 1
    assert outcomes[2].out == b"half"


async def test_time_runs_out(start: Start) -> None:
    async with start((ReadRequest(), Stall())) as served:
        outcome = await served.run("--timeout", "0.05", served.url)
    assert outcome.status == ExitCode.TIMEOUT
    assert outcome.error == "wayfare: the request took longer than 0.05 s in total\n"


async def test_nobody_there(start: Start, tmp_path: Path) -> None:
    async with start() as served:
        pass
    gone = served.url
    assert (await served.run(gone)).status == ExitCode.CONNECTION
    assert (await served.run("--proxy", gone, "http://h/")).status == ExitCode.PROXY
    socket = tmp_path / "socket"
    outcome = await served.run("--unix-socket", str(socket), "http://h/")
    assert outcome.status == ExitCode.CONNECTION
    assert str(socket) in outcome.error


async def test_the_environment_names_a_proxy(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    async with start(reply(b"by proxy"), reply(b"by proxy")) as served:
        monkeypatch.setenv("http_proxy", served.url)
        outcome = await served.run("http://tea.example/")
        assert outcome.out == b"by proxy"
        assert served.server.requests[0].target == "http://tea.example/"
        assert (await served.run("--no-trust-env", "http://tea.invalid/")).status == 8


async def test_certificates(start: Start, tmp_path: Path) -> None:
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server)
    own = authority.issue_cert("joe@tea.example")
    ca, both, certificate, key = (tmp_path / name for name in ("ca", "both", "cert", "key"))
    authority.cert_pem.write_to_path(ca)
    own.private_key_and_cert_chain_pem.write_to_path(both)
    own.cert_chain_pems[0].write_to_path(certificate)
    own.private_key_pem.write_to_path(key)
    async with start(*[reply(b"tea")] * 5, tls=server) as served:
        refused = await served.run(served.url)
        unverified = await served.run("--no-verify", served.url)
        verified = await served.run("--ca", str(ca), served.url)
        loose = await served.run("--no-verify", "--cert", str(both), served.url)
        pair = await served.run(
            "--ca", str(ca), "--cert", str(certificate), "--key", str(key), served.url
        )
        alone = await served.run("--key", str(key), served.url)
    assert refused.status == ExitCode.TLS
    assert [one.out for one in (unverified, verified, loose, pair)] == [b"tea"] * 4
    assert (alone.status, alone.error) == (ExitCode.USAGE, "wayfare: --key needs --cert\n")


async def test_files_that_are_not_there(start: Start, tmp_path: Path) -> None:
    async with start(reply()) as served:
        assert (await served.run(served.url, f"@{tmp_path / 'none'}")).status == ExitCode.FILE
        assert (
            await served.run("--ca", str(tmp_path / "none"), served.url)
        ).status == ExitCode.FILE


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["GET"], "GET is a method; the URL is missing"),
        (["http://h:x/"], "'http://h:x/' is no URL"),
        (["ftp://h/"], "ftp://h/"),
        (["h", "tea"], "'tea' is none of"),
        (["--print", "x", "h"], "'x' is none of H, B, h and b"),
        (["--no-such-option", "h"], "No such option"),
        (["request"], "Missing argument"),
    ],
)
async def test_wrong_use(start: Start, words: list[str], message: str) -> None:
    async with start() as served:
        outcome = await served.run(*words)
    assert outcome.status == ExitCode.USAGE
    assert message in outcome.error


async def test_help_and_version(start: Start) -> None:
    async with start() as served:
        assert (await served.run("--version")).out.startswith(b"wayfare 0.")
        assert b"Exit status" in (await served.run("--help")).out
        assert b"name==value" in (await served.run("request", "--help")).out
        assert (await served.run()).status == ExitCode.USAGE


async def test_a_password_is_asked_for_on_a_terminal(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def ask(prompt: str) -> str:
        asked.append(prompt)
        if len(asked) > 1:
            raise KeyboardInterrupt
        return "tea"

    controller, terminal = os.openpty()
    with os.fdopen(controller, "wb"), os.fdopen(terminal) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        # Click's own seam for this: the real one reads from the terminal of whoever runs the tests.
        monkeypatch.setattr("click.termui.hidden_prompt_func", ask)
        async with start(reply()) as served:
            await served.run("-a", "joe", served.url)
            interrupted = await served.run("-a", "joe", served.url)
    assert asked == ["Password of joe: "] * 2
    assert served.server.requests[0].get("Authorization") == "Basic am9lOnRlYQ=="
    assert interrupted.status == ExitCode.INTERRUPTED
    assert interrupted.error.endswith("wayfare: interrupted\n")


async def test_a_password_is_missing(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    async with start() as served:
        outcome = await served.run("-a", "joe", served.url)
    assert outcome.status == ExitCode.USAGE
    assert "joe has no password" in outcome.error


async def test_a_reader_that_had_enough_is_no_failure(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        async with start(reply(bytes(100_000))) as served:
            assert await asyncio.to_thread(run, [served.url]) == ExitCode.OK
        assert sys.stdout is None
        monkeypatch.undo()


@pytest.mark.parametrize(
    ("error", "code"),
    [(LookupError("tea"), ExitCode.ERROR), (ValueError(""), ExitCode.USAGE)],
)
def test_other_failures(error: Exception, code: ExitCode) -> None:
    assert code_of(error) == code


def test_without_the_libraries_of_the_terminal_it_says_so() -> None:
    program = "import sys; sys.modules['click'] = None; import runpy; runpy.run_module('wayfare', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "wayfare: the command line needs click: pip install 'wayfare[cli]'\n"


def start_module(*words: str) -> str | int | None:
    """The exit status of `python -m wayfare`, run here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["wayfare", *words])
        patch.delitem(sys.modules, "wayfare.__main__", raising=False)
        with pytest.raises(SystemExit) as ended:
            runpy.run_module("wayfare", run_name="__main__")
    return ended.value.code


def test_the_module_is_the_program(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert start_module("--version") == ExitCode.OK
    assert capsys.readouterr().out.startswith("wayfare 0.")
    for name in [name for name in sys.modules if name.startswith("wayfare._command_line")]:
        monkeypatch.delitem(sys.modules, name)
    for absent in ("click", "wayfare._command_line._items"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sys.modules, absent, None)
            if absent == "click":
                assert start_module("--version") == 1
                assert "needs click" in capsys.readouterr().err
            else:
                # A module of our own that is missing is no missing extra.
                patch.delitem(sys.modules, "wayfare.__main__", raising=False)
                with pytest.raises(ModuleNotFoundError, match="_items"):
                    runpy.run_module("wayfare", run_name="__main__")
    # Imported, as an installed script does, it runs nothing by itself.
    assert callable(import_module("wayfare.__main__").main)
    del sys.modules["wayfare.__main__"]
