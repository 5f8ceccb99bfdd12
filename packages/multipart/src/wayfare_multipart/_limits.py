"""The bounds on what a multipart body may hold. None of them is a rule of the format."""

from typing import NamedTuple

__all__ = ("DEFAULT_MULTIPART_LIMITS", "MultipartLimits")


class MultipartLimits(NamedTuple):
    """Bounds on a multipart body, so that a hostile one gets an error and no memory (M9, M10, M15).

    `parts` counts the parts of one body, `head` the octets of a part's header section, `fields` its field lines, and
    `depth` the bodies within bodies: 1 is a body whose parts are no multipart bodies. None is no limit, except that
    heads have one always.
    """

    parts: int | None = 1000
    head: int = 8 * 1024
    fields: int = 64
    depth: int | None = 8


DEFAULT_MULTIPART_LIMITS = MultipartLimits()
"""The limits of a reader unless others are given."""
