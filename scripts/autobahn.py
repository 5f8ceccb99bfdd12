"""Try the WebSocket client against Autobahn's fuzzing server: no case may be FAILED or UNCLEAN.

    python scripts/autobahn.py                 all 517 cases, about ten minutes
    python scripts/autobahn.py --profile       337 of them, within a minute
    python scripts/autobahn.py --cases 9.3.    those whose number begins so

`scripts/services.sh start autobahn` starts the server before, and its own report with every octet of every case lies in
.services/autobahn/reports/index.html afterwards.

Groups 12 and 13 are about compression: each of their cases runs with both modes, the one that keeps its window from
message to message and the one that forgets it. All others run without compression.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import wayfare
from wayfare_websocket import DeflateOffer

SERVICES = Path(__file__).resolve().parent.parent / ".services"
ADDRESS = "WAYFARE_AUTOBAHN_URL"

AT_ONCE = 4
"""Cases without compression that run at the same time: some do nothing but wait for seconds."""

GOOD = frozenset({"OK", "NON-STRICT", "INFORMATIONAL"})
"""Verdicts that the server itself counts as passed. NON-STRICT: the echo of what came before a violation is missing."""

COMPRESSED = frozenset({"12", "13"})
SAMPLE = frozenset({"1", "2", "3"})
"""The last numbers of the cases that the profile takes of each group of 18: they differ by the size of messages."""


@dataclass(frozen=True, slots=True)
class Mode:
    """A way to run cases, by the name that the report has for it; `compress` is that of `ws_connect`."""

    agent: str
    compress: int | DeflateOffer = 0


PLAIN = Mode("plain")
MODES = (
    Mode("takeover", 15),
    Mode(
        "no-takeover",
        DeflateOffer(client_no_context_takeover=True, server_no_context_takeover=True),
    ),
)


class Verdict(NamedTuple):
    """What the server says of one case: how messages were handled, and how the connection ended."""

    agent: str
    case: str
    behavior: str
    close: str

    @property
    def good(self) -> bool:
        return {self.behavior, self.close} <= GOOD


def in_profile(case: str) -> bool:
    """Whether a case belongs to the smaller selection."""
    group, *_, last = case.split(".")
    return group not in COMPRESSED or last in SAMPLE


def modes_of(case: str) -> tuple[Mode, ...]:
    """The ways to run a case."""
    return MODES if case.partition(".")[0] in COMPRESSED else (PLAIN,)


def verdicts(index: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[Verdict]:
    """The verdicts in the server's report."""
    return [
        Verdict(agent, case, result["behavior"], result["behaviorClose"])
        for agent, cases in index.items()
        for case, result in cases.items()
    ]


def problems(found: Iterable[Verdict], expected: Iterable[tuple[Mode, str]]) -> list[str]:
    """What is wrong, one line each: bad verdicts, and cases without one."""
    by_case = {(each.agent, each.case): each for each in found}
    lines = []
    for mode, case in expected:
        verdict = by_case.get((mode.agent, case))
        if verdict is None:
            lines.append(f"{case} ({mode.agent}) has no verdict")
        elif not verdict.good:
            lines.append(f"{case} ({mode.agent}): {verdict.behavior}, closing: {verdict.close}")
    return lines


class Fuzzer:
    """The fuzzing server at an address, as a client of ours sees it."""

    def __init__(self, session: wayfare.ClientSession, address: str) -> None:
        self._session = session
        self._address = address

    async def cases(self) -> list[str]:
        """The numbers of all cases, in the server's order."""
        count = int(await self._ask("/getCaseCount"))
        gate = asyncio.Semaphore(AT_ONCE)

        async def number(index: int) -> str:
            async with gate:
                return str(json.loads(await self._ask(f"/getCaseInfo?case={index}"))["id"])

        return await asyncio.gather(*(number(index) for index in range(1, count + 1)))

    async def run(self, case: str, mode: Mode) -> None:
        """Run a case: send every message back, whatever else the server does."""
        url = f"{self._address}/runCase?casetuple={case}&agent={mode.agent}"
        async with self._session.ws_connect(url, compress=mode.compress, max_msg_size=0) as ws:
            # A violation may have come right behind a message, and then nothing can be sent any more.
            with suppress(wayfare.ClientConnectionResetError):
                async for message in ws:
                    if message.type is wayfare.WSMsgType.TEXT:
                        await ws.send_str(message.data)
                    elif message.type is wayfare.WSMsgType.BINARY:
                        await ws.send_bytes(message.data)

    async def report(self) -> None:
        """Let the server write its report."""
        async with self._session.ws_connect(f"{self._address}/updateReports?agent=any") as ws:
            await ws.receive()

    async def _ask(self, path: str) -> str:
        async with self._session.ws_connect(self._address + path) as ws:
            return await ws.receive_str()


async def run(address: str, beginning: str, *, profile: bool) -> int:
    """Run the chosen cases and say what became of them; the process's exit status."""
    async with wayfare.ClientSession() as session:
        fuzzer = Fuzzer(session, address)
        chosen = [
            (mode, case)
            for case in await fuzzer.cases()
            if case.startswith(beginning) and (in_profile(case) or not profile)
            for mode in modes_of(case)
        ]
        cases = len({case for _, case in chosen})
        print(f"{cases} cases, {len(chosen)} runs", flush=True)
        waiting, computing = asyncio.Semaphore(AT_ONCE), asyncio.Lock()

        async def run_one(mode: Mode, case: str) -> None:
            # Those about compression keep the server's one thread busy, and each must be done in 60 seconds.
            async with computing if mode in MODES else waiting:
                await fuzzer.run(case, mode)

        async with asyncio.TaskGroup() as group:
            for mode, case in chosen:
                group.create_task(run_one(mode, case))
        await fuzzer.report()
    index = json.loads((SERVICES / "autobahn" / "reports" / "index.json").read_text("utf-8"))
    found = verdicts(index)
    for (agent, behavior), count in sorted(
        Counter((each.agent, each.behavior) for each in found).items()
    ):
        print(f"{agent:<12} {behavior:<14} {count}")
    wrong = problems(found, chosen)
    for line in wrong:
        print(f"FAILED: {line}")
    return 1 if wrong else 0


def address_of(environment: str) -> str:
    """The server's address in what `scripts/services.sh start` wrote. Raises: SystemExit where it did not start it."""
    for line in environment.splitlines():
        name, _, value = line.partition("=")
        if name == ADDRESS:
            return value
    raise SystemExit("autobahn does not run: scripts/services.sh start autobahn")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--profile", action="store_true", help="337 of the 517 cases")
    parser.add_argument("--cases", default="", help="the beginning of the cases' numbers")
    options = parser.parse_args(arguments)
    settings = SERVICES / "env"
    address = address_of(settings.read_text("utf-8") if settings.is_file() else "")
    return asyncio.run(run(address, options.cases, profile=options.profile))


if __name__ == "__main__":
    sys.exit(main())
