"""The program against a scripted server: what is sent, what is printed, and how it ends."""

import asyncio
import io
import json
import os
import runpy
import ssl
import stat
import subprocess
import sys
import tty
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme
from wayfare._command_line._exit_codes import ExitCode, code_of
from wayfare._command_line._running import run
from wayfare_http_core.testing import (
    Action,
    Fin,
    ReadRequest,
    Repeat,
    ScriptedServer,
    Send,
    Stall,
    Wait,
    listening,
)


class Outcome(NamedTuple):
    """How a run of the program ended."""

    status: int
    out: bytes
    error: str


class Served(NamedTuple):
    """A server and the program."""

    url: str
    server: ScriptedServer
    run: Callable[..., Coroutine[Any, Any, Outcome]]


Start = Callable[..., AbstractAsyncContextManager[Served]]


def reply(
    content: bytes = b"", *fields: str, status: str = "200 OK", media_type: str = "text/plain"
) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {media_type}", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, *fields, "", ""]).encode() + content


@pytest.fixture
def start(capfdbinary: pytest.CaptureFixture[bytes]) -> Start:
    """`async with start(octets or actions, …) as served:`, one script for each connection."""

    @asynccontextmanager
    async def running(
        *scripts: bytes | tuple[Action, ...], tls: ssl.SSLContext | None = None
    ) -> AsyncIterator[Served]:
        server = ScriptedServer(
            *[(ReadRequest(), Send(one)) if isinstance(one, bytes) else one for one in scripts]
        )
        async with listening(server, tls=tls) as (_, port):

            async def command(*words: str) -> Outcome:
                capfdbinary.readouterr()
                status = await asyncio.to_thread(run, list(words))
                sys.stdout.flush()
                out, error = capfdbinary.readouterr()
                return Outcome(status, out, error.decode())

            yield Served(f"http{'s' if tls else ''}://localhost:{port}", server, command)
        assert server.errors == ()

    return running


class Screen:
    """A terminal that keeps what is written to it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.controller, terminal = os.openpty()
        tty.setraw(terminal)
        self.stdout = os.fdopen(terminal, "w", encoding="utf-8")
        monkeypatch.setattr(sys, "stdout", self.stdout)
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.setenv("COLUMNS", "80")

    def text(self) -> str:
        """What was written."""
        self.stdout.flush()
        self.stdout.write("\0")
        self.stdout.flush()
        found = b""
        while not found.endswith(b"\0"):
            found += os.read(self.controller, 65536)
        return found[:-1].decode()

    def close(self) -> None:
        """Leave it; standard output is what it was."""
        self.stdout.close()
        os.close(self.controller)


@contextmanager
def on_screen() -> Iterator[Screen]:
    """Have a terminal for standard output. Within a test alone: pytest sets it anew when the test begins."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        screen = Screen(monkeypatch)
        yield screen
        screen.close()


# -- what is sent ---------------------------------------------------------------------------------


async def test_a_get_prints_the_content_as_it_is(start: Start) -> None:
    async with start(reply(b"\x00\xff tea\r\n")) as served:
        outcome = await served.run(served.url + "/cup", "q==1", "X-Team:red")
    assert outcome == (0, b"\x00\xff tea\r\n", "")
    (request,) = served.server.requests
    assert (request.method, request.target) == ("GET", "/cup?q=1")
    assert request.get("X-Team") == "red"


async def test_items_are_sent_as_json(start: Start) -> None:
    async with start(reply()) as served:
        await served.run("put", served.url, "tea=green", "cups:=2", "User-Agent:")
    (request,) = served.server.requests
    assert request.method == "PUT"
    assert request.get("Content-Type") == "application/json"
    assert request.get("User-Agent") is None
    assert json.loads(request.body) == {"tea": "green", "cups": 2}


async def test_items_are_sent_as_a_form(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "photo.txt"
    path.write_text("cheese")
    async with start(reply(), reply(), reply()) as served:
        await served.run("--form", served.url, "tea=green & black")
        await served.run("--multipart", served.url, "tea=green")
        await served.run(served.url, "tea=green", f"photo@{path}")
    plain, multipart, files = served.server.requests
    assert plain.body == b"tea=green+%26+black"
    assert plain.get("Content-Type") == "application/x-www-form-urlencoded"
    assert str(multipart.get("Content-Type")).startswith("multipart/form-data; boundary=")
    assert b'name="photo"; filename="photo.txt"' in files.body
    assert b"cheese" in files.body


async def test_content_is_sent_as_it_is(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "all.json"
    path.write_bytes(b"[1]")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"from outside")))
    async with start(reply(), reply(), reply()) as served:
        await served.run("--raw", "raw \udcff", served.url)
        await served.run(served.url, f"@{path}")
        await served.run(served.url, "@-")
    assert [one.body for one in served.server.requests] == [b"raw \xff", b"[1]", b"from outside"]


