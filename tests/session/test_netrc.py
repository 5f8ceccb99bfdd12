"""Credentials from .netrc: for exactly the host of each hop, read off the loop, never in the way (D18, Y9)."""

import asyncio
import logging
import os
import re
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import wayfare
from wayfare._netrc import Netrc, is_downgraded, netrc_path, read_netrc
from wayfare._route import Route
from wayfare._settings import RequestSettings
from wayfare._urls import prepare_url
from wayfare_http_core import BasicAuth, FieldBlock
from wayfare_http_core.testing import ReceivedRequest, Reply, Serve, ticks
from yarl import URL


def basic(login: str, password: str) -> str:
    return "Basic " + b64encode(f"{login}:{password}".encode()).decode()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What NETRC names; no file yet."""
    path = tmp_path / "netrc"
    monkeypatch.setenv("NETRC", str(path))
    return path


def write(path: Path, text: str) -> None:
    path.write_text(text)


def remove(path: Path) -> None:
    path.unlink()


class Told:
    """A server that remembers the credentials it was told, by path."""

    def __init__(self, **moved: str) -> None:
        self.moved = moved
        self.told: list[tuple[str, str | None]] = []

    def __call__(self, request: ReceivedRequest) -> Reply:
        self.told.append((request.path, request.get("authorization")))
        location = self.moved.get(request.path.strip("/"))
        if location is not None:
            return Reply("", 302, fields=[("Location", location)])
        return Reply("ok")


# -- the file --------------------------------------------------------------------------------------------------------


def test_where_it_is() -> None:
    assert netrc_path({"NETRC": "/x/y"}) == "/x/y"
    home = os.path.expanduser("~")
    assert netrc_path({}, windows=False) == os.path.join(home, ".netrc")
    assert netrc_path({"NETRC": ""}, windows=True) == os.path.join(home, "_netrc")
    assert netrc_path({"NETRC": "~/n"}) == os.path.join(home, "n")
    assert netrc_path({"NETRC": "~nobody-of-this-name/n"}) is None


def test_what_it_says(path: Path) -> None:
    path.write_text(
        "# a comment\n"
        "machine plain login me password secret\n"
        "machine UPPER.example login me password p#w\n"
        "machine bücher.example login jäson password schön\n"
        'machine quoted login "a b" password "c d"\n'
        "machine account account only password secret\n"
        "machine token password token\n"
        "machine empty\n"
        "machine ::1 login six password secret\n"
        "default login any password anything\n"
        "macdef init\n  some words\n\n",
        encoding="utf-8",
    )
    assert read_netrc(str(path)).authorizations == {
        "plain": basic("me", "secret"),
        "upper.example": basic("me", "p#w"),
        "xn--bcher-kva.example": basic("jäson", "schön"),
        "quoted": basic("a b", "c d"),
        "account": basic("only", "secret"),
        "token": basic("", "token"),
        "::1": basic("six", "secret"),
    }


def test_no_file_is_nothing_to_speak_of(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert read_netrc(str(path)).authorizations == {}
    assert read_netrc(os.devnull).authorizations == {}
    assert read_netrc(str(path.parent)).authorizations == {}
    assert read_netrc("a\0b").authorizations == {}
    assert caplog.records == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"machine h login me password secret\nsecret2 nonsense", "line 2 cannot be read"),
        (b"machine h login me secret", "line 1 cannot be read"),
        (b"\xff\xfe\x00secret", "cannot be read|is no text"),
        (b"# secret\n" + b"#" * 1024 * 1024, "more than 1048576 octets"),
        (b"machine h login a:secret password b", "the entry for h is no Basic credential"),
        (b'machine "a b" login me password secret', "the entry for a b is no Basic credential"),
    ],
)
def test_d18_a_file_that_is_no_good_is_told_without_its_secrets(
    path: Path, content: bytes, problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_bytes(content)
    assert read_netrc(str(path)).authorizations == {}
    assert caplog.messages
    assert re.search(problem, caplog.messages[0])
    assert "secret" not in caplog.text
    assert [record.name for record in caplog.records] == ["wayfare"]


def test_a_file_that_nobody_may_read(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As its owner: root may read everything, so a directory on the way that is none stands for it as well."""
    path.write_text("machine h login me password secret")
    path.chmod(0)
    if os.access(path, os.R_OK):
        assert read_netrc(str(path)).authorizations == {"h": basic("me", "secret")}
    else:
        assert read_netrc(str(path)).authorizations == {}
        assert "Permission denied" in caplog.text


