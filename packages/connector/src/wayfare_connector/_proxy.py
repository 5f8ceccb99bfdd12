"""`Proxy`: who stands between us and the target."""

import sys
from ssl import SSLContext
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias, final

from wayfare_http_core import BasicAuth, FieldBlock, encode_basic_auth
from yarl import URL

from ._hosts import normalise_host
from ._target import Target, TLSContextRef, TLSSetting

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    _Fields: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]

__all__ = ("Proxy", "as_proxy")

_DEFAULT_PORTS: Final = {
    "http": 80,
    "https": 443,
    "socks4": 1080,
    "socks4a": 1080,
    "socks5": 1080,
    "socks5h": 1080,
}
_RESOLVED_HERE: Final = frozenset(("socks4", "socks5"))
_FRAMING: Final = frozenset(("host", "content-length", "transfer-encoding", "connection"))


@final
class Proxy:
    """A proxy, and how it is spoken to; immutable, compared by value, and part of a pool's key.

    `url` is `scheme://[user:password@]host[:port]`. The schemes:

    - `http`, `https`: requests for `http` go to the proxy, all others through a tunnel (CONNECT).
    - `socks5h`, `socks4a`: the proxy resolves names; `socks5`, `socks4`: we do (P13).

    `auth` replaces the user of the URL: a `BasicAuth`, or the whole value of a Proxy-Authorization
    field. SOCKS 5 takes a user with a password, SOCKS 4 a user alone. `headers` are more fields for
    the proxy alone. `ssl` and `server_hostname` are about TLS with an `https` proxy, never with the
    target (T12). `via` is another proxy through which this one is reached.

    Credentials go to the proxy and to nobody else, stand in no message and not in `repr` (P5, P15).

    Raises: `ValueError` for a URL that names no proxy, credentials that its scheme has no place for,
    and fields that are the connection's own; `TypeError` for values of another kind.
    """

    __slots__ = (
        "_hash",
        "_key",
        "fields",
        "host",
        "is_socks",
        "password",
        "port",
        "scheme",
        "server_hostname",
        "ssl",
        "target",
        "username",
        "via",
    )

    scheme: str
    host: str
    port: int
    username: str | None
    """For SOCKS."""
    password: str | None
    """For SOCKS."""
    fields: FieldBlock
    """What each request to an HTTP proxy carries for it, Proxy-Authorization included."""
    ssl: TLSSetting
    server_hostname: str | None
    via: "Proxy | None"
    is_socks: bool
    target: Target
    """Where the proxy itself is."""
    _key: tuple[Any, ...]
    _hash: int

    def __init__(
        self,
        url: URL | str,
        *,
        auth: BasicAuth | str | None = None,
        headers: "_Fields | None" = None,
        ssl: TLSSetting = True,
        server_hostname: str | None = None,
        via: "Proxy | URL | str | None" = None,
    ) -> None:
        parsed = _parsed(url)
        is_socks = parsed.scheme.startswith("socks")
        set_once = object.__setattr__
        set_once(self, "scheme", parsed.scheme)
        set_once(self, "host", normalise_host(parsed.raw_host or ""))
        set_once(self, "port", parsed.explicit_port or _DEFAULT_PORTS[parsed.scheme])
        set_once(self, "is_socks", is_socks)
        username, password = _credentials(parsed, auth) if is_socks else (None, None)
        set_once(self, "username", username)
        set_once(self, "password", password)
        if is_socks and headers:
            raise ValueError("a SOCKS proxy takes no header fields")
        fields = FieldBlock() if is_socks else _hop_fields(parsed, auth, headers)
        set_once(self, "fields", fields)
        set_once(self, "ssl", ssl)
        set_once(self, "server_hostname", server_hostname)
        set_once(self, "via", None if via is None else as_proxy(via))
        target = Target(
            "https" if parsed.scheme == "https" else "http",
            self.host,
            self.port,
            ssl=ssl,
            server_hostname=server_hostname,
            proxy=self.via,
        )
        set_once(self, "target", target)
        key = (self.scheme, self.target, username, password, fields.encoded)
        set_once(self, "_key", key)
        set_once(self, "_hash", hash(key))

    @property
    def resolves_names(self) -> bool:
        """Whether the proxy is told names; otherwise it is told addresses."""
        return self.scheme not in _RESOLVED_HERE

    @property
    def is_authorized(self) -> bool:
        """Whether there are credentials for it."""
        return self.username is not None or "proxy-authorization" in self.fields.names

    def authorized(self, value: str) -> "Proxy":
        """The same proxy with this value of Proxy-Authorization in place of its credentials.

        Raises: `ValueError` for a SOCKS proxy, which takes no such field.
        """
        kept = [pair for pair in self.fields.pairs if pair[0].lower() != "proxy-authorization"]
        return Proxy(
            self._where(),
            auth=value,
            headers=kept,
            ssl=self.ssl,
            server_hostname=self.server_hostname,
            via=self.via,
        )

    def detached(self) -> "Proxy":
        """The same proxy without credentials, fields and live contexts: for exceptions."""
        ref = TLSContextRef(id(self.ssl)) if isinstance(self.ssl, SSLContext) else self.ssl
        via = None if self.via is None else self.via.detached()
        return Proxy(self._where(), ssl=ref, server_hostname=self.server_hostname, via=via)

    def _where(self) -> URL:
        return URL.build(scheme=self.scheme, host=self.host, port=self.port)

    @override
    def __hash__(self) -> int:
        return self._hash

    @override
    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Proxy):
            return NotImplemented
        return self._hash == other._hash and self._key == other._key

    @override
    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Proxy is immutable: cannot set {name!r}")

    @override
    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Proxy is immutable: cannot delete {name!r}")

    @override
    def __repr__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        via = "" if self.via is None else f" via {self.via!r}"
        return f"<Proxy {self.scheme}://{host}:{self.port}{via}>"

    # A context cannot be pickled, and a password must not be written down by accident.
    @override
    def __reduce__(self) -> tuple[Any, ...]:
        plain = self.detached()
        return _rebuild, (str(self._where()), plain.ssl, plain.server_hostname, plain.via)


