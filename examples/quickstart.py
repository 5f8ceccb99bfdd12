"""Wayfare in sixteen small steps, each against a real server, each verified.

Read it from top to bottom: every step is one function and shows one idea. Run it with::

    python examples/run_demo.py                         # starts the servers, too
    python examples/quickstart.py HTTPBIN_URL BODIES_URL

The second form takes the base URLs that ``python examples/demo_server.py`` prints. The exit code is
0 only if every step was verified.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from io import BufferedRandom
from tempfile import TemporaryFile
from uuid import uuid4

from rich.console import Console
from tour import Step, Tour, run
from wayfare import (
    ClientConnectorError,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
    TCPConnector,
)

DOWNLOAD_SIZE = 100_000_000
UPLOAD_SIZE = 10_000_000
BLOCK = 250_000
USER_AGENT = "wayfare-quickstart/1.0"


async def get_json(tour: Tour) -> None:
    """GET a resource, read its JSON.

    `async with` gives the connection back when the block ends.
    """
    async with tour.session.get("/get") as response:
        answer = await response.json()

    tour.show(response, answer)
    tour.verify("the status is 200", response.status == 200)
    tour.verify("the server saw the URL we asked for", answer["url"] == str(response.url))


async def post_text(tour: Tour) -> None:
    """POST a text.

    A str is sent as UTF-8, bytes as they are.
    """
    text = "Grüße aus 東京"
    async with tour.session.post("/post", data=text) as response:
        answer = await response.json()

    tour.show(response, answer["data"], data=text)
    tour.verify("the text arrived as it was", answer["data"] == text)
    sent_type = answer["headers"]["Content-Type"]
    tour.verify("it was labelled as text in UTF-8", sent_type == "text/plain; charset=utf-8")


async def post_json(tour: Tour) -> None:
    """POST JSON.

    The value is encoded, and labelled as what it is.
    """
    order = {"item": "compass", "amount": 2, "gift": True, "note": None}
    async with tour.session.post("/post", json=order) as response:
        answer = await response.json()

    tour.show(response, answer["json"], json=order)
    tour.verify("the server decoded the same value", answer["json"] == order)
    tour.verify("it was labelled as JSON", answer["headers"]["Content-Type"] == "application/json")


async def query_parameters(tour: Tour) -> None:
    """Query parameters, one key twice.

    A dict will do, too, where no key repeats.
    """
    params: list[tuple[str, str | int]] = [
        ("colour", "red"),
        ("colour", "blue"),
        ("q", "a b&c=d"),
        ("page", 2),
    ]
    async with tour.session.get("/get", params=params) as response:
        answer = await response.json()

    tour.show(response, answer["args"], params=params)
    tour.verify("both colours arrived, in order", answer["args"]["colour"] == ["red", "blue"])
    tour.verify("special characters were escaped", answer["args"]["q"] == "a b&c=d")
    tour.verify("a number became text", answer["args"]["page"] == "2")


async def request_headers(tour: Tour) -> None:
    """Request headers.

    The session sends its defaults with every request; where both say something, the request wins.
    """
    own = {"X-Trace": "42", "Accept": "application/json"}
    async with tour.session.get("/headers", headers=own) as response:
        seen = (await response.json())["headers"]

    tour.show(response, seen, headers=own)
    tour.verify("the session's default arrived", seen["User-Agent"] == USER_AGENT)
    tour.verify("so did the request's own", own.items() <= seen.items())


async def response_headers(tour: Tour) -> None:
    """Response headers.

    Names match in any case, fields may occur twice, and the bytes as they came are kept.
    """
    wanted = [("X-Colour", "red"), ("X-Colour", "blue")]
    async with tour.session.get("/response-headers", params=wanted) as response:
        colours = response.headers.getall("x-colour")
        raw = [field for field in response.raw_headers if field[0].lower() == b"x-colour"]

    tour.show(response, raw)
    tour.verify("both fields are there, in order", colours == ["red", "blue"])
    tour.verify("the raw bytes are, too", [value for _, value in raw] == [b"red", b"blue"])


async def not_found(tour: Tour) -> None:
    """A 404 is an answer, not an exception."""
    async with tour.session.get("/status/404") as response:
        await response.read()

    tour.show(response)
    tour.verify("the status is 404", response.status == 404)
    tour.verify("the response says it is not ok", not response.ok)


async def raise_for_status(tour: Tour) -> None:
    """raise_for_status makes it one.

    Per request, or once for the whole session.
    """
    try:
        await tour.session.get("/status/503", raise_for_status=True)
    except ClientResponseError as error:
        tour.show_error("GET /status/503", error)
        tour.verify("the error knows the status", error.status == 503)
        tour.verify("its message names the URL", "/status/503" in str(error))


async def connection_refused(tour: Tour) -> None:
    """Connection refused: the error says where.

    Everything that the network can do to a request is a ClientError or a TimeoutError.
    """
    with closed_port() as port:
        url = f"http://127.0.0.1:{port}/"
        try:
            await tour.session.get(url)
        except ClientConnectorError as error:
            tour.show_error(f"GET {url}", error)
            tour.verify("it names the peer", (error.host, error.port) == ("127.0.0.1", port))
            tour.verify("it is an OSError, too", isinstance(error, OSError))


async def compressed_with_gzip(tour: Tour) -> None:
    """gzip is decoded on the way in."""
    await compressed(tour, "gzip", flag="gzipped")


async def compressed_with_deflate(tour: Tour) -> None:
    """deflate is decoded, too."""
    await compressed(tour, "deflate", flag="deflated")


async def compressed(tour: Tour, coding: str, *, flag: str) -> None:
    async with tour.session.get(f"/{coding}") as response:
        answer = await response.json()

    offered = answer["headers"]["Accept-Encoding"]
    used = response.headers["Content-Encoding"]
    tour.show(response, {"Content-Encoding": used, flag: answer[flag]}, accept_encoding=offered)
    tour.verify(f"we offered {coding}", coding in offered)
    tour.verify("the server used it", used == coding)
    tour.verify("we read plain JSON", answer[flag] is True)


async def stream_lines(tour: Tour) -> None:
    """Read a body line by line.

    Each line is there as soon as it arrives; the whole body never is.
    """
    events = []
    async with tour.session.get("/stream/5") as response:
        async for line in response.content:
            events.append(json.loads(line))

    numbers = [event["id"] for event in events]
    tour.show(response, {"id of each line": numbers})
    tour.verify("the body has no length", response.headers["Transfer-Encoding"] == "chunked")
    tour.verify("five lines came, in order", numbers == [0, 1, 2, 3, 4])


async def download(tour: Tour) -> None:
    """Stream 100 MB into a file.

    The transfer waits while the file is written: memory holds a few blocks, however large the body.
    """
    with TemporaryFile() as file:
        async with tour.session.get(f"{tour.bodies}/download/{DOWNLOAD_SIZE}") as response:
            size = int(response.headers["Content-Length"])
            with tour.progress("downloading", size) as advance:
                async for block in response.content.iter_chunked(BLOCK):
                    file.write(block)
                    advance(len(block))
        announced = response.headers["Repr-Digest"]  # RFC 9530: sha-256=:base64:
        digest = await asyncio.to_thread(sha256_of, file)
        tour.show(response, {"Repr-Digest": announced})
        tour.verify("every byte is in the file", file.tell() == DOWNLOAD_SIZE)
        tour.verify("its SHA-256 is the announced one", announced == f"sha-256=:{digest}:")


async def upload(tour: Tour) -> None:
    """Stream an upload from an async generator.

    Its length need not be known; each block is asked for when the last one has left.
    """
    digest = hashlib.sha256()

    async def blocks() -> AsyncIterator[bytes]:
        for number in range(UPLOAD_SIZE // BLOCK):
            block = bytes([number]) * BLOCK
            digest.update(block)
            yield block

    async with tour.session.put(f"{tour.bodies}/upload", data=blocks()) as response:
        answer = await response.json()

    tour.show(response, answer, blocks=UPLOAD_SIZE // BLOCK, bytes_in_each=BLOCK)
    tour.verify("the server counted every byte", answer["bytes"] == UPLOAD_SIZE)
    tour.verify("its SHA-256 is ours", answer["sha-256"] == digest.hexdigest())
    tour.verify("the body went out in chunks", answer["framing"] == "chunked")


async def many_at_once(tour: Tour) -> None:
    """Fifty requests at once over ten connections.

    Forty wait their turn; the server's own count shows it.
    """
    meter = f"/meters/{uuid4().hex}"

    async def work(session: ClientSession) -> int:
        async with session.get(f"{meter}/work") as response:
            await response.read()
            return response.status

    async with ClientSession(tour.bodies, connector=TCPConnector(limit=10)) as session:
        statuses = await asyncio.gather(*(work(session) for _ in range(50)))
        async with session.get(meter) as response:
            seen = await response.json()

    tour.show(response, seen, requests=50, limit=10)
    tour.verify("all fifty were answered with 200", statuses == [200] * 50)
    tour.verify("the server counted fifty", seen["requests"] == 50)
    tour.verify("it never had more than ten in hand", 1 < seen["peak"] <= 10)
    tour.verify("they came over at most ten connections", seen["connections"] <= 10)


async def timeout(tour: Tour) -> None:
    """A timeout ends a slow request.

    The session goes on.
    """
    started = time.perf_counter()
    try:
        await tour.session.get("/delay/10", timeout=ClientTimeout(total=0.25))
    except TimeoutError as error:
        seconds = time.perf_counter() - started
        tour.show_error("GET /delay/10", error)
        tour.verify(f"it was raised after {seconds:.2f} s, not after 10 s", 0.2 < seconds < 10)
        async with tour.session.get("/get") as response:
            tour.verify("the next request is answered", response.status == 200)


STEPS: tuple[Step, ...] = (
    get_json,
    post_text,
    post_json,
    query_parameters,
    request_headers,
    response_headers,
    not_found,
    raise_for_status,
    connection_refused,
    compressed_with_gzip,
    compressed_with_deflate,
    stream_lines,
    download,
    upload,
    many_at_once,
    timeout,
)


@contextmanager
def closed_port() -> Iterator[int]:
    """A port that stays ours, and where connections are refused: bound, but not listening."""
    with socket.socket() as claimed:
        claimed.bind(("127.0.0.1", 0))
        yield claimed.getsockname()[1]


def sha256_of(file: BufferedRandom) -> str:
    """The SHA-256 of what `file` holds on disk, in base64; the file is then at its end."""
    file.seek(0)
    return base64.b64encode(hashlib.file_digest(file, "sha256").digest()).decode("ascii")


async def main() -> int:
    """Run all steps; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("httpbin", metavar="HTTPBIN_URL", help="base URL of an httpbin")
    parser.add_argument("bodies", metavar="BODIES_URL", help="base URL of large_bodies.py")
    urls = parser.parse_args()

    async with ClientSession(urls.httpbin, headers={"User-Agent": USER_AGENT}) as session:
        tour = Tour(session=session, bodies=urls.bodies, console=Console(highlight=False))
        verified = await run(tour, STEPS)
    return 0 if verified else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
