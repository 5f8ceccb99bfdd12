"""The keyword arguments of what writes files, typed once for all of them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypedDict

from ._options import RequestOptions

if TYPE_CHECKING:
    from ._partial_file import Checksum

__all__ = ("DownloadOptions", "SaveOptions", "split_options")


class SaveOptions(TypedDict, total=False):
    """What `ClientResponse.save` takes beside the path."""

    progress: Callable[[int, int | None], None] | None
    """Called with the octets that are in the file, and their number in all, or None where nobody knows it. What it
    raises ends the writing."""
    checksum: "Checksum | None"
    """An algorithm of `hashlib` and the hex digits that the file must have by it; else nothing has its name."""
    sha256: str | None
    """The hex digits of that algorithm."""
    fsync: bool
    """Whether to wait until the file, and its name, are on the disk."""


class DownloadOptions(RequestOptions, SaveOptions, total=False):
    """What `ClientSession.download` takes beside the URL and the path."""

    resume: bool
    """Whether what came of a download that failed or was cancelled is kept as `NAME.part`, for the next one to go on
    from there (the default), where the server vouches that it is the same file."""
    attempts: int
    """How often to try in all, 1 unless given: after a connection that failed or broke, a timeout, or a status that may
    pass, where the last attempt ended. The waits between are at least 1 s, and have a random part that doubles."""
    connections: int
    """How many parts of the file are fetched at once, where the server gives parts; 1 unless given. With more of them,
    nothing is kept of a download that fails."""
    compressed: bool
    """Whether the server may compress what it sends; it is decoded as for any request, and nothing is kept of a
    download that fails."""


def split_options(options: DownloadOptions) -> tuple[dict[str, Any], RequestOptions]:
    """The options of the download, and those of its requests."""
    request: Any = options.copy()
    own = {}
    for name in DownloadOptions.__annotations__.keys() - RequestOptions.__annotations__.keys():
        if name in request:
            own[name] = request.pop(name)
    return own, request
