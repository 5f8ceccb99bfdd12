"""Basic credentials: round trips, what is refused, and that the password does not show."""

import copy
import pickle
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core._basic_auth import BasicAuth, encode_basic_auth


@dataclass
class Url:
    user: str | None = None
    password: str | None = None


# The two examples of RFC 7617, sections 2 and 2.1.
@pytest.mark.parametrize(
    ("login", "password", "value"),
    [
        ("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ("test", "123£", "Basic dGVzdDoxMjPCow=="),
        ("", "", "Basic Og=="),
        ("user", "a:b:c", "Basic dXNlcjphOmI6Yw=="),
    ],
)
def test_examples(login: str, password: str, value: str) -> None:
    assert encode_basic_auth(login, password) == value
    assert BasicAuth(login, password, "utf-8").encode() == value
    assert BasicAuth.decode(value, "utf-8") == (login, password, "utf-8")


def test_encodings_that_are_not_named() -> None:
    """The class says latin1 and the function UTF-8, as callers of either have always had it."""
    assert BasicAuth("ü").encode() == "Basic /Do="
    assert encode_basic_auth("ü") == "Basic w7w6"
    assert BasicAuth.decode("Basic /Do=") == BasicAuth("ü", "", "latin1")


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]))


@given(TEXT.filter(lambda text: ":" not in text), TEXT)
def test_round_trip(login: str, password: str) -> None:
    auth = BasicAuth(login, password, "utf-8")
    assert BasicAuth.decode(auth.encode(), "utf-8") == auth


@pytest.mark.parametrize("value", ["basic dTpw", "BASIC dTpw", "Basic   dTpw"])
def test_the_scheme_has_any_case(value: str) -> None:
    assert BasicAuth.decode(value) == ("u", "p", "latin1")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Basic",
        "Basic ",
        "Bearer dTpw",
        "dTpw",
        "Basic dTp",  # not a multiple of four
        "Basic dTpw!",
        "Basic dTpw dTpw",
        "Basic dTpw\n",
        "Basic\tdTpw",
        "Ba\u017fic dTpw",  # long s folds to s outside ASCII
        "Basic dXA=",  # no colon
    ],
)
def test_malformed_values(value: str) -> None:
    """Y3: and nothing of the value shows in the error."""
    with pytest.raises(ValueError, match="Basic credentials") as caught:
        BasicAuth.decode(value)
    assert "dTp" not in str(caught.value)


def test_y10_undecodable_credentials_do_not_show() -> None:
    """Y10: neither in the message nor in a chained error."""
    with pytest.raises(ValueError, match="cannot be decoded") as decoding:
        BasicAuth.decode("Basic /Do=", "utf-8")
    with pytest.raises(ValueError, match="cannot be encoded as ascii") as encoding:
        BasicAuth("user", "gehéim", "ascii").encode()
    for error in (decoding.value, encoding.value):
        assert error.__suppress_context__
        assert type(error) is ValueError


@pytest.mark.parametrize("login", ["a:b", ":", "a\nb", "a\x00", "\x7f"])
def test_names_that_cannot_be_sent(login: str) -> None:
    with pytest.raises(ValueError, match="RFC 7617"):
        BasicAuth(login)
    with pytest.raises(ValueError, match="RFC 7617"):
        encode_basic_auth(login)


def test_passwords_that_cannot_be_sent() -> None:
    with pytest.raises(ValueError, match="control"):
        BasicAuth("user", "a\r\nb")
    with pytest.raises(ValueError, match="control"):
        encode_basic_auth("user", "a\tb")


@pytest.mark.parametrize("pair", [(None, ""), ("", None)])
def test_none_is_not_text(pair: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="text"):
        BasicAuth(*pair)


@pytest.mark.parametrize(
    ("url", "auth"),
    [
        (Url(), None),
        (Url("u"), BasicAuth("u")),
        (Url(None, "p"), BasicAuth("", "p")),
        (Url("", ""), BasicAuth("")),
        (Url("ü", "p w"), BasicAuth("ü", "p w")),
    ],
)
def test_from_url(url: Url, auth: BasicAuth | None) -> None:
    assert BasicAuth.from_url(url) == auth


def test_from_url_with_an_encoding() -> None:
    assert BasicAuth.from_url(Url("u", "p"), encoding="utf-8") == ("u", "p", "utf-8")


def test_y10_the_password_is_hidden() -> None:
    """Y10: in `repr`, in `str` and in a format."""
    auth = BasicAuth("user", "swordfish")
    for text in (repr(auth), str(auth), f"{auth}", repr([auth])):
        assert "swordfish" not in text
        assert "user" in text


def test_a_triple() -> None:
    auth = BasicAuth("user", "secret", "utf-8")
    login, password, encoding = auth
    assert (login, password, encoding) == auth == pickle.loads(pickle.dumps(auth))
    assert copy.copy(auth) == copy.deepcopy(auth) == auth
    assert hash(auth) == hash(BasicAuth("user", "secret", "utf-8"))
    assert type(pickle.loads(pickle.dumps(auth))) is BasicAuth
