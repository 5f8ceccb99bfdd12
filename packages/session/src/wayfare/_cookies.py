"""Cookies on their way into requests and out of responses: what lies between a session and its jar.

A request has one Cookie field (RFC 6265bis section 5.8.1). What may stand in it, strongest first; of cookies with one
name only those of the strongest are sent:

    the `cookies=` of the request
    a Cookie field among the fields of the request
    what servers set, from the jar
    the `cookies=` of the session, and a Cookie field among the session's fields

What a caller gives goes to the origin that the caller named and is stored nowhere: a redirect to another origin loses
it, for the rest of its chain (C23, D5, D6). What a server sets is stored at every hop before the next one (D15), by
whatever final response (C20), for the URL that was asked (C25).

wayfare_cookies loads with the first cookie.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from time import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, final

from wayfare_http_core import FieldBlock, hdrs
from yarl import URL

from ._request import ClientRequest
from ._response import ClientResponse

if TYPE_CHECKING:
    from http.cookies import Morsel

    from wayfare_cookies import AbstractCookieJar, Cookie, CookieMap, CookieValue, LooseCookies

    from ._defaults import SessionFields

__all__ = ("CallerCookies", "SessionCookies", "made_up_cookies", "merge_pairs", "read_cookie_field")

Pairs: TypeAlias = Sequence[tuple[str, str]]
"""Cookies as they stand in a field ("a=1"), each behind its name."""

Given: TypeAlias = "tuple[tuple[str, CookieValue] | Cookie, ...]"

_TELL_AFTER: Final = 0.1
"""Seconds from the first change to telling a store of it, so that the changes of many responses are told together."""


class CallerCookies(NamedTuple):
    """What a caller gives to a request: with the request itself, and with its session."""

    own: Given = ()
    shared: Given = ()


@final
class SessionCookies:
    """The cookies of one session.

    `jar` is None until something is stored in it or somebody asks for it. `shared` are the session's own `cookies=`,
    sent to the origin of `base_url`, or without one to every URL that a caller names.
    """

    __slots__ = ("_base_url", "_fields", "_last", "_plain", "_syncing", "_timer", "jar", "shared")

    def __init__(
        self,
        jar: "AbstractCookieJar | None" = None,
        shared: "LooseCookies | None" = None,
        base_url: URL | None = None,
        fields: "SessionFields | None" = None,
    ) -> None:
        """`fields` are the session's own, which may have Cookie fields; what changes in them later counts too.

        Raises: ValueError, TypeError for cookies that no field can carry, and for a jar that is none.
        """
        if jar is not None:
            _check_jar(jar)
        self.jar = jar
        self.shared: Given = _snapshot(shared)
        self._base_url = base_url
        self._fields = fields
        self._plain: Pairs | None = _plain_pairs(self.shared, quote=self._quote)
        self._last: tuple[FieldBlock, str, FieldBlock] | None = None
        self._syncing: asyncio.Future[bool] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def get_jar(self) -> "AbstractCookieJar":
        """The jar, made now if there is none yet."""
        if self.jar is None:
            # Imported here: a program that meets no cookie needs no jar.
            from wayfare_cookies import CookieJar

            self.jar = CookieJar()
        return self.jar

    # -- into a request -------------------------------------------------------------------------------------------

    def of_caller(self, url: URL, own: "LooseCookies | None") -> CallerCookies | None:
        """What a caller gives to a request for an URL that the caller named; None for nothing."""
        given = _snapshot(own)
        shared = self.shared
        if shared and self._base_url is not None:
            # Imported here: what decides about redirects knows what an origin is.
            from ._redirects import same_origin

            if not same_origin(url, self._base_url):
                shared = ()
        return CallerCookies(given, shared) if given or shared else None

    @property
    def sync_due(self) -> bool:
        """Whether the jar must be brought together with its store before the next request: `refresh`."""
        return self.jar is not None and self.jar.sync_due

    def dressed(self, request: ClientRequest) -> ClientRequest:
        """The request as it is to be sent: itself, or a copy with its Cookie field.

        Raises: ValueError, TypeError for cookies that no field can carry.
        """
        fields = request.fields
        value = self._field(request, fields)
        if value is None:
            return request
        last = self._last
        if last is None or last[0] is not fields or last[1] != value:
            others = [pair for pair in fields.pairs if pair[0].lower() != "cookie"]
            # Most requests of a session send what the one before sent: it is checked and encoded once.
            self._last = last = (fields, value, FieldBlock([*others, ("Cookie", value)]))
        return request.with_fields(last[2])

    def _field(self, request: ClientRequest, fields: FieldBlock) -> str | None:
        """The value of the Cookie field, or None for no field."""
        jar, caller, url = self.jar, request.cookies, request.url
        written = fields.getall("Cookie") if "cookie" in fields.names else []
        if caller is None and not written:
            return jar.cookie_header(url) if jar else None
        groups: list[Pairs] = []
        if caller is not None:
            groups.append(self._pairs(caller.own, url))
        in_fields = read_cookie_field(written)
        of_session = self._fields
        # Those that the latest request started from: a Cookie field may be given to a session at any time.
        by_session = of_session is not None and written == of_session.block.getall("Cookie")
        if not by_session:
            groups.append(in_fields)
        if jar:
            groups.append(jar.cookie_pairs(url))
        if caller is not None and caller.shared:
            groups.append(self._pairs(caller.shared, url) if self._plain is None else self._plain)
        if by_session:
            groups.append(in_fields)
        return merge_pairs(groups)

    def _pairs(self, cookies: Given, url: URL) -> Pairs:
        """Those of a caller's cookies that go with a request to an URL (C14)."""
        if not cookies:
            return ()
        from wayfare_cookies import request_cookies

        jar = self.jar
        found = request_cookies(
            cookies,
            url,
            quote_cookie=self._quote,
            treat_as_secure_origin=None if jar is None else jar.treat_as_secure_origin,
        )
        return [(cookie.name, cookie.pair) for cookie in found.all]

    @property
    def _quote(self) -> bool:
        return self.jar is None or self.jar.quote_cookie

    # -- out of a response ----------------------------------------------------------------------------------------

    def store(self, response: ClientResponse) -> None:
        """Store what a response sets.

        Raises: what a jar of the caller's own raises; the response is closed then.
        """
        jar = self.get_jar()
        try:
            jar.update_cookies_from_headers(response.headers.getall(hdrs.SET_COOKIE), response.url)
        except BaseException:
            response.close()
            raise
        if jar.has_news:
            self._tell_soon()

    # -- a jar's store --------------------------------------------------------------------------------------------

    async def refresh(self) -> None:
        """Bring the jar and its store together, in a thread. Requests that ask at once wait for one and the same.

        Raises: `StoreUnavailableError` where the store cannot be reached, unless the jar takes that for a warning.
        Cancellation: safe; the others go on waiting.
        """
        await asyncio.shield(self._sync())

    async def close(self) -> None:
        """Tell the jar's store what it does not know yet.

        Raises, Cancellation: as `refresh`.
        """
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._syncing is not None:
            await asyncio.wait([self._syncing])
        if self.jar is not None and self.jar.has_news:
            await self.refresh()

    def _tell_soon(self) -> None:
        if self._timer is None and self._syncing is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_TELL_AFTER, self._sync)

    def _sync(self) -> "asyncio.Future[bool]":
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._syncing is None:
            jar = self.get_jar()
            self._syncing = asyncio.get_running_loop().run_in_executor(None, jar.sync)
            self._syncing.add_done_callback(self._synced)
        return self._syncing

    def _synced(self, syncing: "asyncio.Future[bool]") -> None:
        self._syncing = None
        if syncing.cancelled() or syncing.exception() is not None:
            # Who waited for it gets the error; else the next request does, or the end of the session.
            return
        if self.jar is not None and self.jar.has_news:
            self._tell_soon()


