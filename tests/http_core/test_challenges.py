"""Challenges: several in one field, commas everywhere, and no credentials for what was not understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core import Challenge, parse_challenges


def challenge(scheme: str, token68: str | None = None, **parameters: str) -> Challenge:
    return Challenge(scheme, token68, parameters)


@pytest.mark.parametrize(
    ("value", "challenges"),
    [
        ("", []),
        (" ,\t, ", []),
        ("Basic", [challenge("basic")]),
        ('Basic realm="simple"', [challenge("basic", realm="simple")]),
        ('BASIC\t  Realm = "x"', [challenge("basic", realm="x")]),
        ("Basic realm=simple", [challenge("basic", realm="simple")]),
        ('Basic realm=""', [challenge("basic", realm="")]),
        ("Negotiate", [challenge("negotiate")]),
        ("Negotiate YII=", [challenge("negotiate", "YII=")]),
        ("NTLM TlRMTVNTUAAC+/==", [challenge("ntlm", "TlRMTVNTUAAC+/==")]),
        ("Bearer abc", [challenge("bearer", "abc")]),
        ("NTLM, Negotiate", [challenge("ntlm"), challenge("negotiate")]),
        ("Negotiate YII=,NTLM abc", [challenge("negotiate", "YII="), challenge("ntlm", "abc")]),
        (",,Basic ,, realm=a,,", [challenge("basic", realm="a")]),
        # RFC 9110 section 11.6.1.
        (
            'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""',
            [
                challenge("basic", realm="simple"),
                challenge("newauth", realm="apps", type="1", title='Login to "apps"'),
            ],
        ),
        # RFC 7616 section 3.9.1.
        (
            'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, '
            'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/q", '
            'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5',
            [
                challenge(
                    "digest",
                    realm="http-auth@example.org",
                    qop="auth, auth-int",
                    algorithm="SHA-256",
                    nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
                    opaque="FQhe/q",
                ),
                challenge(
                    "digest", realm="http-auth@example.org", qop="auth, auth-int", algorithm="MD5"
                ),
            ],
        ),
        # What looks like a challenge inside of quotes.
        (
            'Basic realm="a, Digest realm=\\"b\\"", Digest nonce="c"',
            [challenge("basic", realm='a, Digest realm="b"'), challenge("digest", nonce="c")],
        ),
        # Values that should be quoted and cannot be mistaken.
        (
            "Digest nonce=dcd98b==, domain=/a;b, realm=x",
            [challenge("digest", nonce="dcd98b==", domain="/a;b", realm="x")],
        ),
    ],
)
def test_read(value: str, challenges: list[Challenge]) -> None:
    read = parse_challenges(value)
    assert list(read) == challenges
    assert read.problems == ()


def test_several_fields() -> None:
    read = parse_challenges('Basic realm="a"', "", "NTLM, Bearer x=y")
    assert [each.scheme for each in read] == ["basic", "ntlm", "bearer"]
    assert [each.realm for each in read] == ["a", None, None]


@pytest.mark.parametrize(
    ("value", "challenges", "problems"),
    [
        ("a=b", [], ["parameter 'a' belongs to no challenge"]),
        ('a=b, Basic realm="c"', [challenge("basic", realm="c")], ["parameter 'a' belongs to no challenge"]),
        ("Basic foo bar", [], ["'Basic foo bar' is no challenge"]),
        ('Basic "x"', [], ["'Basic \"x\"' is no challenge"]),
        ('Basic realm="x', [], ["'Basic realm=\"x' is no challenge"]),
        ('Basic realm="x\\', [], ["'Basic realm=\"x\\\\' is no challenge"]),
        ('Basic realm="x, Digest a=b', [], ["'Basic realm=\"x, Digest a=b' is no challenge"]),
        ('Basic realm="x"y, a=b, Digest c=d', [challenge("digest", c="d")], ["'Basic realm=\"x\"y' is no challenge"]),
        ('Basic a=b, realm="x"y, c=d', [], ["'realm=\"x\"y' is no challenge"]),
        ("Basic a=b, =c", [], ["'=c' is no challenge"]),
        ("\xe4, Basic a=b", [challenge("basic", a="b")], ["'\\xe4' is no challenge"]),
        ("Basic abc==, realm=x", [], ["'basic' has a token68 and parameters"]),
        ("Basic realm=a, REALM=b", [challenge("basic", realm="a")], ["parameter 'realm' of basic is repeated"]),
        ("Basic\xa0realm=a", [], ["'Basic\\xa0realm=a' is no challenge"]),
        ("Ba\u017fic realm=a", [], ["'Ba\\u017fic realm=a' is no challenge"]),
        ("Basic" + ",".join(f" a{n}=b" for n in range(65)), [], ["'basic' has too many parameters"]),
    ],
)  # fmt: skip
def test_d19_h24_what_is_not_understood_is_left_out(
    value: str, challenges: list[Challenge], problems: list[str]
) -> None:
    """D19, H24: no answer to half a challenge; a broken one takes its parameters with it."""
    read = parse_challenges(value)
    assert list(read) == challenges
    assert list(read.problems) == problems


def test_h27_challenges_and_problems_are_counted() -> None:
    """H27: a field of many challenges costs bounded memory."""
    read = parse_challenges(2000 * "Basic,")
    assert len(read) == 1000
    assert read.problems == ("only the first 1000 challenges are read",)
    assert len(parse_challenges(1000 * "a=b,").problems) == 32


def test_parameters_cannot_be_changed() -> None:
    (read,) = parse_challenges("Basic a=b")
    assert not hasattr(read.parameters, "__setitem__")
    assert read == Challenge("basic", None, {"a": "b"})


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (challenge("Basic"), "Basic"),
        (challenge("Negotiate", "YII="), "Negotiate YII="),
        (challenge("Basic", realm='a "b"'), 'Basic realm="a \\"b\\""'),
        (challenge("Digest", qop="auth", nonce=""), 'Digest qop="auth", nonce=""'),
    ],
)
def test_encode(value: Challenge, encoded: str) -> None:
    assert value.encode() == encoded


@pytest.mark.parametrize(
    "value",
    [
        challenge(""),
        challenge("a b"),
        challenge("a\r\nX: y"),
        challenge("a", ""),
        challenge("a", "b c"),
        challenge("a", "b\r\nX: y"),
        challenge("a", "b", c="d"),
        challenge("a", c="d\r\nX: y"),
        challenge("a", c="\0"),
        challenge("a", c="\xe4"),
        challenge("a", **{"b c": "d"}),
    ],
)
def test_what_has_no_representation_is_refused(value: Challenge) -> None:
    with pytest.raises(ValueError, match=r"scheme|token68|parameter"):
        value.encode()


TOKENS = st.text("abc-_.!~+", min_size=1, max_size=6)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
CHALLENGES = st.builds(
    Challenge, TOKENS, st.none(), st.dictionaries(TOKENS, VALUES, max_size=4)
) | st.builds(Challenge, TOKENS, st.from_regex(r"[A-Za-z0-9\-._~+/]{1,9}={0,2}", fullmatch=True))


@given(st.lists(CHALLENGES, max_size=5))
def test_round_trip(challenges: list[Challenge]) -> None:
    read = parse_challenges(", ".join(each.encode() for each in challenges))
    assert list(read) == challenges
    assert read.problems == ()


@given(st.text() | st.text('Basic, ="\\ab\t'))
def test_never_raises(value: str) -> None:
    for each in parse_challenges(value, value):
        assert each.scheme
