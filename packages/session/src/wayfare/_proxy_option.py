"""The arguments about proxies, of a session and of a request. It loads with the first that are given."""

from collections.abc import Iterable, Mapping
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, NamedTuple

from wayfare_connector import Proxy, as_proxy
from yarl import URL

if TYPE_CHECKING:
    from wayfare_connector import ProxyChooser
    from wayfare_http_core import BasicAuth

__all__ = ("ProxyChoice", "read_proxy")


class ProxyChoice(NamedTuple):
    """Which proxy was asked for: one, a chooser, or none. The fields are those of a `Route`."""

    proxy: Proxy | None = None
    choose: "ProxyChooser | None" = None


def read_proxy(
    value: "Proxy | URL | str | ProxyChooser | None",
    auth: "BasicAuth | str | None" = None,
    headers: "Mapping[str, str] | Iterable[tuple[str, str]] | None" = None,
) -> ProxyChoice:
    """What `proxy` and the arguments beside it ask for.

    Raises: ValueError, TypeError for what is no proxy, for a chooser that is async, and for credentials or fields that
    have no place to go.
    """
    if value is None:
        if auth is not None or headers:
            raise ValueError("proxy_auth and proxy_headers need a proxy")
        return ProxyChoice()
    if isinstance(value, Proxy | URL | str) or not callable(value):
        return ProxyChoice(as_proxy(value, auth=auth, headers=headers))
    if auth is not None or headers:
        # They would go to whichever proxy it names.
        raise ValueError("a function that chooses proxies says by itself how they are spoken to")
    if iscoroutinefunction(value) or iscoroutinefunction(value.__call__):
        raise TypeError("a function that chooses proxies answers at once: it cannot be async")
    return ProxyChoice(None, value)
