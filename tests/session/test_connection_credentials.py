"""Credentials that sign a connection in, NTLM and Negotiate: none are ever made (L14)."""

from pathlib import Path
from typing import Any

import pytest
import wayfare
from wayfare_http_core.testing import (
    ReceivedRequest,
    Repeat,
    Reply,
    ScriptedServer,
    Serve,
    listening,
)

ASKED = [("WWW-Authenticate", "Negotiate"), ("WWW-Authenticate", "NTLM")]

WAYS: dict[str, dict[str, Any]] = {
    "nobody": {},
    "basic": {"auth": wayfare.BasicAuth("user", "secret")},
    "digest": {"middlewares": [wayfare.DigestAuthMiddleware("user", "secret")]},
    "netrc": {"trust_env": True},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("more", ["", " TlRMTVNTUAACAAAA"], ids=["asked", "challenged"])
async def test_l14_the_refusal_is_the_answer(
    way: str, more: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that was signed in must not be lent to the next request, so none is."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login user password secret\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    told: list[str | None] = []

    def refuse(request: ReceivedRequest) -> Reply:
        told.append(request.get("authorization"))
        return Reply("who?", 401, fields=[(name, scheme + more) for name, scheme in ASKED])

    async with (
        listening(ScriptedServer([Repeat(Serve(refuse))])) as (host, port),
        wayfare.ClientSession(f"http://{host}:{port}/", **WAYS[way]) as session,
    ):
        for _ in range(2):
            async with session.get("") as response:
                assert response.status == 401
                assert await response.text() == "who?"
                assert response.headers.getall("WWW-Authenticate") == [
                    f"Negotiate{more}",
                    f"NTLM{more}",
                ]
    basic = "Basic dXNlcjpzZWNyZXQ=" if way in ("basic", "netrc") else None
    assert told == [basic, basic]
