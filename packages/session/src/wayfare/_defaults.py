"""What a session adds to each request of its own accord."""

import sys
from collections.abc import Iterable, Mapping

from multidict import CIMultiDict
from wayfare_http_core import FieldBlock

from ._version import __version__

__all__ = ("HeadersArgument", "default_fields", "merge_headers")

HeadersArgument = Mapping[str, str | int | bytes] | Iterable[tuple[str, str | int | bytes]] | None

USER_AGENT = f"Python/{sys.version_info[0]}.{sys.version_info[1]} wayfare/{__version__}"


def _pairs(headers: HeadersArgument) -> list[tuple[str, object]]:
    if headers is None:
        return []
    return list(headers.items() if isinstance(headers, Mapping) else headers)


def merge_headers(
    base: Iterable[tuple[str, str]], headers: HeadersArgument
) -> "CIMultiDict[object]":
    """The base fields with those given on top: a name that is given replaces all of the base's, several fields of
    one name all stay."""
    pairs = _pairs(headers)
    merged: CIMultiDict[object] = CIMultiDict(base)
    for name, _ in pairs:
        merged.popall(name, None)
    for name, value in pairs:
        merged.add(name, value)
    return merged


def default_fields(headers: HeadersArgument, *, decoding: bool) -> FieldBlock:
    """A session's default fields: Accept, Accept-Encoding and User-Agent, and what its caller gave.

    With `decoding` the content codings are offered that can be undone.

    Raises: ValueError, TypeError for fields that cannot be sent.
    """
    # Imported here: the codings load with the first session.
    from wayfare_http_core import ACCEPT_ENCODING

    base = (
        ("Accept", "*/*"),
        ("Accept-Encoding", ACCEPT_ENCODING if decoding else "identity"),
        ("User-Agent", USER_AGENT),
    )
    return FieldBlock(merge_headers(base, headers))
