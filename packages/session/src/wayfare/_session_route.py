"""A session's way to its servers: what its arguments and its connector say of TLS and of proxies."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from multidict import CIMultiDict

from ._defaults import HeadersArgument, header_pairs
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
        server_hostname=options.get("server_hostname"),
        trust_env=options.get("trust_env", False),
        is_fixed=connector.fixed_destination,
        schemes=connector.allowed_protocol_schema_set,
    )
    if all(argument is None for argument in proxy):
        return route
    # Imported here: few sessions have one.
    from ._proxy_option import read_proxy

    choice = read_proxy(*proxy, environment=route.asks_environment)
    if choice.proxy is not None and route.is_fixed:
        raise ValueError("the connector leads to one peer, never through a proxy")
    return route._replace(**choice._asdict())


def proxy_arguments(options: "SessionOptions") -> "tuple[HeadersArgument, ProxyArguments]":
    """The session's fields; and its proxy, the credentials and the fields for that one.

    A Proxy-Authorization among the former is the proxy's credentials.

    Raises: ValueError where they are given twice, TypeError for fields that are none.
    """
    pairs = header_pairs(options.get("headers"))
    auth = options.get("proxy_auth")
    if any(name.lower() == "proxy-authorization" for name, _ in pairs):
        # Imported here: few sessions have one.
        from ._proxy_option import take_credentials

        fields: CIMultiDict[object] = CIMultiDict(pairs)
        auth = take_credentials(fields, auth)
        pairs = [pair for pair in pairs if pair[0] in fields]
    headers = options.get("proxy_headers")
    if headers is not None and not isinstance(headers, Mapping):
        # They are read more than once.
        headers = tuple(headers)
    return pairs, (options.get("proxy"), auth, headers)
