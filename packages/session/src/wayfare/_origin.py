"""`Origin`: scheme, host and port, which credentials belong to whatever the way there is (D18, D19)."""

from typing import NamedTuple

from wayfare_connector import Target
from yarl import URL

from ._errors import NonHttpUrlClientError
from ._urls import join_url, prepare_url

__all__ = ("Origin", "read_origin")


class Origin(NamedTuple):
    """What two URLs have in common that may share credentials; ws and wss are http and https here."""

    is_ssl: bool
    host: str
    """As it is connected to: an A-label in lower case, or an address."""
    port: int

    @classmethod
    def of(cls, target: Target) -> "Origin":
        """That of a connection."""
        return cls(target.is_ssl, target.host, target.port)


def read_origin(origin: str | URL | None) -> Origin | None:
    """An origin from an absolute URL, whose path does not matter; None for None.

    Raises: ValueError for what is no URL with a host, TypeError for what is no URL at all.
    """
    if origin is None:
        return None
    url = join_url(None, origin)
    if url.raw_user is not None or url.raw_password is not None:
        raise ValueError("an origin has no user info")
    try:
        return Origin.of(prepare_url(url).target)
    except NonHttpUrlClientError:
        raise ValueError("an origin is a URL of http or https") from None
