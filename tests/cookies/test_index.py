"""How a jar keeps its cookies: limits, expiry and look-ups (C21, C22, C27), by counting and by a model."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_cookies import Cookie, CookieLimits
from wayfare_cookies._index import CookieIndex

UNLIMITED = CookieLimits(per_domain=None, total=None)


def cookie(
    name: str, domain: str = "example.com", *, used: float = 0.0, **fields: object
) -> Cookie:
    made = Cookie(name=name, value="1", domain=domain, created=used, last_used=used)
    return replace(made, **fields)  # type: ignore[arg-type]  # fields of mixed types


def names(index: CookieIndex) -> list[str]:
    return sorted(entry.cookie.name for entry in index)


def test_put_replaces_and_keeps_the_creation_time_c18() -> None:
    index = CookieIndex(UNLIMITED)
    index.put(cookie("a", used=1.0, expires=50.0), 0.0)
    index.put(cookie("a", used=2.0, value="2"), 0.0)
    assert index.count == 1
    (entry,) = index
    assert (entry.cookie.value, entry.cookie.created, entry.cookie.expires) == ("2", 1.0, None)
    index.evict_expired(60.0)
    assert index.count == 1


def test_the_very_same_cookie_again_is_a_use_c18() -> None:
    index = CookieIndex(UNLIMITED)
    same = cookie("a", used=1.0)
    index.put(same, 1.0)
    index.put(same, 9.0)
    (entry,) = index
    assert (entry.cookie, entry.snapshot().last_used) == (same, 9.0)


def test_what_makes_two_cookies_different_c18() -> None:
    index = CookieIndex(UNLIMITED)
    one = cookie("a")
    for change in (
        {},
        {"path": "/x"},
        {"host_only": False},
        {"domain": "a.example.com"},
        {"partition_key": "https://a.example"},
        {"name": "A"},
    ):
        index.put(replace(one, **change), 0.0)
    assert index.count == 6
    assert index.get(one.identity) is not None
    assert index.get(replace(one, name="b").identity) is None
    assert index.remove(replace(one, name="b").identity) is None
    assert index.remove(replace(one, domain="b.example").identity) is None
    assert index.remove(one.identity) == one
    assert index.count == 5


def test_a_snapshot_has_the_last_use() -> None:
    index = CookieIndex(UNLIMITED)
    index.put(cookie("a", used=1.0), 0.0)
    (entry,) = index
    assert entry.snapshot() is entry.cookie
    entry.last_used = 7.0
    assert entry.snapshot().last_used == 7.0


def test_a_domain_is_crowded_at_one_over_its_limit_c21() -> None:
    index = CookieIndex(CookieLimits(per_domain=3, total=None))
    index.put(cookie("secure", used=0.0, secure=True), 0.0)
    index.put(cookie("old", used=1.0), 0.0)
    index.put(cookie("new", used=2.0), 0.0)
    assert index.count == 3
    index.put(cookie("elsewhere", "other.example", used=0.0), 0.0)
    assert index.count == 4
    index.put(cookie("newest", used=3.0), 0.0)
    assert names(index) == ["elsewhere", "new", "newest", "secure"]


def test_secure_cookies_leave_a_crowded_domain_last_c21() -> None:
    index = CookieIndex(CookieLimits(per_domain=2, total=None))
    index.put(cookie("s1", used=1.0, secure=True), 0.0)
    index.put(cookie("s2", used=2.0, secure=True), 0.0)
    index.put(cookie("plain", used=3.0), 0.0)
    assert names(index) == ["s1", "s2"]
    index.put(cookie("s3", used=4.0, secure=True), 0.0)
    assert names(index) == ["s2", "s3"]


def test_the_total_limit_takes_the_oldest_use_first_c21() -> None:
    index = CookieIndex(CookieLimits(per_domain=None, total=20))
    for number in range(20):
        index.put(cookie("a", f"h{number}.example", used=float(number)), 0.0)
    assert index.count == 20
    for entry in index.at(["h0.example", "h2.example"]):
        entry.last_used = 100.0
    for number in range(20, 25):
        index.put(cookie("a", f"h{number}.example", used=float(number)), 0.0)
        assert index.count == 20
    gone = {"h1.example", "h3.example", "h4.example", "h5.example", "h6.example"}
    left = {entry.cookie.domain for entry in index}
    assert left == {f"h{number}.example" for number in range(25)} - gone


def test_a_victim_that_was_replaced_or_used_meanwhile_stays_c21() -> None:
    index = CookieIndex(CookieLimits(per_domain=None, total=32))
    for number in range(33):  # sorts out the five oldest, and removes h0
        index.put(cookie("a", f"h{number}.example", used=float(number)), 0.0)
    index.put(cookie("a", "h1.example", used=200.0), 0.0)  # replaced
    index.remove(cookie("a", "h2.example").identity)  # gone
    index.put(cookie("a", "h33.example", used=33.0), 0.0)
    for entry in index.at(["h3.example"]):  # used
        entry.last_used = 200.0
    index.put(cookie("a", "h34.example", used=34.0), 0.0)
    left = {entry.cookie.domain for entry in index}
    assert {"h1.example", "h3.example"} <= left
    assert {"h0.example", "h2.example", "h4.example"}.isdisjoint(left)


@pytest.mark.parametrize("limit", [50, 180])
def test_the_default_limits_hold_what_the_specification_asks_for_c21(limit: int) -> None:
    index = CookieIndex(CookieLimits())
    for number in range(limit):
        index.put(cookie(f"n{number}"), 0.0)
    assert index.count == limit
    index.put(cookie("one more"), 0.0)
    assert index.count == min(limit + 1, 180)
    index.clear()
    for number in range(3_001):
        index.put(cookie("a", f"h{number}.example"), 0.0)
        assert index.count == min(number + 1, 3_000)


def test_expired_cookies_leave_in_order_c22() -> None:
    index = CookieIndex(UNLIMITED)
    for number in (3, 1, 2):
        index.put(cookie(f"n{number}", expires=float(number)), 0.0)
    index.put(cookie("session"), 0.0)
    index.evict_expired(0.5)
    assert index.count == 4
    index.evict_expired(2.0)
    assert names(index) == ["n3", "session"]
    index.evict_expired(2.0)
    index.evict_expired(1.0)  # C27: the clock went backwards
    assert index.count == 2


def test_replacing_a_cookie_again_and_again_keeps_the_heap_small_c22() -> None:
    index = CookieIndex(UNLIMITED)
    index.put(cookie("session", "other.example"), 0.0)
    for number in range(2_000):
        index.put(cookie("a", expires=10_000.0 + number), 0.0)
    assert len(index._expiries) <= 2 * index.count + 64
    index.evict_expired(11_998.0)
    assert index.count == 2
    index.evict_expired(11_999.0)
    assert names(index) == ["session"]


def test_domains_are_found_from_above_and_from_below() -> None:
    index = CookieIndex(UNLIMITED)
    for domain in (
        "example.com",
        "a.example.com",
        "b.a.example.com",
        "d.c.example.com",
        "other.com",
    ):
        index.put(cookie("a", domain), 0.0)
    under = {entry.cookie.domain for entry in index.under("example.com")}
    assert under == {"example.com", "a.example.com", "b.a.example.com", "d.c.example.com"}
    assert [entry.cookie.domain for entry in index.under("c.example.com")] == ["d.c.example.com"]
    assert list(index.under("nowhere.example")) == []
    for domain in (
        "example.com",
        "a.example.com",
        "b.a.example.com",
        "d.c.example.com",
        "other.com",
    ):
        index.remove(cookie("a", domain).identity)
    assert (index._buckets, index._children) == ({}, {})


def test_a_look_up_sees_the_domains_it_asks_for_and_no_others_c22() -> None:
    """However many other hosts there are: what is looked at is counted, not timed."""
    index = CookieIndex(UNLIMITED)
    for number in range(10_000):
        index.put(cookie("a", f"h{number}.example.com"), 0.0)
    index.put(cookie("b", "example.com", host_only=False), 0.0)
    assert [entry.cookie.name for entry in index.at(("h5.example.com", "example.com", "com"))] == [
        "a",
        "b",
    ]
    index.evict_expired(1e9)  # nothing expires: nothing is looked at
    assert index._expiries == []


def model_of_limits(cookies: list[Cookie], limits: CookieLimits) -> list[Cookie]:
    """5.7, "remove excess cookies", sentence by sentence, for cookies in the order in which they came."""
    assert limits.per_domain is not None
    assert limits.total is not None
    while True:
        crowded = [
            one
            for one in cookies
            if sum(other.domain == one.domain for other in cookies) > limits.per_domain
        ]
        excess = [one for one in crowded if not one.secure] or crowded
        if not excess and len(cookies) > limits.total:
            excess = cookies
        if not excess:
            return cookies
        oldest = min(excess, key=lambda one: one.last_used)
        cookies = [one for one in cookies if one is not oldest]


@given(
    st.lists(
        st.tuples(st.sampled_from("abcde"), st.sampled_from("xyz"), st.booleans(), st.booleans()),
        max_size=40,
    )
)
def test_the_limits_keep_what_the_specification_keeps_c21(
    steps: list[tuple[str, str, bool, bool]],
) -> None:
    limits = CookieLimits(per_domain=3, total=6)
    index = CookieIndex(limits)
    model: list[Cookie] = []
    for number, (name, domain, secure, use) in enumerate(steps):
        now = float(number)
        if use:
            for entry in index.at([domain]):
                entry.last_used = now
            model = [replace(one, last_used=now) if one.domain == domain else one for one in model]
        else:
            put = cookie(name, domain, used=now, secure=secure)
            kept = index.would_keep(put)
            index.put(put, now)
            assert kept == (index.get(put.identity) is not None)
            if any(one.identity == put.identity for one in model):  # in the place of the old one
                model = [put if one.identity == put.identity else one for one in model]
            else:
                model = model_of_limits([*model, put], limits)
        assert {(one.cookie.identity, one.last_used) for one in index} == {
            (one.identity, one.last_used) for one in model
        }


LABELS = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(".".join)


@given(st.lists(st.tuples(st.booleans(), LABELS, st.integers(0, 9))))
def test_the_tree_of_domains_is_that_of_the_cookies_c22(
    steps: list[tuple[bool, str, int]],
) -> None:
    """Against a plain dictionary that is scanned."""
    index = CookieIndex(UNLIMITED)
    model: dict[str, Cookie] = {}
    for now, (put, domain, soon) in enumerate(steps, 1):
        if put:
            model[domain] = cookie("a", domain, expires=float(now - 1 + soon))
            index.put(model[domain], 0.0)
        else:
            model.pop(domain, None)
            index.remove(cookie("a", domain).identity)
        index.evict_expired(now)
        model = {key: one for key, one in model.items() if one.expires and one.expires > now}
        assert {entry.cookie.domain for entry in index} == model.keys()
        assert index.count == len(model)
        for top in ("a", "b.a", "c.b.a"):
            assert sorted(below(index, top)) == sorted(
                domain for domain in model if domain == top or domain.endswith("." + top)
            )


def below(index: CookieIndex, domain: str) -> Iterator[str]:
    return (entry.cookie.domain for entry in index.under(domain))
