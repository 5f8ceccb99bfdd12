"""Digest credentials: what is read from challenges, which one is answered, and with what (RFC 7616)."""

import hashlib
import re
from itertools import product
from urllib.request import parse_http_list, parse_keqv_list

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare._digest import (
    DigestChallenge,
    DigestKey,
    next_nonce,
    read_challenge,
    server_proofs,
    strongest_challenge,
)
from wayfare._digest_auth import ProtectionSpace, may_answer, protection_space
from wayfare._origin import Origin, read_origin
from wayfare_http_core import Challenge, FieldBlock
from yarl import URL

RFC7616 = (
    'realm="http-auth@example.org", qop="auth, auth-int", algorithm={},'
    ' nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


def challenge(parameters: str) -> DigestChallenge:
    found = strongest_challenge([f"Digest {parameters}"])
    assert found is not None
    return found


def parameters_of(field: str) -> dict[str, str]:
    scheme, _, rest = field.partition(" ")
    assert scheme == "Digest"
    return parse_keqv_list(parse_http_list(rest))


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616_section_3_9_1(algorithm: str, response: str) -> None:
    key = DigestKey(challenge(RFC7616.format(algorithm)), "Mufasa", "Circle of Life", CNONCE)
    assert key.sign("GET", "/dir/index.html") == (
        'Digest username="Mufasa", realm="http-auth@example.org",'
        ' nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", uri="/dir/index.html",'
        f' response="{response}", algorithm={algorithm},'
        ' opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",'
        f' qop=auth, nc=00000001, cnonce="{CNONCE}"'
    )


def test_the_example_of_rfc_2617_section_3_5() -> None:
    key = DigestKey(
        challenge(
            'realm="testrealm@host.com", qop="auth,auth-int",'
            ' nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
        ),
        "Mufasa",
        "Circle Of Life",
        "0a4f113b",
    )
    said = parameters_of(key.sign("GET", "/dir/index.html"))
    assert said["response"] == "6629fae49393a05397450978507c4ef1"
    assert "algorithm" not in said


def test_a_server_of_old_that_knows_no_qop() -> None:
    """RFC 2069, with the erratum to its example."""
    key = DigestKey(
        challenge('realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'),
        "Mufasa",
        "CircleOfLife",
        "unused",
    )
    said = parameters_of(key.sign("GET", "/dir/index.html"))
    assert said["response"] == "1949323746fe6a43ef61f9606e7febea"
    assert set(said) == {"username", "realm", "nonce", "uri", "response"}


def test_a_user_who_is_not_told() -> None:
    """RFC 7616 section 3.9.2, with the real SHA-512/256: the example's numbers are cut from SHA-512 (erratum 4897)."""
    key = DigestKey(
        challenge(
            'realm="api@example.org", qop="auth", algorithm=SHA-512-256,'
            ' nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",'
            ' opaque="HRPCssKJSGjCrkzDg8OhwpzCiGChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true'
        ),
        "J\u00e4s\u00f8n Doe",
        "Secret, or not?",
        "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm",
    )
    said = parameters_of(key.sign("GET", "/doe.json"))
    assert said["username"] == "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"
    assert said["response"] == "7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c"
    assert said["userhash"] == "true"


def test_a_user_name_that_is_not_ascii() -> None:
    """RFC 7616 section 3.4.4; with charset=UTF-8 it is in normal form C."""
    said = 'realm="r", nonce="n", qop=auth'
    composed, decomposed = "J\u00e4s\u00f8n", "Ja\u0308s\u00f8n"
    plain = parameters_of(DigestKey(challenge(said), composed, "p", "c").sign("GET", "/"))
    assert plain["username*"] == "UTF-8''J%C3%A4s%C3%B8n"
    assert "username" not in plain
    normal = DigestKey(challenge(f"{said}, charset=utf-8"), decomposed, "p", "c").sign("GET", "/")
    assert parameters_of(normal) == plain
    as_given = DigestKey(challenge(said), decomposed, "p", "c").sign("GET", "/")
    assert parameters_of(as_given)["username*"] == "UTF-8''Ja%CC%88s%C3%B8n"


def test_quotes_and_backslashes_count_as_what_they_stand_for() -> None:
    key = DigestKey(
        challenge(r'realm="a \"b\" \\ c", nonce="n\"", qop="auth", opaque="\o"'), 'me "x"', "p", "c"
    )
    field = key.sign("GET", "/")
    assert r'username="me \"x\"", realm="a \"b\" \\ c", nonce="n\""' in field
    assert 'opaque="o"' in field

    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    secret = md5(r'me "x":a "b" \ c:p')
    assert md5(f'{secret}:n":00000001:c:auth:{md5("GET:/")}') in field


def test_each_use_of_a_nonce_counts() -> None:
    key = DigestKey(challenge('realm="r", nonce="n", qop="auth"'), "u", "p", "c")
    counts = [parameters_of(key.sign("GET", "/"))["nc"] for _ in range(17)]
    assert counts[0] == "00000001"
    assert counts[-1] == "00000011"
    key.renew("n")
    assert parameters_of(key.sign("GET", "/"))["nc"] == "00000012"
    key.renew("m")
    said = parameters_of(key.sign("GET", "/"))
    assert (said["nonce"], said["nc"]) == ("m", "00000001")


def test_a_session_key_is_made_once() -> None:
    """RFC 7616 section 3.4.2: it keeps the first nonce and cnonce."""
    key = DigestKey(challenge('realm="r", nonce="n", qop=auth, algorithm=MD5-sess'), "u", "p", "c")

    def md5(*parts: str) -> str:
        return hashlib.md5(":".join(parts).encode()).hexdigest()

    secret = md5(md5("u", "r", "p"), "n", "c")
    first = parameters_of(key.sign("GET", "/"))
    assert first["response"] == md5(secret, "n", "00000001", "c", "auth", md5("GET", "/"))
    assert first["algorithm"] == "MD5-sess"
    key.renew("m")
    second = parameters_of(key.sign("PUT", "/x"))
    assert second["response"] == md5(secret, "m", "00000001", "c", "auth", md5("PUT", "/x"))


def test_auth_int_signs_the_content() -> None:
    key = DigestKey(challenge('realm="r", nonce="n", qop="auth-int"'), "u", "p", "c")
    assert key.needs_content

    def md5(*parts: str) -> str:
        return hashlib.md5(":".join(parts).encode()).hexdigest()

    said = parameters_of(key.sign("POST", "/", md5("content")))
    asked = md5("POST", "/", md5("content"))
    assert said["response"] == md5(md5("u", "r", "p"), "n", "00000001", "c", "auth-int", asked)
    assert said["qop"] == "auth-int"


# -- challenges -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "qop"),
    [
        ("auth", "auth"),
        ("auth-int", "auth-int"),
        ("auth,auth-int", "auth"),
        ("auth-int , AUTH", "auth"),
        ("auth-conf auth-int", "auth-int"),
    ],
)
def test_the_quality_of_protection(value: str, qop: str) -> None:
    assert challenge(f'realm="r", nonce="n", qop="{value}"').qop == qop


