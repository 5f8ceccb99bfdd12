"""What the suites of cookies share: some hosts in memory, whose answers say what they were asked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote_plus

import wayfare
import wayfare.abc
import wayfare.cookiejar
from wayfare_connector.testing import MemoryDialer
from wayfare_http_core.testing import MemoryNetwork, Reply, ScriptedServer, Serve
from wayfare_http_core.testing import ReceivedRequest as Received
from yarl import URL

A, B, SUB = "http://a.example/", "http://b.example/", "http://sub.a.example/"
HOSTS = ("a.example", "b.example", "sub.a.example", "127.0.0.1")


def reply(request: Received) -> Any:
    """Set what the query says (`set=…`), lead where it says (`to=…`), answer with the Cookie field."""
    said = [part.partition("=") for part in request.query.split("&")]
    fields = [
        ("Set-Cookie", unquote_plus(value, errors="surrogateescape"))
        for name, _, value in said
        if name == "set"
    ]
    status = 200
    for name, _, value in said:
        if name == "to":
            fields.append(("Location", unquote_plus(value)))
            status = 302
        elif name == "status":
            status = int(value)
    content = "; ".join(request.getall("Cookie")).encode("latin-1")
    final = Reply(content, status, fields=fields)
    if any(name == "hint" for name, *_ in said):
        return [Reply(status=103, fields=[("Set-Cookie", "early=1")]), final]
    return final


def to(url: str, *fields: str) -> str:
    """The query that leads on, and sets cookies before."""
    return f"?to={URL.build(path=url).raw_path.replace('?', '%3F').replace('&', '%26')}" + "".join(
        f"&set={field}" for field in fields
    )


class Web:
    """Some hosts on one network in memory, and sessions that reach them."""

    def __init__(self) -> None:
        self.server = ScriptedServer([Serve(reply)])
        self.network = MemoryNetwork()
        for host in HOSTS:
            self.network.serve(host, 80, self.server)
        self.network.serve("a.example", 8080, self.server)

    @asynccontextmanager
    async def session(
        self, base_url: str | None = None, **options: Any
    ) -> AsyncIterator[wayfare.ClientSession]:
        connector = wayfare.TCPConnector(dialer=MemoryDialer(self.network))
        async with wayfare.ClientSession(base_url, connector=connector, **options) as session:
            yield session
        assert self.server.errors == ()

    def fields(self) -> list[str | None]:
        """The Cookie field of each request so far; more than one is an error."""
        return [request.get("Cookie") for request in self.server.requests]


async def sent(session: wayfare.ClientSession, url: str, **options: Any) -> str:
    """What a request to an URL has for cookies, where it ends."""
    async with session.get(url, **options) as response:
        return await response.text()
