"""Downloads over several connections, and responses that are saved (O14)."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest
import wayfare
from wayfare import ChecksumMismatchError, ClientResponseError, DownloadMismatchError
from wayfare_http_core import IncompleteBodyError
from wayfare_http_core.testing import (
    ReceivedRequest,
    Script,
    Send,
    Serve,
)

from .test_downloads import BIG, BODY, PART, TAG, content, names, part, whole

# -- several connections ----------------------------------------------------------------------------------------------


class Parts:
    """A server that gives parts of `BIG`, to any number of connections.

    `changes` are answers of another kind, by the number of the part: the head up to Content-Length, and the content.
    """

    def __init__(self, changes: dict[int, tuple[str, bytes]] | None = None) -> None:
        self.changes = changes or {}
        self.asked: list[tuple[str | None, str | None]] = []

    @property
    def scripts(self) -> list[Script]:
        return [(Serve(self.answer),)] * 8

    def answer(self, request: ReceivedRequest) -> Send:
        said = request.get("Range")
        self.asked.append((said, request.get("If-Range")))
        if said is None:
            head, body = f"HTTP/1.1 200 OK\r\n{TAG}", BIG
        else:
            first, last = (int(one) for one in said.removeprefix("bytes=").split("-"))
            head, body = self.changes.get(first // PART) or self.part(first, last)
        return Send(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    @staticmethod
    def part(first: int, last: int, *fields: str) -> tuple[str, bytes]:
        last = min(last, len(BIG) - 1)
        said = f"Content-Range: bytes {first}-{last}/{len(BIG)}"
        lines = ["HTTP/1.1 206 Partial Content", said, *(fields or (TAG,))]
        return "\r\n".join(lines), BIG[first : last + 1]


@pytest.mark.parametrize("connections", [2, 3, 7])
async def test_parts_are_fetched_at_once(serve: Any, target: Path, connections: int) -> None:
    server, told = Parts(), list[tuple[int, int | None]]()
    async with serve(*server.scripts) as (session, _):
        saved = await session.download(
            "/file",
            target,
            connections=connections,
            progress=lambda *pair: told.append(pair),
            sha256=hashlib.sha256(BIG).hexdigest(),
        )
        assert (saved.size, saved.resumed_from, saved.status) == (len(BIG), 0, 206)
    assert content(target) == BIG
    assert names(target) == ["name.bin"]
    assert sorted(server.asked, key=str) == [
        ("bytes=0-8388607", None),
        ("bytes=16777216-20971519", '"a"'),
        ("bytes=8388608-16777215", '"a"'),
    ]
    assert told[-1] == (len(BIG), len(BIG))
    assert [done for done, _ in told] == sorted(done for done, _ in told)


async def test_a_file_of_one_part(serve: Any, target: Path) -> None:
    async with serve(part(0)) as (session, server):
        await session.download("/file", target, connections=4)
        assert len(server.requests) == 1
    assert content(target) == BODY


@pytest.mark.parametrize(
    "first",
    [
        # No parts, no strong validator, or a length that the server does not tell.
        (f"HTTP/1.1 200 OK\r\n{TAG}", BIG),
        Parts.part(0, PART - 1, 'ETag: W/"a"'),
        Parts.part(0, PART - 1, "X-One: 1"),
    ],
)
async def test_a_file_without_parts_is_fetched_whole(
    serve: Any, target: Path, first: tuple[str, bytes]
) -> None:
    server = Parts({0: first})
    async with serve(*server.scripts) as (session, _):
        saved = await session.download("/file", target, connections=3)
        assert saved.status == 200
    assert content(target) == BIG
    asked_again = [] if first[0].startswith("HTTP/1.1 200") else [(None, None)]
    assert server.asked == [("bytes=0-8388607", None), *asked_again]


@pytest.mark.parametrize(
    ("number", "change"),
    [
        (0, Parts.part(0, 999)),
        (0, Parts.part(1, PART - 1)),
        (1, Parts.part(PART, 2 * PART - 2)),
        (1, Parts.part(PART - 1, 2 * PART - 1)),
        (1, Parts.part(PART, 2 * PART - 1, 'ETag: "b"')),
        (2, (f"HTTP/1.1 200 OK\r\n{TAG}", BIG)),
        (2, ("HTTP/1.1 416 No", b"")),
        (2, (Parts.part(2 * PART, len(BIG) - 1)[0], b"less")),
    ],
)
async def test_parts_that_do_not_fit(
    serve: Any, target: Path, number: int, change: tuple[str, bytes]
) -> None:
    """O14."""
    async with serve(*Parts({number: change}).scripts) as (session, _):
        with pytest.raises(DownloadMismatchError):
            await session.download("/file", target, connections=2)
        assert session.connector.stats().leased == 0
    assert names(target) == []


async def test_the_first_error_of_several_parts_is_raised(serve: Any, target: Path) -> None:
    async with serve(part(0, sent=1000)) as (session, _):
        with pytest.raises(IncompleteBodyError):
            await session.download("/file", target, connections=2)
    async with serve(*Parts({1: ("HTTP/1.1 503 No", b"why")}).scripts) as (session, _):
        with pytest.raises(ClientResponseError) as caught:
            await session.download("/file", target, connections=2)
        assert caught.value.status == 503
    assert names(target) == []


@pytest.mark.parametrize("stubborn", [False, True])
@pytest.mark.parametrize("twice", [False, True])
async def test_cancelling_several_parts(
    serve: Any, target: Path, stubborn: bool, twice: bool
) -> None:
    """O4, O6: also where a part makes an error of its cancellation, and where another one follows."""
    waiting = asyncio.Event()

    async def hold(
        request: wayfare.ClientRequest, handler: wayfare.ClientHandlerType
    ) -> wayfare.ClientResponse:
        if request.headers["Range"] != "bytes=0-8388607":
            waiting.set()
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                if stubborn:
                    raise RuntimeError("no") from None
                raise
        return await handler(request)

    async with serve(*Parts().scripts, middlewares=[hold]) as (session, _):
        task = asyncio.ensure_future(session.download("/file", target, connections=2))
        await waiting.wait()
        task.cancel()
        if twice:
            await asyncio.sleep(0)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert names(target) == []


async def test_a_part_that_is_cancelled_alone_fails_the_download(serve: Any, target: Path) -> None:
    async def give_up(
        request: wayfare.ClientRequest, handler: wayfare.ClientHandlerType
    ) -> wayfare.ClientResponse:
        if request.headers["Range"].startswith("bytes=8388608-"):
            raise asyncio.CancelledError
        return await handler(request)

    async with serve(*Parts().scripts, middlewares=[give_up]) as (session, _):
        with pytest.raises(asyncio.CancelledError):
            await session.download("/file", target, connections=2)
    assert names(target) == []


# -- one response -----------------------------------------------------------------------------------------------------


async def test_what_was_read_in_part_is_not_saved_as_the_whole(serve: Any, target: Path) -> None:
    async with serve(whole(b"0123456789")) as (session, _), session.get("/") as response:
        assert await response.content.read(4) == b"0123"
        with pytest.raises(RuntimeError, match="4 octets of the content were read already"):
            await response.save(target)
        assert names(target) == []
        assert await response.content.read() == b"456789"


async def test_what_was_saved_is_not_saved_again_as_nothing(serve: Any, target: Path) -> None:
    async with serve(whole(b"0123456789")) as (session, _), session.get("/") as response:
        await response.save(target)
        with pytest.raises(RuntimeError, match="10 octets"):
            await response.save(target)
    assert content(target) == b"0123456789"


async def test_what_was_read_whole_is_saved_as_often_as_one_likes(serve: Any, target: Path) -> None:
    async with serve(whole(b"0123456789")) as (session, _), session.get("/") as response:
        await response.read()
        for _ in range(2):
            assert (await response.save(target)).size == 10


async def test_a_response_is_saved(serve: Any, target: Path) -> None:
    told: list[tuple[int, int | None]] = []
    digest = hashlib.sha256(BODY).hexdigest()
    async with serve(whole(), whole(b"small"), whole(b"again")) as (session, _):
        async with session.get("/file") as response:
            saved = await response.save(
                target, sha256=digest, fsync=True, progress=lambda *pair: told.append(pair)
            )
        assert (saved.size, saved.resumed_from, saved.checksum) == (
            len(BODY),
            0,
            ("sha256", digest),
        )
        assert content(target) == BODY
        assert told[-1] == (len(BODY), len(BODY))
        # What was read already can be saved as well.
        response = await session.get("/file")
        assert await response.read() == b"small"
        await response.save(target)
        assert content(target) == b"small"
        response = await session.get("/file")
        with pytest.raises(ChecksumMismatchError):
            await response.save(target, sha256=digest)
        with pytest.raises(TypeError, match=r"save\(\) got an unexpected keyword argument 'mode'"):
            await response.save(target, mode="w")
    assert content(target) == b"small"
    assert names(target) == ["name.bin"]


async def test_a_response_that_breaks_off_leaves_nothing(serve: Any, target: Path) -> None:
    async with serve(whole(sent=5000)) as (session, _), session.get("/file") as response:
        with pytest.raises(IncompleteBodyError):
            await response.save(target)
    assert names(target) == []


@pytest.mark.parametrize(
    ("url", "fields", "name"),
    [
        ("/a/b.txt?c=d", [], "b.txt"),
        ("/", [], "download"),
        ("/a%2Fb", [], "b"),
        ("/x", ['Content-Disposition: attachment; filename="c d.pdf"'], "c d.pdf"),
        ("/x", ["Content-Disposition: attachment; filename*=UTF-8''%C3%A4.pdf"], "ä.pdf"),
        ("/x", ["Content-Disposition: attachment"], "x"),
        ("/x", ['Content-Disposition: attachment; filename="../../.netrc"'], "_netrc"),
        ("/x", ['Content-Disposition: attachment; filename=".."'], "download"),
        ("/x", ['Content-Disposition: attachment; filename="c:\\con.txt"'], "c_con.txt"),
    ],
)
async def test_a_name_for_the_file(serve: Any, url: str, fields: list[str], name: str) -> None:
    """M14."""
    async with serve("\n".join(["HTTP/1.1 204 No", *fields])) as (session, _):
        response = await session.get(url)
        assert response.suggested_filename() == name
        assert response.suggested_filename("other") == name.replace("download", "other")
