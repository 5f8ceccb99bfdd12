"""`HARRecorder`: what it keeps of each exchange, and how it is saved."""

import asyncio
import base64
import gzip
import json
import os
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import wayfare
from wayfare import ClientSession, HARRecorder, Redaction
from wayfare._whole_file import write_whole
from wayfare.testing import MockConnector
from wayfare_http_core.testing import Fin, ReadRequest, Send, run_with_fake_clock

from .conftest import Serve

BARE = {"skip_auto_headers": ["User-Agent", "Accept", "Accept-Encoding"]}


def over(mock: MockConnector, recorder: HARRecorder, **options: Any) -> ClientSession:
    """A session over a mock, with a recorder."""
    return ClientSession("http://h/", connector=mock, middlewares=[recorder], **{**BARE, **options})


def entries(recorder: HARRecorder) -> list[dict[str, Any]]:
    """The entries of the archive, which must be JSON."""
    archive = json.loads(json.dumps(recorder.archive()))
    found: list[dict[str, Any]] = archive["log"]["entries"]
    return found


async def test_a_redirect_and_what_it_leads_to() -> None:
    recorder, mock = HARRecorder(), MockConnector()
    mock.post("/in").reply(302, headers={"Location": "/out?token=hush", "Set-Cookie": "sid=hush"})
    mock.get("/out").reply(json={"a": 1}, reason="Fine")
    form = {"user": "ada", "password": "hush"}
    async with over(mock, recorder) as session, session.post("/in?a=1&a=2", data=form) as response:
        await response.read()
    first, second = entries(recorder)
    assert first["request"] == {
        "method": "POST",
        "url": "http://h/in?a=1&a=2",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [
            {"name": "Content-Type", "value": "application/x-www-form-urlencoded"},
        ],
        "queryString": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}],
        "headersSize": -1,
        "bodySize": 22,
        "postData": {
            "mimeType": "application/x-www-form-urlencoded",
            "text": "user=ada&password=***",
        },
    }
    assert first["response"]["status"] == 302
    assert first["response"]["redirectURL"] == "/out?token=***"
    assert first["response"]["cookies"] == [{"name": "sid", "value": "***"}]
    assert second["request"]["url"] == "http://h/out?token=***"
    assert second["request"]["cookies"] == [{"name": "sid", "value": "***"}]
    assert second["response"] == {
        "status": 200,
        "statusText": "Fine",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [
            {"name": "Content-Type", "value": "application/json"},
            {"name": "Content-Length", "value": "8"},
        ],
        "content": {"size": 8, "mimeType": "application/json", "text": '{"a": 1}'},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": 8,
    }
    assert second["serverIPAddress"] == "127.0.0.1"
    assert second["connection"].isdigit()
    assert second["cache"] == {}
    assert "hush" not in json.dumps(recorder.archive())


async def test_the_log() -> None:
    log = HARRecorder().archive()["log"]
    assert log["version"] == "1.2"
    assert log["creator"]["name"] == "wayfare"
    assert log["creator"]["version"] == wayfare.__version__
    assert log["entries"] == []


async def test_y10_secrets_are_kept_for_whoever_asks() -> None:
    recorder, mock = HARRecorder(redaction=None), MockConnector()
    mock.post("/").reply(json={"token": "t"}, headers={"Set-Cookie": "sid=s"})
    options: Any = {"json": {"secret": "s"}, "cookies": {"c": "v"}}
    async with over(mock, recorder) as session, session.post("/?key=k", **options) as response:
        await response.read()
    (entry,) = entries(recorder)
    assert entry["request"]["url"].endswith("?key=k")
    assert entry["request"]["postData"]["text"] == '{"secret": "s"}'
    assert entry["request"]["cookies"] == [{"name": "c", "value": "v"}]
    assert entry["response"]["cookies"] == [{"name": "sid", "value": "s"}]
    assert entry["response"]["content"]["text"] == '{"token": "t"}'


async def test_y10_the_sessions_names_of_secrets_count() -> None:
    recorder, mock = HARRecorder(redaction=Redaction(["X-Mine"])), MockConnector()
    mock.get("/")
    headers = {"X-Mine": "hush", "X-Ours": "hush", "X-Open": "1"}
    async with over(mock, recorder, sensitive_headers=["X-Ours"]) as session:
        await session.get("/", headers=headers)
    assert [field["value"] for field in entries(recorder)[0]["request"]["headers"]] == [
        "***",
        "***",
        "1",
    ]


