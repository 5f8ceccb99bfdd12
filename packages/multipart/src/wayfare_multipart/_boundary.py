"""The boundary between the parts of a body, as a media type names it (RFC 2046 section 5.1.1)."""

import re

from wayfare_http_core import MediaType, parse_media_type

from ._errors import BoundaryError

__all__ = ("check_boundary", "multipart_type")

# bchars, of which the last must not be a space.
_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")


def multipart_type(content_type: str) -> tuple[MediaType, bytes]:
    """The media type of a multipart body and its boundary, from the value of a Content-Type field (M5).

    Raises: `BoundaryError` where it is no multipart type, or where the boundary is missing or not a valid one.
    """
    media_type = parse_media_type(content_type)
    if media_type is None or media_type.type != "multipart":
        raise BoundaryError(f"{content_type[:100]!r} is no multipart type")
    boundary = media_type.parameters.get("boundary")
    if boundary is None:
        raise BoundaryError(f"{content_type[:100]!r} names no boundary")
    return media_type, check_boundary(boundary)


def check_boundary(boundary: str) -> bytes:
    """A boundary as octets.

    Raises: `BoundaryError` for one that is not 1 to 70 of the characters that RFC 2046 allows, or ends in a space.
    """
    octets = boundary.encode("ascii", "replace") if boundary.isascii() else b""
    if _BOUNDARY.fullmatch(octets) is None:
        raise BoundaryError(f"{boundary[:100]!r} is no boundary")
    return octets
