"""What a response's content is when it is taken as text: its media type, and the encoding that this implies."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from wayfare_http_core import MediaType, parse_media_type

from ._charsets import is_text_charset
from ._errors import ContentTypeError

if TYPE_CHECKING:
    from ._response import ClientResponse

__all__ = ("insist_on", "is_media_type", "media_type_of", "said_encoding")


def media_type_of(headers: Mapping[str, str]) -> MediaType:
    """What Content-Type says; application/octet-stream where it says nothing that can be read."""
    parsed = parse_media_type(headers.get("Content-Type", ""))
    return parsed or MediaType("application", "octet-stream")


def is_media_type(actual: MediaType, expected: str) -> bool:
    """Whether content is of the type that was asked for; `application/*+json` counts as application/json."""
    if expected == "application/json":
        return actual.type == "application" and (
            actual.subtype == "json" or actual.subtype.endswith("+json")
        )
    return actual.essence == expected.lower()


def insist_on(response: "ClientResponse", actual: MediaType, expected: str) -> None:
    """Let only content of that type pass.

    Raises: `ContentTypeError`.
    """
    if not is_media_type(actual, expected):
        message = f"content of type {actual.essence!r}, not {expected!r}"
        raise response.make_error(ContentTypeError, message)


def said_encoding(media_type: MediaType) -> str | None:
    """The encoding that a media type says: its charset where that is one of text, UTF-8 for JSON (RFC 8259 section
    8.1, RFC 7480 section 4.2 for RDAP's), else None."""
    charset = media_type.parameters.get("charset")
    if charset is not None and is_text_charset(charset):
        return charset
    return "utf-8" if is_media_type(media_type, "application/json") else None
