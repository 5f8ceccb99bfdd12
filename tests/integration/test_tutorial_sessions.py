"""What users of aiohttp were taught of sessions, of 2018 and of today: fields, cookies, middlewares, signals."""

from __future__ import annotations

import asyncio
import logging
from http.cookies import SimpleCookie
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import wayfare as aiohttp
from wayfare import ClientHandlerType, ClientRequest, ClientResponse, hdrs
from wayfare_http_core.testing import Reply, ScriptedServer, Serve, listening
from yarl import URL


@pytest.fixture
def named(httpbin: str) -> str:
    """httpbin by a name: an address has no cookies."""
    return httpbin.replace("127.0.0.1", "localhost")


async def told(session: aiohttp.ClientSession, url: str, **options: Any) -> Any:
    """What httpbin answers."""
    async with session.get(url, **options) as r:
        assert r.status == 200
        return await r.json()


# --- Fields and credentials -----------------------------------------------------------------------


async def test_default_headers_of_a_session(httpbin: str) -> None:
    headers = {"Authorization": "Basic bG9naW46cGFzcw=="}
    async with aiohttp.ClientSession(headers=headers) as session:
        json_body = await told(session, f"{httpbin}/headers")
        assert json_body["headers"]["Authorization"] == "Basic bG9naW46cGFzcw=="


async def test_basic_auth(httpbin: str) -> None:
    """The three ways: `auth=`, the encoded value, and the URL; none of them warns."""
    url = f"{httpbin}/basic-auth/login/pass"
    auth = aiohttp.BasicAuth("login", "pass")
    async with aiohttp.ClientSession(httpbin, auth=auth) as session:
        assert (await told(session, "/basic-auth/login/pass"))["user"] == "login"
    async with aiohttp.ClientSession() as session:
        assert (await told(session, url, auth=auth))["authenticated"]
        headers = {"Authorization": aiohttp.encode_basic_auth("login", "pass")}
        assert (await told(session, url, headers=headers))["authenticated"]
        assert (await told(session, str(URL(url).with_user("login").with_password("pass"))))["user"]
        async with session.get(url) as r:
            assert r.status == 401


async def test_credentials_of_a_netrc_file(
    httpbin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "netrc"
    file.write_text("machine 127.0.0.1 login user password passwd\n", encoding="utf-8")
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))
    async with aiohttp.ClientSession(httpbin, trust_env=True) as session:
        assert (await told(session, "/basic-auth/user/passwd"))["user"] == "user"
    async with (
        aiohttp.ClientSession(httpbin) as session,
        session.get("/basic-auth/user/passwd") as resp,
    ):
        assert resp.status == 401


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512"])
async def test_digest_auth(httpbin: str, algorithm: str) -> None:
    url = f"{httpbin}/digest-auth/auth/user/passwd/{algorithm}"
    digest_auth = aiohttp.DigestAuthMiddleware(login="user", password="passwd")
    async with aiohttp.ClientSession(middlewares=(digest_auth,)) as session:
        assert await told(session, url) == {"authenticated": True, "user": "user"}
    async with aiohttp.ClientSession() as session:
        assert (await told(session, url, middlewares=(digest_auth,)))["authenticated"]
        async with session.get(url) as resp:
            assert resp.status == 401


async def test_headers_that_are_not_made(httpbin: str) -> None:
    skip = ["User-Agent", "accept"]
    async with aiohttp.ClientSession(skip_auto_headers=skip) as session:
        seen = (await told(session, f"{httpbin}/headers"))["headers"]
    assert {"User-Agent", "Accept"}.isdisjoint(seen)
    assert "Accept-Encoding" in seen


async def test_headers_in_any_case(httpbin: str) -> None:
    async with (
        aiohttp.ClientSession(headers={"X-Key": "session"}) as session,
        session.get(f"{httpbin}/headers", headers={"x-KEY": "request"}) as resp,
    ):
        assert (await resp.json())["headers"]["X-Key"] == "request"
        assert resp.headers["CONTENT-TYPE"] == resp.headers["content-type"] == "application/json"
        assert resp.headers[hdrs.CONTENT_TYPE] == resp.headers.get("Content-Type")
        raw = dict(resp.raw_headers)
        assert raw[b"Content-Type"] == b"application/json"


