"""Digest credentials that httpbin checks: its own implementation of RFC 7616."""

from __future__ import annotations

import asyncio

import pytest
from wayfare import ClientSession, DigestAuthMiddleware


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512"])
@pytest.mark.parametrize("qop", ["auth", "auth-int", "other"])
async def test_digest_in_every_way(httpbin: str, qop: str, algorithm: str) -> None:
    """An unknown quality of protection makes httpbin offer both."""
    url = f"{httpbin}/digest-auth/{qop}/user/secret/{algorithm}"
    middleware = DigestAuthMiddleware("user", "secret")
    async with ClientSession(middlewares=[middleware]) as session:
        for _ in range(2):
            async with session.get(url) as response:
                assert (response.status, await response.json()) == (
                    200,
                    {"authenticated": True, "user": "user"},
                )


async def test_digest_with_a_nonce_that_goes_stale(httpbin: str) -> None:
    url = f"{httpbin}/digest-auth/auth/user/secret/SHA-256/2"
    async with ClientSession(middlewares=[DigestAuthMiddleware("user", "secret")]) as session:
        for _ in range(6):
            async with session.get(url) as response:
                assert response.status == 200


async def test_digest_with_a_wrong_password(httpbin: str) -> None:
    url = f"{httpbin}/digest-auth/auth/user/secret"
    async with ClientSession(middlewares=[DigestAuthMiddleware("user", "wrong")]) as session:
        async with session.get(url) as response:
            assert response.status == 401
        async with session.get(f"{httpbin}/get") as response:
            assert response.status == 200


async def test_digest_of_many_at_once(httpbin: str) -> None:
    url = f"{httpbin}/digest-auth/auth/user/secret/MD5"
    async with ClientSession(middlewares=[DigestAuthMiddleware("user", "secret")]) as session:

        async def status() -> int:
            async with session.get(url) as response:
                return response.status

        assert set(await asyncio.gather(*[status() for _ in range(20)])) == {200}


async def test_digest_after_a_redirect_within_the_origin(client: ClientSession) -> None:
    where = "/redirect-to?url=/digest-auth/auth/user/secret"
    async with client.get(where, middlewares=[DigestAuthMiddleware("user", "secret")]) as response:
        assert (response.status, len(response.history)) == (200, 1)
