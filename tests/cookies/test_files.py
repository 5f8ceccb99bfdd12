"""Saved jars (C12, C24): JSON, aiohttp's JSON, cookies.txt, and files that are whole or not there."""

import copy
import json
import os
import pickle
import subprocess
import sys
from http.cookiejar import MozillaCookieJar
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_cookies import Cookie, CookieFormatError, CookieJar, Rule, SameSite, SiteContext
from wayfare_cookies._json_format import read_json, write_json
from wayfare_cookies._netscape import read_cookies_txt, write_cookies_txt
from wayfare_cookies._private_file import sync_directory, write_private

URL_ = "https://www.example.com/dir/page"
NOW = 1_800_000_000.0
FIELDS = [
    "session=1",
    'full="x y"; Domain=example.com; Path=/p; Secure; HttpOnly; SameSite=Strict; Max-Age=60',
    "=nameless; Path=/",
    "utf8=é; Path=/",
]


def make(now: float = NOW, **keywords: Any) -> CookieJar:
    return CookieJar(clock=lambda: now, **keywords)


@pytest.fixture
def jar() -> CookieJar:
    jar = make()
    jar.update_cookies_from_headers(FIELDS, URL_)
    context = SiteContext(page="https://shop.example/")
    jar.update_cookies_from_headers(
        ["p=1; Secure; SameSite=None; Partitioned"], URL_, context=context
    )
    return jar


def test_what_is_saved_is_loaded_c24(jar: CookieJar, tmp_path: Path) -> None:
    jar.filter_cookies(URL_)
    path = tmp_path / "jar.json"
    jar.save(path)
    other = make()
    other.update_cookies({"gone": "1"}, URL_)
    assert other.load(str(path)) == []
    assert list(other) == list(jar)
    assert [cookie.last_used for cookie in other] == [cookie.last_used for cookie in jar]
    assert other.host_only_cookies == jar.host_only_cookies
    assert other.cookie_header("https://sub.www.example.com/dir/") is None  # C12
    jar.save(path)
    assert sorted(tmp_path.iterdir()) == [path]


def test_only_the_owner_reads_a_saved_jar_c24(jar: CookieJar, tmp_path: Path) -> None:
    path = tmp_path / "jar.json"
    path.touch(mode=0o644)
    for save in (jar.save, jar.save_cookies_txt):
        save(path)
        if os.name == "posix":
            assert path.stat().st_mode & 0o777 == 0o600


def test_loading_checks_the_rules_again_c24(tmp_path: Path) -> None:
    good = Cookie(name="good", value="1", domain="example.com", created=NOW, last_used=NOW)
    bad = {
        Rule.PUBLIC_SUFFIX: Cookie(name="a", value="1", domain="co.uk", host_only=False),
        Rule.IP_ADDRESS: Cookie(name="a", value="1", domain="127.0.0.1"),
        Rule.EXPIRED: Cookie(name="a", value="1", domain="example.com", expires=NOW),
        Rule.HOST_PREFIX: Cookie(name="__Host-a", value="1", domain="example.com"),
        Rule.CONTROL_CHARACTER: Cookie(name="a", value="1\r\n", domain="example.com"),
    }
    path = tmp_path / "jar.json"
    path.write_text(write_json([good, *bad.values()]))
    jar = make()
    left_out = jar.load(path)
    assert list(jar) == [good]
    assert {one.rule: one.cookie for one in left_out} == bad
    assert not any(one.accepted for one in left_out)


BROKEN = [
    "",
    "{",
    "[]",
    "1",
    "[" * 100_000,
    '{"format": "wayfare-cookies", "version": 2, "cookies": []}',
    '{"format": "wayfare-cookies", "version": 1}',
    '{"format": "wayfare-cookies", "version": 1, "cookies": [{"name": "a"}]}',
    '{"x|/": []}',
    '{"x|/": {"a": 1}}',
    '{"x|/": {"a": {"key": "a"}}}',
    '{"x|/": {"a": {"key": "a", "coded_value": "1", "host_only": "no"}}}',
    '{"x|/": {"a": {"key": "a", "coded_value": "1", "samesite": 1, "path": 1}}}',
]


@pytest.mark.parametrize("text", BROKEN)
def test_a_malformed_file_leaves_the_jar_as_it_was_c24(
    jar: CookieJar, tmp_path: Path, text: str
) -> None:
    before = list(jar)
    path = tmp_path / "jar.json"
    path.write_text(text)
    with pytest.raises(CookieFormatError):
        jar.load(path)
    assert list(jar) == before
    with pytest.raises(FileNotFoundError):
        jar.load(tmp_path / "none.json")
    assert list(jar) == before


