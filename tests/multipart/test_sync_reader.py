"""`SyncMultipartReader`: the same bodies without an event loop."""

import io
from typing import Any

import pytest
from wayfare_multipart import (
    BodyTruncatedError,
    SyncBodyPartReader,
    SyncMultipartReader,
)

from tests.multipart.bodies import FORM, MIXED, body, part


@pytest.mark.parametrize("as_file", [True, False])
def test_reading_without_an_event_loop(as_file: bool) -> None:
    octets = body(
        part(
            b'{"a": 1}',
            'Content-Disposition: form-data; name="a"; filename="b"',
            "Content-Type: application/json; charset=utf-8",
        ),
        part(b"one\ntwo\nthree\nfour"),
        part(b"--C\r\n\r\ninner\r\n--C--", "Content-Type: multipart/mixed; boundary=C"),
        part(b"a=1"),
        part("é".encode()),
        part(b"passed over"),
    )
    source: Any = (
        io.BytesIO(octets) if as_file else [octets[at : at + 5] for at in range(0, len(octets), 5)]
    )
    parts = SyncMultipartReader(MIXED, source)
    assert parts.headers is MIXED
    first = next(parts)
    assert isinstance(first, SyncBodyPartReader)
    assert (first.name, first.filename, first.get_charset("x")) == ("a", "b", "utf-8")
    assert first.disposition.type == "form-data"
    assert first.headers["Content-Type"].startswith("application/json")
    assert repr(first) == "<SyncBodyPartReader 'a'>"
    assert first.json() == {"a": 1}
    assert first.at_eof()
    second = next(parts)
    assert isinstance(second, SyncBodyPartReader)
    assert second.readline() == b"one\n"
    assert second.read_chunk(2)
    second.release()
    nested = next(parts)
    assert isinstance(nested, SyncMultipartReader)
    assert [each.read() for each in nested if isinstance(each, SyncBodyPartReader)] == [b"inner"]
    fourth = parts.next()
    assert isinstance(fourth, SyncBodyPartReader)
    assert fourth.form() == [("a", "1")]
    fifth = parts.next()
    assert isinstance(fifth, SyncBodyPartReader)
    assert fifth.text() == "é"
    parts.release()
    assert parts.at_eof()
    assert parts.next() is None
    assert list(parts) == []
    whole = SyncMultipartReader(FORM, io.BytesIO(body(part(b"x"))), client_max_size=0).next()
    assert isinstance(whole, SyncBodyPartReader)
    with pytest.raises(ValueError, match="0"):
        whole.read()
    assert b"".join(whole) == b"x"


def test_errors_without_an_event_loop() -> None:
    with pytest.raises(BodyTruncatedError):
        list(SyncMultipartReader(MIXED, [b"--B\r\n\r\nx"]))
