"""Links: targets, relations and parameters, as RFC 8288 has them and as servers send them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict, MultiDictProxy
from wayfare_http_core import Link, parse_links


def link(target: str, *rel: str, **parameters: str) -> Link:
    return Link(target, rel, MultiDictProxy(MultiDict(parameters)))


@pytest.mark.parametrize(
    ("value", "links"),
    [
        ("", []),
        (" , ,", []),
        ("<a>; rel=next", [link("a", "next")]),
        ('<a>;rel="next"', [link("a", "next")]),
        ("<>; rel=self", [link("", "self")]),
        ("< a >; rel=next", [link("a", "next")]),
        ("<a> \t; \trel = next ;", [link("a", "next")]),
        # RFC 8288 section 3.5.
        (
            '<http://example.com/TheBook/chapter2>; rel="previous"; title="previous chapter"',
            [link("http://example.com/TheBook/chapter2", "previous", title="previous chapter")],
        ),
        (
            '</>; rel="http://example.net/foo"',
            [link("/", "http://example.net/foo")],
        ),
        (
            '</terms>; rel="copyright"; anchor="#foo"',
            [link("/terms", "copyright", anchor="#foo")],
        ),
        (
            "</TheBook/chapter2>; rel=\"previous\"; title*=UTF-8'de'letztes%20Kapitel, "
            "</TheBook/chapter4>; rel=\"next\"; title*=UTF-8'de'n%c3%a4chstes%20Kapitel",
            [
                link("/TheBook/chapter2", "previous", title="letztes Kapitel"),
                link("/TheBook/chapter4", "next", title="n\xe4chstes Kapitel"),
            ],
        ),
        (
            '<http://example.org/>; rel="start http://example.net/relation/other"',
            [link("http://example.org/", "start", "http://example.net/relation/other")],
        ),
        (
            '<https://example.org/>; rel="start", <https://example.org/index>; rel="index"',
            [link("https://example.org/", "start"), link("https://example.org/index", "index")],
        ),
        # Commas and semicolons in targets and quotes.
        (
            '<a,b;c>; rel="x"; title="d, <e>; \\"f\\"", <g>; rel=h',
            [link("a,b;c", "x", title='d, <e>; "f"'), link("g", "h")],
        ),
        # Relations in any case, parted by any blanks.
        ('<a>; REL=" Next\t LAST "', [link("a", "next", "last")]),
        # The first rel, title and type count, and title* before title.
        ("<a>; rel=b; rel=c; type=d; type=e", [link("a", "b", type="d")]),
        ("<a>; title=b; rel=c; title*=utf-8''d; title=e", [link("a", "c", title="d")]),
        ("<a>; rel=b; title=c; title=d; anchor=e; anchor=f", [link("a", "b", title="c", anchor="e")]),
        # Parameters without values, and what was allowed without quotes.
        ("<a>; rel=preload; crossorigin; as=style", [link("a", "preload", crossorigin="", **{"as": "style"})]),
        ("<a>; rel=http://example.net/x", [link("a", "http://example.net/x")]),
        ("<a>; rel=x; type=text/html; anchor=http://b/?c=d", [link("a", "x", type="text/html", anchor="http://b/?c=d")]),
    ],
)  # fmt: skip
def test_read(value: str, links: list[Link]) -> None:
    read = parse_links(value)
    assert list(read) == links
    assert read.problems == ()


def test_what_may_occur_several_times() -> None:
    """Several hreflang say that the target comes in several languages (RFC 8288 section 3.4.1)."""
    (found,) = parse_links("<a>; rel=b; hreflang=de; hreflang=fr")
    assert found.parameters.getall("hreflang") == ["de", "fr"]
    assert found.anchor is None


def test_the_context_may_be_another() -> None:
    (found,) = parse_links('<a>; rel=b; anchor="http://elsewhere/"')
    assert found.anchor == "http://elsewhere/"


@pytest.mark.parametrize(
    ("values", "links", "problems"),
    [
        (["<a>"], [link("a")], ["the link to 'a' has no relation"]),
        (['<a>; rel=""'], [link("a")], ["the link to 'a' has no relation"]),
        (["<a"], [], ["'<a' is no link"]),
        (["a; rel=b"], [], ["'a; rel=b' is no link"]),
        (["a, <b>; rel=c"], [link("b", "c")], ["'a' is no link"]),
        (["<a> b; rel=c"], [link("a", "c")], ["'b' follows a link"]),
        (
            ['<a>; b c=d; rel="e'],
            [link("a", "e")],
            [
                "parameter 'b c' has a name that is no token",
                "parameter 'rel' has a quoted string without an end",
            ],
        ),
        (["<a>; rel=b; title*=c"], [link("a", "b")], ["parameter 'title*' cannot be decoded"]),
        # What is quoted is not read, even where it should not be quoted.
        (['"x, <a>; rel=b", <c>; rel=d'], [link("c", "d")], ["'\"x, <a>; rel=b\"' is no link"]),
        (['"x, <a>; rel=b'], [], ["'\"x, <a>; rel=b' is no link"]),
        # One field does not spoil another.
        (["<a", "<b>; rel=c"], [link("b", "c")], ["'<a' is no link"]),
        ([], [], []),
        (
            ["<a>; \u017fel=b"],
            [link("a")],
            [
                "parameter '\\u017fel' has a name that is no token",
                "the link to 'a' has no relation",
            ],
        ),
    ],
)  # fmt: skip
def test_told(values: list[str], links: list[Link], problems: list[str]) -> None:
    read = parse_links(*values)
    assert list(read) == links
    assert list(read.problems) == problems


def test_h27_links_and_problems_are_counted() -> None:
    """H27: a field of many links costs bounded memory."""
    read = parse_links(1001 * "<a>;rel=b,")
    assert len(read) == 1000
    assert read.problems == ("only the first 1000 links are read",)
    assert len(parse_links(1000 * "<a>,").problems) == 32


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (Link("/"), "</>"),
        (link("", "self"), "<>; rel=self"),
        (link("/a?b=c&d=%20", "next"), "</a?b=c&d=%20>; rel=next"),
        (link("/", "start", "http://x/y"), '</>; rel="start http://x/y"'),
        (link("/", "a", title='b "c"'), '</>; rel=a; title="b \\"c\\""'),
        (link("/", "a", title="\xe4"), "</>; rel=a; title*=UTF-8''%C3%A4"),
    ],
)
def test_encode(value: Link, encoded: str) -> None:
    assert value.encode() == encoded
    assert list(parse_links(encoded)) == [value]


@pytest.mark.parametrize(
    "value",
    [
        link("a>; rel=evil, <b"),
        link("a b"),
        link("a\r\nX: y"),
        link("a\0"),
        link("\xe4"),
        link('a"'),
        link("a", "b c"),
        link("a", ""),
        link("a", "b\r\nX: y"),
        link("a", "\xe4"),
        link("a", "b", rel="c"),
        link("a", "b", **{"c d": "e"}),
        link("a", "b", **{"title*": "e"}),
        link("a", "b", title="c\r\nX: y"),
        link("a", "b", title="\udce4"),
    ],
)
def test_what_has_no_representation_is_refused(value: Link) -> None:
    with pytest.raises(ValueError, match=r"reference|relation|parameter"):
        value.encode()


PRINTABLE = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=[*map(chr, range(32)), "\x7f"]),
    max_size=20,
)
LINKS = st.builds(
    lambda target, rel, parameters: Link(target, tuple(rel), MultiDictProxy(MultiDict(parameters))),
    st.text("abc/:?#[]@!$&'()*+,;=%20~", max_size=20),
    st.lists(st.text("abc-.:/09", min_size=1), min_size=1, max_size=3),
    st.dictionaries(st.sampled_from(["title", "anchor", "x-y", "hreflang"]), PRINTABLE),
)


@given(st.lists(LINKS, max_size=5))
def test_round_trip(links: list[Link]) -> None:
    read = parse_links(", ".join(each.encode() for each in links))
    assert list(read) == links
    assert read.problems == ()
    assert list(parse_links(*(each.encode() for each in links))) == links


@given(st.text() | st.text('<>;,="\\* relanchor'))
def test_never_raises(value: str) -> None:
    for each in parse_links(value, value):
        assert ">" not in each.target
