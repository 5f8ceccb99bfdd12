"""The table of targets: what is fuzzed, with which words and from which seeds."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import final

from . import (
    cookies,
    digest,
    event_streams,
    field_values,
    messages,
    multipart_bodies,
    streams,
    websockets,
)

__all__ = ("CORPUS", "TARGETS", "Target")

CORPUS = Path(__file__).resolve().parent / "corpus"
"""A folder of seeds for each target. An input that once broke a property stays there as another seed."""


@final
@dataclass(frozen=True, slots=True)
class Target:
    """A property: `check` raises for an input that breaks it."""

    name: str
    check: Callable[[bytes], None]
    words: tuple[str, ...] = ()
    """What a mutation may put in whole."""

    def seeds(self) -> list[bytes]:
        """The seeds of the corpus, in the order of their names."""
        return [path.read_bytes() for path in sorted((CORPUS / self.name).iterdir())]


_HEAD_WORDS = (
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.0 ",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 101 ",
    "HTTP/1.1 204 ",
    "Content-Length: ",
    "Transfer-Encoding: ",
    "chunked",
    "Connection: close\r\n",
    "\r\n\r\n",
    "\n\n",
    "0\r\n\r\n",
)
_PARAMETER_WORDS = ("; ", "filename", "*=UTF-8''", "*0*=", "*1=", "%C3%A9", '"', "\\", "=", ", ")

TARGETS = {
    target.name: target
    for target in (
        Target("response", messages.response, _HEAD_WORDS),
        Target("chunked", messages.chunked, ("\r\n", "0\r\n\r\n", "1;a=b\r\n", ';a="', "A: b\r\n")),
        Target("codings", messages.codings, ("\x1f\x8b\x08", "\x78\x9c", "\x28\xb5\x2f\xfd")),
        Target("request", messages.request, ("GET", "OPTIONS", "CONNECT", "h:80", "*", "/", "|")),
        Target("stream", streams.stream, ("\n", "\r\n", "ab", "aab", "\x00\x00")),
        Target(
            "events", event_streams.events, ("data: ", "id:", "retry: 9", "event", "\r\n", "\n\n")
        ),
        Target("content-disposition", field_values.content_disposition, _PARAMETER_WORDS),
        Target("media-type", field_values.media_type, ("text/plain", *_PARAMETER_WORDS)),
        Target("challenges", field_values.challenges, ("Basic ", "Digest ", 'realm="', ", ", "==")),
        Target(
            "digest",
            digest.digest,
            ("Digest ", 'realm="', 'nonce="', "qop=auth", "algorithm=MD5", "-sess", ", ", '\\"'),
        ),
        Target("links", field_values.links, ("<", ">", "; rel=", "anchor", "title*=", ", ", '"')),
        Target("etags", field_values.etags, ("W/", '"', ", ", "*")),
        Target(
            "dates",
            field_values.dates,
            ("Mon, ", " GMT", ":", "timeout=", "max=", "-Nov-", "bytes 0-1/", "*"),
        ),
        Target(
            "set-cookie", cookies.set_cookie, ("; ", "Expires=", "Max-Age=", "Domain=", "Path=")
        ),
        Target("cookie-date", cookies.cookie_date, ("jan", "dec", ":", "1970", " GMT", "-")),
        Target(
            "cookies-txt", cookies.cookies_txt, ("\t", "TRUE", "FALSE", "#HttpOnly_", "\n", "/")
        ),
        Target(
            "multipart",
            multipart_bodies.multipart,
            ("\r\n--B", "\r\n--B--", "\r\n--B\r\n", "\r\n\r\n", "A: b\r\n", " ", "\r"),
        ),
        Target(
            "transfer-encoding",
            multipart_bodies.transfer_encoding,
            ("=\r\n", "=C3", "==", " ", "\r"),
        ),
        Target(
            "websocket-frames",
            websockets.frames,
            (
                "\x81\x80\x00\x00\x00\x00",
                "\x01\x01",
                "\x80\x00",
                "\xc1\x07",
                "\x88\x02",
                "\x82\x7e",
            ),
        ),
        Target(
            "websocket-extensions",
            websockets.extensions,
            ("permessage-deflate", "; ", "_max_window_bits=", "_no_context_takeover", ", ", '"'),
        ),
    )
}
