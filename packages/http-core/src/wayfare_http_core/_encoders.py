"""Content codings applied: what makes gzip, deflate, br and zstd out of pieces (RFC 9110 section 8.4.1).

An encoder's memory is its window and what the library collects, never the content; its time is proportional to the
piece it is given, so large content goes in piece by piece.
"""

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from operator import index
from typing import NamedTuple, Protocol, cast, final

from ._coding_libraries import require_brotli, require_zstd
from ._codings import MAX_CONTENT_CODINGS, parse_content_codings
from ._zlib_backend import ZlibBackend, zlib_backend

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("Encoder", "make_encoder")


class Encoder(Protocol):
    """Applies a content coding: `encode` each piece, then `flush` once."""

    def encode(self, data: bytes) -> bytes:
        """Take the next octets of the content and return what can be written by now; that may be nothing.

        Raises: ValueError after `flush`.
        """

    def sync_flush(self) -> bytes:
        """What it takes for the receiver to decode all content so far; the stream goes on.

        It costs some compression. Raises: ValueError after `flush`.
        """

    def flush(self) -> bytes:
        """The end of the stream. Raises: ValueError the second time."""


def make_encoder(
    codings: str | Iterable[str],
    *,
    level: int | None = None,
    window: int | None = None,
    zlib_backend: ZlibBackend | None = None,
) -> Encoder:
    """What applies a coding, or several in the order in which Content-Encoding names them: "gzip", "deflate, br".

    `level` is the coding's own: 0 to 9 for gzip and deflate (or the levels of the zlib backend), 0 to 11 for br (5
    unless given), up to 22 for zstd (3). `window` is the memory in octets that a receiver needs, a power of two: 512 to
    32 KiB for gzip and deflate, 1 KiB to 16 MiB for br (4 MiB), 1 KiB to 8 MiB for zstd. Both are for every coding that
    is named.

    Raises: ValueError for a name that is not known, for no name, for more than `MAX_CONTENT_CODINGS`, and for a level
        or a window that a coding does not have; TypeError for one that is no integer; ModuleNotFoundError for br or
        zstd where their library is not installed, saying what to install.
    """
    names = parse_content_codings([codings] if isinstance(codings, str) else codings)
    names = [name for name in names if name != "identity"]
    if not names:
        raise ValueError("no content coding is named")
    if len(names) > MAX_CONTENT_CODINGS:
        raise ValueError(f"more than {MAX_CONTENT_CODINGS} content codings")
    settings = _Settings(
        None if level is None else index(level),
        None if window is None else index(window),
        zlib_backend,
    )
    encoders = []
    for name in names:
        make = _ENCODERS.get(name)
        if make is None:
            raise ValueError(f"no content coding is called {name!r} here")
        encoders.append(make(settings))
    return encoders[0] if len(encoders) == 1 else _StackedEncoder(encoders)


class _Settings(NamedTuple):
    level: int | None
    window: int | None
    backend: ZlibBackend | None

    def window_bits(self, coding: str, smallest: int, largest: int) -> int | None:
        """The binary logarithm of the window.

        Raises: ValueError where it is no power of two, or not one of the coding's.
        """
        if self.window is None:
            return None
        bits = self.window.bit_length() - 1
        if self.window != 1 << max(bits, 0) or not smallest <= bits <= largest:
            raise ValueError(
                f"the window of {coding} is a power of two from {1 << smallest} to {1 << largest}"
            )
        return bits


class _OneEncoder(ABC):
    """One coding: three functions of its library, and an end after which none is called."""

    __slots__ = ("_ended",)

    def __init__(self) -> None:
        self._ended = False

    def encode(self, data: bytes) -> bytes:
        """See `Encoder`."""
        self._check()
        return self._compress(data)

    def sync_flush(self) -> bytes:
        """See `Encoder`."""
        self._check()
        return self._sync()

    def flush(self) -> bytes:
        """See `Encoder`."""
        self._check()
        self._ended = True
        return self._finish()

    def _check(self) -> None:
        if self._ended:
            raise ValueError("the coded stream has ended")

    @abstractmethod
    def _compress(self, data: bytes) -> bytes:
        """As `encode`."""

    @abstractmethod
    def _sync(self) -> bytes:
        """As `sync_flush`."""

    @abstractmethod
    def _finish(self) -> bytes:
        """As `flush`."""


_DEFLATED = 8  # the one method that zlib has
_ZLIB_BITS = 15
_GZIP_WRAPPER = 16  # added to the window's bits


