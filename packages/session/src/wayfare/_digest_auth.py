"""`DigestAuthMiddleware`: answers Digest challenges of one server, and knows which others may see the answers.

What is decided where: `_digest` makes the credentials, `ProtectionSpace` says which URLs they are for, `may_answer`
whether a 401 is answered at all, `proof_fault` whether a server has to be believed. The middleware carries it out.

    bare      -> 401 -> answered -> 401, nonce stale -> answered once more
    preemptive -> 401 -> answered -> 401, nonce stale -> answered once more

A nonce is shared with other requests once the server accepted it, and no longer than that: concurrent requests never
wait for each other, and a wrong password is never sent unasked.
"""

import asyncio
import hashlib
import hmac
import secrets
from contextlib import aclosing
from typing import Final, NamedTuple, final

from wayfare_http_core import ClientError, ClientPayloadError, RequestBody, hdrs
from yarl import URL

from ._bodies import pieces_of
from ._digest import (
    DigestAnswer,
    DigestChallenge,
    DigestKey,
    next_nonce,
    server_proofs,
    strongest_challenge,
)
from ._errors import DigestProofError
from ._middlewares import ClientHandlerType
from ._origin import Origin, read_origin
from ._request import ClientRequest
from ._response import ClientResponse
from ._retry import can_be_sent_again
from ._urls import prepare_url

__all__ = (
    "DigestAuthMiddleware",
    "ProtectionSpace",
    "may_answer",
    "proof_fault",
    "protection_space",
)

_MAX_ANSWERS: Final = 2
"""401s that one request answers: the first, and one whose nonce had gone stale meanwhile."""
_MAX_SPACES: Final = 64
"""Protection spaces whose nonce is remembered, those that were accepted last."""


class ProtectionSpace(NamedTuple):
    """The URLs that one set of credentials is for: pairs of an origin and the beginning of a path."""

    parts: tuple[tuple[Origin, str], ...]

    def extent(self, origin: Origin, path: str) -> int:
        """How much of the path is covered, in characters; -1 where the URL lies outside."""
        fitting = [
            len(prefix)
            for of, prefix in self.parts
            if of == origin and (path == prefix or path.startswith(f"{prefix}/"))
        ]
        return max(fitting, default=-1)


def protection_space(domain: tuple[str, ...], url: URL, *, may_leave: bool) -> ProtectionSpace:
    """What the domain of a challenge covers (RFC 7616 section 3.3) that came from this URL.

    Another origin is covered only where the challenge `may_leave` its own, and never one without encryption if its own
    has it. Where nothing is left of a domain it is all of the origin, as if none were said.
    """
    own = Origin.of(prepare_url(url).target)
    parts = []
    for uri in domain:
        try:
            prepared = prepare_url(url.join(URL(uri)))
        except (ClientError, ValueError):
            continue
        origin = Origin.of(prepared.target)
        if origin == own or (may_leave and origin.is_ssl >= own.is_ssl):
            parts.append((origin, prepared.url.raw_path.rstrip("/")))
    return ProtectionSpace(tuple(parts) or ((own, ""),))


def may_answer(
    challenge: DigestChallenge | None, refused: DigestChallenge | None, answers: int
) -> bool:
    """Whether a 401 with this challenge is answered, after so many `answers` of the same request.

    `refused` is the challenge that the request had an answer to, if it had one. Credentials that were made for this
    very request and refused are wrong, unless the server says that it was the nonce alone; so nothing goes on for ever.
    """
    if challenge is None or answers >= _MAX_ANSWERS:
        return False
    if answers == 0 or refused is None:
        return True
    return challenge.is_stale and challenge.nonce != refused.nonce


def proof_fault(key: DigestKey, answer: DigestAnswer, infos: list[str], *, wanted: bool) -> str:
    """Why a server is not to be believed that was sent this answer, by its Authentication-Info; "" for no reason.

    A proof that is wrong is one, always: the server does not know the password, or somebody changed what it said. One
    that is missing is none, unless it is `wanted`. Proofs over the content of the response cannot be told here.
    """
    proofs = [] if key.needs_content else server_proofs(infos)
    if not proofs:
        return "the server does not prove that it knows the password" if wanted else ""
    expected = key.proof(answer).encode()
    if all(hmac.compare_digest(expected, one.lower().encode("utf-8", "replace")) for one in proofs):
        return ""
    return "the server's proof that it knows the password is wrong"


class _Known(NamedTuple):
    """What the server of one realm accepted, for later requests."""

    space: ProtectionSpace
    key: DigestKey | None
    """None where requests wait to be asked: nothing is known that would be accepted."""


