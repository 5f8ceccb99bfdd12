"""What the cookie tests share: a scope made from a URL, and the policies to go with it."""

from collections.abc import Callable
from typing import Any

import pytest
from wayfare_cookies import Cookie, PublicSuffixList, Rule, SiteContext
from wayfare_cookies._parse import parse_set_cookie
from wayfare_cookies._policy import Policy, Scope, scope_of
from wayfare_cookies._storage import create_cookie
from yarl import URL

NOW = 1_800_000_000.0

Receive = Callable[..., Cookie | Rule]


@pytest.fixture
def now() -> float:
    """A moment in January 2027, in seconds since 1970."""
    return NOW


@pytest.fixture
def policy() -> Policy:
    """A jar's policy as it is by default."""
    return Policy(public_suffixes=PublicSuffixList())


@pytest.fixture
def scope() -> Callable[[str], Scope]:
    """Makes the scope of a URL."""

    def make(url: str, **policy: Any) -> Scope:
        found = scope_of(URL(url), Policy(public_suffixes=PublicSuffixList(), **policy))
        assert found is not None
        return found

    return make


@pytest.fixture
def receive(scope: Callable[..., Scope]) -> Receive:
    """Runs one Set-Cookie field through the parser and the storage steps."""

    def run(
        field: str,
        url: str = "https://www.example.com/dir/page",
        *,
        context: SiteContext | None = None,
        **policy: Any,
    ) -> Cookie | Rule:
        parsed = parse_set_cookie(field)
        if isinstance(parsed, Rule):
            return parsed
        chosen = Policy(public_suffixes=PublicSuffixList(), **policy)
        where = scope(url, **policy)
        return create_cookie(parsed, where, now=NOW, policy=chosen, context=context)

    return run