def test_everything_that_a_challenge_says() -> None:
    found = challenge(
        'realm="r", nonce="n", qop=auth, algorithm=sHa-256-SESS, opaque="", stale=TRUE,'
        ' domain="/a  http://b/c", userhash=True, charset="UTF-8"'
    )
    assert found == DigestChallenge(
        "r", "n", "sha256", "sHa-256-SESS", True, "auth", "", True, ("/a", "http://b/c"), True, True
    )


@pytest.mark.parametrize(
    "value",
    [
        'Basic realm="r"',
        'Digest nonce="n"',
        'Digest realm="r"',
        'Digest realm="r", nonce="n", algorithm=MD6',
        'Digest realm="r", nonce="n", algorithm=',
        'Digest realm="r", nonce="n", algorithm="-sess"',
        'Digest realm="r", nonce="n", qop="auth-conf"',
        'Digest realm="r", nonce="n", qop=""',
        'Digest realm="r", nonce="n", algorithm=MD5-sess',
        "Digest abc==",
        "Digest",
        "",
    ],
)
def test_what_cannot_be_answered_is_none(value: str) -> None:
    assert strongest_challenge([value]) is None


def test_an_algorithm_that_is_not_available_here() -> None:
    said = Challenge("digest", parameters={"realm": "r", "nonce": "n", "algorithm": "SHA-512-256"})
    assert read_challenge(said) is not None
    assert read_challenge(said, {"md5"}) is None


def test_the_strongest_hash_is_taken_and_of_equals_the_first() -> None:
    """RFC 7616 section 3.7 has the server's order; a strong hash is no use if a weak one will do."""
    order = ("MD5", "SHA", "SHA-256", "SHA-512-256", "SHA-512")
    for (weak, one), (strong, other) in product(enumerate(order), repeat=2):
        for suffix in ("", "-sess"):
            fields = [
                f'Digest realm="1", nonce="n", qop=auth, algorithm={one}{suffix}, Basic realm="x"',
                f'Digest realm="2", nonce="n", qop=auth, algorithm={other}',
            ]
            found = strongest_challenge(fields)
            assert found is not None
            assert found.realm == ("2" if strong > weak else "1")
            assert found == strongest_challenge([", ".join(fields)])


def test_the_next_nonce() -> None:
    """RFC 7616 section 3.5."""
    assert next_nonce(['qop=auth, rspauth="a,b", nextnonce="n,\\"2"']) == 'n,"2'
    assert next_nonce(["rspauth=x"]) is None
    assert next_nonce(['nextnonce=""']) is None
    assert next_nonce(["; nonsense", "nextnonce=n"]) == "n"
    assert next_nonce([]) is None


