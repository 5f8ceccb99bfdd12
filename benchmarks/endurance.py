"""`python -m benchmarks.endurance`: one kind of traffic after the other, each many times, with nothing left of it.

Each kind has a session of its own. After a warm-up what the process holds is counted, and again at the end: resident
memory may grow by 1 MiB, sockets, files and tasks not at all. Then come ten thousand requests without the cyclic
collector, which may cost 5 MiB (nothing may need it), and a while through a proxy that spoils connections, where each
request must end well or in a `ClientError` or `TimeoutError`, and none may hang. Needs nginx.
"""

import argparse
import asyncio
import gc
import ssl
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from random import Random
from socket import AddressFamily, socket
from typing import TypeAlias

import wayfare
from wayfare.abc import AbstractResolver, ResolveResult

from benchmarks.contract import WrongAnswerError
from benchmarks.server import awkward, nginx
from benchmarks.server.nginx import KIB, PAGE, SMALL
from benchmarks.soak import ALLOWED, Census, census
from benchmarks.traffic import Place, cancelled

WITHOUT_COLLECTOR = 5 << 20
"""Octets that 10,000 requests may leave to a collector that does not run."""

_HANG = 20.0
"""Seconds after which a request through the spoiling proxy hangs: ten times its total time."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Where everything is."""

    plain: str
    tls: str
    trusted: ssl.SSLContext
    nobody: str
    websocket: str
    flaky: str


@dataclass(frozen=True, slots=True)
class Scene:
    """What one visit has: a session, the servers, chance, and the number of the visit."""

    session: wayfare.ClientSession
    servers: Servers
    random: Random
    number: int


Visit: TypeAlias = Callable[[Scene], Awaitable[None]]


class Everywhere(AbstractResolver):
    """Finds every name on this machine."""

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AddressFamily.AF_INET
    ) -> list[ResolveResult]:
        """Answer with 127.0.0.1."""
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=port,
                family=AddressFamily.AF_INET,
                proto=0,
                flags=0,
            )
        ]

    async def close(self) -> None:
        """Hold nothing."""


# -- what happens -----------------------------------------------------------------------------------------------------


async def _get(scene: Scene, url: str, expected: bytes) -> None:
    async with scene.session.get(url) as response:
        if await response.read() != expected:
            raise WrongAnswerError(f"{url} answered something else")


async def kept(scene: Scene) -> None:
    """GET 1 KiB over a connection that stays."""
    await _get(scene, f"{scene.servers.plain}/kib", KIB)


async def new_over_tls(scene: Scene) -> None:
    """GET 1 KiB over a new connection with TLS."""
    await _get(scene, f"{scene.servers.tls}/close", KIB)


async def compressed(scene: Scene) -> None:
    """GET a page that comes in gzip."""
    await _get(scene, f"{scene.servers.plain}/page", PAGE)


async def refused(scene: Scene) -> None:
    """GET what is not there, and raise for it."""
    await _failing(scene, f"{scene.servers.plain}/missing", wayfare.ClientResponseError)


async def redirected(scene: Scene) -> None:
    """GET what is elsewhere."""
    async with scene.session.get(f"{scene.servers.plain}/moved") as response:
        if len(await response.read()) != SMALL or not response.history:
            raise WrongAnswerError("the redirect was not followed")


async def given_up(scene: Scene) -> None:
    """Begin a GET and cancel it, wherever it is."""
    place = Place(scene.servers.plain, scene.servers.nobody, wayfare, scene.session)
    await cancelled(place, scene.random)


async def websocket(scene: Scene) -> None:
    """Open a WebSocket, have one message sent back, and close it."""
    async with scene.session.ws_connect(scene.servers.websocket) as opened:
        await opened.send_str("tea")
        if await opened.receive_str() != "tea":
            raise WrongAnswerError("something else came back")


async def unverified(scene: Scene) -> None:
    """Refuse a certificate that nobody vouches for."""
    await _failing(
        scene, f"{scene.servers.tls}/kib", wayfare.ClientConnectorCertificateError, ssl=True
    )


