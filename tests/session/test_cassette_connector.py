"""`CassetteConnector`: what it records of a real exchange, and what it replays."""

import asyncio
import gzip
import json
import stat
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import wayfare
from multidict import CIMultiDict, CIMultiDictProxy
from wayfare import ClientSession, Redaction
from wayfare.testing import (
    CassetteConnector,
    MockCall,
    MockConnector,
    MockReply,
    UnexpectedRequestError,
)
from wayfare.testing import _cassette as cassette
from wayfare_http_core import UnsupportedCodings, make_decoder
from yarl import URL

HOST = "https://api.example"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a cassette goes."""
    return tmp_path / "cassette.json"


def text_of(path: Path) -> str:
    """What is in the file."""
    return path.read_text("utf-8")


def put(path: Path, text: str) -> None:
    """Write the file."""
    path.write_text(text, "utf-8")


def exchanges(path: Path) -> list[dict[str, Any]]:
    """The exchanges in the file."""
    found: list[dict[str, Any]] = json.loads(text_of(path))["exchanges"]
    return found


def mode_of(path: Path) -> int:
    """Who may read and write the file."""
    return stat.S_IMODE(path.stat().st_mode)


def is_there(path: Path) -> bool:
    """Whether the file exists."""
    return path.exists()


@pytest.fixture
def old_file(path: Path) -> Path:
    """A file that was there before."""
    put(path, "anything")
    path.chmod(0o640)
    return path


def over(path: Path, mode: Any = "replay", network: Any = None, **options: Any) -> ClientSession:
    """A session over a cassette; without a network, asking it is an error of its own."""
    connector = CassetteConnector(path, mode, connector=network or MockConnector(), **options)
    return ClientSession(HOST + "/", connector=connector)


async def test_what_is_recorded_is_replayed(path: Path) -> None:
    network = MockConnector()
    network.post("/", query={"a": 1}, body=b"question").reply(
        203, "answer", reason="Mine", headers=[("X-A", "1"), ("X-A", "2")]
    )
    network.get("/bin").reply(body=b"\xff\x00", trailers={"X-End": "1"})
    network.head("/").reply(headers={"Content-Length": "77"})
    network.delete("/").reply(204)
    heard: list[object] = []
    for mode in ("record", "replay"):
        async with over(path, mode, network) as session:
            async with session.post("/?a=1", data=b"question") as response:
                assert (response.status, response.reason) == (203, "Mine")
                assert response.headers.getall("X-A") == ["1", "2"]
                heard.append(await response.text())
            async with session.get("/bin") as response:
                heard.append(await response.read())
                assert response.trailers["X-End"] == "1"
            async with session.head("/") as response:
                heard.append(response.content_length)
            async with session.delete("/") as response:
                heard.append(response.content_length)
    assert heard == ["answer", b"\xff\x00", 77, None] * 2
    assert len(network.calls) == 4


async def test_the_file_can_be_read(path: Path) -> None:
    network = MockConnector()
    network.post("/in").reply(json={"ok": True}, headers={"Date": "today"})
    async with over(path, "record", network, match=["method", "path"]) as session:
        await session.post("/in", data="text", skip_auto_headers=["User-Agent", "Accept-Encoding"])
    assert json.loads(text_of(path)) == {
        "cassette": 1,
        "exchanges": [
            {
                "request": {
                    "method": "POST",
                    "url": "https://api.example/in",
                    "headers": [
                        ["Host", "api.example"],
                        ["Accept", "*/*"],
                        ["Content-Type", "text/plain; charset=utf-8"],
                    ],
                    "text": "text",
                },
                "response": {
                    "status": 200,
                    "reason": "OK",
                    "headers": [["Date", "today"], ["Content-Type", "application/json"]],
                    "text": '{"ok": true}',
                },
            }
        ],
    }
    assert text_of(path).count("\n") > 20


async def test_y10_secrets_stay_out_of_the_file_and_match_all_the_same(path: Path) -> None:
    network = MockConnector()
    network.post(re_any).reply(
        json={"access_token": "hush", "user": "ada"},
        headers={"Set-Cookie": "sid=hush; Path=/", "X-Mine": "hush"},
    )
    options: Any = {"redaction": Redaction(["X-Mine"])}
    told = []
    for mode in ("record", "replay"):
        async with over(path, mode, network, **options) as session:
            sending = session.post(
                "/",
                params={"api_key": "hush"},
                data={"password": "hush"},
                headers={"Authorization": "Bearer hush"},
            )
            async with sending as response:
                told.append((await response.json(), response.cookies["sid"].value))
    assert told == [
        ({"access_token": "hush", "user": "ada"}, "hush"),
        ({"access_token": "***", "user": "ada"}, "***"),
    ]
    assert "hush" not in text_of(path)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_y10_secrets_stay_out_of_content_that_was_sent_coded(path: Path, coding: str) -> None:
    network = MockConnector()
    network.post("/").reply(body=b"got it").times(4)
    coded = gzip.compress(b'{"plain": 1}')
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    for mode in ("record", "replay"):
        async with over(path, mode, network) as session:
            for secret in ("hush", "more"):
                async with session.post("/", json={"token": secret}, compress=coding) as response:
                    assert await response.read() == b"got it"
            for content in (coded, b"no gzip"):
                async with session.post("/", data=content, headers=headers) as response:
                    assert await response.read() == b"got it"
    kept = [
        exchange["request"]["base64"] for exchange in json.loads(text_of(path))["exchanges"][:3]
    ]
    decoder = make_decoder([coding])
    assert decoder is not None
    assert not isinstance(decoder, UnsupportedCodings)
    assert decoder.decode(b64decode(kept[0]), 100) == b'{"token": "***"}'
    assert kept[0] == kept[1]
    assert b64decode(kept[2]) == coded


def re_any(url: URL) -> bool:
    """Any URL."""
    return True


async def test_coded_content_is_kept_readable_and_replayed_coded(path: Path) -> None:
    network = MockConnector()
    coded = gzip.compress(b'{"token": "hush", "a": "\xc3\xa9"}')
    network.get("/").reply(body=coded, headers=CIMultiDict({
        "Content-Encoding": "gzip", "Content-Type": "application/json"}))  # fmt: skip
    async with over(path, "record", network) as session, session.get("/") as response:
        assert (await response.json())["token"] == "hush"
    assert '"text": "{\\"token\\": \\"***\\", \\"a\\": \\"é\\"}"' in text_of(path)
    async with over(path) as session, session.get("/") as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert await response.json() == {"token": "***", "a": "é"}


@pytest.mark.parametrize(
    ("coding", "body"),
    [("sdch", b"x"), ("gzip", b"no gzip"), ("gzip", gzip.compress(bytes(20 << 20)))],
)
async def test_what_cannot_be_decoded_is_kept_as_it_came(
    path: Path, coding: str, body: bytes
) -> None:
    network = MockConnector()
    network.get("/").reply(body=body, headers={"Content-Encoding": coding})
    for mode in ("record", "replay"):
        options: Any = {"auto_decompress": False}
        async with over(path, mode, network) as session, session.get("/", **options) as response:
            assert await response.read() == body
    assert '"coded": true' in text_of(path)


async def test_each_exchange_is_replayed_once_in_order(path: Path) -> None:
    network = MockConnector()
    network.get("/").reply(body="one").reply(body="two")
    async with over(path, "record", network) as session:
        for _ in range(2):
            await (await session.get("/")).read()
    async with over(path) as session:
        assert [await (await session.get("/")).text() for _ in range(2)] == ["one", "two"]
        with pytest.raises(UnexpectedRequestError, match=r"left in it are:\n  nothing"):
            await session.get("/")


async def test_a_request_that_is_not_there_is_told_what_is(path: Path) -> None:
    network = MockConnector()
    network.post("/a").reply()
    async with over(path, "record", network) as session:
        await session.post("/a", data=b"1")
    async with over(path) as session:
        with pytest.raises(UnexpectedRequestError) as raised:
            await session.post("/a", data=b"2")
    assert str(raised.value) == (
        f"{path} has no answer to POST {HOST}/a; left in it are:\n"
        f"  1. <MockCall POST {HOST}/a, 1 octets>: its body differs"
    )


async def test_new_requests_are_recorded_beside_the_old_ones(path: Path) -> None:
    first, second = MockConnector(), MockConnector()
    first.get("/old").reply(body="old")
    second.get("/new").reply(body="new")
    async with over(path, "new", first) as session:
        await session.get("/old")
    async with over(path, "new", second) as session:
        assert await (await session.get("/new")).text() == "new"
        assert await (await session.get("/old")).text() == "old"
    async with over(path, "new", MockConnector()) as session:
        assert await (await session.get("/new")).text() == "new"
    urls = [one["request"]["url"] for one in exchanges(path)]
    assert urls == [f"{HOST}/old", f"{HOST}/new"]


async def test_recording_begins_a_new_file(path: Path, old_file: Path) -> None:
    async with over(path, "record"):
        pass
    assert json.loads(text_of(path)) == {"cassette": 1, "exchanges": []}
    assert mode_of(path) == 0o640


async def test_nothing_is_written_where_nothing_is_new(path: Path) -> None:
    async with over(path, "new"):
        pass
    assert not is_there(path)


@pytest.mark.parametrize(
    ("match", "url", "fits"),
    [
        (["host"], "/b?x=2", True),
        (["path"], "/a?x=2", True),
        (["query"], "/b?x=1", True),
        (["url"], "/a?x=1", True),
        (["url"], "/a?x=2", False),
        (["query"], "/a", False),
        (lambda recorded, call: recorded.url.path == "/a" and call.url.path == "/b", "/b", True),
        (lambda recorded, call: False, "/a", False),
    ],
)
async def test_what_must_match_can_be_chosen(path: Path, match: Any, url: str, fits: bool) -> None:
    network = MockConnector()
    network.get("/a")
    async with over(path, "record", network) as session:
        await session.get("/a?x=1")
    async with over(path, match=match) as session:
        if fits:
            await session.get(url)
        else:
            with pytest.raises(UnexpectedRequestError):
                await session.get(url)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"mode": "play"}, "replay, record or new, not 'play'"),
        ({"match": ["uri"]}, "match can be some of method, url, host"),
        ({"match": "url"}, "match can be some of method, url, host"),
    ],
)
def test_arguments_that_make_no_sense(path: Path, arguments: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        CassetteConnector(path, **arguments)


async def test_a_file_that_is_not_there(path: Path) -> None:
    async with over(path) as session:
        for _ in range(2):
            with pytest.raises(FileNotFoundError, match="cassette"):
                await session.get("/")


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"cassette": 2}', '{"cassette": 1, "exchanges": [{}]}', '{"cassette": 1}',
     '{"cassette": 1, "exchanges": [{"request": {"headers": [], "url": "/", "method": "GET", "base64": "a"},'
     ' "response": {}}]}'],
)  # fmt: skip
async def test_a_file_that_is_no_cassette(path: Path, text: str) -> None:
    put(path, text)
    async with over(path) as session:
        with pytest.raises(ValueError, match=r"cassette\.json is no cassette: \w*Error: "):
            await session.get("/")


async def test_what_the_network_raises_is_raised_and_not_recorded(path: Path) -> None:
    network = MockConnector()
    network.get("/").fail(wayfare.ClientConnectionError("down"))
    network.get("/cut").call(cut)
    async with over(path, "record", network) as session:
        with pytest.raises(wayfare.ClientConnectionError, match="down"):
            await session.get("/")
        with pytest.raises(OSError, match="gone"):
            await session.get("/cut")
    assert exchanges(path) == []


def cut(call: MockCall) -> MockReply:
    """A reply that breaks off."""

    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise OSError("gone")

    return MockReply(body=pieces)


async def test_an_upgrade_is_refused(path: Path) -> None:
    async with over(path, "record") as session:
        with pytest.raises(RuntimeError, match="cannot be recorded"):
            await session.ws_connect("/")
    assert exchanges(path) == []


async def test_a_host_of_ones_own_is_asked_for(path: Path) -> None:
    network = MockConnector()
    network.get("/", headers={"Host": "other.example"})
    async with over(path, "record", network) as session:
        await session.get("/", headers={"Host": "other.example"})


async def test_the_network_is_tcp_unless_another_is_given(path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nreal")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with ClientSession(connector=CassetteConnector(path, "record")) as session:
            assert await (await session.get(url)).text() == "real"
    async with ClientSession(connector=CassetteConnector(path)) as session:
        assert await (await session.get(url)).text() == "real"


async def test_a_request_that_is_given_up_is_not_recorded(path: Path) -> None:
    network = MockConnector()
    network.get("/").reply(delay=100)
    async with over(path, "record", network) as session:
        sending = asyncio.ensure_future(session.get("/"))
        while not network.calls:
            await asyncio.sleep(0)
        sending.cancel()
        await asyncio.wait([sending])
    assert exchanges(path) == []


def test_y10_a_call_is_compared_without_its_secrets() -> None:
    headers = CIMultiDictProxy(CIMultiDict({"Content-Type": "application/json"}))
    call = MockCall("POST", URL("http://u:p@h/"), headers, b'{"token": 1}')
    kept = cassette.redacted_call(call, Redaction())
    assert (str(kept.url), kept.body) == ("http://h/", b'{"token": "***"}')