async def test_content_is_kept_up_to_a_bound_and_binary_as_base64() -> None:
    recorder, mock = HARRecorder(max_body=4), MockConnector()
    mock.post("/").reply(body=[b"\xff\xfe\xfd", b"\xfc\xfb"])
    async with over(mock, recorder) as session:
        async with session.post("/", data=b"\xff") as response:
            await response.read()
        mock.post("/")
        await session.post("/", data=b"12345")
    first, second = entries(recorder)
    assert first["response"]["content"] == {
        "size": 5,
        "mimeType": "x-unknown",
        "text": base64.b64encode(b"\xff\xfe\xfd\xfc").decode(),
        "encoding": "base64",
        "comment": "the first 4 octets",
    }
    assert first["request"]["postData"]["text"] == "/w=="
    assert second["request"]["postData"] == {
        "mimeType": "application/octet-stream",
        "text": "",
        "comment": "the content was not kept",
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
async def test_y10_content_that_is_cut_off_has_its_secrets_taken_out(encoding: str) -> None:
    recorder, mock = HARRecorder(max_body=100), MockConnector()
    text = '{"token": "hush", "name": "' + 100 * "é"
    for media_type in ("application/json", "text/plain"):
        headers = {"Content-Type": media_type}
        mock.get("/").reply(headers=headers, body=text.encode(encoding))
    async with over(mock, recorder) as session:
        for _ in range(2):
            async with session.get("/") as response:
                await response.read()
    first, second = (entry["response"]["content"] for entry in entries(recorder))
    assert first["text"].startswith('{"token": "***"')
    assert "encoding" not in first
    kept = text.encode(encoding)[:100]
    if encoding == "utf-8":
        # What is no JSON has no names, and half a character is no text.
        assert second["text"].encode() == kept[:-1]
    else:
        assert base64.b64decode(second["text"]) == kept


async def test_all_entries_together_have_a_bound() -> None:
    """The oldest go first, also while their content is still being read."""
    recorder, mock = HARRecorder(max_total=3000), MockConnector()
    for _ in range(8):
        mock.get("/").reply(body=bytes(1000))
    async with over(mock, recorder) as session:
        first = await session.get("/")
        for _ in range(6):
            async with session.get("/", params={"long": "x" * 100}) as response:
                await response.read()
        assert 1 <= len(recorder) <= 2
        assert recorder._total == sum(entry.octets for entry in recorder._entries) <= 3000
        assert len(await first.read()) == 1000
        assert recorder._total == sum(entry.octets for entry in recorder._entries)
        assert all(entry["response"]["content"]["size"] == 1000 for entry in entries(recorder))
        recorder.clear()
        assert (len(recorder), recorder._total) == (0, 0)
        # One entry alone can be too much.
        await session.get("/", params={"long": "x" * 3000})
        assert (len(recorder), recorder._total) == (0, 0)


async def test_a_bound_on_all_entries_can_be_left_out() -> None:
    recorder, mock = HARRecorder(max_total=None, max_entries=2, max_body=5000), MockConnector()
    for _ in range(3):
        mock.get("/").reply(body=bytes(5000))
    async with over(mock, recorder) as session:
        for _ in range(3):
            async with session.get("/") as response:
                await response.read()
    assert len(recorder) == 2
    assert recorder._total > 10_000


async def test_no_content_is_kept_where_none_is_wanted() -> None:
    recorder, mock = HARRecorder(max_body=0), MockConnector()
    mock.get("/").reply(body=b"text")
    async with over(mock, recorder) as session, session.get("/") as response:
        await response.read()
    assert entries(recorder)[0]["response"]["content"] == {"size": 4, "mimeType": "x-unknown"}


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        (gzip.compress(b'{"token": "hush"}'), '{"token": "***"}'),
        (gzip.compress(bytes(1000)), ""),
        (b"no gzip", ""),
    ],
    ids=["known", "large", "broken"],
)
async def test_y10_content_that_is_sent_coded_has_its_secrets_taken_out(
    content: bytes, kept: str
) -> None:
    """It is kept without its codings, or not at all."""
    recorder, mock = HARRecorder(max_body=100), MockConnector()
    mock.post("/")
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    async with over(mock, recorder) as session:
        await session.post("/", data=content, headers=headers)
    data = entries(recorder)[0]["request"]["postData"]
    assert data["text"] == kept
    assert data.get("comment") == (None if kept else "the content was not kept")


async def pieces() -> AsyncIterator[bytes]:
    """Content that can be sent once."""
    yield b"once"


async def test_content_that_is_read_once_is_left_alone() -> None:
    recorder, mock = HARRecorder(), MockConnector()
    mock.post("/", body=b"once")
    async with over(mock, recorder) as session:
        await session.post("/", data=pieces())
    request = entries(recorder)[0]["request"]
    assert request["bodySize"] == -1
    assert request["postData"]["comment"] == "the content was not kept"


async def test_coded_content_is_kept_decoded(serve: Serve) -> None:
    coded = gzip.compress(b"text " * 100)
    head = f"HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: {len(coded)}"
    recorder = HARRecorder()
    async with (
        serve((head, coded), middlewares=[recorder]) as (session, _),
        session.get("") as response,
    ):
        await response.read()
    found = entries(recorder)[0]["response"]
    assert found["bodySize"] == len(coded)
    assert found["content"]["compression"] == 500 - len(coded)
    assert found["content"]["text"] == "text " * 100


async def test_a_response_that_nobody_reads() -> None:
    recorder, mock = HARRecorder(), MockConnector()
    mock.get("/").reply(body=b"unread")
    async with over(mock, recorder) as session, session.get("/"):
        pass
    found = entries(recorder)[0]["response"]
    assert found["content"] == {"size": 0, "mimeType": "x-unknown"}
    assert found["bodySize"] == -1