async def unconnected(scene: Scene) -> None:
    """Find nobody listening."""
    await _failing(scene, scene.servers.nobody, wayfare.ClientConnectorError)


async def another_host(scene: Scene) -> None:
    """GET 1 KiB from a host that was never asked before, and take its cookie."""
    port = scene.servers.plain.rpartition(":")[2]
    await _get(scene, f"http://host-{scene.number}.example:{port}/close", KIB)


async def _failing(
    scene: Scene, url: str, error: type[Exception], *, ssl: bool | None = None
) -> None:
    try:
        async with scene.session.get(url, raise_for_status=True, ssl=ssl) as response:
            await response.read()
    except error:
        return
    raise WrongAnswerError(f"{url} did not fail")


KINDS: Mapping[str, tuple[Visit, float]] = {
    "kept": (kept, 1),
    "new over TLS": (new_over_tls, 1),
    "gzip": (compressed, 1),
    "error statuses": (refused, 1),
    "cancelled": (given_up, 1),
    "redirects": (redirected, 1),
    "WebSockets": (websocket, 1),
    "bad certificates": (unverified, 0.1),
    "nobody there": (unconnected, 0.1),
    "other hosts": (another_host, 0.1),
}
"""What happens, and how much of the asked number of times."""


# -- how it is counted ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Tally:
    """How visits ended, and how long the slow ones took."""

    errors: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def slow(self, begin: float, end: float) -> float:
        """The 99th percentile of a stretch of the visits, in milliseconds."""
        part = sorted(self.seconds[int(len(self.seconds) * begin) : int(len(self.seconds) * end)])
        return part[int(len(part) * 0.99)] * 1000 if part else 0.0


async def visits(
    visit: Visit, session: wayfare.ClientSession, servers: Servers, count: int, seed: str
) -> Tally:
    """Make so many visits, fifty at a time."""
    tally = Tally()
    numbers = iter(range(count))

    async def go(random: Random) -> None:
        for number in numbers:
            begun = time.perf_counter()
            try:
                await visit(Scene(session, servers, random, number))
            except Exception as error:
                tally.errors[f"{type(error).__name__}: {error}"] += 1
            tally.seconds.append(time.perf_counter() - begun)

    async with asyncio.TaskGroup() as group:
        for worker in range(50):
            group.create_task(go(Random(f"{seed}/{worker}")))
    return tally


@asynccontextmanager
async def _session(servers: Servers) -> AsyncIterator[wayfare.ClientSession]:
    connector = wayfare.TCPConnector(limit=50, ssl=servers.trusted, resolver=Everywhere())
    async with wayfare.ClientSession(connector=connector) as session:
        yield session


