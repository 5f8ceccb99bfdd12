"""How long it took to make a connection, stage by stage."""

from typing import NamedTuple, final

__all__ = ("ConnectTimings",)


@final
class ConnectTimings(NamedTuple):
    """Seconds that each stage of making a connection took; None for a stage that there was not."""

    queued: float | None = None
    """Waiting for a place in the pool."""
    dns: float | None = None
    """Resolving the name of whoever was connected to: the target, or its proxy."""
    dial: float | None = None
    """Opening the transport."""
    tunnel: float | None = None
    """Asking a proxy for a way to the target."""
    tls: float | None = None
    """TLS handshakes: the target's, and the proxy's if it has one."""
    total: float | None = None
    """From the moment somebody asked for a connection until it stood."""
