"""The suites for implementers of the three seams."""

from collections.abc import Callable
from threading import Thread

from wayfare_cookies._abstract import AbstractCookieJar
from wayfare_cookies._cookie import Cookie, SameSite
from wayfare_cookies._jar import CookieJar
from wayfare_cookies._public_suffixes import PublicSuffixes
from wayfare_cookies._store import Change, CookieStore, Revision

__all__ = ("check_jar", "check_public_suffixes", "check_store")

HERE = "https://www.example.com/dir/page"


def require(condition: bool, rule: str) -> None:
    """Fail the check unless the rule is kept."""
    if not condition:
        raise AssertionError(rule)


def check_jar(factory: Callable[[], AbstractCookieJar]) -> None:
    """Check a jar: what it sends where, what it replaces and forgets. `factory` makes an empty jar.

    Raises:
        AssertionError: with the rule that is broken.
    """
    for fields, url, expected, rule in _JAR_TABLE:
        jar = factory()
        jar.update_cookies_from_headers(fields, HERE)
        require(jar.cookie_header(url) == expected, rule)
    _check_jar_by_mapping(factory())


_JAR_TABLE: tuple[tuple[tuple[str, ...], str, str | None, str], ...] = (
    ((), HERE, None, "an empty jar sends nothing"),
    (("a=1", "b=2"), HERE, "a=1; b=2", "cookies are sent in the order of their creation"),
    (("a=1; Path=/", "b=2"), HERE, "b=2; a=1", "cookies of longer paths are sent first"),
    (('a="x y"',), HERE, 'a="x y"', "a value is sent as it came"),
    (("a=1", "a=2"), HERE, "a=2", "a cookie replaces the one with its name, domain and path"),
    (("a=1", "a=; Max-Age=0"), HERE, None, "an expired cookie removes the stored one"),
    (("a=1",), "https://example.com/dir/", None, "a cookie without Domain stays with its host"),
    (
        ("a=1",),
        "https://a.www.example.com/dir/",
        None,
        "a cookie without Domain stays with its host",
    ),
    (("a=1; Domain=example.com",), "https://b.example.com/dir/", "a=1", "Domain shares a cookie"),
    (("a=1; Domain=example.com",), "https://badexample.com/dir/", None, "domains end at labels"),
    (("a=1; Domain=other.example",), "https://other.example/dir/", None, "no host sets another's"),
    (("a=1",), "https://www.example.com/", None, "the default path is the directory"),
    (("a=1; Path=/di",), HERE, None, "paths end at segments"),
    (("a=1; Secure",), "http://www.example.com/dir/", None, "Secure cookies need a secure scheme"),
    (("a=1; Secure",), "wss://www.example.com/dir/", "a=1", "wss is a secure scheme"),
)


def _check_jar_by_mapping(jar: AbstractCookieJar) -> None:
    jar.update_cookies({"a": "1"}, HERE)
    jar.update_cookies([("b", "2")], HERE)
    found = jar.filter_cookies(HERE)
    require(
        [found[name].value for name in ("a", "b")] == ["1", "2"], "mappings and pairs are stored"
    )
    require(not jar.filter_cookies("https://other.example/"), "no cookie is shared with all hosts")
    require(bool(jar), "a jar with cookies is true")


def check_store(factory: Callable[[], CookieStore]) -> None:
    """Check a store: what it keeps and tells, who wins, and that jars agree. `factory` makes an empty store.

    Raises:
        AssertionError: with the rule that is broken.
    """
    for check in (
        _check_round_trip,
        _check_increments,
        _check_conflicts,
        _check_unknown_revisions,
        _check_jars,
        _check_threads,
    ):
        check(factory())


def _cookie(value: str, name: str = "a") -> Cookie:
    return Cookie(name=name, value=value, domain="example.com", created=5.0, last_used=5.0)


def _set(value: str, age: float = 0.0, name: str = "a") -> Change:
    cookie = _cookie(value, name)
    return Change(cookie.identity, cookie, age)


def _removal(age: float = 0.0) -> Change:
    return Change(_cookie("").identity, None, age)


def _values(store: CookieStore) -> dict[str, str]:
    found = store.changes_since(None)
    require(found.complete, "everything is complete")
    cookies = [change.cookie for change in found.changes if change.cookie is not None]
    require(len(cookies) == len(found.changes), "a complete answer has no removals")
    return {cookie.name: cookie.value for cookie in cookies}


