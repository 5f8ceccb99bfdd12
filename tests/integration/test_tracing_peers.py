"""Trace configs of aiohttp's class, as tracing libraries make them, in a session of ours."""

from types import SimpleNamespace
from typing import Any

import aiohttp
import wayfare
from wayfare_http_core.testing import Reply, ScriptedServer, Serve, listening


async def test_a_config_of_another_client() -> None:
    told: list[tuple[str, object]] = []
    theirs = aiohttp.TraceConfig()

    async def start(session: Any, context: SimpleNamespace, params: Any) -> None:
        context.span = f"{params.method} {params.url.path}"
        params.headers["traceparent"] = "00-4bf9"

    async def end(session: Any, context: SimpleNamespace, params: Any) -> None:
        told.append((context.span, params.response.status))

    async def created(session: Any, context: SimpleNamespace, params: Any) -> None:
        told.append((context.span, params.seconds > 0))

    async def received(session: Any, context: SimpleNamespace, params: Any) -> None:
        told.append((context.span, params.chunk))

    theirs.on_request_start.append(start)
    theirs.on_request_end.append(end)
    theirs.on_connection_create_end.append(created)
    theirs.on_response_chunk_received.append(received)
    configs: Any = [theirs]
    server = ScriptedServer([Serve(lambda request: Reply(request.get("traceparent") or ""))])
    async with (
        listening(server) as (host, port),
        wayfare.ClientSession(f"http://{host}:{port}/", trace_configs=configs) as session,
        session.get("/a", trace_request_ctx=1) as response,
    ):
        assert await response.text() == "00-4bf9"
    assert told == [("GET /a", True), ("GET /a", 200), ("GET /a", b"00-4bf9")]
