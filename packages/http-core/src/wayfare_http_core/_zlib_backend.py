"""Which implementation of zlib inflates: the standard library's, or a faster one like it.

The choice is one per process, because that is what it is about: which library was installed there.
"""

import zlib
from typing import Protocol

__all__ = ("Inflater", "ZlibBackend", "set_zlib_backend", "zlib_backend")


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


class ZlibBackend(Protocol):
    """A module with the interface of `zlib`: isal.isal_zlib, zlib_ng.zlib_ng, zlib itself."""

    @property
    def error(self) -> type[Exception]:
        """What is raised for corrupt data."""

    def decompressobj(self, wbits: int, /) -> Inflater:
        """A new inflater; -15 for DEFLATE data without header and trailer."""

    def crc32(self, data: bytes, value: int, /) -> int:
        """The running CRC-32 of data that follows data with the checksum `value`."""

    def adler32(self, data: bytes, value: int, /) -> int:
        """The running Adler-32, likewise."""


_backend: ZlibBackend = zlib


def set_zlib_backend(backend: ZlibBackend) -> None:
    """Use another implementation of zlib for every decoder that is made from now on."""
    global _backend
    _backend = backend


def zlib_backend() -> ZlibBackend:
    """The implementation of zlib in use."""
    return _backend
