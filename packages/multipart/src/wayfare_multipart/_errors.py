"""What this package raises.

MultipartError (ValueError)
├── PayloadSizeError       content became shorter or longer while it was written
├── BoundaryError          a boundary that is missing, or is none
├── PartHeadError          the fields of a part cannot be read
├── PartEncodingError      an encoding of a part is corrupt, or not known
├── BodyTruncatedError     a body ended before its end
└── MultipartLimitError    a body holds more than it may
"""

__all__ = (
    "BodyTruncatedError",
    "BoundaryError",
    "MultipartError",
    "MultipartLimitError",
    "PartEncodingError",
    "PartHeadError",
    "PayloadSizeError",
)


class MultipartError(ValueError):
    """The root of this package's errors: a body that cannot be written, or cannot be read."""


class PayloadSizeError(MultipartError):
    """Content is shorter or longer than it was when its length was told: what was sent of it is no message.

    `expected` octets were told; `found` is how many there were when the difference was noticed.
    """

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(expected, found)
        self.expected = expected
        self.found = found

    def __str__(self) -> str:
        if self.found < self.expected:
            return f"the content ended after {self.found} of {self.expected} octets"
        return f"the content has more than the {self.expected} octets that it had"


class BoundaryError(MultipartError):
    """A boundary is missing where there must be one, or is none."""


class PartHeadError(MultipartError):
    """The fields of a part cannot be read."""


class BodyTruncatedError(MultipartError):
    """A body ended before its closing delimiter: its last part may be cut short."""


class MultipartLimitError(MultipartError):
    """A body holds more of `what` than `limit`, which the application allows."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(what, limit)
        self.what = what
        self.limit = limit

    def __str__(self) -> str:
        return f"more than {self.limit} {self.what}"


class PartEncodingError(MultipartError):
    """An encoding of a part's content is corrupt, truncated, or not known."""
