"""Quoted values, which only Python values know."""

from http.cookies import SimpleCookie

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wayfare_cookies._quoting import quote, unquote


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", ""),
        ("plain", "plain"),
        ("YWJj==", "YWJj=="),
        ("a/b?c={d}", "a/b?c={d}"),
        ('"already"', '"already"'),
        ("caf\u00e9", "caf\u00e9"),
        ("a b", '"a b"'),
        ("a,b;c", '"a\\054b\\073c"'),
        ('say "hi"', '"say \\"hi\\""'),
        ("back\\slash", '"back\\\\slash"'),
        ("line\r\nEvil: 1", '"line\\015\\012Evil: 1"'),
        ('"', '"\\""'),
    ],
)
def test_quote_changes_only_what_the_grammar_does_not_have(value: str, expected: str) -> None:
    assert quote(value) == expected
    assert unquote(expected) == ("already" if value == '"already"' else value)


@given(st.text(st.characters(max_codepoint=0x17F)))
def test_quoted_values_can_be_read_back(value: str) -> None:
    quoted = quote(value)
    assert not any(ord(character) < 0x20 or character in ";\x7f" for character in quoted)
    assert value in (quoted, unquote(quoted))


def test_python_servers_read_what_was_quoted() -> None:
    assert SimpleCookie("a=" + quote('x; "y", \\z'))["a"].value == 'x; "y", \\z'


def test_unquote_leaves_other_values_alone_and_is_linear_c26() -> None:
    for value in ("a", '"', '"a', 'a"', ""):
        assert unquote(value) == value
    assert unquote('"\\400\\a"') == "400a"
    assert len(unquote('"' + '\\"' * 100_000 + '"')) == 100_000
    assert len(unquote('"' + "\\" * 100_001 + '"')) == 50_001