@final
class _DeflateEncoder(_OneEncoder):
    """gzip data, or zlib data for the coding deflate, which is not what that name says (RFC 9110 section 8.4.1.2)."""

    __slots__ = ("_backend", "_deflater")

    def __init__(self, settings: _Settings, coding: str) -> None:
        super().__init__()
        self._backend = zlib_backend() if settings.backend is None else settings.backend
        bits = settings.window_bits(coding, 9, 15) or _ZLIB_BITS
        level = self._backend.Z_DEFAULT_COMPRESSION if settings.level is None else settings.level
        wrapper = _GZIP_WRAPPER if coding == "gzip" else 0
        try:
            self._deflater = self._backend.compressobj(level, _DEFLATED, bits + wrapper)
        except (ValueError, OverflowError, cast(type[Exception], self._backend.error)) as error:
            raise ValueError(f"{coding} has no level {level} here") from error

    @override
    def _compress(self, data: bytes) -> bytes:
        return self._deflater.compress(data)

    @override
    def _sync(self) -> bytes:
        return self._deflater.flush(self._backend.Z_SYNC_FLUSH)

    @override
    def _finish(self) -> bytes:
        return self._deflater.flush(self._backend.Z_FINISH)


# Faster and smaller than gzip at its usual level. The library's own choice, 11, takes forty times as long.
_BROTLI_LEVEL = 5
_BROTLI_BITS = 22


@final
class _BrotliEncoder(_OneEncoder):
    __slots__ = ("_compressor",)

    def __init__(self, settings: _Settings) -> None:
        super().__init__()
        library = require_brotli()
        level = _BROTLI_LEVEL if settings.level is None else settings.level
        if not 0 <= level <= 11:
            raise ValueError(f"br has levels from 0 to 11, not {level}")
        bits = settings.window_bits("br", 10, 24) or _BROTLI_BITS
        self._compressor = library.Compressor(quality=level, lgwin=bits)

    @override
    def _compress(self, data: bytes) -> bytes:
        return self._compressor.process(data)

    @override
    def _sync(self) -> bytes:
        return self._compressor.flush()

    @override
    def _finish(self) -> bytes:
        return self._compressor.finish()


# Parameters and modes of the C library; the numbers are part of its stable interface.
_COMPRESSION_LEVEL = 100
_WINDOW_LOG = 101
_CHECKSUM_FLAG = 201
_FLUSH_BLOCK = 1
_FLUSH_FRAME = 2

_ZSTD_LEVEL = 3
_ZSTD_BITS = 23  # 8 MiB: receivers need not accept more (RFC 9659 section 3)
_ZSTD_LARGE_WINDOWS = 19  # the levels above take larger ones if they are let


@final
class _ZstdEncoder(_OneEncoder):
    """One frame, with a checksum."""

    __slots__ = ("_compressor",)

    def __init__(self, settings: _Settings) -> None:
        super().__init__()
        library = require_zstd()
        level = _ZSTD_LEVEL if settings.level is None else settings.level
        options = {_COMPRESSION_LEVEL: level, _CHECKSUM_FLAG: 1}
        bits = settings.window_bits("zstd", 10, _ZSTD_BITS)
        if bits is not None or level > _ZSTD_LARGE_WINDOWS:
            options[_WINDOW_LOG] = bits or _ZSTD_BITS
        try:
            self._compressor = library.ZstdCompressor(options=options)
        except OverflowError as error:
            raise ValueError(f"zstd has no level {level}") from error

    @override
    def _compress(self, data: bytes) -> bytes:
        return self._compressor.compress(data)

    @override
    def _sync(self) -> bytes:
        return self._compressor.flush(_FLUSH_BLOCK)

    @override
    def _finish(self) -> bytes:
        return self._compressor.flush(_FLUSH_FRAME)


@final
class _StackedEncoder:
    """Several codings, the first applied first."""

    __slots__ = ("_encoders",)

    def __init__(self, encoders: list[Encoder]) -> None:
        self._encoders = encoders

    def encode(self, data: bytes) -> bytes:
        for encoder in self._encoders:
            data = encoder.encode(data)
        return data

    def sync_flush(self) -> bytes:
        data = b""
        for encoder in self._encoders:
            data = encoder.encode(data) + encoder.sync_flush()
        return data

    def flush(self) -> bytes:
        data = b""
        for encoder in self._encoders:
            data = encoder.encode(data) + encoder.flush()
        return data


_ENCODERS: dict[str, Callable[[_Settings], Encoder]] = {
    "br": _BrotliEncoder,
    "deflate": lambda settings: _DeflateEncoder(settings, "deflate"),
    "gzip": lambda settings: _DeflateEncoder(settings, "gzip"),
    "zstd": _ZstdEncoder,
}
