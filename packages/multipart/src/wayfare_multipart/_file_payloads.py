"""Payloads of files: read where they stand, as long as they were, as often as they can be read."""

import io
import os
import stat
import sys
from codecs import getincrementalencoder
from collections.abc import Iterator
from pathlib import PurePath
from threading import Lock
from typing import Any, BinaryIO, ClassVar, TextIO, cast, final

from ._errors import PayloadSizeError
from ._payload import ABSENT, Absent, Payload, charset_of
from ._segments import PIECE, BlockingReader, Segment

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = (
    "BufferedReaderPayload",
    "BytesIOPayload",
    "IOBasePayload",
    "StringIOPayload",
    "TextIOPayload",
    "guessed_filename",
)


class _Counted:
    """How much was read of content that has a size."""

    __slots__ = ("_read", "_size")

    def __init__(self, size: int | None) -> None:
        self._size = size
        self._read = 0

    def _counted(self, piece: bytes) -> bytes:
        self._read += len(piece)
        size = self._size
        if size is not None and (self._read > size or (not piece and self._read < size)):
            raise PayloadSizeError(size, self._read)
        return piece


@final
class _DiskReader(_Counted, BlockingReader):
    """Reads a file on disk by its descriptor, without moving its position: threads do not disturb each other."""

    __slots__ = ("_begins_cached", "_descriptor", "_start")

    def __init__(self, descriptor: int, start: int, size: int) -> None:
        super().__init__(size)
        self._descriptor = descriptor
        self._start = start
        self._begins_cached = False

    @override
    def read(self) -> bytes:
        return self._counted(os.pread(self._descriptor, PIECE, self._start + self._read))

    @override
    def read_nowait(self) -> bytes | None:
        at = self._start + self._read
        left = (self._size or 0) - self._read
        # Handing a piece to a thread costs more than reading it, if it is in memory already. Both of its ends are
        # looked at: the system reads ahead in one stretch. Behind its last octet the next piece begins.
        if left > 0:
            if not (self._begins_cached or _cached(self._descriptor, at, 1)):
                return None
            found = _cached(self._descriptor, at + min(left, PIECE) - 1, 2)
            self._begins_cached = found == 2
            if not found:
                return None
        return self.read()


def _cached(descriptor: int, at: int, octets: int) -> int:
    """How many of these octets of a file the system has in memory; 0 where it does not say."""
    try:
        return os.preadv(descriptor, [bytearray(octets)], at, os.RWF_NOWAIT)
    except (AttributeError, OSError):
        return 0


@final
class _FileReader(_Counted, BlockingReader):
    """Reads a file from a position on, `size` octets or to its end."""

    __slots__ = ("_file", "_lock", "_position")

    def __init__(self, file: BinaryIO, lock: Lock, position: int | None, size: int | None) -> None:
        super().__init__(size)
        self._file = file
        self._lock = lock
        self._position = position

    @override
    def read(self) -> bytes:
        return self._counted(self._next())

    def _next(self) -> bytes:
        # A file may be in a form twice, and a pass that was given up may have a thread here still: each read goes to
        # its own position.
        with self._lock:
            if self._position is not None:
                self._file.seek(self._position + self._read)
            piece = self._file.read(PIECE)
        # None is what a raw file that does not block says while it has nothing.
        if piece is None:
            raise BlockingIOError("the file to send does not block, and has nothing now")
        return piece


class IOBasePayload(Payload):
    """An open binary file, from its present position to its end.

    disposition: with a file name, the Content-Disposition to say; None says none.

    The size is that of a plain file; other kinds of files (gzip's, a pipe, one's own class) have none. Whoever opened
    the file closes it, or asks for `close`.
    """

    def __init__(
        self, value: Any, disposition: str | None = "attachment", *args: Any, **kwargs: Any
    ) -> None:
        if kwargs.get("filename") is None:
            kwargs["filename"] = guessed_filename(value)
        super().__init__(value, *args, **kwargs)
        self._lock = Lock()
        self._start = _position(value)
        unsaid = "Content-Disposition" not in self._headers
        if self._filename is not None and disposition is not None and unsaid:
            self.set_content_disposition(disposition, filename=self._filename)

    @property
    @override
    def size(self) -> int | None:
        return None if self._start is None else _octets_from(self._value, self._start)

    @property
    @override
    def replayable(self) -> bool:
        return self._start is not None or not self._consumed

    @property
    @override
    def autoclose(self) -> bool:
        return False

    @override
    def segments(self) -> Iterator[Segment]:
        self._begin()
        yield _FileReader(self._value, self._lock, self._start, self.size)

    def _begin(self) -> None:
        if self._start is None:
            if self._consumed:
                raise ValueError("this file cannot be read again: it has no positions")
            self._consumed = True

    @override
    async def close(self) -> None:
        self._value.close()


