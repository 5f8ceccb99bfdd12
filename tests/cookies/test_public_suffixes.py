"""C10: the public suffix list, by the cases that everyone who reads it has to get right."""

import pytest
from wayfare_cookies import PublicSuffixes, PublicSuffixList
from wayfare_cookies._public_suffixes import is_public_suffix, site_of

LIST = PublicSuffixList()


def registrable(domain: str) -> str | None:
    """The registrable domain, as the published cases ask for it."""
    if is_public_suffix(domain, LIST):
        return None
    return site_of("https", domain, LIST).removeprefix("https://")


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        # A top-level domain that the list does not have: the rule is "*".
        ("example", None),
        ("example.example", "example.example"),
        ("b.example.example", "example.example"),
        ("a.b.example.example", "example.example"),
        # One rule for the top-level domain.
        ("biz", None),
        ("domain.biz", "domain.biz"),
        ("b.domain.biz", "domain.biz"),
        ("a.b.domain.biz", "domain.biz"),
        # Rules of two labels beside it.
        ("com", None),
        ("example.com", "example.com"),
        ("b.example.com", "example.com"),
        ("a.b.example.com", "example.com"),
        ("uk.com", None),
        ("example.uk.com", "example.uk.com"),
        ("b.example.uk.com", "example.uk.com"),
        ("a.b.example.uk.com", "example.uk.com"),
        ("test.ac", "test.ac"),
        # A wildcard and nothing else.
        ("mm", None),
        ("c.mm", None),
        ("b.c.mm", "b.c.mm"),
        ("a.b.c.mm", "b.c.mm"),
        # Many kinds of rules under one name.
        ("jp", None),
        ("test.jp", "test.jp"),
        ("www.test.jp", "test.jp"),
        ("ac.jp", None),
        ("test.ac.jp", "test.ac.jp"),
        ("www.test.ac.jp", "test.ac.jp"),
        ("kyoto.jp", None),
        ("test.kyoto.jp", "test.kyoto.jp"),
        ("ide.kyoto.jp", None),
        ("b.ide.kyoto.jp", "b.ide.kyoto.jp"),
        ("a.b.ide.kyoto.jp", "b.ide.kyoto.jp"),
        ("c.kobe.jp", None),
        ("b.c.kobe.jp", "b.c.kobe.jp"),
        ("a.b.c.kobe.jp", "b.c.kobe.jp"),
        # Exceptions to wildcards.
        ("city.kobe.jp", "city.kobe.jp"),
        ("www.city.kobe.jp", "city.kobe.jp"),
        ("ck", None),
        ("test.ck", None),
        ("b.test.ck", "b.test.ck"),
        ("a.b.test.ck", "b.test.ck"),
        ("www.ck", "www.ck"),
        ("www.www.ck", "www.ck"),
        # K-12 in the United States.
        ("us", None),
        ("test.us", "test.us"),
        ("ak.us", None),
        ("test.ak.us", "test.ak.us"),
        ("k12.ak.us", None),
        ("test.k12.ak.us", "test.k12.ak.us"),
        ("www.test.k12.ak.us", "test.k12.ak.us"),
        # Internationalised names, as A-labels.
        ("xn--85x722f.com.cn", "xn--85x722f.com.cn"),
        ("xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"),
        ("www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"),
        ("shishi.xn--55qx5d.cn", "shishi.xn--55qx5d.cn"),
        ("xn--55qx5d.cn", None),
        ("xn--85x722f.xn--fiqs8s", "xn--85x722f.xn--fiqs8s"),
        ("www.xn--85x722f.xn--fiqs8s", "xn--85x722f.xn--fiqs8s"),
        ("xn--fiqs8s", None),
        # Private domains, whose tenants are strangers.
        ("github.io", None),
        ("tenant.github.io", "tenant.github.io"),
        ("a.tenant.github.io", "tenant.github.io"),
        # A trailing dot changes nothing about what is public.
        ("co.uk.", None),
        ("example.co.uk.", "example.co.uk."),
        ("www.example.co.uk.", "example.co.uk."),
        ("localhost", None),
    ],
)
def test_published_cases_c10(domain: str, expected: str | None) -> None:
    assert registrable(domain) == expected


@pytest.mark.parametrize(
    ("scheme", "host", "site"),
    [
        ("https", "www.example.com", "https://example.com"),
        ("http", "www.example.com", "http://example.com"),
        ("https", "co.uk", "https://co.uk"),
        ("https", "localhost", "https://localhost"),
        ("http", "127.0.0.1", "http://127.0.0.1"),
        ("http", "::1", "http://::1"),
    ],
)
def test_sites(scheme: str, host: str, site: str) -> None:
    assert site_of(scheme, host, LIST) == site


def test_a_name_that_the_list_cannot_read_is_its_own_suffix() -> None:
    assert LIST.public_suffix("a..b") == "a..b"


class Flat:
    """A list of one's own: it need not know this package's classes."""

    def public_suffix(self, domain: str) -> str:
        return domain.rpartition(".")[2]


def test_another_list_decides_otherwise() -> None:
    flat: PublicSuffixes = Flat()
    assert not is_public_suffix("co.uk", flat)
    assert is_public_suffix("uk", flat)
    assert site_of("https", "a.b.co.uk", flat) == "https://co.uk"
