"""What RFC 9110 and RFC 9112 let a client send: pure functions from octets to a request's head, or a refusal.

They share no code with the package's own serialiser or grammar: a test peer that had their mistakes would not notice
them. RFC 9112 asks servers to be more lenient in places; a judge of clients has no reason to be.
"""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address
from typing import final

__all__ = (
    "DEFAULT_REQUEST_LIMITS",
    "BadRequestError",
    "ReceivedRequest",
    "RequestLimits",
    "parse_chunk_line",
    "parse_head",
    "parse_trailers",
)


@final
class BadRequestError(ValueError):
    """What a client sent is no request that RFC 9112 lets it send."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLimits:
    """What a peer takes of a request, in octets except for `fields`; None means no limit.

    The start line's is the least that RFC 9112 section 3 wants servers to take, and a little more.
    """

    start_line: int = 8190
    field_line: int = 32 * 1024
    fields: int = 256
    head: int = 128 * 1024
    chunk_line: int = 4 * 1024
    trailers: int = 16 * 1024
    body: int | None = None


DEFAULT_REQUEST_LIMITS = RequestLimits()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRequest:
    """A request as it was received: names and values as text (latin-1), content without framing.

    As a head alone it has no content yet.
    """

    method: str
    target: str
    version: str
    fields: tuple[tuple[str, str], ...]
    body: bytes = b""
    trailers: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> str:
        """The target without its query, and without the origin of an absolute-form."""
        path = self.target.partition("?")[0]
        if "://" in path and not path.startswith("/"):
            path = "/" + path.partition("://")[2].partition("/")[2]
        return path

    @property
    def query(self) -> str:
        """What follows the first question mark of the target, as it was sent."""
        return self.target.partition("?")[2]

    @property
    def chunked(self) -> bool:
        """Whether the content comes in chunks."""
        return self.get("transfer-encoding") is not None

    @property
    def length(self) -> int:
        """The octets of content that Content-Length announces, 0 without one."""
        # Y1: heads are made by `parse_head`, which lets only digits pass.
        return int(self.get("content-length") or 0)

    @property
    def closes(self) -> bool:
        """Whether no further request may follow on the connection (RFC 9112 section 9.3)."""
        options = {option.lower() for option in self.elements("connection")}
        return "close" in options or (self.version == "1.0" and "keep-alive" not in options)

    def get(self, name: str) -> str | None:
        """The only value of that field (any case), or None.

        Raises: BadRequestError when it was sent more than once.
        """
        values = self.getall(name)
        if len(values) > 1:
            raise BadRequestError(f"{name} was sent {len(values)} times")
        return values[0] if values else None

    def getall(self, name: str) -> list[str]:
        """The values of all fields of that name (any case)."""
        return [value for own, value in self.fields if own.lower() == name.lower()]

    def elements(self, name: str) -> list[str]:
        """The elements of a comma-separated field, in their own case."""
        listed = ",".join(self.getall(name)).split(",")
        return [element.strip(" \t") for element in listed if element.strip(" \t")]


_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_REQUEST_LINE = re.compile(rb"(%b) ([\x21-\x7e]+) HTTP/1\.([01])" % _TOKEN)  # RFC 9112 section 3
_FIELD_LINE = re.compile(
    rb"(%b):[ \t]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[ \t]*"
    % _TOKEN
)
_DIGITS = re.compile(r"[0-9]{1,18}", re.ASCII)
# RFC 9112 section 7.1.1, without the white space that a sender must not generate.
_CHUNK_LINE = re.compile(
    rb'([0-9A-Fa-f]{1,16})(?:;%b(?:=(?:%b|"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"))?)*'
    % (_TOKEN, _TOKEN)
)

# What clients send and servers take is more than RFC 3986 has: URLs of browsers leave "[", "|" and others unescaped.
_USUAL = r"[\x21\x22\x24-\x3e\x40-\x7e]"
_EXACT = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})"
_PATHS = {
    exact: re.compile(rf"/{character}*(?:\?(?:{character}|\?)*)?", re.ASCII)
    for exact, character in ((False, _USUAL), (True, _EXACT))
}
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+\-.]*://([^/?#]*)(.*)", re.ASCII)
_AUTHORITY = re.compile(
    r"(?:\[([0-9A-Fa-f:.]+)\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+)(?::([0-9]{0,5}))?",
    re.ASCII,
)

_NOT_IN_TRAILERS = frozenset(
    (
        "authorization",
        "cache-control",
        "connection",
        "content-encoding",
        "content-length",
        "content-range",
        "content-type",
        "cookie",
        "expect",
        "host",
        "if-match",
        "if-none-match",
        "max-forwards",
        "proxy-authorization",
        "range",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
"""Framing, routing, modifiers, authentication and what says how to read content (RFC 9110 section 6.5.1)."""


def parse_head(lines: list[bytes], limits: RequestLimits, *, exact_target: bool) -> ReceivedRequest:
    """The head in these lines, which stand without their line ends.

    Raises: BadRequestError.
    """
    if len(lines[0]) > limits.start_line:
        raise BadRequestError(f"the request line has more than {limits.start_line} octets")
    match = _REQUEST_LINE.fullmatch(lines[0])
    if match is None:
        raise BadRequestError(f"bad request line {lines[0][:100]!r}")
    head = ReceivedRequest(
        method=match[1].decode("ascii"),
        target=match[2].decode("ascii"),
        version="1." + match[3].decode("ascii"),
        fields=_parse_fields(lines[1:], limits),
    )
    authority = _check_target(head, exact_target)
    _check_host(head, authority)
    _check_framing(head)
    _check_options(head)
    return head


def parse_trailers(lines: list[bytes], limits: RequestLimits) -> tuple[tuple[str, str], ...]:
    """The fields of a trailer section.

    Raises: BadRequestError, also for a field that must not stand there.
    """
    fields = _parse_fields(lines, limits)
    for name, _ in fields:
        if name.lower() in _NOT_IN_TRAILERS:
            raise BadRequestError(f"{name} in a trailer section (RFC 9110 section 6.5.1)")
    return fields


def parse_chunk_line(line: bytes) -> int:
    """The size on a chunk's line.

    Raises: BadRequestError.
    """
    match = _CHUNK_LINE.fullmatch(line)
    if match is None:
        raise BadRequestError(f"bad chunk size {line[:100]!r}")
    return int(match[1], 16)


def _parse_fields(lines: list[bytes], limits: RequestLimits) -> tuple[tuple[str, str], ...]:
    if len(lines) > limits.fields:
        raise BadRequestError(f"more than {limits.fields} fields")
    return tuple([_parse_field(line, limits) for line in lines])


def _parse_field(line: bytes, limits: RequestLimits) -> tuple[str, str]:
    if len(line) > limits.field_line:
        raise BadRequestError(f"a field line has more than {limits.field_line} octets")
    match = _FIELD_LINE.fullmatch(line)
    if match is None:
        raise BadRequestError(f"bad field line {line[:100]!r}")
    return match[1].decode("ascii"), match[2].decode("latin-1")


def _check_target(head: ReceivedRequest, exact: bool) -> str | None:
    """Refuse a target whose form does not fit its method (RFC 9112 section 3.2); its authority, if it has one."""
    target, paths = head.target, _PATHS[exact]
    if head.method == "CONNECT":
        match = _AUTHORITY.fullmatch(target)
        if match is None or not match[2]:
            raise BadRequestError(f"CONNECT to {target[:100]!r}, not to host and port")
        _check_authority(target)
        return target
    if target == "*" and head.method == "OPTIONS":
        return None
    if paths.fullmatch(target) is not None:
        return None
    absolute = _ABSOLUTE.fullmatch(target)
    if (
        absolute is None
        or paths.fullmatch(absolute[2] if absolute[2].startswith("/") else "/" + absolute[2])
        is None
    ):
        raise BadRequestError(f"bad target {target[:100]!r} for {head.method}")
    _check_authority(absolute[1])
    return absolute[1]


def _check_authority(authority: str) -> None:
    match = _AUTHORITY.fullmatch(authority)
    # No user info: RFC 9110 section 4.2.4 forbids it in targets and fields.
    if match is None:
        raise BadRequestError(f"bad authority {authority.rpartition('@')[2][:100]!r}")
    if int(match[2] or 0) > 65535:  # Y1: the pattern lets at most five digits pass
        raise BadRequestError(f"bad port {match[2]}")
    if match[1] is not None:
        try:
            IPv6Address(match[1])
        except AddressValueError as exc:
            raise BadRequestError(f"bad address {match[1][:100]!r}") from exc


def _check_host(head: ReceivedRequest, authority: str | None) -> None:
    """One Host field, which names the authority of the target if that has one (RFC 9112 section 3.2)."""
    host = head.get("host")
    if host is None:
        if head.version == "1.1":
            raise BadRequestError("no Host field (RFC 9112 section 3.2)")
        return
    _check_authority(host)
    if authority is not None and authority.lower() != host.lower():
        raise BadRequestError(f"Host {host!r} for a target at {authority!r} (RFC 9112 section 3.2)")


def _check_framing(head: ReceivedRequest) -> None:
    length, coding = head.get("content-length"), head.get("transfer-encoding")
    if length is not None and _DIGITS.fullmatch(length) is None:
        raise BadRequestError(f"bad Content-Length {length[:100]!r}")
    if coding is not None:
        if length is not None:
            raise BadRequestError("Content-Length and Transfer-Encoding (RFC 9112 section 6.2)")
        if coding.lower() != "chunked" or head.version == "1.0":
            raise BadRequestError(f"Transfer-Encoding {coding[:100]!r} in HTTP/{head.version}")
    if head.method in ("CONNECT", "TRACE") and (coding is not None or head.length):
        raise BadRequestError(f"{head.method} with content (RFC 9110 section 9.3)")


def _check_options(head: ReceivedRequest) -> None:
    """Fields for the next hop alone are named in Connection, and promises about content need content."""
    options = {option.lower() for option in head.elements("connection")}
    for name, section in (("upgrade", "7.8"), ("te", "10.1.4")):
        if head.getall(name) and name not in options:
            raise BadRequestError(f"{name} without Connection: {name} (RFC 9110 section {section})")
    expectation = head.get("expect")
    if expectation is not None:
        if expectation.lower() != "100-continue":
            raise BadRequestError(f"unknown expectation {expectation[:100]!r}")
        if not head.chunked and not head.length:
            raise BadRequestError("Expect without content (RFC 9110 section 10.1.1)")
