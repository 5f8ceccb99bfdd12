"""`DigestAuthMiddleware` against servers that check what they are told: rules D19 and P4 for servers."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.request import parse_http_list, parse_keqv_list

import pytest
import wayfare
from wayfare import DigestAuthMiddleware
from wayfare_http_core.testing import (
    Fin,
    ReceivedRequest,
    Reply,
    ScriptedServer,
    Serve,
    listening,
)

from .websocket_server import Asked, WebSocketServer, echo, serving


class DigestServer:
    """Asks for Digest credentials, checks them, and remembers what was told it."""

    def __init__(
        self, qop: str = "auth", algorithm: str = "SHA-256", domain: str = "", uses: int = 1000
    ) -> None:
        self.qop, self.algorithm, self.domain, self.uses = qop, algorithm, domain, uses
        self.realm = "files"
        self.says_stale = True
        self.moved: dict[str, str] = {}
        self.told: list[tuple[str, str | None]] = []
        self.nonces: dict[str, set[str]] = {}
        self.next_nonce = False
        self.info = ""

    def __call__(self, request: ReceivedRequest) -> Reply:
        field = request.get("authorization")
        said = {} if field is None else parse_keqv_list(parse_http_list(field.partition(" ")[2]))
        self.told.append((request.target, said.get("nc") if said else None))
        if request.path in self.moved:
            return Reply("gone", 307, fields=[("Location", self.moved[request.path])])
        if not said:
            return self.ask("")
        if said["response"] != self.expected(request, said):
            return self.ask("")
        used = self.nonces.get(said["nonce"], set())
        if said["nonce"] not in self.nonces or said["nc"] in used or len(used) >= self.uses:
            return self.ask(", stale=true" if self.says_stale else "")
        used.add(said["nc"])
        fields = []
        if self.next_nonce:
            fields = [("Authentication-Info", f'nextnonce="{self.new_nonce()}"')]
        if self.info:
            proof = self.expected(request, said, proving=True)
            fields += [("Authentication-Info", self.info.replace("PROOF", proof))]
        return Reply(request.body or b"in", fields=fields)

    def new_nonce(self) -> str:
        nonce = f"n{len(self.nonces)}"
        self.nonces[nonce] = set()
        return nonce

    def ask(self, more: str) -> Reply:
        domain = f', domain="{self.domain}"' if self.domain else ""
        challenge = (
            f'Digest realm="{self.realm}", nonce="{self.new_nonce()}", qop="{self.qop}",'
            f' algorithm={self.algorithm}, opaque="o{self.realm}"{domain}{more}'
        )
        fields = [("WWW-Authenticate", 'Basic realm="x"'), ("WWW-Authenticate", challenge)]
        return Reply("who are you?", 401, fields=fields)

    def expected(
        self, request: ReceivedRequest, said: dict[str, str], proving: bool = False
    ) -> str:
        if (said.get("realm"), said.get("opaque")) != (self.realm, f"o{self.realm}"):
            return "nothing"
        assert said["uri"] == request.target
        name = self.algorithm.lower().replace("-", "")

        def digest(*parts: str) -> str:
            return hashlib.new(name, ":".join(parts).encode()).hexdigest()

        secret = digest("me", self.realm, "secret")
        asked = ["" if proving else request.method, said["uri"]]
        if said["qop"] == "auth-int":
            asked.append(hashlib.new(name, request.body).hexdigest())
        return digest(
            secret, said["nonce"], said["nc"], said["cnonce"], said["qop"], digest(*asked)
        )


def auth(*args: Any, **options: Any) -> DigestAuthMiddleware:
    return DigestAuthMiddleware("me", "secret", *args, **options)


async def test_a_challenge_is_answered_and_later_requests_need_none(serve: Any) -> None:
    files = DigestServer()
    async with serve((Serve(files),), middlewares=[auth()]) as (session, server):
        async with session.get("/a?q=1#f") as response:
            assert (response.status, await response.text()) == (200, "in")
        async with session.put("/b", data=b"x") as response:
            assert (response.status, await response.read()) == (200, b"x")
        assert files.told == [("/a?q=1", None), ("/a?q=1", "00000001"), ("/b", "00000002")]
        assert len(server.peers) == 1


async def test_without_preemption_every_request_waits_to_be_asked(serve: Any) -> None:
    files = DigestServer()
    async with serve((Serve(files),), middlewares=[auth(False)]) as (session, _):
        for _ in range(2):
            assert (await session.get("/")).status == 200
    assert files.told == [("/", None), ("/", "00000001")] * 2


@pytest.mark.parametrize("preemptive", [True, False])
async def test_p4_a_wrong_password_is_sent_once(serve: Any, preemptive: bool) -> None:
    """The 401 that follows is the response, and later requests wait to be asked again."""
    files = DigestServer()
    wrong = DigestAuthMiddleware("me", "wrong", preemptive)
    async with serve((Serve(files),), middlewares=[wrong]) as (session, _):
        for _ in range(2):
            async with session.get("/") as response:
                assert (response.status, await response.text()) == (401, "who are you?")
        assert session.connector.stats().leased == 0
    assert files.told == [("/", None), ("/", "00000001")] * 2


@pytest.mark.parametrize("says_stale", [True, False])
async def test_a_nonce_that_has_had_its_day_is_replaced(serve: Any, says_stale: bool) -> None:
    files = DigestServer(uses=2)
    files.says_stale = says_stale
    async with serve((Serve(files),), middlewares=[auth()]) as (session, _):
        for _ in range(4):
            assert (await session.get("/")).status == 200
    counts = [count for _, count in files.told]
    assert counts == [None, "00000001", "00000002", "00000003", "00000001", "00000002"]


async def test_p4_a_server_that_calls_every_nonce_stale_is_given_up(serve: Any) -> None:
    files = DigestServer(uses=0)
    async with serve((Serve(files),), middlewares=[auth()]) as (session, _):
        assert (await session.get("/")).status == 401
    assert files.told == [("/", None), ("/", "00000001"), ("/", "00000001")]


async def test_the_nonce_that_a_server_wants_next(serve: Any) -> None:
    """RFC 7616 section 3.5."""
    files = DigestServer(uses=1)
    files.next_nonce = True
    async with serve((Serve(files),), middlewares=[auth()]) as (session, _):
        for _ in range(3):
            assert (await session.get("/")).status == 200
    assert [count for _, count in files.told] == [None, *["00000001"] * 3]


PROOF = 'qop=auth, rspauth="PROOF", cnonce="c", nc=00000001'


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512"])
@pytest.mark.parametrize("mutual", [True, False])
async def test_a_server_proves_that_it_knows_the_password(
    serve: Any, algorithm: str, mutual: bool
) -> None:
    """RFC 7616 section 3.5: also while it hands out another nonce."""
    files = DigestServer(algorithm=algorithm, uses=2)
    files.next_nonce, files.info = True, PROOF
    async with serve((Serve(files),), middlewares=[auth(mutual=mutual)]) as (session, _):
        for method in ("GET", "POST"):
            async with session.request(method, "/a%20b?q=1,2", data=b"x") as response:
                assert response.status == 200
    assert [count for _, count in files.told] == [None, "00000001", "00000001"]


@pytest.mark.parametrize(
    "info", ['rspauth="PROOFx"', "rspauth=0", 'rspauth=""', 'rspauth="\xe9"', "qop=auth, rspauth=a"]
)
async def test_a_proof_that_is_wrong_is_an_error(serve: Any, info: str) -> None:
    """Nothing of it is remembered, and the response is released."""
    files = DigestServer()
    files.info = info
    async with serve((Serve(files),), middlewares=[auth()]) as (session, _):
        for _ in range(2):
            with pytest.raises(wayfare.DigestProofError, match="is wrong") as caught:
                await session.get("/")
            assert caught.value.status == 200
        files.info = "rspauth=PROOF"
        assert (await session.get("/")).status == 200
        assert session.connector is not None
        assert session.connector.stats().leased == 0
    assert [count for _, count in files.told] == [None, "00000001"] * 3


@pytest.mark.parametrize("info", ["", "qop=auth", 'qop="auth-int", rspauth=a', "nonsense"])
async def test_a_proof_that_is_missing_is_an_error_where_it_is_wanted(
    serve: Any, info: str
) -> None:
    files = DigestServer()
    files.info = info
    async with serve((Serve(files),), middlewares=[auth()]) as (session, _):
        assert (await session.get("/")).status == 200
    async with serve((Serve(files),), middlewares=[auth(mutual=True)]) as (session, _):
        with pytest.raises(wayfare.DigestProofError, match="does not prove"):
            await session.get("/")


@pytest.mark.parametrize("mutual", [True, False])
async def test_a_proof_over_content_counts_as_missing(serve: Any, mutual: bool) -> None:
    files = DigestServer(qop="auth-int")
    files.info = "rspauth=a"
    async with serve((Serve(files),), middlewares=[auth(mutual=mutual)]) as (session, _):
        if mutual:
            with pytest.raises(wayfare.DigestProofError, match="does not prove"):
                await session.get("/")
        else:
            assert (await session.get("/")).status == 200


async def test_who_is_to_prove_it_has_to_ask(serve: Any) -> None:
    """A server that does not know the password would not get around it by asking for none."""
    async with serve((Serve(lambda _: Reply("in")),), middlewares=[auth(mutual=True)]) as (
        session,
        _,
    ):
        with pytest.raises(wayfare.DigestProofError, match="did not ask"):
            await session.get("/")
    refused = Reply("no", 401, fields=[("WWW-Authenticate", "Digest realm=x")])
    async with serve((Serve(lambda _: refused),), middlewares=[auth(mutual=True)]) as (session, _):
        assert (await session.get("/")).status == 401


async def test_concurrent_requests_share_what_was_accepted(serve: Any) -> None:
    """No count is used twice, and none waits for another."""
    files = DigestServer()
    async with serve((Serve(files),), middlewares=[auth()]) as (session, _):

        async def get(path: str) -> int:
            async with session.get(path) as response:
                return int(response.status)

        assert await asyncio.gather(*[get(f"/{number}") for number in range(8)]) == [200] * 8
        before = len(files.told)
        assert await asyncio.gather(*[get(f"/{number}") for number in range(8)]) == [200] * 8
        assert len(files.told) == before + 8
        assert sorted(str(count) for _, count in files.told[before:]) == [
            f"{n:08x}" for n in range(2, 10)
        ]


async def test_requests_with_credentials_of_their_own_are_left_alone(serve: Any) -> None:
    files = DigestServer()
    async with serve((Serve(files),), middlewares=[auth()]) as (session, server):
        response = await session.get("/", headers={"Authorization": "Digest response=x, realm=y"})
        assert response.status == 401
        assert len(server.peers[0].requests) == 1


@pytest.mark.parametrize("challenge", ["Basic realm=x", "Digest realm=x", ""])
async def test_a_401_that_asks_for_something_else_is_the_response(
    serve: Any, challenge: str
) -> None:
    fields = [("WWW-Authenticate", challenge)] if challenge else []
    plain = Serve(lambda request: Reply("no", 401, fields=fields))
    async with serve((plain,), middlewares=[auth()]) as (session, server):
        async with session.get("/") as response:
            assert (response.status, await response.text()) == (401, "no")
        assert len(server.peers[0].requests) == 1


async def test_a_server_that_asks_for_nothing_is_told_nothing(serve: Any) -> None:
    async with serve((Serve(lambda request: Reply("open")),), middlewares=[auth()]) as (
        session,
        server,
    ):
        assert await (await session.get("/")).text() == "open"
        assert server.peers[0].requests[0].get("authorization") is None


async def test_the_request_stays_as_it_was_for_other_middlewares(serve: Any) -> None:
    seen: list[bool] = []

    async def outer(request: Any, handler: Any) -> Any:
        response = await handler(request)
        seen.append("Authorization" in request.headers)
        assert response.request_info.headers["Authorization"].startswith("Digest ")
        return response

    async with serve((Serve(DigestServer()),), middlewares=[outer, auth()]) as (session, _):
        assert (await session.get("/")).status == 200
    assert seen == [False]


async def test_websockets_are_opened_with_it_too() -> None:
    """The second one at once: ws is the origin that http is."""

    def answer(asked: Asked) -> bytes | None:
        if asked.headers.get("Authorization", "").startswith("Digest "):
            return None
        challenge = 'Digest realm="r", nonce="n", qop="auth"'
        head = f"HTTP/1.1 401 Who\r\nWWW-Authenticate: {challenge}\r\nContent-Length: 0\r\n\r\n"
        return head.encode()

    async with (
        serving(WebSocketServer(echo, answer)) as server,
        wayfare.ClientSession(
            middlewares=[auth(origin=f"http://127.0.0.1:{server.port}")]
        ) as session,
    ):
        for _ in range(2):
            async with session.ws_connect(f"ws://127.0.0.1:{server.port}/") as socket:
                await socket.send_str("hello")
                assert await socket.receive_str() == "hello"
    assert len(server.asked) == 3


# -- whom it is for --------------------------------------------------------------------------------------------------


async def pair(one: DigestServer, other: DigestServer) -> AsyncIterator[tuple[str, str]]:
    """Two origins."""
    servers = ScriptedServer((Serve(one),)), ScriptedServer((Serve(other),))
    async with listening(servers[0]) as (host, port), listening(servers[1]) as (_, other_port):
        yield f"http://{host}:{port}", f"http://{host}:{other_port}"
    assert [server.errors for server in servers] == [(), ()]


async def test_d19_nothing_is_told_another_origin_after_a_redirect() -> None:
    """D19: it asks for Digest credentials as the first one did, and gets none."""
    home, away = DigestServer(), DigestServer()
    async for here, there in pair(home, away):
        home.moved = {"/leave": f"{there}/stolen"}
        async with wayfare.ClientSession(here, middlewares=[auth()]) as session:
            assert (await session.get("/")).status == 200
            async with session.get("/leave") as response:
                assert response.status == 401
                assert str(response.url) == f"{there}/stolen"
            assert (await session.get(f"{there}/asked")).status == 401
    assert away.told == [("/stolen", None), ("/asked", None)]


async def test_d19_the_origin_can_be_named() -> None:
    """D19: the first request says nothing then."""
    home, away = DigestServer(), DigestServer()
    async for here, there in pair(home, away):
        async with wayfare.ClientSession(middlewares=[auth(origin=f"{here}/any")]) as session:
            assert (await session.get(f"{there}/")).status == 401
            assert (await session.get(f"{here}/")).status == 200
    assert away.told == [("/", None)]


async def test_d19_what_the_first_origin_declares_is_answered() -> None:
    """D19: RFC 7616 section 3.3 lets a server name others; those name no further ones."""
    home, away = DigestServer(), DigestServer()
    async for here, there in pair(home, away):
        home.domain = f"/ {there}/shared"
        away.domain = f"{there}/ http://127.0.0.1:1/"
        away.realm = "others"
        async with wayfare.ClientSession(middlewares=[auth()]) as session:
            assert (await session.get(f"{there}/shared", middlewares=())).status == 401
            assert (await session.get(f"{here}/")).status == 200
            for _ in range(2):
                assert (await session.get(f"{there}/shared/1")).status == 200
            assert (await session.get(f"{there}/elsewhere")).status == 401
            assert (await session.get(f"{here}/")).status == 200
    # The first origin's nonce is tried there, refused, and good at home still.
    assert [count for _, count in away.told[1:]] == ["00000002", "00000001", "00000002", None]
    assert [count for _, count in home.told] == [None, "00000001", "00000003"]


async def test_d19_a_declared_origin_is_known_without_preemption_too() -> None:
    home, away = DigestServer(), DigestServer()
    async for here, there in pair(home, away):
        home.domain = f"/ {there}/"
        async with wayfare.ClientSession(middlewares=[auth(False)]) as session:
            assert (await session.get(f"{here}/")).status == 200
            assert (await session.get(f"{there}/")).status == 200
    assert [count for _, count in away.told] == [None, "00000001"]


async def test_outside_its_protection_space_a_request_waits_to_be_asked(serve: Any) -> None:
    files = DigestServer(domain="/a")
    async with serve((Serve(files),), middlewares=[auth()]) as (session, _):
        for path in ("/a/1", "/a/2", "/b"):
            assert (await session.get(path)).status == 200
    assert [path for path, _ in files.told] == ["/a/1", "/a/1", "/a/2", "/b", "/b"]


async def test_two_realms_of_one_server_are_both_remembered(serve: Any) -> None:
    red, blue = DigestServer(domain="/red"), DigestServer(domain="/blue")
    red.realm, blue.realm = "red", "blue"

    def files(request: ReceivedRequest) -> Reply:
        return (red if request.path == "/red" else blue)(request)

    async with serve((Serve(files),), middlewares=[auth()]) as (session, _):
        for _ in range(3):
            assert (await session.get("/red")).status == 200
            assert (await session.get("/blue")).status == 200
    assert len(red.told) == len(blue.told) == 4


async def test_only_so_many_realms_are_remembered(serve: Any) -> None:
    files = DigestServer()

    def changing(request: ReceivedRequest) -> Reply:
        if request.get("authorization") is None:
            files.realm = request.path.strip("/")
            files.domain = request.path
        return files(request)

    middleware = auth()
    async with serve((Serve(changing),), middlewares=[middleware]) as (session, _):
        for number in range(70):
            assert (await session.get(f"/{number}")).status == 200
    assert len(middleware._known) == 64


# -- content ---------------------------------------------------------------------------------------------------------


async def pieces() -> AsyncIterator[bytes]:
    yield b"con"
    yield b"tent"


@pytest.mark.parametrize(
    "options",
    [
        {"data": b"x" * 200_000},
        {"data": {"a": "1"}},
        {"data": b"x" * 100_000, "compress": "gzip"},
        {"data": wayfare.FormData([("a", "1")], default_to_multipart=True)},
        {},
    ],
    ids=["octets", "form", "coded", "multipart", "none"],
)
async def test_auth_int_signs_what_is_really_sent(serve: Any, options: Any) -> None:
    """Twice: once asked, once preemptively."""
    files = DigestServer(qop="auth-int")
    async with serve((Serve(files),), middlewares=[auth()]) as (session, _):
        for _ in range(2):
            async with session.post("/", **options) as response:
                assert response.status == 200
                await response.read()
    assert [count for _, count in files.told] == [None, "00000001", "00000002"]


@pytest.mark.parametrize("qop", ["auth", "auth-int"])
async def test_content_that_can_be_sent_only_once_says_so(serve: Any, qop: str) -> None:
    files = DigestServer(qop=qop)
    async with serve((Serve(files), Fin()), (Serve(files),), middlewares=[auth()]) as (session, _):
        with pytest.raises(wayfare.ClientPayloadError, match="only once") as caught:
            await session.post("/", data=pieces())
        assert caught.value.failure is not None
        assert session.connector.stats().leased == 0


async def test_content_that_can_be_sent_only_once_goes_with_what_is_known(serve: Any) -> None:
    files = DigestServer()
    async with serve((Serve(files),), middlewares=[auth()]) as (session, _):
        assert (await session.get("/")).status == 200
        async with session.post("/", data=pieces()) as response:
            assert await response.read() == b"content"


async def test_auth_int_cannot_sign_what_is_read_only_once(serve: Any) -> None:
    """Nothing of it was read, or sent."""
    files = DigestServer(qop="auth-int")
    stream = pieces()
    async with serve((Serve(files),), middlewares=[auth()]) as (session, server):
        assert (await session.get("/")).status == 200
        with pytest.raises(wayfare.ClientPayloadError, match="auth-int"):
            await session.post("/", data=used(stream))
        assert len(server.peers[0].requests) == 2
    assert [piece async for piece in stream] == [b"con", b"tent"]


def used(stream: AsyncIterator[bytes]) -> Any:
    from wayfare._bodies import AsyncIterableBody

    body = AsyncIterableBody(stream)
    body.chunks()
    return body


# -- arguments -------------------------------------------------------------------------------------------------------


def test_arguments_that_make_no_sense() -> None:
    with pytest.raises(ValueError, match="login must not have a colon"):
        DigestAuthMiddleware("a:b", "p")
    with pytest.raises(ValueError, match="password has a character") as caught:
        DigestAuthMiddleware("a", "secret\ud800")
    assert "secret" not in str(caught.value)
    with pytest.raises(TypeError, match="login must be a str, not NoneType"):
        DigestAuthMiddleware(None, "p")  # type: ignore[arg-type]  # what is refused
    with pytest.raises(TypeError, match="password must be a str, not bytes"):
        DigestAuthMiddleware("a", b"p")  # type: ignore[arg-type]  # what is refused
    with pytest.raises(ValueError, match="origin"):
        DigestAuthMiddleware("a", "p", origin="ftp://h/")


def test_nothing_prints_the_password() -> None:
    assert "secret" not in repr(auth())
