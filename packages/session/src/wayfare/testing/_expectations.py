"""What a mock expects: which requests, how many of them, and what each gets. No I/O."""

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypedDict, final
from urllib.parse import parse_qsl

from yarl import URL

from wayfare._redirects import same_origin
from wayfare._urls import Params, with_params

from ._calls import (
    MockCall,
    MockReply,
    MockUpgrade,
    MockWebSocket,
    ReplyBody,
    ReplyFunction,
    ReplyOptions,
)

if TYPE_CHECKING:
    from wayfare_websocket import DeflateParameters
    from wayfare_websocket.aio import ClientWebSocketResponse

if sys.version_info >= (3, 12):
    from typing import Unpack, override
else:
    from typing_extensions import Unpack, override

__all__ = ("Criteria", "Expectation", "URLPattern")

URLPattern: TypeAlias = "str | URL | re.Pattern[str] | Callable[[URL], bool]"
"""An absolute URL, or a path alone for any host; a pattern that is searched for in the URL; or a function that says."""

Raised: TypeAlias = "Exception | type[Exception]"
_Answer: TypeAlias = (
    "MockReply | MockUpgrade | MockWebSocket | ReplyFunction | Exception | type[Exception]"
)
_USUAL: Final = MockReply()


class Criteria(TypedDict, total=False):
    """What a request must be like. What is not said, does not matter."""

    query: Params
    """Its parameters, all of them, in any order, the way `params=` takes them."""
    headers: "Mapping[str, str | re.Pattern[str] | None]"
    """Fields with their values, or with patterns that they match whole; None for fields that must not be there."""
    body: "bytes | str | re.Pattern[str] | Callable[[bytes], bool]"
    """Its content: exactly that, a pattern that is searched for in its text, or a function that says."""
    json: Any
    """Its content as JSON."""
    form: Mapping[str, str]
    """Its content as an urlencoded form."""


