"""How stores write down identities and cookies: as lines of JSON."""

import json

from ._cookie import Cookie, Identity
from ._errors import CookieFormatError, StoreUnavailableError
from ._store import Change

__all__ = ("FORGET_AFTER", "purge_time", "read_change", "write_cookie", "write_identity")

FORGET_AFTER = 30 * 86_400.0
"""Seconds for which a store remembers a removal. A jar that stays away longer reads the store anew."""


def write_identity(identity: Identity) -> str:
    """An identity as one line of ASCII, the same each time."""
    return json.dumps(list(identity))


def write_cookie(cookie: Cookie | None) -> str:
    """A cookie as one line of ASCII; "" for one that was removed."""
    return "" if cookie is None else json.dumps(cookie.to_json())


def read_change(identity: str, cookie: str) -> Change:
    """What a store kept, as the change that it answers.

    Raises:
        StoreUnavailableError: something else wrote there, or a later version did.
    """
    try:
        if cookie:
            found = Cookie.from_json(json.loads(cookie))
            return Change(found.identity, found)
        name, domain, host_only, path, partition_key = json.loads(identity)
        return Change(Identity(name, domain, host_only, path, partition_key), None)
    except (CookieFormatError, ValueError, TypeError) as error:
        raise StoreUnavailableError("the store holds a record that cannot be read") from error


def purge_time(change: Change, stamp: float, forget_after: float) -> float | None:
    """When a record may be forgotten: some time after its cookie was removed or has expired; None for never."""
    if change.cookie is None:
        return stamp + forget_after
    if change.cookie.expires is None:
        return None
    return max(stamp, change.cookie.expires) + forget_after
