"""What every suite shares: hypothesis profiles, and leaving out what needs an absent server.

A test that needs a real server says `@pytest.mark.needs("nginx")`. `scripts/services.sh start
nginx` writes the server's addresses into `.services/env`; without them the test is deselected at
collection, and the summary says so. It is never skipped: a skip looks like a result.
"""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

SERVICES = Path(__file__).resolve().parent.parent / ".services" / "env"
LEFT_OUT = pytest.StashKey[Counter[str]]()

# No deadline anywhere, nor a limit for making examples: how long it takes says more about the machine's other work
# than about the code.
untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("default", untimed)
settings.register_profile("ci", untimed, derandomize=True, print_blob=True)
settings.register_profile("fuzz", untimed, max_examples=5_000, print_blob=True)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default")
)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let child processes end by SIGINT: what a shell runs in the background ignores it, and so do its children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def read_services(path: Path) -> dict[str, str]:
    """The `NAME=value` lines that `scripts/services.sh start` wrote, or nothing."""
    if not path.is_file():
        return {}
    lines = (line.partition("=") for line in path.read_text(encoding="utf-8").splitlines())
    return {name: value for name, _, value in lines if value}


def pytest_configure(config: pytest.Config) -> None:
    """Put the addresses of the running servers into the environment, where suites read them."""
    counted: Counter[str] = Counter()
    config.stash[LEFT_OUT] = counted
    for name, value in read_services(SERVICES).items():
        os.environ.setdefault(name, value)


def missing_services(item: pytest.Item) -> list[str]:
    """The servers that a test asks for and that do not run."""
    wanted = (str(name) for mark in item.iter_markers("needs") for name in mark.args)
    return [name for name in wanted if not os.environ.get(f"WAYFARE_{name.upper()}_URL")]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests whose server does not run, and count them."""
    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    left_out = config.stash[LEFT_OUT]
    for item in items:
        missing = missing_services(item)
        left_out.update(missing)
        (dropped if missing else kept).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In a worker of pytest-xdist: hand the count to the process that prints the summary."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        left_out = session.config.stash[LEFT_OUT]
        output["left_out"] = dict(left_out)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over a worker's count; every worker collects the same tests, so one is enough."""
    output: dict[str, Any] = getattr(node, "workeroutput", {})
    counted: dict[str, int] = output.get("left_out", {})
    left_out = node.config.stash[LEFT_OUT]
    for name, number in counted.items():
        left_out[name] = max(left_out[name], number)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what was left out and how to have it."""
    for name, number in sorted(config.stash[LEFT_OUT].items()):
        # A server may have more doors than one: nginx, nginx_tls.
        server = name.partition("_")[0]
        terminalreporter.write_line(
            f"left out: {number} tests that need {name} (scripts/services.sh start {server})"
        )
