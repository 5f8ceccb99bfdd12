"""The keyword arguments of `ws_connect`, typed and checked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypedDict, cast

from ._options import OLD_REQUEST_NAMES
from ._timeout import ClientTimeout
from ._ws_timeout import DEFAULT_WS_TIMEOUT, ClientWSTimeout, read_ws_timeout

if TYPE_CHECKING:
    from ssl import SSLContext

    from wayfare_connector import Proxy, ProxyChooser, TLSSetting
    from wayfare_cookies import LooseCookies
    from wayfare_http_core import BasicAuth
    from wayfare_websocket import DeflateOffer
    from yarl import URL

    from ._defaults import HeadersArgument
    from ._middlewares import ClientMiddlewareType
    from ._options import RequestOptions
    from ._redirects import RedirectPolicy
    from ._urls import Params

__all__ = ("WSConnectOptions", "check_ws_options", "modern_ws_options", "request_options")


class WSConnectOptions(TypedDict, total=False):
    """What `ws_connect` takes beside the URL."""

    method: str
    """The method of the handshake; GET unless given, and no server takes another."""
    protocols: Iterable[str]
    """Subprotocols to offer, the best one first."""
    timeout: "ClientWSTimeout | ClientTimeout | float"
    """Limits; a `ClientTimeout` is for the handshake alone. Deprecated: seconds for `ws_close`."""
    receive_timeout: float | None
    """Deprecated: `timeout=ClientWSTimeout(ws_receive=…)`."""
    autoclose: bool
    """Whether the peer's Close frame is answered at once (the default)."""
    autoping: bool
    """Whether Pings are answered, and Pongs kept back (the default)."""
    heartbeat: float | None
    """Seconds without a sign of life after which a Ping is sent; a peer that does not answer it is taken for dead."""
    auth: "BasicAuth | None"
    """As in `RequestOptions`, like all that is not explained here."""
    origin: str | None
    """The Origin field: what a browser says of the page that opens the WebSocket."""
    params: "Params | None"
    headers: "HeadersArgument"
    cookies: "LooseCookies | None"
    middlewares: "Sequence[ClientMiddlewareType] | None"
    trace_request_ctx: Any
    allow_redirects: bool
    """Whether redirects of the handshake are followed; False unless given, as browsers do."""
    max_redirects: int
    redirect_policy: "RedirectPolicy | None"
    skip_auto_headers: Iterable[str] | None
    proxy: "Proxy | URL | str | ProxyChooser | None"
    proxy_auth: "BasicAuth | str | None"
    proxy_headers: "Mapping[str, str] | Iterable[tuple[str, str]] | None"
    trust_env: bool | None
    ssl: "TLSSetting | None"
    server_hostname: str | None
    verify_ssl: bool | None
    ssl_context: "SSLContext | None"
    fingerprint: bytes | str | None
    compress: "int | DeflateOffer"
    """Whether to offer compression, by the binary logarithm of both windows: 9 to 15, 0 for none (the default). With 12
    a connection takes 60 KiB, with 15 it takes 310. A `DeflateOffer` says more. Do not compress a secret beside what
    somebody else chooses (CRIME)."""
    max_msg_size: int
    """Octets of a message that is received, after decompression; 4 MiB unless given, 0 for no limit."""


_OWN: Final = frozenset(
    (
        *("autoclose", "autoping", "compress", "heartbeat", "max_msg_size", "method", "origin"),
        *("protocols", "receive_timeout", "timeout"),
    )
)
"""Arguments that are not those of a request."""
_KNOWN: Final = frozenset(WSConnectOptions.__annotations__)


def modern_ws_options(options: WSConnectOptions, stacklevel: int) -> WSConnectOptions:
    """The arguments under their names of today; `timeout` is a `ClientWSTimeout` afterwards.

    Raises: as the old spellings of a request; TypeError for a timeout that is none.
    """
    modern = dict(options)
    if not OLD_REQUEST_NAMES.isdisjoint(options):
        # Imported here, like the other one: most programs are younger.
        from ._old_spellings import modern_request

        modern = modern_request(options, stacklevel + 1)
    timeout = modern.get("timeout", DEFAULT_WS_TIMEOUT)
    old = isinstance(timeout, int | float) or timeout is None
    if old or "receive_timeout" in modern:
        from ._old_spellings import modern_ws_timeout

        timeout = modern_ws_timeout(modern, stacklevel + 1)
        modern.pop("receive_timeout", None)
    modern["timeout"] = read_ws_timeout(timeout)
    protocols: object = modern.get("protocols", ())
    if isinstance(protocols, Iterator):
        # It is read more than once.
        modern["protocols"] = tuple(protocols)
    return cast(WSConnectOptions, modern)


def check_ws_options(options: WSConnectOptions) -> None:
    """Refuse arguments that are not what they should be, and none of a request's.

    Raises: TypeError, ValueError that name the argument.
    """
    unknown = options.keys() - _KNOWN
    if unknown:
        raise TypeError(f"ws_connect got an unexpected keyword argument {min(unknown)!r}")
    for name in ("autoclose", "autoping"):
        value: object = options.get(name, True)
        if not isinstance(value, bool):
            raise TypeError(f"{name} must be True or False, not {type(value).__name__}")
    if isinstance(options.get("protocols"), str | bytes):
        raise TypeError("protocols must be several names, not one")
    origin: object = options.get("origin")
    if origin is not None and not isinstance(origin, str):
        raise TypeError(f"origin must be a str, not {type(origin).__name__}")
    most: object = options.get("max_msg_size", 0)
    if isinstance(most, bool) or not isinstance(most, int):
        raise TypeError(f"max_msg_size must be an int, not {type(most).__name__}")
    if most < 0:
        raise ValueError(f"max_msg_size must not be negative, and {most} is")
    heartbeat: object = options.get("heartbeat") or 0
    if isinstance(heartbeat, bool) or not isinstance(heartbeat, int | float):
        raise TypeError(f"heartbeat must be a number of seconds, not {type(heartbeat).__name__}")
    if not heartbeat >= 0:
        raise ValueError(f"heartbeat must not be negative, and {heartbeat!r} is")


def request_options(options: WSConnectOptions) -> "RequestOptions":
    """Those of them that are a request's."""
    return cast(
        "RequestOptions", {name: value for name, value in options.items() if name not in _OWN}
    )
