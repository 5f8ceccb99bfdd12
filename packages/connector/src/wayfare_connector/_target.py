"""What a connection leads to: the key under which connections are pooled and shared.

Two requests may share a connection exactly when their targets are equal. So everything that makes
two connections different stands in the key, and nothing else does (L12, T7).
"""

import sys
from ssl import SSLContext
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, TypeAlias, final

from ._fingerprint import Fingerprint
from ._hosts import is_ip_literal, normalise_host, without_zone

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from yarl import URL

    from ._proxy import Proxy

__all__ = (
    "LimitKey",
    "LocalAddress",
    "TLSContextRef",
    "TLSSetting",
    "Target",
    "check_local_address",
)

_SCHEMES: Final = {
    "http": "http",
    "ws": "http",
    "https": "https",
    "wss": "https",
    # Other names of plain HTTP, each for the connector that allows it.
    "tcp": "http",
    "unix": "http",
    "npipe": "http",
}
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

LimitKey: TypeAlias = tuple[str, int, bool]
"""What `limit_per_host` counts by: host, port, is_ssl."""

LocalAddress: TypeAlias = tuple[str, int]
"""The address and port to bind to before connecting; port 0 for any, an empty address for any of this machine."""


@final
class TLSContextRef(NamedTuple):
    """Stands for an `ssl.SSLContext` in data that outlives it, such as an exception."""

    identity: int
    """The context's `id()`: tells two of them apart while both live."""


TLSSetting: TypeAlias = bool | SSLContext | Fingerprint | TLSContextRef
"""True verifies by the default context, False does not verify, a context does as it says, a
fingerprint trusts one certificate alone."""

_Key: TypeAlias = tuple[
    str, str, int, TLSSetting | None, str | None, LocalAddress | None, "Proxy | None", bool
]