async def test_redirection_history(httpbin: str) -> None:
    url = f"{httpbin}/redirect-to?url=/get&status_code=301"
    async with aiohttp.ClientSession() as session:
        resp = await session.get(url)
        assert resp.status == 200
        assert resp.url == URL(httpbin) / "get"
        assert len(resp.history) == 1
        assert resp.history[0].status == 301
        assert resp.history[0].url == URL(url)
        await resp.read()

        resp = await session.get(url, allow_redirects=False)
        assert (resp.status, resp.history) == (301, ())
        assert resp.headers["Location"] == "/get"
        await resp.release()

        with pytest.raises(aiohttp.TooManyRedirects):
            await session.get(f"{httpbin}/redirect/5", max_redirects=4)


# --- Cookies --------------------------------------------------------------------------------------


async def test_custom_cookies(httpbin: str) -> None:
    cookies = {"cookies_are": "working"}
    async with aiohttp.ClientSession(cookies=cookies) as session:
        assert await told(session, f"{httpbin}/cookies") == {"cookies": {"cookies_are": "working"}}
        json_body = await told(session, f"{httpbin}/cookies", cookies={"one": "more"})
        assert json_body == {"cookies": {"cookies_are": "working", "one": "more"}}
    morsels: SimpleCookie = SimpleCookie({"name": "value"})
    async with aiohttp.ClientSession(cookies=morsels) as session:
        assert (await told(session, f"{httpbin}/cookies"))["cookies"] == {"name": "value"}


async def test_cookies_of_a_response(named: str) -> None:
    url = f"{named}/cookies/set?example_cookie_name=value"
    async with aiohttp.ClientSession() as session:
        async with session.get(url, allow_redirects=False) as resp:
            assert resp.cookies["example_cookie_name"].value == "value"
        async with session.get(url) as resp:
            # The last response sets none; the jar has them all.
            assert not resp.cookies
            assert resp.history[0].headers["Set-Cookie"].startswith("example_cookie_name=value")


async def test_cookies_are_shared_in_a_session(named: str) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{named}/cookies/set?my_cookie=my_value") as resp:
            assert resp.status == 200
        for where in (named, URL(named)):
            filtered = session.cookie_jar.filter_cookies(where)
            assert filtered["my_cookie"].value == "my_value"
        assert (await told(session, f"{named}/cookies"))["cookies"]["my_cookie"] == "my_value"
        assert [cookie.name for cookie in session.cookie_jar] == ["my_cookie"]
        session.cookie_jar.clear()
        assert (await told(session, f"{named}/cookies"))["cookies"] == {}


async def test_a_cookie_of_the_programs_own(named: str) -> None:
    async with aiohttp.ClientSession() as session:
        session.cookie_jar.update_cookies({"session": "secret"}, URL(named))
        assert (await told(session, f"{named}/cookies"))["cookies"] == {"session": "secret"}


async def test_cookie_safety(httpbin: str) -> None:
    """Addresses have none, unless the jar is unsafe."""
    path = f"{httpbin}/cookies/set?a=1"
    async with aiohttp.ClientSession() as session:
        assert (await told(session, path))["cookies"] == {}
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        assert (await told(session, path))["cookies"] == {"a": "1"}


async def test_quotes_of_cookies(httpbin: str) -> None:
    for quote, sent in ((True, 'a="b c"'), (False, "a=b c")):
        jar = aiohttp.CookieJar(unsafe=True, quote_cookie=quote)
        jar.update_cookies({"a": "b c"}, URL(httpbin))
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            assert (await told(session, f"{httpbin}/headers"))["headers"]["Cookie"] == sent


async def test_a_jar_that_is_saved(named: str, tmp_path: Path) -> None:
    file = tmp_path / "cookies.json"
    async with aiohttp.ClientSession() as session:
        await told(session, f"{named}/cookies/set?kept=yes")
        jar = session.cookie_jar
        assert isinstance(jar, aiohttp.CookieJar)
        jar.save(file)
    jar = aiohttp.CookieJar()
    jar.load(file)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        assert (await told(session, f"{named}/cookies"))["cookies"] == {"kept": "yes"}
        jar.clear_domain("localhost")
        assert (await told(session, f"{named}/cookies"))["cookies"] == {}


