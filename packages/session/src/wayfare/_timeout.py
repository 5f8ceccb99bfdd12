"""`ClientTimeout`: how long a request may take, in all and step by step."""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any, Final, final

from wayfare_connector import ConnectTimeouts
from wayfare_http_core import ReadTimeoutError

from ._errors import TotalTimeoutError

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = (
    "DEFAULT_TIMEOUT",
    "UNSET",
    "ClientTimeout",
    "MinimumSpeed",
    "Unset",
    "read_timeout_option",
)

MinimumSpeed = tuple[float, float]
"""Octets per second, and the seconds over which they are counted."""


@final
class Unset:
    """The type of `UNSET`, which stands for an argument that was not given (None means "no limit")."""

    __slots__ = ()

    @override
    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET: Final = Unset()
"""Stands where nothing was given, since None means that there is no limit."""


_SECONDS: Final = (
    "total",
    "connect",
    "sock_read",
    "sock_connect",
    "pool",
    "dns",
    "tls",
    "write",
    "first_byte",
    "proxy",
)
_FIELDS: Final = (*_SECONDS, "min_speed")


def _checked(name: str, seconds: object) -> float | None:
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise TypeError(
            f"timeout {name} must be a number of seconds or None, not {type(seconds).__name__}"
        )
    if not seconds >= 0:
        raise ValueError(f"timeout {name} must not be negative, and {seconds!r} is")
    return float(seconds) or None


def _checked_speed(pair: object) -> MinimumSpeed | None:
    if pair is None:
        return None
    if not isinstance(pair, tuple) or len(pair) != 2:
        raise TypeError("timeout min_speed must be (octets per second, seconds) or None")
    octets, seconds = (_checked("min_speed", number) for number in pair)
    if octets is None or seconds is None or not octets * seconds < float("inf"):
        raise ValueError(f"timeout min_speed must be two positive numbers, not {pair!r}")
    return octets, seconds