@given(
    st.text()
    | st.recursive(st.none() | st.text(), lambda x: st.dictionaries(st.text(), x)).map(json.dumps)
)
def test_no_text_makes_loading_fail_otherwise_c24(text: str) -> None:
    try:
        cookies = read_json(text)
    except CookieFormatError:
        return
    assert all(isinstance(cookie, Cookie) for cookie in cookies)


def aiohttp_file(*, marked: bool) -> str:
    """The shape of what aiohttp 3.14.5 saves."""
    mark = {"host_only": True} if marked else {}
    return json.dumps(
        {
            "www.example.com|/x": {
                "a": {
                    "key": "a",
                    "value": "q r",
                    "coded_value": '"q r"',
                    "path": "/x",
                    "domain": "www.example.com",
                    "secure": True,
                    "httponly": True,
                    "samesite": "Lax",
                    **mark,
                }
            },
            "example.com|/": {
                "b": {
                    "key": "b",
                    "value": "2",
                    "coded_value": "2",
                    "path": "/",
                    "domain": "example.com",
                    "expires_timestamp": NOW + 60.5,
                }
            },
            "|": {"shared": {"key": "shared", "value": "1", "coded_value": "1", "path": "/"}},
        }
    )


def test_aiohttps_file_can_be_loaded_c24(tmp_path: Path) -> None:
    path = tmp_path / "jar.json"
    path.write_text(aiohttp_file(marked=True))
    jar = make()
    (left_out,) = jar.load(path)
    assert left_out.cookie is not None
    assert (left_out.cookie.name, left_out.rule) == ("shared", Rule.BAD_DOMAIN)  # C23
    assert list(jar) == [
        Cookie(
            name="a",
            value='"q r"',
            domain="www.example.com",
            path="/x",
            secure=True,
            http_only=True,
            same_site=SameSite.LAX,
        ),
        Cookie(name="b", value="2", domain="example.com", host_only=False, expires=NOW + 60.5),
    ]


def test_a_file_without_host_only_marks_is_taken_as_host_only_c12() -> None:
    """Versions before the mark lost it; sending a cookie to too many hosts is the worse mistake."""
    assert all(cookie.host_only for cookie in read_json(aiohttp_file(marked=False)))


def test_cookies_txt_and_back(jar: CookieJar, tmp_path: Path) -> None:
    path = tmp_path / "cookies.txt"
    (left_out,) = jar.save_cookies_txt(path)
    assert left_out.partitioned
    other = make()
    assert other.load_cookies_txt(path) == []
    assert {cookie.pair for cookie in other} == {cookie.pair for cookie in jar} - {"p=1"}
    full = next(cookie for cookie in other if cookie.name == "full")
    assert full.same_site is SameSite.DEFAULT
    assert (full.domain, full.host_only, full.path) == ("example.com", False, "/p")
    assert (full.secure, full.http_only, full.expires) == (True, True, NOW + 60)
    assert other.host_only_cookies == {one for one in jar.host_only_cookies if one[2] != "p"}


def test_cookies_txt_as_text(jar: CookieJar) -> None:
    cookies = [
        Cookie(name="a", value="1", domain="example.com"),
        Cookie(
            name="b",
            value="2",
            domain="example.com",
            host_only=False,
            http_only=True,
            secure=True,
            expires=9.7,
        ),
        Cookie(name="tab", value="1\t2", domain="example.com"),
    ]
    text, left_out = write_cookies_txt(cookies)
    assert text.startswith("# Netscape HTTP Cookie File\n")
    assert text.endswith(
        "example.com\tFALSE\t/\tFALSE\t0\ta\t1\n#HttpOnly_.example.com\tTRUE\t/\tTRUE\t10\tb\t2\n"
    )
    assert left_out == [cookies[2]]


