"""Saved jars as JSON: ours, and aiohttp's on the way in. Data only: nothing in a file is ever run."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ._cookie import Cookie, SameSite
from ._dates import parse_cookie_date
from ._errors import CookieFormatError
from ._parse import SAME_SITE, ascii_lower

__all__ = ("read_json", "write_json")

FORMAT = "wayfare-cookies"
VERSION = 1


def write_json(cookies: Iterable[Cookie]) -> str:
    """Cookies as the text of a JSON file, one cookie a line."""
    lines = ",\n".join(json.dumps(cookie.to_json()) for cookie in cookies)
    return f'{{"format": "{FORMAT}", "version": {VERSION}, "cookies": [\n{lines}\n]}}\n'


def read_json(text: str) -> list[Cookie]:
    """The cookies of a JSON file that `write_json` or aiohttp's `CookieJar.save` wrote; no rule is applied yet.

    Raises:
        CookieFormatError: the text is neither, or of a later version.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CookieFormatError("the file holds no JSON") from error
    if not isinstance(data, dict):
        raise CookieFormatError("the file holds no JSON object")
    if data.get("format") != FORMAT:
        return list(_read_aiohttp(data))
    if data.get("version") != VERSION:
        raise CookieFormatError(f"the file has version {data.get('version')!r}, not {VERSION}")
    cookies = data.get("cookies")
    if not isinstance(cookies, list):
        raise CookieFormatError("the file has no list of cookies")
    return [Cookie.from_json(one) for one in cookies]


def _read_aiohttp(data: Mapping[str, Any]) -> Iterator[Cookie]:
    """aiohttp 3.14: `{"domain|path": {"name": {"key": …, "host_only": true, "expires_timestamp": …}}}`.

    Host-only cookies are marked, others are not. A file without any mark comes from a version that forgot it, or has
    none to mark: its cookies are taken as host-only, because that sends them to fewer hosts.
    """
    jars = list(data.values())
    if not all(isinstance(jar, Mapping) for jar in jars):
        raise CookieFormatError("the file holds no cookies")
    morsels = [morsel for jar in jars for morsel in jar.values()]
    if not all(isinstance(morsel, Mapping) for morsel in morsels):
        raise CookieFormatError("the file holds no cookies")
    marked = any("host_only" in morsel for morsel in morsels)
    for morsel in morsels:
        yield _from_aiohttp(morsel, host_only=morsel.get("host_only", not marked))


def _from_aiohttp(morsel: Mapping[str, Any], *, host_only: object) -> Cookie:
    same_site = morsel.get("samesite") or ""
    fields = {
        "name": morsel.get("key"),
        "value": morsel.get("coded_value"),
        "domain": morsel.get("domain", ""),
        "path": morsel.get("path") or "/",
        "host_only": host_only,
        "secure": bool(morsel.get("secure")),
        "http_only": bool(morsel.get("httponly")),
    }
    expires = morsel.get("expires_timestamp")
    if expires is None:  # versions before 3.14 have the attribute alone
        expires = parse_cookie_date(str(morsel.get("expires", "")))
    if expires is not None:
        fields["expires"] = expires
    if isinstance(same_site, str):
        fields["same_site"] = SAME_SITE.get(ascii_lower(same_site), SameSite.DEFAULT).value
    return Cookie.from_json(fields)
