"""The cookie jar."""

import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import accumulate, islice
from os import PathLike
from pathlib import Path
from threading import Lock
from time import time
from typing import NoReturn, final

from yarl import URL

from ._abstract import AbstractCookieJar, warn_of_loop
from ._cookie import Cookie
from ._cookie_map import CookieMap
from ._errors import StoreUnavailableError, StoreUnavailableWarning
from ._explanation import Explanation
from ._index import CookieIndex, Entry, by_rank
from ._json_format import read_json, write_json
from ._match import canonical_host
from ._netscape import read_cookies_txt, write_cookies_txt
from ._parse import SetCookie, parse_set_cookie
from ._policy import (
    CookieLimits,
    Policy,
    Scope,
    SiteContext,
    as_url,
    origins,
    scope_of,
    scope_of_host,
)
from ._private_file import write_private
from ._public_suffixes import PublicSuffixes, PublicSuffixList
from ._retrieval import withheld
from ._rules import Rule
from ._storage import create_cookie, restore_cookie, would_hide_secure
from ._store import CookieStore, OnStoreError, StoreOptions
from ._supplied import LooseCookies, Supplied, several, supplied
from ._sync import StoreLink

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("CookieJar",)


@final
class CookieJar(AbstractCookieJar):
    """A cookie jar by RFC 6265bis, in memory; works without an event loop and may be shared by threads.

    unsafe: accept cookies from hosts that are IP addresses.
    quote_cookie: put values that a program supplies into quotes where the grammar for servers needs it; what came from
        a server is never touched.
    treat_as_secure_origin: one origin or several that count as secure although their scheme does not
        (`"http://localhost:8080"`), for Secure cookies from and to them.
    limits: how much the jar holds, takes and sends.
    public_suffixes: another list than the one of publicsuffix.org.
    store: a place that several processes share; the jar stays in memory, and `sync` brings both together.
    store_options: how old what was read from the store may become, and whether a store that is away is an error.
    clock: seconds since 1970; a wall clock, because cookies expire by date.
    loop: accepted, ignored, deprecated.
    """

    def __init__(
        self,
        *,
        unsafe: bool = False,
        quote_cookie: bool = True,
        treat_as_secure_origin: str | URL | Iterable[str | URL] | None = None,
        loop: object = None,
        limits: CookieLimits | None = None,
        public_suffixes: PublicSuffixes | None = None,
        store: CookieStore | None = None,
        store_options: StoreOptions | None = None,
        clock: Callable[[], float] = time,
    ) -> None:
        warn_of_loop(loop)
        self._policy = Policy(
            public_suffixes=PublicSuffixList() if public_suffixes is None else public_suffixes,
            unsafe=unsafe,
            secure_origins=origins(treat_as_secure_origin),
            limits=CookieLimits() if limits is None else limits,
        )
        self._quote_cookie = quote_cookie
        self._clock = clock
        self._lock = Lock()
        self._index = CookieIndex(self._policy.limits)
        self._store_options = StoreOptions() if store_options is None else store_options
        self._synced = float("-inf")
        self._link: StoreLink | None = None
        if store is not None:
            self._link = StoreLink(store, self._index, self._policy, self._lock)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a CookieJar does not pickle: save it to a file, or give it a store")

    @property
    @override
    def unsafe(self) -> bool:
        """Whether hosts that are IP addresses may have cookies."""
        return self._policy.unsafe

    @property
    @override
    def quote_cookie(self) -> bool:
        """Whether values that a program supplies are put into quotes where they need it."""
        return self._quote_cookie

    @property
    def limits(self) -> CookieLimits:
        """How much the jar holds, takes and sends."""
        return self._policy.limits

    @property
    @override
    def treat_as_secure_origin(self) -> frozenset[URL]:
        """The origins that count as secure although their scheme does not."""
        return frozenset(
            URL.build(scheme=scheme, host=host or "", port=port)
            for scheme, host, port in self._policy.secure_origins
        )

    # Receiving

    @override
    def update_cookies_from_headers(
        self,
        headers: Iterable[str],
        response_url: str | URL,
        *,
        context: SiteContext | None = None,
    ) -> None:
        """Store what the Set-Cookie field values of a response set; fields that a rule refuses are skipped.

        `headers` are the values in their order on the wire; `response_url` is the URL of the request they answer,
        whatever its Host header said.

        Raises:
            TypeError: `headers` is a single value.
        """
        scope = scope_of(as_url(response_url), self._policy)
        if scope is None:
            return
        now = self._clock()
        # Foreign code may run here, and use the jar: not under the lock.
        fields = list(islice(several(headers), self._policy.limits.per_response))
        with self._lock:
            self._index.evict_expired(now)
            for field in fields:
                cookie = self._judge(parse_set_cookie(field), scope, now, context)
                if isinstance(cookie, Cookie):
                    self._store(cookie, now)

    @override
    def update_cookies(self, cookies: LooseCookies, response_url: str | URL = "") -> None:
        """Store cookies of the program's own as if `response_url` had set them.

        `cookies` is a mapping from names to values, an iterable of such pairs, or an iterable of `Cookie`s; a value is
        a str, a `Cookie` or a Morsel. Without an URL only cookies that name a domain can be stored: none is shared
        with all hosts. What a rule refuses is left out, and so is a `Cookie` that belongs to another host alone.

        Raises:
            ValueError: there is no URL and a cookie names no domain, or no header field can carry a name or value.
            TypeError: something is no cookie.
        """
        given = as_url(response_url)
        found = list(supplied(cookies, quoting=self._quote_cookie))
        scopes = [self._scope_of_supplied(one, given) for one in found]
        now = self._clock()
        with self._lock:
            self._index.evict_expired(now)
            for one, scope in zip(found, scopes, strict=True):
                cookie = self._judge(one.parsed, scope, now, None)
                if isinstance(cookie, Cookie) and one.is_of(scope.host):
                    if one.partition_key is not None:
                        cookie = replace(cookie, partition_key=one.partition_key)
                    self._store(cookie, now)

    def _scope_of_supplied(self, one: Supplied, url: URL) -> Scope:
        # No connection brought it, so none was insecure.
        scope = (
            scope_of(url, self._policy) if url.raw_host else scope_of_host(one.host, path=one.path)
        )
        if scope is None:
            raise ValueError(f"the cookie {one.name!r} needs a response_url or a domain")
        return scope

    def _judge(
        self, parsed: SetCookie | Rule, scope: Scope, now: float, context: SiteContext | None
    ) -> Cookie | Rule:
        """The cookie that a field sets in this jar, or why it sets none."""
        if isinstance(parsed, Rule):
            return parsed
        cookie = create_cookie(
            parsed,
            scope,
            now=now,
            policy=self._policy,
            context=context,
            stored=self._index.find,
        )
        if (
            isinstance(cookie, Cookie)
            and not scope.secure
            and would_hide_secure(cookie, scope, self._related(cookie.domain, scope))
        ):
            return Rule.SECURE_OVERLAY
        return cookie

    def _related(self, domain: str, scope: Scope) -> Iterator[Cookie]:
        """The cookies whose domains lie over or under one of the scope's domains."""
        for entry in self._index.under(domain):
            yield entry.cookie
        for entry in self._index.at(scope.domains[scope.domains.index(domain) + 1 :]):
            yield entry.cookie

    def _store(self, cookie: Cookie, now: float) -> None:
        """Put a cookie in, or take out what it replaces where it has expired already. The lock is held."""
        if self._link is not None:
            # Also where nothing changes here: the server said so now, later than what another jar did before, and a
            # cookie that it removes may be one that this jar has not seen.
            self._link.note(cookie.identity, now)
        if cookie.expires is not None and cookie.expires <= now:
            self._index.remove(cookie.identity)
        else:
            self._index.put(cookie, now)

    # Sending

    @override
    def filter_cookies(
        self, request_url: str | URL, *, context: SiteContext | None = None
    ) -> CookieMap:
        """The cookies to send with a request to an URL, by name; `all` has them in sending order."""
        return CookieMap([entry.cookie for entry in self._select(request_url, context)])

    @override
    def cookie_header(self, url: str | URL, *, context: SiteContext | None = None) -> str | None:
        """The value of the Cookie field for a request, or None where there is none to send.

        Every cookie that matches, longest path first, each value as it came. Source: RFC 6265bis 5.8.3.
        """
        found = self._select(url, context)
        return "; ".join([entry.pair for entry in found]) if found else None

    def _select(self, url: str | URL, context: SiteContext | None) -> list[Entry]:
        """5.8.3, all steps but the last."""
        if not self._index.count:
            return []
        scope = scope_of(as_url(url), self._policy)
        if scope is None:
            return []
        now = self._clock()
        with self._lock:
            self._index.evict_expired(now)
            found = self._matching(scope, now, context)
            if len(found) > 1:
                found.sort(key=by_rank)
            return self._use(found, now)

    def _matching(self, scope: Scope, now: float, context: SiteContext | None) -> list[Entry]:
        """5.8.3 step 1. Most cookies are told by a glance: then `withheld` would say the same, and is not asked."""
        host, secure, policy = scope.host, scope.secure, self._policy
        found = []
        for entry in self._index.at(scope.domains):
            cookie = entry.cookie
            if (
                entry.plain
                and context is None
                and (secure or not cookie.secure)
                and (cookie.domain == host or not cookie.host_only)
            ) or withheld(cookie, scope, now, policy, context) is None:
                found.append(entry)
        return found

    def _use(self, entries: list[Entry], now: float) -> list[Entry]:
        """5.8.3 step 3, for the entries, from the first on, that the limit of the Cookie field has room for."""
        room = self._policy.limits.header_bytes
        left = sys.maxsize if room is None else room + 2  # no "; " after the last
        for count, entry in enumerate(entries):
            left -= entry.size
            if left < 0:
                return entries[:count]
            entry.last_used = now
        return entries

    # Asking why

    def explain(
        self, set_cookie_header: str, url: str | URL, *, context: SiteContext | None = None
    ) -> Explanation:
        """What a Set-Cookie field value from `url` would do to this jar, and by which rule. Changes nothing."""
        scope = scope_of(as_url(url), self._policy)
        if scope is None:
            return Explanation(Rule.NO_HOST)
        now = self._clock()
        with self._lock:
            self._index.evict_expired(now)
            cookie = self._judge(parse_set_cookie(set_cookie_header), scope, now, context)
            if isinstance(cookie, Rule):
                return Explanation(cookie)
            if cookie.expires is not None and cookie.expires <= now:
                return Explanation(Rule.DELETED, cookie)
            if self._index.get(cookie.identity) is not None:
                return Explanation(Rule.REPLACED, cookie)
            kept = self._index.would_keep(cookie)
        return Explanation(Rule.STORED if kept else Rule.NO_ROOM, cookie)

    def explain_request(
        self, url: str | URL, *, context: SiteContext | None = None
    ) -> list[Explanation]:
        """For every cookie in the jar, whether it goes with a request to `url`, and by which rule.

        What is sent comes first, in sending order. Changes nothing. Costs a scan of the jar.
        """
        with self._lock:
            entries = sorted(self._index, key=by_rank)
        scope = scope_of(as_url(url), self._policy)
        if scope is None:
            return [Explanation(Rule.NO_HOST, entry.snapshot()) for entry in entries]
        now = self._clock()
        sent: list[Entry] = []
        kept: list[Explanation] = []
        for entry in entries:
            cookie = entry.cookie
            rule: Rule | None = Rule.OTHER_DOMAIN
            if cookie.domain in scope.domains:
                rule = withheld(cookie, scope, now, self._policy, context)
            if rule is None:
                sent.append(entry)
            else:
                kept.append(Explanation(rule, entry.snapshot()))
        room = self._policy.limits.header_bytes
        sizes = accumulate((entry.size for entry in sent), initial=-2)
        return [
            *(
                Explanation(
                    Rule.SENT if room is None or size <= room else Rule.HEADER_LIMIT,
                    entry.snapshot(),
                )
                for entry, size in zip(sent, islice(sizes, 1, None), strict=True)
            ),
            *kept,
        ]

    # What is inside

    @override
    def __iter__(self) -> Iterator[Cookie]:
        """Every cookie that has not expired, as of now; changing the jar meanwhile is allowed."""
        now = self._clock()
        with self._lock:
            self._index.evict_expired(now)
            found = [entry.snapshot() for entry in self._index]
        return iter(found)

    @override
    def __len__(self) -> int:
        with self._lock:
            self._index.evict_expired(self._clock())
            return self._index.count

    @override
    def __bool__(self) -> bool:
        """Whether there may be anything to send: the one `if` that an empty jar costs. A store may bring something."""
        return self._index.count > 0 or self._link is not None

    @override
    def clear(self, predicate: Callable[[Cookie], bool] | None = None) -> None:
        """Remove every cookie, or those of which `predicate` says true."""
        # The predicate is foreign code, and may use the jar: it runs without the lock.
        gone = [cookie for cookie in self if predicate is None or predicate(cookie)]
        self._remove(gone)

    @override
    def clear_domain(self, domain: str) -> None:
        """Remove the cookies of a domain and of the domains under it."""
        host = canonical_host(domain.removeprefix("."))
        if host is not None:
            with self._lock:
                gone = [entry.cookie for entry in self._index.under(host)]
            self._remove(gone)

    def _remove(self, gone: Iterable[Cookie]) -> None:
        now = self._clock()
        with self._lock:
            self._take_out(gone, now)

    def _take_out(self, gone: Iterable[Cookie], now: float) -> None:
        """Remove cookies, and remember it for the store. The lock is held."""
        for cookie in gone:
            identity = cookie.identity
            if self._index.remove(identity) is not None and self._link is not None:
                self._link.note(identity, now)

    # Keeping

    def save(self, file_path: str | PathLike[str]) -> None:
        """Write every cookie to a JSON file that only its owner reads; session cookies too.

        The file is replaced whole: a crash leaves the old one or the new one. Blocks for the time of a write to disk.

        Raises:
            OSError: the file could not be written; the old one is as it was.
        """
        write_private(Path(file_path), write_json(self))

    def load(self, file_path: str | PathLike[str]) -> list[Explanation]:
        """Replace every cookie by those of a JSON file that `save` or aiohttp's `save` wrote.

        Each is checked again by the rules. Returns those that were left out, with the reason; a cookie that expired
        meanwhile is one of them.

        Raises:
            OSError: the file cannot be read.
            CookieFormatError: it holds something else. In both cases the jar is as it was.
        """
        return self._replace(read_json(_read(file_path)))

    def save_cookies_txt(self, file_path: str | PathLike[str]) -> list[Cookie]:
        """Write the cookies to a Netscape cookies.txt, as curl, wget and browsers' tools read it.

        Returns the cookies that the format cannot hold: those with a tab, and partitioned ones. SameSite is lost.

        Raises:
            OSError: the file could not be written; the old one is as it was.
        """
        text, left_out = write_cookies_txt(self)
        write_private(Path(file_path), text)
        return left_out

    def load_cookies_txt(self, file_path: str | PathLike[str]) -> list[Explanation]:
        """Replace every cookie by those of a Netscape cookies.txt; returns those that were left out, with the reason.

        Raises:
            OSError: the file cannot be read.
            CookieFormatError: a line is no cookie. In both cases the jar is as it was.
        """
        return self._replace(read_cookies_txt(_read(file_path), now=self._clock()))

    def _replace(self, cookies: Iterable[Cookie]) -> list[Explanation]:
        now = self._clock()
        left_out: list[Explanation] = []
        kept: list[Cookie] = []
        for cookie in cookies:
            restored = restore_cookie(cookie, now=now, policy=self._policy)
            if isinstance(restored, Cookie):
                kept.append(restored)
            else:
                left_out.append(Explanation(restored, cookie))
        with self._lock:
            self._take_out([entry.cookie for entry in self._index], now)
            for cookie in kept:
                self._store(cookie, now)
        return left_out

    @property
    @override
    def sync_due(self) -> bool:
        """Whether what was read from the store is older than `StoreOptions.max_age`; False without a store."""
        # A clock that was set back must not keep the jar from asking for as long.
        return (
            self._link is not None
            and abs(self._clock() - self._synced) >= self._store_options.max_age
        )

    @property
    @override
    def has_news(self) -> bool:
        """Whether there are changes that the store was not told yet; False without a store."""
        return self._link is not None and self._link.has_news

    @override
    def sync(self, *, on_error: OnStoreError | None = None) -> bool:
        """Bring the jar and its store together: what changed here goes there, then what changed there comes here.

        Of two changes of one cookie the later wins, removals included (see `CookieStore`). Blocks for the store's
        input and output; the jar can be used by other threads meanwhile. Where `on_error`, or `StoreOptions` in its
        place, says "warn", a store that cannot be reached is a `StoreUnavailableWarning` and the answer False; what
        was not told is told the next time, and `sync_due` waits its time before it asks for one.

        Raises:
            StoreUnavailableError: the store cannot be reached, and `on_error` is "raise".
            ValueError: the jar was made without a store.
        """
        if self._link is None:
            raise ValueError("this jar has no store")
        now = self._clock()
        try:
            self._link.sync(now)
        except StoreUnavailableError as error:
            if (on_error or self._store_options.on_error) == "raise":
                raise
            self._synced = now
            warnings.warn(StoreUnavailableWarning(str(error)), stacklevel=2)
            return False
        self._synced = now
        return True


def _read(file_path: str | PathLike[str]) -> str:
    # Windows' editors begin a text with a mark that is no part of it.
    return Path(file_path).read_bytes().decode("utf-8-sig", "surrogateescape")