class BufferedReaderPayload(IOBasePayload):
    """A file on disk, opened for reading in binary."""

    def file_range(self) -> tuple[BinaryIO, int, int] | None:
        """Where the content lies, for those who can let the kernel send it; see `wayfare_http_core.FileBody`."""
        size = self.size
        if self._start is None or size is None:
            return None
        return cast("BinaryIO", self._value), self._start, size

    @override
    def segments(self) -> Iterator[Segment]:
        file_range = self.file_range()
        if file_range is None or not hasattr(os, "pread"):
            yield from super().segments()
            return
        file, start, size = file_range
        # What was written through the file object is not on the disk before this.
        file.flush()
        yield _DiskReader(file.fileno(), start, size)


class BytesIOPayload(IOBasePayload):
    """Octets in an `io.BytesIO`, from its present position on."""

    @property
    @override
    def autoclose(self) -> bool:
        return True

    @override
    def segments(self) -> Iterator[Segment]:
        # No call here blocks: the octets are there.
        reader = _FileReader(self._value, self._lock, self._start, self.size)
        while piece := reader.read():
            yield piece


class TextIOPayload(IOBasePayload):
    """A file opened as text, from its present position on, in the encoding that is given, or that the media type names,
    or UTF-8. How many octets that are is not known."""

    default_content_type: ClassVar[str] = "text/plain; charset=utf-8"

    def __init__(
        self,
        value: TextIO,
        *args: Any,
        encoding: str | None = None,
        content_type: str | Absent | None = ABSENT,
        **kwargs: Any,
    ) -> None:
        if isinstance(content_type, Absent) or content_type is None:
            encoding = encoding or "utf-8"
            content_type = f"text/plain; charset={encoding}"
        else:
            encoding = encoding or charset_of(content_type) or "utf-8"
        super().__init__(value, *args, encoding=encoding, content_type=content_type, **kwargs)

    @property
    @override
    def size(self) -> int | None:
        return None

    @override
    def segments(self) -> Iterator[Segment]:
        self._begin()
        yield _TextReader(self._value, self._lock, self._start, self._encoding or "utf-8")


@final
class _TextReader(BlockingReader):
    """Reads a text file from a position on. Positions in text are the file's own numbers: only the first is used."""

    __slots__ = ("_encoder", "_file", "_lock", "_start")

    def __init__(self, file: TextIO, lock: Lock, start: int | None, encoding: str) -> None:
        self._file = file
        self._lock = lock
        self._start = start
        # Some encodings begin with a mark or end with a sequence: once, not with each piece.
        self._encoder = getincrementalencoder(encoding)()

    @override
    def read(self) -> bytes:
        with self._lock:
            if self._start is not None:
                self._file.seek(self._start)
                self._start = None
            text = self._file.read(PIECE)
        return self._encoder.encode(text, final=not text)


@final
class StringIOPayload(TextIOPayload):
    """Text in an `io.StringIO`, from its present position on. Its length is known."""

    @property
    @override
    def size(self) -> int | None:
        """Octets of the text in its encoding. Raises: UnicodeEncodeError for what the encoding has not."""
        text: str = self._value.getvalue()[self._start :]
        return len(text.encode(self._encoding or "utf-8"))


def guessed_filename(file: object) -> str | None:
    """The last part of the name under which a file was opened, or None where that is no name."""
    name = getattr(file, "name", None)
    if not isinstance(name, str | bytes) or not name:
        return None
    text = os.fsdecode(name)
    # "<stdin>", and the number of a descriptor, are no names.
    return None if text[0] == "<" and text[-1] == ">" else PurePath(text).name or None


def _position(file: Any) -> int | None:
    """Where a file stands, or None where it has no positions."""
    try:
        return cast("int", file.tell()) if file.seekable() else None
    except (AttributeError, OSError, ValueError):
        return None


def _is_plain(file: Any) -> bool:
    """Whether what is read from a file is what lies on the disk: not so for gzip's, which has a descriptor too."""
    file = getattr(file, "file", file)  # what tempfile wraps around a file with a name
    raw = getattr(file, "raw", file)
    kinds = io.FileIO | io.BufferedReader | io.BufferedRandom
    return isinstance(file, kinds) and isinstance(raw, io.FileIO)


def _octets_from(file: Any, start: int) -> int | None:
    if isinstance(file, io.BytesIO):
        return max(0, file.getbuffer().nbytes - start)
    if not _is_plain(file):
        return None
    status = os.fstat(file.fileno())
    return max(0, status.st_size - start) if stat.S_ISREG(status.st_mode) else None
