"""What `ClientSession.download` and `ClientResponse.save` do with their arguments."""

import asyncio
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wayfare_http_core import ClientError

from ._download import Download, SavedFile, Source
from ._download_options import DownloadOptions, SaveOptions, split_options
from ._options import RequestOptions
from ._partial_file import read_checksum
from ._reconnecting import may_reconnect, reconnect_delay, retry_after
from ._response import ClientResponse
from ._timeout import ClientTimeout

if TYPE_CHECKING:
    from yarl import URL

    from ._session import ClientSession

__all__ = ("download", "save")

_SILENCE = 60.0
"""Seconds without an octet after which a download is given up, unless somebody said something else."""

_PAUSE = 1.0
"""Seconds before another attempt, at least."""

_LONGEST_SPREAD = 60.0
"""Seconds to which the random part of a wait grows."""

_SAVE_NAMES = SaveOptions.__annotations__.keys()


async def download(
    session: "ClientSession",
    url: "str | URL",
    path: str | os.PathLike[str],
    options: DownloadOptions,
) -> SavedFile:
    """Download a URL into a file; see `ClientSession.download`."""
    own, request = split_options(options)
    connections = _positive("connections", own)
    attempts = _positive("attempts", own)
    compressed = own.pop("compressed", False)
    if compressed and connections > 1:
        raise ValueError("compressed: content that is coded has no parts to fetch at once")
    resume = own.pop("resume", True) and connections == 1
    _limit_time(session, request)
    source = Source(session, url, request, identity=not compressed)
    failures = 0
    while True:
        task = _task(path, own, resume=resume)
        try:
            if connections > 1:
                return await task.fetch_parts(source, connections)
            return await task.fetch(source)
        except (ClientError, TimeoutError) as exc:
            failures += 1
            if failures == attempts or session.closed or not may_reconnect(exc):
                raise
            wait = max(_PAUSE, retry_after(exc))
        await asyncio.sleep(reconnect_delay(wait, _LONGEST_SPREAD, failures - 1, random.random()))


async def save(
    response: ClientResponse, path: str | os.PathLike[str], options: SaveOptions
) -> SavedFile:
    """Write the content of a response into a file; see `ClientResponse.save`."""
    if unknown := options.keys() - _SAVE_NAMES:
        raise TypeError(f"save() got an unexpected keyword argument {min(unknown)!r}")
    consumed = response._stream().total_bytes
    if consumed:
        # Part of a file must not pass for the whole.
        raise RuntimeError(
            f"{consumed} octets of the content were read already, so a file would lack them"
        )
    return await _task(path, dict(options), resume=False).save(response)


def _positive(name: str, own: dict[str, Any]) -> int:
    number = own.pop(name, 1)
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ValueError(f"{name} must be a positive number, not {number!r}")
    return number


def _task(path: str | os.PathLike[str], own: dict[str, Any], *, resume: bool) -> Download:
    return Download(
        Path(path),
        progress=own.get("progress"),
        checksum=read_checksum(own.get("checksum"), own.get("sha256")),
        fsync=own.get("fsync", False),
        resume=resume,
    )


def _limit_time(session: "ClientSession", options: RequestOptions) -> None:
    """Bound silence and not the whole, which is as long as the file, unless the caller says otherwise."""
    if "timeout" not in options:
        silence = session.timeout.sock_read or _SILENCE
        options["timeout"] = ClientTimeout(total=None, sock_read=silence)