async def test_a_dummy_jar(named: str) -> None:
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        assert (await told(session, f"{named}/cookies/set?a=1"))["cookies"] == {}


# --- Signals --------------------------------------------------------------------------------------


async def test_client_tracing(httpbin: str) -> None:
    events: list[str] = []

    async def on_request_start(
        session: aiohttp.ClientSession,
        trace_config_ctx: SimpleNamespace,
        params: aiohttp.TraceRequestStartParams,
    ) -> None:
        trace_config_ctx.start = asyncio.get_running_loop().time()
        events.append(f"start {params.method} {params.url.path}")

    async def on_request_end(
        session: aiohttp.ClientSession,
        trace_config_ctx: SimpleNamespace,
        params: aiohttp.TraceRequestEndParams,
    ) -> None:
        elapsed = asyncio.get_running_loop().time() - trace_config_ctx.start
        events.append(f"end {params.response.status} {elapsed >= 0}")

    trace_config = aiohttp.TraceConfig()
    trace_config.on_request_start.append(on_request_start)
    trace_config.on_request_end.append(on_request_end)
    async with (
        aiohttp.ClientSession(trace_configs=[trace_config]) as client,
        client.get(f"{httpbin}/get") as resp,
    ):
        await resp.read()
    assert events == ["start GET /get", "end 200 True"]


async def test_a_context_for_each_request(httpbin: str) -> None:
    seen: list[Any] = []

    async def on_request_start(session: Any, trace_config_ctx: Any, params: Any) -> None:
        seen.append(trace_config_ctx.trace_request_ctx)

    trace_config = aiohttp.TraceConfig()
    trace_config.on_request_start.append(on_request_start)
    async with aiohttp.ClientSession(trace_configs=[trace_config]) as client:
        async with client.get(f"{httpbin}/get", trace_request_ctx={"foo": "bar"}) as resp:
            await resp.read()
        async with client.get(f"{httpbin}/get") as resp:
            await resp.read()
    assert seen == [{"foo": "bar"}, None]


async def test_a_config_that_is_subclassed(httpbin: str) -> None:
    seen: list[tuple[str, bool]] = []

    class RequestTimeTrace(aiohttp.TraceConfig):
        def __init__(self) -> None:
            super().__init__(lambda trace_request_ctx=None: {"ctx": trace_request_ctx})
            self.on_connection_create_end.append(self.created)
            self.on_connection_reuseconn.append(self.reused)

        async def created(self, session: Any, context: Any, params: Any) -> None:
            seen.append(("created", context["ctx"]))

        async def reused(self, session: Any, context: Any, params: Any) -> None:
            seen.append(("reused", context["ctx"]))

    async with aiohttp.ClientSession(trace_configs=[RequestTimeTrace()]) as client:
        for ctx in (True, False):
            async with client.get(f"{httpbin}/get", trace_request_ctx=ctx) as resp:
                await resp.read()
    assert seen == [("created", True), ("reused", False)]


# --- Middlewares ----------------------------------------------------------------------------------


