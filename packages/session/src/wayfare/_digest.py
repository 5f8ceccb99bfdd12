"""Digest credentials, computed (RFC 7616): from a challenge to the value of Authorization, with no I/O and no clock.

    A1       = user ":" realm ":" password               for -sess:  H(that) ":" nonce ":" cnonce
    A2       = method ":" uri                            for auth-int: … ":" H(content)
    response = H( H(A1) ":" nonce ":" nc ":" cnonce ":" qop ":" H(A2) )
    rspauth  = the same with A2 = ":" uri                by which a server proves that it knows the password, too

A parameter counts as what it says once its quotes and backslashes are taken away, and is quoted anew where it is sent
back. H takes octets: what a server sent goes back as it came, user and password are UTF-8.
"""

import hashlib
import re
from collections.abc import Container, Iterable
from typing import Final, NamedTuple, final

from wayfare_http_core import Challenge, encode_ext_value, parse_challenges, quote_string

__all__ = (
    "DigestAnswer",
    "DigestChallenge",
    "DigestKey",
    "next_nonce",
    "read_challenge",
    "server_proofs",
    "strongest_challenge",
)

_HASHES: Final = {
    "md5": "md5",
    "sha": "sha1",
    "sha-256": "sha256",
    "sha-512-256": "sha512_256",
    "sha-512": "sha512",
}
"""Algorithms in lower case, the weakest first, and what hashlib calls them."""

_STRENGTH: Final = {name: rank for rank, name in enumerate(_HASHES.values())}
_SEPARATORS: Final = re.compile(r"[\s,]+", re.ASCII)
_PLAIN: Final = re.compile(r"[\x20-\x7e]*\Z", re.ASCII)
_MAX_URIS: Final = 16
"""URIs of a protection space that are looked at; more would only be more to compare with."""


class DigestChallenge(NamedTuple):
    """A Digest challenge that can be answered."""

    realm: str
    nonce: str
    hash_name: str
    """What hashlib calls the algorithm."""
    algorithm: str | None = None
    """The algorithm as the server spells it; None where it says none, which is MD5."""
    is_session: bool = False
    """Whether it is a -sess algorithm."""
    qop: str | None = None
    """The quality of protection to use: auth or auth-int; None for a server of old that knows none."""
    opaque: str | None = None
    is_stale: bool = False
    """Whether it was only the nonce that a request was refused for."""
    domain: tuple[str, ...] = ()
    """The URIs of the protection space as they came; empty for all of the server."""
    hides_user: bool = False
    """Whether the server takes the hash of a user name, too."""
    is_utf8: bool = False
    """Whether it said that names and passwords are UTF-8, in normal form C."""


def read_challenge(
    challenge: Challenge, available: Container[str] = hashlib.algorithms_available
) -> DigestChallenge | None:
    """What a challenge says, or None for one that cannot be answered: no Digest, an algorithm or a quality of
    protection that is unknown or not `available` here, or a realm or nonce that is missing."""
    said = challenge.parameters
    realm, nonce, algorithm = said.get("realm"), said.get("nonce"), said.get("algorithm")
    if challenge.scheme != "digest" or realm is None or nonce is None:
        return None
    plain = (algorithm or "MD5").lower()
    is_session = plain.endswith("-sess")
    hash_name = _HASHES.get(plain.removesuffix("-sess"))
    if hash_name is None or hash_name not in available:
        return None
    qop = said.get("qop")
    if qop is None and is_session:
        return None  # the server could not know the cnonce that its key is made of
    if qop is not None:
        known = {"auth", "auth-int"} & set(_SEPARATORS.split(qop.lower()))
        if not known:
            return None
        qop = min(known)
    return DigestChallenge(
        realm,
        nonce,
        hash_name,
        algorithm,
        is_session,
        qop,
        said.get("opaque"),
        said.get("stale", "").lower() == "true",
        tuple(said.get("domain", "").split()[:_MAX_URIS]),
        said.get("userhash", "").lower() == "true",
        said.get("charset", "").lower() == "utf-8",
    )


def strongest_challenge(fields: Iterable[str]) -> DigestChallenge | None:
    """The challenge to answer among all WWW-Authenticate fields of a response; None where there is none.

    Of several the one with the strongest hash, of equals the first: it is the one that the server prefers.
    """
    found = [read_challenge(challenge) for challenge in parse_challenges(*fields)]
    known = [challenge for challenge in found if challenge is not None]
    return max(known, key=lambda one: _STRENGTH[one.hash_name], default=None)


def next_nonce(fields: Iterable[str]) -> str | None:
    """The nonce that Authentication-Info fields want used from now on (RFC 7616 section 3.5), if they do."""
    # The field is the list of parameters of a challenge, without its scheme.
    for challenge in parse_challenges(*[f"Digest {value}" for value in fields]):
        if challenge.parameters.get("nextnonce"):
            return challenge.parameters["nextnonce"]
    return None


