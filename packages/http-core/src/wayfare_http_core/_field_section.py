"""Fields without a start line: of a trailer, of a part of a multipart body."""

from multidict import CIMultiDict, CIMultiDictProxy

from ._errors import BadHttpMessage
from ._field_lines import read_field_lines
from ._head_parser import parse_fields
from ._limits import DEFAULT_HEAD_LIMITS, HeadLimits

__all__ = ("parse_field_section",)


def parse_field_section(
    section: bytes, limits: HeadLimits = DEFAULT_HEAD_LIMITS
) -> CIMultiDictProxy[str]:
    """The fields of a section of lines, each of which but the last ends in CRLF; none for no octets.

    A folded line is joined with one SP. Values that are not UTF-8 keep their octets as lone surrogates. Of the limits,
    `head`, `fields` and `field_line` count.

    Raises: `InvalidHeader` for a line that is no field, control characters and bare line feeds included, `LineTooLong`,
    and `BadHttpMessage` for too many fields or octets.
    """
    if not section:
        return CIMultiDictProxy(CIMultiDict())
    if len(section) <= limits.head and len(section) <= limits.field_line:
        lines = section.decode("utf-8", "surrogateescape").split("\r\n")
        if len(lines) <= limits.fields:
            fields = read_field_lines(lines)
            if fields is not None:
                return CIMultiDictProxy(CIMultiDict(fields))
    return _read_carefully(section, limits)


def _read_carefully(section: bytes, limits: HeadLimits) -> CIMultiDictProxy[str]:
    if len(section) > limits.head:
        raise BadHttpMessage(f"the fields have more than {limits.head} octets")
    return CIMultiDictProxy(
        CIMultiDict(
            (name.decode("ascii"), value.decode("utf-8", "surrogateescape"))
            for name, value in parse_fields(section.split(b"\r\n"), limits)
        )
    )
