"""Responses by a grammar, sound and mutated, through the parser and through a whole connection (H26, F8)."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core import (
    BadHttpMessage,
    ClientError,
    EndOfMessage,
    ResponseEvent,
    ResponseHead,
    ResponseParser,
)
from wayfare_http_core.aio import HTTP1Connection

from fuzz import mutated_responses
from fuzz.generated_responses import GeneratedResponse, ResponseGenerator
from fuzz.mutated_responses import MutationError


def read(response: GeneratedResponse, pieces: list[bytes]) -> tuple[object, ...]:
    """What the parser makes of it: what must not depend on the pieces."""
    parser = ResponseParser()
    parser.begin(response.method)
    events: list[ResponseEvent] = [event for piece in pieces for event in parser.feed(piece)]
    reusable = parser.reusable
    events += parser.feed_eof()
    heads = [
        (head.version, head.status, head.reason, head.raw_headers)
        for head in events
        if isinstance(head, ResponseHead)
    ]
    content = b"".join([event for event in events if isinstance(event, bytes)])
    last = events[-1] if events else None
    ending = tuple(last.trailers.items()) if isinstance(last, EndOfMessage) else type(last)
    return heads, content, ending, reusable


@given(st.integers(0, 2**64))
def test_sound_responses_are_taken(seed: int) -> None:
    """H1 to H26, B1 to B24: what the grammar allows is complete, whatever it looks like."""
    response = ResponseGenerator(seed).sound()
    heads, _, ending, _ = read(response, [response.data])
    assert heads
    assert isinstance(ending, tuple)


@given(st.integers(0, 2**64), st.booleans())
def test_h26_no_cut_changes_the_verdict(seed: int, mutated: bool) -> None:
    """H26: whole, in random pieces, and octet by octet."""
    generator = ResponseGenerator(seed)
    response = generator.mutated() if mutated else generator.sound()
    whole = read(response, [response.data])
    data = response.data
    for pieces in (
        generator.cuts(data),
        generator.cuts(data),
        [data[i : i + 1] for i in range(len(data))],
    ):
        assert read(response, pieces) == whole


def test_f8_mutated_responses_do_no_damage() -> None:
    """F8: a response or an error of the tree, within 50 ms, and nothing left behind. CI plays five times as many."""
    results = mutated_responses.run(20_000, seed=1)
    assert results.total() == 20_000
    assert results["200"] > 500
    # All the ways to fail are there, so the mutations reach what they are meant to reach.
    assert {
        "BadStatusLine",
        "ContentEncodingError",
        "ContentLengthError",
        "IncompleteBodyError",
        "InvalidHeader",
        "ServerDisconnectedError",
        "TransferEncodingError",
        "UnsupportedVersionError",
    } <= set(results)


@pytest.mark.parametrize("error", [BadHttpMessage("bad"), KeyError("untyped")], ids=repr)
def test_damage_is_found(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """The harness itself: an error of the tree counts, any other is reported with its response."""

    async def exchange(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(HTTP1Connection, "exchange", exchange)
    if isinstance(error, ClientError):
        assert mutated_responses.run(3, seed=0) == Counter(BadHttpMessage=3)
    else:
        with pytest.raises(MutationError, match="KeyError: 'untyped'") as caught:
            mutated_responses.run(3, seed=0)
        assert isinstance(caught.value.response, GeneratedResponse)