@final
class ClientTimeout:
    """Limits in seconds; None or 0 for none. Immutable.

    - `total`: the whole operation with its redirects, until the content is read to its end (`TotalTimeoutError`).
    - `connect`: getting a connection: the wait for a place in the pool and everything until it is established.
    - `sock_connect`: establishing one connection to a peer, its TLS and the way through a proxy included.
    - `sock_read`: the wait for the next octets, while it is the peer that has to send (`ReadTimeoutError`).
    - `pool`, `dns`, `tls`, `proxy`: single phases of `connect`: a place in the pool, a name's addresses, a TLS
      handshake, a proxy's answer when it is asked for the way (CONNECT or SOCKS).
    - `write`: how long the peer may take nothing of the request while some waits to be sent (`WriteTimeoutError`).
    - `first_byte`: from the end of the request to the first octet of an answer (`FirstByteTimeoutError`).
    - `min_speed`: (octets per second, seconds): content that comes more slowly, over so many seconds of waiting for it,
      is given up (`SlowTransferError`).

    It knows which fields were given. For those that were not, a request takes its session's, and a session the
    default's (`total=300, sock_connect=30`), so that limiting one thing lifts no other limit.

    `ceil_threshold` is accepted and has no effect: rounding up long timeouts saves timers where each request has its
    own, and here all of a loop's requests share one.

    Raises: ValueError for a negative number, TypeError for what is no number.
    """

    __slots__ = (
        "_given",
        "connect",
        "connect_timeouts",
        "dns",
        "first_byte",
        "min_speed",
        "pool",
        "proxy",
        "read_timeout",
        "sock_connect",
        "sock_read",
        "tls",
        "total",
        "total_error",
        "write",
    )

    total: float | None
    connect: float | None
    sock_read: float | None
    sock_connect: float | None
    pool: float | None
    dns: float | None
    tls: float | None
    write: float | None
    first_byte: float | None
    proxy: float | None
    min_speed: MinimumSpeed | None
    connect_timeouts: ConnectTimeouts
    """The part that the connector keeps to."""
    read_timeout: tuple[float, Callable[[], Exception]] | None
    """`sock_read` with the error that it raises, or None."""
    total_error: Callable[[], Exception]
    """Makes the error that `total` raises."""

    def __init__(
        self,
        total: float | Unset | None = UNSET,
        connect: float | Unset | None = UNSET,
        sock_read: float | Unset | None = UNSET,
        sock_connect: float | Unset | None = UNSET,
        ceil_threshold: float = 5,
        *,
        pool: float | Unset | None = UNSET,
        dns: float | Unset | None = UNSET,
        tls: float | Unset | None = UNSET,
        write: float | Unset | None = UNSET,
        first_byte: float | Unset | None = UNSET,
        min_speed: MinimumSpeed | Unset | None = UNSET,
        proxy: float | Unset | None = UNSET,
    ) -> None:
        _checked("ceil_threshold", ceil_threshold)
        phases = (pool, dns, tls, write, first_byte, proxy)
        given: dict[str, object] = {}
        for name, seconds in zip(
            _SECONDS, (total, connect, sock_read, sock_connect, *phases), strict=True
        ):
            if not isinstance(seconds, Unset):
                given[name] = _checked(name, seconds)
        if not isinstance(min_speed, Unset):
            given["min_speed"] = _checked_speed(min_speed)
        self._keep(given)

    def _keep(self, given: dict[str, object]) -> None:
        for name in _FIELDS:
            object.__setattr__(self, name, given.get(name))
        object.__setattr__(self, "_given", given)
        # What the layers below ask for with every request, made once.
        limits = ConnectTimeouts(
            connect=self.connect,
            sock_connect=self.sock_connect,
            pool=self.pool,
            dns=self.dns,
            tls=self.tls,
            proxy=self.proxy,
        )
        object.__setattr__(self, "connect_timeouts", limits)
        quiet = self.sock_read
        pair = None if quiet is None else (quiet, partial(ReadTimeoutError, quiet))
        object.__setattr__(self, "read_timeout", pair)
        object.__setattr__(self, "total_error", partial(TotalTimeoutError, self.total))

    def over(self, base: "ClientTimeout") -> "ClientTimeout":
        """This timeout, with the fields that were not given taken from `base`."""
        merged = ClientTimeout()
        merged._keep(base._given | self._given)
        return merged

    def __replace__(self, **changes: Any) -> "ClientTimeout":
        """For `copy.replace`: this timeout with other values for these fields. Raises: as `ClientTimeout`."""
        return ClientTimeout(**changes).over(self)

    _given: dict[str, object]

    @override
    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"ClientTimeout is immutable: cannot set {name!r}")

    @override
    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"ClientTimeout is immutable: cannot delete {name!r}")

    @override
    def __eq__(self, other: object) -> bool:
        return self._given == other._given if isinstance(other, ClientTimeout) else NotImplemented

    @override
    def __hash__(self) -> int:
        return hash(frozenset(self._given.items()))

    @override
    def __repr__(self) -> str:
        given = (f"{name}={self._given[name]!r}" for name in _FIELDS if name in self._given)
        return f"ClientTimeout({', '.join(given)})"

    @override
    def __reduce__(self) -> "tuple[Callable[..., ClientTimeout], tuple[dict[str, object]]]":
        return _restored, (self._given,)


def _restored(given: dict[str, object]) -> ClientTimeout:
    timeout = ClientTimeout()
    timeout._keep(given)
    return timeout


DEFAULT_TIMEOUT: Final = ClientTimeout(total=300, sock_connect=30)
"""The limits of a session that was given none."""


def read_timeout_option(value: object, base: ClientTimeout) -> ClientTimeout:
    """What a `timeout=` argument means over `base`: a number limits the total only, None and 0 lift that limit.

    Raises: ValueError, TypeError as `ClientTimeout`.
    """
    if isinstance(value, Unset):
        return base
    if isinstance(value, ClientTimeout):
        return value.over(base)
    if value is None or isinstance(value, int | float):
        return ClientTimeout(total=value).over(base)
    raise TypeError(
        f"timeout must be a ClientTimeout, a number of seconds or None, not {type(value).__name__}"
    )
