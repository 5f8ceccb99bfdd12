"""Downloads into files: whole, resumed, in parts, and everything that a server can answer instead (O14)."""

import asyncio
import gzip
import hashlib
import os
import resource
from pathlib import Path
from typing import Any

import pytest
import wayfare
from wayfare import ChecksumMismatchError, ClientResponseError, DownloadMismatchError
from wayfare_connector.testing import MemoryDialer
from wayfare_http_core import IncompleteBodyError, ReadTimeoutError
from wayfare_http_core.testing import (
    FakeClockLoop,
    Fin,
    ReadRequest,
    Script,
    ScriptedServer,
    Send,
    Stall,
    World,
)

from .conftest import in_memory

BODY = bytes(range(256)) * 4096  # a mebibyte
PART = 8 * 1024 * 1024
BIG = os.urandom(1024) * (20 * 1024)  # 20 MiB: three parts
TAG = 'ETag: "a"'


def whole(
    body: bytes = BODY, *fields: str, status: str = "200 OK", sent: int | None = None
) -> Script:
    """A response with all of it, or the first so many octets and then the end."""
    head = [f"HTTP/1.1 {status}", *(fields or (TAG,)), f"Content-Length: {len(body)}", "", ""]
    return (ReadRequest(), Send("\r\n".join(head).encode() + body[:sent]), Fin())


def part(
    first: int,
    *fields: str,
    body: bytes = BODY,
    last: int | None = None,
    sent: int | None = None,
) -> Script:
    """A response with the rest from an offset on."""
    end = len(body) if last is None else last + 1
    said = f"Content-Range: bytes {first}-{end - 1}/{len(body)}"
    return whole(
        body[first:end], said, *(fields or (TAG,)), status="206 Partial Content", sent=sent
    )


def refused(status: int, *fields: str) -> Script:
    return whole(b"why", *fields, status=f"{status} No")


def asked(server: Any) -> list[tuple[str | None, str | None]]:
    """What each request asked for: Range and If-Range."""
    return [(request.get("Range"), request.get("If-Range")) for request in server.requests]


def content(path: Path) -> bytes:
    return path.read_bytes()


def store(path: Path, octets: bytes) -> None:
    path.write_bytes(octets)


