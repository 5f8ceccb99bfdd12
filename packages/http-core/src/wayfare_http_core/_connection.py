"""The connection seam: what stands between whoever sends a request and whoever moves the bytes.

A session asks a connection for an exchange; it never writes bytes and never sees a parser. HTTP/1.1 lives in
`wayfare_http_core.aio.HTTP1Connection`; another HTTP version is another class with these methods.

    owner (a pool)  --lends-->  Connection  --exchange(head, body)-->  Exchange(head, content)
                    <--idle / retired / lost--
"""

from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Protocol, runtime_checkable

from ._errors import UploadAbortedError
from ._head import RequestHead, ResponseHead
from ._limits import DEFAULT_HEAD_LIMITS, HeadLimits

if TYPE_CHECKING:
    from ._connect_timings import ConnectTimings
    from .aio import Deadline, StreamReader

__all__ = (
    "DEFAULT_EXCHANGE_OPTIONS",
    "Connection",
    "ConnectionFacts",
    "ConnectionOwner",
    "Exchange",
    "ExchangeOptions",
    "FileBody",
    "RequestBody",
    "TrailerBody",
    "check_options",
)


class ConnectionFacts(NamedTuple):
    """What is known of a connection and stays known after it is closed.

    Addresses have the shape that `socket.getpeername` gives: `(host, port)` for IPv4, four items for IPv6, a path
    for a Unix socket, None where the transport has none. The TLS facts are None on a plain connection.
    """

    peername: tuple[Any, ...] | str | None = None
    sockname: tuple[Any, ...] | str | None = None
    tls_version: str | None = None
    cipher: tuple[str, str, int] | None = None
    peer_certificate: bytes | None = None
    """The peer's leaf certificate, DER."""
    alpn: str | None = None
    timings: "ConnectTimings | None" = None
    """How long it took to make the connection, if whoever made it says so."""


class ExchangeOptions(NamedTuple):
    """How a connection treats one exchange. Make it once and use it often: a connection looks closely at new ones only.

    All times are in seconds, and None means no limit. A limit or a time that is negative, or a time that is NaN, is a
    ValueError when an exchange is to start, before anything is sent.
    """

    limits: HeadLimits = DEFAULT_HEAD_LIMITS
    """Bounds on the response's head."""
    read_limit: int = 256 * 1024
    """Octets of content that wait to be read before the connection stops receiving (the low-water mark)."""
    max_body_size: int | None = None
    """Octets of decoded content; more of them are a `BodyTooLargeError` for whoever reads (B26)."""
    read_timeout: float | None = None
    """How long nothing may arrive while the peer has to send: before the head, counted from the last octet sent or
    received; within the content, for each wait of a reader."""
    write_timeout: float | None = None
    """How long the peer may take no octet of the request while some wait to be sent."""
    first_byte_timeout: float | None = None
    """The time from the end of the request to the first octet of an answer, informational ones included."""
    on_informational: Callable[[ResponseHead], None] | None = None
    """Called with each informational response (RFC 9110 section 15.2), in order. What it raises ends the exchange."""
    expect_timeout: float | None = 1.0
    """How long a body waits for the 100 that its head asked for with `Expect: 100-continue`, before it is sent anyway:
    servers that do not know the field are silent (RFC 9110 section 10.1.1). curl and Go wait for one second, too."""
    on_sent: Callable[[int], None] | None = None
    """Called with the octets of the request's content that were handed to the transport since the last call. What it
    raises ends the exchange."""
    on_upload_end: Callable[[UploadAbortedError | None], None] | None = None
    """Called once for a request with a body: with None when the last octet was handed to the transport, or with an
    error when no more of the body will be sent. It must not raise."""


DEFAULT_EXCHANGE_OPTIONS = ExchangeOptions()
"""What an exchange does unless it is told: nothing of it is limited but what `ExchangeOptions` says."""

_TIMEOUTS = ("read_timeout", "write_timeout", "first_byte_timeout", "expect_timeout")


def check_options(options: ExchangeOptions) -> None:
    """What a connection does with options that are new to it, before anything is sent.

    Raises: ValueError for a limit of the content or a timeout that is negative, or a timeout that is not a number.
    """
    if options.read_limit < 0 or (options.max_body_size or 0) < 0:
        raise ValueError("the limits of the content must not be negative")
    for name in _TIMEOUTS:
        seconds = getattr(options, name)
        # Asked this way round, since NaN is neither more nor less than anything.
        if seconds is not None and not seconds >= 0:
            raise ValueError(f"{name} must be a number that is not negative, or None: {seconds!r}")


@runtime_checkable
class RequestBody(Protocol):
    """A request's content, pulled piece by piece by the connection.

    A body yields bytes from synchronous or asynchronous iteration. Its iterator is asked for the next piece only
    when the transport can take it, so a body never has to buffer.
    """

    @property
    def content_type(self) -> str | None:
        """The media type to send, or None to send none."""

    @property
    def length(self) -> int | None:
        """The exact number of octets, or None when it is not known (sent chunked then)."""

    @property
    def replayable(self) -> bool:
        """Whether `chunks` can be called again and gives the same octets (for a redirect or a retry)."""

    def chunks(self) -> Iterable[bytes] | AsyncIterable[bytes]:
        """Start one pass over the content."""


