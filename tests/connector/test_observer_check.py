"""`check_connect_observer`: it passes observers that are right, and finds what is wrong with others."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from wayfare_connector import ConnectObserver, Target
from wayfare_connector.testing import RecordingObserver, check_connect_observer
from wayfare_http_core import Connection
from wayfare_http_core.testing import run_with_fake_clock


class Patient(ConnectObserver):
    """Gives up the loop in each of its methods."""

    def __init__(self) -> None:
        self.ends = 0

    async def dial_end(self, target: Target, peername: Any, seconds: float) -> None:
        await asyncio.sleep(0)
        self.ends += 1

    async def reused(self, target: Target, connection: Connection) -> None:
        await asyncio.sleep(0)


@pytest.mark.parametrize("factory", [ConnectObserver, RecordingObserver, Patient])
async def test_observers_pass_their_suite(factory: Any) -> None:
    await check_connect_observer(factory)


class Blunt(ConnectObserver):
    def dns_start(self, target: Target) -> None:  # type: ignore[override]  # what is wrong
        """No coroutine."""


class Narrow(ConnectObserver):
    async def tls_end(self, target: Target, tls_version: str | None) -> None:  # type: ignore[override]  # what is wrong
        """It takes too little."""


class Picky(ConnectObserver):
    async def dial_end(self, target: Target, peername: Any, seconds: float) -> None:
        host, *_ = peername
        assert host


class Confident(ConnectObserver):
    async def tls_end(self, target: Target, tls_version: str | None, seconds: float) -> None:
        str(tls_version).index("TLS")


class Stubborn(ConnectObserver):
    async def tunnel_start(self, target: Target) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)


class Endless(ConnectObserver):
    async def queued_end(self, target: Target, seconds: float) -> None:
        await asyncio.get_running_loop().create_future()


class Forgetful(ConnectObserver):
    open: set[str] = set()  # noqa: RUF012 - shared by all, which is wrong

    async def dns_start(self, target: Target) -> None:
        if target.host in self.open:
            raise KeyError(target.host)
        self.open.add(target.host)

    async def dns_end(self, target: Target, addresses: tuple[str, ...], seconds: float) -> None:
        self.open.discard(target.host)


class Foreign:
    """Not one of them."""


@pytest.mark.parametrize(
    ("factory", "rule"),
    [
        (Blunt, "dns_start is awaited: it is made with `async def`"),
        (Narrow, r"tls_end\(.* raises nothing: .*positional arguments"),
        (Picky, r"dial_end\(.*, None, 0.0625\) raises nothing: .*cannot unpack"),
        (Confident, r"tls_end\(.*, None, 0.0\) raises nothing: .*substring not found"),
        (Stubborn, "cancelled at await 1"),
        (Endless, r"queued_end\(.* waits for nothing"),
        (Forgetful, r"dns_start\(.* raises nothing: .*KeyError"),
        (Foreign, "an observer is a ConnectObserver"),
    ],
)
def test_the_suite_finds_what_is_wrong(factory: Any, rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        run_with_fake_clock(check_connect_observer(factory))
