"""The arguments about proxies, of a session and of a request. It loads with the first that are given."""

from collections.abc import Iterable, Mapping
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, NamedTuple, cast

from wayfare_connector import Proxy, as_proxy
from yarl import URL

if TYPE_CHECKING:
    from multidict import CIMultiDict
    from wayfare_connector import ProxyChooser
    from wayfare_http_core import BasicAuth

    from ._request import ClientRequest

__all__ = ("ProxyChoice", "hand_over", "read_proxy", "take_credentials")


class ProxyChoice(NamedTuple):
    """Which proxy was asked for: one, a chooser, or none, but that of the environment. The fields are those of a
    `Route`."""

    proxy: Proxy | None = None
    choose: "ProxyChooser | None" = None
    proxy_auth: "BasicAuth | str | None" = None
    proxy_headers: tuple[tuple[str, str], ...] = ()


def read_proxy(
    value: "Proxy | URL | str | ProxyChooser | None",
    auth: "BasicAuth | str | None" = None,
    headers: "Mapping[str, str] | Iterable[tuple[str, str]] | None" = None,
    *,
    environment: bool = False,
) -> ProxyChoice:
    """What `proxy` and the arguments beside it ask for. Without a proxy they are for that of the environment, if that
    has a say.

    Raises: ValueError, TypeError for what is no proxy, for a chooser that is async, and for credentials or fields that
    have no place to go.
    """
    if value is None:
        if auth is None and not headers:
            return ProxyChoice()
        if not environment:
            raise ValueError(
                "proxy_auth, proxy_headers and a Proxy-Authorization field need a proxy"
            )
        return _for_the_environment(auth, headers)
    if isinstance(value, Proxy | URL | str) or not callable(value):
        return ProxyChoice(as_proxy(value, auth=auth, headers=headers))
    if auth is not None or headers:
        # They would go to whichever proxy it names.
        raise ValueError("a function that chooses proxies says by itself how they are spoken to")
    if iscoroutinefunction(value) or iscoroutinefunction(value.__call__):
        raise TypeError("a function that chooses proxies answers at once: it cannot be async")
    return ProxyChoice(None, value)


def _for_the_environment(
    auth: "BasicAuth | str | None",
    headers: "Mapping[str, str] | Iterable[tuple[str, str]] | None",
) -> ProxyChoice:
    """What the environment's proxy is told. Which one that is comes later; a mistake is told now.

    Raises: as `read_proxy`.
    """
    pairs = as_proxy("http://proxy", headers=headers).fields.pairs
    as_proxy("http://proxy", auth=auth, headers=pairs)
    others = tuple([pair for pair in pairs if pair[0].lower() != "proxy-authorization"])
    for _, value in set(pairs).difference(others):
        # They replace what the environment says, as `proxy_auth` does.
        auth = value
    return ProxyChoice(proxy_auth=auth, proxy_headers=others)


def take_credentials(headers: "CIMultiDict[object]", auth: "BasicAuth | str | None") -> str:
    """The value of Proxy-Authorization among a caller's fields, out of which it is taken: it is another way to say
    `proxy_auth`, for such a field is for the proxy alone (P5).

    Raises: ValueError where it is said twice.
    """
    values = headers.popall("Proxy-Authorization")
    if auth is not None or len(values) > 1:
        raise ValueError("credentials for the proxy are given twice")
    value = values[0]
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def hand_over(request: "ClientRequest") -> "ClientRequest":
    """The request as it can be sent: a Proxy-Authorization field that a middleware added is the proxy's.

    Raises: ValueError where there is no proxy, or one that takes no fields.
    """
    if request.proxy is None:
        raise ValueError("a Proxy-Authorization field needs a proxy: it is for no server")
    twin = request.copy()
    value = take_credentials(cast("CIMultiDict[object]", twin.headers), None)
    return twin.through(request.proxy.authorized(value))