@final
class DigestAuthMiddleware:
    """Answers Digest challenges (RFC 7616) with a user name and a password, for one origin.

    The origin is the one that is given, or that of the first request that comes by. Another one's challenges are
    answered only where the first server's own challenge named it in its `domain`. Requests that have credentials of
    their own are left alone. With `preemptive` later requests send theirs before they are asked.

    Of several challenges the strongest hash is taken (MD5, SHA, SHA-256, SHA-512-256, SHA-512, and -sess of each); a
    server that offers both gets the quality of protection `auth`, since `auth-int` reads the content twice. A 401 that
    is not answered is the response.

    A server may prove in its answer that it knows the password, too (RFC 7616 section 3.5). A proof that is wrong is an
    error. With `mutual` one that is missing is an error as well, of whatever answer but a 401: that of a server which
    asks for no credentials, or sends a proof over content (auth-int), which is not checked.

    Raises: ValueError for a name with a colon and for an origin that is none, TypeError for what is no text.
    Raises, when called: `DigestProofError`; `ClientPayloadError` where the content would have to be sent again, or read
    for auth-int, and can be sent only once; else as the handler.
    Cancellation: as the handler; what other requests share stays right.
    """

    __slots__ = ("_known", "_login", "_mutual", "_origin", "_password", "_preemptive")

    def __init__(
        self,
        login: str,
        password: str,
        preemptive: bool = True,
        *,
        origin: str | URL | None = None,
        mutual: bool = False,
    ) -> None:
        for name, value in (("login", login), ("password", password)):
            if not isinstance(value, str):
                raise TypeError(f"{name} must be a str, not {type(value).__name__}")
            if not _is_encodable(value):
                raise ValueError(f"{name} has a character that UTF-8 has not")
        if ":" in login:
            raise ValueError("login must not have a colon: it is what ends a name")
        self._login = login
        self._password = password
        self._preemptive = preemptive
        self._mutual = mutual
        self._origin = read_origin(origin)
        self._known: dict[tuple[Origin, str], _Known] = {}

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Send a request, once more with credentials where the server asks for them."""
        origin, path = Origin.of(request.connection_key), request.url.raw_path
        if hdrs.AUTHORIZATION in request.headers or not self._is_for(origin, path):
            return await handler(request)
        request = request.without_netrc()
        key = self._known_key(origin, path)
        answers = 0
        while True:
            answer = None if key is None else await _answer(request, key)
            response = await handler(_signed(request, answer))
            if response.status != 401:
                self._check(key, answer, response)
                if key is not None:
                    self._accept(origin, key, response)
                return response
            challenge = strongest_challenge(response.headers.getall(hdrs.WWW_AUTHENTICATE, ()))
            refused = None
            if key is not None:
                refused = key.challenge
                self._forget(origin, key)
            if challenge is None or not may_answer(challenge, refused, answers):
                return response
            response.release()
            if not can_be_sent_again(request.body):
                raise ClientPayloadError(
                    "the server asks for Digest credentials, and the content can be sent only once"
                )
            answers += 1
            key = DigestKey(challenge, self._login, self._password, secrets.token_hex(16))

    def _is_for(self, origin: Origin, path: str) -> bool:
        """Whether anything of the user's may be told there (D19)."""
        if self._origin is None:
            self._origin = origin
        if origin == self._origin:
            return True
        return any(
            known.space.extent(origin, path) >= 0
            for (source, _), known in self._known.items()
            if source == self._origin
        )

    def _known_key(self, origin: Origin, path: str) -> DigestKey | None:
        """What a request can be signed with before anybody asks.

        Of several spaces that of the origin itself comes first, then the narrower one, then the newer one.
        """
        best: tuple[bool, int] = (False, -1)
        key: DigestKey | None = None
        for (source, _), known in self._known.items():
            fit = (source == origin, known.space.extent(origin, path))
            if fit[1] >= 0 and fit >= best and known.key is not None:
                best, key = fit, known.key
        return key

    def _check(
        self, key: DigestKey | None, answer: DigestAnswer | None, response: ClientResponse
    ) -> None:
        infos = response.headers.getall("Authentication-Info", [])
        if key is not None and answer is not None:
            fault = proof_fault(key, answer, infos, wanted=self._mutual)
        else:
            fault = "the server did not ask for credentials" if self._mutual else ""
        if fault:
            error = response.make_error(DigestProofError, fault)
            response.release()
            raise error

    def _accept(self, origin: Origin, key: DigestKey, response: ClientResponse) -> None:
        nonce = next_nonce(response.headers.getall("Authentication-Info", ()))
        if nonce is not None:
            key.renew(nonce)
        if any(known.key is key for known in self._known.values()):
            return
        challenge = key.challenge
        space = protection_space(challenge.domain, response.url, may_leave=origin == self._origin)
        # The newest last: of two that fit equally well it is the better guess, and the oldest goes first.
        self._known.pop((origin, challenge.realm), None)
        self._known[origin, challenge.realm] = _Known(space, key if self._preemptive else None)
        if len(self._known) > _MAX_SPACES:
            del self._known[next(iter(self._known))]

    def _forget(self, origin: Origin, key: DigestKey) -> None:
        """Let no other request use what was refused; another may have brought something newer meanwhile.

        What another origin accepts is good for that one still.
        """
        place = origin, key.challenge.realm
        known = self._known.get(place)
        if known is not None and known.key is key:
            self._known[place] = known._replace(key=None)


async def _answer(request: ClientRequest, key: DigestKey) -> DigestAnswer:
    """The credentials for a request.

    Raises: `ClientPayloadError` where content would have to be read before it is sent, and can be read only once.
    """
    content_hash = ""
    if key.needs_content:
        if not can_be_sent_again(request.body):
            raise ClientPayloadError(
                "the server wants the content signed (qop auth-int), and it can be read only once"
            )
        content_hash = await _content_hash(key.challenge.hash_name, request.body)
    return key.answer(request.method, request.prepared.path, content_hash)


def _signed(request: ClientRequest, answer: DigestAnswer | None) -> ClientRequest:
    """The request with its credentials; the one that was given stays without, for whoever sends it again."""
    if answer is None:
        return request
    signed = request.copy()
    signed.headers[hdrs.AUTHORIZATION] = answer.authorization
    return signed


async def _content_hash(hash_name: str, body: RequestBody | bytes | None) -> str:
    """The hash of the content as it is sent, codings included. The loop has its turn after each piece."""
    running = hashlib.new(hash_name)
    if isinstance(body, bytes):
        running.update(body)
    elif body is not None:
        async with aclosing(pieces_of(body)) as pieces:
            async for piece in pieces:
                running.update(piece)
                await asyncio.sleep(0)
    return running.hexdigest()


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