def names(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


async def interrupted(session: wayfare.ClientSession, target: Path, **options: Any) -> None:
    """Download until the connection ends."""
    with pytest.raises(IncompleteBodyError):
        await session.download("/file", target, **options)
    assert names(target) == ["name.bin.part", "name.bin.part.json"]


# -- whole ----------------------------------------------------------------------------------------------------------


async def test_a_file_is_downloaded(serve: Any, target: Path) -> None:
    store(target, b"old")
    told: list[tuple[int, int | None]] = []
    digest = hashlib.sha256(BODY).hexdigest()
    async with serve(whole(BODY, TAG, "X-One: 1")) as (session, server):
        saved = await session.download(
            "/file?a=b",
            str(target),
            progress=lambda *pair: told.append(pair),
            sha256=digest.upper(),
            fsync=True,
            headers={"X-Two": "2"},
        )
        assert saved.path == target
        assert (saved.size, saved.resumed_from) == (len(BODY), 0)
        assert saved.checksum == ("sha256", digest)
        assert (saved.status, saved.headers["X-One"]) == (200, "1")
        assert saved.url.path_qs == "/file?a=b"
        assert asked(server) == [(None, None)]
        assert server.requests[0].get("Accept-Encoding") == "identity"
        assert server.requests[0].get("X-Two") == "2"
    assert content(target) == BODY
    assert names(target) == ["name.bin"]
    assert told[0] == (0, len(BODY))
    assert told[-1] == (len(BODY), len(BODY))
    assert told == sorted(told)


@pytest.mark.parametrize("connections", [1, 3])
async def test_an_empty_file(serve: Any, target: Path, connections: int) -> None:
    scripts = (
        [whole(b"")] if connections == 1 else [refused(416, "Content-Range: bytes */0"), whole(b"")]
    )
    async with serve(*scripts) as (session, _):
        assert (await session.download("/file", target, connections=connections)).size == 0
    assert content(target) == b""


async def test_content_without_a_length(serve: Any, target: Path) -> None:
    told: list[tuple[int, int | None]] = []
    script = (ReadRequest(), Send(b"HTTP/1.1 200 OK\r\n\r\n" + BODY), Fin())
    async with serve(script) as (session, _):
        await session.download("/file", target, progress=lambda *pair: told.append(pair))
    assert content(target) == BODY
    assert told[0] == (0, None)
    assert told[-1][0] == len(BODY)


async def test_redirects_are_followed(serve: Any, target: Path) -> None:
    moved = whole(b"", "Location: /there", status="302 Found")
    async with serve(moved, whole(sent=1000), moved, part(1000)) as (session, server):
        await interrupted(session, target)
        saved = await session.download("/file", target)
        assert (saved.url.path, saved.resumed_from) == ("/there", 1000)
        assert asked(server)[2:] == [("bytes=1000-", '"a"')] * 2
    assert content(target) == BODY


@pytest.mark.parametrize("connections", [1, 3])
@pytest.mark.parametrize("status", [404, 500])
async def test_a_status_that_is_none_of_success(
    serve: Any, target: Path, status: int, connections: int
) -> None:
    async with serve(refused(status)) as (session, _):
        with pytest.raises(ClientResponseError) as caught:
            await session.download("/file", target, connections=connections)
        assert (caught.value.status, caught.value.body) == (status, b"why")
    assert names(target) == []


@pytest.mark.parametrize("status", ["206 Partial Content", "226 IM Used", "304 Not Modified"])
async def test_a_status_that_brings_no_whole_file(serve: Any, target: Path, status: str) -> None:
    async with serve(whole(b"", "Content-Range: bytes 0-2/3", status=status)) as (session, _):
        with pytest.raises(ClientResponseError, match=f"status 200, not {status[:3]}"):
            await session.download("/file", target)
    assert names(target) == []


async def test_416_to_a_request_without_range(serve: Any, target: Path) -> None:
    async with serve(refused(416)) as (session, _):
        with pytest.raises(ClientResponseError) as caught:
            await session.download("/file", target)
        assert caught.value.status == 416


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"connections": 0}, ValueError, "connections must be a positive number"),
        ({"connections": True}, ValueError, "connections must be a positive number"),
        ({"connections": 1.5}, ValueError, "connections must be a positive number"),
        ({"attempts": 0}, ValueError, "attempts must be a positive number"),
        ({"connections": 2, "compressed": True}, ValueError, "no parts to fetch at once"),
        ({"sha256": "x"}, ValueError, "sha256 is 64 hex digits"),
        ({"headers": {"range": "bytes=0-"}}, ValueError, "a download sends Range itself"),
        ({"headers": [("If-Range", "x")]}, ValueError, "a download sends If-Range itself"),
        ({"raise_for_status": True}, ValueError, "a download judges the status itself"),
        ({"nonsense": 1}, TypeError, "nonsense"),
    ],
)
async def test_arguments_that_make_no_sense(
    serve: Any, target: Path, options: dict[str, Any], error: type[Exception], text: str
) -> None:
    async with serve() as (session, server):
        with pytest.raises(error, match=text):
            await session.download("/file", target, **options)
        assert not server.requests
    assert names(target) == []


async def test_silence_is_bounded_unless_somebody_says_how(serve: Any, target: Path) -> None:
    seen: list[wayfare.ClientTimeout] = []

    async def look(
        request: wayfare.ClientRequest, handler: wayfare.ClientHandlerType
    ) -> wayfare.ClientResponse:
        seen.append(request.timeout)
        return await handler(request)

    async with serve(whole(), whole(), middlewares=[look]) as (session, _):
        await session.download("/file", target)
        await session.download("/file", target, timeout=7)
    async with serve(whole(), timeout=wayfare.ClientTimeout(sock_read=5), middlewares=[look]) as (
        session,
        _,
    ):
        await session.download("/file", target)
    assert [(one.total, one.sock_read) for one in seen] == [(None, 60), (7, None), (None, 5)]


# -- resumed --------------------------------------------------------------------------------------------------------


async def test_a_download_goes_on_where_it_was_interrupted(serve: Any, target: Path) -> None:
    told: list[tuple[int, int | None]] = []
    scripts = (whole(sent=1000), part(1000))
    async with serve(*scripts) as (session, server):
        await interrupted(session, target)
        assert content(target.with_name("name.bin.part")) == BODY[:1000]
        saved = await session.download(
            "/file",
            target,
            progress=lambda *pair: told.append(pair),
            checksum=("md5", hashlib.md5(BODY).hexdigest()),
        )
        assert (saved.size, saved.resumed_from, saved.status) == (len(BODY), 1000, 206)
        assert asked(server) == [(None, None), ("bytes=1000-", '"a"')]
    assert content(target) == BODY
    assert names(target) == ["name.bin"]
    assert told[0] == (1000, len(BODY))
    assert told[-1] == (len(BODY), len(BODY))