def test_pythons_own_jar_reads_and_writes_the_same_file(jar: CookieJar, tmp_path: Path) -> None:
    path = tmp_path / "cookies.txt"
    jar.update_cookies_from_headers(["n=1; Max-Age=100"], URL_)
    jar.save_cookies_txt(path)
    theirs = MozillaCookieJar()
    theirs.load(str(path), ignore_discard=True, ignore_expires=True)
    assert {cookie.name for cookie in theirs} == {"session", "full", "utf8", "n", "nameless"}
    theirs.save(str(path), ignore_discard=True, ignore_expires=True)
    again = make()
    assert again.load_cookies_txt(path) == []
    assert {(one.pair, one.domain, one.host_only, one.expires) for one in again} == {
        (one.pair, one.domain, one.host_only, one.expires) for one in jar if not one.partitioned
    }


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("example.com\tFALSE\t/\tFALSE\t0\ta\t1", {"host_only": True, "expires": None}),
        (".example.com\tTRUE\t/\tFALSE\t0\ta\t1\r", {"host_only": False, "value": "1"}),
        (".example.com\ttrue\t/\tfalse\t\ta\t1", {"host_only": False, "secure": False}),
        (
            "example.com\tTRUE\t/\tTRUE\t1700000000.5\ta\t1",
            {"expires": 1700000000.0, "secure": True},
        ),
        ("example.com\tTRUE\t/\tTRUE\t-1\ta\t1", {"expires": None}),
        # Milliseconds, and microseconds since 1601: far away, which the rules cut.
        ("example.com\tTRUE\t/\tTRUE\t1800000060000\ta\t1", {"expires": 1800000060000.0}),
        ("example.com\tTRUE\t/\tTRUE\t13444473600000000\ta\t1", {"value": "1"}),
        # wget and Python's jar write a value as it is.
        ("example.com\tTRUE\t/\tTRUE\t0\ta\tb\tc", {"name": "a", "value": "b\tc"}),
        ("example.com:8080\tFALSE\t/\tTRUE\t0\ta\t1", {"domain": "example.com"}),
        ("::1\tFALSE\t/\tTRUE\t0\ta\t1", {"domain": "::1"}),
        ("localhost.local\tFALSE\t/\tTRUE\t0\ta\t1", {"domain": "localhost"}),
        ("LocalHost.local\tFALSE\t/\tTRUE\t0\ta\t1", {"domain": "localhost"}),
        (".Example.COM\tTRUE\t/\tTRUE\t0\ta\t1", {"domain": "example.com"}),
        ("a..b\tTRUE\t/\tTRUE\t0\ta\t1", {"domain": "a..b"}),
        ("example.com\tTRUE\tx\tTRUE\t0\ta", {"path": "/", "value": ""}),
        ("example.com\tTRUE\t/\tTRUE\t0\t\tv", {"name": "", "value": "v"}),
        (
            "#HttpOnly_example.com\tTRUE\t/\tTRUE\t0\ta\tb=c\x85d\u2028e",
            {"http_only": True, "value": "b=c\x85d\u2028e"},
        ),
    ],
)
def test_lines_of_cookies_txt(line: str, expected: dict[str, object]) -> None:
    (found,) = read_cookies_txt(f"# comment\n\n \t\n{line}\n", now=NOW)
    assert {key: getattr(found, key) for key in expected} == expected
    assert found.created == NOW


@pytest.mark.parametrize(
    "line",
    [
        "hello",
        "example.com\tTRUE\t/\tTRUE\t0",
        "example.com\tYES\t/\tTRUE\t0\ta\tsecret",
        "example.com\tTRUE\t/\t1\t0\ta\tsecret",
        "example.com\tTRUE\t/\tTRUE\tnever\ta\tsecret",
        "example.com\tTRUE\t/\tTRUE\t\u0661\ta\tsecret",
        "example.com\tTRUE\t/\tTRUE\t1_0\ta\tsecret",
    ],
)
def test_a_line_that_is_no_cookie_is_named_without_its_value_y10(
    jar: CookieJar, tmp_path: Path, line: str
) -> None:
    path = tmp_path / "cookies.txt"
    path.write_text("# fine\n" + line + "\n", encoding="utf-8")
    before = list(jar)
    with pytest.raises(CookieFormatError, match="line 2 is no cookie") as caught:
        jar.load_cookies_txt(path)
    assert "secret" not in str(caught.value)
    assert list(jar) == before


def test_a_far_expiry_is_cut_and_a_byte_order_mark_is_no_line(tmp_path: Path) -> None:
    path = tmp_path / "cookies.txt"
    line = (
        "# Netscape HTTP Cookie File\r\nexample.com\tFALSE\t/\tFALSE\t13444473600000000\ta\t1\r\n"
    )
    path.write_text("\ufeff" + line, encoding="utf-8", newline="")
    jar = make()
    assert jar.load_cookies_txt(path) == []
    (cookie,) = jar
    assert cookie.expires == NOW + 400 * 86_400


def test_a_domain_cannot_write_lines_of_its_own(tmp_path: Path) -> None:
    """A file, or a store that others write to, may hold anything."""
    path = tmp_path / "jar.json"
    for domain in ("a\n.example.com", "a\t.example.com", "a b.com", "a/b", "a@b", "1:2\n:3", "a#b"):
        path.write_text(write_json([Cookie(name="a", value="1", domain=domain)]))
        jar = make(unsafe=True)
        (left_out,) = jar.load(path)
        assert left_out.rule is Rule.BAD_DOMAIN
        with pytest.raises(ValueError, match="needs a response_url or a domain"):
            jar.update_cookies([Cookie(name="a", value="1", domain=domain)])
        assert list(jar) == []


