"""Which implementation of zlib deflates and inflates: the standard library's, or a faster one like it.

The choice is one per process, because that is what it is about: which library was installed there. A
decoder or an encoder can be given another one.
"""

import zlib
from typing import Protocol

__all__ = ("Deflater", "Inflater", "ZlibBackend", "set_zlib_backend", "zlib_backend")


class Inflater(Protocol):
    """What `zlib.decompressobj` returns, as far as it is used."""

    @property
    def eof(self) -> bool:
        """Whether the end of the compressed data was reached."""

    @property
    def unconsumed_tail(self) -> bytes:
        """Input that was not looked at because the output was full."""

    @property
    def unused_data(self) -> bytes:
        """Input behind the end of the compressed data."""

    def decompress(self, data: bytes | memoryview, max_length: int, /) -> bytes:
        """Up to `max_length` octets of output."""


class Deflater(Protocol):
    """What `zlib.compressobj` returns, as far as it is used."""

    def compress(self, data: bytes, /) -> bytes:
        """What can be written by now."""

    def flush(self, mode: int, /) -> bytes:
        """The rest, up to here (Z_SYNC_FLUSH) or to the end of the stream (Z_FINISH)."""


class ZlibBackend(Protocol):
    """A module with the interface of `zlib`: isal.isal_zlib, zlib_ng.zlib_ng, zlib itself."""

    @property
    def error(self) -> object:
        """The type of what is raised for corrupt data. (That of isal is declared as if it was one.)"""

    @property
    def Z_DEFAULT_COMPRESSION(self) -> int:
        """The level that is taken where nobody names one."""

    @property
    def Z_SYNC_FLUSH(self) -> int:
        """The mode of flushing after which all data so far can be read."""

    @property
    def Z_FINISH(self) -> int:
        """The mode of flushing that ends the stream."""

    def decompressobj(self, wbits: int, /) -> Inflater:
        """A new inflater; -15 for DEFLATE data without header and trailer."""

    def compressobj(self, level: int, method: int, wbits: int, /) -> Deflater:
        """A new deflater: 9 to 15 for zlib data, 25 to 31 for gzip data; `method` is always 8."""

    def crc32(self, data: bytes, value: int, /) -> int:
        """The running CRC-32 of data that follows data with the checksum `value`."""

    def adler32(self, data: bytes, value: int, /) -> int:
        """The running Adler-32, likewise."""


_backend: ZlibBackend = zlib


def set_zlib_backend(backend: ZlibBackend) -> None:
    """Use another implementation of zlib for every decoder and encoder that is made from now on.

    `isal.isal_zlib` (the extra `isal`) decodes about twice as fast as `zlib`; its levels go from 0 to 3.
    """
    global _backend
    _backend = backend


def zlib_backend() -> ZlibBackend:
    """The implementation of zlib in use."""
    return _backend