async def test_failures_are_entries(serve: Serve) -> None:
    recorder, mock = HARRecorder(), MockConnector()
    mock.get("/").fail(wayfare.ClientConnectionError("no way to http://h/?token=hush"))
    async with over(mock, recorder) as session:
        with pytest.raises(wayfare.ClientConnectionError):
            await session.get("/")
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"
    async with serve([ReadRequest(), Send(cut), Fin()], middlewares=[recorder]) as (session, _):
        response = await session.get("")
        with pytest.raises(wayfare.ClientPayloadError):
            await response.read()
    first, second = entries(recorder)
    assert first["_error"] == "ClientConnectionError: no way to http://h/?token=***"
    assert first["response"]["status"] == 0
    assert "serverIPAddress" not in first
    assert second["_error"].startswith("IncompleteBodyError: ")
    assert second["response"]["content"]["text"] == "half"


async def test_a_request_that_is_cancelled_is_an_entry() -> None:
    recorder, mock = HARRecorder(), MockConnector()
    mock.get("/").reply(delay=100).optional()
    async with over(mock, recorder) as session:
        sending = asyncio.ensure_future(session.get("/"))
        while not mock.calls:
            await asyncio.sleep(0)
        assert entries(recorder)[0]["response"]["status"] == 0
        sending.cancel()
        await asyncio.wait([sending])
    assert entries(recorder)[0]["_error"] == "CancelledError: "


def test_times_are_milliseconds_of_the_loops_clock() -> None:
    recorder = HARRecorder()

    async def words() -> AsyncIterator[bytes]:
        yield b"one"
        await asyncio.sleep(3)
        yield b"two"

    async def main() -> None:
        mock = MockConnector(force_close=False)
        mock.get("/").reply(body=words, delay=2).times(2)
        async with over(mock, recorder) as session:
            for _ in range(2):
                await (await session.get("/")).read()

    before = datetime.now(UTC)
    run_with_fake_clock(main())
    made, reused = entries(recorder)
    assert made["timings"]["wait"] == pytest.approx(2000, abs=50)
    assert made["timings"]["receive"] == pytest.approx(3000, abs=50)
    assert made["time"] == pytest.approx(5000, abs=50)
    assert made["timings"]["send"] == 0
    assert {reused["timings"][name] for name in ("blocked", "dns", "connect", "ssl")} == {-1}
    began = datetime.fromisoformat(made["startedDateTime"])
    assert abs((began - before).total_seconds()) < 60


async def test_the_stages_of_a_connection_are_told(serve: Serve) -> None:
    recorder = HARRecorder()
    answer = "HTTP/1.1 200 OK\nContent-Length: 0"
    async with serve(answer, middlewares=[recorder]) as (session, _):
        await session.get("")
    timings = entries(recorder)[0]["timings"]
    assert timings["connect"] >= 0
    assert timings["ssl"] == -1
    assert timings["wait"] >= 0


async def test_a_unix_socket_has_no_address(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    recorder, path = HARRecorder(), str(tmp_path / "s")
    async with await asyncio.start_unix_server(answer, path):
        connector = wayfare.UnixConnector(path)
        async with ClientSession(
            "http://h", connector=connector, middlewares=[recorder]
        ) as session:
            await session.get("/")
    (entry,) = entries(recorder)
    assert "serverIPAddress" not in entry
    assert "connection" not in entry


async def test_the_oldest_are_dropped_and_all_can_be_forgotten() -> None:
    recorder, mock = HARRecorder(max_entries=2), MockConnector()
    mock.get("/").always()
    async with over(mock, recorder) as session:
        for number in range(3):
            await session.get("/", params={"n": number})
    assert [entry["request"]["queryString"][0]["value"] for entry in entries(recorder)] == [
        "1",
        "2",
    ]
    assert len(recorder) == 2
    recorder.clear()
    assert len(recorder) == 0


@pytest.mark.parametrize("options", [{"max_body": -1}, {"max_entries": 0}, {"max_total": -1}])
def test_bounds_that_make_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="max_entries must be positive"):
        HARRecorder(**options)


async def test_it_is_saved_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.har"
    await HARRecorder().save(path)
    assert json.loads(path.read_text("utf-8"))["log"]["entries"] == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    await HARRecorder().save(str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    with pytest.raises(FileNotFoundError):
        await HARRecorder().save(tmp_path / "none" / "a.har")


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "new \udc80")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


async def test_a_trace_looks_at_the_content_as_well() -> None:
    octets = 0

    async def ended(session: object, context: object, params: Any) -> None:
        nonlocal octets
        octets = params.octets

    config = wayfare.TraceConfig()
    config.on_response_end.append(ended)
    recorder, mock = HARRecorder(), MockConnector()
    mock.get("/").reply(body=b"both")
    async with (
        over(mock, recorder, trace_configs=[config]) as session,
        session.get("/") as response,
    ):
        await response.read()
    assert octets == entries(recorder)[0]["response"]["content"]["size"] == 4
