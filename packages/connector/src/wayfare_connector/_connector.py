"""Connectors: what a session asks for connections."""

import asyncio
import sys
import warnings
from abc import ABC, abstractmethod
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Final
from weakref import ReferenceType, ref

from wayfare_http_core import ClientError, Connection, ConnectionOwner

from ._errors import ClientConnectorError, ConnectorClosedError
from ._lender import Lender
from ._pool import Pool, Ticket, TicketState
from ._target import Target, TLSSetting
from ._timeouts import ConnectDeadline, ConnectTimeouts

if TYPE_CHECKING:
    from ._observer import ConnectObserver
    from ._pool_stats import PoolStats

if sys.version_info >= (3, 12):
    from typing import Self, override
else:
    from typing import Self

    from typing_extensions import override

__all__ = ("DEFAULT_KEEPALIVE", "BaseConnector")

DEFAULT_KEEPALIVE: Final = 15.0
_NO_TIMEOUTS: Final = ConnectTimeouts()


class BaseConnector(ABC):
    """Leases connections from a pool, and makes new ones as its subclass knows how.

    A subclass implements `open_connection`; pooling, limits, waiting, timeouts, observation and
    closing are the same for all.

    `limit` and `limit_per_host` are in connections, 0 or None for none. `keepalive_timeout` is how
    many seconds an idle connection is kept, None for ever; with `force_close` none is used twice.
    A connection is lent no more once it is `max_connection_age` seconds old or was lent
    `max_connection_uses` times: so a change of addresses, or a new machine behind a balancer, is
    noticed. `ssl_shutdown_timeout` bounds the seconds that closing takes: what is still open then is
    aborted; 0 aborts at once, None waits.

    `enable_cleanup_closed` asks for what is always done: closing that takes too long is cut short.
    `timeout_ceil_threshold` is the number of seconds from which timeouts may be rounded up to whole
    ones, to save timers; none are, because all share one timer.

    Made anywhere, a connector belongs to the event loop that uses it first, and to one process: in
    a child that was forked afterwards its use is a `RuntimeError` (O10, L15). `loop` is accepted
    and ignored, with a `DeprecationWarning`.
    """

    allowed_protocol_schema_set: ClassVar[frozenset[str]] = frozenset(
        {"http", "https", "ws", "wss"}
    )
    """The schemes of URLs that this connector can connect to. Beside these four, each is a name of plain HTTP."""

    def __init__(
        self,
        *,
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
        if loop is not None:
            warnings.warn(
                "loop= does nothing: a connector belongs to the loop that uses it first",
                DeprecationWarning,
                stacklevel=4,
            )
        if enable_cleanup_closed:
            warnings.warn(
                "enable_cleanup_closed= is old: ssl_shutdown_timeout always bounds closing",
                DeprecationWarning,
                stacklevel=4,
            )
        counts = {
            "limit": limit,
            "limit_per_host": limit_per_host,
            "max_connection_uses": max_connection_uses,
        }
        for name, count in counts.items():
            if count is not None and not isinstance(count, int):
                raise TypeError(f"{name} must be an int or None, not {type(count).__name__}")
        if not timeout_ceil_threshold >= 0:
            raise ValueError("timeout_ceil_threshold cannot be negative")
        if force_close and keepalive_timeout not in (None, DEFAULT_KEEPALIVE):
            raise ValueError("keepalive_timeout has no meaning with force_close")
        if ssl_shutdown_timeout is not None and not ssl_shutdown_timeout >= 0:
            raise ValueError("ssl_shutdown_timeout cannot be negative")
        self._ssl_shutdown_timeout = ssl_shutdown_timeout
        self._session: ReferenceType[object] | None = None
        self._created_at = _caller()
        self._lender = Lender(
            Pool(
                limit=limit,
                limit_per_host=limit_per_host,
                keepalive_timeout=keepalive_timeout,
                force_close=force_close,
                max_age=max_connection_age,
                max_uses=max_connection_uses,
            )
        )

    @abstractmethod
    async def open_connection(
        self,
        target: Target,
        owner: ConnectionOwner,
        *,
        deadline: ConnectDeadline,
        observer: "ConnectObserver | None",
    ) -> Connection:
        """Make a new connection to the target that reports to this owner.

        Not called by users: `connect` calls it when the pool has a place but no connection. A target that
        `is_ssl` is spoken to over TLS, and one with a `proxy` through that: `open_http1` does both.
        Who cannot raises an error: nothing goes out in the clear or on another way instead.

        Raises: `ClientConnectorError` or another `ClientError`; an `OSError` becomes the former.
        Cancellation: must leave nothing open.
        """

    @property
    def limit(self) -> int:
        """Connections in all, 0 for no limit."""
        return self._lender.pool.limit

    @property
    def limit_per_host(self) -> int:
        """Connections per (host, port, is_ssl), 0 for no limit."""
        return self._lender.pool.limit_per_host

    @property
    def keepalive_timeout(self) -> float | None:
        """Seconds that an idle connection is kept, None for ever."""
        return self._lender.pool.keepalive_timeout

    @property
    def force_close(self) -> bool:
        """Whether no connection is used twice."""
        return self._lender.pool.force_close

    @property
    def ssl(self) -> TLSSetting:
        """The TLS setting for targets that are asked for without one of their own."""
        return True

    @property
    def ssl_shutdown_timeout(self) -> float | None:
        """Seconds that closing may take, 0 to abort at once, None to wait."""
        return self._ssl_shutdown_timeout

    @property
    def fixed_destination(self) -> bool:
        """Whether every connection leads to the same peer, whatever the target is, as with a Unix socket; False unless
        a subclass says otherwise.

        Then there is no way through a proxy: what is meant for one would reach the peer. The environment's proxies
        are not for such a connector, and a target that has a proxy is refused.
        """
        return False

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._lender.closed

    def stats(self) -> "PoolStats":
        """The pool's figures at this moment."""
        return self._lender.pool.stats()

    def claim(self, session: object) -> None:
        """Belong to a session, which will close the connector; again for the same one is harmless.

        Raises: `ValueError` when another living session has claimed it.
        """
        current = None if self._session is None else self._session()
        if current is not None and current is not session:
            raise ValueError(
                "the connector belongs to another session, which will close it: "
                "pass connector_owner=False to share it"
            )
        self._session = ref(session)

    def disclaim(self, session: object) -> None:
        """Undo `claim`: this session will not close the connector."""
        if self._session is not None and self._session() is session:
            self._session = None

    def lease_nowait(self, target: Target) -> Connection | None:
        """A connection to this target that idles in the pool, leased; or None: `connect` then.

        Raises: `RuntimeError` on another loop than before, and in a forked child.
        """
        return self._lender.lease(target)

    async def connect(
        self,
        target: Target,
        timeouts: ConnectTimeouts = _NO_TIMEOUTS,
        observer: "ConnectObserver | None" = None,
    ) -> Connection:
        """Lease a connection: an idle one, or a new one as soon as the pool has a place.

        The lease ends by itself when the connection's exchange does.

        Raises: `ClientConnectorError` and its kin, `ConnectionTimeoutError` by phase,
        `ConnectorClosedError`; `ValueError` for a target behind a proxy where the destination is
        fixed; `RuntimeError` on another loop than before and in a forked child.
        Cancellation: nothing stays leased or open; a place that was granted goes to the next.
        """
        self._lender.bind()
        if self._lender.closed:
            raise ConnectorClosedError
        connection = self._lender.lease(target)
        if connection is None:
            if target.proxy is not None and self.fixed_destination:
                raise ValueError("this connector leads to one peer, never through a proxy")
            deadline = ConnectDeadline(target, timeouts)
            with deadline.overall():
                return await self._obtain(target, deadline, observer)
        if observer is not None:
            await self._tell_reused(target, connection, observer)
        return connection

    async def preconnect(
        self,
        target: Target,
        count: int = 1,
        timeouts: ConnectTimeouts = _NO_TIMEOUTS,
        observer: "ConnectObserver | None" = None,
    ) -> None:
        """See to it that so many connections to this target idle in the pool, ready for requests.

        Those that idle already count. They stay as long as any idle connection does.

        Raises: `ValueError` for more than the limits allow, and with `force_close`; otherwise as
        `connect`, after those that were made already went to the pool.
        Cancellation: what is being made is given up, what was made stays in the pool.
        """
        room = min([limit for limit in (self.limit, self.limit_per_host) if limit], default=count)
        if not 0 < count <= room:
            raise ValueError(f"{count} connections at once are none, or more than the limits allow")
        if self.force_close:
            raise ValueError("with force_close no connection is kept")
        made: list[Connection] = []

        async def make_one() -> None:
            # Kept until all are there: another would get this one instead of a new one.
            made.append(await self.connect(target, timeouts, observer))

        making = [asyncio.ensure_future(make_one()) for _ in range(count)]
        try:
            await asyncio.gather(*making)
        finally:
            for task in making:
                task.cancel()
            for connection in made:
                self._lender.give_back(connection)
            await asyncio.wait(making)

    async def close(self, *, abort_ssl: bool = False) -> None:
        """Close idle connections, abort leased ones, fail whoever waits, and wait for all of it.

        All in parallel and bounded by `ssl_shutdown_timeout`, or at once with `abort_ssl`, without
        TLS's goodbyes; afterwards no socket is open. Idempotent, safe from another task and during `connect`.

        Raises: `RuntimeError` on another loop than before, unless that one has ended: then nothing
        is left to wait for.
        Cancellation: what is still open is aborted.
        """
        await self._lender.close(0 if abort_ssl else self._ssl_shutdown_timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __enter__(self) -> None:
        raise TypeError(f"use 'async with' with a {type(self).__name__}")

    def __exit__(self, *args: object) -> None:
        self.__enter__()

    def __del__(self) -> None:
        lender: Lender | None = getattr(self, "_lender", None)
        if lender is None or not lender.open_connections or lender.is_foreign:
            return
        warnings.warn(
            f"unclosed connector {self!r}, made at {self._created_at}",
            ResourceWarning,
            stacklevel=1,
            source=self,
        )
        lender.abandon()

    @override
    def __repr__(self) -> str:
        stats = self.stats()
        state = " closed" if self.closed else ""
        return (
            f"<{type(self).__name__}{state} leased={stats.leased} connecting={stats.connecting} "
            f"idle={stats.idle} waiting={stats.waiting}>"
        )

    async def _obtain(
        self, target: Target, deadline: ConnectDeadline, observer: "ConnectObserver | None"
    ) -> Connection:
        lender = self._lender
        while True:
            ticket = await lender.place(target, deadline, observer)
            if ticket.state is TicketState.CONNECTING:
                return await self._create(ticket, target, deadline, observer)
            connection = lender.take(ticket)
            if connection is not None:
                if observer is not None:
                    await self._tell_reused(target, connection, observer)
                return connection

    async def _create(
        self,
        ticket: Ticket[Connection],
        target: Target,
        deadline: ConnectDeadline,
        observer: "ConnectObserver | None",
    ) -> Connection:
        lender = self._lender
        loop = lender.bind()
        started = loop.time()
        try:
            with lender.dialling():
                if observer is not None:
                    await observer.create_start(target)
                connection = await self.open_connection(
                    target, lender, deadline=deadline, observer=observer
                )
        except BaseException as exc:
            lender.give_up(ticket)
            if isinstance(exc, OSError) and not isinstance(exc, ClientError):
                raise ClientConnectorError(target, exc) from exc
            raise
        lender.adopt(ticket, target, connection)
        if observer is not None:
            try:
                await observer.create_end(target, connection, loop.time() - started)
            except BaseException:
                lender.give_back(connection)
                raise
        return connection

    async def _tell_reused(
        self, target: Target, connection: Connection, observer: "ConnectObserver"
    ) -> None:
        try:
            await observer.reused(target, connection)
        except BaseException:
            self._lender.give_back(connection)
            raise


def _caller() -> str:
    """File and line of whoever is making a connector, outside of our own packages."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in ("wayfare", "wayfare_connector")