def merge_pairs(groups: Iterable[Pairs]) -> str | None:
    """One Cookie field from groups of cookies, the strongest first; None where there is none.

    A group may have a name twice (from two paths); what a stronger group has by name, a weaker one does not send.
    """
    taken: set[str] = set()
    found: list[str] = []
    for group in groups:
        found += [pair for name, pair in group if name not in taken]
        taken.update(name for name, _ in group)
    return "; ".join(found) or None


def read_cookie_field(values: Iterable[str]) -> Pairs:
    """The cookies in Cookie fields that a caller wrote, each as it is written there."""
    pairs = [pair.strip(" \t") for value in values for pair in value.split(";")]
    return [(_name_of(pair), pair) for pair in pairs if pair]


def _name_of(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    return name.rstrip(" \t") if equals else ""


def _check_jar(jar: object) -> None:
    # Imported here: who gives a jar has it loaded.
    from wayfare_cookies import AbstractCookieJar

    if not isinstance(jar, AbstractCookieJar):
        raise TypeError(f"cookie_jar must be an AbstractCookieJar, not {type(jar).__name__}")


def _snapshot(cookies: "LooseCookies | None") -> Given:
    """What a caller gives, as it is now.

    Raises: TypeError for what is neither a mapping nor iterable.
    """
    if not cookies:
        return ()
    from collections.abc import Mapping

    from wayfare_cookies import CookieMap

    if isinstance(cookies, CookieMap):
        return cookies.all
    return tuple(cookies.items() if isinstance(cookies, Mapping) else cookies)


def _plain_pairs(cookies: Given, *, quote: bool) -> Pairs | None:
    """A session's cookies where every URL gets the same ones, which is the rule; None where that depends.

    Raises: ValueError, TypeError for cookies that no field can carry.
    """
    if not cookies:
        return ()
    from wayfare_cookies import request_cookies

    # Any URL does: it is what says which of them cannot be sent at all.
    found = request_cookies(cookies, "https://localhost/", quote_cookie=quote)
    for item in cookies:
        if not isinstance(item, tuple) or not isinstance(item[1], str | int):
            return None
        if item[0].startswith("__"):  # a name prefix asks for a secure connection
            return None
    return [(cookie.name, cookie.pair) for cookie in found.all]


def made_up_cookies(cookies: "Mapping[str, Cookie | Morsel[Any]]") -> "CookieMap":
    """The cookies of a response that somebody made up."""
    from wayfare_cookies import Cookie, CookieMap

    return CookieMap(
        one if isinstance(one, Cookie) else Cookie.from_morsel(one, "", now=time())
        for one in (cookies.all if isinstance(cookies, CookieMap) else cookies.values())
    )
