"""The Set-Cookie field (C1 to C7, C17, C26), by tables and against an oracle written from 5.6."""

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_cookies import Rule, SameSite
from wayfare_cookies._dates import parse_cookie_date
from wayfare_cookies._parse import MAX_AGE_LIMIT, SetCookie, parse_set_cookie

from tests.cpu_time import is_linear


def trim(text: str) -> str:
    while text and text[0] in " \t":
        text = text[1:]
    while text and text[-1] in " \t":
        text = text[:-1]
    return text


def same(text: str, word: str) -> bool:
    """Case-insensitive, as ABNF means it: for ASCII letters."""
    return text.isascii() and text.lower() == word.lower()


def oracle(field: str) -> SetCookie | Rule:
    """5.6 and 5.6.1 to 5.6.7, sentence by sentence."""
    for character in field:
        if ord(character) <= 8 or 0x0A <= ord(character) <= 0x1F or ord(character) == 0x7F:
            return Rule.CONTROL_CHARACTER
    if ";" in field:
        at = field.index(";")
        pair, unparsed = field[:at], field[at:]
    else:
        pair, unparsed = field, ""
    if "=" not in pair:
        name, value = "", pair
    else:
        at = pair.index("=")
        name, value = pair[:at], pair[at + 1 :]
    name, value = trim(name), trim(value)
    if len(name.encode()) + len(value.encode()) > 4096:
        return Rule.TOO_LONG
    cookie = SetCookie(name, value)
    while unparsed:
        unparsed = unparsed[1:]
        if ";" in unparsed:
            at = unparsed.index(";")
            av, unparsed = unparsed[:at], unparsed[at:]
        else:
            av, unparsed = unparsed, ""
        if "=" in av:
            at = av.index("=")
            key, given = av[:at], av[at + 1 :]
        else:
            key, given = av, ""
        cookie = attribute(cookie, trim(key), trim(given))
    return cookie


def attribute(cookie: SetCookie, key: str, given: str) -> SetCookie:
    if len(given.encode()) > 1024:
        return cookie
    if same(key, "Expires"):
        moment = parse_cookie_date(given)
        return cookie if moment is None else cookie._replace(expires=moment)
    if same(key, "Max-Age"):
        rest = given[1:] if given[:1] == "-" else given
        if not rest or any(not "0" <= digit <= "9" for digit in rest):
            return cookie
        return cookie._replace(max_age=min(int(given), 400 * 24 * 60 * 60))
    if same(key, "Domain"):
        return cookie._replace(domain=given[1:] if given[:1] == "." else given)
    if same(key, "Path"):
        return cookie._replace(path=given if given[:1] == "/" else "")
    if same(key, "Secure"):
        return cookie._replace(secure=True)
    if same(key, "HttpOnly"):
        return cookie._replace(http_only=True)
    if same(key, "Partitioned"):
        return cookie._replace(partitioned=True)
    if same(key, "SameSite"):
        enforcement = SameSite.DEFAULT
        for word in (SameSite.NONE, SameSite.STRICT, SameSite.LAX):
            if same(given, word.value):
                enforcement = word
        return cookie._replace(same_site=enforcement)
    return cookie


def parsed(field: str) -> SetCookie:
    found = parse_set_cookie(field)
    assert isinstance(found, SetCookie)
    assert found == oracle(field)
    return found


@pytest.mark.parametrize(
    ("field", "name", "value"),
    [
        ("a=b", "a", "b"),
        ("a=b=c=d", "a", "b=c=d"),
        (" \ta\t = \t b \t", "a", "b"),
        ('a="b c"', "a", '"b c"'),
        ('a="b;c"', "a", '"b'),
        ("a=%0D%0Ab", "a", "%0D%0Ab"),
        ("a=b, c=d", "a", "b, c=d"),
        ("a=b\tc", "a", "b\tc"),
        ("a=\xa0b\x85", "a", "\xa0b\x85"),
        ("a=caf\u00e9", "a", "caf\u00e9"),
        ("a=\udce9", "a", "\udce9"),
        ("a", "", "a"),
        ("=a", "", "a"),
        ("=", "", ""),
        ("", "", ""),
        ("a=", "a", ""),
        ("; Path=/", "", ""),
        ("a b=c d", "a b", "c d"),
        ("$Version=1", "$Version", "1"),
    ],
)
def test_name_and_value_c1_c3(field: str, name: str, value: str) -> None:
    found = parse_set_cookie(field)
    assert isinstance(found, SetCookie)
    assert (found.name, found.value) == (name, value)


@pytest.mark.parametrize("code", [*range(0x20), 0x7F])
@pytest.mark.parametrize("template", ["a{}=b", "a=b{}c", "a=b; Path=/{}", "a=b; x{}", "{}"])
def test_a_control_character_anywhere_ignores_the_field_c2(code: int, template: str) -> None:
    field = template.format(chr(code))
    if code == 0x09:
        assert isinstance(parse_set_cookie(field), SetCookie)
    else:
        assert parse_set_cookie(field) is Rule.CONTROL_CHARACTER is oracle(field)


@pytest.mark.parametrize("name", ["a" * 4096, "n", ""])
def test_name_and_value_have_4096_octets_c4(name: str) -> None:
    value = "v" * (4096 - len(name))
    assert isinstance(parse_set_cookie(f"{name}={value}"), SetCookie)
    assert parse_set_cookie(f"{name}={value}x") is Rule.TOO_LONG
    # The length counts octets, not characters.
    assert parse_set_cookie(f"n={'é' * 2047}e") == SetCookie("n", "é" * 2047 + "e")
    assert parse_set_cookie(f"n={'é' * 2048}") is Rule.TOO_LONG