def as_proxy(
    value: "Proxy | URL | str",
    *,
    auth: BasicAuth | str | None = None,
    headers: "_Fields | None" = None,
    ssl: TLSSetting = True,
) -> Proxy:
    """The proxy that a `proxy=` argument and those beside it mean.

    Raises: `ValueError` when a whole `Proxy` comes with others beside it, and as `Proxy`.
    """
    if not isinstance(value, Proxy):
        return Proxy(value, auth=auth, headers=headers, ssl=ssl)
    if auth is not None or headers or ssl is not True:
        raise ValueError("a Proxy says by itself how it is spoken to")
    return value


def _rebuild(url: str, ssl: TLSSetting, server_hostname: str | None, via: Proxy | None) -> Proxy:
    return Proxy(url, ssl=ssl, server_hostname=server_hostname, via=via)


def _parsed(url: URL | str) -> URL:
    if not isinstance(url, URL | str):
        raise TypeError(f"a proxy is a URL or a str, not {type(url).__name__}")
    try:
        parsed = URL(url)
        normalise_host(parsed.raw_host or "")
    except ValueError:
        # No cause: its message would quote the URL, which may hold a password.
        raise ValueError("not the URL of a proxy: scheme://host:port is") from None
    if parsed.scheme not in _DEFAULT_PORTS:
        kinds = ", ".join(_DEFAULT_PORTS)
        raise ValueError(f"unknown kind of proxy {parsed.scheme!r}: there are {kinds}")
    if parsed.raw_path not in ("", "/") or parsed.raw_query_string or parsed.raw_fragment:
        raise ValueError("the URL of a proxy has no path, query or fragment")
    return parsed


def _credentials(url: URL, auth: BasicAuth | str | None) -> tuple[str | None, str | None]:
    """User and password for SOCKS: both or none for version 5 (RFC 1929), a user at most for version 4."""
    if isinstance(auth, str):
        raise ValueError("a SOCKS proxy takes a user and a password: give it a BasicAuth")
    username, password = url.user, url.password
    if auth is not None:
        username, password = auth.login, auth.password
    if url.scheme.startswith("socks4"):
        if password:
            raise ValueError("SOCKS 4 has users and no passwords")
        if username is not None and "\0" in username:
            raise ValueError("the user of a SOCKS 4 proxy must not contain NUL")
    elif username is not None or password is not None:
        for what, text in (("user", username), ("password", password)):
            octets = len((text or "").encode("utf-8", "surrogatepass"))
            if not 0 < octets < 256:
                raise ValueError(
                    f"SOCKS 5 takes a user and a password of 1 to 255 octets each (RFC 1929 section 2): "
                    f"the {what} has {octets}"
                )
    return username, password


def _hop_fields(url: URL, auth: BasicAuth | str | None, headers: "_Fields | None") -> FieldBlock:
    given = FieldBlock(headers or ())
    forbidden = _FRAMING & given.names
    if forbidden:
        raise ValueError(f"the connection has its own {', '.join(sorted(forbidden))}")
    value: str | None = None
    if isinstance(auth, str):
        value = auth
    elif auth is not None:
        value = auth.encode()
    elif url.user is not None or url.password is not None:
        value = encode_basic_auth(url.user or "", url.password or "")
    if value is None:
        return given
    if "proxy-authorization" in given.names:
        raise ValueError("credentials for the proxy are given twice")
    return FieldBlock([("Proxy-Authorization", value), *given.pairs])
