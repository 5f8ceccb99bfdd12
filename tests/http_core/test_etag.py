"""Entity tags: opaque, compared in two ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_http_core import ETag, parse_etags


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        ('"xyzzy"', ETag("xyzzy")),
        ('W/"xyzzy"', ETag("xyzzy", is_weak=True)),
        ('""', ETag("")),
        ('W/""', ETag("", True)),
        (' "a"\t', ETag("a")),
        ('"a,b"', ETag("a,b")),
        (r'"a\b"', ETag(r"a\b")),
        ('"a b"', ETag("a b")),
        ('"*"', ETag("*")),
        ('"\xe4\udce4"', ETag("\xe4\udce4")),
        ("", None),
        ("*", None),
        ("xyzzy", None),
        ('"', None),
        ('"a', None),
        ('a"', None),
        ('"a"b"', None),
        (r'"a\"b"', None),
        ('w/"a"', None),
        ('W/ "a"', None),
        ('"a", "b"', None),
        ('"a\0"', None),
        ('"a\n"', None),
        ('"a"\n', None),
        ('\xa0"a"', None),
    ],
)
def test_read(value: str, tag: ETag | None) -> None:
    read = ETag.parse(value)
    assert read == tag
    assert read is None or str(read) == value.strip(" \t")


def test_parts() -> None:
    tag = ETag("a")
    assert (tag.value, tag.is_weak) == ("a", False)
    assert hash(tag) == hash(ETag("a", False))
    assert tag != ETag("a", True)
    with pytest.raises(AttributeError):
        tag.value = "b"  # type: ignore[misc]  # that it is refused is the point


@pytest.mark.parametrize("value", ['a"b', "a\r\nX: y", "\0", "\x7f"])
def test_what_no_field_can_hold(value: str) -> None:
    with pytest.raises(ValueError, match="entity tag"):
        ETag(value)


@pytest.mark.parametrize(
    ("one", "other", "strong", "weak"),
    [
        ('W/"1"', 'W/"1"', False, True),
        ('W/"1"', 'W/"2"', False, False),
        ('W/"1"', '"1"', False, True),
        ('"1"', 'W/"1"', False, True),
        ('"1"', '"1"', True, True),
        ('"1"', '"2"', False, False),
    ],
)
def test_o14_comparison(one: str, other: str, strong: bool, weak: bool) -> None:
    """O14: the table of RFC 9110 section 8.8.3.2; only strongly equal parts may be put together."""
    first, second = ETag.parse(one), ETag.parse(other)
    assert first is not None
    assert second is not None
    assert first.strong_match(second) is strong
    assert first.weak_match(second) is weak


@pytest.mark.parametrize(
    ("values", "tags", "problems"),
    [
        ([], [], ()),
        ([""], [], ()),
        ([" , ,"], [], ()),
        (['"a"'], [ETag("a")], ()),
        (['"a", W/"b,c" ,"d"'], [ETag("a"), ETag("b,c", True), ETag("d")], ()),
        (['"a"', ',"b"'], [ETag("a"), ETag("b")], ()),
        (["*"], [], ("'*' is no entity tag",)),
        (['a, "b"'], [ETag("b")], ("'a' is no entity tag",)),
        (['"a"b, "c"'], [ETag("c")], ("'\"a\"b' is no entity tag",)),
        # Where the first ends nobody can tell; the second stands for itself.
        (['"a, "b"'], [ETag("b")], ("'\"a' is no entity tag",)),
    ],
)
def test_lists(values: list[str], tags: list[ETag], problems: tuple[str, ...]) -> None:
    read = parse_etags(*values)
    assert list(read) == tags
    assert read.problems == problems


def test_h27_tags_and_problems_are_counted() -> None:
    """H27: a field of many tags costs bounded memory."""
    read = parse_etags(2000 * '"a",')
    assert len(read) == 1000
    assert read.problems == ("only the first 1000 tags are read",)
    assert len(parse_etags(1000 * "a,").problems) == 32


VALUES = st.text(
    st.characters(exclude_characters=[*map(chr, range(32)), "\x7f", '"'], exclude_categories=["Cs"])
)


@given(VALUES, st.booleans())
def test_round_trip(value: str, is_weak: bool) -> None:
    tag = ETag(value, is_weak)
    assert ETag.parse(str(tag)) == tag


@given(st.lists(st.builds(ETag, VALUES, st.booleans()), max_size=6))
def test_round_trip_of_lists(tags: list[ETag]) -> None:
    read = parse_etags(", ".join(map(str, tags)))
    assert list(read) == tags
    assert read.problems == ()


@given(st.text() | st.text('W/",ab \t\\'))
def test_never_raises(value: str) -> None:
    ETag.parse(value)
    parse_etags(value, value)
