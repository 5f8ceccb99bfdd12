"""Recorded exchanges, and the file that keeps them: one JSON document, to be read and changed by people, too.

    {"cassette": 1, "exchanges": [{"request": {…}, "response": {…}}, …]}

Content is text where it is text, base64 otherwise. What a server had coded is kept decoded, and coded again when it is
replayed. Fields of one connection, and of framing, are not kept: they are made anew.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from multidict import CIMultiDict, CIMultiDictProxy
from wayfare_http_core import make_encoder
from yarl import URL

from wayfare._plain_content import codings_of, plain_content
from wayfare._redaction import Redaction
from wayfare._whole_file import write_whole

from ._calls import MockCall

__all__ = (
    "RecordedResponse",
    "Recording",
    "read_cassette",
    "record",
    "redacted_call",
    "without_framing",
    "write_cassette",
)

_VERSION = 1
_MOST = 16 * 1024 * 1024
"""Octets of decoded content from which on it is kept as it came: it is not for reading."""
_OF_THE_CONNECTION = frozenset(
    ("connection", "content-length", "keep-alive", "proxy-connection", "transfer-encoding")
)


class RecordedResponse(NamedTuple):
    """A response as it is replayed: its content has the codings that its fields name."""

    status: int
    reason: str
    fields: tuple[tuple[str, str], ...]
    body: bytes
    trailers: tuple[tuple[str, str], ...] = ()


class Recording(NamedTuple):
    """One exchange, without secrets."""

    request: MockCall
    response: RecordedResponse


def redacted_call(call: MockCall, redaction: Redaction) -> MockCall:
    """A request as it is kept, and compared."""
    fields = without_framing(redaction.fields(call.headers.items()))
    media_type = call.headers.get("Content-Type", "")
    body, codings = call.body, codings_of(call.headers.items())
    plain = plain_content(body, codings, _MOST)
    if plain is not None:
        shown = redaction.octets(media_type, plain)
        # What has no secret stays as it was coded.
        body = body if shown == plain else _encoded(shown, codings)
    return MockCall(
        call.method,
        URL(redaction.text(call.url), encoded=True),
        CIMultiDictProxy(CIMultiDict(fields)),
        body,
    )


def record(call: MockCall, response: RecordedResponse, redaction: Redaction) -> Recording:
    """An exchange as it is kept."""
    codings = codings_of(response.fields)
    plain = plain_content(response.body, codings, _MOST)
    fields = without_framing(redaction.fields(response.fields), call.method)
    body = response.body
    if plain is not None:
        media_type = CIMultiDict(response.fields).get("Content-Type", "")
        body = _encoded(redaction.octets(media_type, plain), codings)
    trailers = tuple(redaction.fields(response.trailers))
    kept = response._replace(fields=tuple(fields), body=body, trailers=trailers)
    return Recording(redacted_call(call, redaction), kept)


def write_cassette(path: Path, recordings: Iterable[Recording]) -> None:
    """Replace the file, whole or not at all; it blocks. Raises: OSError."""
    exchanges = [
        {"request": _request_json(request), "response": _response_json(response)}
        for request, response in recordings
    ]
    document = {"cassette": _VERSION, "exchanges": exchanges}
    write_whole(path, json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def read_cassette(path: Path) -> list[Recording]:
    """The exchanges in a file; it blocks.

    Raises: OSError where it cannot be read, ValueError, which names it, for what is no cassette.
    """
    text = path.read_text(encoding="utf-8")
    try:
        document = json.loads(text)
        if document["cassette"] != _VERSION:
            raise ValueError(f"version {document['cassette']!r} is not known here")
        return [_recording(exchange) for exchange in document["exchanges"]]
    except (ValueError, KeyError, TypeError) as exc:
        raise ValueError(f"{path} is no cassette: {type(exc).__name__}: {exc}") from exc


def _request_json(call: MockCall) -> dict[str, Any]:
    return {
        "method": call.method,
        "url": str(call.url),
        "headers": [list(pair) for pair in call.headers.items()],
        **_content_json(call.body),
    }


def _response_json(response: RecordedResponse) -> dict[str, Any]:
    plain = plain_content(response.body, codings_of(response.fields), _MOST)
    found: dict[str, Any] = {
        "status": response.status,
        "reason": response.reason,
        "headers": [list(pair) for pair in response.fields],
    }
    if plain is None:
        return {**found, "coded": True, **_content_json(response.body)}
    trailers = [list(pair) for pair in response.trailers]
    return {**found, **({"trailers": trailers} if trailers else {}), **_content_json(plain)}


def _content_json(octets: bytes) -> dict[str, str]:
    if not octets:
        return {}
    try:
        return {"text": octets.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": b64encode(octets).decode("ascii")}


def _recording(exchange: dict[str, Any]) -> Recording:
    asked, answered = exchange["request"], exchange["response"]
    headers = CIMultiDictProxy(CIMultiDict(_pairs(asked["headers"])))
    url = URL(asked["url"], encoded=True)
    call = MockCall(asked["method"], url, headers, _content(asked))
    fields = _pairs(answered["headers"])
    body = _content(answered)
    if not answered.get("coded", False):
        body = _encoded(body, codings_of(fields))
    trailers = _pairs(answered.get("trailers", ()))
    return Recording(
        call, RecordedResponse(answered["status"], answered["reason"], fields, body, trailers)
    )


def _content(message: dict[str, Any]) -> bytes:
    if "base64" in message:
        return b64decode(message["base64"], validate=True)
    text: str = message.get("text", "")
    return text.encode("utf-8")


def _pairs(fields: Iterable[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in fields)


def without_framing(fields: Iterable[tuple[str, str]], method: str = "") -> list[tuple[str, str]]:
    """The fields that are not made anew; to HEAD, a Content-Length is an answer."""
    dropped = _OF_THE_CONNECTION - {"content-length"} if method == "HEAD" else _OF_THE_CONNECTION
    return [pair for pair in fields if pair[0].lower() not in dropped]


def _encoded(octets: bytes, codings: list[str]) -> bytes:
    if not octets or not codings:
        return octets
    encoder = make_encoder(codings)
    return encoder.encode(octets) + encoder.flush()
