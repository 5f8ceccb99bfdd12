"""Which part of a file to ask for, and whether the part that came is that: decisions without I/O (O14).

Parts of one file can be put together only if nothing else was sent in between, which a strong validator vouches for
(RFC 9110 sections 13.1.5, 14.2 and 15.3.7).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from multidict import CIMultiDict, CIMultiDictProxy
from wayfare_http_core import ContentRange, ETag, hdrs, parse_http_date

from ._errors import DownloadMismatchError

__all__ = ("Asked", "Part", "is_coded", "part_of", "strong_validator")

_APART: Final = timedelta(seconds=60)
"""How much older than its response a file must be for its date to tell it from the next one: clocks differ, and a file
that changes twice in a second has one date."""


class Asked(NamedTuple):
    """A part that a request asked for: the octets from `first` to `last`, or to the end."""

    first: int
    last: int | None = None
    validator: str | None = None
    complete: int | None = None
    """The octets of the whole, where they are known from before."""

    def fields(self) -> dict[str, str]:
        """The fields that ask for it."""
        fields: dict[str, str] = {
            hdrs.RANGE: f"bytes={self.first}-{'' if self.last is None else self.last}"
        }
        if self.validator is not None:
            fields[hdrs.IF_RANGE] = self.validator
        return fields


class Part(NamedTuple):
    """A part that came: `length` octets from `first` on, of `complete` in all."""

    first: int
    length: int
    complete: int


def strong_validator(headers: Mapping[str, str]) -> str | None:
    """What names the very octets of a response, for If-Range: its entity tag if that is strong, or its date if that is.

    None where neither is: its parts cannot be put together.
    """
    tag = headers.get(hdrs.ETAG)
    if tag is not None:
        parsed = ETag.parse(tag)
        return None if parsed is None or parsed.is_weak else str(parsed)
    now = datetime.now(UTC)
    modified = headers.get(hdrs.LAST_MODIFIED)
    changed = parse_http_date(modified, now=now)
    sent = parse_http_date(headers.get(hdrs.DATE), now=now)
    if modified is None or changed is None or sent is None or sent - changed < _APART:
        return None
    return modified.strip(" \t")


def is_coded(headers: Mapping[str, str]) -> bool:
    """Whether content codings are on the content, so that octets of the wire are none of the file."""
    return headers.get(hdrs.CONTENT_ENCODING, "identity").strip(" \t").lower() != "identity"


def part_of(status: int, headers: CIMultiDictProxy[str] | CIMultiDict[str], asked: Asked) -> Part:
    """The part that a response to a request for a part carries.

    Raises: `DownloadMismatchError` for another part, or a part of something else, than was asked for.
    """
    if status != 206:
        raise DownloadMismatchError(f"status {status} came for a part: the file is another one now")
    values = headers.getall(hdrs.CONTENT_RANGE, [])
    found = ContentRange.parse(values[0]) if len(values) == 1 else None
    if found is None or found.first is None or found.last is None:
        raise DownloadMismatchError("the part has no Content-Range that says which it is")
    complete = asked.complete if found.complete is None else found.complete
    if complete is None:
        raise DownloadMismatchError(f"{found} does not say how long the whole is")
    if asked.complete not in (None, complete):
        raise DownloadMismatchError(f"the whole has {complete} octets now, not {asked.complete}")
    if found.last >= complete:
        raise DownloadMismatchError(f"{found} ends behind the whole, which has {complete} octets")
    if found.first != asked.first or (asked.last is not None and found.last > asked.last):
        last = "" if asked.last is None else asked.last
        raise DownloadMismatchError(f"{found} came, not bytes {asked.first}-{last}")
    if is_coded(headers):
        raise DownloadMismatchError("the part has a content coding")
    _check_validator(headers, asked.validator)
    return Part(found.first, found.length, complete)


def _check_validator(headers: Mapping[str, str], validator: str | None) -> None:
    """The part's own validator, if it has any, must be what the whole had."""
    if validator is None:
        return
    is_tag = validator.startswith('"')
    own = headers.get(hdrs.ETAG if is_tag else hdrs.LAST_MODIFIED)
    if own is not None and own.strip(" \t") != validator:
        raise DownloadMismatchError(f"the part is of {own.strip()[:100]}, not of {validator[:100]}")
