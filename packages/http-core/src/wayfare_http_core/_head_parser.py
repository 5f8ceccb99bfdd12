"""Response heads from octets (RFC 9112 sections 4 and 5).

Two readers with one verdict. The quick one looks at the whole head with a handful of bulk operations and accepts
only what is beyond doubt. Whatever it does not accept goes to the careful one, which walks line by line and alone
knows how to refuse, so every error is made in one place and in the order of the lines.
"""

import re
from functools import lru_cache
from typing import NoReturn

from multidict import CIMultiDict

from ._errors import (
    BadHttpMessage,
    BadStatusLine,
    InvalidHeader,
    LineTooLong,
    UnsupportedVersionError,
)
from ._field_lines import read_field_lines
from ._grammar import FIELD_CONTENT, is_field_content, is_token
from ._head import ResponseHead
from ._http_version import HttpVersion, HttpVersion10, HttpVersion11
from ._limits import HeadLimits

__all__ = ("check_partial_head", "parse_fields", "parse_response_head", "quick_response_head")

_STATUS_LINE = re.compile(rf"HTTP/1\.([01]) ([0-9]{{3}})(?: ({FIELD_CONTENT}))?", re.ASCII)
_FOREIGN_VERSION = re.compile(rb"(?:[A-Za-z]+/[0-9]+(?:\.[0-9]+)?|ICY)(?= |\Z)")
_LINE_END = re.compile(rb"\r?\n")
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VERDICT = 16
"""Octets after which something that does not begin like HTTP/1.x is called by its name."""


@lru_cache(maxsize=128)
def _status_line(line: str) -> tuple[HttpVersion, int, str] | None:
    """Version, status and reason of a status line, or None where it is not exactly one."""
    match = _STATUS_LINE.fullmatch(line)
    if match is None or match[2] < "100":
        return None
    version = HttpVersion11 if match[1] == "1" else HttpVersion10
    return version, int(match[2]), match[3] or ""


def parse_response_head(head: bytes, limits: HeadLimits) -> ResponseHead:
    """A response head from its octets, without the blank line that ends it.

    Raises: `BadStatusLine`, `UnsupportedVersionError`, `InvalidHeader`, `LineTooLong` or `BadHttpMessage` for the first
    line, in order, that breaks a rule.
    """
    return quick_response_head(head, limits) or _parse_carefully(head, limits)


def quick_response_head(head: bytes, limits: HeadLimits) -> ResponseHead | None:
    """The head if it is beyond doubt valid, with CRLF line ends and no folding; None says nothing yet."""
    # Small enough that no line limit can be broken: the usual case.
    size = len(head)
    if size > limits.start_line or size > limits.field_line or size > limits.head:
        return None
    lines = head.decode("utf-8", "surrogateescape").split("\r\n")
    status = _status_line(lines.pop(0))
    if status is None or len(lines) > limits.fields:
        return None
    fields = read_field_lines(lines)
    return None if fields is None else ResponseHead(status, CIMultiDict(fields), head)


def _parse_carefully(head: bytes, limits: HeadLimits) -> ResponseHead:
    if len(head) > limits.head:
        _refuse_partial_head(head[: limits.head + 4], limits)
    lines = _LINE_END.split(head)
    start = lines[0]
    if not start.startswith(b"HTTP/"):
        raise _refuse_status_line(start)
    if len(start) > limits.start_line:
        raise LineTooLong(start[:100], limits.start_line, len(start))
    status = _status_line(start.decode("utf-8", "surrogateescape"))
    if status is None:
        raise _refuse_status_line(start)
    pairs = parse_fields(lines[1:], limits)
    raw = b"\r\n".join([start, *(b"%b: %b" % pair for pair in pairs)])
    return ResponseHead(status, CIMultiDict(_decode(pairs)), raw)


def _decode(pairs: list[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [
        (name.decode("ascii"), value.decode("utf-8", "surrogateescape")) for name, value in pairs
    ]


def _refuse_status_line(line: bytes) -> BadHttpMessage:
    # Only the first octets decide, so that the verdict can fall as soon as they are there.
    foreign = _FOREIGN_VERSION.match(line[:_VERDICT])
    if foreign is not None and foreign[0] not in (b"HTTP/1.0", b"HTTP/1.1"):
        return UnsupportedVersionError(line[:100])
    return BadStatusLine(line[:100])


def parse_fields(
    lines: list[bytes], limits: HeadLimits, *, before: int = 0
) -> list[tuple[bytes, bytes]]:
    """Names and values of field lines without their line ends; the one place that refuses a field.

    An obs-fold becomes one SP, as RFC 9112 section 5.2 asks of a user agent. `before` is how many fields were counted
    already (a trailer section counts with its head).

    Raises: `InvalidHeader`, `LineTooLong`, `BadHttpMessage`.
    """
    folded: list[tuple[bytes, list[bytes], int]] = []
    for count, line in enumerate(lines, before + 1):
        if len(line) > limits.field_line:
            raise LineTooLong(line[:100], limits.field_line, len(line))
        if line[:1] in (b" ", b"\t"):
            if not folded:
                raise InvalidHeader(line[:100])
            name, values, size = folded[-1]
            folded[-1] = (name, values, size + len(line))
        else:
            name, colon, value = line.partition(b":")
            if not colon or not is_token(name):
                raise InvalidHeader(line[:100])
            values = []
            folded.append((name, values, len(line)))
            line = value
        if folded[-1][2] > limits.field_line:
            raise LineTooLong(name[:100], limits.field_line, folded[-1][2])
        if not is_field_content(line):
            raise InvalidHeader(name + b":" + line[:100])
        if count > limits.fields:
            raise BadHttpMessage(f"more than {limits.fields} field lines")
        values.append(line.strip(b" \t"))
    return [(name, b" ".join(values).strip(b" \t")) for name, values, _ in folded]


def check_partial_head(data: bytearray, lines: int, line_start: int, limits: HeadLimits) -> None:
    """Refuse a head that cannot become valid any more, before its end arrived.

    `lines` is how many complete lines it has, `line_start` where the incomplete one begins. A peer that never ends
    its head must get an error and no memory, and one that speaks another protocol must not be waited for. Complete
    lines are judged first, so that the verdict does not depend on how the octets were cut.

    Raises: as `parse_response_head`.
    """
    foreign = not data.startswith(b"HTTP/"[: len(data)])
    # Every protocol that has a name to tell begins with a letter; a TLS alert of seven octets need not be waited out.
    if foreign and (len(data) >= _VERDICT or lines or data[0] not in _LETTERS):
        raise _refuse_status_line(bytes(_LINE_END.split(data[: limits.start_line], maxsplit=1)[0]))
    over_head = len(data) > limits.head + 3  # the line end and the blank line may be under way
    limit = limits.field_line if lines else limits.start_line
    over_line = len(data) - line_start > limit + 1  # a CR that belongs to the line end
    if over_head or over_line or lines > limits.fields + 1:
        _refuse_partial_head(bytes(data[: limits.head + 4]), limits)


def _refuse_partial_head(data: bytes, limits: HeadLimits) -> NoReturn:
    complete, newline, rest = data.rpartition(b"\n")
    if newline:
        _parse_carefully(complete.removesuffix(b"\r"), limits)
    limit = limits.field_line if newline else limits.start_line
    if len(rest) > limit + 1:
        raise LineTooLong(rest[:100], limit, len(rest))
    raise BadHttpMessage(f"the head has more than {limits.head} octets")
