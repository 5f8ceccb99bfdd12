"""The demo's second server: bodies too large for httpbin, and a meter of concurrency.

httpbin stops at 100 KiB. This small Flask app answers

* ``GET /download/<size>``: `size` octets with a Content-Length;
* ``GET /download/<size>/chunked``: the same octets in chunked framing;
* ``PUT`` or ``POST /upload``: JSON with the number and the SHA-256 of the octets that arrived;
* ``GET /meters/<name>/work``: a bit of work, counted by that meter;
* ``GET /meters/<name>``: JSON with what that meter saw.

A download carries its digest in ``Repr-Digest`` (RFC 9530), so a client can tell whether what it
stored is what was sent. The octets are pseudo-random, and the same in every run.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from random import Random
from threading import Lock
from typing import Literal, TypeAlias, final

from flask import Flask, Response, request

Sabotage: TypeAlias = Literal["download", "meter"]
"""What a server that is meant to fail lies about: the octets it sends, or what it has counted."""

_BLOCK = 256 * 1024
_POOL = Random("wayfare").randbytes(32 * _BLOCK)
_STRIDE = 1_000_003
_LARGEST = 1024**3
_WORK_SECONDS = 0.02


def _blocks(size: int) -> Iterator[bytes]:
    """Yield `size` octets in blocks that all differ.

    Every block is a window into the same pool, cut at another offset: the octets cost no more than
    a copy, yet a block that is lost, repeated or swapped changes the digest.
    """
    for index, start in enumerate(range(0, size, _BLOCK)):
        offset = index * _STRIDE % (len(_POOL) - _BLOCK)
        yield _POOL[offset : offset + min(_BLOCK, size - start)]


@cache
def _digest(size: int) -> bytes:
    """The SHA-256 of a download of `size` octets; computed once per size."""
    digest = hashlib.sha256()
    for block in _blocks(size):
        digest.update(block)
    return digest.digest()


def _with_one_bit_flipped(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield `blocks` with the last bit of the first octet turned over."""
    first = next(blocks)
    yield bytes([first[0] ^ 1]) + first[1:]
    yield from blocks


@final
class Meter:
    """Counts requests, how many of them were in hand at once, and the connections they used."""

    def __init__(self) -> None:
        """Start at zero."""
        self._lock = Lock()
        self._in_hand = 0
        self._peak = 0
        self._requests = 0
        self._peers: set[tuple[str, str]] = set()

    @contextmanager
    def count(self, peer: tuple[str, str]) -> Iterator[None]:
        """Count one request from `peer` (address and port) for as long as the block runs."""
        with self._lock:
            self._requests += 1
            self._in_hand += 1
            self._peak = max(self._peak, self._in_hand)
            self._peers.add(peer)
        try:
            yield
        finally:
            with self._lock:
                self._in_hand -= 1

    def reading(self) -> dict[str, int]:
        """What was counted so far."""
        with self._lock:
            return {
                "requests": self._requests,
                "peak": self._peak,
                "connections": len(self._peers),
            }


def create_app(sabotage: Sabotage | None = None) -> Flask:
    """Build the app; `sabotage` makes it lie, to show that its clients notice."""
    app = Flask(__name__)
    _add_downloads(app, corrupt=sabotage == "download")
    _add_upload(app)
    _add_meters(app, overcount=100 if sabotage == "meter" else 0)
    return app


def _add_downloads(app: Flask, *, corrupt: bool) -> None:
    def download(size: int) -> Response:
        if not 0 < size <= _LARGEST:
            return Response(f"size must be between 1 and {_LARGEST}\n", 400)
        blocks = _blocks(size)
        response = Response(
            _with_one_bit_flipped(blocks) if corrupt else blocks,
            mimetype="application/octet-stream",
        )
        digest = base64.b64encode(_digest(size)).decode("ascii")
        response.headers["Repr-Digest"] = f"sha-256=:{digest}:"
        return response

    @app.get("/download/<int:size>")
    def sized(size: int) -> Response:
        response = download(size)
        if response.status_code == 200:
            response.content_length = size
        return response

    @app.get("/download/<int:size>/chunked")
    def chunked(size: int) -> Response:
        return download(size)  # No length: the WSGI server frames it in chunks.


def _add_upload(app: Flask) -> None:
    @app.route("/upload", methods=["POST", "PUT"])
    def upload() -> Response:
        digest = hashlib.sha256()
        received = 0
        while block := request.stream.read(_BLOCK):
            digest.update(block)
            received += len(block)
        framing = "chunked" if request.content_length is None else "content-length"
        return _json({"bytes": received, "sha-256": digest.hexdigest(), "framing": framing})


def _add_meters(app: Flask, *, overcount: int) -> None:
    meters: defaultdict[str, Meter] = defaultdict(Meter)

    @app.get("/meters/<name>/work")
    def work(name: str) -> Response:
        # Counted until just before the answer leaves: a client that then reuses the connection
        # for its next request is never counted twice.
        with meters[name].count((request.environ["REMOTE_ADDR"], request.environ["REMOTE_PORT"])):
            time.sleep(_WORK_SECONDS)
        return _json({"done": True})

    @app.get("/meters/<name>")
    def reading(name: str) -> Response:
        seen = meters[name].reading()
        return _json(seen | {"peak": seen["peak"] + overcount})


def _json(value: Mapping[str, bool | int | str]) -> Response:
    return Response(json.dumps(value), mimetype="application/json")