def test_others_may_read_it_as_far_as_we_care(path: Path) -> None:
    path.write_text("machine h login me password secret")
    path.chmod(0o666)
    assert read_netrc(str(path)).authorizations == {"h": basic("me", "secret")}


def test_d18_a_way_from_https_to_http_ends_it() -> None:
    plain, safe = URL("http://h/"), URL("https://h/")
    assert is_downgraded(plain, [safe])
    assert is_downgraded(plain, [plain, URL("wss://h/"), plain])
    assert not is_downgraded(plain, [plain])
    assert not is_downgraded(safe, [safe, plain])
    assert not is_downgraded(plain, [])


# -- requests --------------------------------------------------------------------------------------------------------


async def test_d18_each_hop_gets_what_is_for_its_host(serve: Any, path: Path) -> None:
    """D18: of the same server under three names, one of which has no entry."""
    write(
        path,
        "machine 127.0.0.1 login one password 1\nmachine other login o password 3\n"
        "default login any password anything\n",
    )
    told = Told()
    async with serve((Serve(told),), trust_env=True) as (session, _):
        base = str(session.base_url)
        other = base.replace("127.0.0.1", "localhost")
        told.moved.update(a=f"{other}b", b=f"{base}c")
        async with session.get("/a") as response:
            assert response.status == 200
    assert told.told == [
        ("/a", basic("one", "1")),
        ("/b", None),
        ("/c", basic("one", "1")),
    ]


async def test_d18_the_host_of_a_crafted_url_is_the_one_that_is_asked(
    serve: Any, path: Path
) -> None:
    """U8: nothing before the @ or behind the colon is taken for it."""
    write(path, "machine intended login me password secret\n")
    told = Told()
    async with serve((Serve(told),), trust_env=True) as (session, _):
        port = session.base_url.port
        async with session.get(f"http://intended:@127.0.0.1:{port}/") as response:
            assert response.status == 200
        async with session.get(f"http://127.0.0.1:{port}/?@intended") as response:
            assert response.status == 200
    assert told.told == [("/", basic("intended", "")), ("/", None)]


async def test_explicit_credentials_go_before_it(serve: Any, path: Path) -> None:
    write(path, "machine 127.0.0.1 login file password secret\n")
    told = Told()
    auth = wayfare.BasicAuth("mine", "p")
    async with serve((Serve(told),), trust_env=True) as (session, _):
        where = f"http://url:p@127.0.0.1:{session.base_url.port}/"
        for url, options in (
            ("/", {"auth": auth}),
            ("/", {"headers": {"authorization": "Token x"}}),
            (where, {}),
            ("/", {"skip_auto_headers": ["Authorization"]}),
            ("/", {"trust_env": False}),
            ("/", {}),
        ):
            async with session.get(url, **options) as response:
                assert response.status == 200
    async with serve((Serve(told),), trust_env=True, auth=auth) as (session, _):
        await (await session.get("/")).read()
    assert [value for _, value in told.told] == [
        auth.encode(),
        "Token x",
        basic("url", "p"),
        None,
        None,
        basic("file", "secret"),
        auth.encode(),
    ]