@runtime_checkable
class FileBody(Protocol):
    """What a `RequestBody` offers besides when its content is a file, or a part of one.

    The connection may let the kernel send it then, and `chunks` is not called.
    """

    def file_range(self) -> tuple[BinaryIO, int, int] | None:
        """The open file, the offset of the first octet and their number, which is `length`; None for no such part.

        The file must have a descriptor. Its position does not matter and does not change. A file whose size changes
        while it is sent fails the exchange.
        """


@runtime_checkable
class TrailerBody(Protocol):
    """What a `RequestBody` offers besides when fields follow its content (RFC 9110 section 6.5).

    It is sent in chunks, whatever its length. Recipients may drop fields that the head did not announce in a `Trailer`
    field.
    """

    def trailers(self) -> Iterable[tuple[str, object]]:
        """The trailer fields, asked for after the last piece of the content."""


class Exchange(Protocol):
    """One request on its way through a connection: the response's head and its content."""

    @property
    def head(self) -> ResponseHead:
        """The final response head."""

    @property
    def content(self) -> "StreamReader":
        """The content, still arriving or complete."""

    def take_whole(self) -> bytes | None:
        """The content with its codings, if it came whole with its head and `content` was never asked for, else None.

        It is given once: whoever takes it owns it. A shortcut past the stream, which an implementation may decline.
        """

    @property
    def trailers(self) -> Mapping[str, str]:
        """The trailer fields, empty until the content ended with some (RFC 9112 section 7.1.2)."""

    @property
    def is_complete(self) -> bool:
        """Whether the response arrived whole: nothing of the connection is needed any more."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will arrive: the response is complete, broken or given up."""

    def abort(self) -> None:
        """Give up what was not read yet, and the connection with it. Idempotent."""

    def discard(self) -> None:
        """Give up what was not read yet. A small rest is read and dropped, so that the connection can be used again;
        otherwise the connection is closed. Nothing is decoded. Idempotent."""

    async def wait_over(self) -> None:
        """Return when a complete, discarded or aborted exchange holds nothing of its connection any more: others can
        use it, or it is really closed.

        Cancellation: safe.
        """


class ConnectionOwner(Protocol):
    """Whoever lends a connection out, usually a pool. All three calls are synchronous and must not raise.

    For each connection the order is: any number of `connection_idle`, then `connection_retired` once, then
    `connection_lost` once.
    """

    def connection_idle(self, connection: "Connection", /) -> None:
        """The exchange is over and another may start: called in the same tick in which its last octet arrived."""

    def connection_retired(self, connection: "Connection", /) -> None:
        """No further exchange will start here; its place may be given away although the transport still closes."""

    def connection_lost(self, connection: "Connection", /) -> None:
        """The transport is gone; the descriptor is closed."""


class Connection(Protocol):
    """A live connection to one target that can carry exchanges."""

    @property
    def available_exchanges(self) -> int:
        """How many exchanges can start now: HTTP/1.1 answers one or none, a closed connection none."""

    @property
    def facts(self) -> ConnectionFacts:
        """Addresses and TLS facts, kept after the connection closed."""

    @property
    def exchanges_started(self) -> int:
        """How many exchanges began here, 1 during the first: more mean that the connection was used again."""

    @property
    def request_started(self) -> bool:
        """Whether any octet of the latest exchange's request was handed to the transport."""

    @property
    def response_started(self) -> bool:
        """Whether any octet arrived in answer to the latest exchange's request, informational responses included."""

    @property
    def keep_alive_hint(self) -> float | None:
        """Seconds for which the peer keeps the connection when it is idle, less a second; None if it did not say (I9).

        From the Keep-Alive field of the last response, and up to date when the owner is told that the connection is
        idle.
        """

    def is_quiet(self, now: float) -> bool:
        """Whether nothing waits on the idle connection that nobody has looked at; `now` is the loop's time, in seconds.

        An owner asks before it lends a connection again. Octets that nobody asked for must not become the next
        response (RFC 9112 section 9.2), and a request must not go where the peer has hung up already.
        """

    async def exchange(
        self,
        head: RequestHead,
        body: "RequestBody | bytes | None" = None,
        options: ExchangeOptions = DEFAULT_EXCHANGE_OPTIONS,
        deadline: "Deadline | None" = None,
    ) -> Exchange:
        """Send a request and return its response once the final head arrived, which must be before the deadline.

        Raises: `ClientConnectionError` and its kin when the connection breaks, `BadHttpMessage` for a malformed head,
        ValueError for a request that cannot be sent (before any octet was), whatever the body's iterator and the
        options' hooks raise, `ReadTimeoutError`, `WriteTimeoutError`, `FirstByteTimeoutError`, the deadline's error,
        `RuntimeError` when no exchange is available.
        Cancellation: the connection is aborted; some, all or none of the request may have been sent.
        """

    def close(self) -> None:
        """Retire the connection and close its transport after what was written is flushed; idempotent."""

    def abort(self) -> None:
        """Retire the connection and drop its transport at once; idempotent."""

    async def wait_closed(self) -> None:
        """Return when the transport is really closed.

        Cancellation: safe, the closing goes on.
        """