def test_an_attribute_value_has_1024_octets_c4() -> None:
    assert parsed("a=b; Path=/" + "p" * 1023).path == "/" + "p" * 1023
    assert parsed("a=b; Path=/" + "p" * 1024).path is None
    assert parsed("a=b; Path=/ok; Path=/" + "é" * 512).path == "/ok"
    assert parsed("a=b; x=" + "y" * 5000 + "; Secure").secure


def test_unknown_attributes_mean_nothing_c5() -> None:
    assert parsed("a=b; Version=1; Comment=x; c=d; =; ;; Priority=High") == SetCookie("a", "b")


@pytest.mark.parametrize(
    ("attributes", "max_age"),
    [
        ("Max-Age=100", 100),
        ("max-age = 100", 100),
        ("MAX-AGE=-1", -1),
        ("Max-Age=0", 0),
        ("Max-Age=-0", 0),
        ("Max-Age=007", 7),
        ("Max-Age=" + "9" * 30, MAX_AGE_LIMIT),
        ("Max-Age=" + "9" * 1024, MAX_AGE_LIMIT),
        ("Max-Age=" + "9" * 1025, None),
        (f"Max-Age={MAX_AGE_LIMIT}", MAX_AGE_LIMIT),
        (f"Max-Age={MAX_AGE_LIMIT + 1}", MAX_AGE_LIMIT),
        ("Max-Age=1; Max-Age=2", 2),
        ("Max-Age=1; Max-Age=x", 1),
        ("Max-Age=", None),
        ("Max-Age", None),
        ("Max-Age=-", None),
        ("Max-Age=+1", None),
        ("Max-Age=1_0", None),
        ("Max-Age=1.5", None),
        ("Max-Age=1 0", None),
        ("Max-Age=\u0661", None),
        ('Max-Age="1"', None),
    ],
)
def test_max_age_c7(attributes: str, max_age: int | None) -> None:
    assert parsed("a=b; " + attributes).max_age == max_age


def test_expires_keeps_the_last_that_is_a_date_c7() -> None:
    date = "Wed, 09 Jun 2027 10:18:14 GMT"
    assert parsed(f"a=b; Expires={date}").expires == 1812536294
    assert parsed(f"a=b; Expires={date}; expires=never").expires == 1812536294
    assert parsed(f"a=b; Expires={date}; expires=1 Jan 1970 0:0:0").expires == 0
    assert parsed("a=b; Expires=never").expires is None


@pytest.mark.parametrize(
    ("attributes", "domain"),
    [
        ("Domain=example.com", "example.com"),
        ("Domain=.example.com", "example.com"),
        ("Domain=..example.com", ".example.com"),
        ("Domain=", ""),
        ("Domain=.", ""),
        ("Domain", ""),
        ("Domain=a.example; Domain=", ""),
        ("Domain=; Domain=a.example", "a.example"),
        ("Domain=a.example; Domain=" + "x" * 1025, "a.example"),
    ],
)
def test_domain_c8(attributes: str, domain: str) -> None:
    assert parsed("a=b; " + attributes).domain == domain


@pytest.mark.parametrize(
    ("attributes", "path"),
    [
        ("Path=/x", "/x"),
        ("Path=x", ""),
        ("Path=", ""),
        ("Path", ""),
        ('Path="/x"', ""),
        ("Path=/a; Path=/b", "/b"),
        ("Path=/a; Path=b", ""),
        ("Secure", None),
    ],
)
def test_path_c13(attributes: str, path: str | None) -> None:
    assert parsed("a=b; " + attributes).path == path


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Strict", SameSite.STRICT),
        ("lAX", SameSite.LAX),
        ("none", SameSite.NONE),
        ("StrictLax", SameSite.DEFAULT),
        ("Lax Strict", SameSite.DEFAULT),
        ("", SameSite.DEFAULT),
        ("Str\u0130ct", SameSite.DEFAULT),
        ("Strict; SameSite=Lax", SameSite.LAX),
        ("Strict; SameSite=x", SameSite.DEFAULT),
    ],
)
def test_same_site_c17(given: str, expected: SameSite) -> None:
    assert parsed(f"a=b; SameSite={given}").same_site is expected


def test_flags_ignore_case_and_values_c18() -> None:
    found = parsed("a=b; sEcUrE=no; HTTPONLY; partitioned =x")
    assert (found.secure, found.http_only, found.partitioned) == (True, True, True)
    assert not parsed("a=b; Secured; \u017fecure; Http-Only").secure
    assert parsed("a=é; SECURE; HttpOnly").secure


def test_the_value_stays_out_of_repr_y10() -> None:
    assert repr(parse_set_cookie("sid=hunter2; Secure")) == "<SetCookie sid=…>"


words = st.sampled_from(
    [
        *("=", ";", " ", "\t", '"', "\\", ",", "a", "é", "__Host-", "Path", "=/", "Secure"),
        *("HttpOnly", "Max-Age", "-1", "99", "Expires", "1 Jan 99 1:2:3", "Domain", ".x.y"),
        *("SameSite", "Lax", "Partitioned", "None", "\x00", "\x7f", "x" * 600),
    ]
)


@given(st.one_of(st.lists(words).map("".join), st.text()))
def test_any_field_parses_as_the_oracle_parses_it_c1(field: str) -> None:
    assert parse_set_cookie(field) == oracle(field)


@pytest.mark.parametrize("unit", [";", '"', "\\", "=", " ", "; Path=/", '\\"', "a;", "\t"])
def test_hostile_fields_parse_in_linear_time_c26(unit: str) -> None:
    def parsing(count: int) -> Callable[[], object]:
        return partial(parse_set_cookie, "a=" + unit * count)

    # Sixteen times the length: a quadratic parser would need 256 times as long.
    assert is_linear(parsing, 4_000, times=16, most=100)
