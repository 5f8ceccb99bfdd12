"""The cookies.txt of Netscape, which curl, wget and browsers' exports write: one line a cookie, seven fields.

    [#HttpOnly_]domain  TRUE|FALSE  path  TRUE|FALSE  expiry  name  value

The second field says whether the hosts under the domain get the cookie too; expiry is in seconds since 1970, 0 for the
session. There is no room for SameSite, partitions, or the time of creation.

What is read is what programs really write: wget puts a port behind a domain, Python's own jar ".local" behind
"localhost", and both a value with tabs as it is; some browsers' tools count microseconds since 1601.
"""

import re
from collections.abc import Iterable

from ._cookie import Cookie
from ._errors import CookieFormatError
from ._match import canonical_host

__all__ = ("read_cookies_txt", "write_cookies_txt")

_HEADER = "# Netscape HTTP Cookie File\n# One cookie a line: domain, subdomains, path, secure, expiry, name, value.\n\n"
_HTTP_ONLY = "#HttpOnly_"
# Browsers' exports have fractions and -1; Python's own jar leaves a session cookie's field empty.
_EXPIRY = re.compile(r"(-?[0-9]{1,20})(?:\.[0-9]*)?")
_PORT = re.compile(r":[0-9]{1,5}")
_FLAGS = {"TRUE": True, "FALSE": False}


def write_cookies_txt(cookies: Iterable[Cookie]) -> tuple[str, list[Cookie]]:
    """Cookies as the text of a cookies.txt, and those that it cannot hold.

    It cannot hold a tab, and must not hold a partitioned cookie, which would come back without its partition.
    """
    lines: list[str] = []
    left_out: list[Cookie] = []
    for cookie in cookies:
        if cookie.partitioned or "\t" in cookie.path + cookie.name + cookie.value:
            left_out.append(cookie)
        else:
            lines.append(_line(cookie))
    return _HEADER + "".join(lines), left_out


def _line(cookie: Cookie) -> str:
    fields = (
        (_HTTP_ONLY if cookie.http_only else "")
        + ("" if cookie.host_only else ".")
        + cookie.domain,
        "FALSE" if cookie.host_only else "TRUE",
        cookie.path,
        "TRUE" if cookie.secure else "FALSE",
        f"{cookie.expires or 0:.0f}",
        cookie.name,
        cookie.value,
    )
    return "\t".join(fields) + "\n"


def read_cookies_txt(text: str, *, now: float) -> list[Cookie]:
    """The cookies of a cookies.txt, created `now`; no rule is applied yet.

    Raises:
        CookieFormatError: a line is no cookie; the message has its number, and no value.
    """
    found: list[Cookie] = []
    # Only LF ends a line: str.splitlines() would also break a value at U+0085 or U+2028.
    for number, line in enumerate(text.split("\n"), 1):
        line = line.removesuffix("\r")
        http_only = line.startswith(_HTTP_ONLY)
        if http_only:
            line = line[len(_HTTP_ONLY) :]
        elif line.startswith("#") or not line.strip(" \t"):
            continue
        cookie = _cookie(line.split("\t", 6), http_only=http_only, now=now)
        if cookie is None:
            raise CookieFormatError(f"line {number} is no cookie")
        found.append(cookie)
    return found


def _cookie(fields: list[str], *, http_only: bool, now: float) -> Cookie | None:
    if len(fields) == 6:  # curl reads a line without its last field as a cookie without a value
        fields.append("")
    if len(fields) != 7:
        return None
    domain, subdomains, path, secure, expiry, name, value = fields
    expires = _EXPIRY.fullmatch(expiry or "0")
    if subdomains.upper() not in _FLAGS or secure.upper() not in _FLAGS or expires is None:
        return None
    return Cookie(
        name=name,
        value=value,
        domain=_host(domain.removeprefix(".")),
        path=path if path.startswith("/") else "/",
        host_only=not _FLAGS[subdomains.upper()],
        expires=float(expires[1]) if float(expires[1]) > 0 else None,
        secure=_FLAGS[secure.upper()],
        http_only=http_only,
        created=now,
        last_used=now,
    )


def _host(written: str) -> str:
    """The host that a domain stands for; what is none stays as it is, and is left out by the rules."""
    host, colon, port = written.rpartition(":")
    if ":" not in host and _PORT.fullmatch(colon + port):
        written = host
    host = canonical_host(written) or written
    return "localhost" if host == "localhost.local" else host
