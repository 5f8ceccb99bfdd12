"""Content into files: a response's, or a URL's in as many parts as it takes.

open the partial file --nothing there-----------> ask for all ----200--> write it --> check --> give it its name
            |                                        ^                     ^
            +--a part, and what it is of--> ask for the rest --206 fits----+
                                                     +--200: all of it, anew; 416: ask for all
                                                     +--206 that does not fit: an error
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, final

from multidict import CIMultiDict, CIMultiDictProxy
from wayfare_http_core import ClientResponseError, hdrs
from yarl import URL

from ._errors import ChecksumMismatchError, DownloadMismatchError
from ._file_sink import PIECE, FileSink
from ._options import RequestOptions
from ._partial_file import Checksum, Origin, PartialFile
from ._ranges import Asked, is_coded, part_of, strong_validator
from ._refused_response import refuse
from ._response import ClientResponse
from ._urls import join_url, with_params

if TYPE_CHECKING:
    from ._session import ClientSession

__all__ = ("Download", "Progress", "SavedFile", "Source")

T = TypeVar("T")
Progress = Callable[[int, int | None], None]
"""Called with the octets that are in the file, and their number in all, or None where nobody knows it."""

_PART: Final = 8 * 1024 * 1024
"""Octets of each part where several are fetched at once: so many that asking does not matter, and so few that no
connection is left with much more than the others in the end."""


@final
@dataclass(frozen=True, slots=True)
class SavedFile:
    """A file that was downloaded whole."""

    path: Path
    size: int
    """Its octets."""
    resumed_from: int
    """How many of them were there before, from another download or the last attempt of this one."""
    checksum: Checksum | None
    """The algorithm and the hex digits that it was checked by, if any."""
    url: URL
    """Where it came from, after redirects."""
    status: int
    headers: CIMultiDictProxy[str]
    """The fields of the response, the last one where there were several."""


@final
class Download:
    """One file on its way. Every wait may be cancelled: what the thread is at ends, and then the file is closed."""

    def __init__(
        self,
        path: Path,
        *,
        progress: Progress | None,
        checksum: Checksum | None,
        fsync: bool,
        resume: bool = False,
    ) -> None:
        self._file = PartialFile(path, kept=resume)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="wayfare-download")
        self._progress = progress
        self._checksum = checksum
        self._fsync = fsync
        self._done = 0
        self._total: int | None = None
        self._resumed_from = 0

    async def save(self, response: ClientResponse) -> SavedFile:
        """Write the content of one response."""
        async with self._opened():
            await self._receive_whole(response)
            return await self._finished(response)

    async def fetch(self, source: "Source") -> SavedFile:
        """Write what a URL has, from where an earlier download was interrupted."""
        async with self._opened() as (origin, size):
            response = await self._resumed(source, origin, size)
            if response is None:
                response = await source.ask(None)
                await self._fetch_whole(response, source)
            return await self._finished(response)

    async def fetch_parts(self, source: "Source", connections: int) -> SavedFile:
        """Write what a URL has, several parts of it at once."""
        async with self._opened():
            response = await source.ask(Asked(0, _PART - 1))
            validator = strong_validator(response.headers)
            if response.status == 206 and validator is not None:
                asked = Asked(0, _PART - 1, validator)
                await self._share(response, source, asked, connections)
            else:
                if response.status != 200:
                    response.close()
                    response = await source.ask(None)
                await self._fetch_whole(response, source)
            return await self._finished(response)

    # -- one after the other ------------------------------------------------------------------------------------------

    async def _resumed(
        self, source: "Source", origin: Origin | None, size: int
    ) -> ClientResponse | None:
        """The response to a request for the rest, written; None where all has to be asked for."""
        if origin is None or origin.url != source.digest:
            return None
        # What is whole already gets its last octet once more: a range behind the end is none.
        first = size if origin.length is None else min(size, origin.length - 1)
        if first <= 0:
            return None
        asked = Asked(first, None, origin.validator, origin.length)
        response = await source.ask(asked)
        if response.status == 416:
            await response.wait_for_close()
            return None
        if response.status != 206:
            await self._fetch_whole(response, source)
            return response
        self._done = self._resumed_from = first
        await self._receive_part(response, asked)
        while self._total is not None and self._done < self._total:
            # A server may send less than it was asked for (RFC 9110 section 14.2).
            asked = Asked(self._done, None, origin.validator, self._total)
            response = await source.ask(asked)
            await self._receive_part(response, asked)
        return response

    async def _fetch_whole(self, response: ClientResponse, source: "Source") -> None:
        validator = strong_validator(response.headers)
        origin = None
        if validator is not None and not is_coded(response.headers):
            origin = Origin(source.digest, validator, response.content_length)
        await self._receive_whole(response, origin)

    async def _receive_whole(self, response: ClientResponse, origin: Origin | None = None) -> None:
        async with response:
            await self._run(self._file.begin, origin)
            self._done = self._resumed_from = 0
            self._total = None if is_coded(response.headers) else response.content_length
            await self._receive(response, 0, None)
            self._total = self._done

    async def _receive_part(self, response: ClientResponse, asked: Asked) -> None:
        async with response:
            try:
                part = part_of(response.status, response.headers, asked)
            except DownloadMismatchError:
                self._file.give_up()
                raise
            self._total = part.complete
            await self._run(self._file.cut, part.first)
            await self._receive(response, part.first, part.length)

    async def _receive(self, response: ClientResponse, offset: int, length: int | None) -> None:
        """Write content at an offset; exactly so many octets, if that is said."""
        sink = FileSink(self._file, self._thread, offset, self._told)
        self._told(0)
        content = response._stream()
        received = 0
        try:
            while piece := await content.readany():
                received += len(piece)
                if length is not None and received > length:
                    break
                await sink.write(piece)
            if length is not None and received != length:
                self._file.give_up()
                raise DownloadMismatchError(f"more or less came than the {length} octets announced")
            await sink.drain()
        except BaseException:
            # What came is written before the file is closed, for who goes on from there.
            sink.start()
            raise

    # -- several at once ----------------------------------------------------------------------------------------------

    async def _share(
        self, response: ClientResponse, source: "Source", asked: Asked, connections: int
    ) -> None:
        """Write the first part, and let several tasks fetch the others."""
        try:
            part = part_of(response.status, response.headers, asked)
            if part.length != min(_PART, part.complete):
                raise DownloadMismatchError(f"the first part has {part.length} octets")
        except DownloadMismatchError:
            response.close()
            raise
        self._total = part.complete
        starts = iter(range(part.length, part.complete, _PART))

        async def work(first: ClientResponse | None = None) -> None:
            if first is not None:
                async with first:
                    await self._receive(first, 0, part.length)
            for start in starts:
                last = min(start + _PART, part.complete) - 1
                await self._fetch_part(source, Asked(start, last, asked.validator, part.complete))

        create = asyncio.get_running_loop().create_task
        tasks = [create(work(response)), *(create(work()) for _ in range(connections - 1))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for task in tasks:
                task.cancel()
            await _all_over(tasks)
            response.close()
        for task in done:
            task.result()

    async def _fetch_part(self, source: "Source", asked: Asked) -> None:
        response = await source.ask(asked)
        async with response:
            part = part_of(response.status, response.headers, asked)
            if part.first + part.length - 1 != asked.last:
                raise DownloadMismatchError(f"a part has only {part.length} octets")
            await self._receive(response, part.first, part.length)

    # -- the file -----------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[tuple[Origin | None, int]]:
        """Open the partial file, and close it in the end, whatever happens: after all that its thread has to do."""
        try:
            yield await self._run(self._file.open)
        finally:
            closing = asyncio.get_running_loop().run_in_executor(self._thread, self._file.close)
            self._thread.shutdown(wait=False)
            await asyncio.shield(closing)

    async def _finished(self, response: ClientResponse) -> SavedFile:
        """Check the whole file, and give it its name."""
        if self._checksum is not None:
            await self._check(*self._checksum)
        await self._run(self._file.finish, self._fsync)
        return SavedFile(
            self._file.destination,
            self._done,
            self._resumed_from,
            self._checksum,
            response.url,
            response.status,
            response.headers,
        )

    async def _check(self, algorithm: str, expected: str) -> None:
        found = hashlib.new(algorithm)
        offset = 0
        while size := await self._run(_count, found, self._file, offset):
            offset += size
        if found.hexdigest() != expected:
            self._file.give_up()
            raise ChecksumMismatchError(algorithm, expected, found.hexdigest())

    def _told(self, octets: int) -> None:
        self._done += octets
        if self._progress is not None:
            self._progress(self._done, self._total)

    async def _run(self, job: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, job, *arguments)


async def _all_over(tasks: "list[asyncio.Task[None]]") -> None:
    """Return when tasks that were cancelled are over; what they raised is not wanted. They have nothing to wait for.

    Cancellation: comes when they are over.
    """
    ending = asyncio.gather(*tasks, return_exceptions=True)
    cancelled: asyncio.CancelledError | None = None
    while not ending.done():
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError as exc:
            cancelled = exc
    if cancelled is not None:
        raise cancelled


def _count(found: "hashlib._Hash", file: PartialFile, offset: int) -> int:
    octets = file.read(offset, PIECE)
    found.update(octets)
    return len(octets)


@final
class Source:
    """Where a file is downloaded from: asks for it, or for a part of it.

    Raises: ValueError for options that a download sets itself.
    """

    def __init__(
        self, session: "ClientSession", url: str | URL, options: RequestOptions, *, identity: bool
    ) -> None:
        self._session = session
        self._url = url
        self._options = options
        if "raise_for_status" in options:
            raise ValueError("raise_for_status: a download judges the status itself")
        self._fields: CIMultiDict[str | int | bytes] = CIMultiDict(options.get("headers") or ())
        for name in (hdrs.RANGE, hdrs.IF_RANGE):
            if name in self._fields:
                raise ValueError(f"headers: a download sends {name} itself")
        if identity:
            # A part of coded content is none of the file, and codings are made anew for every response.
            self._fields[hdrs.ACCEPT_ENCODING] = "identity"
        asked = with_params(join_url(session.base_url, url), options.get("params") or ())
        plain = str(asked.with_user(None).with_fragment(None))
        self.digest = hashlib.sha256(plain.encode()).hexdigest()

    async def ask(self, asked: Asked | None) -> ClientResponse:
        """Send a request; a status that brings no content of the file is an error.

        Only where a part was asked for, 206 and 416 are returned as well.
        """

        async def judge(response: ClientResponse) -> None:
            if response.status >= 400 and not (response.status == 416 and asked is not None):
                await refuse(response)

        options = self._options.copy()
        fields = self._fields.copy()
        fields.update(() if asked is None else asked.fields())
        options["headers"] = fields
        options["raise_for_status"] = judge
        response = await self._session.get(self._url, **options)
        if response.status not in ((200, 203) if asked is None else (200, 203, 206, 416)):
            response.close()
            message = f"a download needs an answer of status 200, not {response.status}"
            raise response.make_error(ClientResponseError, message)
        return response