async def test_content_is_compressed(start: Start) -> None:
    async with start(reply()) as served:
        await served.run("--compress", "gzip", "--raw", "tea" * 100, served.url)
    (request,) = served.server.requests
    assert request.get("Content-Encoding") == "gzip"


# -- credentials ----------------------------------------------------------------------------------


async def test_credentials(start: Start) -> None:
    async with start(reply(), reply(), reply()) as served:
        await served.run("-a", "joe:tea", served.url)
        await served.run("-a", "token", "-A", "bearer", served.url)
        await served.run("-a", "t", "-A", "bearer", served.url, "authorization:mine")
    basic, bearer, own = [one.get("Authorization") for one in served.server.requests]
    assert basic == "Basic am9lOnRlYQ=="
    assert bearer == "Bearer token"
    assert own == "mine"


async def test_digest(start: Start) -> None:
    challenge = 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256'
    script = (
        ReadRequest(),
        Send(reply(b"", challenge, status="401 Unauthorized")),
        ReadRequest(),
        Send(reply(b"in")),
    )
    async with start(script) as served:
        outcome = await served.run("-a", "joe:tea", "-A", "digest", served.url)
    assert outcome.out == b"in"
    assert str(served.server.requests[1].get("Authorization")).startswith('Digest username="joe"')


# -- what is shown --------------------------------------------------------------------------------


async def test_heads_are_shown_on_request(start: Start) -> None:
    async with start(*[reply(b"tea\n", status="418 Teapot")] * 3) as served:
        head = await served.run("-h", served.url)
        both = await served.run("-v", served.url, "a=b")
        some = await served.run("--print", "Hb", "--raw", "x", served.url)
    assert head.out.decode() == (
        "HTTP/1.1 418 Teapot\nContent-Type: text/plain\nContent-Length: 4\n\n"
    )
    text = both.out.decode()
    assert text.startswith("POST / HTTP/1.1\nHost: localhost:")
    assert '{"a": "b"}' in text
    assert text.endswith("tea\n\n")
    assert some.out.decode().startswith("POST / HTTP/1.1\n")
    assert some.out.decode().endswith("\n\ntea\n\n")


