"""Where a message body ends, and whether another message may follow on the connection.

Pure functions over a head. Framing mistakes are how one response is taken for another, so nothing here is lenient:
what cannot be understood exactly is refused, and the connection with it.
"""

import enum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, final

from . import hdrs
from ._errors import ContentLengthError, TransferEncodingError
from ._grammar import is_digits, token_list
from ._head import ResponseHead
from ._http_version import HttpVersion11

if TYPE_CHECKING:
    from multidict import CIMultiDictProxy

__all__ = ("BodyKind", "Framing", "connection_persists", "content_length", "response_framing")

_MAX_LENGTH = 2**63 - 1
_SHORT = 64
"""Characters of a value whose meaning is remembered. A peer could send 32 KiB of repetitions, each time others."""


@final
class BodyKind(enum.Enum):
    """How a body is delimited."""

    NONE = "none"
    LENGTH = "length"
    CHUNKED = "chunked"
    UNTIL_CLOSE = "until close"
    TUNNEL = "tunnel"
    """No HTTP follows: every further octet belongs to the tunnel or to the upgraded protocol."""


class Framing(NamedTuple):
    """A body's delimitation. `length` counts octets on the wire; `persistent` is False where the framing itself
    forbids another exchange on the connection."""

    kind: BodyKind
    length: int = 0
    persistent: bool = True


_EMPTY = Framing(BodyKind.NONE)
_CHUNKED = Framing(BodyKind.CHUNKED)
_CHUNKED_THEN_CLOSE = Framing(BodyKind.CHUNKED, persistent=False)
_UNTIL_CLOSE = Framing(BodyKind.UNTIL_CLOSE, persistent=False)
_TUNNEL = Framing(BodyKind.TUNNEL, persistent=False)


def response_framing(method: str, head: ResponseHead) -> Framing:
    """How the body of the response to a request with that method is delimited (RFC 9112 section 6.3).

    A Content-Length is checked even where the body does not depend on it: a server that contradicts itself there
    cannot be trusted with the next response either.

    Raises: `ContentLengthError`, `TransferEncodingError`.
    """
    headers = head.headers
    status = head.status
    # Step 2: a tunnel begins after the head, and what the head says of a body must be ignored.
    if method == "CONNECT" and 200 <= status < 300:
        return _TUNNEL
    lengths = headers.getall(hdrs.CONTENT_LENGTH, None)
    sized = None if lengths is None else _sized(lengths)
    # Step 1: responses that never have a body.
    if method == "HEAD" or status < 200 or status == 204 or status == 304:
        return _TUNNEL if status == 101 else _EMPTY
    # Steps 3 and 4: Transfer-Encoding overrides Content-Length; both together is an attempt at smuggling or its victim.
    if hdrs.TRANSFER_ENCODING in headers:
        return _transfer_coding(head, sized is not None)
    # Steps 5 and 6, invalid lengths were refused above; step 8 (7 is about requests).
    return _UNTIL_CLOSE if sized is None else sized


def _transfer_coding(head: ResponseHead, has_length: bool) -> Framing:
    codings = token_list(head.headers.getall(hdrs.TRANSFER_ENCODING))
    if head.version < HttpVersion11:
        # RFC 9112 section 6.1: the framing of such a message is faulty, whatever it says.
        raise TransferEncodingError("Transfer-Encoding in an HTTP/1.0 response")
    if codings == ["chunked"]:
        return _CHUNKED_THEN_CLOSE if has_length else _CHUNKED
    if codings == ["identity"]:
        # Withdrawn in 2014 and still sent by old servers: no coding, and no framing either.
        return _UNTIL_CLOSE
    # Chunked twice, chunked not last, or a coding that we did not ask for: handing its octets out as content would
    # be wrong, and so would guessing where the message ends.
    raise TransferEncodingError(f"unsupported Transfer-Encoding: {', '.join(codings)[:100]!r}")


def content_length(headers: "CIMultiDictProxy[str]") -> int | None:
    """The Content-Length in octets, or None without one; identical repetitions count once (RFC 9112 section 6.3).

    Raises: `ContentLengthError` for anything but 1*DIGIT below 2**63, and for differing values.
    """
    values = headers.getall(hdrs.CONTENT_LENGTH, None)
    return None if values is None else _sized(values).length


def _sized(values: list[str]) -> Framing:
    """The framing that a Content-Length means, given as the values of its field lines."""
    value = values[0] if len(values) == 1 else ",".join(values)
    return _read_length_before(value) if len(value) <= _SHORT else _read_length(value)


def _read_length(value: str) -> Framing:
    if "," in value:
        elements = {element.strip(" \t") for element in value.split(",")}
        if len(elements) != 1:
            raise ContentLengthError(f"Content-Length values differ: {value[:100]!r}")
        value = elements.pop()
    # The number of digits first: int() refuses more than 4,300 with an error of its own, zeros included.
    digits = value.lstrip("0") or value[:1]
    if not is_digits(value) or len(digits) > 19:
        raise ContentLengthError(f"invalid Content-Length: {value[:100]!r}")
    length = int(digits)
    if length > _MAX_LENGTH:
        raise ContentLengthError(f"Content-Length too large: {value!r}")
    return Framing(BodyKind.LENGTH, length) if length else _EMPTY


_read_length_before = lru_cache(maxsize=256)(_read_length)


def connection_persists(head: ResponseHead) -> bool:
    """Whether the response's head lets the connection be used again (RFC 9112 section 9.3)."""
    values = head.headers.getall(hdrs.CONNECTION, None)
    if values is None:
        return head.version is HttpVersion11
    value = values[0] if len(values) == 1 else ",".join(values)
    read = _read_options_before if len(value) <= _SHORT else _read_options
    close, keep_alive = read(value)
    return not close and (keep_alive or head.version is HttpVersion11)


def _read_options(value: str) -> tuple[bool, bool]:
    options = token_list([value])
    return "close" in options, "keep-alive" in options


_read_options_before = lru_cache(maxsize=64)(_read_options)
