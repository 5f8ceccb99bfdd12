"""The recorders of `.testing` note what they are told."""

import pytest
from wayfare_http_core.testing import (
    RecordingFlow,
    RecordingProtocol,
    decoder_of,
    memory_pair,
    stream_of,
    ticks,
)


async def test_a_protocol_notes_its_events() -> None:
    a, b = RecordingProtocol(), RecordingProtocol(keep_open=True)
    with pytest.raises(RuntimeError, match="never connected"):
        _ = a.transport
    memory_pair(a, b)
    await ticks(2)
    a.transport.write(b"one")
    await ticks(2)
    a.transport.write(b"two")
    a.transport.close()
    await ticks()
    assert b.events == ["made", b"one", b"two", "eof"]
    assert b.pieces == [b"one", b"two"]
    assert b.data == b"onetwo"
    assert b.ended.is_set()
    assert not b.lost.done()
    b.transport.abort()
    assert await b.lost is None
    assert a.events == ["made", ("lost", type(None))]


async def test_a_stream_of_pieces_asks_its_flow() -> None:
    flow = RecordingFlow()
    stream = stream_of(b"x" * 600_000, b"y", eof=False, flow=flow)
    await stream.readexactly(600_000)
    assert flow.asked == ["pause", "resume"]
    flow.abort()
    flow.distrust()
    assert flow.asked[2:] == ["abort", "distrust"]
    assert await stream_of(b"a", b"b").read() == b"ab"


def test_a_decoder_is_one_or_an_error() -> None:
    assert not decoder_of("gzip").has_pending
    for codings in ((), ("yolo",), ("gzip", "yolo")):
        with pytest.raises(LookupError, match="nothing undoes"):
            decoder_of(*codings)
