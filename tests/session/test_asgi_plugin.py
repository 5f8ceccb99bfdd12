"""A session whose requests call an application in memory, by the connector of `examples/plugins`."""

import importlib.util
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import wayfare

PLUGIN = Path(__file__).parents[2] / "examples" / "plugins" / "asgi.py"


def load() -> Any:
    spec = importlib.util.spec_from_file_location("plugin_asgi", PLUGIN)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ASGIConnector = load().ASGIConnector


class Shop:
    """An application with a basket; `steps` is what happened to it."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return await self.live(receive, send)
        self.steps.append(f"{scope['method']} {scope['scheme']} {scope['path']}")
        headers = dict(scope["headers"])
        if scope["path"] == "/broken":
            raise LookupError("no such page")
        if scope["path"] == "/login":
            fields = [(b"location", b"/basket?n=1"), (b"set-cookie", b"user=me; Secure; Path=/")]
            return await self.answer(send, 303, fields)
        body, more = b"", True
        while more:
            message = await receive()
            body += message["body"]
            more = message["more_body"]
        seen = {
            "cookie": headers.get(b"cookie", b"").decode(),
            "query": parse_qs(scope["query_string"].decode()),
            "content": body.decode(),
        }
        return await self.answer(
            send, 200, [(b"content-type", b"application/json")], json.dumps(seen).encode()
        )

    async def live(self, receive: Any, send: Any) -> None:
        for phase in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{phase}"
            self.steps.append(phase)
            await send({"type": f"lifespan.{phase}.complete"})

    async def answer(self, send: Any, status: int, headers: Any, body: bytes = b"") -> None:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def test_a_session_needs_one_line_for_it() -> None:
    shop = Shop()
    base = "https://shop.example/"
    async with wayfare.ClientSession(base, connector=ASGIConnector(shop)) as session:
        async with session.post("login", data={"user": "me"}) as response:
            assert str(response.url) == "https://shop.example/basket?n=1"
            assert await response.json() == {
                "cookie": "user=me",
                "query": {"n": ["1"]},
                "content": "",
            }
        async with session.put("basket", json=[1]) as response:
            assert (await response.json())["content"] == "[1]"
    assert shop.steps == [
        "startup",
        "POST https /login",
        "GET https /basket",
        "PUT https /basket",
        "shutdown",
    ]


async def test_l9_what_the_application_raises_is_the_cause_and_is_not_tried_again() -> None:
    shop = Shop()
    async with wayfare.ClientSession(connector=ASGIConnector(shop, lifespan=False)) as session:
        async with session.get("http://shop.example/basket") as response:
            assert response.status == 200
        with pytest.raises(wayfare.ClientConnectionError, match="no such page") as raised:
            await session.get("http://shop.example/broken")
        assert isinstance(raised.value.__cause__, LookupError)
    assert shop.steps == ["GET http /basket", "GET http /broken"]
