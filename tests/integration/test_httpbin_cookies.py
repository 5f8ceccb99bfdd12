"""Cookies over real servers: httpbin sets, deletes and tells them, from one process and from several."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from wayfare import ClientSession, CookieJar, DummyCookieJar
from wayfare_cookies import StoreOptions
from wayfare_cookies.sqlite import SQLiteStore


@pytest.fixture
def jar() -> CookieJar:
    """A jar for servers that are addresses."""
    return CookieJar(unsafe=True)


async def told(session: ClientSession, path: str = "/cookies", **options: Any) -> Any:
    """What the server says it got."""
    async with session.get(path, **options) as response:
        assert response.status == 200
        return (await response.json())["cookies"]


async def test_cookies_are_set_by_a_redirect_kept_and_deleted_d15(
    httpbin: str, jar: CookieJar
) -> None:
    async with ClientSession(httpbin, cookie_jar=jar) as session:
        assert await told(session, "/cookies/set?a=1&b=2") == {"a": "1", "b": "2"}
        assert {cookie.name for cookie in session.cookie_jar} == {"a", "b"}
        assert await told(session, "/cookies/delete?a=") == {"b": "2"}
        async with session.get("/cookies/set?c=3", allow_redirects=False) as response:
            assert response.cookies["c"].value == "3"
            assert response.cookies["c"]["path"] == "/"


async def test_the_cookies_of_a_request_are_not_kept(httpbin: str, jar: CookieJar) -> None:
    async with ClientSession(httpbin, cookie_jar=jar, cookies={"s": "1"}) as session:
        assert await told(session, cookies={"r": "1"}) == {"r": "1", "s": "1"}
        assert await told(session) == {"s": "1"}


async def test_what_a_caller_gives_goes_to_no_other_origin_d5(
    httpbin: str, bodies: str, jar: CookieJar
) -> None:
    """The same server by another name is another origin."""
    other = httpbin.replace("127.0.0.1", "localhost")
    async with ClientSession(httpbin, cookie_jar=jar, cookies={"s": "1"}) as session:
        away = f"/redirect-to?url={other}/cookies"
        assert await told(session, away, cookies={"r": "1"}) == {}
        assert await told(session, away, headers={"Cookie": "h=1"}) == {}
        back = f"/redirect-to?url={other}/redirect-to%3Furl%3D{httpbin}/cookies"
        assert await told(session, back, cookies={"r": "1"}) == {}


async def test_a_dummy_keeps_nothing(httpbin: str) -> None:
    async with ClientSession(httpbin, cookie_jar=DummyCookieJar()) as session:
        assert await told(session, "/cookies/set?a=1") == {}


async def test_a_jar_outlives_its_session(httpbin: str, jar: CookieJar, tmp_path: Path) -> None:
    async with ClientSession(httpbin, cookie_jar=jar) as session:
        await told(session, "/cookies/set?a=1")
        jar.save(tmp_path / "jar.json")
    later = CookieJar(unsafe=True)
    later.load(tmp_path / "jar.json")
    async with ClientSession(httpbin, cookie_jar=later) as session:
        assert await told(session) == {"a": "1"}


WORKER = """
import asyncio, sys
from wayfare import ClientSession, CookieJar
from wayfare_cookies.sqlite import SQLiteStore

async def main(base, path, number):
    jar = CookieJar(unsafe=True, store=SQLiteStore(path, timeout=60))
    async with ClientSession(base, cookie_jar=jar) as session:
        for step in range(5):
            async with session.get(f"/cookies/set?n{number}-{step}=1") as response:
                cookies = (await response.json())["cookies"]
                assert cookies["login"] == "1", cookies
                assert f"n{number}-{step}" in cookies, cookies

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_fleet_of_workers_shares_one_login(httpbin: str, tmp_path: Path) -> None:
    path = tmp_path / "cookies.sqlite"
    with SQLiteStore(path) as store:
        jar = CookieJar(unsafe=True, store=store, store_options=StoreOptions(max_age=0))
        async with ClientSession(httpbin, cookie_jar=jar) as session:
            await told(session, "/cookies/set?login=1")
            await asyncio.to_thread(jar.sync)
            workers = [
                await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-c",
                    WORKER,
                    httpbin,
                    str(path),
                    str(number),
                    env={**os.environ},
                )
                for number in range(3)
            ]
            assert [await worker.wait() for worker in workers] == [0, 0, 0]
            names = set(await told(session))
    assert names == {"login", *(f"n{number}-{step}" for number in range(3) for step in range(5))}
