"""What a mock has seen, and what it says."""

import asyncio
import json
import sys
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict, final
from urllib.parse import parse_qsl

from multidict import CIMultiDictProxy
from yarl import URL

if TYPE_CHECKING:
    from wayfare_websocket import DeflateParameters
    from wayfare_websocket.aio import ClientWebSocketResponse

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = (
    "MockCall",
    "MockReply",
    "MockUpgrade",
    "MockWebSocket",
    "ReplyBody",
    "ReplyFunction",
    "ReplyOptions",
)

ReplyBody: TypeAlias = (
    "bytes | str | Iterable[bytes] | AsyncIterable[bytes] | "
    "Callable[[], Iterable[bytes] | AsyncIterable[bytes]]"
)
"""Content, whole or in pieces. For more than one reply, give a function that makes the pieces, or what can be iterated
again."""


@final
@dataclass(frozen=True, slots=True)
class MockCall:
    """One request that arrived, whole."""

    method: str
    url: URL
    headers: CIMultiDictProxy[str]
    body: bytes

    def json(self) -> Any:
        """The content as JSON. Raises: ValueError for what is none."""
        return json.loads(self.body)

    def text(self) -> str:
        """The content as UTF-8. Raises: UnicodeDecodeError for what is none."""
        return self.body.decode("utf-8")

    def form(self) -> dict[str, str]:
        """The fields of an urlencoded form; of several with one name, the last."""
        return dict(parse_qsl(self.text(), keep_blank_values=True))

    @override
    def __repr__(self) -> str:
        # No fields and no content: they carry credentials.
        return f"<MockCall {self.method} {self.url}, {len(self.body)} octets>"


class ReplyOptions(TypedDict, total=False):
    """The arguments of a `MockReply` that have to be named."""

    json: Any
    headers: Mapping[str, str] | Iterable[tuple[str, str]]
    reason: str | None
    trailers: Mapping[str, str] | Iterable[tuple[str, str]]
    delay: float
    informational: Iterable[tuple[int, Mapping[str, str]]]


@final
@dataclass(frozen=True, slots=True)
class MockReply:
    """A response to make: `MockReply(404)`, `MockReply(json=[1, 2])`, `MockReply(body=[b"one", b"two"])`.

    Text is sent as UTF-8, and `json` as JSON, each with its Content-Type unless `headers` have one. Content in pieces
    is sent as its iterator gives it, in chunks unless `headers` have a Content-Length; what the iterator raises is
    raised from reading it. The response begins after `delay` seconds of the loop's clock. `informational` come first.
    """

    status: int = 200
    body: ReplyBody = b""
    _: KW_ONLY
    json: Any = None
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()
    reason: str | None = None
    trailers: Mapping[str, str] | Iterable[tuple[str, str]] = ()
    delay: float = 0.0
    informational: Iterable[tuple[int, Mapping[str, str]]] = ()

    def __post_init__(self) -> None:
        """Raises: ValueError for two contents, and for a delay that is none."""
        if self.json is not None and self.body != b"":
            raise ValueError("body and json are both content: give one of them")
        if not self.delay >= 0:
            raise ValueError(f"the delay must be a number that is not negative: {self.delay!r}")


@final
@dataclass(frozen=True, slots=True)
class MockUpgrade:
    """The end of HTTP on a connection: status 101, and a function that goes on with the octets."""

    function: "Callable[[MockCall, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[object]]"
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()


@final
@dataclass(frozen=True, slots=True)
class MockWebSocket:
    """A WebSocket that is opened, and a function that is its server."""

    function: "Callable[[MockCall, ClientWebSocketResponse[bool]], Awaitable[object]]"
    protocols: Sequence[str] = ()
    deflate: "DeflateParameters | None" = None


ReplyFunction: TypeAlias = Callable[[MockCall], "MockReply | Awaitable[MockReply]"]
"""Makes the reply to a request. What it raises is raised from the request."""