async def endure(name: str, servers: Servers, requests: int) -> list[str]:
    """Let one kind happen so often, print what it left, and return what is wrong, in words."""
    visit, share = KINDS[name]
    count = max(int(requests * share), 1)
    async with _session(servers) as session:
        tally = await visits(visit, session, servers, max(count // 5, 5000), f"{name}, before")
        before = await _idle_census(session, servers)
        later = await visits(visit, session, servers, count, name)
        after = await _idle_census(session, servers)
    tally.errors.update(later.errors)
    _say(
        f"{name:<18}{count:>8,}  memory {(after.memory - before.memory) / 1024:>+7,.0f} KiB"
        f"  objects {(after.objects - before.objects) / before.objects:>+7.2%}"
        f"  p99 {later.slow(0, 0.1):6.1f} to {later.slow(0.9, 1):6.1f} ms"
    )
    return [f"{name}: {problem}" for problem in problems(before, after, tally.errors, ALLOWED)]


def problems(before: Census, after: Census, errors: Counter[str], allowed: int) -> list[str]:
    """What grew, and what failed, in words."""
    found = [f"{count:,} times: {error}" for error, count in errors.most_common(5)]
    if after.memory - before.memory > allowed:
        found.append(f"memory grew by {(after.memory - before.memory) / 1024:,.0f} KiB")
    for what in ("sockets", "files", "tasks"):
        if getattr(before, what) != getattr(after, what):
            found.append(f"{what}: {getattr(before, what)} to {getattr(after, what)}")
    return found


async def _idle_census(session: wayfare.ClientSession, servers: Servers) -> Census:
    """Count with the pool full, so that each count is of as many idle connections."""
    async with asyncio.TaskGroup() as group:
        for _ in range(50):
            group.create_task(_slow(session, servers))
    return await census()


async def _slow(session: wayfare.ClientSession, servers: Servers) -> None:
    async with session.get(f"{servers.plain}/slow") as response:
        await response.read()


async def without_collector(servers: Servers, requests: int) -> list[str]:
    """Make requests while nobody collects cycles."""
    async with _session(servers) as session:
        await visits(kept, session, servers, 1000, "before")
        before = await _idle_census(session, servers)
        gc.disable()
        try:
            tally = await visits(kept, session, servers, requests, "without")
            grown = await census(collect=False)
        finally:
            gc.enable()
    _say(
        f"{'no collector':<18}{requests:>8,}  memory"
        f" {(grown.memory - before.memory) / 1024:>+7,.0f} KiB"
    )
    return [
        f"no collector: {problem}"
        for problem in problems(before, grown, tally.errors, WITHOUT_COLLECTOR)
    ]


async def through_spoiler(servers: Servers, seconds: float) -> list[str]:
    """Make requests through the proxy for a while; every one must end, and well or in an error of ours."""
    ends: Counter[str] = Counter()
    until = time.monotonic() + seconds

    async def go(session: wayfare.ClientSession) -> None:
        while time.monotonic() < until:
            try:
                async with asyncio.timeout(_HANG):
                    await _one(session)
                ends["well"] += 1
            except (wayfare.ClientError, wayfare.TotalTimeoutError) as error:
                ends[type(error).__name__] += 1
            except TimeoutError:
                ends["HUNG"] += 1
            except Exception as error:
                ends[f"UNTYPED {type(error).__name__}: {error}"] += 1

    async def _one(session: wayfare.ClientSession) -> None:
        async with session.get(f"{servers.flaky}/kib", timeout=2) as response:
            if await response.read() != KIB:
                raise ValueError("content that is not the server's passed for it")

    connector = wayfare.TCPConnector(limit=50, max_connection_uses=20)
    async with wayfare.ClientSession(connector=connector) as session:
        async with asyncio.TaskGroup() as group:
            for _ in range(50):
                group.create_task(go(session))
        leased = connector.stats().leased
    _say(f"spoilt, {seconds:,.0f} s: " + ", ".join(f"{n:,} {end}" for end, n in ends.most_common()))
    wrong = [f"spoilt: {n:,} {end}" for end, n in ends.items() if end.split(" ")[0].isupper()]
    return wrong + ([f"spoilt: {leased} connections still leased"] if leased else [])


async def run(servers: Servers, options: argparse.Namespace) -> list[str]:
    """Everything that was asked for; what is wrong, in words."""
    wrong = []
    for name in options.only or KINDS:
        wrong += await endure(name, servers, options.requests)
    if not options.only:
        wrong += await without_collector(servers, min(options.requests, 10_000))
        wrong += await through_spoiler(servers, options.seconds)
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 1 when anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.endurance", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000, help="of each kind (100000)")
    parser.add_argument("--seconds", type=float, default=60, help="with the spoiling proxy (60)")
    parser.add_argument("--only", action="append", choices=list(KINDS), help="this kind alone")
    options = parser.parse_args(arguments)
    with ExitStack() as stack:
        reserved = stack.enter_context(closing(socket()))
        reserved.bind(("127.0.0.1", 0))  # bound and not listening: connecting is refused
        server = stack.enter_context(nginx.running(None))
        around = stack.enter_context(awkward.running(server.plain))
        servers = Servers(
            server.plain,
            server.tls,
            ssl.create_default_context(cafile=server.ca_file),
            f"http://127.0.0.1:{reserved.getsockname()[1]}/",
            around.websocket,
            around.flaky,
        )
        wrong = asyncio.run(run(servers, options))
    for one in wrong:
        _say(one)
    _say("FAILED" if wrong else "passed: nothing grew, and nothing hung")
    return 1 if wrong else 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
