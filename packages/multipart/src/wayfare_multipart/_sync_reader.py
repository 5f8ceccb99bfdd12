"""Reading multipart bodies without an event loop, from a file or any iterable of octets.

The coroutines of the asynchronous readers wait for nothing but their source. Over one that never waits, they run to
their end at the first step, and so there is one reader for both worlds.
"""

import sys
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeAlias, TypeVar, final, runtime_checkable

from wayfare_http_core import ContentDisposition

from ._body_part_reader import BodyPartReader
from ._limits import DEFAULT_MULTIPART_LIMITS, MultipartLimits
from ._multipart_reader import MultipartReader

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("BinaryFile", "SyncBodyPartReader", "SyncMultipartReader", "SyncPart")

_PIECE = 64 * 1024

T = TypeVar("T")

SyncPart: TypeAlias = "SyncBodyPartReader | SyncMultipartReader"
"""What a `SyncMultipartReader` gives: a part, or a reader of the parts within one."""


@runtime_checkable
class BinaryFile(Protocol):
    """A file, or what can be read like one."""

    def read(self, n: int, /) -> bytes:
        """Up to n octets, none at the end."""


def _finished(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that waits for nothing."""
    try:
        while True:
            coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result


@final
class _FileSource:
    def __init__(self, file: BinaryFile) -> None:
        self._file = file

    async def readany(self) -> bytes:
        return self._file.read(_PIECE)


@final
class _IterableSource:
    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)

    async def readany(self) -> bytes:
        return next(filter(None, self._pieces), b"")


@final
class SyncMultipartReader(Iterator["SyncPart"]):
    """Iterates over the parts of a body: `SyncBodyPartReader`, and `SyncMultipartReader` for a part that is a body.

    `content` is a binary file or an iterable of octets; all else is as for `MultipartReader`.

    Raises: `BoundaryError` for a Content-Type that is no multipart type with a boundary.
    """

    def __init__(
        self,
        headers: Mapping[str, str],
        content: BinaryFile | Iterable[bytes],
        *,
        client_max_size: int = sys.maxsize,
        max_size_error_cls: type[Exception] = ValueError,
        limits: MultipartLimits = DEFAULT_MULTIPART_LIMITS,
    ) -> None:
        # A file is an iterable, too: of lines.
        source = (
            _FileSource(content) if isinstance(content, BinaryFile) else _IterableSource(content)
        )
        self._reader = MultipartReader(
            headers,
            source,
            client_max_size=client_max_size,
            max_size_error_cls=max_size_error_cls,
            limits=limits,
        )

    @classmethod
    def _within(cls, reader: MultipartReader) -> "SyncMultipartReader":
        self = cls.__new__(cls)
        self._reader = reader
        return self

    @property
    def headers(self) -> Mapping[str, str]:
        """The fields of the message, or of the part."""
        return self._reader.headers

    def at_eof(self) -> bool:
        """Whether the last part was passed."""
        return self._reader.at_eof()

    def next(self) -> "SyncPart | None":
        """The next part, None behind the last one. Raises as `MultipartReader.next`."""
        part = _finished(self._reader.next())
        if isinstance(part, BodyPartReader):
            return SyncBodyPartReader(part)
        return None if part is None else SyncMultipartReader._within(part)

    @override
    def __next__(self) -> "SyncPart":
        part = self.next()
        if part is None:
            raise StopIteration
        return part

    def release(self) -> None:
        """Pass over all parts that were not read. Nothing is decoded."""
        _finished(self._reader.release())


@final
class SyncBodyPartReader:
    """A part: `BodyPartReader` without coroutines. Each method does what its namesake there does."""

    def __init__(self, part: BodyPartReader) -> None:
        self._part = part

    @override
    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    @property
    def headers(self) -> Mapping[str, str]:
        """The part's fields."""
        return self._part.headers

    @property
    def name(self) -> str | None:
        """The name of the form's field, None where there is none."""
        return self._part.name

    @property
    def filename(self) -> str | None:
        """The file name as the peer sent it, **never to be used as a path**."""
        return self._part.filename

    @property
    def disposition(self) -> ContentDisposition:
        """What Content-Disposition says."""
        return self._part.disposition

    def get_charset(self, default: str) -> str:
        """The charset of the part, or of its form, or `default`."""
        return self._part.get_charset(default)

    def at_eof(self) -> bool:
        """Whether the content was read to its end."""
        return self._part.at_eof()

    def read(self, *, decode: bool = False) -> bytes:
        """The whole content; with `decode` its encodings undone."""
        return _finished(self._part.read(decode=decode))

    def read_chunk(self, size: int = 8192) -> bytes:
        """Up to `size` octets of the content as it was sent, at least one; b"" at the end."""
        return _finished(self._part.read_chunk(size))

    def readline(self) -> bytes:
        """One line with its line feed; the last one may lack it; b"" at the end."""
        return _finished(self._part.readline())

    def iter_chunks(self, size: int = _PIECE, *, decode: bool = False) -> Iterator[bytes]:
        """Iterate over the content in pieces; with `decode`, its encodings undone."""
        pieces = self._part.iter_chunks(size, decode=decode)
        while piece := _finished(_step(pieces)):
            yield piece

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over the content in pieces, as it was sent."""
        return self.iter_chunks()

    def text(self, *, encoding: str | None = None) -> str:
        """The content as text."""
        return _finished(self._part.text(encoding=encoding))

    def json(self, *, encoding: str | None = None) -> Any:
        """The content as JSON; None where it is empty."""
        return _finished(self._part.json(encoding=encoding))

    def form(self, *, encoding: str | None = None) -> list[tuple[str, str]]:
        """The names and values of a content of type application/x-www-form-urlencoded."""
        return _finished(self._part.form(encoding=encoding))

    def release(self) -> None:
        """Pass over what was not read. Nothing is decoded."""
        _finished(self._part.release())


async def _step(pieces: AsyncIterator[bytes]) -> bytes:
    return await anext(pieces, b"")
