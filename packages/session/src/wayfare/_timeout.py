"""`ClientTimeout`: how long a request may take, in all and step by step."""

import sys
from collections.abc import Callable
from functools import partial
from typing import Final, final

from wayfare_connector import ConnectTimeouts
from wayfare_http_core import SocketTimeoutError

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("DEFAULT_TIMEOUT", "UNSET", "ClientTimeout", "Unset", "read_timeout_option")


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


def _total_timeout_error(seconds: float | None) -> TimeoutError:
    return TimeoutError(f"the request took longer than {seconds:g} s in total")


def _read_timeout_error(seconds: float) -> SocketTimeoutError:
    return SocketTimeoutError(f"nothing arrived for {seconds:g} s")


_FIELDS = ("total", "connect", "sock_read", "sock_connect")


def _checked(name: str, seconds: float | None) -> float | None:
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise TypeError(
            f"timeout {name} must be a number of seconds or None, not {type(seconds).__name__}"
        )
    if not seconds >= 0:
        raise ValueError(f"timeout {name} must not be negative, and {seconds!r} is")
    return float(seconds) or None


@final
class ClientTimeout:
    """Limits in seconds; None or 0 for none. Immutable.

    - `total`: the whole operation, until the content is read to its end; - `connect`: getting a connection: the
    wait for a place in the pool and everything until it is established; - `sock_connect`: establishing one
    connection to a peer; - `sock_read`: the wait for the next octets from the peer; before the response's head,
    sending the request counts too.

    It knows which fields were given. For those that were not, a request takes its session's, and a session the
    default's (`total=300, sock_connect=30`), so that limiting one thing lifts no other limit.

    Raises: ValueError for a negative number, TypeError for what is no number.
    """

    __slots__ = (
        "_given",
        "connect",
        "connect_timeouts",
        "read_timeout",
        "sock_connect",
        "sock_read",
        "total",
        "total_error",
    )

    total: float | None
    connect: float | None
    sock_read: float | None
    sock_connect: float | None
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
    ) -> None:
        given = {}
        for name, seconds in zip(_FIELDS, (total, connect, sock_read, sock_connect), strict=True):
            if not isinstance(seconds, Unset):
                given[name] = _checked(name, seconds)
            object.__setattr__(self, name, given.get(name))
        object.__setattr__(self, "_given", given)
        # What the layers below ask for with every request, made once.
        limits = ConnectTimeouts(connect=self.connect, sock_connect=self.sock_connect)
        object.__setattr__(self, "connect_timeouts", limits)
        quiet = self.sock_read
        pair = None if quiet is None else (quiet, partial(_read_timeout_error, quiet))
        object.__setattr__(self, "read_timeout", pair)
        object.__setattr__(self, "total_error", partial(_total_timeout_error, self.total))

    def over(self, base: "ClientTimeout") -> "ClientTimeout":
        """This timeout, with the fields that were not given taken from `base`."""
        given: dict[str, float | None] = self._given
        return ClientTimeout(
            **{name: given[name] if name in given else getattr(base, name) for name in _FIELDS}
        )

    _given: dict[str, float | None]

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
        return hash(tuple(self._given.items()))

    @override
    def __repr__(self) -> str:
        return f"ClientTimeout({', '.join(f'{name}={seconds!r}' for name, seconds in self._given.items())})"

    @override
    def __reduce__(self) -> "tuple[Callable[..., ClientTimeout], tuple[float | Unset | None, ...]]":
        return ClientTimeout, tuple(self._given.get(name, UNSET) for name in _FIELDS)


DEFAULT_TIMEOUT: Final = ClientTimeout(total=300, sock_connect=30)


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
