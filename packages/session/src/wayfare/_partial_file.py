"""`PartialFile`: a file on its way to its place, under another name until it is whole.

Everything here blocks and belongs into a thread. The rules:

- What has the final name is whole. The content grows in another file of the same folder, which takes the name at once
  when it is complete (`os.replace`), so that readers see the old file or the new one.
- A partial file that is kept for another call is `NAME.part`; `NAME.part.json` says what it is a part of. That is
  written after the content was cut to nothing and before any of the new content is: an old part never meets a new mark.
- One download at a time: the partial file is locked where the system can lock files.
- It belongs to one thread, which does one thing after the other: content is written in order, and what was interrupted
  is over before the file is closed.
"""

import hashlib
import json
import os
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, final

__all__ = ("Checksum", "Origin", "PartialFile", "read_checksum")

_WINDOWS = os.name == "nt"
"""Whether what is open can be neither renamed nor removed, and folders cannot be opened."""

_MAX_MARK: Final = 64 * 1024

Checksum = tuple[str, str]
"""The name of an algorithm, as `hashlib` has it, and the hex digits."""


class Origin(NamedTuple):
    """What a partial file is a part of."""

    url: str
    """A digest of the URL: the URL itself may have secrets in it."""
    validator: str
    """What goes into If-Range: a strong entity tag or a date."""
    length: int | None
    """The octets of the whole, None where the server did not say."""


def read_checksum(checksum: Checksum | None, sha256: str | None) -> Checksum | None:
    """The checksum that the caller gave, one way or the other, in lower case.

    Raises: ValueError, TypeError for what is none.
    """
    if sha256 is not None:
        if checksum is not None:
            raise ValueError("give sha256 or checksum, not both")
        checksum = ("sha256", sha256)
    if checksum is None:
        return None
    if not (isinstance(checksum, tuple) and len(checksum) == 2):
        raise TypeError(f"checksum must be (algorithm, hex digits), not {checksum!r}")
    algorithm, digits = (str(part).lower() for part in checksum)
    if algorithm not in hashlib.algorithms_available:
        raise ValueError(f"checksum: no algorithm is called {algorithm!r}")
    size = hashlib.new(algorithm).digest_size
    if not size:
        raise ValueError(f"checksum: {algorithm} has no fixed length")
    if len(digits) != 2 * size or not set(digits) <= set("0123456789abcdef"):
        raise ValueError(f"checksum: {algorithm} is {2 * size} hex digits, not {digits!r}")
    return algorithm, digits


