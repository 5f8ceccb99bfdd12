"""What a measured client must be able to do, and what it is opened with.

Every client is wrapped in an adapter of this shape, so that the loops that measure are the same
code for all. An adapter adds one coroutine call per request, the same for everyone.
"""

from collections.abc import AsyncIterator, Callable, Sized
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a client is opened: room for `connections` at once, trusting the authority `ca_file`.

    Everything else stays at the client's own defaults. Certificates are always verified.
    """

    connections: int
    ca_file: Path | None = None


class Client(Protocol):
    """One shared client (session) of some library, speaking HTTP/1.1."""

    async def get(self, url: str) -> tuple[int, Sized]:
        """GET `url`; return the status and the whole body."""

    async def download(self, url: str) -> tuple[int, int]:
        """GET `url`, dropping each piece as it comes; return the status and the octets seen."""

    async def upload(self, url: str, body: bytes) -> tuple[int, bytes]:
        """POST `body`, held in memory; return the status and the body of the answer."""

    async def upload_stream(self, url: str, body: AsyncIterator[bytes]) -> tuple[int, bytes]:
        """POST the pieces of `body` as they are made; return the status and the answer's body."""


Opener: TypeAlias = Callable[[Settings], AbstractAsyncContextManager[Client]]


class WrongAnswerError(Exception):
    """A client returned another status or another length than the server sent."""
