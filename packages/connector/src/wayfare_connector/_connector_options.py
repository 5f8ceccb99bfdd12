"""The options of every connector, for type checkers."""

import asyncio
from typing import TypedDict

__all__ = ("ConnectorOptions",)


class ConnectorOptions(TypedDict, total=False):
    """What `BaseConnector` takes; there it is explained."""

    limit: int | None
    limit_per_host: int | None
    keepalive_timeout: float | None
    force_close: bool
    max_connection_age: float | None
    max_connection_uses: int | None
    ssl_shutdown_timeout: float | None
    enable_cleanup_closed: bool
    timeout_ceil_threshold: float
    loop: asyncio.AbstractEventLoop | None
