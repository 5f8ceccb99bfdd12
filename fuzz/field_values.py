"""Targets: the values of single fields. Readers never raise, and what they understood can be written and read again."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from wayfare_http_core import (
    ContentDisposition,
    ContentRange,
    ETag,
    Link,
    ListField,
    content_disposition_header,
    decode_ext_value,
    encode_ext_value,
    format_http_date,
    parse_challenges,
    parse_etags,
    parse_http_date,
    parse_keep_alive,
    parse_links,
    parse_media_type,
    parse_retry_after,
    quote_string,
    safe_filename,
)

from .properties import text

__all__ = ("challenges", "content_disposition", "dates", "etags", "links", "media_type")

T = TypeVar("T")

_NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def content_disposition(data: bytes) -> None:
    """A name out of any header is one safe name, and a name that is written is the name that is read."""
    value = text(data)
    name = ContentDisposition.parse(value).filename
    for given in (name, value):
        if given is None:
            continue
        safe = safe_filename(given)
        assert safe
        assert safe not in (".", "..")
        assert not set(safe) & set("/\\\x00")
        assert len(safe.encode("utf-8", "surrogateescape")) <= 255
        try:
            header = content_disposition_header("attachment", filename=given)
        except ValueError:
            continue
        assert ContentDisposition.parse(header).filename == given


def media_type(data: bytes) -> None:
    """A media type, its parameters, and the two ways to write a value."""
    value = text(data)
    parsed = parse_media_type(value)
    written = parsed and _written(parsed.encode)
    assert written is None or parse_media_type(written) == parsed
    decode_ext_value(value)
    try:
        assert decode_ext_value(encode_ext_value(value)) == value
        quoted = quote_string(value)
    except ValueError:
        return
    read = parse_media_type(f"a/b; c={quoted}")
    assert read is not None
    assert list(read.parameters.values()) == [value]


def _written(encode: Callable[[], str]) -> str | None:
    """The value, or None where it cannot be written: what a peer sent may be more than anybody should."""
    try:
        return encode()
    except ValueError:
        return None


def _read_again(
    parse: Callable[[str], ListField[T]], encode: Callable[[T], str], value: str
) -> None:
    """Every element by itself, and all of them in one field: none can become two, or another."""
    pairs = [(each, _written(partial(encode, each))) for each in parse(value)]
    elements = [(element, written) for element, written in pairs if written is not None]
    for element, written in elements:
        assert parse(written).elements == (element,)
    together = ", ".join([written for _, written in elements])
    assert parse(together).elements == tuple([element for element, _ in elements])


def challenges(data: bytes) -> None:
    """WWW-Authenticate."""
    _read_again(parse_challenges, lambda challenge: challenge.encode(), text(data))


def links(data: bytes) -> None:
    """Link."""
    _read_again(parse_links, _link_written, text(data))


def _link_written(link: Link) -> str:
    if len(set(link.parameters)) < len(link.parameters):
        raise ValueError("some parameters count once, however often they are written")
    return link.encode()


def etags(data: bytes) -> None:
    """ETag and If-None-Match."""
    value = text(data)
    tag = ETag.parse(value)
    assert tag is None or ETag.parse(str(tag)) == tag
    _read_again(parse_etags, str, value)


def dates(data: bytes) -> None:
    """Dates, Retry-After, Keep-Alive and Content-Range: numbers within their bounds, or nothing."""
    value = text(data)
    moment = parse_http_date(value, now=_NOW)
    if moment is not None:
        assert moment.utcoffset() == timedelta(0)
        assert parse_http_date(format_http_date(moment)) == moment.replace(microsecond=0)
    delay = parse_retry_after(value, now=_NOW)
    assert delay is None or 0 <= delay <= 3600
    part = ContentRange.parse(value)
    if part is not None:
        assert ContentRange.parse(str(part)) == part
        assert 0 <= part.length <= (10**18 if part.complete is None else part.complete)
    kept = parse_keep_alive(value)
    assert kept.timeout is None or kept.timeout >= 0
    assert kept.max is None or kept.max >= 0
    assert 0 <= kept.shorten(15.0) <= 15.0