def test_what_a_server_proves_itself_with() -> None:
    """RFC 7616 section 3.5; RFC 2617 section 3.2.3 where there is no quality of protection."""

    def digest(*parts: str) -> str:
        return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()

    for qop in ("", ", qop=auth"):
        found = strongest_challenge([f'Digest realm="r", nonce="n,\\""{qop}'])
        assert found is not None
        key = DigestKey(found, "ü", "p", "c")
        for count in (1, 2):
            answer = key.answer("PUT", '/a?b="c"')
            used = ['n,"', f"{count:08x}", "c", "auth"] if qop else ['n,"']
            expected = digest(digest("ü", "r", "p"), *used, digest("", '/a?b="c"'))
            assert key.proof(answer) == expected
    assert server_proofs(["qop=auth, rspauth=a", "qop=auth-int, rspauth=b", "nextnonce=c"]) == ["a"]


@given(st.binary(max_size=60), st.sampled_from(["realm", "nonce", "opaque", "algorithm", "qop"]))
def test_what_a_server_sends_can_be_sent_back(octets: bytes, name: str) -> None:
    """Whatever field content it is, an answer never fails and is a field again."""
    octets = re.sub(rb"[\x00-\x08\x0a-\x1f\x7f]", b"", octets)
    text = octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"').decode("utf-8", "surrogateescape")
    said = {"realm": "r", "nonce": "n", "qop": "auth"} | {name: text}
    field = ", ".join(f'{key}="{value}"' for key, value in said.items())
    found = strongest_challenge([f"Digest {field}"])
    if found is not None:
        signed = DigestKey(found, "u", "p", "c").sign("GET", "/")
        assert FieldBlock([("Authorization", signed)]).names == {"authorization"}


# -- what is answered, and where -------------------------------------------------------------------------------------

ORIGIN = Origin(True, "h", 443)


def test_which_401_is_answered() -> None:
    """P4, for servers: nothing is said twice, and nothing goes on for ever."""
    first = challenge('realm="r", nonce="1"')
    fresh = challenge('realm="r", nonce="2"')
    stale = challenge('realm="r", nonce="2", stale=true')
    assert not may_answer(None, None, 0)
    assert may_answer(first, None, 0)
    # It was sent preemptively: the nonce may be out of date, whatever the server says.
    assert may_answer(first, first, 0)
    assert not may_answer(fresh, first, 1)
    assert may_answer(stale, first, 1)
    assert not may_answer(stale, stale, 1)
    assert not may_answer(stale, first, 2)


def space(*domain: str, url: str = "https://h/a/b?q", may_leave: bool = True) -> ProtectionSpace:
    return protection_space(domain, URL(url), may_leave=may_leave)


@pytest.mark.parametrize(
    ("domain", "inside", "outside"),
    [
        ((), ["/", "/x"], []),
        (("/",), ["/", "/x"], []),
        (("/x", "/y/z/"), ["/x", "/x/", "/x/1", "/y/z", "/y/z/1"], ["/", "/xy", "/y", "/y/"]),
        (("c",), ["/a/c", "/a/c/d"], ["/a", "/c"]),
        (("https://h/p", "https://H:443/q"), ["/p", "/q"], ["/"]),
        (("mailto:x", "http://[", "http:///x", "ftp://h/", "http://other/"), ["/", "/x"], []),
    ],
)
def test_a_protection_space_within_its_origin(
    domain: tuple[str, ...], inside: list[str], outside: list[str]
) -> None:
    """RFC 7616 section 3.3; what is no URL there says nothing."""
    found = space(*domain)
    assert all(found.extent(ORIGIN, path) >= 0 for path in inside)
    assert all(found.extent(ORIGIN, path) < 0 for path in outside)


def test_d19_a_protection_space_beyond_its_origin() -> None:
    """D19: only where it may leave it, and never to a place that is less safe."""
    other, plain = read_origin("https://i/"), read_origin("http://i/")
    assert other is not None
    assert plain is not None
    declared = ("/x", "https://i/y", "http://i/z", "wss://i/w")
    assert space(*declared).extent(other, "/y/1") == 2
    assert space(*declared).extent(other, "/w") == 2
    assert space(*declared).extent(other, "/x") == -1
    assert space(*declared).extent(plain, "/z") == -1
    assert space(*declared, url="http://h/").extent(plain, "/z") == 2
    assert space(*declared, may_leave=False).extent(other, "/y") == -1
    assert space("https://i/y", may_leave=False).extent(ORIGIN, "/") >= 0


def test_only_so_many_uris_are_looked_at() -> None:
    domain = " ".join(f"/{number}" for number in range(1000))
    assert len(challenge(f'realm="r", nonce="n", domain="{domain}"').domain) == 16


def test_an_origin_from_a_url() -> None:
    assert read_origin(None) is None
    assert read_origin("HTTP://Bücher.Example/x?y#z") == Origin(False, "xn--bcher-kva.example", 80)
    assert read_origin(URL("wss://h:8443")) == Origin(True, "h", 8443)
    for wrong in ("h", "/x", "ftp://h/", "http://"):
        with pytest.raises(ValueError, match="URL"):
            read_origin(wrong)
    with pytest.raises(ValueError, match="user info") as caught:
        read_origin("http://u:secret@h/")
    assert "secret" not in str(caught.value)
    with pytest.raises(TypeError, match="URL"):
        read_origin(7)  # type: ignore[arg-type]  # what is refused