@final
class Target:
    """Where a connection leads, immutable, and the key of the pool.

    `scheme` is `http` or `https` (`ws` and `wss` are the same connections). `ssl` is None for
    `http`. `server_hostname` replaces the host in SNI and in verification. `local_addr` is the
    address to bind to, None for the connector's own. `proxy` is who stands between, with its
    credentials: none of them ever serves two targets (L12, P7).

    Targets compare by value and keep their hash; an SSLContext counts by identity. A caller that
    keeps its targets makes the pool's look-up a comparison of identities.
    """

    __slots__ = (
        "_hash",
        "_key",
        "authority",
        "host",
        "is_ssl",
        "limit_key",
        "local_addr",
        "port",
        "proxy",
        "scheme",
        "server_hostname",
        "ssl",
        "tunnels",
    )

    scheme: str
    """`http` or `https`."""
    host: str
    """A-label in lower case, or an address; IPv6 without brackets, its zone kept."""
    port: int
    ssl: TLSSetting | None
    server_hostname: str | None
    local_addr: LocalAddress | None
    proxy: "Proxy | None"
    tunnels: bool
    """Whether the proxy carries octets; otherwise it is given the requests. False without one."""
    is_ssl: bool
    limit_key: LimitKey
    authority: str
    """`host[:port]` as a Host field has it: the scheme's default port and an IPv6 zone left out."""
    _key: _Key
    _hash: int

    def __init__(
        self,
        scheme: str,
        host: str,
        port: int | None = None,
        *,
        ssl: TLSSetting = True,
        server_hostname: str | None = None,
        local_addr: LocalAddress | None = None,
        proxy: "Proxy | None" = None,
        tunnel: bool = False,
    ) -> None:
        """Check and normalise; without a port the scheme's default is taken.

        For `http` the TLS arguments have no meaning and are left out of the key. `tunnel` asks an
        HTTP proxy to carry octets also where it would take requests; for `ws` and TLS it always does.

        Raises: `ValueError` for an unknown scheme, a bad host, port or `local_addr`; `TypeError` for an
        `ssl` or a `local_addr` of another kind.
        """
        if local_addr is not None:
            check_local_address(local_addr)
        try:
            canonical = _SCHEMES[scheme]
        except KeyError:
            raise ValueError(f"not a scheme of HTTP: {scheme[:100]!r}") from None
        if not isinstance(ssl, TLSSetting):
            raise TypeError(
                f"ssl must be a bool, an SSLContext or a Fingerprint, not {type(ssl).__name__}"
            )
        is_ssl = canonical == "https"
        set_once = object.__setattr__
        set_once(self, "scheme", canonical)
        set_once(self, "host", normalise_host(host))
        set_once(self, "port", _checked_port(_DEFAULT_PORTS[canonical] if port is None else port))
        set_once(self, "is_ssl", is_ssl)
        set_once(self, "ssl", ssl if is_ssl else None)
        set_once(
            self,
            "server_hostname",
            normalise_host(server_hostname) if is_ssl and server_hostname else None,
        )
        set_once(self, "local_addr", local_addr)
        set_once(self, "limit_key", (self.host, self.port, is_ssl))
        set_once(self, "authority", self._make_authority())
        set_once(self, "proxy", proxy)
        tunnels = proxy is not None and (tunnel or is_ssl or scheme == "ws" or proxy.is_socks)
        set_once(self, "tunnels", tunnels)
        key = (
            *(canonical, self.host, self.port, self.ssl, self.server_hostname),
            *(local_addr, proxy, tunnels),
        )
        set_once(self, "_key", key)
        set_once(self, "_hash", hash(key))

    @classmethod
    def from_url(
        cls,
        url: "URL",
        *,
        ssl: TLSSetting = True,
        server_hostname: str | None = None,
        local_addr: LocalAddress | None = None,
        proxy: "Proxy | None" = None,
    ) -> "Target":
        """The target that an absolute URL names; its user, path and the rest play no part.

        Raises: `ValueError` as the constructor does.
        """
        return cls(
            url.scheme,
            url.raw_host or "",
            url.port,
            ssl=ssl,
            server_hostname=server_hostname,
            local_addr=local_addr,
            proxy=proxy,
        )

    @property
    def is_ip_literal(self) -> bool:
        """Whether the host is an address, so that nothing is to be resolved."""
        return is_ip_literal(self.host)

    def detached(self) -> "Target":
        """The same target for an exception: with a `TLSContextRef` in place of a live context, and
        a proxy without its credentials.
        """
        if self.proxy is None and not isinstance(self.ssl, SSLContext):
            return self
        ref = TLSContextRef(id(self.ssl)) if isinstance(self.ssl, SSLContext) else self.ssl
        return Target(
            self.scheme,
            self.host,
            self.port,
            ssl=True if ref is None else ref,
            server_hostname=self.server_hostname,
            local_addr=self.local_addr,
            proxy=None if self.proxy is None else self.proxy.detached(),
            tunnel=self.tunnels,
        )

    def _make_authority(self) -> str:
        host = without_zone(self.host)
        if ":" in host:
            host = f"[{host}]"
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @override
    def __hash__(self) -> int:
        return self._hash

    @override
    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Target):
            return NotImplemented
        return self._hash == other._hash and self._key == other._key

    @override
    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Target is immutable: cannot set {name!r}")

    @override
    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Target is immutable: cannot delete {name!r}")

    @override
    def __repr__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        parts = [f"{self.scheme}://{host}:{self.port}"]
        if isinstance(self.ssl, SSLContext | TLSContextRef):
            parts.append("ssl=<context>")
        elif self.ssl is not True and self.ssl is not None:
            parts.append(f"ssl={self.ssl!r}")
        if self.server_hostname is not None:
            parts.append(f"server_hostname={self.server_hostname!r}")
        if self.local_addr is not None:
            parts.append(f"local_addr={self.local_addr!r}")
        if self.proxy is not None:
            parts.append(f"proxy={self.proxy!r}")
        return f"<Target {' '.join(parts)}>"

    # A context cannot be pickled; what stands for it can.
    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, self.detached()._key


def _rebuild(
    scheme: str,
    host: str,
    port: int,
    ssl: TLSSetting | None,
    server_hostname: str | None,
    local_addr: LocalAddress | None,
    proxy: "Proxy | None",
    tunnel: bool,
) -> Target:
    return Target(
        scheme,
        host,
        port,
        ssl=True if ssl is None else ssl,
        server_hostname=server_hostname,
        local_addr=local_addr,
        proxy=proxy,
        tunnel=tunnel,
    )


def check_local_address(local_addr: LocalAddress) -> None:
    """Refuse what no socket can be bound to, and names: they would be looked up while the event loop waits.

    Raises: `TypeError`, `ValueError`.
    """
    if not isinstance(local_addr, tuple) or len(local_addr) != 2:
        raise TypeError(f"local_addr must be an address and a port, not {local_addr!r}")
    host, port = local_addr
    if isinstance(port, bool) or not isinstance(port, int) or not isinstance(host, str):
        raise TypeError(f"local_addr must be a str and an int, not {local_addr!r}")
    if not 0 <= port < 65536:
        raise ValueError(f"not a port to bind to: {port!r}")
    if host and not is_ip_literal(normalise_host(host)):
        raise ValueError(f"local_addr must have an address, and no name as {host!r}")


def _checked_port(port: int) -> int:
    # Port 0 means "any" to a listener and nothing to a client.
    if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536:
        raise ValueError(f"not a port: {port!r}")
    return port
