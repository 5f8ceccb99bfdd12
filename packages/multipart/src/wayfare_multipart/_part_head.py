"""The head of a part: its field section, made into fields when somebody looks at them."""

import re
from collections.abc import Mapping
from typing import Final, final

from wayfare_http_core import DEFAULT_HEAD_LIMITS, HeadLimits, parse_field_section

__all__ = ("PartHead", "are_plain")

# A name, a colon and no control characters, and no line folded: what `parse_field_section` never refuses. Printable
# ASCII comes first: a single range is passed over much faster than several. Possessive: one pass, whatever the text is.
_PLAIN_LINES: Final = re.compile(
    rb"(?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[ -~]*+[ -~\t\x80-\xff]*+)*+"
)


def are_plain(lines: bytes) -> bool:
    """Whether field lines, each with a line end before it, are valid and need no closer look."""
    return _PLAIN_LINES.fullmatch(lines) is not None


@final
class PartHead:
    """A part begins; `fields` are those of its header section, which is given without its last line end.

    Reading a section takes as long as all else that is done with a small part, and many a caller needs few of them.
    """

    __slots__ = ("_fields", "_limits", "_section")

    def __init__(self, section: bytes, limits: HeadLimits = DEFAULT_HEAD_LIMITS) -> None:
        self._section = section
        self._limits = limits
        self._fields: Mapping[str, str] | None = None

    def read(self) -> Mapping[str, str]:
        """The fields, read now where they were not.

        Raises: as `wayfare_http_core.parse_field_section`; for a head that a `MultipartParser` gave, nothing.
        """
        if self._fields is None:
            self._fields = parse_field_section(self._section, self._limits)
        return self._fields

    @property
    def fields(self) -> Mapping[str, str]:
        """Names and values."""
        return self._fields or self.read()

    @property
    def has_parts(self) -> bool:
        """Whether the part is a multipart body itself."""
        # Nearly every part has none, and the octets say so sooner than its fields.
        if self._section.lower().find(b"multipart/") < 0:
            return False
        return self.fields.get("Content-Type", "")[:10].lower() == "multipart/"

    def __repr__(self) -> str:
        return f"<PartHead, {len(self.fields)} fields>"
