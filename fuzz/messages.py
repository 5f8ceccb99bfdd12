"""Targets: whole responses, chunks, content codings, and requests on their way out."""

from collections.abc import Iterable

from wayfare_http_core import (
    ChunkedDecoder,
    ClientError,
    ContentEncodingError,
    Decoder,
    EndOfMessage,
    FieldBlock,
    RequestHead,
    ResponseHead,
    ResponseParser,
    UnsupportedCodings,
    encode_request_head,
    make_decoder,
)
from wayfare_http_core.testing import RequestEnd, RequestScanner

from .properties import cuts, text

__all__ = ("chunked", "codings", "request", "response")

_METHODS = ("GET", "HEAD", "CONNECT", "POST")
_SMALL = 64 * 1024
"""Decoded octets after which a body is read no further."""


def response(data: bytes) -> None:
    """H26: no cut changes what a parser makes of a response; nothing but errors of the tree comes out of it."""
    if len(data) < 3:
        return
    wire = data[3:]
    whole = _read_response(data[0], [wire])
    assert _read_response(data[0], cuts(data[1], data[2], wire)) == whole
    assert _read_response(data[0], [wire[i : i + 1] for i in range(len(wire))]) == whole


def _read_response(choice: int, pieces: Iterable[bytes]) -> tuple[object, ...]:
    parser = ResponseParser()
    parser.begin(_METHODS[choice & 3])
    if choice & 4:
        parser.offer_upgrade()
    events = [event for piece in pieces for event in parser.feed(piece)]
    reusable = parser.reusable
    if choice & 8:
        events += parser.feed_eof()
    heads = []
    content = b""
    ending: object = None
    for event in events:
        assert ending is None, "nothing follows the end or an error"
        if isinstance(event, ResponseHead):
            assert 100 <= event.status <= 999
            pairs = tuple(event.headers.items())
            heads.append((event.version, event.status, event.reason, pairs, event.raw_headers))
        elif isinstance(event, bytes):
            content += event
        elif isinstance(event, EndOfMessage):
            ending = tuple(event.trailers.items())
        else:
            assert isinstance(event, ClientError)
            assert len(str(event)) < 1000
            ending = type(event)
    unused = parser.take_unused() if parser.tunnelling else None
    return heads, content, ending, reusable, unused


def chunked(data: bytes) -> None:
    """B16 to B25: no cut changes the content, and what a strict reader takes is read as that reader has it."""
    if len(data) < 2:
        return
    wire = data[2:]
    whole = _read_chunks([wire])
    assert _read_chunks(cuts(data[0], data[1], wire)) == whole
    assert _read_chunks([wire[i : i + 1] for i in range(len(wire))]) == whole
    strict = RequestScanner()
    strict.feed(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + wire)
    content = b""
    try:
        while not isinstance(event := strict.maybe_event(), RequestEnd):
            if event is None:
                return
            content += event if isinstance(event, bytes) else b""
    except ValueError:
        return
    assert whole[:3] == (content, None, bytes(strict.unread))


def _read_chunks(pieces: Iterable[bytes]) -> tuple[object, ...]:
    decoder = ChunkedDecoder()
    content = unused = b""
    for piece in pieces:
        if decoder.done:
            unused += piece
        elif decoder.error is None:
            content += decoder.decode(piece)
            unused += decoder.unused
    error = None if decoder.error is None else type(decoder.error)
    if error is None and not decoder.done:
        return content, "more"
    return content, error, unused, tuple(decoder.trailers.items())


_CODINGS = (
    ("gzip",),
    ("deflate",),
    ("br",),
    ("zstd",),
    ("gzip", "gzip"),
    ("deflate", "gzip"),
    ("identity", "gzip"),
)


def codings(data: bytes) -> None:
    """Z1 to Z14: no cut changes the content, no step gives more than was asked for, and corrupt data is one error."""
    if len(data) < 4:
        return
    chosen = _CODINGS[data[0] % len(_CODINGS)]
    step = data[1] + 1
    wire = data[4:]
    whole, ending = _decode(chosen, [wire], 16 * 1024)
    for pieces in (cuts(data[2], data[3], wire), [wire[i : i + 1] for i in range(len(wire))]):
        again, other_ending = _decode(chosen, pieces, step)
        if ending == other_ending == "end":
            assert again == whole
        else:
            assert again.startswith(whole) or whole.startswith(again)
            assert "end" not in (ending, other_ending), "a cut changes the verdict"


def _decode(chosen: tuple[str, ...], pieces: Iterable[bytes], step: int) -> tuple[bytes, str]:
    content = b""
    try:
        decoder = make_decoder(chosen)
        if decoder is None or isinstance(decoder, UnsupportedCodings):
            return b"", "other"
        for piece in pieces:
            for some in _steps(decoder, piece, step):
                content += some
                if len(content) > _SMALL:
                    return content, "large"
        decoder.finish()
    except ContentEncodingError:
        return content, "error"
    return content, "end"


def _steps(decoder: Decoder, piece: bytes, step: int) -> Iterable[bytes]:
    while True:
        some = decoder.decode(piece, step)
        assert len(some) <= step
        yield some
        if not decoder.has_pending:
            return
        piece = b""


_OPTIONS = {"expect", "host", "te", "transfer-encoding", "upgrade"}
"""Fields that a caller may well give and that promise something of the rest of the request."""


def request(data: bytes) -> None:
    """R1 to R14: a request is refused, or it is read back as the one request that was meant."""
    parts = [text(part) for part in data.split(b"|")]
    if len(parts) < 3:
        return
    method, authority, path, *rest = parts
    fields = list(zip(rest[::2], rest[1::2], strict=False))
    length = (None, -1, 0, 3)[len(data) % 4]
    if any(name.lower() in _OPTIONS for name, _ in fields) or method in ("CONNECT", "TRACE"):
        length = -1
        fields = [(name, value) for name, value in fields if name.lower() not in _OPTIONS]
    try:
        head = RequestHead(method, "http", authority, path, FieldBlock(fields))
        encoded = encode_request_head(head, length, absolute=len(data) % 3 == 0)
    except ValueError:
        return
    body = b"3\r\nabc\r\n0\r\n\r\n" if encoded.chunked else b"abc"[: encoded.length]
    scanner = RequestScanner()
    scanner.feed(encoded.octets + body)
    found = scanner.maybe_request()
    scanner.feed_eof()
    assert found is not None
    assert found.method == method
    assert found.body == (b"abc" if encoded.chunked or encoded.length else b"")
    sent = [(name, value.strip(" \t")) for name, value in fields]
    received = [(name, text(value.encode("latin-1"))) for name, value in found.fields]
    assert received[0] == ("Host", authority)
    assert received[1 : len(sent) + 1] == sent
    assert {name for name, _ in received[len(sent) + 1 :]} <= {
        "Content-Length",
        "Transfer-Encoding",
    }
