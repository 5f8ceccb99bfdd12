"""A seeded mix of what happens to a client in months: the traffic of the soak test."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeAlias

from benchmarks.contract import WrongAnswerError
from benchmarks.server.nginx import KIB, PAGE


@dataclass(frozen=True, slots=True)
class Place:
    """Where the requests go: a server's origin, one where nobody listens, and the client library.

    `library` is a module with aiohttp's API, `session` its open `ClientSession`.
    """

    origin: str
    nobody: str
    library: Any
    session: Any


Visit: TypeAlias = Callable[[Place, Random], Awaitable[None]]


async def keep_alive(place: Place, random: Random) -> None:
    """GET 1 KiB over a connection that stays."""
    await _expect(place, "/kib", KIB)


async def compressed(place: Place, random: Random) -> None:
    """GET a page that comes in gzip."""
    await _expect(place, "/page", PAGE)


async def new_connection(place: Place, random: Random) -> None:
    """GET 1 KiB from a server that closes, so that the next request dials."""
    await _expect(place, "/close", KIB)


async def refused_status(place: Place, random: Random) -> None:
    """GET what is not there, and raise for it."""
    try:
        async with place.session.get(place.origin + "/missing") as response:
            response.raise_for_status()
    except place.library.ClientResponseError as error:
        if error.status != 404:
            raise
    else:
        raise WrongAnswerError("a missing file was found")


async def broken_connection(place: Place, random: Random) -> None:
    """GET from a server that hangs up, or from none at all."""
    url = random.choice([place.origin + "/drop", place.nobody])
    try:
        async with place.session.get(url) as response:
            await response.read()
    except place.library.ClientConnectionError:
        return
    raise WrongAnswerError(f"{url} answered")


async def early_release(place: Place, random: Random) -> None:
    """GET 1 MiB and lose interest: at once, after one piece, or by closing."""
    how = random.randrange(3)
    async with place.session.get(place.origin + "/mib") as response:
        if how == 1:
            await response.content.readany()
        elif how == 2:
            response.close()


async def cancelled(place: Place, random: Random) -> None:
    """Begin a GET, and cancel it after a few turns of the loop, wherever it is then."""
    path = random.choice(["/slow", "/mib", "/kib", "/close"])

    async def get() -> None:
        async with place.session.get(place.origin + path) as response:
            await response.read()

    task = asyncio.create_task(get())
    for _ in range(random.randrange(40)):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


MIX: dict[Visit, int] = {
    keep_alive: 60,
    compressed: 12,
    new_connection: 8,
    refused_status: 6,
    broken_connection: 2,
    early_release: 6,
    cancelled: 6,
}
"""What happens, and how many times in a hundred."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """How many visits there were of each kind, and how many ended in each error that none should end in."""

    made: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Traffic") -> None:
        """Count another's visits and errors, too."""
        self.made.update(other.made)
        self.errors.update(other.errors)


async def make(place: Place, requests: int, concurrency: int, seed: int) -> Traffic:
    """Make `requests` visits over `concurrency` tasks, and return what became of them.

    The same seed makes the same visits.
    """
    kinds, weights = list(MIX), list(MIX.values())
    traffic = Traffic()
    left = requests

    async def visit(random: Random) -> None:
        nonlocal left
        while left > 0:
            left -= 1
            kind = random.choices(kinds, weights)[0]
            try:
                await kind(place, random)
            except Exception as error:
                traffic.errors[f"{kind.__name__}: {type(error).__name__}: {error}"] += 1
            traffic.made[kind.__name__] += 1

    async with asyncio.TaskGroup() as tasks:
        for number in range(concurrency):
            tasks.create_task(visit(Random(f"{seed}/{number}")))
    return traffic


async def occupy(place: Place, connections: int) -> None:
    """Leave the pool with `connections` idle ones, by as many slow requests at once."""
    async with asyncio.TaskGroup() as tasks:
        for _ in range(connections):
            tasks.create_task(_slow(place))


async def _slow(place: Place) -> None:
    async with place.session.get(place.origin + "/slow") as response:
        await response.read()


async def _expect(place: Place, path: str, body: bytes) -> None:
    async with place.session.get(place.origin + path) as response:
        found = await response.read()
    if response.status != 200 or found != body:
        raise WrongAnswerError(f"{path}: status {response.status}, {len(found)} octets")
