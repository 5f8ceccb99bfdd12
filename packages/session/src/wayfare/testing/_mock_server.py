"""`MockServer`: the same as a mock connector, but on a port, for programs that make their own connections."""

import asyncio
import sys
from types import TracebackType
from typing import Any, final

from wayfare_connector import Target
from wayfare_http_core.testing import stop_accepting
from yarl import URL

from ._incoming import IncomingRequest
from ._mock_book import Mock, UnexpectedRequestError
from ._responder import Responder
from ._server_side import ServerSide

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("MockServer",)


@final
class MockServer(Mock):
    """A server on a free port of 127.0.0.1, which answers as it was told to; use it with `async with`.

    It is told as a `MockConnector` is. What cannot be raised in another program is kept for `verify`, which leaving the
    block calls: a request that nobody expected gets 501 and the reasons as text, and a function that fails 500; what
    `fail` says breaks the connection.
    """

    def __init__(self) -> None:
        super().__init__()
        self._server: asyncio.Server | None = None
        self._sides: set[ServerSide] = set()
        self._target = Target("http", "127.0.0.1")

    @property
    def url(self) -> URL:
        """Where it is, with a slash at the end. Raises: RuntimeError while it does not run."""
        if self._server is None:
            raise RuntimeError("the server does not run")
        return URL.build(scheme="http", host="127.0.0.1", port=self._target.port, path="/")

    async def __aenter__(self) -> "MockServer":
        server = await asyncio.get_running_loop().create_server(self._accept, "127.0.0.1", 0)
        port: int = server.sockets[0].getsockname()[1]
        self._target = Target("http", "127.0.0.1", port)
        self._server = server
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._close()
        if exc is None:
            self.verify()

    async def _close(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        try:
            await stop_accepting(server)
        finally:
            server.close()
            for side in self._sides:
                side.abort()
        working = [side.task for side in self._sides if side.task is not None]
        for task in working:
            task.cancel()
        if working:
            await asyncio.wait(working)
        await asyncio.sleep(0)  # what was aborted is gone in the next iteration
        await server.wait_closed()

    def _accept(self) -> ServerSide:
        self._sides = {side for side in self._sides if side.is_open}
        side = ServerSide(self._serve, self._target, _drop)
        self._sides.add(side)
        return side

    async def _serve(self, request: IncomingRequest, responder: Responder) -> None:
        try:
            await self.answer(request, responder)
        except UnexpectedRequestError as exc:
            await _explain(responder, 501, exc)
        except Exception as exc:
            self._errors.append(exc)
            if responder.started:
                responder.abort()
            else:
                await _explain(responder, 500, exc)

    @override
    def _fail(self, error: Exception | type[Exception], responder: Responder) -> None:
        responder.abort()


async def _explain(responder: Responder, status: int, error: Exception) -> None:
    text = f"{type(error).__name__}: {error}\n".encode("utf-8", "replace")
    fields: Any = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(text))),
    ]
    responder.start(status, fields)
    await responder.write(text)
    responder.end()


def _drop(error: Exception) -> None:
    """What is no HTTP has no answer."""
