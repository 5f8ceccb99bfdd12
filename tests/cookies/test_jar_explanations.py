"""What a jar explains is what it does, whatever was stored before (C19, C23)."""

from hypothesis import given
from hypothesis import strategies as st
from wayfare_cookies import (
    Cookie,
    CookieJar,
    Explanation,
    Rule,
)

from .test_jar import Clock

HOSTS = st.sampled_from(["example.com", "www.example.com", "a.www.example.com", "other.example"])
SCHEMES = st.sampled_from(["http", "https"])
PATHS = st.sampled_from(["/", "/x", "/x/", "/x/y"])
URLS = st.builds("{}://{}{}".format, SCHEMES, HOSTS, PATHS)
ATTRIBUTES = st.sampled_from(
    [
        "Path=/",
        "Path=/x",
        "Domain=example.com",
        "Secure",
        "Max-Age=5",
        "SameSite=None",
        "Partitioned",
    ]
)
FIELDS = st.builds(
    lambda name, attributes: "; ".join([f"{name}=1", *attributes]),
    st.sampled_from("abc"),
    st.lists(ATTRIBUTES, max_size=4, unique=True),
)


def told_change(told: Explanation, before: list[Cookie]) -> int:
    """By how many the jar's cookies become more, as an explanation says."""
    if told.rule is Rule.DELETED:
        assert told.cookie is not None
        return -sum(one.identity == told.cookie.identity for one in before)
    return 1 if told.rule is Rule.STORED else 0


@given(st.lists(st.tuples(FIELDS, URLS, st.integers(0, 3))), URLS, st.sampled_from([0, 6]))
def test_what_is_sent_is_what_is_explained(
    steps: list[tuple[str, str, int]], url: str, later: int
) -> None:
    """The short cuts of the look-up say what the rules say of each cookie, one by one."""
    clock = Clock()
    jar = CookieJar(clock=clock)
    for field, where, seconds in steps:
        told = jar.explain(field, where)
        before = list(jar)  # without what has expired
        jar.update_cookies_from_headers([field], where)
        assert len(jar) - len(before) == told_change(told, before)
        if not told.accepted:
            assert list(jar) == before
        clock.now += seconds
    clock.now += later
    told_of = jar.explain_request(url)
    sent = list(jar.filter_cookies(url).all)
    assert [one.cookie for one in told_of if one.accepted] == sent
    assert jar.cookie_header(url) == ("; ".join(cookie.pair for cookie in sent) or None)
