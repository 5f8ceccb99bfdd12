"""Which part to ask for, and whether the one that came is that (O14)."""

import pytest
from multidict import CIMultiDict
from wayfare import DownloadMismatchError
from wayfare._ranges import Asked, Part, is_coded, part_of, strong_validator

SENT = ("Date", "Mon, 30 Nov 2026 12:00:00 GMT")


@pytest.mark.parametrize(
    ("fields", "validator"),
    [
        ([], None),
        ([("ETag", '"a"')], '"a"'),
        ([("ETag", ' "a b" ')], '"a b"'),
        ([("ETag", 'W/"a"')], None),
        ([("ETag", "a")], None),
        # With a tag, a date must not be used (RFC 9110 section 13.1.5).
        ([("ETag", 'W/"a"'), SENT, ("Last-Modified", "Mon, 30 Nov 2026 11:00:00 GMT")], None),
        (
            [SENT, ("Last-Modified", "Mon, 30 Nov 2026 11:59:00 GMT")],
            "Mon, 30 Nov 2026 11:59:00 GMT",
        ),
        # As old as its response: the file may change once more in that time.
        ([SENT, ("Last-Modified", "Mon, 30 Nov 2026 11:59:01 GMT")], None),
        ([SENT, ("Last-Modified", "Mon, 30 Nov 2026 13:00:00 GMT")], None),
        ([("Last-Modified", "Mon, 30 Nov 2026 11:00:00 GMT")], None),
        ([SENT, ("Last-Modified", "yesterday")], None),
        ([("Date", "now"), ("Last-Modified", "Mon, 30 Nov 2026 11:00:00 GMT")], None),
    ],
)
def test_what_vouches_for_the_same_octets(
    fields: list[tuple[str, str]], validator: str | None
) -> None:
    assert strong_validator(CIMultiDict(fields)) == validator


@pytest.mark.parametrize(
    ("coding", "verdict"),
    [(None, False), ("identity", False), (" Identity ", False), ("gzip", True), ("", True)],
)
def test_what_is_coded(coding: str | None, verdict: bool) -> None:
    fields = {} if coding is None else {"Content-Encoding": coding}
    assert is_coded(CIMultiDict(fields)) is verdict


def test_what_is_asked() -> None:
    assert Asked(5).fields() == {"Range": "bytes=5-"}
    assert Asked(5, 9, '"a"').fields() == {"Range": "bytes=5-9", "If-Range": '"a"'}


ASKED = Asked(5, None, '"a"', 10)
RANGE = ("Content-Range", "bytes 5-9/10")


@pytest.mark.parametrize(
    ("asked", "fields", "part"),
    [
        (ASKED, [RANGE], Part(5, 5, 10)),
        (ASKED, [RANGE, ("ETag", '"a"')], Part(5, 5, 10)),
        (ASKED, [RANGE, ("Content-Encoding", "identity")], Part(5, 5, 10)),
        # A part of the part.
        (ASKED, [("Content-Range", "bytes 5-7/10")], Part(5, 3, 10)),
        (ASKED, [("Content-Range", "bytes 5-9/*")], Part(5, 5, 10)),
        (Asked(5), [RANGE], Part(5, 5, 10)),
        (Asked(5, 100), [RANGE], Part(5, 5, 10)),
        (
            Asked(5, validator="Mon, 30 Nov 2026 11:00:00 GMT"),
            [RANGE, ("ETag", '"b"')],
            Part(5, 5, 10),
        ),
    ],
)
def test_a_part_that_fits(asked: Asked, fields: list[tuple[str, str]], part: Part) -> None:
    assert part_of(206, CIMultiDict(fields), asked) == part


@pytest.mark.parametrize(
    ("asked", "status", "fields", "text"),
    [
        (ASKED, 200, [RANGE], "status 200 came for a part"),
        (ASKED, 416, [RANGE], "status 416 came for a part"),
        (ASKED, 206, [], "no Content-Range"),
        (ASKED, 206, [("Content-Type", "multipart/byteranges")], "no Content-Range"),
        (ASKED, 206, [RANGE, RANGE], "no Content-Range"),
        (ASKED, 206, [("Content-Range", "bytes */10")], "no Content-Range"),
        (ASKED, 206, [("Content-Range", "bytes 5-10/10")], "no Content-Range"),
        (ASKED, 206, [("Content-Range", "bytes 4-9/10")], "bytes 4-9/10 came, not bytes 5-"),
        (ASKED, 206, [("Content-Range", "bytes 6-9/10")], "bytes 6-9/10 came, not bytes 5-"),
        (ASKED, 206, [("Content-Range", "bytes 0-9/10")], "bytes 0-9/10 came, not bytes 5-"),
        (ASKED, 206, [("Content-Range", "bytes 5-9/11")], "has 11 octets now, not 10"),
        (
            ASKED,
            206,
            [("Content-Range", "bytes 5-10/*")],
            "ends behind the whole, which has 10 octets",
        ),
        (Asked(5), 206, [("Content-Range", "bytes 5-9/*")], "does not say how long"),
        (Asked(5, 7), 206, [RANGE], "bytes 5-9/10 came, not bytes 5-7"),
        (ASKED, 206, [RANGE, ("Content-Encoding", "gzip")], "content coding"),
        (ASKED, 206, [RANGE, ("ETag", '"b"')], 'of "b", not of "a"'),
        (ASKED, 206, [RANGE, ("ETag", 'W/"a"')], 'of W/"a", not of "a"'),
        (
            Asked(5, validator="Mon, 30 Nov 2026 11:00:00 GMT"),
            206,
            [RANGE, ("Last-Modified", "Mon, 30 Nov 2026 11:00:01 GMT")],
            "of Mon, 30 Nov 2026 11:00:01 GMT, not of",
        ),
    ],
)
def test_a_part_that_does_not_fit(
    asked: Asked, status: int, fields: list[tuple[str, str]], text: str
) -> None:
    with pytest.raises(DownloadMismatchError, match=text):
        part_of(status, CIMultiDict(fields), asked)