def test_what_curl_wrote_comes_back(tmp_path: Path) -> None:
    """The words of curl 7.88.1, from a server that set one cookie of each kind."""
    path = tmp_path / "cookies.txt"
    path.write_bytes(
        b"# Netscape HTTP Cookie File\n# https://curl.se/docs/http-cookies.html\n"
        b"# This file was generated by libcurl! Edit at your own risk.\n\n"
        b"shop.example\tFALSE\t/a/b/\tFALSE\t0\tutf\t\xe9\n"
        b"shop.example\tFALSE\t/a/b/\tFALSE\t1800000099\tsp\ta b\n"
        b"shop.example\tFALSE\t/\tTRUE\t0\t__Host-h\t1\n"
        b'shop.example\tFALSE\t/a/b/\tFALSE\t0\tq\t"x y"\n'
        b"shop.example\tFALSE\t/a/b/\tFALSE\t0\tempty\t\n"
        b".shop.example\tTRUE\t/\tFALSE\t0\tdom\t5\n"
        b"#HttpOnly_shop.example\tFALSE\t/\tFALSE\t0\tho\t4\n"
    )
    jar = make()
    assert jar.load_cookies_txt(path) == []
    assert (
        jar.cookie_header("https://shop.example/a/b/c")
        == 'utf=\udce9; sp=a b; q="x y"; empty=; __Host-h=1; dom=5; ho=4'
    )
    assert {cookie.name for cookie in jar if cookie.http_only} == {"ho"}
    assert jar.cookie_header("http://sub.shop.example/") == "dom=5"


def test_aiohttps_older_files_have_the_expires_attribute_alone(tmp_path: Path) -> None:
    morsel = {"key": "a", "coded_value": "1", "domain": "example.com", "host_only": True}
    path = tmp_path / "jar.json"
    for expires, left in (
        ("Wed, 09 Jun 2027 10:18:14 GMT", 1),
        ("Wed, 09 Jun 2021 10:18:14 GMT", 0),
        ("", 1),
    ):
        path.write_text(json.dumps({"example.com|/": {"a": {**morsel, "expires": expires}}}))
        jar = make()
        jar.load(path)
        assert len(jar) == left
    assert [cookie.expires for cookie in jar] == [None]


def test_a_jar_does_not_pickle_c24(jar: CookieJar) -> None:
    for attempt in (pickle.dumps, copy.deepcopy, copy.copy):
        with pytest.raises(TypeError, match="save it to a file, or give it a store"):
            attempt(jar)
    (cookie, *_) = jar
    assert pickle.loads(pickle.dumps(cookie)) == cookie
    assert pickle.loads(pickle.dumps(jar.filter_cookies(URL_))) == jar.filter_cookies(URL_)


def test_octets_that_are_no_utf8_survive(tmp_path: Path) -> None:
    jar = make()
    jar.update_cookies_from_headers([b"a=\xe9".decode("utf-8", "surrogateescape")], URL_)
    for save, load in ((jar.save, jar.load), (jar.save_cookies_txt, jar.load_cookies_txt)):
        save(tmp_path / "file")
        load(tmp_path / "file")
        assert jar.cookie_header(URL_) == "a=\udce9"


def test_a_file_that_cannot_be_written_leaves_the_old_one(jar: CookieJar, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "inside").touch()
    with pytest.raises(OSError, match="folder"):  # a folder cannot be replaced by a file
        write_private(folder, "text")
    assert sorted(tmp_path.iterdir()) == [folder]
    with pytest.raises(FileNotFoundError):
        jar.save(tmp_path / "none" / "jar.json")
    sync_directory(tmp_path / "none")  # quiet, as on systems that open no folders


KILLED = """
import sys
from wayfare_cookies import CookieJar
jar = CookieJar()
for number in range(40):
    jar.update_cookies({f"n{number}": "x" * 2000}, "https://www.example.com/")
while True:
    jar.save(sys.argv[1])
    print("saved", flush=True)
"""


def test_kill_in_the_middle_of_save_loses_nothing_c24(tmp_path: Path) -> None:
    path = tmp_path / "jar.json"
    for times in range(1, 6):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        with process.stdout:
            for _ in range(times):
                assert process.stdout.readline() == b"saved\n"
            process.kill()  # as the kernel does it: the next save is under way
            process.wait()
        jar = CookieJar()
        assert jar.load(path) == []
        assert len(jar) == 40
