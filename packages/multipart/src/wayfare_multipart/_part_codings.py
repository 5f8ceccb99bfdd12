"""What a part's Content-Encoding and Content-Transfer-Encoding do to its octets on their way out.

The first are http-core's codings. The second are those of RFC 2045 section 6, from the time of 7-bit mail: base64 and
quoted-printable change octets, "7bit", "8bit" and "binary" only say something about them.
"""

import sys
from binascii import b2a_base64
from typing import Final, final

from wayfare_http_core import Encoder, make_encoder

from ._errors import MultipartError

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("base64_size", "content_encoder", "transfer_encoder")

_LINE: Final = 57
"""Octets that make a line of 76 characters, the longest that RFC 2045 section 6.8 allows."""

_CHANGE_NOTHING: Final = frozenset(("", "7bit", "8bit", "binary"))


@final
class _Base64(Encoder):
    """Lines of 76 characters, each with its CRLF."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    @override
    def encode(self, data: bytes) -> bytes:
        data = self._rest + data if self._rest else data
        whole = len(data) - len(data) % _LINE
        self._rest = data[whole:]
        return _lines(data[:whole])

    @override
    def sync_flush(self) -> bytes:
        raise ValueError("base64 has no place to flush to but its end")

    @override
    def flush(self) -> bytes:
        rest, self._rest = self._rest, b""
        return _lines(rest)


def _lines(data: bytes) -> bytes:
    view = memoryview(data)
    return b"".join(
        [
            b2a_base64(view[at : at + _LINE], newline=False) + b"\r\n"
            for at in range(0, len(data), _LINE)
        ]
    )


def base64_size(size: int) -> int:
    """The octets that so many octets become."""
    lines, rest = divmod(size, _LINE)
    return lines * 78 + ((rest + 2) // 3 * 4 + 2 if rest else 0)


@final
class _QuotedPrintable(Encoder):
    """Lines of at most 76 characters. CR and LF are octets like others, so that any content comes back as it was."""

    __slots__ = ("_break",)

    def __init__(self) -> None:
        self._break = b""

    @override
    def encode(self, data: bytes) -> bytes:
        if not data:
            return b""
        # A soft line break between pieces: then none depends on how long the one before was.
        soft, self._break = self._break, b"=\r\n"
        return soft + _quoted(data)

    @override
    def sync_flush(self) -> bytes:
        return b""

    @override
    def flush(self) -> bytes:
        return b""


_QUOTED: Final = [
    bytes((octet,)) if 0x21 <= octet <= 0x7E and octet != 0x3D else b"=%02X" % octet
    for octet in range(256)
]
_QP_LINE: Final = 75
"""Characters of a line before its soft break."""


def _quoted(data: bytes) -> bytes:
    coded = b"".join([_QUOTED[octet] for octet in data])
    lines: list[bytes] = []
    at = 0
    while len(coded) - at > _QP_LINE:
        end = at + _QP_LINE
        # Not between "=" and its two digits.
        end -= 1 if coded[end - 1] == 0x3D else 2 if coded[end - 2] == 0x3D else 0
        lines.append(coded[at:end])
        at = end
    lines.append(coded[at:])
    return b"=\r\n".join(lines)


def content_encoder(coding: str) -> Encoder | None:
    """What applies a part's Content-Encoding; None for one that changes nothing.

    Raises: `MultipartError` for a coding that is not known; ModuleNotFoundError for one whose library is missing.
    """
    if coding.strip().lower() in ("", "identity"):
        return None
    try:
        return make_encoder(coding)
    except ValueError as error:
        raise MultipartError(f"unknown content encoding: {coding}") from error


def transfer_encoder(coding: str) -> Encoder | None:
    """What applies a part's Content-Transfer-Encoding; None for one that changes nothing.

    Raises: `MultipartError` for one that is not known.
    """
    name = coding.strip().lower()
    if name in _CHANGE_NOTHING:
        return None
    if name == "base64":
        return _Base64()
    if name == "quoted-printable":
        return _QuotedPrintable()
    raise MultipartError(f"unknown content transfer encoding: {coding}")