async def test_one_request_may_ask_for_it(serve: Any, path: Path) -> None:
    write(path, "machine 127.0.0.1 login file password secret\n")
    told = Told()
    async with serve((Serve(told),)) as (session, _):
        for options in ({"trust_env": True}, {"trust_env": None}, {}):
            async with session.get("/", **options) as response:
                assert response.status == 200
    assert [value for _, value in told.told] == [basic("file", "secret"), None, None]


async def test_who_has_nothing_in_it_goes_the_short_way(serve: Any, path: Path) -> None:
    """A session that trusts its environment pays only where that has something to say."""
    write(path, "machine elsewhere.example login file password secret\n")
    told = Told()
    async with serve((Serve(told),), trust_env=True) as (session, _):
        for _ in range(2):
            async with session.get("/") as response:
                assert response.status == 200
            # The first one has the file read.
            session._pipeline._make_journey = None
        async with session.get("/") as response:
            assert response.status == 200
        assert session._pipeline._make_journey is None
    assert [value for _, value in told.told] == [None, None, None]


async def test_d18_a_middleware_that_sends_it_elsewhere_takes_nothing_along(
    serve: Any, path: Path
) -> None:
    write(path, "machine example.org login me password secret\n")
    told = Told()

    async def elsewhere(request: Any, handler: Any) -> Any:
        assert "Authorization" not in request.headers
        request.url = request.url.with_host("127.0.0.1").with_port(request.session.base_url.port)
        return await handler(request)

    async with serve((Serve(told),), trust_env=True, middlewares=[elsewhere]) as (session, _):
        await (await session.get("http://example.org/")).read()
    assert told.told == [("/", None)]


async def test_a_middleware_that_waits_to_be_asked_is_not_forestalled(
    serve: Any, path: Path
) -> None:
    """What is said in the program goes before what stands in a file, also for the request that has nothing yet."""
    write(path, "machine 127.0.0.1 login file password secret\n")
    told = Told()
    digest = wayfare.DigestAuthMiddleware("me", "p")
    other = wayfare.DigestAuthMiddleware("me", "p", origin="http://other/")
    async with serve((Serve(told),), trust_env=True) as (session, _):
        for middleware in (digest, other):
            await (await session.get("/", middlewares=[middleware])).read()
    assert [value for _, value in told.told] == [None, basic("file", "secret")]


async def test_d18_nothing_goes_along_on_a_way_from_https_to_http(path: Path) -> None:
    write(path, "machine h login me password secret\n")
    prepared = prepare_url(URL("http://h/"), Route(trust_env=True))
    request = wayfare.ClientRequest(
        "GET", prepared, FieldBlock(()), None, wayfare.ClientTimeout(), RequestSettings()
    )
    netrc = Netrc()
    assert await netrc.authorized(request, [URL("https://h/")]) is request
    authorized = await netrc.authorized(request, [URL("http://i/")])
    assert authorized.headers["Authorization"] == basic("me", "secret")
    assert "Authorization" not in request.headers