async def test_content_that_is_no_text_is_counted(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "photo"
    path.write_bytes(b"\xff\x00")
    async with start(reply(b"\x00\x01", media_type="image/png")) as served:
        outcome = await served.run("-v", served.url, f"@{path}")
    text = outcome.out.decode()
    assert "(2 octets of content)" in text
    assert "(2 octets of image/png; -o FILE keeps them)" in text


async def test_no_content_is_shown_as_none(start: Start) -> None:
    async with start(reply()) as served:
        outcome = await served.run("-v", served.url)
    assert outcome.out.endswith(b"Content-Length: 0\n\n")


async def test_content_without_end_is_cut(start: Start) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"
    async with start((ReadRequest(), Send(head + bytes(5 << 20)), Stall())) as served:
        outcome = await served.run("-v", served.url)
    assert outcome.status == 0
    assert b"and more octets of text/plain" in outcome.out


async def test_a_request_is_sent_again_on_request(start: Start) -> None:
    busy = reply(b"", "Retry-After: 0", status="503 Busy")
    async with start((ReadRequest(), Send(busy), ReadRequest(), Send(reply(b"tea")))) as served:
        outcome = await served.run("--retry", "2", served.url)
    assert outcome.out == b"tea"


async def test_redirects_are_followed_and_shown_on_request(start: Start) -> None:
    found = reply(b"", "Location: /there", status="302 Found")
    script = Repeat(ReadRequest(), Send(found), ReadRequest(), Send(reply(b"there")))
    async with start((script,), (script,)) as served:
        plain = await served.run("--print", "h", served.url)
        followed = await served.run("-F", "--all", "--print", "hb", served.url)
    assert plain.out.startswith(b"HTTP/1.1 302 Found\n")
    assert followed.out.startswith(b"HTTP/1.1 302 Found\n")
    assert followed.out.endswith(
        b"HTTP/1.1 200 OK\nContent-Type: text/plain\nContent-Length: 5\n\nthere\n"
    )


async def test_a_command_of_curl_is_printed_and_nothing_is_sent(start: Start) -> None:
    async with start(reply()) as served:
        outcome = await served.run("--curl", "-a", "joe:tea", served.url, "a=b")
    assert outcome.out.startswith(b"curl http://localhost:")
    assert b"Basic am9lOnRlYQ==" in outcome.out
    assert served.server.requests == []


async def test_exchanges_are_kept_in_an_archive(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "tea.har"
    async with start(reply(b"tea"), (ReadRequest(), Fin())) as served:
        await served.run("--har", str(path), "-a", "joe:secret", served.url)
        (entry,) = json.loads(path.read_text())["log"]["entries"]
        assert entry["response"]["content"]["text"] == "tea"
        assert "am9lOnNlY3JldA" not in path.read_text()
        lost = await served.run("--har", str(path), served.url)
        (entry,) = json.loads(path.read_text())["log"]["entries"]
    assert lost.status == ExitCode.CONNECTION
    assert entry["response"]["status"] == 0


async def test_content_is_written_to_a_file(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "tea.txt"
    async with start(reply(b"tea")) as served:
        outcome = await served.run("-o", str(path), served.url)
    assert path.read_bytes() == b"tea"
    assert f"(3 octets in {path})" in outcome.out.decode()


async def test_content_goes_to_a_device_or_a_pipe(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    async with start(reply(b"tea"), reply(b"tea")) as served:
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            outcome = await served.run("-o", str(path), served.url)
            assert os.read(reader, 10) == b"tea"
        finally:
            os.close(reader)
        await served.run("-o", os.devnull, served.url)
    assert f"(3 octets in {path})" in outcome.out.decode()
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


async def test_what_a_terminal_has_no_character_for_is_an_escape(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", screen)
    content = '{"tea": "th\u00e9\\ud800"}'.encode()
    head = b"HTTP/1.1 200 OK\r\nX-Raw: \x9b1m\xff\r\nContent-Type: application/json\r\n"
    async with start(head + b"Content-Length: %d\r\n\r\n%b" % (len(content), content)) as served:
        status = await asyncio.to_thread(run, ["--print", "hb", "--pretty", "format", served.url])
    screen.seek(0)
    shown = screen.read()
    assert status == ExitCode.OK
    assert "X-Raw: \\xdc9b1m\\xdcff\n" in shown
    assert '"tea": "th\\xe9\\xd800"' in shown


def test_standard_output_may_be_anything_that_text_is_written_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stdout", written)
    assert run(["--version"]) == ExitCode.OK
    assert written.getvalue().startswith("wayfare ")


async def test_a_terminal_shows_colours_and_lines(start: Start) -> None:
    replies = (
        reply(b'{"tea":[1]}', media_type="application/json"),
        reply(b"<p>tea</p>", media_type="application/xhtml+xml"),
        reply(b"{", media_type="application/problem+json"),
        reply(b"plain"),
    )
    async with start(*replies) as served:
        with on_screen() as screen:
            await served.run(served.url)
            json_text = screen.text()
            await served.run("-b", served.url)
            xml_text = screen.text()
            await served.run("-b", "--pretty", "format", served.url)
            broken = screen.text()
            await served.run("-b", served.url)
            plain = screen.text()
    assert "\x1b[1mHTTP/1.1 200 OK" in json_text
    assert "\x1b[1;36mContent-Type" in json_text
    assert json_text.count("\n") > 6
    assert "\x1b[" in xml_text
    assert broken == "{\n"
    assert plain == "plain\n"


async def test_a_terminal_obeys_no_server(start: Start) -> None:
    hostile = "a\x1b]0;title\x07\x9b31m\u202e\rb\tc\n".encode()
    async with start(reply(hostile), reply(hostile, media_type="text/html")) as served:
        with on_screen() as screen:
            await served.run("-b", served.url)
            await served.run("-b", "--pretty", "format", served.url)
            shown = screen.text()
    safe = r"a\x1b]0;title\x07\x9b31m\x202e\x0db" + "\tc\n\n"
    assert shown.expandtabs() == (safe * 2).expandtabs()


async def test_text_is_shown_as_it_arrives(start: Start) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    script = (ReadRequest(), Send(head + b"data: \xc3"), Wait(0.01), Send(b"\xbc\x1b\n\n"), Fin())
    async with start(script, reply(b"tea\n")) as served:
        events = await served.run("--print", "hb", served.url)
        plain = await served.run("--stream", "--print", "hb", served.url)
    assert events.out.decode().endswith(
        "\n\ndata: \N{LATIN SMALL LETTER U WITH DIAERESIS}\\x1b\n\n"
    )
    assert plain.out.endswith(b"\n\ntea\n")


# -- how it ends ----------------------------------------------------------------------------------


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
