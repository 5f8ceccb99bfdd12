"""The log: one line for each event, at DEBUG, without secrets; nothing where nobody listens."""

import asyncio
import logging
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
import wayfare
from wayfare_http_core.testing import Fin, ReadHead, ReadRequest, ScriptedServer, Send

from .conftest import Serve, in_memory

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
FOUND = b"HTTP/1.1 302 Found\r\nLocation: /next?token=hush\r\nContent-Length: 0\r\n\r\n"
_VARYING = re.compile(r"\d+\.\d{3} s|\('127.0.0.1', \d+\)|127\.0\.0\.1:\d+")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """The messages logged so far, without what differs from run to run."""
    caplog.set_level(logging.DEBUG, logger="wayfare")
    told: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            assert record.name == "wayfare"
            assert record.levelno == logging.DEBUG
            number, _, message = record.getMessage().partition("] ")
            assert number.removeprefix("[").isdigit()
            told.append(_VARYING.sub("…", message))

    keeper = Keeper()
    logging.getLogger("wayfare").addHandler(keeper)
    yield told
    logging.getLogger("wayfare").removeHandler(keeper)


async def test_a_redirect_from_its_beginning_to_its_end(serve: Serve, lines: list[str]) -> None:
    script = [ReadRequest(), Send(FOUND), ReadRequest(), Send(HINTS + OK)]
    plain = {"skip_auto_headers": ["User-Agent", "Accept-Encoding"]}
    async with serve(script, **plain) as (session, _):
        await (await session.get("?token=hush")).read()
    assert lines == [
        "GET http://…/?token=***",
        "connected to … (…, no TLS) in …",
        "> GET http://…/?token=*** | Accept: */*",
        "< 302 in … | Location: /next?token=***, Content-Length: 0",
        "following the redirect 302",
        "reusing a connection to …",
        "> GET http://…/next?token=*** | Accept: */*",
        "< 103 in … | Link: </a>",
        "< 200 in … | Content-Length: 2",
        "end of content: 2 octets in …",
    ]


async def test_y10_no_secret_is_logged(serve: Serve, lines: list[str]) -> None:
    answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: sid=hush\r\nContent-Length: 0\r\n\r\n"
    headers = {"Authorization": "Bearer hush", "X-Internal": "hush", "X-Api-Key": "hush"}
    options = {"headers": headers, "sensitive_headers": ["X-Internal"], "cookies": {"a": "hush"}}
    async with serve([ReadRequest(), Send(answer)], **options) as (session, _):
        await session.get("", skip_auto_headers=["User-Agent"])
    text = "\n".join(lines)
    assert "hush" not in text
    assert "Authorization: Bearer ***, X-Internal: ***, X-Api-Key: ***, " in text
    assert "Cookie: a=***" in text
    assert "Set-Cookie: sid=***" in text


async def test_y10_an_error_that_quotes_a_url_is_told_without_its_secrets(
    serve: Serve, lines: list[str]
) -> None:
    gone = "HTTP/1.1 404 Not Found\nContent-Length: 0"
    async with serve(gone) as (session, _):
        with pytest.raises(wayfare.ClientResponseError, match="hush"):
            await session.get("?token=hush", raise_for_status=True)
    assert lines[-1].startswith("failed after …: ClientResponseError: 404")
    assert "token=***" in lines[-1]
    assert "hush" not in "".join(lines)


async def test_a_second_attempt_and_its_reason(serve: Serve, lines: list[str]) -> None:
    async with serve(
        [ReadRequest(), Send(OK), ReadRequest(), Fin()], [ReadRequest(), Send(OK)]
    ) as (
        session,
        _,
    ):
        await (await session.get("")).read()
        await (await session.get("")).read()
    (line,) = [line for line in lines if "repeated" in line]
    assert line.startswith("attempt 1 is repeated: ServerDisconnectedError: ")


def test_a_refused_expectation(lines: list[str]) -> None:
    async def use(session: wayfare.ClientSession, server: ScriptedServer) -> None:
        await session.post("", data=b"x", expect100=True)

    refused = b"HTTP/1.1 417 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    in_memory(use, [ReadHead(), Send(refused), Fin()], [ReadRequest(), Send(OK)])
    assert "attempt 1 is repeated: the answer asks for it" in lines


async def test_waiting_for_a_place_in_the_pool(serve: Serve, lines: list[str]) -> None:
    connector = wayfare.TCPConnector(limit=1)
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"
    script = [ReadRequest(), Send(half)]
    async with serve(script, connector=connector) as (session, _), session.get(""):
        second = asyncio.ensure_future(session.get(""))
        while "waiting for a connection to …" not in lines:
            await asyncio.sleep(0)
        second.cancel()
        await asyncio.wait([second])
    assert lines[-1] == "failed after …: CancelledError:"


async def test_a_request_without_fields(serve: Serve, lines: list[str]) -> None:
    bare = {"skip_auto_headers": ["User-Agent", "Accept", "Accept-Encoding"]}
    async with serve([ReadRequest(), Send(OK)], **bare) as (session, _):
        await session.get("")
    assert lines[2] == "> GET http://…/ | no fields"


async def test_content_that_breaks_off(serve: Serve, lines: list[str]) -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"
    async with (
        serve([ReadRequest(), Send(cut), Fin()]) as (session, _),
        session.get("") as response,
    ):
        with pytest.raises(wayfare.ClientPayloadError):
            await response.read()
    assert lines[-1].startswith("end of content: 2 octets in …: IncompleteBodyError: ")


async def test_handlers_of_the_session_go_on_and_come_first(serve: Serve, lines: list[str]) -> None:
    async def started(session: object, context: object, params: object) -> None:
        lines.append("told")

    config = wayfare.TraceConfig()
    config.on_request_start.append(started)
    async with serve([ReadRequest(), Send(OK)], trace_configs=[config]) as (session, _):
        await (await session.get("")).read()
        assert session.trace_configs == (config,)
    assert lines[0] == "told"
    assert lines[1].startswith("GET http://")


async def test_the_level_counts_for_the_next_request(
    serve: Serve, caplog: pytest.LogCaptureFixture, lines: list[str]
) -> None:
    twice = [ReadRequest(), Send(OK), ReadRequest(), Send(OK)]
    async with serve(twice) as (session, _):
        caplog.set_level(logging.INFO, logger="wayfare")
        await (await session.get("")).read()
        assert lines == []
        caplog.set_level(logging.DEBUG, logger="wayfare")
        await (await session.get("")).read()
    assert len(lines) == 5


def test_what_logs_loads_with_the_first_request_that_is_logged() -> None:
    program = (
        "import sys, wayfare; print(sorted({'wayfare._logging', 'wayfare._redaction', "
        "'wayfare._curl', 'wayfare._tracing'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
