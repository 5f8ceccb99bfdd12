"""Content-Range: which part of the whole a response carries."""

import pytest
from wayfare_http_core import ContentRange


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("bytes 0-0/1", ContentRange(0, 0, 1)),
        ("bytes 42-1233/1234", ContentRange(42, 1233, 1234)),
        ("bytes 42-1233/*", ContentRange(42, 1233, None)),
        ("bytes */1234", ContentRange(None, None, 1234)),
        ("bytes */0", ContentRange(None, None, 0)),
        (" \tBytes \t007-0008/10 ", ContentRange(7, 8, 10)),
        (f"bytes 0-{10**18 - 2}/{10**18 - 1}", ContentRange(0, 10**18 - 2, 10**18 - 1)),
    ],
)
def test_a_range(value: str, found: ContentRange) -> None:
    assert ContentRange.parse(value) == found
    assert ContentRange.parse(str(found)) == found


@pytest.mark.parametrize(
    "value",
    [
        "",
        "bytes",
        "bytes 0-0",
        "bytes 1-0/2",
        "bytes 0-1/1",
        "bytes 0-1/0",
        "bytes */*",
        "bytes 0-*/1",
        "bytes -1/2",
        "bytes 0-/2",
        "bytes=0-0/1",
        "bytes0-0/1",
        "bytes 0 - 0/1",
        "bytes 0-0/ 1",
        "bytes +0-0/1",
        "bytes 0_0-0/1",
        "bytes \u0660-\u0660/1",
        "bytes 0-0/1, bytes 0-0/1",
        "bytes 0-0/1\n",
        "items 0-0/1",
        f"bytes 0-{10**18}/*",
        "bytes 0-" + "9" * 5000 + "/*",
    ],
)
def test_no_range(value: str) -> None:
    """Y1, Y3: digits are ASCII, and few."""
    assert ContentRange.parse(value) is None


def test_how_long_it_is() -> None:
    assert ContentRange(42, 1233, None).length == 1192
    assert ContentRange(None, None, 7).length == 0
