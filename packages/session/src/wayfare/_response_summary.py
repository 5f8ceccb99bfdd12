"""What an error keeps of a response: of one that was followed, and of the one that it is about."""

from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from multidict import CIMultiDict, CIMultiDictProxy
from wayfare_http_core import ClientResponseError
from yarl import URL

if TYPE_CHECKING:
    from ._response import ClientResponse

__all__ = ("KEPT", "FollowedResponse", "error_of", "summarise")

Failure = TypeVar("Failure", bound=ClientResponseError)

KEPT: Final = 64 * 1024
"""Octets of the content that an error keeps, after decoding."""


class FollowedResponse(NamedTuple):
    """One response on the way to an error: data only, so that the error can be pickled and kept."""

    method: str
    url: URL
    """Without user info."""
    status: int
    reason: str
    pairs: tuple[tuple[str, str], ...]
    """The fields, in order."""

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """The fields, looked up in any case."""
        return CIMultiDictProxy(CIMultiDict(self.pairs))


def summarise(response: "ClientResponse") -> FollowedResponse:
    """The data of a response."""
    return FollowedResponse(
        response.method,
        response.url,
        response.status,
        response.reason,
        tuple(response.headers.items()),
    )


def error_of(response: "ClientResponse", kind: type[Failure], message: str) -> Failure:
    """An error of that class that tells of a response."""
    error = kind(
        response.request_info,
        tuple(summarise(one) for one in response.history),
        status=response.status,
        message=message,
        headers=response.headers,
    )
    error.body = response._beginning(KEPT)
    return error
