"""Request heads as octets (RFC 9112 section 3), with the fields of this hop.

Everything is checked before the first octet leaves: a head that could be read as two requests is never written.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from ._fields import encode_field
from ._grammar import is_digits, is_token, token_list
from ._head import RequestHead
from ._http_version import HttpVersion10, HttpVersion11

__all__ = ("EncodedRequest", "encode_plain_request", "encode_request_head")

# RFC 3986 pchar, "/" and "?", and the few others that servers take and clients send unescaped ("[]|{}\^`<>\""):
# what may not stand here is white space, a control character, "#" and anything outside ASCII.
_ORIGIN_FORM = re.compile(r"/[\x21\x22\x24-\x7e]*", re.ASCII)
# RFC 3986 section 3.2, without user info and zones, and with ports that there are.
_REG_NAME = r"[A-Za-z0-9\-._~!$&'()*+,;=]*(?:%[0-9A-Fa-f]{2}[A-Za-z0-9\-._~!$&'()*+,;=]*)*"
_AUTHORITY = re.compile(
    rf"(?:\[([0-9A-Fa-f:.]+)\]|(?=[^:]){_REG_NAME})"
    r"(?::(?:[0-5]?[0-9]{0,4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?",
    re.ASCII,
)
_PORT = re.compile(r":[0-9]{1,5}\Z", re.ASCII)

_WITH_EMPTY_LENGTH = frozenset(("POST", "PUT", "PATCH"))
"""Methods whose content is expected, so that its absence is said (RFC 9110 section 8.6)."""


class EncodedRequest(NamedTuple):
    """A request head's octets, and how its body must follow: `chunked`, or exactly `length` octets (0 for none)."""

    octets: bytes
    chunked: bool
    length: int


def encode_request_head(
    head: RequestHead,
    length: int | None,
    *,
    content_type: str | None = None,
    absolute: bool = False,
) -> EncodedRequest:
    """The octets of a request head, its blank line included.

    `length` is the body's size in octets, -1 when there is no body, None when its size is unknown (the body is sent in
    chunks then). `content_type` is sent unless the fields have one. `absolute` asks for the absolute-form that a
    proxy for plain HTTP needs (RFC 9112 section 3.2.2).

    Raises: ValueError, saying what was wrong, for a method, target, host or field that cannot be sent, for two Host or
    Content-Length fields, and for a Content-Length or Transfer-Encoding of the caller that contradicts the body.
    """
    names = head.fields.names
    own_host = "host" in names
    start = _start_lines(
        head.method, head.scheme if absolute else "", head.authority, head.path, own_host
    )
    if head.version is not HttpVersion11:
        start = _older(start, head, length)
    if own_host:
        _check_host(head.fields.getall("host"))
    if "content-length" in names or "transfer-encoding" in names:
        framing = b""
        chunked, length = _own_framing(head, length)
    else:
        chunked = length is None
        framing = _framing_field(head.method, length)
    if content_type is not None and "content-type" not in names:
        framing = encode_field("Content-Type", content_type) + framing
    return EncodedRequest(
        b"%b%b%b\r\n" % (start, head.fields.encoded, framing), chunked, max(length or 0, 0)
    )


def encode_plain_request(head: RequestHead) -> bytes:
    """The octets of a request head without a body whose fields are `plain`: what most requests are.

    Raises: as `encode_request_head`.
    """
    octets = head._encoded
    if octets is None:
        if head.version is not HttpVersion11:
            return encode_request_head(head, -1).octets
        start = _start_lines(head.method, "", head.authority, head.path, False)
        framing = _framing_field(head.method, -1)
        octets = head._encoded = b"%b%b%b\r\n" % (start, head.fields.encoded, framing)
    return octets


