"""Content codings: what a response names, and a decoder for it (RFC 9110 section 8.4).

Decoders do no I/O and give at most as much as they are asked for, so that what a small body unpacks
to never has to fit into memory. Content-Encoding and Content-Length stay in the head as they were
received: they describe what went over the wire, also after decoding (Z13).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, final

from ._coding_libraries import brotli_library, require_brotli, require_zstd, zstd_library
from ._errors import ContentEncodingError
from ._grammar import token_list
from ._zlib_backend import ZlibBackend

__all__ = (
    "ACCEPT_ENCODING",
    "DECODE_STEP",
    "MAX_CONTENT_CODINGS",
    "Decoder",
    "UnsupportedCodings",
    "make_decoder",
    "parse_content_codings",
)


def _offer() -> str:
    offered = ["gzip", "deflate"]
    if brotli_library() is not None:
        offered.append("br")
    if zstd_library() is not None:
        offered.append("zstd")
    return ", ".join(offered)


ACCEPT_ENCODING: Final = _offer()
"""What a request offers by default: the codings that can be undone here, br and zstd where they are installed."""

MAX_CONTENT_CODINGS: Final = 5
"""Codings on one body, as in curl: each can unpack a thousandfold what the one before unpacked."""

DECODE_STEP: Final = 256 * 1024
"""Decoded octets at a time: a millisecond's work, and all that is held between two codings."""


class Decoder(Protocol):
    """Undoes a content coding.

    Feed a piece, then call with b"" while `has_pending`, then feed the next; `finish` after the
    last. An empty result is no end: a header may take many pieces.
    """

    @property
    def has_pending(self) -> bool:
        """Whether `decode(b"", …)` may give more before there is more input."""

    def decode(self, data: bytes, max_length: int) -> bytes:
        """Take the next octets of the coded stream and return up to `max_length` decoded ones.

        Raises: `ContentEncodingError` for corrupt data, once everything before it was returned.
        """

    def finish(self) -> None:
        """Say that the input has ended; call it when nothing is pending any more.

        Raises: `ContentEncodingError` when the coded stream is incomplete.
        """


@final
@dataclass(frozen=True, slots=True)
class UnsupportedCodings:
    """A body that stays coded, since nobody here can undo one of its codings.

    `codings` are all of them in the order they were applied, `unknown` those that cannot be undone.
    """

    codings: tuple[str, ...]
    unknown: tuple[str, ...]


_SMALLEST_WINDOW = 1024  # of zstd (RFC 8878 section 3.1.1.1.2)

_ALIASES = {"x-gzip": "gzip"}  # RFC 9110 section 8.4.1.3


def parse_content_codings(values: Iterable[str]) -> list[str]:
    """The codings that the values of Content-Encoding fields name, in the order they were applied.

    Names are in ASCII lower case, x-gzip is gzip, empty list elements are dropped; a name with
    other characters than ASCII stays as it is, and is no name of ours (Z8).
    """
    return [_ALIASES.get(name, name) for name in token_list(list(values))]


def make_decoder(
    codings: Sequence[str],
    *,
    max_window: int | None = None,
    zlib_backend: ZlibBackend | None = None,
) -> Decoder | UnsupportedCodings | None:
    """What undoes codings, given in the order they were applied; None if there is nothing to undo.

    One that is not known refuses the whole: to undo only the outer ones would give neither the
    content nor what the server described.

    `max_window` limits the memory, in octets, that each br or zstd coding may ask for: at least 1,024, and not given
    16 MiB for br and 8 MiB for zstd (of zstd, the largest power of two in it counts). gzip and deflate always do with
    32 KiB; `zlib_backend` decodes those in place of the one of `set_zlib_backend`.

    Raises: `ContentEncodingError` for more than `MAX_CONTENT_CODINGS`, and for br or zstd where their library is not
        installed; ValueError for a window that is too small.
    """
    if max_window is not None and max_window < _SMALLEST_WINDOW:
        raise ValueError(f"a window has at least {_SMALLEST_WINDOW} octets")
    if len(codings) == 1 and codings[0] in _DECODERS:
        return _DECODERS[codings[0]](max_window, zlib_backend)
    names = [name for name in codings if name != "identity"]
    if not names:
        return None
    if len(names) > MAX_CONTENT_CODINGS:
        raise ContentEncodingError(f"more than {MAX_CONTENT_CODINGS} content codings")
    unknown = tuple(name for name in names if name not in _DECODERS)
    if unknown:
        return UnsupportedCodings(tuple(codings), unknown)
    decoder = _DECODERS[names[-1]](max_window, zlib_backend)
    for name in reversed(names[:-1]):
        decoder = _StackedDecoder(decoder, _DECODERS[name](max_window, zlib_backend))
    return decoder


# Each coding loads with the first content that is coded so.


def _gzip(max_window: int | None, backend: ZlibBackend | None) -> Decoder:
    from ._inflate import GzipDecoder

    return GzipDecoder(backend)


def _deflate(max_window: int | None, backend: ZlibBackend | None) -> Decoder:
    from ._inflate import DeflateDecoder

    return DeflateDecoder(backend)


def _br(max_window: int | None, backend: ZlibBackend | None) -> Decoder:
    from ._brotli import BrotliDecoder

    try:
        library = require_brotli()
    except ModuleNotFoundError as error:
        raise ContentEncodingError(str(error)) from error
    return BrotliDecoder(library, max_window)


def _zstd(max_window: int | None, backend: ZlibBackend | None) -> Decoder:
    from ._zstd import ZstdDecoder

    try:
        library = require_zstd()
    except ModuleNotFoundError as error:
        raise ContentEncodingError(str(error)) from error
    return ZstdDecoder(library, max_window)


# Another coding is another line here, and a name in `_offer`.
_DECODERS: dict[str, Callable[[int | None, ZlibBackend | None], Decoder]] = {
    "br": _br,
    "deflate": _deflate,
    "gzip": _gzip,
    "zstd": _zstd,
}


@final
class _StackedDecoder:
    """Two decoders in a row; between them is never more than one step."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, outer: Decoder, inner: Decoder) -> None:
        self._outer = outer
        self._inner = inner

    @property
    def has_pending(self) -> bool:
        return self._inner.has_pending or self._outer.has_pending

    def decode(self, data: bytes, max_length: int) -> bytes:
        # Input first, then one step of work: the caller decides how often, so no input can keep it
        # from its loop.
        if self._inner.has_pending and not data:
            return self._inner.decode(b"", max_length)
        piece = self._outer.decode(data, DECODE_STEP)
        return self._inner.decode(piece, max_length)

    def finish(self) -> None:
        self._outer.finish()
        self._inner.finish()
