"""`ClientWSTimeout`: how long a WebSocket may take, to open and then step by step."""

from dataclasses import dataclass
from typing import Final, final

from ._timeout import UNSET, ClientTimeout, Unset

__all__ = ("DEFAULT_WS_TIMEOUT", "ClientWSTimeout", "read_ws_timeout")


@final
@dataclass(frozen=True, slots=True)
class ClientWSTimeout:
    """Limits in seconds; None or 0 for none.

    - `ws_receive`: how long a call to receive a message waits (TimeoutError).
    - `ws_close`: how long the closing handshake takes at most, before the connection is cut off
    (`WSCloseTimeoutError`).
    - `ws_ping`: how long a Ping waits for its Pong (`WSPingTimeoutError`); half of `heartbeat` for those that it sends,
    if this is None.
    - `ws_open`: the opening handshake, with all that comes before it (`WSOpenTimeoutError`): seconds, or a
    `ClientTimeout` for its single steps. The session's limits, unless given.

    Raises: ValueError for a negative number, TypeError for what is no number.
    """

    ws_receive: float | None = None
    ws_close: float | None = 10.0
    ws_ping: float | None = None
    ws_open: ClientTimeout | float | Unset | None = UNSET

    def __post_init__(self) -> None:
        for name in ("ws_receive", "ws_close", "ws_ping"):
            object.__setattr__(self, name, _checked(name, getattr(self, name)))
        if not isinstance(self.ws_open, ClientTimeout | Unset):
            object.__setattr__(self, "ws_open", ClientTimeout(total=self.ws_open))


def _checked(name: str, seconds: object) -> float | None:
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        kind = type(seconds).__name__
        raise TypeError(f"timeout {name} must be a number of seconds or None, not {kind}")
    if not seconds >= 0:
        raise ValueError(f"timeout {name} must not be negative, and {seconds!r} is")
    return float(seconds) or None


def read_ws_timeout(value: object) -> ClientWSTimeout:
    """What a `timeout=` argument means: a `ClientTimeout` is for the opening.

    Raises: TypeError for anything else.
    """
    if isinstance(value, ClientWSTimeout):
        return value
    if isinstance(value, ClientTimeout):
        return ClientWSTimeout(ws_open=value)
    raise TypeError(
        f"timeout must be a ClientWSTimeout or a ClientTimeout, not {type(value).__name__}"
    )


DEFAULT_WS_TIMEOUT: Final = ClientWSTimeout()
"""The limits of a WebSocket that was given none."""
