"""Torture of the middlewares that authenticate, repeat and slow down: every await disturbed (section 4.3)."""

import asyncio
import sys
from collections.abc import Callable, Iterable, Sequence

import pytest
from wayfare import (
    BearerAuthMiddleware,
    BearerToken,
    ClientMiddlewareType,
    ClientSession,
    ClientTimeout,
    DigestAuthMiddleware,
    RateLimitMiddleware,
    RetryMiddleware,
    RetryPolicy,
    TCPConnector,
)
from wayfare_connector.testing import MemoryDialer
from wayfare_http_core.testing import (
    Action,
    Drip,
    Fin,
    ReadRequest,
    Repeat,
    Scenario,
    Send,
    World,
    torture,
)

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SERVE = Repeat(ReadRequest(), Send(OK))
LINGERING = ("DeadlineQueue._fire",)


def digest_challenge(nonce: bytes, more: bytes = b"") -> bytes:
    return (
        b"HTTP/1.1 401 Who\r\nContent-Length: 4\r\n"
        b'WWW-Authenticate: Digest realm="r", nonce="%b", qop="auth-int"%b\r\n\r\nwho?'
        % (nonce, more)
    )


class Through(Scenario):
    """A session with middlewares; its first connection plays the script, every later one just answers."""

    script: tuple[Action, ...] = (SERVE,)

    def middlewares(self) -> Sequence[ClientMiddlewareType]:
        raise NotImplementedError

    @override
    async def setup(self) -> None:
        self.world.serve("h", 80, [*self.script, SERVE], [SERVE])
        self.connector = TCPConnector(dialer=MemoryDialer(self.world.network))
        self.session = ClientSession(
            "http://h/",
            connector=self.connector,
            timeout=ClientTimeout(total=300),
            middlewares=self.middlewares(),
        )

    @override
    async def run(self) -> None:
        async with self.session.post("/", data=b"content") as answer:
            assert await answer.read() == b"ok"

    @override
    async def follow_up(self) -> None:
        self.world.serve("h", 80, [SERVE])  # the script may not have been asked for at all
        await asyncio.gather(*[self.fetch() for _ in range(3)])

    async def fetch(self) -> None:
        async with self.session.get("/after") as answer:
            assert await answer.read() == b"ok"

    @override
    async def close(self) -> None:
        await self.session.close()

    @override
    def idle_transports(self) -> int:
        return self.connector.stats().idle

    @override
    def violations(self) -> Iterable[str]:
        stats = self.connector.stats()
        if (stats.leased, stats.waiting, stats.connecting) != (0, 0, 0):
            yield f"the pool's books: {stats}"


class DigestAsked(Through):
    """A challenge, and another because the nonce went stale; the content is read to be signed."""

    script = (
        *(ReadRequest(), Drip(digest_challenge(b"n"), 40)),
        *(ReadRequest(), Drip(digest_challenge(b"m", b", stale=true"), 40)),
        *(ReadRequest(), Drip(OK, 9)),
    )

    @override
    def middlewares(self) -> Sequence[ClientMiddlewareType]:
        return [DigestAuthMiddleware("me", "secret")]


class BearerRefused(Through):
    """A token that takes a while, is refused, and is replaced by another one, for two requests at once."""

    script = (
        ReadRequest(),
        Drip(b"HTTP/1.1 401 Old\r\nContent-Length: 3\r\n\r\nold", 20),
        ReadRequest(),
        Drip(OK, 9),
    )

    @override
    def middlewares(self) -> Sequence[ClientMiddlewareType]:
        async def fetch() -> BearerToken:
            await asyncio.sleep(1)
            async with self.session.get("http://tokens/") as answer:
                return BearerToken(await answer.text(), 3600)

        self.world.serve("tokens", 80, [SERVE])
        return [BearerAuthMiddleware(fetch, origin="http://h/")]

    @override
    async def run(self) -> None:
        results = await asyncio.gather(super().run(), super().run(), return_exceptions=True)
        for failure in filter(None, results):
            raise failure


class Retried(Through):
    """An answer to wait after, a connection that breaks, and an answer that is good."""

    script = (
        ReadRequest(),
        Drip(b"HTTP/1.1 503 Busy\r\nRetry-After: 2\r\nContent-Length: 4\r\n\r\nbusy", 20),
        ReadRequest(),
        Fin(),
    )

    @override
    def middlewares(self) -> Sequence[ClientMiddlewareType]:
        return [RetryMiddleware(RetryPolicy(idempotency_key="Idempotency-Key"), draw=lambda: 0.5)]


class InLine(Through):
    """Three requests, of which two wait for their turn."""

    @override
    def middlewares(self) -> Sequence[ClientMiddlewareType]:
        return [RateLimitMiddleware(1, per=2)]

    @override
    async def run(self) -> None:
        results = await asyncio.gather(
            super().run(), super().run(), super().run(), return_exceptions=True
        )
        for failure in filter(None, results):
            raise failure


SCENARIOS: tuple[Callable[[World], Through], ...] = (BearerRefused, DigestAsked, InLine, Retried)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_torture(scenario: Callable[[World], Through]) -> None:
    report = torture(scenario, lingering_timers=LINGERING)
    assert report.points > 0
    assert report.acted > report.points
