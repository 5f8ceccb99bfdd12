"""The connector for TCP."""

import socket
import sys
from ssl import SSLContext
from typing import TYPE_CHECKING, Any, ClassVar, Final, Unpack, final

from ._connector import BaseConnector
from ._dialing_connector import DialingConnector
from ._hosts import normalise_host
from ._target import LocalAddress, TLSSetting
from ._tls_options import read_tls_options

if TYPE_CHECKING:
    from ._address_policy import AddressPolicy
    from ._connector_options import ConnectorOptions
    from ._dialer import Dialer
    from ._resolver import AbstractResolver
    from ._sockets import SocketFactoryType
    from ._tcp_dialer import TCPDialer

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("TCPConnector",)


_DIALLING: Final[dict[str, Any]] = {
    "use_dns_cache": True,
    "ttl_dns_cache": 10,
    "dns_cache_max_size": 1000,
    "family": socket.AF_UNSPEC,
    "local_addr": None,
    "interface": None,
    "resolver": None,
    "address_policy": None,
    "happy_eyeballs_delay": 0.25,
    "interleave": None,
    "socket_factory": None,
    "tcp_keepalive": False,
}
"""The defaults of what a foreign dialer decides by itself."""


@final
class TCPConnector(DialingConnector):
    """Connects over TCP, with TLS for `https`.

    `ssl` is for targets that are asked for without a setting of their own: whoever makes targets
    reads it here; `verify_ssl`, `ssl_context` and `fingerprint` are its spellings of old, with a
    `DeprecationWarning`.

    What a name resolves to is kept for `ttl_dns_cache` seconds (None for ever) unless
    `use_dns_cache` is false, for `dns_cache_max_size` names. `address_policy` is asked before
    anything is connected to. Sockets are made by `socket_factory` if there is one, bound to the
    network `interface` (on Linux) and to `local_addr` if they are given; with `tcp_keepalive` the
    system probes whether an idle peer still lives, after its own time or after so many seconds.
    `family`, `resolver`, `happy_eyeballs_delay` and `interleave` are those of `TCPDialer`.

    What cannot be is refused with a `ValueError` or a `TypeError`, a name in `local_addr` too: it takes an address.
    With a `dialer` of one's own none of the second paragraph has a meaning, and all of it is refused.
    A resolver or dialer that is handed in stays the caller's to close. The rest: see `BaseConnector`,
    of whose old arguments `enable_cleanup_closed` and `timeout_ceil_threshold` are taken, too.
    """

    allowed_protocol_schema_set: ClassVar[frozenset[str]] = (
        BaseConnector.allowed_protocol_schema_set | {"tcp"}
    )

    def __init__(
        self,
        *,
        ssl: TLSSetting = True,
        verify_ssl: bool | None = None,
        ssl_context: SSLContext | None = None,
        fingerprint: bytes | str | None = None,
        use_dns_cache: bool = True,
        ttl_dns_cache: float | None = 10,
        dns_cache_max_size: int = 1000,
        family: socket.AddressFamily = socket.AF_UNSPEC,
        local_addr: LocalAddress | None = None,
        interface: str | None = None,
        resolver: "AbstractResolver | None" = None,
        address_policy: "AddressPolicy | None" = None,
        happy_eyeballs_delay: float | None = 0.25,
        interleave: int | None = None,
        socket_factory: "SocketFactoryType | None" = None,
        tcp_keepalive: bool | float = False,
        dialer: "Dialer | None" = None,
        **options: "Unpack[ConnectorOptions]",
    ) -> None:
        setting = read_tls_options(
            ssl, verify_ssl=verify_ssl, ssl_context=ssl_context, fingerprint=fingerprint
        )
        dialling: dict[str, Any] = {
            "use_dns_cache": use_dns_cache,
            "ttl_dns_cache": ttl_dns_cache,
            "dns_cache_max_size": dns_cache_max_size,
            "family": family,
            "local_addr": local_addr,
            "interface": interface,
            "resolver": resolver,
            "address_policy": address_policy,
            "happy_eyeballs_delay": happy_eyeballs_delay,
            "interleave": interleave,
            "socket_factory": socket_factory,
            "tcp_keepalive": tcp_keepalive,
        }
        self._own_dialer: TCPDialer | None = None
        if dialer is None:
            dialer = self._own_dialer = _tcp_dialer(dialling)
        elif dialling != _DIALLING:
            raise ValueError("a dialer brings its own way of resolving and connecting")
        super().__init__(dialer, setting, **options)

    @property
    def family(self) -> socket.AddressFamily:
        """The family of addresses that are connected to, `AF_UNSPEC` for any."""
        return socket.AF_UNSPEC if self._own_dialer is None else self._own_dialer.family

    @property
    def use_dns_cache(self) -> bool:
        """Whether what names resolve to is kept for a while."""
        return self._own_dialer is not None and self._own_dialer.dns_cache is not None

    def clear_dns_cache(self, host: str | None = None, port: int | None = None) -> None:
        """Forget what names resolve to: all of them, one, or one at one port.

        Raises: `ValueError` for a port without a host, and for what is no host.
        """
        if host is None and port is not None:
            raise ValueError("a port alone does not name anything to forget")
        if self._own_dialer is not None and self._own_dialer.dns_cache is not None:
            name = None if host is None else normalise_host(host)
            self._own_dialer.dns_cache.clear(name, port)

    @override
    async def close(self, *, abort_ssl: bool = False) -> None:
        """See `BaseConnector.close`; the connector's own resolver is closed too.

        Cancellation: what is still open is aborted.
        """
        try:
            await super().close(abort_ssl=abort_ssl)
        finally:
            if self._own_dialer is not None:
                await self._own_dialer.close()


def _tcp_dialer(settings: dict[str, Any]) -> "TCPDialer":
    """The dialer with these settings; what it needs loads with the first one."""
    from ._dns_cache import DNSCache
    from ._sockets import SocketSettings
    from ._tcp_dialer import TCPDialer

    names = ("local_addr", "interface", "tcp_keepalive", "socket_factory")
    sockets = SocketSettings(**{name: settings.pop(name) for name in names})
    cache = None
    seconds, size = settings.pop("ttl_dns_cache"), settings.pop("dns_cache_max_size")
    if settings.pop("use_dns_cache"):
        cache = DNSCache(seconds, size)
    return TCPDialer(sockets=sockets, dns_cache=cache, **settings)