async def test_a_date_may_vouch_for_the_file(serve: Any, target: Path) -> None:
    dated = "Date: Mon, 30 Nov 2026 12:00:00 GMT\r\nLast-Modified: Mon, 30 Nov 2026 10:00:00 GMT"
    async with serve(whole(BODY, dated, sent=1000), part(1000, dated)) as (session, server):
        await interrupted(session, target)
        await session.download("/file", target)
        assert asked(server)[1] == ("bytes=1000-", "Mon, 30 Nov 2026 10:00:00 GMT")
    assert content(target) == BODY


async def test_a_server_may_send_less_than_the_rest(serve: Any, target: Path) -> None:
    scripts = (whole(sent=1000), part(1000, last=4999), part(5000, last=9999), part(10_000))
    async with serve(*scripts) as (session, server):
        await interrupted(session, target)
        saved = await session.download("/file", target)
        assert saved.resumed_from == 1000
        assert [one for one, _ in asked(server)[1:]] == [
            "bytes=1000-",
            "bytes=5000-",
            "bytes=10000-",
        ]
        assert {two for _, two in asked(server)[1:]} == {'"a"'}
    assert content(target) == BODY


async def test_a_part_may_be_interrupted_as_well(serve: Any, target: Path) -> None:
    async with serve(whole(sent=1000), part(1000, sent=7000), whole(sent=0)) as (session, server):
        await interrupted(session, target)
        await interrupted(session, target)
        assert content(target.with_name("name.bin.part")) == BODY[:8000]
        await interrupted_anew(session, target)
        assert asked(server)[2] == ("bytes=8000-", '"a"')


async def interrupted_anew(session: wayfare.ClientSession, target: Path) -> None:
    """A server that sends all of it from the beginning, and breaks off at once: nothing is there, nothing is kept."""
    with pytest.raises(IncompleteBodyError):
        await session.download("/file", target)
    assert names(target) == []


async def test_what_was_whole_but_for_its_name(serve: Any, target: Path) -> None:
    """The last octet is asked for once more: a range behind the end would be none."""
    last = len(BODY) - 1
    async with serve(whole(sent=1000), part(last)) as (session, server):
        await interrupted(session, target)
        store(target.with_name("name.bin.part"), BODY)
        saved = await session.download("/file", target)
        assert saved.resumed_from == last
        assert asked(server)[1] == (f"bytes={last}-", '"a"')
    assert content(target) == BODY


async def test_more_than_there_can_be_is_cut_off(serve: Any, target: Path) -> None:
    last = len(BODY) - 1
    async with serve(whole(sent=1000), part(last)) as (session, _):
        await interrupted(session, target)
        store(target.with_name("name.bin.part"), BODY + b"whatever this is")
        assert (await session.download("/file", target)).size == len(BODY)
    assert content(target) == BODY


async def test_a_file_of_one_octet_is_asked_for_whole(serve: Any, target: Path) -> None:
    async with serve(whole(b"xy", sent=1), whole(b"x")) as (session, server):
        await interrupted(session, target)
        mark = target.with_name("name.bin.part.json")
        store(mark, content(mark).replace(b'"length": 2', b'"length": 1'))
        await session.download("/file", target)
        assert asked(server)[1] == (None, None)
    assert content(target) == b"x"


NEW = BODY[::-1]


@pytest.mark.parametrize(
    "answers",
    [
        # The file changed, or the server gives no parts.
        (whole(NEW, 'ETag: "b"'),),
        (whole(NEW, "X-One: 1"),),
        # The server has less than is there, or does not say why.
        (refused(416, "Content-Range: bytes */5"), whole(NEW)),
        (refused(416), whole(NEW)),
    ],
)
async def test_a_file_that_changed_is_downloaded_anew(
    serve: Any, target: Path, answers: tuple[Script, ...]
) -> None:
    async with serve(whole(sent=1000), *answers) as (session, server):
        await interrupted(session, target)
        saved = await session.download("/file", target)
        assert (saved.size, saved.resumed_from) == (len(NEW), 0)
        assert asked(server)[1] == ("bytes=1000-", '"a"')
    assert content(target) == NEW
    assert names(target) == ["name.bin"]


