"""Answers that no client may take for a response: malformed, cut off, contradictory, endless, or never complete."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from ._actions import Action, Drip, Fin, Flood, Garbage, Reset, Send, Stall
from ._replies import Reply

__all__ = ("HOSTILE_ANSWERS", "HostileAnswer")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class HostileAnswer:
    """What a hostile or broken server does instead of answering; play it as the answer of a `Serve`.

    A client must end the request with an error of its own, soon and in bounded memory, and not use the connection
    again. Nothing of the content's rest may be made up, and nothing of it may pass for complete.
    """

    name: str
    actions: tuple[Action, ...]
    with_head: bool = False
    """Whether a sound head comes first: then the error may come from reading the content."""
    never_ends: bool = False
    """Whether nothing but a timeout of the client ends it."""


_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"
_ZIPPED = Reply(b"The quick brown fox jumps over the lazy dog." * 9, coding="gzip").encode()

_MALFORMED = {
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "a TLS alert": b"\x15\x03\x01\x00\x02\x02\x46",
    "HTTP/2 settings": b"\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    "another version": b"HTTP/2.0 200 OK\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "a status with a sign": b"HTTP/1.1 +20 OK\r\n\r\n",
    "a reason with NUL": b"HTTP/1.1 200 O\x00K\r\n\r\n",
    "a field without a colon": _OK + b"nothing\r\n\r\n",
    "a field without a name": _OK + b": value\r\n\r\n",
    "a space before the colon": _OK + b"Content-Length : 0\r\n\r\n",
    "a line break in a value": _OK + b"A: b\rSet-Cookie: c=d\r\n\r\n",
    "a control character in a value": _OK + b"A: \x01\r\n\r\n",
    "a fold of nothing": _OK + b" folded\r\n\r\n",
    "an upgrade that nobody wanted": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    "two lengths": _OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "a negative length": _OK + b"Content-Length: -1\r\n\r\n",
    "a length with a sign": _OK + b"Content-Length: +5\r\n\r\nhello",
    "an enormous length": _OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
    "chunks in chunks": _OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "an unknown transfer coding": _OK + b"Transfer-Encoding: yolo\r\n\r\n",
    "a transfer coding in 1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}
_BROKEN_CONTENT = {
    "a chunk size that is none": _CHUNKED + b"5\r\nhello\r\nxyz\r\n",
    "a chunk size in another base": _CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n",
    "an enormous chunk": _CHUNKED + b"f" * 17 + b"\r\nhello",
    "a chunk that is too long": _CHUNKED + b"5\r\nhello!\r\n0\r\n\r\n",
    "a chunk line with LF alone": _CHUNKED + b"5\nhello\r\n0\r\n\r\n",
    "a trailer without a colon": _CHUNKED + b"0\r\nnothing\r\n\r\n",
}
_CUT = {
    "no answer": b"",
    "half a status line": b"HTTP/1.1 2",
    "half a head": _OK + b"Content-Length: 5\r\nA:",
}
_CUT_CONTENT = {
    "no content": _OK + b"Content-Length: 5\r\n\r\n",
    "half the content": _OK + b"Content-Length: 5\r\n\r\nhe",
    "half a chunk": _CHUNKED + b"5\r\nhe",
    "no last chunk": _CHUNKED + b"5\r\nhello\r\n",
    "no end of the trailers": _CHUNKED + b"0\r\nA: b\r\n",
}
_ENDLESS = {
    "a status line": (b"HTTP/1.1 200 ", b"a" * 4096),
    "a field": (_OK + b"A: ", b"a" * 4096),
    "fields": (_OK, b"A: b\r\n" * 512),
    "folds": (_OK + b"A: b\r\n", b" c\r\n" * 512),
    "empty lines": (b"", b"\r\n" * 512),
    "informational responses": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 64),
}
_ENDLESS_CONTENT = {
    "a chunk line": (_CHUNKED, b"1;" + b"a" * 4096),
    "zeros of a size": (_CHUNKED, b"0" * 4096),
    "chunk extensions": (_CHUNKED, b"1;a=" + b"b" * 512 + b"\r\nx\r\n"),
    "trailers": (_CHUNKED + b"0\r\n", b"A: b\r\n" * 512),
}


def _answers() -> Iterator[HostileAnswer]:
    for name, data in _MALFORMED.items():
        yield HostileAnswer(name=name, actions=(Send(data), Stall()))
    yield HostileAnswer(name="garbage", actions=(Garbage(1, 64 * 1024), Stall()))
    for name, data in _BROKEN_CONTENT.items():
        yield HostileAnswer(name=name, actions=(Send(data), Stall()), with_head=True)
    broken = _ZIPPED[:-12] + bytes([_ZIPPED[-12] ^ 0xFF]) + _ZIPPED[-11:]
    for name, data in {
        "a broken coding": broken,
        "a wrong checksum": _ZIPPED[:-1] + b"\xff",
    }.items():
        yield HostileAnswer(name=name, actions=(Send(data), Stall()), with_head=True)
    cuts = [(name, data, False) for name, data in _CUT.items()]
    cuts += [(name, data, True) for name, data in _CUT_CONTENT.items()]
    for name, data, with_head in cuts:
        yield HostileAnswer(
            name=f"{name}, then FIN", actions=(Send(data), Fin()), with_head=with_head
        )
        yield HostileAnswer(
            name=f"{name}, then RST", actions=(Send(data), Reset()), with_head=with_head
        )
        yield HostileAnswer(
            name=f"{name}, then silence",
            actions=(Send(data), Stall()),
            with_head=with_head,
            never_ends=True,
        )
    for with_head, endless in ((False, _ENDLESS), (True, _ENDLESS_CONTENT)):
        for name, (data, piece) in endless.items():
            yield HostileAnswer(
                name=f"{name} without end", actions=(Send(data), Flood(piece)), with_head=with_head
            )
    yield HostileAnswer(
        name="a head that drips",
        actions=(Drip(_OK + b"A: b\r\n" * 100, seconds=5.0), Stall()),
        never_ends=True,
    )


HOSTILE_ANSWERS = tuple(_answers())
"""What a hostile or broken server may say; no client may hang over it, or raise anything unforeseen."""
