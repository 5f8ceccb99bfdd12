"""Many URLs into files, some of them at once, each with a bar where somebody looks."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from wayfare_http_core import safe_filename
from yarl import URL

from wayfare import (
    ClientError,
    ClientSession,
    DownloadOptions,
    RequestOptions,
    SavedFile,
    SessionOptions,
)

from ._exit_codes import ExitCode, code_of
from ._printing import Printer, one_line, report

__all__ = ("Downloads", "download_all", "file_name", "paths_for")


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloads:
    """How files are downloaded."""

    printer: Printer
    console: Console | None
    """Where the bars are drawn; None for a line at the end of each file instead."""
    jobs: int = 4
    """How many files at once."""
    connections: int = 1
    """How many parts of each file at once."""
    resume: bool = True
    sha256: str | None = None


def file_name(url: URL) -> str:
    """A name for what a URL has: the last part of its path, made safe; else its host."""
    return safe_filename(url.name, default=safe_filename(url.host or "", default="download"))


def paths_for(urls: Sequence[URL], folder: Path) -> list[Path]:
    """A path for each URL, no two the same: the second `a.txt` is `a-2.txt`."""
    taken: set[Path] = set()
    paths = []
    for url in urls:
        plain = path = folder / file_name(url)
        number = 1
        while path in taken:
            number += 1
            path = plain.with_stem(f"{plain.stem}-{number}")
        taken.add(path)
        paths.append(path)
    return paths


async def download_all(
    files: Sequence[tuple[URL, Path]],
    downloads: Downloads,
    session_options: SessionOptions,
    request_options: RequestOptions,
) -> ExitCode:
    """Download each URL into its file; the exit status of the first that failed.

    A file that fails is said in a line, and the others go on.

    Cancellation: what came is kept where the downloads may be resumed.
    """
    places = asyncio.Semaphore(downloads.jobs)
    async with ClientSession(**session_options) as session:
        with _bars(downloads) as bars:

            async def one(url: URL, path: Path) -> ExitCode:
                async with places:
                    return await _download(session, url, path, downloads, request_options, bars)

            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(url, path)) for url, path in files]
    codes = [task.result() for task in tasks]
    return next((code for code in codes if code), ExitCode.OK)


async def _download(
    session: ClientSession,
    url: URL,
    path: Path,
    downloads: Downloads,
    request_options: RequestOptions,
    bars: Progress | None,
) -> ExitCode:
    options = cast(DownloadOptions, request_options.copy())
    options["resume"] = downloads.resume
    options["connections"] = downloads.connections
    options["sha256"] = downloads.sha256
    if bars is not None:
        bar = bars.add_task(path.name, total=None)

        def show(done: int, total: int | None) -> None:
            bars.update(bar, completed=done, total=total)

        options["progress"] = show
    try:
        saved = await session.download(url, path, **options)
    except (ClientError, OSError, ValueError) as error:
        report(f"{url.with_user(None)}: {one_line(error)}")
        return code_of(error)
    if bars is None:
        downloads.printer.note(_told(saved))
    return ExitCode.OK


def _told(saved: SavedFile) -> str:
    resumed = f", {saved.resumed_from} of them from before" if saved.resumed_from else ""
    return f"{saved.path}: {saved.size} octets{resumed}"


@contextmanager
def _bars(downloads: Downloads) -> Iterator[Progress | None]:
    if downloads.console is None:
        yield None
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=downloads.console) as bars:
        yield bars
