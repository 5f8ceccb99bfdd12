"""`BearerAuthMiddleware`: one token for one origin, and one call for each new one (D19)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import wayfare
from wayfare import BearerAuthMiddleware, BearerToken
from wayfare_http_core.testing import ReceivedRequest, Reply, Serve, ticks


class Api:
    """Takes the tokens that are `valid`, and remembers what it was told."""

    def __init__(self, *valid: str) -> None:
        self.valid = set(valid)
        self.told: list[str | None] = []

    def __call__(self, request: ReceivedRequest) -> Reply:
        told = (request.get("authorization") or "").removeprefix("Bearer ") or None
        self.told.append(told)
        if told not in self.valid:
            return Reply("no", 401, fields=[("WWW-Authenticate", 'Bearer error="invalid_token"')])
        return Reply(request.body or b"yes")


class Tokens:
    """Gives t1, t2 and so on, after as many ticks of the loop as it is told."""

    def __init__(self, expires_in: float | None = None, pause: int = 0) -> None:
        self.expires_in, self.pause = expires_in, pause
        self.calls = 0

    async def __call__(self) -> BearerToken:
        self.calls += 1
        token = BearerToken(f"t{self.calls}", self.expires_in)
        await ticks(self.pause)
        return token


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def status(session: Any, path: str = "/", **options: Any) -> int:
    async with session.get(path, **options) as response:
        await response.read()
        return int(response.status)


async def test_a_token_that_is_given(serve: Any) -> None:
    """There is no other one to be had: a 401 is the response."""
    api = Api("t")
    for token in ("t", BearerToken("t"), BearerToken("t", 0)):
        async with serve((Serve(api),), middlewares=[BearerAuthMiddleware(token)]) as (session, _):
            assert await status(session) == 200
    async with serve((Serve(api),), middlewares=[BearerAuthMiddleware("u")]) as (session, _):
        assert await status(session) == 401
    assert api.told == ["t", "t", "t", "u"]


@pytest.mark.parametrize("kind", ["coroutine", "function", "text"])
async def test_a_token_that_is_got_once(serve: Any, kind: str) -> None:
    api, tokens = Api("t1", "x"), Tokens()
    source: Any = {
        "coroutine": tokens,
        "function": lambda: BearerToken("x", 60),
        "text": lambda: "x",
    }[kind]
    async with serve((Serve(api),), middlewares=[BearerAuthMiddleware(source)]) as (session, _):
        for _ in range(3):
            assert await status(session) == 200
    assert len(set(api.told)) == 1
    assert tokens.calls == (kind == "coroutine")


async def test_a_token_that_is_refused_is_replaced_once(serve: Any) -> None:
    api, tokens = Api("t2"), Tokens()
    async with serve((Serve(api),), middlewares=[BearerAuthMiddleware(tokens)]) as (session, _):
        async with session.post("/", data=b"content") as response:
            assert (response.status, await response.read()) == (200, b"content")
        assert await status(session) == 200
        assert session.connector.stats().leased == 0
    assert api.told == ["t1", "t2", "t2"]


async def test_a_server_that_refuses_everything_is_asked_twice(serve: Any) -> None:
    api, tokens = Api(), Tokens()
    async with serve((Serve(api),), middlewares=[BearerAuthMiddleware(tokens)]) as (session, _):
        assert await status(session) == 401
    assert api.told == ["t1", "t2"]


@pytest.mark.parametrize(("expires_in", "good_for"), [(100.0, 70.0), (40.0, 20.0)])
async def test_a_token_is_replaced_before_it_expires(
    serve: Any, expires_in: float, good_for: float
) -> None:
    """Half a minute before, or when half of its time is over."""
    api, tokens, clock = Api("t1", "t2"), Tokens(expires_in), Clock()
    bearer = BearerAuthMiddleware(tokens, clock=clock)
    async with serve((Serve(api),), middlewares=[bearer]) as (session, _):
        for later in (0.0, good_for - 1.0, good_for):
            clock.now = 1000.0 + later
            assert await status(session) == 200
    assert api.told == ["t1", "t1", "t2"]


async def test_its_time_counts_from_when_it_was_asked_for(serve: Any) -> None:
    api, clock = Api("t"), Clock()
    calls = 0

    async def slow() -> BearerToken:
        nonlocal calls
        calls += 1
        clock.now += 80.0
        return BearerToken("t", 100.0)

    bearer = BearerAuthMiddleware(slow, clock=clock)
    async with serve((Serve(api),), middlewares=[bearer]) as (session, _):
        assert await status(session) == 200
        assert await status(session) == 200
    assert calls == 2


# -- several at once -------------------------------------------------------------------------------------------------


async def test_one_call_serves_all_that_wait(serve: Any) -> None:
    api, tokens = Api("t2"), Tokens(pause=50)
    async with serve((Serve(api),), middlewares=[BearerAuthMiddleware(tokens)]) as (session, _):
        assert await asyncio.gather(*[status(session) for _ in range(6)]) == [200] * 6
    assert tokens.calls == 2
    assert sorted(map(str, api.told)) == ["t1"] * 6 + ["t2"] * 6


async def test_one_error_fails_all_that_wait(serve: Any) -> None:
    calls = 0

    async def failing() -> str:
        nonlocal calls
        calls += 1
        await ticks(50)
        raise LookupError("no tokens today")

    api = Api("t")
    async with serve((Serve(api),), middlewares=[BearerAuthMiddleware(failing)]) as (session, _):
        results = await asyncio.gather(*[status(session) for _ in range(3)], return_exceptions=True)
        assert [type(result) for result in results] == [LookupError] * 3
        assert calls == 1
        with pytest.raises(LookupError):
            await status(session)
        assert calls == 2
    assert api.told == []


async def test_whoever_is_cancelled_hands_over_to_another(serve: Any) -> None:
    begun, going = asyncio.Event(), asyncio.Event()
    calls = 0

    async def fetch() -> str:
        nonlocal calls
        calls += 1
        begun.set()
        await going.wait()
        return "t"

    api = Api("t")
    async with serve((Serve(api),), middlewares=[BearerAuthMiddleware(fetch)]) as (session, _):
        first, second, third = [asyncio.create_task(status(session)) for _ in range(3)]
        await begun.wait()
        await ticks(5)
        first.cancel()
        await ticks(5)
        assert calls == 2
        third.cancel()
        await ticks(5)
        assert calls == 2
        going.set()
        assert await second == 200
        for cancelled in (first, third):
            with pytest.raises(asyncio.CancelledError):
                await cancelled


async def test_the_total_ends_the_waiting(serve: Any) -> None:
    async def never() -> str:
        await asyncio.Event().wait()
        raise AssertionError

    async with serve((Serve(Api()),), middlewares=[BearerAuthMiddleware(never)]) as (session, _):
        with pytest.raises(wayfare.TotalTimeoutError):
            await status(session, timeout=0.05)


async def test_what_gets_the_token_goes_without(serve: Any) -> None:
    """It may use the same session, and would wait for itself."""
    told: list[str | None] = []

    def server(request: ReceivedRequest) -> Reply:
        told.append(request.get("authorization"))
        return Reply("fresh")

    async def fetch() -> str:
        async with session.get("/token") as response:
            return str(await response.text())

    async with serve((Serve(server),), middlewares=[BearerAuthMiddleware(fetch)]) as (session, _):
        assert await status(session) == 200
    assert told == [None, "Bearer fresh"]


# -- whom it is for, and what it takes -------------------------------------------------------------------------------


async def test_d19_no_other_origin_is_told(serve: Any) -> None:
    """D19: neither after a redirect nor when it is asked itself; and it costs no token there."""
    api, tokens = Api("t1"), Tokens()

    def server(request: ReceivedRequest) -> Reply:
        if request.path == "/leave":
            return Reply("", 307, fields=[("Location", f"{other}stolen")])
        return api(request)

    async with serve((Serve(server),), middlewares=[BearerAuthMiddleware(tokens)]) as (session, _):
        other = str(session.base_url).replace("127.0.0.1", "localhost")
        assert await status(session, "/leave") == 401
        assert await status(session, f"{other}asked") == 401
        assert await status(session) == 200
    assert api.told == [None, None, "t1"]
    async with serve((Serve(server),)) as (session, _):
        bearer = BearerAuthMiddleware("t1", origin=session.base_url)
        other = str(session.base_url).replace("127.0.0.1", "localhost")
        assert await status(session, f"{other}first", middlewares=[bearer]) == 401
        assert await status(session, middlewares=[bearer]) == 200


async def test_requests_with_credentials_of_their_own_are_left_alone(serve: Any) -> None:
    api = Api("mine")
    bearer = BearerAuthMiddleware("t")
    async with serve((Serve(api),), middlewares=[bearer]) as (session, _):
        assert await status(session, headers={"Authorization": "Bearer mine"}) == 200
    assert api.told == ["mine"]


async def test_netrc_does_not_forestall_it(
    serve: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password p")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    api = Api("t")
    bearer = BearerAuthMiddleware("t")
    async with serve((Serve(api),), middlewares=[bearer], trust_env=True) as (session, _):
        assert await status(session) == 200


async def pieces() -> AsyncIterator[bytes]:
    yield b"x"


async def test_content_that_can_be_sent_only_once_gets_the_401(serve: Any) -> None:
    """And the request after it a new token."""
    api, tokens = Api("t2"), Tokens()
    async with serve((Serve(api),), middlewares=[BearerAuthMiddleware(tokens)]) as (session, _):
        async with session.put("/", data=pieces()) as response:
            assert (response.status, await response.text()) == (401, "no")
        async with session.put("/", data=pieces()) as response:
            assert (response.status, await response.text()) == (200, "x")
    assert api.told == ["t1", "t2"]


async def test_a_late_401_leaves_the_newer_token_alone(serve: Any) -> None:
    """Another request has brought it meanwhile."""
    tokens, released = Tokens(), asyncio.Event()

    async def late(request: Any, handler: Any) -> Any:
        response = await handler(request)
        if request.body is not None:
            await released.wait()
        return response

    api = Api("t2")
    middlewares = [BearerAuthMiddleware(tokens), late]
    async with serve((Serve(api),), middlewares=middlewares) as (session, _):
        upload = asyncio.create_task(session.put("/", data=pieces()))
        while not api.told:
            await asyncio.sleep(0)
        assert await status(session) == 200
        released.set()
        response = await upload
        assert (response.status, await response.text()) == (401, "no")
        assert await status(session) == 200
    assert tokens.calls == 2


# -- arguments -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "a b", "secret\n", "secr\u00e9t"])
async def test_tokens_that_cannot_be_sent(serve: Any, token: str) -> None:
    """None of them is quoted."""
    with pytest.raises(ValueError, match="visible ASCII") as caught:
        BearerAuthMiddleware(token)
    assert "sec" not in str(caught.value)
    bearer = BearerAuthMiddleware(lambda: token)
    async with serve((Serve(Api()),), middlewares=[bearer]) as (session, _):
        with pytest.raises(ValueError, match="visible ASCII"):
            await status(session)


def test_arguments_that_make_no_sense() -> None:
    with pytest.raises(TypeError, match="source must be a token or a function"):
        BearerAuthMiddleware(None)  # type: ignore[arg-type]  # what is refused
    with pytest.raises(ValueError, match="leeway must not be negative"):
        BearerAuthMiddleware("t", leeway=-1)
    with pytest.raises(ValueError, match="origin"):
        BearerAuthMiddleware("t", origin="ftp://h/")
    with pytest.raises(TypeError, match="a token must be a str, not bytes"):
        BearerToken(b"t")  # type: ignore[arg-type]  # what is refused
    with pytest.raises(TypeError, match="expires_in must be a number or None, not str"):
        BearerToken("t", "60")  # type: ignore[arg-type]  # what is refused
    with pytest.raises(TypeError, match="expires_in must be a number or None, not bool"):
        BearerToken("t", True)
    with pytest.raises(ValueError, match="expires_in must not be negative"):
        BearerToken("t", -1)


def test_nothing_prints_a_token() -> None:
    assert "secret" not in repr(BearerToken("secret", 60))
    assert "secret" not in repr(BearerAuthMiddleware("secret"))
