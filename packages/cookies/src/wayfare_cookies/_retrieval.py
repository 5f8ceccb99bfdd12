"""Which stored cookies go with a request: RFC 6265bis section 5.8.3, as pure functions."""

from ._cookie import Cookie, SameSite
from ._match import path_match
from ._policy import Policy, Scope, SiteContext
from ._rules import Rule

__all__ = ("withheld",)


def withheld(
    cookie: Cookie, scope: Scope, now: float, policy: Policy, context: SiteContext | None
) -> Rule | None:
    """Why a cookie of one of the host's domains (`Scope.domains`) is not sent with a request; None when it is.

    Source: RFC 6265bis 5.8.3 step 1.
    """
    if cookie.expires is not None and cookie.expires <= now:
        return Rule.EXPIRED
    if cookie.host_only and cookie.domain != scope.host:
        return Rule.OTHER_HOST
    if cookie.path != "/" and not path_match(scope.path, cookie.path):
        return Rule.OTHER_PATH
    if cookie.secure and not scope.secure:
        return Rule.NEEDS_SECURE
    if cookie.partition_key is not None and cookie.partition_key != policy.partition(
        scope, context
    ):
        return Rule.OTHER_PARTITION
    if (
        context is not None
        and cookie.same_site is not SameSite.NONE
        and not policy.same_site(scope, context)
        and not _lax_exception(cookie, context)
    ):
        return Rule.CROSS_SITE_REQUEST
    return None


def _lax_exception(cookie: Cookie, context: SiteContext) -> bool:
    """A cross-site request that a Lax cookie goes with: a top-level navigation by a safe method."""
    return cookie.same_site is not SameSite.STRICT and context.navigation and context.safe