async def test_d18_p5_the_environment_s_proxy_gets_what_is_for_its_host(
    serve: Any, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D17: each hop's proxy, the target what is for the target, and a proxy that says who one is nothing more."""
    write(path, "machine localhost login proxy password 1\nmachine a.test login me password 2\n")
    told: list[tuple[str, str | None, str | None]] = []

    def answer(request: ReceivedRequest) -> Reply:
        proxied = request.get("proxy-authorization")
        told.append((request.target, request.get("authorization"), proxied))
        if request.target.endswith("/moved"):
            return Reply("", 302, fields=[("Location", "http://b.test/")])
        return Reply("ok")

    async with serve((Serve(answer),)) as (server, _):
        port = server.base_url.port
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("http_proxy", f"http://localhost:{port}")

        async def through(request: Any, handler: Any) -> Any:
            assert request.proxy_auth is None
            return await handler(request)

        async with wayfare.ClientSession(trust_env=True) as session:
            for _ in range(2):
                await session.get("http://b.test/plain")
            await session.get("http://a.test/moved", middlewares=[through])
            await session.get("http://a.test/own", proxy_auth=BasicAuth("u"))
            await session.get("http://a.test/named", proxy=f"http://localhost:{port}")
            monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
            await session.get("http://b.test/unknown")
        async with wayfare.ClientSession() as session:
            monkeypatch.setenv("http_proxy", f"http://localhost:{port}")
            await session.get("http://b.test/once", trust_env=True)
    ours, mine = basic("proxy", "1"), basic("me", "2")
    assert told == [
        ("http://b.test/plain", None, ours),
        ("http://b.test/plain", None, ours),
        ("http://a.test/moved", mine, ours),
        ("http://b.test/", None, ours),
        ("http://a.test/own", mine, basic("u", "")),
        ("http://a.test/named", mine, None),
        ("http://b.test/unknown", None, None),
        ("http://b.test/once", None, ours),
    ]


# -- reading ---------------------------------------------------------------------------------------------------------


class Readings(ThreadPoolExecutor):
    """The loop's threads; it remembers what ran in them."""

    def __init__(self) -> None:
        super().__init__(max_workers=2)
        self.functions: list[object] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        self.functions.append(fn)
        return super().submit(fn, *args, **kwargs)

    @property
    def count(self) -> int:
        return self.functions.count(read_netrc)


async def test_y9_it_is_read_once_in_a_thread_and_again_when_it_changed(
    serve: Any, path: Path
) -> None:
    """Y9: by many requests at once, too, and by several sessions."""
    readings = Readings()
    asyncio.get_running_loop().set_default_executor(readings)
    told = Told()

    async def get(session: Any) -> None:
        async with session.get("/") as response:
            await response.read()

    async with serve((Serve(told),), trust_env=True) as (session, _):
        await get(session)
        assert readings.count == 0
        write(path, "machine 127.0.0.1 login first password 1\n")
        await asyncio.gather(*[get(session) for _ in range(5)])
        await get(session)
        assert readings.count == 1
        write(path, "machine 127.0.0.1 login second password 22\n")
        await get(session)
        assert readings.count == 2
        write(path, "machine 127.0.0.1 login third nonsense\n")
        await get(session)
        await get(session)
        assert readings.count == 3
        remove(path)
        await get(session)
        assert readings.count == 3
    write(path, "machine 127.0.0.1 login fourth password 4444\n")
    for _ in range(2):
        async with serve((Serve(told),), trust_env=True) as (session, _):
            await get(session)
    assert readings.count == 4
    assert [value for _, value in told.told] == [
        None,
        *[basic("first", "1")] * 6,
        basic("second", "22"),
        *[None] * 3,
        *[basic("fourth", "4444")] * 2,
    ]


async def test_a_file_that_is_no_good_breaks_no_request_and_is_told_once(
    serve: Any, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(path, "machine 127.0.0.1 nonsense secret")
    told = Told()
    async with serve((Serve(told),), trust_env=True) as (session, _):
        for _ in range(3):
            async with session.get("/") as response:
                assert response.status == 200
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "secret" not in caplog.text


async def test_one_that_is_cancelled_leaves_the_others_their_file(serve: Any, path: Path) -> None:
    write(path, "machine 127.0.0.1 login me password secret\n")
    told = Told()
    async with serve((Serve(told),), trust_env=True) as (session, _):
        first, *rest = [asyncio.ensure_future(session.get("/")) for _ in range(3)]
        await ticks(2)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        for response in await asyncio.gather(*rest):
            assert response.status == 200
            await response.read()
    assert [value for _, value in told.told] == [basic("me", "secret")] * 2


async def test_without_a_home_there_is_none(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRC", "~nobody-of-this-name/netrc")
    told = Told()
    async with serve((Serve(told),), trust_env=True) as (session, _):
        await (await session.get("/")).read()
    assert told.told == [("/", None)]
