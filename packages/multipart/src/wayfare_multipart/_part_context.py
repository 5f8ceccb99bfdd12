"""What a part is told of the body that it stands in."""

import sys
from typing import NamedTuple

__all__ = ("DEFAULT_PART_CONTEXT", "PartContext")


class PartContext(NamedTuple):
    """What the parts of a body have in common.

    `form_data` says that the body is a form, and `charset` is the one that the form names for its fields. `max_size`
    bounds the octets of a part that is read whole; the error for more gets that number.
    """

    form_data: bool = False
    charset: str | None = None
    max_size: int = sys.maxsize
    max_size_error: type[Exception] = ValueError

    def check(self, size: int) -> None:
        """Raise the error for a part of so many octets, if they are too many."""
        if size > self.max_size:
            raise self.max_size_error(self.max_size)


DEFAULT_PART_CONTEXT = PartContext()
