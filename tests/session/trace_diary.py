"""What the suites of tracing share: a diary of signals, and what a server answers."""

from collections.abc import Awaitable, Callable
from typing import Any

import wayfare
from wayfare import tracing

SIGNALS = [name for name in vars(tracing.TraceConfig) if name.startswith("on_")]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
FOUND = b"HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"

Handler = Callable[[str, Any], Awaitable[None]]

CREATED = ["connection_create_start", "dial_start", "dial_end", "connection_create_end"]
ANSWERED = ["request_headers_sent", "response_start"]
READ = ["response_chunk_received", "response_end"]


async def nothing(name: str, params: Any) -> None:
    """What a handler does by default."""


class Diary:
    """Keeps what every signal told; `obstacle` runs within each handler."""

    def __init__(self, *signals: str, obstacle: Handler = nothing) -> None:
        self.told: list[tuple[str, Any]] = []
        self.contexts: list[Any] = []
        self.obstacle = obstacle
        self.config = tracing.TraceConfig()
        for name in signals or SIGNALS:
            getattr(self.config, name).append(self._handler(name))

    def _handler(self, name: str) -> Callable[[Any, Any, Any], Awaitable[None]]:
        async def handle(session: Any, context: Any, params: Any) -> None:
            assert isinstance(session, wayfare.ClientSession)
            self.told.append((name, params))
            self.contexts.append(context)
            await self.obstacle(name, params)

        return handle

    @property
    def names(self) -> list[str]:
        """The signals in order."""
        return [name.removeprefix("on_") for name, _ in self.told]

    def all(self, name: str) -> list[Any]:
        """What this signal told, each time."""
        return [params for told, params in self.told if told == f"on_{name}"]

    def one(self, name: str) -> Any:
        """What this signal told, once."""
        (params,) = self.all(name)
        return params