def _check_round_trip(store: CookieStore) -> None:
    require(_values(store) == {}, "a new store is empty")
    full = Cookie(
        name="n\u00e9\udce9",
        value='"v;\n',
        domain="example.com",
        path="/p",
        host_only=False,
        expires=9e9,
        secure=True,
        http_only=True,
        same_site=SameSite.STRICT,
        partition_key="https://example.com",
        created=1.25,
        last_used=2.5,
    )
    nameless = Cookie(name="", value="", domain="::1")
    store.apply([Change(one.identity, one) for one in (full, nameless)])
    found = {change.identity: change.cookie for change in store.changes_since(None).changes}
    require(
        found == {one.identity: one for one in (full, nameless)}, "a cookie comes back as it went"
    )


def _check_increments(store: CookieStore) -> None:
    start = store.changes_since(None).revision
    store.apply([_set("1"), _set("2", name="b")])
    first = store.changes_since(start)
    require(not first.complete and len(first.changes) == 2, "changes are told since a revision")
    require(first.revision != start, "a change makes a new revision")
    require(not store.changes_since(first.revision).changes, "nothing is told twice")
    store.apply([_removal()])
    second = store.changes_since(first.revision)
    require(second.changes == (_removal(),), "a removal is told, as None")
    require(_values(store) == {"b": "2"}, "a removed cookie is not there")
    both = store.changes_since(start).changes
    require(len(both) == len({change.identity for change in both}), "each identity is told once")


def _check_conflicts(store: CookieStore) -> None:
    store.apply([_set("new", age=100.0)])
    store.apply([_set("older", age=200.0)])
    require(_values(store) == {"a": "new"}, "the later change wins, also if it arrives first")
    store.apply([_removal(age=200.0)])
    require(_values(store) == {"a": "new"}, "an older removal loses")
    store.apply([_removal(age=50.0)])
    require(_values(store) == {}, "a later removal wins")
    store.apply([_set("older", age=75.0)])
    require(_values(store) == {}, "a removed cookie does not come back by an older change")
    store.apply([_set("one", age=1.0)])
    store.apply([_set("two")])
    require(_values(store) == {"a": "two"}, "the later change wins")


def _check_unknown_revisions(store: CookieStore) -> None:
    store.apply([_set("1")])
    foreign = store.changes_since(Revision("another store", 0))
    require(
        foreign.complete and len(foreign.changes) == 1, "another store's revision gets everything"
    )
    revision = foreign.revision
    ahead = store.changes_since(Revision(revision.store, revision.number + 1))
    require(
        ahead.complete and ahead.revision.store != revision.store,
        "a store that is behind its readers has lost changes: it becomes another store",
    )


def _check_jars(store: CookieStore) -> None:
    one, two = CookieJar(store=store), CookieJar(store=store)
    one.update_cookies_from_headers(["a=1", "b=2; Max-Age=60"], HERE)
    two.update_cookies_from_headers(["c=3"], HERE)
    for jar in (one, two, one):
        jar.sync()
    require(sorted(map(repr, one)) == sorted(map(repr, two)), "jars agree after each has synced")
    require(len(one) == 3, "no jar's cookies are lost")
    one.clear(lambda cookie: cookie.name == "a")
    one.sync()
    two.sync()
    require({cookie.name for cookie in two} == {"b", "c"}, "a removal reaches the other jar")


def _check_threads(store: CookieStore) -> None:
    errors: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for step in range(5):
                store.apply([_set("1", name=f"{number}-{step}")])
        except BaseException as error:
            errors.append(error)

    threads = [Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    require(not errors, f"threads may share a store: {errors!r}")
    require(len(_values(store)) == 20, "no thread's changes are lost")


def check_public_suffixes(factory: Callable[[], PublicSuffixes]) -> None:
    """Check a suffix list: its answers are suffixes of what was asked, at labels, and its own.

    Which domains are public is the list's business; these rules hold for each.

    Raises:
        AssertionError: with the rule that is broken.
    """
    suffixes = factory()
    for domain in (
        "com",
        "example.com",
        "a.b.c.example.co.uk",
        "localhost",
        "xn--p1ai",
        "a.unheard-of",
    ):
        suffix = suffixes.public_suffix(domain)
        require(
            f".{domain}".endswith(f".{suffix}") and suffix != "",
            f"{suffix!r} ends {domain!r}, at a label",
        )
        require(
            suffixes.public_suffix(suffix) == suffix, f"the suffix {suffix!r} is its own suffix"
        )
        require(suffixes.public_suffix(domain) == suffix, "the answer is the same each time")
        last = domain.rpartition(".")[2]
        require(suffixes.public_suffix(last) == last, "a name of one label is a public suffix")
