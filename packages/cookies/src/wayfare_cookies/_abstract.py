"""The jar seam: what a client asks of a jar, and the jar that keeps nothing."""

import sys
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from time import time
from typing import TYPE_CHECKING, Any, final

from yarl import URL

from ._cookie import Cookie
from ._cookie_map import CookieMap
from ._parse import SetCookie, parse_set_cookie
from ._policy import Policy, as_url, scope_of
from ._public_suffixes import PublicSuffixList
from ._storage import create_cookie
from ._supplied import LooseCookies, several

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    import http.cookies

__all__ = ("AbstractCookieJar", "DummyCookieJar", "warn_of_loop")

_DEFAULT_POLICY = Policy(public_suffixes=PublicSuffixList(), unsafe=True)


class AbstractCookieJar(ABC):
    """A jar of your own: write `filter_cookies` and `update_cookies`; the rest is derived from them.

    A jar that can also list its cookies (`__iter__`) gets `len`, `clear`, `clear_domain`, `cookies` and
    `host_only_cookies` with that. Methods must not block: clients call them on their event loop. A jar that reads and
    writes somewhere does so in `sync`, which clients call in a thread when `sync_due` says so before a request, and
    some time after `has_news` became true.
    """

    def __init__(self, *, loop: object = None) -> None:
        warn_of_loop(loop)

    @abstractmethod
    def filter_cookies(
        self, request_url: str | URL
    ) -> Mapping[str, "Cookie | http.cookies.Morsel[Any]"]:
        """The cookies to send with a request, by name, in sending order."""

    @abstractmethod
    def update_cookies(self, cookies: LooseCookies, response_url: str | URL = "") -> None:
        """Store cookies as set by `response_url`; a cookie that has expired removes the stored one."""

    def update_cookies_from_headers(self, headers: Iterable[str], response_url: str | URL) -> None:
        """Store what the Set-Cookie field values of a response set; fields that a rule refuses are skipped."""
        scope = scope_of(as_url(response_url), _DEFAULT_POLICY)
        if scope is None:
            return
        now = time()
        found: list[Cookie] = []
        for field in islice(several(headers), _DEFAULT_POLICY.limits.per_response):
            parsed = parse_set_cookie(field)
            if isinstance(parsed, SetCookie):
                cookie = create_cookie(parsed, scope, now=now, policy=_DEFAULT_POLICY)
                if isinstance(cookie, Cookie):
                    found.append(cookie)
        if found:
            # As pairs, which jars that were written for other clients take too.
            self.update_cookies([(cookie.name, cookie) for cookie in found], response_url)

    def cookie_header(self, url: str | URL) -> str | None:
        """The value of the Cookie field for a request, or None where there is none to send."""
        return "; ".join([pair for _, pair in self.cookie_pairs(url)]) or None

    def cookie_pairs(self, url: str | URL) -> list[tuple[str, str]]:
        """The cookies to send with a request, in order: each by its name, and as it stands in the Cookie field.

        For clients that put cookies of their own beside the jar's into the one field that a request may have.
        """
        found = self.filter_cookies(url)
        cookies = found.all if isinstance(found, CookieMap) else found.values()
        return [
            (one.key, f"{one.key}={one.coded_value}" if one.key else one.coded_value)
            for one in cookies
        ]

    def clear(self, predicate: "Callable[[Cookie], bool] | None" = None) -> None:
        """Remove every cookie, or those of which `predicate` says true."""
        for cookie in list(self):
            if predicate is None or predicate(cookie):
                self.update_cookies([replace(cookie, expires=0.0)])

    def clear_domain(self, domain: str) -> None:
        """Remove the cookies of a domain and of the domains under it."""
        under = "." + domain
        self.clear(lambda cookie: cookie.domain == domain or cookie.domain.endswith(under))

    def __iter__(self) -> Iterator[Cookie]:
        """Every cookie in the jar.

        Raises:
            TypeError: this kind of jar cannot list its cookies.
        """
        raise TypeError(f"{type(self).__name__} cannot list its cookies")

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        """False promises that there is nothing to send; a jar that does not know says True."""
        return True

    @property
    def unsafe(self) -> bool:
        """Whether hosts that are IP addresses may have cookies."""
        return False

    @property
    def quote_cookie(self) -> bool:
        """Whether values that a program supplies are put into quotes where they need it."""
        return True

    @property
    def treat_as_secure_origin(self) -> frozenset[URL]:
        """The origins that count as secure although their scheme does not."""
        return frozenset()

    @property
    def cookies(self) -> Mapping[tuple[str, str], CookieMap]:
        """The cookies by domain and path, as of now."""
        found: dict[tuple[str, str], list[Cookie]] = {}
        for cookie in self:
            found.setdefault((cookie.domain, cookie.path), []).append(cookie)
        return {key: CookieMap(cookies) for key, cookies in found.items()}

    @property
    def host_only_cookies(self) -> frozenset[tuple[str, str, str]]:
        """Domain, path and name of the cookies that only their own host gets."""
        return frozenset((one.domain, one.path, one.name) for one in self if one.host_only)

    @property
    def sync_due(self) -> bool:
        """Whether `sync` should be called before the next request."""
        return False

    @property
    def has_news(self) -> bool:
        """Whether there are changes that only a `sync` brings to where the jar keeps them."""
        return False

    def sync(self) -> bool:
        """Bring the jar and the place where it is kept together; may block. The answer is whether that went well."""
        return True


@final
class DummyCookieJar(AbstractCookieJar):
    """A jar that keeps nothing: for clients that must forget, or that bring their own Cookie header."""

    @override
    def filter_cookies(self, request_url: str | URL) -> CookieMap:
        return CookieMap()

    @override
    def update_cookies(self, cookies: LooseCookies, response_url: str | URL = "") -> None:
        return None

    @override
    def update_cookies_from_headers(self, headers: Iterable[str], response_url: str | URL) -> None:
        return None

    @override
    def __iter__(self) -> Iterator[Cookie]:
        return iter(())

    @override
    def __bool__(self) -> bool:
        return False


def warn_of_loop(loop: object) -> None:
    """`loop=` is taken for the sake of old code and means nothing."""
    if loop is not None:
        warnings.warn(
            "a cookie jar has no event loop: leave loop= out", DeprecationWarning, stacklevel=3
        )
