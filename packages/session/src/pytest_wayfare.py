"""Fixtures for tests of programs that use Wayfare; pytest finds them by an entry point.

It loads in every run of pytest where Wayfare is installed, and must cost nothing there: it imports nothing of Wayfare,
a fixture does when it is asked for. For the same reason it stands beside the package: to import a module of a package
is to import the package, and a module that loads before coverage is measured counts as never run.

Fixtures that wait are made for pytest-asyncio where it is installed, and for anyio's plugin as well.
"""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from wayfare import ClientSession
    from wayfare.testing import CassetteConnector, MockConnector, MockServer

    async_fixture: Any
else:
    try:
        # In its strict mode it takes no other fixtures. It was imported before: it is a plugin, too.
        from pytest_asyncio import fixture as async_fixture
    except ImportError:
        async_fixture = pytest.fixture

__all__ = ("wayfare_cassette", "wayfare_mock", "wayfare_server", "wayfare_session")

_NOT_IN_NAMES = re.compile(r"[^\w.-]+", re.ASCII)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--wayfare-record`: what cassettes do in this run."""
    parser.getgroup("wayfare").addoption(
        "--wayfare-record",
        choices=("replay", "new", "record"),
        default="replay",
        help="what wayfare_cassette does: replay (the default), record what is new, record everything anew",
    )


@pytest.fixture
def wayfare_mock() -> "Iterator[MockConnector]":
    """A `wayfare.testing.MockConnector`; the test fails if something that it expects did not come."""
    from wayfare.testing import MockConnector

    mock = MockConnector()
    yield mock
    # A session that owned it has verified it already.
    if not mock.closed:
        mock.verify()


@async_fixture  # type: ignore[untyped-decorator]  # one of two, which only the environment knows
async def wayfare_session(wayfare_mock: "MockConnector") -> "AsyncIterator[ClientSession]":
    """A `wayfare.ClientSession` over `wayfare_mock`: nothing leaves the machine."""
    from wayfare import ClientSession

    async with ClientSession(connector=wayfare_mock) as session:
        yield session


@async_fixture  # type: ignore[untyped-decorator]  # as above
async def wayfare_server() -> "AsyncIterator[MockServer]":
    """A `wayfare.testing.MockServer` that listens; the test fails if something that it expects did not come."""
    from wayfare.testing import MockServer

    async with MockServer() as server:
        yield server


@async_fixture  # type: ignore[untyped-decorator]  # as above
async def wayfare_cassette(request: pytest.FixtureRequest) -> "AsyncIterator[CassetteConnector]":
    """A `wayfare.testing.CassetteConnector` with a file of the test's own, in `cassettes/` beside its module.

    It replays, unless `--wayfare-record` says otherwise.
    """
    from wayfare.testing import CassetteConnector

    folder = Path(request.path).parent / "cassettes" / Path(request.path).stem
    mode = request.config.getoption("--wayfare-record")
    if mode != "replay":
        folder.mkdir(parents=True, exist_ok=True)
    name = _NOT_IN_NAMES.sub("-", request.node.name)
    connector = CassetteConnector(folder / f"{name}.json", mode)
    yield connector
    await connector.close()
