"""Multipart content without the secrets of its parts: fields of a form by their names, other parts by their types.

It is read for showing, not for use: what cannot be read, such as a part without a head, stays as it is.
"""

import re
from typing import Final

from wayfare_http_core import ContentDisposition, parse_media_type

from ._redaction import ContentKind, Redaction, content_kind

__all__ = ("redact_parts",)

_MOST_DEEP: Final = 4
"""Multipart content within multipart content; of what is deeper, nothing is shown."""
_DELIMITER = re.compile(rb"(?:\A|\r?\n)--([^\r\n]*+)(?=\r?\n|\Z)", re.ASCII)
"""What may be one: the line end before it belongs to it, the one behind begins the part (RFC 2046 section 5.1.1)."""
_BLANK_LINE = re.compile(rb"\r?\n\r?\n", re.ASCII)
_LINE = re.compile(r"([^\s:]++):[ \t]*+([^\r\n]*+)", re.ASCII)
_PLAIN: Final = frozenset(("", "7bit", "8bit", "binary", "identity"))


def redact_parts(
    redaction: Redaction, media_type: str, octets: bytes, depth: int = _MOST_DEEP
) -> bytes:
    """The content with a mark in the place of each secret, also where its end is missing."""
    parsed = parse_media_type(media_type)
    boundary = "" if parsed is None else parsed.parameters.get("boundary", "")
    if not boundary:
        return octets
    opening = boundary.encode("utf-8", "surrogateescape")
    shown, end, begun = [], 0, False
    for match in _DELIMITER.finditer(octets):
        found = match[1].rstrip(b" \t")
        if found not in (opening, opening + b"--"):
            continue
        between = octets[end : match.start()]
        shown += [_part(redaction, between, depth) if begun else between, match[0]]
        begun, end = found == opening, match.end()
        if not begun:
            break
    rest = octets[end:]
    return b"".join([*shown, _part(redaction, rest, depth) if begun else rest])


def _part(redaction: Redaction, octets: bytes, depth: int) -> bytes:
    """One part, from the line end that ends its delimiter on."""
    blank = _BLANK_LINE.search(octets)
    end = len(octets) if blank is None else blank.start()
    head = octets[:end].decode("utf-8", "surrogateescape")
    fields = {match[1].lower(): match[2] for match in _LINE.finditer(head)}
    shown = _LINE.sub(lambda match: _field(redaction, match), head)
    octets_shown = shown.encode("utf-8", "surrogateescape")
    if blank is None:
        return octets_shown
    body = _body(redaction, fields, octets[blank.end() :], depth)
    return b"".join((octets_shown, blank[0], body))


def _field(redaction: Redaction, match: re.Match[str]) -> str:
    name, value = match.groups()
    shown = redaction.field(name, value)
    return match[0] if shown == value else f"{name}: {shown}"


def _body(redaction: Redaction, fields: dict[str, str], body: bytes, depth: int) -> bytes:
    name = ContentDisposition.parse(fields.get("content-disposition", "")).parameters.get("name")
    media_type = fields.get("content-type", "")
    mark = redaction.mark.encode("utf-8", "replace")
    if not body:
        return body
    if name is not None and redaction.is_secret(name):
        return mark
    kind = content_kind(media_type)
    if kind is None:
        return body
    codings = (fields.get("content-transfer-encoding", ""), fields.get("content-encoding", ""))
    if not depth or any(coding.strip().lower() not in _PLAIN for coding in codings):
        # There may be secrets, and they cannot be told from the rest.
        return mark
    if kind is ContentKind.PARTS:
        return redact_parts(redaction, media_type, body, depth - 1)
    return redaction.octets(media_type, body)
