"""The libraries behind the codings br and zstd: loaded when they are first asked for, None where they are missing.

Both are optional. What they must have is written down as Protocols, since several libraries fit each.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Protocol, cast

__all__ = (
    "BrotliCompressor",
    "BrotliDecompressor",
    "BrotliLibrary",
    "ZstdCompressor",
    "ZstdDecompressor",
    "ZstdLibrary",
    "brotli_library",
    "require_brotli",
    "require_zstd",
    "zstd_library",
)


class BrotliDecompressor(Protocol):
    """What decodes one brotli stream, giving about as much as it is asked for."""

    def process(self, data: bytes, /, *, output_buffer_limit: int) -> bytes:
        """Output, which passes the limit by what the library's last buffer holds."""

    def can_accept_more_data(self) -> bool:
        """Whether all input so far was used."""

    def is_finished(self) -> bool:
        """Whether the end of the stream was reached."""


class BrotliCompressor(Protocol):
    """What encodes one brotli stream."""

    def process(self, data: bytes, /) -> bytes:
        """What can be written by now."""

    def flush(self) -> bytes:
        """What is held back."""

    def finish(self) -> bytes:
        """The rest of the stream."""


class BrotliLibrary(Protocol):
    """The modules brotli and brotlicffi, from version 1.2 on."""

    @property
    def error(self) -> type[Exception]:
        """What is raised for corrupt data."""

    def Decompressor(self) -> BrotliDecompressor:
        """A new decoder."""

    def Compressor(self, *, quality: int, lgwin: int) -> BrotliCompressor:
        """A new encoder: quality 0 to 11, a window of `1 << lgwin` octets."""


class ZstdDecompressor(Protocol):
    """What decodes one zstd frame."""

    @property
    def eof(self) -> bool:
        """Whether the end of the frame was reached."""

    @property
    def needs_input(self) -> bool:
        """Whether all input so far was used and its output returned."""

    @property
    def unused_data(self) -> bytes:
        """Input behind the end of the frame."""

    def decompress(self, data: bytes | memoryview, max_length: int) -> bytes:
        """Up to `max_length` octets of output."""


class ZstdCompressor(Protocol):
    """What encodes one zstd frame."""

    def compress(self, data: bytes, /) -> bytes:
        """What can be written by now."""

    def flush(self, mode: int, /) -> bytes:
        """The rest of the block (1) or of the frame (2)."""


class ZstdLibrary(Protocol):
    """The modules compression.zstd (Python 3.14) and backports.zstd."""

    @property
    def ZstdError(self) -> type[Exception]:
        """What is raised for corrupt data."""

    def ZstdDecompressor(self, *, options: Mapping[int, int]) -> ZstdDecompressor:
        """A new decoder."""

    def ZstdCompressor(self, *, options: Mapping[int, int]) -> ZstdCompressor:
        """A new encoder."""


@cache
def brotli_library() -> BrotliLibrary | None:
    """The brotli library that is installed.

    One older than 1.2 counts as missing: it has no limit on what it gives, and a few octets of brotli make 16 MiB of
    output (Z9).
    """
    for name in ("brotli", "brotlicffi"):
        try:
            module = import_module(name)
        except ImportError:
            continue
        # Any directory of that name on the path can be imported, and has nothing in it.
        if hasattr(getattr(module, "Decompressor", None), "can_accept_more_data"):
            return cast(BrotliLibrary, module)
    return None


@cache
def zstd_library() -> ZstdLibrary | None:
    """The standard library's zstd, or its backport where that is installed."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            module = import_module(name)
        except ImportError:
            continue
        if hasattr(module, "ZstdDecompressor"):
            return cast(ZstdLibrary, module)
    return None


def require_brotli() -> BrotliLibrary:
    """The brotli library.

    Raises: ModuleNotFoundError that says what to install.
    """
    library = brotli_library()
    if library is None:
        raise _missing("br", "brotli 1.2 or later", "brotli")
    return library


def require_zstd() -> ZstdLibrary:
    """The zstd library.

    Raises: ModuleNotFoundError that says what to install.
    """
    library = zstd_library()
    if library is None:
        raise _missing("zstd", "backports.zstd or Python 3.14", "zstd")
    return library


def _missing(coding: str, needed: str, extra: str) -> ModuleNotFoundError:
    return ModuleNotFoundError(
        f"the content coding {coding} needs {needed}: pip install wayfare-http-core[{extra}]",
        name=extra,
    )
