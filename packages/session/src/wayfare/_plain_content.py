"""Content without its codings, for those who look for secrets in it or show it."""

from collections.abc import Iterable

from multidict import CIMultiDict
from wayfare_http_core import (
    ContentEncodingError,
    UnsupportedCodings,
    make_decoder,
    parse_content_codings,
)

__all__ = ("codings_of", "plain_content")


def codings_of(fields: Iterable[tuple[str, str]]) -> list[str]:
    """The codings that the fields of a message say its content has."""
    return parse_content_codings(CIMultiDict(fields).getall("Content-Encoding", []))


def plain_content(octets: bytes, codings: list[str], most: int) -> bytes | None:
    """The content without its codings; None where they are not known, it is not what they say, or has `most` octets."""
    if not octets:
        return b""
    try:
        decoder = make_decoder(codings)
        if decoder is None:
            return octets
        if isinstance(decoder, UnsupportedCodings):
            return None
        plain, pending = b"", True
        while pending and len(plain) < most:
            plain += decoder.decode(octets, most - len(plain))
            octets, pending = b"", decoder.has_pending
        decoder.finish()
    except ContentEncodingError:
        return None
    return plain if len(plain) < most else None