def _older(start: bytes, head: RequestHead, length: int | None) -> bytes:
    """The first lines of a request of HTTP/1.0, which knows neither chunks nor 100 (Continue).

    Unless the caller says otherwise, the connection ends with it (RFC 9112 section 9.3).
    """
    if head.version != HttpVersion10:
        raise ValueError(f"{head.version} cannot be spoken over HTTP/1")
    if length is None and "content-length" not in head.fields.names:
        raise ValueError("content of unknown length cannot be sent with HTTP/1.0")
    for name in ("transfer-encoding", "expect"):
        if name in head.fields.names:
            raise ValueError(f"HTTP/1.0 has no {name.title()}")
    line, _, rest = start.partition(b"\r\n")
    closing = b"" if "connection" in head.fields.names else b"Connection: close\r\n"
    return b"%b1.0\r\n%b%b" % (line.removesuffix(b"1.1"), rest, closing)


def _start_lines(method: str, scheme: str, authority: str, path: str, own_host: bool) -> bytes:
    """The request line and the Host field, which RFC 9110 section 7.2 wants first."""
    if not is_token(method):
        raise ValueError(f"method {method!r} is not a token (RFC 9110 section 9.1)")
    if not _is_authority(authority):
        raise ValueError(f"authority {_shown(authority)!r} cannot stand in a Host field")
    target = _target(method, scheme, authority, path)
    host = "" if own_host else f"Host: {authority}\r\n"
    return f"{method} {target} HTTP/1.1\r\n{host}".encode("ascii")


def _is_authority(text: str) -> bool:
    match = _AUTHORITY.fullmatch(text)
    return match is not None and (match[1] is None or _is_ipv6(match[1]))


@lru_cache(maxsize=64)
def _is_ipv6(text: str) -> bool:
    # Imported here: few hosts are addresses.
    from ipaddress import AddressValueError, IPv6Address

    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True


def _target(method: str, scheme: str, authority: str, path: str) -> str:
    if method == "CONNECT":
        # authority-form, RFC 9112 section 3.2.3: the port is not optional.
        if _PORT.search(authority) is None:
            raise ValueError(f"CONNECT needs host and port, not {_shown(authority)!r}")
        return authority
    if path == "*":
        if method != "OPTIONS":
            raise ValueError(f"the target '*' is for OPTIONS, not for {method}")
        return f"{scheme}://{authority}" if scheme else "*"
    if _ORIGIN_FORM.fullmatch(path) is None:
        raise ValueError(f"path {path[:100]!r} cannot stand in a request line")
    return f"{scheme}://{authority}{path}" if scheme else path


def _check_host(values: list[str]) -> None:
    if len(values) > 1:
        raise ValueError("more than one Host field")
    if not _is_authority(values[0].strip(" \t")):
        raise ValueError(f"invalid Host: {_shown(values[0])!r}")


def _shown(authority: str) -> str:
    """An authority for an error message: short, and without user info, which may be a password."""
    return authority.rpartition("@")[2][:100]


def _framing_field(method: str, length: int | None) -> bytes:
    if length is None:
        return b"Transfer-Encoding: chunked\r\n"
    if length >= 0:
        return b"Content-Length: %d\r\n" % length
    return b"Content-Length: 0\r\n" if method in _WITH_EMPTY_LENGTH else b""


def _own_framing(head: RequestHead, length: int | None) -> tuple[bool, int]:
    """The caller named a length or a transfer coding, which must be what the body is: (chunked, octets)."""
    lengths = head.fields.getall("content-length")
    codings = token_list(head.fields.getall("transfer-encoding"))
    if codings:
        if lengths:
            raise ValueError(
                "Content-Length and Transfer-Encoding exclude each other (RFC 9112 section 6.2)"
            )
        if codings != ["chunked"]:
            raise ValueError(f"unsupported Transfer-Encoding: {', '.join(codings)[:100]!r}")
        if length == -1:
            raise ValueError("Transfer-Encoding without a body")
        return True, 0
    value = lengths[0].strip(" \t") if lengths else ""
    if len(lengths) != 1 or not is_digits(value) or len(value) > 19:
        raise ValueError(f"Content-Length must be one number, not {', '.join(lengths)[:100]!r}")
    announced = int(value)
    # A body that does not know its size is held to the announced one while it is sent.
    if length is not None and announced != max(length, 0):
        raise ValueError(f"Content-Length is {announced} and the body has {max(length, 0)} octets")
    return False, announced