def server_proofs(fields: Iterable[str]) -> list[str]:
    """What Authentication-Info fields have as proofs of a server's, but for those over the content that follows."""
    said = [one.parameters for one in parse_challenges(*[f"Digest {value}" for value in fields])]
    return [
        one["rspauth"]
        for one in said
        if "rspauth" in one and one.get("qop", "").lower() != "auth-int"
    ]


class DigestAnswer(NamedTuple):
    """What one request is sent with."""

    authorization: str
    """The value of its Authorization."""
    uri: str
    once: tuple[bytes, ...]
    """What it was signed with besides that and the key: nonce, count, cnonce and quality of protection."""


@final
class DigestKey:
    """The answer to one challenge, and to later requests with its nonce: each use counts.

    `cnonce` is a text of the client's that nobody can guess.
    """

    __slots__ = ("_cnonce", "_count", "_nonce", "_secret", "_user", "challenge")

    def __init__(self, challenge: DigestChallenge, login: str, password: str, cnonce: str) -> None:
        if challenge.is_utf8:
            login, password = _normal(login), _normal(password)
        user, realm = login.encode(), _octets(challenge.realm)
        secret = _hash(challenge.hash_name, user, realm, password.encode())
        if challenge.is_session:
            # Made once, so it belongs to the first nonce and cnonce (RFC 7616 section 3.4.2); servers that make it
            # anew with each request come to the same, since the cnonce stays.
            secret = _hash(challenge.hash_name, secret, _octets(challenge.nonce), cnonce.encode())
        self.challenge = challenge
        self._nonce = challenge.nonce
        self._secret = secret
        self._cnonce = cnonce
        self._count = 0
        if challenge.hides_user:
            self._user = f'username="{_hash(challenge.hash_name, user, realm).decode()}"'
        elif _PLAIN.match(login) is not None:
            self._user = f"username={quote_string(login)}"
        else:
            self._user = f"username*={encode_ext_value(login)}"

    @property
    def needs_content(self) -> bool:
        """Whether the content is part of what is signed."""
        return self.challenge.qop == "auth-int"

    def renew(self, nonce: str) -> None:
        """Go on with the nonce that the server handed out last."""
        if nonce != self._nonce:
            self._nonce = nonce
            self._count = 0

    def sign(self, method: str, uri: str, content_hash: str = "") -> str:
        """The value of Authorization for one request; no two calls give the same. See `answer`."""
        return self.answer(method, uri, content_hash).authorization

    def answer(self, method: str, uri: str, content_hash: str = "") -> "DigestAnswer":
        """The answer for one request; no two calls give the same.

        `uri` is the path and query as they stand in the request line, `content_hash` the hexadecimal hash of the
        content for a key that `needs_content`.
        """
        challenge, nonce = self.challenge, self._nonce
        name, qop = challenge.hash_name, challenge.qop
        self._count += 1
        count = f"{self._count:08x}"
        asked = [method.encode(), uri.encode()]
        if qop == "auth-int":
            asked.append(content_hash.encode())
        once = [_octets(nonce)]
        if qop is not None:
            once += [count.encode(), self._cnonce.encode(), qop.encode()]
        parts = [
            self._user,
            f"realm={quote_string(challenge.realm)}",
            f"nonce={quote_string(nonce)}",
            f"uri={quote_string(uri)}",
            f'response="{_hash(name, self._secret, *once, _hash(name, *asked)).decode()}"',
        ]
        if challenge.algorithm is not None:
            parts.append(f"algorithm={challenge.algorithm}")
        if challenge.opaque is not None:
            parts.append(f"opaque={quote_string(challenge.opaque)}")
        if qop is not None:
            # These three stand without quotes or with them as in RFC 7616: some servers compare letters.
            parts += [f"qop={qop}", f"nc={count}", f'cnonce="{self._cnonce}"']
        if challenge.hides_user:
            parts.append("userhash=true")
        return DigestAnswer(f"Digest {', '.join(parts)}", uri, tuple(once))

    def proof(self, answer: "DigestAnswer") -> str:
        """The rspauth that a server gives back, if it knows the password (RFC 7616 section 3.5).

        Not for a key that `needs_content`: there the content of the response is a part of it.
        """
        name = self.challenge.hash_name
        asked = _hash(name, b"", answer.uri.encode())
        return _hash(name, self._secret, *answer.once, asked).decode()


def _hash(name: str, *parts: bytes) -> bytes:
    return hashlib.new(name, b":".join(parts)).hexdigest().encode()


def _octets(text: str) -> bytes:
    """What the peer sent, as it came."""
    return text.encode("utf-8", "surrogateescape")


def _normal(text: str) -> str:
    if text.isascii():
        return text
    # Imported here: most names and passwords are ASCII.
    from unicodedata import normalize

    return normalize("NFC", text)
