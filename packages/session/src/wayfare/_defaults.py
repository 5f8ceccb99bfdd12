"""What a session adds to each request of its own accord, and what its caller told it to."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any, final

from multidict import CIMultiDict, getversion, istr
from wayfare_http_core import FieldBlock

from ._version import __version__

__all__ = (
    "HeaderValue",
    "HeadersArgument",
    "SessionFields",
    "header_pairs",
    "merge_headers",
    "skipped_names",
)

HeaderValue = str | int | bytes
# A mapping whose keys are names of `hdrs` is none from str for a type checker: keys are invariant.
HeadersArgument = (
    Mapping[str, HeaderValue]
    | Mapping[istr, HeaderValue]
    | Iterable[tuple[str, HeaderValue]]
    | None
)

USER_AGENT = f"Python/{sys.version_info[0]}.{sys.version_info[1]} wayfare/{__version__}"
"""The User-Agent of a session that says none itself."""


def header_pairs(headers: HeadersArgument) -> list[tuple[str, HeaderValue]]:
    """What was given as headers, in order.

    Raises: TypeError for what is neither a mapping nor pairs.
    """
    if headers is None:
        return []
    if isinstance(headers, Mapping):
        return list(headers.items())
    pairs = None if isinstance(headers, str | bytes) else list(headers)
    # A str of two characters would unpack as well as a pair does.
    if pairs is None or any(isinstance(pair, str | bytes) or len(pair) != 2 for pair in pairs):
        raise TypeError("headers must be a mapping, or pairs of a name and a value")
    return pairs


def merge_headers(
    base: Iterable[tuple[str, str]], pairs: list[tuple[str, HeaderValue]]
) -> "CIMultiDict[object]":
    """The base fields with those given on top: a name that is given replaces all of the base's, several fields of
    one name all stay."""
    merged: CIMultiDict[object] = CIMultiDict(base)
    for name, _ in pairs:
        merged.popall(name, None)
    for name, value in pairs:
        merged.add(name, value)
    return merged


def skipped_names(names: Iterable[str] | None) -> frozenset[str]:
    """What was given as `skip_auto_headers`, in lower case.

    Raises: TypeError for a str, which is no list of names, and for what is no name.
    """
    if names is None:
        return frozenset()
    if isinstance(names, str | bytes):
        raise TypeError("skip_auto_headers must be several names, not one")
    return frozenset([name.lower() for name in names])


@final
class SessionFields:
    """The fields that a session's requests start from.

    `automatic` are the names of those that nobody asked for, in lower case. `skip` are the names of automatic fields
    that no request is to have.

    Raises: ValueError, TypeError for fields that cannot be sent.
    """

    __slots__ = ("_live", "_seen", "automatic", "block", "skip")

    def __init__(self, headers: HeadersArgument, *, decoding: bool, skip: frozenset[str]) -> None:
        """With `decoding` the content codings are offered that can be undone."""
        # Imported here: the codings load with the first session.
        from wayfare_http_core import ACCEPT_ENCODING

        base = (
            ("Accept", "*/*"),
            ("Accept-Encoding", ACCEPT_ENCODING if decoding else "identity"),
            ("User-Agent", USER_AGENT),
        )
        pairs = header_pairs(headers)
        given = {name.lower() for name, _ in pairs}
        wanted = [pair for pair in base if pair[0].lower() not in skip]
        self.skip = skip
        self.automatic = frozenset([name.lower() for name, _ in wanted]) - given
        self.block = FieldBlock(merge_headers(wanted, pairs))
        # (a multidict's version takes a multidict of any values, and its types do not say so)
        self._live: Any = None
        self._seen = 0

    @property
    def live(self) -> CIMultiDict[str]:
        """The fields to look at and to change; later requests start from what they are then."""
        if self._live is None:
            self._live = CIMultiDict(self.block.pairs)
            self._seen = getversion(self._live)
        live: CIMultiDict[str] = self._live
        return live

    def current(self) -> FieldBlock:
        """The fields as they are now.

        Raises: ValueError, TypeError where they were changed to something that cannot be sent.
        """
        live = self._live
        if live is not None and getversion(live) != self._seen:
            self.block = FieldBlock(live)
            self._seen = getversion(live)
        return self.block

    def without(self, skip: frozenset[str]) -> Iterable[tuple[str, str]]:
        """The fields, without those automatic ones."""
        pairs = self.current().pairs
        unwanted = skip & self.automatic
        if not unwanted:
            return pairs
        return [pair for pair in pairs if pair[0].lower() not in unwanted]
