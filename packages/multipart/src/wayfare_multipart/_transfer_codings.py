"""Content-Transfer-Encoding undone (RFC 2045 section 6): base64 and quoted-printable, cut anywhere (M16).

RFC 7578 section 4.7 deprecates them for forms, and mail still has them. Neither makes octets more, so that what they
give needs no bound.
"""

import re
from binascii import a2b_base64, a2b_qp
from typing import Final, Protocol, final

from ._errors import PartEncodingError

__all__ = ("TransferDecoder", "make_transfer_decoder")

_CHANGE_NOTHING: Final = frozenset(("", "7bit", "8bit", "binary"))
_IGNORED: Final = b"\t\n\r "
"""What is ignored within base64. RFC 2045 section 6.8 would have a reader ignore all that are none of its characters;
they are much more often damage than decoration."""
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]*={0,2}")
_BLANKS: Final = 1024
"""Blanks in a row of quoted-printable data: whether they are data is only known behind the last of them."""
_MANY_BLANKS: Final = re.compile(rb"[ \t]{%d}" % (_BLANKS + 1))
_BLANKS_AT_LINE_END: Final = re.compile(rb"[ \t]+(?=\r?\n)")
_BAD_ESCAPE: Final = re.compile(rb"=(?![0-9A-Fa-f]{2}|[ \t]*\r?\n)")
_BEGUN_ESCAPE: Final = re.compile(rb"=[0-9A-Fa-f]?\Z")


class TransferDecoder(Protocol):
    """Undoes a transfer encoding."""

    def decode(self, data: bytes) -> bytes:
        """What the next octets mean; some of it may come with later ones.

        Raises: `PartEncodingError` for corrupt data.
        """

    def finish(self) -> bytes:
        """What the end of the data means.

        Raises: `PartEncodingError` for data that is not whole.
        """


def make_transfer_decoder(coding: str) -> TransferDecoder | None:
    """What undoes a transfer encoding, named in any case; None where it changes nothing.

    Raises: `PartEncodingError` for one that is not known.
    """
    name = coding.strip(" \t")
    if name.isascii():
        name = name.lower()
    if name in _CHANGE_NOTHING:
        return None
    if name == "base64":
        return _Base64Decoder()
    if name == "quoted-printable":
        return _QuotedPrintableDecoder()
    raise PartEncodingError(f"the transfer encoding {name[:100]!r} is not known")


@final
class _Base64Decoder:
    """Groups of four characters; blanks and line ends between them are ignored, and nothing follows the padding."""

    __slots__ = ("_ended", "_rest")

    def __init__(self) -> None:
        self._rest = b""  # of a group that is not whole
        self._ended = False

    def decode(self, data: bytes) -> bytes:
        characters = self._rest + data.translate(None, _IGNORED)
        if self._ended and characters:
            raise PartEncodingError("octets follow the end of the base64 data")
        whole = len(characters) - len(characters) % 4
        groups, self._rest = characters[:whole], characters[whole:]
        self._ended = self._ended or groups.endswith(b"=")
        if _BASE64.fullmatch(groups) is None or (self._ended and self._rest):
            raise PartEncodingError("the base64 data is corrupt")
        return a2b_base64(groups)

    def finish(self) -> bytes:
        if self._rest:
            raise PartEncodingError("the base64 data ends within a group of four characters")
        return b""


@final
class _QuotedPrintableDecoder:
    """Escapes of octets, and of line ends; blanks at the end of a line are a gateway's and are dropped."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""  # what means one thing or another by what follows it

    def decode(self, data: bytes) -> bytes:
        data = self._rest + data
        end = len(data.removesuffix(b"\r").rstrip(b" \t").removesuffix(b"="))
        if end == len(data):
            begun = _BEGUN_ESCAPE.search(data, max(0, end - 2))
            end = begun.start() if begun is not None else end
        self._rest = data[end:]
        if _MANY_BLANKS.search(data) is not None:
            raise PartEncodingError(f"more than {_BLANKS} blanks in a row of quoted-printable data")
        return _unquoted(data[:end])

    def finish(self) -> bytes:
        rest, self._rest = self._rest.rstrip(b" \t"), b""
        return _unquoted(rest)


def _unquoted(data: bytes) -> bytes:
    if _BAD_ESCAPE.search(data) is not None:
        raise PartEncodingError("the quoted-printable data is corrupt")
    return a2b_qp(_BLANKS_AT_LINE_END.sub(b"", data))