@pytest.mark.parametrize(
    "answer",
    [
        part(999),
        part(1001),
        part(1000, 'ETag: "b"'),
        part(1000, TAG, "Content-Encoding: gzip"),
        part(1000, body=BODY + b"x"),
        whole(BODY[1000:], TAG, status="206 Partial Content"),
        # More and fewer octets than the range has.
        whole(BODY[1000:], TAG, f"Content-Range: bytes 1000-1998/{len(BODY)}", status="206 P"),
        whole(BODY[1000:2000], TAG, f"Content-Range: bytes 1000-2999/{len(BODY)}", status="206 P"),
    ],
)
async def test_a_part_that_does_not_fit_is_an_error(
    serve: Any, target: Path, answer: Script
) -> None:
    """O14: and what was there is not trusted any more."""
    store(target, b"old")
    async with serve(whole(sent=1000), answer) as (session, _):
        with pytest.raises(IncompleteBodyError):
            await session.download("/file", target)
        with pytest.raises(DownloadMismatchError):
            await session.download("/file", target)
    assert content(target) == b"old"
    assert names(target) == ["name.bin"]


@pytest.mark.parametrize("connections", [1, 2])
async def test_what_has_another_checksum_is_not_kept(
    serve: Any, target: Path, connections: int
) -> None:
    first = whole() if connections == 1 else part(0)
    async with serve(first) as (session, _):
        with pytest.raises(ChecksumMismatchError) as caught:
            await session.download("/file", target, sha256="0" * 64, connections=connections)
    error = caught.value
    assert (error.algorithm, error.expected) == ("sha256", "0" * 64)
    assert error.actual == hashlib.sha256(BODY).hexdigest()
    assert names(target) == []


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        (("X-One: 1",), {}),
        (('ETag: W/"a"',), {}),
        ((TAG,), {"resume": False}),
        ((TAG,), {"connections": 2}),
        ((TAG, "Content-Encoding: gzip"), {"auto_decompress": False}),
    ],
)
async def test_what_cannot_go_on_is_not_kept(
    serve: Any, target: Path, fields: tuple[str, ...], options: dict[str, Any]
) -> None:
    async with serve(whole(BODY, *fields, sent=1000)) as (session, _):
        with pytest.raises(IncompleteBodyError):
            await session.download("/file", target, **options)
    assert names(target) == []


async def test_a_part_of_another_url_is_none(serve: Any, target: Path) -> None:
    async with serve(whole(sent=1000), whole()) as (session, server):
        await interrupted(session, target, params={"a": "1"})
        await session.download("/file", target, params={"a": "2"})
        assert asked(server)[1] == (None, None)


async def test_what_is_kept_says_nothing_secret(serve: Any, target: Path) -> None:
    """Y10: signed URLs stay out of files."""
    async with serve(whole(sent=1000)) as (session, _):
        await interrupted(session, target, params={"signature": "SECRET"})
    assert "SECRET" not in content(target.with_name("name.bin.part.json")).decode()


# -- several attempts -------------------------------------------------------------------------------------------------


def played(target: Path, *scripts: Script, **options: Any) -> tuple[wayfare.SavedFile, Any, float]:
    """Download on a clock that never waits; the file, the server, and the seconds it took."""

    async def running() -> tuple[wayfare.SavedFile, Any, float]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, FakeClockLoop)
        world = World(loop)
        server = world.serve("h", 80, *scripts)
        connector = wayfare.TCPConnector(dialer=MemoryDialer(world.network))
        started = loop.time()
        try:
            async with wayfare.ClientSession("http://h/", connector=connector) as session:
                saved = await session.download("/file", target, **options)
                return saved, server, loop.time() - started
        finally:
            world.drop_servers()
            await loop.settled()

    with asyncio.Runner(loop_factory=FakeClockLoop) as runner:
        return runner.run(running())


def test_another_attempt_goes_on_where_the_last_one_ended(target: Path) -> None:
    gone: Script = (ReadRequest(), Fin())
    busy = refused(503, "Retry-After: 100")
    scripts = (whole(sent=1000), part(1000, sent=7000), gone, gone, busy, part(8000))
    saved, server, took = played(target, *scripts, attempts=6)
    assert (saved.size, saved.resumed_from) == (len(BODY), 8000)
    assert content(target) == BODY
    assert [one for one, _ in asked(server)] == [
        None,
        "bytes=1000-",
        "bytes=8000-",
        "bytes=8000-",
        "bytes=8000-",
        "bytes=8000-",
    ]
    # Four waits of 1 s and one of 100 s, each with a random part.
    assert 104 <= took <= 104 + 1 + 2 + 4 + 8 + 100