@final
class PartialFile:
    """The content of a file that is not there yet. Every method may block.

    With `kept` it survives `close` for another call, if `begin` was told of an origin. Raises OSError, with the path in
    it, for what the file system refuses.
    """

    def __init__(self, destination: Path, *, kept: bool) -> None:
        self.destination = destination
        self._kept = kept
        name = f"{destination.name}.part" if kept else f".{destination.name}.{secrets.token_hex(8)}"
        self.path = destination.with_name(name)
        self._mark = self.path.with_name(f"{name}.json")
        self._file: BinaryIO | None = None
        self._worth_keeping = False
        self._failure: OSError | None = None

    # -- the beginning ----------------------------------------------------------------------------------------------

    def open(self) -> tuple[Origin | None, int]:
        """Open the file; return what it is a part of, and how many octets of that are there.

        Raises: FileExistsError where another download writes it, and where there is a device or a pipe, which a file
            would replace; IsADirectoryError for a folder.
        """
        mode = self._mode_of_old()
        self._file = self._opened()
        if mode is not None and hasattr(os, "fchmod"):
            with suppress(OSError):  # a file system without permissions
                # Before there is any content: what was for few eyes stays so. The owner has to write it, though.
                os.fchmod(self._file.fileno(), mode | stat.S_IRUSR | stat.S_IWUSR)
        if not self._kept:
            return None, 0
        origin = self._read_mark()
        size = os.fstat(self._file.fileno()).st_size
        self._worth_keeping = origin is not None and size > 0
        return (origin, size) if self._worth_keeping else (None, 0)

    def _mode_of_old(self) -> int | None:
        """The permissions of the file that is to be replaced; None where there is none."""
        name = str(self.destination)
        try:
            mode = os.stat(name).st_mode
        except OSError:
            return None  # where nothing can be, opening says so
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(21, "a download needs the name of a file", name)
        if not stat.S_ISREG(mode):
            raise FileExistsError(17, "a download replaces files alone", name)
        return mode & 0o777

    def _opened(self) -> BinaryIO:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        # A link could lead the content elsewhere: in a folder where others write, say.
        flags |= getattr(os, "O_NOFOLLOW", 0) | (0 if self._kept else os.O_EXCL)
        while True:
            file = os.fdopen(os.open(self.path, flags, 0o666), "r+b", buffering=0)
            try:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise FileExistsError(17, "what is there is no file", str(self.path))
                _lock_file(file, self.path)
                if self._is_in_place(file):
                    return file
            except BaseException:
                file.close()
                raise
            # Another download took its place between the two calls: this is the finished file.
            file.close()

    def _is_in_place(self, file: BinaryIO) -> bool:
        try:
            return os.path.samestat(os.fstat(file.fileno()), os.stat(self.path))
        except FileNotFoundError:
            return False

    def _read_mark(self) -> Origin | None:
        try:
            with open(self._mark, "rb") as file:
                said = json.loads(file.read(_MAX_MARK))
            origin = Origin(said["url"], said["validator"], said["length"])
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None
        fits = isinstance(origin.url, str) and isinstance(origin.validator, str)
        return origin if fits and isinstance(origin.length, int | None) else None

    def begin(self, origin: Origin | None) -> None:
        """Begin anew: nothing of what was there before is left. Without an origin nothing can be kept."""
        file = self._open_file()
        self._worth_keeping = False
        if not self._kept:
            return
        self._mark.unlink(missing_ok=True)
        file.truncate(0)
        if origin is not None:
            # A new file in any case: "w" would follow a link that somebody put there meanwhile.
            with self._named(self._mark), open(self._mark, "x", encoding="utf-8") as mark:
                mark.write(json.dumps(origin._asdict()))
            self._worth_keeping = True

    # -- the content ------------------------------------------------------------------------------------------------

    def write(self, offset: int, pieces: Iterable[bytes]) -> None:
        """Put content at an offset, in octets. Nothing is written after a write that failed: there would be a hole."""
        if self._failure is not None:
            raise self._failure
        file = self._open_file()
        try:
            with self._named(self.path):
                file.seek(offset)
                for piece in pieces:
                    rest = memoryview(piece)
                    while rest:
                        rest = rest[file.write(rest) :]
        except OSError as exc:
            self._failure = exc
            raise

    def cut(self, size: int) -> None:
        """Drop what is behind so many octets."""
        with self._named(self.path):
            self._open_file().truncate(size)

    def read(self, offset: int, size: int) -> bytes:
        """Octets that are there; none at the end."""
        with self._named(self.path):
            file = self._open_file()
            file.seek(offset)
            return file.read(size)

    # -- the end ------------------------------------------------------------------------------------------------------

    def finish(self, fsync: bool) -> None:
        """Give the file its name. With `fsync` it is on the disk then, its name too."""
        with self._named(self.destination):
            file = self._open_file()
            if fsync:
                os.fsync(file.fileno())
            if _WINDOWS:
                self._close()  # what is open cannot be renamed there
            os.replace(self.path, self.destination)
            self._worth_keeping = False
            if self._kept:
                self._mark.unlink(missing_ok=True)
            if fsync and not _WINDOWS:
                _sync_folder(self.destination.parent)
            self._close()

    def give_up(self) -> None:
        """Keep nothing: what is there is not what it should be."""
        self._worth_keeping = False

    def close(self) -> None:
        """Close the file; remove it, unless it is finished or worth keeping. Idempotent; raises nothing."""
        file = self._file
        if file is None:
            return
        with suppress(OSError):
            if not os.fstat(file.fileno()).st_size:
                self._worth_keeping = False
            if not self._worth_keeping and self._is_in_place(file):
                if _WINDOWS:
                    self._close()
                # In this order: a part without its mark is one that begins anew.
                if self._kept:
                    self._mark.unlink(missing_ok=True)
                self.path.unlink()
        self._close()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):
                file.close()

    def _open_file(self) -> BinaryIO:
        if self._file is None:
            raise ValueError("the file is closed")
        return self._file

    def _named(self, path: Path) -> "_NamedErrors":
        return _NamedErrors(path)


@final
class _NamedErrors:
    """Gives errors of the file system the path that they are about: those of an open file have none."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        """Nothing to do yet."""

    def __exit__(self, kind: type[BaseException] | None, exc: object, traceback: object) -> None:
        if isinstance(exc, OSError) and exc.filename is None:
            exc.filename = str(self._path)


def _lock_file(file: BinaryIO, path: Path) -> None:
    try:
        import fcntl
    except ImportError:
        return  # Windows: what is open cannot be replaced there
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FileExistsError(17, "another download writes this file", str(path)) from None
    except OSError:
        pass  # a file system without locks


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
