"""Targets: Set-Cookie, cookie dates and cookies.txt."""

import re

from wayfare_cookies import CookieFormatError, CookieJar, Rule, parse_set_cookie
from wayfare_cookies._dates import parse_cookie_date
from wayfare_cookies._netscape import read_cookies_txt, write_cookies_txt
from yarl import URL

from .properties import text

__all__ = ("cookie_date", "cookies_txt", "set_cookie")

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_HOST = re.compile(r"[0-9A-Za-z][0-9A-Za-z.\-]*")
_URL = URL("https://www.example.com/a/b")


def set_cookie(data: bytes) -> None:
    """C1 to C8: any field is a cookie or is ignored, and a jar takes it or not; it never fails."""
    field = text(data)
    parsed = parse_set_cookie(field)
    if not isinstance(parsed, Rule):
        name, value = parsed.name, parsed.value
        assert not _CONTROL.search(name + value)
        assert len((name + value).encode("utf-8", "surrogateescape")) <= 4096
        assert (name, value) == (name.strip(" \t"), value.strip(" \t"))
        again = parse_set_cookie(f"{name}={value}")
        assert not isinstance(again, Rule)
        assert (again.name, again.value) == (name, value)
        assert parsed.path is None or not parsed.path or parsed.path.startswith("/")
    jar = CookieJar()
    jar.update_cookies_from_headers([field], _URL)
    jar.filter_cookies(_URL)


def cookie_date(data: bytes) -> None:
    """C6: a moment or nothing; delimiters round it and the case of its letters say nothing."""
    value = text(data)
    moment = parse_cookie_date(value)
    assert moment is None or -11644473600 <= moment <= 253402300799
    assert parse_cookie_date(f" ;{value}\t,") == moment
    if value.isascii():
        assert parse_cookie_date(value.swapcase()) == moment


def cookies_txt(data: bytes) -> None:
    """A file is refused, or what is written of it is read as the same cookies."""
    try:
        cookies = read_cookies_txt(text(data), now=0.0)
    except CookieFormatError:
        return
    # A jar has none but such cookies: its rules come between reading and writing.
    sound = [
        cookie
        for cookie in cookies
        if _HOST.fullmatch(cookie.domain)
        and not _CONTROL.search(cookie.name + cookie.value + cookie.path)
    ]
    written, left_out = write_cookies_txt(sound)
    assert read_cookies_txt(written, now=0.0) == [each for each in sound if each not in left_out]
