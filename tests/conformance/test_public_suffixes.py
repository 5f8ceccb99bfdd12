"""C10: the cases that publicsuffix.org publishes (`public_suffixes.txt`, word for word), asked of a whole jar.

A jar is asked what it does with a cookie whose Domain is the registrable domain, and the names above it: it takes the
first, and refuses every one of the others.
"""

import re
from pathlib import Path

import pytest
from wayfare_cookies import CookieJar, Rule
from yarl import URL

CASE = re.compile(r"checkPublicSuffix\((?:null|'([^']*)'), (?:null|'([^']*)')\);")


def cases() -> list[tuple[str, str | None]]:
    """Each name with its registrable domain, or None where it has none."""
    text = (Path(__file__).parent / "public_suffixes.txt").read_text(encoding="utf-8")
    lines = [line for line in text.split("\n") if line and not line.startswith("//")]
    found = [CASE.fullmatch(line) for line in lines]
    assert all(found)
    pairs = [match.groups() for match in found if match is not None]
    return [(name, registrable) for name, registrable in pairs if name is not None]


def ascii_name(name: str) -> str:
    """A name as it stands in a URL."""
    return URL.build(scheme="https", host=name).raw_host or ""


def rule(host: str, domain: str) -> Rule:
    return CookieJar().explain(f"a=1; Domain={domain}", f"https://{host}/").rule


@pytest.mark.parametrize(("name", "registrable"), cases())
def test_a_jar_knows_where_domains_end_c10(name: str, registrable: str | None) -> None:
    if name.startswith("."):
        assert rule(name, name) is Rule.NO_HOST
        return
    above = f"www.{name}"
    if registrable is None:
        assert rule(above, name) is Rule.PUBLIC_SUFFIX
        # The host itself may have cookies, of its own alone.
        told = CookieJar().explain(f"a=1; Domain={name}", f"https://{name}/")
        assert told.rule is Rule.STORED
        assert told.cookie is not None
        assert told.cookie.host_only
        return
    domain = registrable
    assert rule(above, domain) is Rule.STORED
    while (domain := domain.partition(".")[2]) != "":
        assert rule(above, domain) is Rule.PUBLIC_SUFFIX, domain


def test_all_cases_are_read() -> None:
    assert len(cases()) == 77  # and the one that asks for nothing
    assert ascii_name("食狮.公司.cn") in {name for name, _ in cases()}
