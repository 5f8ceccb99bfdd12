"""What all parsers of field values have in common: whatever a peer sends, an answer, soon, and of bounded size."""

import re
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core import (
    ContentDisposition,
    ETag,
    content_disposition_filename,
    decode_ext_value,
    parse_challenges,
    parse_content_disposition,
    parse_etags,
    parse_http_date,
    parse_keep_alive,
    parse_links,
    parse_media_type,
    parse_retry_after,
    safe_filename,
)

from tests.cpu_time import seconds

Parser = Callable[[str], object]
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def old_disposition(value: str) -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        type_, parameters = parse_content_disposition(value)
    return type_, parameters, content_disposition_filename(parameters)


PARSERS: dict[str, tuple[Parser, tuple[str, ...]]] = {
    # Each with beginnings that lead deep into its grammar.
    "media type": (parse_media_type, ("", "a/b", 'a/b;c="', "a/b;c")),
    "disposition": (ContentDisposition.parse, ("", "a;", 'a;b="', "a;b*=", "a;b*=UTF-8''")),
    "old disposition": (old_disposition, ("", "a;", 'a;b="', "a;b*=", "a;b*0*=UTF-8''")),
    "extended value": (decode_ext_value, ("", "UTF-8''", "UTF-8'")),
    "links": (parse_links, ("", "<", "<a>", '<a>;b="', "<a>;rel=", "<a>;rel*=UTF-8''")),
    "challenges": (parse_challenges, ("", "a ", "a b=", 'a b="', "a b")),
    "tag": (ETag.parse, ("", '"', 'W/"')),
    "tags": (parse_etags, ("", '"', 'W/"', '"a"')),
    "date": (parse_http_date, ("", "Sun, ", "Sun, 06 Nov 1994 08:49:37 ", "Sun Nov ")),
    "delay": (lambda value: parse_retry_after(value, now=NOW), ("", "0", "Sun, ")),
    "keep-alive": (parse_keep_alive, ("", "timeout=", 'timeout="', "timeout")),
    "file name": (safe_filename, ("", "con", "a.")),
}
PIECES = [
    " ",
    "\t",
    ",",
    ";",
    "=",
    '"',
    "\\",
    "'",
    "*",
    "%",
    "<",
    ">",
    "a",
    "0",
    "=a",
    ";a=b",
    ";a",
    ",a",
]
PIECES += [
    '\\"',
    '"a"',
    '",',
    ' ,"',
    '"="',
    "<a>,",
    "<a>;",
    "a b,",
    "a=b,",
    "a=,",
    "%41",
    "%4",
    "\xa0",
    "\xe4",
]
PIECES += ["*0=a;", ";a*=''", '";"', "<a", ";=", "a/", "W/", 'W/"', ". ", "..", ":", "-", "\x00", "\udce4"]  # fmt: skip


@pytest.mark.parametrize("name", PARSERS)
@given(data=st.data())
def test_m13_h27_nothing_raises(name: str, data: st.DataObject) -> None:
    """M13, H27: an answer for every text, of pieces of the grammar or of anything."""
    parse, beginnings = PARSERS[name]
    beginning = data.draw(st.sampled_from(beginnings))
    text = data.draw(st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text())
    parse(beginning + text)
    parse((beginning + text) * (8192 // max(1, len(beginning + text))))


def grows(parse: Parser, value: Callable[[int], str]) -> float:
    """By how much the work grows when the input doubles, by the least of some measurements of either.

    What is too short to be measured does not grow. Another process can only make a measurement longer, so each
    round brings both nearer to what they are.
    """
    large = small = seconds(partial(parse, value(32_768)))
    for measured in range(8):
        large = min(large, seconds(partial(parse, value(32_768))))
        small = min(small, seconds(partial(parse, value(16_384))))
        if large < 0.004 or (measured >= 2 and large < 3 * small):
            break
    return 1.0 if large < 0.004 else large / small


@pytest.mark.parametrize("name", PARSERS)
def test_h27_y3_linear_time(name: str) -> None:
    """H27, Y3: twice the octets are twice the work, whatever they are."""
    parse, beginnings = PARSERS[name]
    for beginning in beginnings:
        for piece in PIECES:

            def value(size: int, beginning: str = beginning, piece: str = piece) -> str:
                # A pattern that goes wild does so when what almost matches ends in what does not.
                return beginning + size // len(piece) * piece + "\n"

            assert grows(parse, value) < 3, f"{beginning!r}, many {piece!r}"


def test_h27_the_measure_tells_work_that_is_not_linear() -> None:
    """H27: the measure itself sees what it is there to see."""
    cubic = re.compile("[ \t]*[ \t]*[ \t]*=", re.ASCII)
    assert grows(cubic.match, lambda size: size // 64 * " ") > 3


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize("piece", [";a=b", "<a>;rel=b,", "Basic,", '"a",', "=a,", ";a*0=b", "\xe4"])
def test_h27_the_answer_is_smaller_than_the_question(name: str, piece: str) -> None:
    """H27: a mebibyte of anything makes no more than thousands of values, and little to log."""
    parse, beginnings = PARSERS[name]
    answer = parse(beginnings[1] + 2**20 // len(piece) * piece)
    assert len(getattr(answer, "problems", ())) <= 32
    assert len(getattr(answer, "parameters", ())) <= 64
    assert len(getattr(answer, "elements", ())) <= 1000
    assert all(len(problem) < 500 for problem in getattr(answer, "problems", ()))
