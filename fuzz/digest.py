"""Target: whatever a server asks for, an answer is a field that says the same back, or there is none."""

from wayfare._digest import DigestKey, next_nonce, strongest_challenge
from wayfare_http_core import parse_challenges

from .properties import text

__all__ = ("digest",)


def digest(data: bytes) -> None:
    """Field content in WWW-Authenticate and in Authentication-Info."""
    value = text(data).translate(dict.fromkeys([*range(9), *range(10, 32), 127]))
    next_nonce([value])
    challenge = strongest_challenge([value])
    if challenge is None:
        return
    field = DigestKey(challenge, "J\u00e4son", 'p"w', "c").sign("GET", '/a?"b"')
    (said,) = parse_challenges(field)
    answers = said.parameters
    assert said.scheme == "digest"
    assert (answers["realm"], answers["nonce"]) == (challenge.realm, challenge.nonce)
    assert answers.get("opaque") == challenge.opaque
    assert answers.get("qop") == challenge.qop
    assert answers["uri"] == '/a?"b"'
    assert ("username" in answers) is challenge.hides_user
