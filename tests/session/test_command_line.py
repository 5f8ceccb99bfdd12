"""The program against a scripted server: what is sent, and what is printed."""

import asyncio
import io
import json
import os
import stat
import sys
from pathlib import Path

import pytest
from wayfare._command_line._exit_codes import ExitCode
from wayfare._command_line._running import run
from wayfare_http_core.testing import Fin, ReadRequest, Repeat, Send, Stall, Wait

from .command_program import Start, on_screen, reply

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