async def test_a_middleware_that_adds_a_header_and_looks_at_the_response(httpbin: str) -> None:
    async def my_middleware(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        request.headers["x-foo"] = "bar"
        response = await handler(request)
        assert response.status == 200
        return response

    async with aiohttp.ClientSession(httpbin, middlewares=(my_middleware,)) as session:
        assert (await told(session, "/headers"))["headers"]["X-Foo"] == "bar"
        assert "X-Foo" not in (await told(session, "/headers", middlewares=()))["headers"]


async def test_the_order_of_middlewares(httpbin: str) -> None:
    events: list[str] = []

    def labelled(label: str) -> aiohttp.ClientMiddlewareType:
        async def middleware(req: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
            events.append(f"{label} before")
            resp = await handler(req)
            events.append(f"{label} after")
            return resp

        return middleware

    async with (
        aiohttp.ClientSession(middlewares=[labelled("outer"), labelled("inner")]) as session,
        session.get(f"{httpbin}/get") as resp,
    ):
        await resp.read()
    assert events == ["outer before", "inner before", "inner after", "outer after"]


async def test_a_middleware_that_retries() -> None:
    async def retry_middleware(req: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        for _ in range(3):
            resp = await handler(req)
            if resp.ok:
                return resp
        return resp

    statuses = iter([503, 502, 200])
    server = ScriptedServer([Serve(lambda request: Reply(status=next(statuses)))])
    async with (
        listening(server) as (host, port),
        aiohttp.ClientSession(middlewares=(retry_middleware,)) as session,
        session.get(f"http://{host}:{port}/") as resp,
    ):
        assert resp.status == 200
        assert [len(peer.requests) for peer in server.peers] == [3]


async def test_a_middleware_that_asks_on_its_own(httpbin: str) -> None:
    logged: list[Any] = []

    async def api_logging_middleware(
        req: ClientRequest, handler: ClientHandlerType
    ) -> ClientResponse:
        async with req.session.post("/post", data=req.url.host, middlewares=()) as resp:
            if resp.ok:
                logged.append((await resp.json())["data"])
        return await handler(req)

    async with (
        aiohttp.ClientSession(httpbin, middlewares=(api_logging_middleware,)) as session,
        session.get("/get") as resp,
    ):
        await resp.read()
    assert logged == ["127.0.0.1"]


async def test_a_token_that_is_refreshed() -> None:
    valid = "fresh"
    asked: list[str] = []

    def answer(request: Any) -> Reply:
        asked.append(f"{request.target} {request.get('authorization')}")
        if request.target == "/refresh":
            return Reply(f'{{"token": "{valid}"}}', fields=[("Content-Type", "application/json")])
        return Reply(status=200 if request.get("authorization") == f"Bearer {valid}" else 401)

    class TokenRefresh401Middleware:
        def __init__(self) -> None:
            self.token = "stale"
            self.lock = asyncio.Lock()

        async def __call__(self, req: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
            for _ in range(2):
                token = self.token
                req.headers["Authorization"] = f"Bearer {token}"
                resp = await handler(req)
                if resp.status != 401:
                    return resp
                async with self.lock:
                    if token != self.token:
                        continue
                    url = req.url.with_path("/refresh")
                    async with req.session.post(url, middlewares=()) as refreshed:
                        self.token = (await refreshed.json())["token"]
            return resp

    server = ScriptedServer([Serve(answer)])
    async with (
        listening(server) as (host, port),
        aiohttp.ClientSession(middlewares=(TokenRefresh401Middleware(),)) as session,
        session.get(f"http://{host}:{port}/private") as resp,
    ):
        assert resp.status == 200
    assert asked == ["/private Bearer stale", "/refresh None", "/private Bearer fresh"]


async def test_a_middleware_that_logs(httpbin: str, caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("program")

    class LoggingMiddleware:
        async def __call__(
            self, request: ClientRequest, handler: ClientHandlerType
        ) -> ClientResponse:
            log.info("[REQUEST] %s %s", request.method, request.url.path)
            response = await handler(request)
            log.info("[RESPONSE] %s", response.status)
            return response

    with caplog.at_level(logging.INFO, "program"):
        async with (
            aiohttp.ClientSession(middlewares=(LoggingMiddleware(),)) as session,
            session.post(f"{httpbin}/post", json={"a": 1}) as resp,
        ):
            await resp.read()
    assert [record.getMessage() for record in caplog.records] == [
        "[REQUEST] POST /post",
        "[RESPONSE] 200",
    ]


async def test_requests_that_must_not_reach_private_hosts(httpbin: str) -> None:
    """As a middleware refuses by URL, and better: by what a name resolves to (`PublicAddresses`)."""

    class SSRFError(aiohttp.ClientError):
        pass

    async def ssrf_middleware(req: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        if req.url.host in {"127.0.0.1", "localhost"}:
            raise SSRFError("private")
        return await handler(req)

    async with aiohttp.ClientSession(middlewares=(ssrf_middleware,)) as session:
        with pytest.raises(SSRFError):
            await session.get(httpbin)
    resolver = aiohttp.StaticResolver({"innocent.test": ["127.0.0.1"]})
    connector = aiohttp.TCPConnector(resolver=resolver, address_policy=aiohttp.PublicAddresses())
    async with aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(aiohttp.AddressRefusedError):
            await session.get(f"http://innocent.test:{URL(httpbin).port}/get")