def test_the_last_of_several_attempts_is_raised(target: Path) -> None:
    with pytest.raises(IncompleteBodyError):
        played(target, whole(sent=1000), part(1000, sent=1000), attempts=2)
    assert content(target.with_name("name.bin.part")) == BODY[:2000]
    with pytest.raises(ClientResponseError):
        played(target, refused(404), attempts=2)
    with pytest.raises(DownloadMismatchError):
        played(target, part(0), attempts=2)


def test_attempts_of_several_parts_begin_anew(target: Path) -> None:
    saved, server, _ = played(target, part(0, sent=1000), part(0), attempts=2, connections=2)
    assert (saved.size, saved.resumed_from) == (len(BODY), 0)
    assert len(server.requests) == 2
    assert content(target) == BODY


# -- codings ----------------------------------------------------------------------------------------------------------


async def test_what_is_coded_is_decoded(serve: Any, target: Path) -> None:
    packed = gzip.compress(BODY)
    script = whole(packed, TAG, "Content-Encoding: gzip")
    told: list[tuple[int, int | None]] = []
    async with serve(script, script, script) as (session, server):
        saved = await session.download(
            "/file", target, compressed=True, progress=lambda *pair: told.append(pair)
        )
        assert saved.size == len(BODY)
        assert "gzip" in (server.requests[0].get("Accept-Encoding") or "")
        assert content(target) == BODY
        # Nobody knows how long it is before it is there.
        assert {total for _, total in told} == {None}
        await session.download("/file", target)
        assert content(target) == BODY
        await session.download("/file", target, auto_decompress=False)
        assert content(target) == packed


# -- cancelled, broken, full ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("resume", [True, False])
async def test_a_cancelled_download_keeps_what_it_should(
    serve: Any, target: Path, resume: bool
) -> None:
    head = f"HTTP/1.1 200 OK\r\n{TAG}\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
    began = asyncio.Event()
    async with serve((ReadRequest(), Send(head + BODY[:5000]), Stall())) as (session, server):
        task = asyncio.ensure_future(
            session.download("/file", target, resume=resume, progress=lambda *_: began.set())
        )
        await began.wait()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        server.abort()
    assert "name.bin" not in names(target)
    if not resume:
        assert names(target) == []


def test_a_server_that_falls_silent(target: Path) -> None:
    head = f"HTTP/1.1 200 OK\r\n{TAG}\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()

    async def use(session: wayfare.ClientSession, server: ScriptedServer) -> None:
        with pytest.raises(ReadTimeoutError):
            await session.download("/file", target, timeout=wayfare.ClientTimeout(sock_read=0.05))

    in_memory(use, (ReadRequest(), Send(head + BODY[:5000]), Stall()))
    assert content(target.with_name("name.bin.part")) == BODY[:5000]


async def test_what_progress_raises_ends_the_download(serve: Any, target: Path) -> None:
    def stop(done: int, total: int | None) -> None:
        if done:
            raise LookupError(done)

    async with serve(whole()) as (session, _):
        with pytest.raises(LookupError):
            await session.download("/file", target, progress=stop, resume=False)
        await session.connector.close()
    assert names(target) == []


async def test_a_disk_that_is_full(serve: Any, target: Path) -> None:
    """A limit on the size of files is the nearest to it that any user can have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    big = BODY * 8
    async with serve(whole(big), whole(big), part(3_000_000, body=big)) as (session, _):
        resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, hard))
        try:
            for resume in (False, True):
                with pytest.raises(OSError, match="too large") as caught:
                    await session.download("/file", target, resume=resume)
                assert not isinstance(caught.value, wayfare.ClientError)
                assert str(caught.value.filename).startswith(str(target.parent))
                assert names(target) == (["name.bin.part", "name.bin.part.json"] if resume else [])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        saved = await session.download("/file", target)
        assert saved.resumed_from == 3_000_000
    assert content(target) == big


async def test_places_where_no_file_can_be(serve: Any, target: Path) -> None:
    async with serve() as (session, server):
        with pytest.raises(IsADirectoryError):
            await session.download("/file", target.parent)
        with pytest.raises(FileNotFoundError):
            await session.download("/file", target / "none")
        # Before anything was asked for.
        assert not server.requests


async def test_two_downloads_into_one_file(serve: Any, target: Path) -> None:
    async with serve((ReadRequest(), Stall())) as (session, server):
        first = asyncio.ensure_future(session.download("/file", target))
        while not server.requests:
            await asyncio.sleep(0.001)
        with pytest.raises(FileExistsError, match="another download writes this file"):
            await session.download("/file", target)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        server.abort()
