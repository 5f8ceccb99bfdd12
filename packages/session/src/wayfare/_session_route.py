"""A session's way to its servers: what its arguments and its connector say of TLS and of proxies."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ._route import Route, first_verifying

if TYPE_CHECKING:
    from wayfare_connector import BaseConnector

    from ._build import ProxyArguments
    from ._options import SessionOptions

__all__ = ("proxy_arguments", "session_route")


def session_route(
    options: "SessionOptions", connector: "BaseConnector", proxy: "ProxyArguments"
) -> Route:
    """What each request of a session starts from; `proxy` is what `proxy_arguments` found.

    Raises: ValueError, TypeError for what is no proxy, and for one where the connector has no place for it.
    """
    tls = options.get("ssl")
    verifying = first_verifying(tls, connector.ssl)
    if tls is None:
        tls = connector.ssl
    elif tls is True:
        tls = verifying
    route = Route(
        tls=tls,
        verifying=verifying,
        trust_env=options.get("trust_env", False),
        is_fixed=connector.fixed_destination,
    )
    if all(argument is None for argument in proxy):
        return route
    # Imported here: few sessions have one.
    from ._proxy_option import read_proxy

    choice = read_proxy(*proxy, environment=route.asks_environment)
    if choice.proxy is not None and route.is_fixed:
        raise ValueError("the connector leads to one peer, never through a proxy")
    return route._replace(**choice._asdict())


def proxy_arguments(options: "SessionOptions") -> "ProxyArguments":
    """The session's proxy, its credentials and its fields, as they were given."""
    headers = options.get("proxy_headers")
    if headers is not None and not isinstance(headers, Mapping):
        # They are read more than once.
        headers = tuple(headers)
    return options.get("proxy"), options.get("proxy_auth"), headers
