"""How one address failed, out of several that were tried."""

from typing import Any, NamedTuple, final

__all__ = ("FailedAttempt",)


@final
class FailedAttempt(NamedTuple):
    """One address that could not be connected to."""

    address: tuple[Any, ...]
    """As `socket.connect` takes it: `(host, port)` for IPv4, four items for IPv6."""
    errno: int | None
    message: str
