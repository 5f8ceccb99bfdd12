"""The connector for TCP."""

import asyncio
import socket
import sys
from ssl import SSLContext
from typing import TYPE_CHECKING, ClassVar, final

from ._connector import DEFAULT_KEEPALIVE, BaseConnector
from ._dialing_connector import DialingConnector
from ._hosts import normalise_host
from ._target import LocalAddress, TLSSetting
from ._tls_options import read_tls_options

if TYPE_CHECKING:
    from ._address_policy import AddressPolicy
    from ._dialer import Dialer
    from ._resolver import AbstractResolver
    from ._sockets import SocketFactoryType
    from ._tcp_dialer import TCPDialer

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("TCPConnector",)


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
        fingerprint: bytes | None = None,
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
        limit: int | None = 100,
        limit_per_host: int | None = 0,
        keepalive_timeout: float | None = DEFAULT_KEEPALIVE,
        force_close: bool = False,
        max_connection_age: float | None = None,
        max_connection_uses: int | None = None,
        ssl_shutdown_timeout: float | None = 1.0,
        enable_cleanup_closed: bool = False,
        timeout_ceil_threshold: float = 5,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        setting = read_tls_options(
            ssl, verify_ssl=verify_ssl, ssl_context=ssl_context, fingerprint=fingerprint
        )
        self._own_dialer: TCPDialer | None = None
        if dialer is None:
            # What dials and keeps addresses loads with the first connector that does.
            from ._tcp_dialer import make_tcp_dialer

            dialer = self._own_dialer = make_tcp_dialer(
                family=family,
                resolver=resolver,
                address_policy=address_policy,
                happy_eyeballs_delay=happy_eyeballs_delay,
                interleave=interleave,
                dns_cache=(ttl_dns_cache, dns_cache_max_size) if use_dns_cache else None,
                sockets=(local_addr, interface, tcp_keepalive, socket_factory),
            )
        elif (
            *(use_dns_cache, ttl_dns_cache, dns_cache_max_size, family, local_addr, interface),
            *(resolver, address_policy, happy_eyeballs_delay, interleave),
            *(socket_factory, tcp_keepalive),
        ) != (True, 10, 1000, socket.AF_UNSPEC, None, None, None, None, 0.25, None, None, False):
            raise ValueError("a dialer brings its own way of resolving and connecting")
        super().__init__(
            dialer,
            setting,
            limit=limit,
            limit_per_host=limit_per_host,
            keepalive_timeout=keepalive_timeout,
            force_close=force_close,
            max_connection_age=max_connection_age,
            max_connection_uses=max_connection_uses,
            ssl_shutdown_timeout=ssl_shutdown_timeout,
            enable_cleanup_closed=enable_cleanup_closed,
            timeout_ceil_threshold=timeout_ceil_threshold,
            loop=loop,
        )

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
    async def close(self) -> None:
        """See `BaseConnector.close`; the connector's own resolver is closed too.

        Cancellation: what is still open is aborted.
        """
        try:
            await super().close()
        finally:
            if self._own_dialer is not None:
                await self._own_dialer.close()