@final
class Expectation:
    """Requests that a mock expects, and their replies in turn.

    Without a reply, a request gets an empty 200. Each of `reply`, `call`, `upgrade`, `websocket` and `fail` adds a
    reply for one request; `times` and `always` are about the one that was added last.
    """

    def __init__(self, method: str, url: URLPattern, criteria: Criteria) -> None:
        unknown = criteria.keys() - Criteria.__annotations__.keys()
        if unknown:
            raise TypeError(f"unknown criteria: {', '.join(sorted(unknown))}")
        self._method = method.upper()
        self._url = _parsed(url)
        self._criteria = criteria
        self._answers: list[tuple[_Answer, int | None]] = []
        self._optional = False
        self.calls: list[MockCall] = []
        """The requests that this one answered, in order."""

    # -- what to do ---------------------------------------------------------------------------------------------------

    def reply(
        self, status: int = 200, body: ReplyBody = b"", **more: Unpack[ReplyOptions]
    ) -> "Expectation":
        """Answer with a `MockReply` of these arguments."""
        return self._add(MockReply(status, body, **more))

    def call(self, function: ReplyFunction) -> "Expectation":
        """Let a function, `async` or not, look at the request and make the reply."""
        if not callable(function):
            raise TypeError(f"a function is needed, not {type(function).__name__}")
        return self._add(function)

    def upgrade(
        self,
        function: Callable[
            [MockCall, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[object]
        ],
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> "Expectation":
        """Answer with 101 and let an `async` function go on with the octets, as `(call, reader, writer)`.

        `headers` are those of the 101; `Connection: Upgrade` is added. The connection is closed after the function;
        what it raises is raised when the mock is verified.
        """
        if not callable(function):
            raise TypeError(f"a function is needed, not {type(function).__name__}")
        return self._add(MockUpgrade(function, headers))

    def websocket(
        self,
        function: "Callable[[MockCall, ClientWebSocketResponse[bool]], Awaitable[object]]",
        *,
        protocols: Sequence[str] = (),
        deflate: "DeflateParameters | None" = None,
    ) -> "Expectation":
        """Open a WebSocket and let an `async` function be its server, as `(call, websocket)`.

        The function has the same methods as the client. `protocols` are the subprotocols that the server knows, and
        `deflate` the compression that it agrees to. A handshake that asks for something else is refused. The WebSocket
        is closed after the function; what it raises is raised when the mock is verified.
        """
        if not callable(function):
            raise TypeError(f"a function is needed, not {type(function).__name__}")
        return self._add(MockWebSocket(function, tuple(protocols), deflate))

    def fail(self, error: Raised) -> "Expectation":
        """Let the request raise this. An `OSError` is raised as it is: to see it as a session's user would, give the
        `ClientError` that it becomes."""
        is_class = isinstance(error, type) and issubclass(error, Exception)
        if not is_class and not isinstance(error, Exception):
            raise TypeError(f"an exception is needed, not {error!r:.100}")
        return self._add(error)

    def times(self, count: int) -> "Expectation":
        """Give the reply that was added last so many times."""
        if count < 1:
            raise ValueError("a reply is given once or more often")
        return self._repeat(count)

    def always(self) -> "Expectation":
        """Give the reply that was added last for ever; at least one request must come."""
        return self._repeat(None)

    def optional(self) -> "Expectation":
        """Do not mind when no request comes."""
        self._optional = True
        return self

    def _add(self, answer: _Answer) -> "Expectation":
        if self._answers and self._answers[-1][1] is None:
            raise ValueError("no reply comes after one that is given for ever")
        self._answers.append((answer, 1))
        return self

    def _repeat(self, count: int | None) -> "Expectation":
        answer, _ = self._answers.pop() if self._answers else (_USUAL, 1)
        self._answers.append((answer, count))
        return self

    # -- what has come of it ------------------------------------------------------------------------------------------

    @property
    def wanted(self) -> int | None:
        """How many requests it is for; None for any number."""
        counts = [count for _, count in self._answers] or [1]
        return None if counts[-1] is None else sum(count or 0 for count in counts)

    @property
    def missing(self) -> int:
        """How many requests have yet to come."""
        if self._optional:
            return 0
        finite = sum(count or 1 for _, count in self._answers) or 1
        return max(0, finite - len(self.calls))

    @property
    def is_used_up(self) -> bool:
        """Whether it has no reply left."""
        wanted = self.wanted
        return wanted is not None and len(self.calls) >= wanted

    def take(self, call: MockCall) -> _Answer:
        """The answer to a request that matches."""
        self.calls.append(call)
        number = len(self.calls)
        for answer, count in self._answers:
            if count is None or number <= count:
                return answer
            number -= count
        return _USUAL

    # -- which requests -----------------------------------------------------------------------------------------------

    def mismatch(self, call: MockCall) -> str | None:
        """Why a request is not this one's; None if it is."""
        if call.method != self._method:
            return f"the method is {call.method}"
        if not _leads_to(self._url, call.url):
            return f"the URL is {call.url}"
        criteria = self._criteria
        if "query" in criteria and not _same_query(call.url, criteria["query"]):
            return f"the query is {call.url.query_string!r}"
        for name, value in criteria.get("headers", {}).items():
            reason = _field_fault(call, name, value)
            if reason is not None:
                return reason
        return self._content_fault(call)

    def _content_fault(self, call: MockCall) -> str | None:
        criteria = self._criteria
        shown = f"the content is {call.body[:200]!r}"
        if "body" in criteria and not _same_body(call.body, criteria["body"]):
            return shown
        if "json" in criteria and not _same_json(call.body, criteria["json"]):
            return shown
        if "form" in criteria:
            sent = parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True)
            if sorted(sent) != sorted(criteria["form"].items()):
                return shown
        return None

    @override
    def __str__(self) -> str:
        url = _shown(self._url)
        criteria: Mapping[str, object] = self._criteria
        wanted = "any number" if self.wanted is None else self.wanted
        more = "".join(f", {name}={value!r:.200}" for name, value in criteria.items())
        return f"{self._method} {url}{more} (came {len(self.calls)} of {wanted})"


def _parsed(url: URLPattern) -> "URL | re.Pattern[str] | Callable[[URL], bool]":
    if not isinstance(url, str | URL):
        if not isinstance(url, re.Pattern) and not callable(url):
            raise TypeError(f"a URL, a pattern or a function is needed, not {type(url).__name__}")
        return url
    parsed = URL(url)
    if not parsed.absolute and not parsed.raw_path.startswith("/"):
        raise ValueError(
            f"a URL must be absolute, or a path that begins with a slash: {url!s:.100}"
        )
    return parsed.with_fragment(None)


def _shown(url: "URL | re.Pattern[str] | Callable[[URL], bool]") -> str:
    if isinstance(url, URL):
        return str(url)
    if isinstance(url, re.Pattern):
        return f"a URL like {url.pattern!r}"
    return f"a URL that {getattr(url, '__name__', url)} takes"


def _leads_to(wanted: "URL | re.Pattern[str] | Callable[[URL], bool]", url: URL) -> bool:
    if isinstance(wanted, re.Pattern):
        return wanted.search(str(url)) is not None
    if not isinstance(wanted, URL):
        return wanted(url)
    if wanted.absolute and not same_origin(wanted, url):
        return False
    if wanted.raw_path != url.raw_path:
        return False
    return not wanted.raw_query_string or _pairs(wanted) == _pairs(url)


def _pairs(url: URL) -> list[tuple[str, str]]:
    return sorted(url.query.items())


def _same_query(url: URL, params: Params) -> bool:
    return _pairs(with_params(URL("http://h/"), params)) == _pairs(url)


def _field_fault(call: MockCall, name: str, wanted: "str | re.Pattern[str] | None") -> str | None:
    values: Sequence[str] = call.headers.getall(name, [])
    if wanted is None:
        return f"there is a field {name}" if values else None
    if not values:
        return f"there is no field {name}"
    fits = wanted.__eq__ if isinstance(wanted, str) else wanted.fullmatch
    if any(fits(value) for value in values):
        return None
    return f"the field {name} is {', '.join(values)!r}"


def _same_body(
    body: bytes, wanted: "bytes | str | re.Pattern[str] | Callable[[bytes], bool]"
) -> bool:
    if isinstance(wanted, bytes):
        return body == wanted
    if isinstance(wanted, str):
        return body == wanted.encode("utf-8")
    if isinstance(wanted, re.Pattern):
        return wanted.search(body.decode("utf-8", "replace")) is not None
    return wanted(body)


def _same_json(body: bytes, wanted: Any) -> bool:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return bool(value == wanted)


def listed(lines: Iterable[str]) -> str:
    """Lines as a numbered list, or that there is none."""
    numbered = [f"\n  {number}. {line}" for number, line in enumerate(lines, 1)]
    return "".join(numbered) or "\n  nothing"
