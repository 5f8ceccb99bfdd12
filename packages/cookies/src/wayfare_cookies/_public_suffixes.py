"""The public suffix seam, and the list that stands behind it unless you bring your own."""

import sys
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Protocol, final

from ._match import is_numeric_host

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList as _List

__all__ = ("PublicSuffixList", "PublicSuffixes", "is_public_suffix", "site_of")


class PublicSuffixes(Protocol):
    """Knows under which domains unrelated people can register names."""

    def public_suffix(self, domain: str) -> str:
        """The public suffix of a domain: "co.uk" for "www.example.co.uk", and for "co.uk" itself.

        `domain` is a canonical host name: lower case, A-labels, no trailing dot, no IP address. A
        domain that no rule covers has its last label as its suffix (the list's default rule, "*").
        The answer must be cheap, and must not fail: a jar asks whenever a server sends a Domain
        attribute.
        """
        ...


@final
class PublicSuffixList(PublicSuffixes):
    """The list of publicsuffix.org, as the `publicsuffixlist` package carries it, private domains
    included.

    Private domains ("github.io") count because browsers count them: tenants of one are strangers
    to each other. The list is read (about 60 ms) when the first cookie asks, once for all
    instances; safe to use from several threads.
    """

    __slots__ = ()

    @override
    def public_suffix(self, domain: str) -> str:
        return _suffix(domain)


@lru_cache(maxsize=1024)
def _suffix(domain: str) -> str:
    # The package answers None for what it takes for no domain; such a name has no one to share cookies with.
    return _load().publicsuffix(domain) or domain


@cache
def _load() -> "_List":
    from publicsuffixlist import PublicSuffixList as Loaded

    return Loaded()


def is_public_suffix(domain: str, suffixes: PublicSuffixes) -> bool:
    """Whether a canonical domain is itself a public suffix; a trailing dot makes no difference."""
    stem = domain[:-1] if domain.endswith(".") else domain
    return suffixes.public_suffix(stem) == stem


def site_of(scheme: str, host: str, suffixes: PublicSuffixes) -> str:
    """The site of an origin, "https://example.com": its scheme and its registrable domain.

    An IP address and a host that is a public suffix are their own sites. Source: RFC 6265bis 5.2.
    """
    stem = host[:-1] if host.endswith(".") else host
    if is_numeric_host(host):
        return f"{scheme}://{host}"
    suffix = suffixes.public_suffix(stem)
    private = stem[: -len(suffix) - 1]
    label = private[private.rfind(".") + 1 :]
    site = f"{label}.{suffix}" if label else suffix
    return f"{scheme}://{site}{host[len(stem) :]}"
