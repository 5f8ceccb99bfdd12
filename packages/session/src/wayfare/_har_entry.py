"""One entry of an HTTP Archive: a request, and what came of it.

The times of HAR are milliseconds; -1 stands for what there was not, or is not known.
"""

import sys
from asyncio import get_running_loop
from base64 import b64encode
from codecs import utf_8_decode
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, final

from multidict import CIMultiDict
from wayfare_http_core.aio import ContentWatcher
from yarl import URL

from ._bodies_at_hand import body_at_hand
from ._plain_content import codings_of, plain_content
from ._redaction import Redaction

if TYPE_CHECKING:
    from ._connection_info import ConnectionInfo
    from ._request import ClientRequest
    from ._response import ClientResponse

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("HAREntry",)

_NO_RESPONSE = {
    "status": 0,
    "statusText": "",
    "httpVersion": "",
    "cookies": [],
    "headers": [],
    "content": {"size": 0, "mimeType": "x-unknown"},
    "redirectURL": "",
    "headersSize": -1,
    "bodySize": -1,
}


@final
class HAREntry(ContentWatcher):
    """What is known of one exchange so far; it looks on while the response's content is read.

    `on_growth` is told how many octets more are kept, but for those of the request.
    """

    octets: int
    """How many octets are kept, roughly."""

    def __init__(
        self,
        request: "ClientRequest",
        started: datetime,
        redaction: Redaction | None,
        max_body: int,
        on_growth: Callable[[int], None],
    ) -> None:
        self._redaction = redaction
        if redaction is not None and request.settings.sensitive_headers:
            self._redaction = redaction.with_names(request.settings.sensitive_headers)
        self._max_body = max_body
        self._started = started
        self._request = self._request_of(request)
        self._on_growth: Callable[[int], None] | None = on_growth
        self.octets = _size(self._request)
        self._response: dict[str, Any] | None = None
        self._media_type = ""
        self._error: str | None = None
        self._information: ConnectionInfo | None = None
        self._to_head = 0.0
        self._head_at = 0.0
        self._receive = 0.0
        self._content = bytearray()
        self._size = 0
        self._raw_size = -1
        self._stream: Any = None

    def drop(self) -> None:
        """It is not wanted any more: whatever comes is not kept."""
        self._on_growth = None
        self._content.clear()

    def _grow(self, octets: int) -> None:
        if self._on_growth is not None:
            self.octets += octets
            self._on_growth(octets)

    # -- what happens -------------------------------------------------------------------------------------------------

    def fail(self, error: BaseException, seconds: float) -> None:
        """There is no response."""
        self._to_head = seconds
        self._error = self._shown(f"{type(error).__name__}: {error}")
        self._grow(len(self._error))

    def answer(self, response: "ClientResponse", seconds: float) -> None:
        """The head is there, after so many seconds; the content is looked at as it is read."""
        self._to_head = seconds
        self._head_at = get_running_loop().time()
        self._information = response.connection_info
        self._media_type = response.headers.get("Content-Type", "")
        self._response = {
            "status": response.status,
            "statusText": response.reason,
            "httpVersion": str(response.version),
            "cookies": self._named((cookie.name, cookie.value) for cookie in response.cookies.all),
            "headers": self._fields(response.headers.items()),
            "redirectURL": self._shown(response.headers.get("Location", "")),
            "headersSize": -1,
        }
        self._grow(_size(self._response))
        self._stream = response.content
        response.content.watch(self)

    @override
    async def content_arrived(self, piece: bytes) -> None:
        """See `ContentWatcher`."""
        self._size += len(piece)
        room = self._max_body - len(self._content)
        if room and self._on_growth is not None:
            self._content += piece[:room]
            self._grow(min(len(piece), room))
        self._note()

    @override
    async def content_ended(self, exception: Exception | None) -> None:
        """See `ContentWatcher`."""
        if exception is not None:
            self._error = self._shown(f"{type(exception).__name__}: {exception}")
        self._note()
        self._stream = None

    def _note(self) -> None:
        self._receive = get_running_loop().time() - self._head_at
        self._raw_size = self._stream.total_raw_bytes

    # -- what is told -------------------------------------------------------------------------------------------------

    def as_json(self) -> dict[str, Any]:
        """The entry as HAR has it."""
        timings = self._timings()
        response = _NO_RESPONSE
        if self._response is not None:
            response = {
                **self._response,
                "content": self._content_json(),
                "bodySize": self._raw_size,
            }
        entry = {
            "startedDateTime": self._started.isoformat(timespec="milliseconds"),
            # ssl is part of connect.
            "time": sum(ms for name, ms in timings.items() if ms > 0 and name != "ssl"),
            "request": self._request,
            "response": response,
            "cache": {},
            "timings": timings,
        }
        information = self._information
        if information is not None and isinstance(information.peername, tuple):
            entry["serverIPAddress"] = str(information.peername[0])
        if information is not None and isinstance(information.sockname, tuple):
            entry["connection"] = str(information.sockname[1])
        if self._error is not None:
            entry["_error"] = self._error
        return entry

    def _timings(self) -> dict[str, float]:
        information = self._information
        made = None if information is None or information.reused else information.timings
        queued = dns = dial = tls = tunnel = None
        if made is not None:
            queued, dns, dial, tunnel, tls = made[:5]
        connect = None
        if dial is not None:
            connect = dial + (tunnel or 0.0) + (tls or 0.0)
        before = sum(seconds for seconds in (queued, dns, connect) if seconds is not None)
        return {
            "blocked": _milliseconds(queued),
            "dns": _milliseconds(dns),
            "connect": _milliseconds(connect),
            "ssl": _milliseconds(tls),
            # How much of the waiting was sending, nobody measured.
            "send": 0.0,
            "wait": _milliseconds(max(0.0, self._to_head - before)),
            "receive": _milliseconds(self._receive),
        }

    def _content_json(self) -> dict[str, Any]:
        content: dict[str, Any] = {"size": self._size, "mimeType": self._media_type or "x-unknown"}
        if self._raw_size >= 0 and self._raw_size != self._size:
            content["compression"] = self._size - self._raw_size
        if self._content:
            cut = len(self._content) < self._size
            content |= self._text(bytes(self._content), self._media_type, cut=cut)
            if cut:
                content["comment"] = f"the first {len(self._content)} octets"
        return content

    def _request_of(self, request: "ClientRequest") -> dict[str, Any]:
        url = URL(self._shown(str(request.url)), encoded=True)
        found: dict[str, Any] = {
            "method": request.method,
            "url": str(url),
            "httpVersion": str(request.version),
            "cookies": self._named(_cookies(request.headers)),
            "headers": self._fields(request.headers.items()),
            "queryString": [{"name": name, "value": value} for name, value in url.query.items()],
            "headersSize": -1,
            "bodySize": -1 if request.length is None else request.length,
        }
        if request.body is not None:
            found["postData"] = self._post_data(request)
        return found

    def _post_data(self, request: "ClientRequest") -> dict[str, Any]:
        media_type = request.headers.get("Content-Type", "")
        octets = body_at_hand(request.body, self._max_body)
        if octets and self._redaction is not None:
            # Nobody sees what is secret in coded content, but anybody can undo the coding.
            codings = codings_of(request.headers.items())
            octets = plain_content(octets, codings, self._max_body + 1)
        if octets is None:
            return {"mimeType": media_type, "text": "", "comment": "the content was not kept"}
        return {"mimeType": media_type, **self._text(octets, media_type)}

    def _text(self, octets: bytes, media_type: str, *, cut: bool = False) -> dict[str, str]:
        if self._redaction is not None:
            octets = self._redaction.octets(media_type, octets)
        try:
            # The cut may have gone through a character, whose beginning is left out.
            return {"text": utf_8_decode(octets, "strict", not cut)[0]}
        except UnicodeDecodeError:
            return {"text": b64encode(octets).decode("ascii"), "encoding": "base64"}

    def _fields(self, fields: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
        pairs = list(fields) if self._redaction is None else self._redaction.fields(fields)
        return [{"name": name, "value": value} for name, value in pairs]

    def _named(self, cookies: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
        """Cookies: by their kind all of them are secrets."""
        mark = "" if self._redaction is None else self._redaction.mark
        hidden = self._redaction is not None and self._redaction.is_secret("cookie")
        return [{"name": name, "value": mark if hidden else value} for name, value in cookies]

    def _shown(self, text: str) -> str:
        return text if self._redaction is None else self._redaction.text(text)


def _size(found: object) -> int:
    """The characters of all texts in it, names included: what is kept is more, but not many times as much."""
    if isinstance(found, str):
        return len(found)
    if isinstance(found, dict):
        return sum(len(name) + _size(value) for name, value in found.items())
    return sum(map(_size, found)) if isinstance(found, list) else 0


def _cookies(headers: "CIMultiDict[str]") -> list[tuple[str, str]]:
    pairs = [pair for field in headers.getall("Cookie", []) for pair in field.split(";")]
    split = [pair.strip().partition("=") for pair in pairs]
    return [(name, value) for name, _, value in split]


def _milliseconds(seconds: float | None) -> float:
    return -1.0 if seconds is None else round(seconds * 1000, 3)
