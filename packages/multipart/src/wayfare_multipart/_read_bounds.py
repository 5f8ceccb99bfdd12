"""How much of a part may be collected in memory."""

import sys
from typing import NamedTuple

__all__ = ("DEFAULT_READ_BOUNDS", "ReadBounds")


class ReadBounds(NamedTuple):
    """Octets that a part may have where it is read whole, and the error for more; it gets the number."""

    size: int = sys.maxsize
    error: type[Exception] = ValueError

    def check(self, size: int) -> None:
        """Raise the error for a size that is too large."""
        if size > self.size:
            raise self.error(self.size)


DEFAULT_READ_BOUNDS = ReadBounds()
