"""What a field line says, and a memory for lines that servers send over and over.

Most lines of a response stood in the one before it, on every connection to every server: `Connection: keep-alive`,
a Server, this second's Date. So lines and names that were checked once are kept. Both memories are bounded, lines
of fields that may hold secrets are never kept, and a hostile peer can make them useless but not large.
"""

from multidict import istr

from . import hdrs
from ._grammar import is_field_content, is_token

__all__ = ("read_field_lines",)

_MAX_LINES = 1024
_MAX_LINE = 128
_MAX_NAMES = 1024
_MAX_NAME = 64

_PRIVATE = frozenset(
    (
        hdrs.AUTHENTICATION_INFO,
        hdrs.LOCATION,
        hdrs.PROXY_AUTHENTICATE,
        hdrs.PROXY_AUTHENTICATION_INFO,
        hdrs.SET_COOKIE,
        hdrs.WWW_AUTHENTICATE,
    )
)
_REGISTERED = [value for value in vars(hdrs).values() if isinstance(value, istr)]

# Names in the case they came in, checked, and with the case-folded form that the multidict would compute.
_names: dict[str, istr] = {}
for _name in _REGISTERED:
    _names[str(_name)] = _name
    _names[_name.lower()] = istr(_name.lower())

_LASTING = _names.keys() - {str(name) for name in _PRIVATE} - {name.lower() for name in _PRIVATE}
"""Names whose lines are kept: registered ones, and none of those that carry what is private."""

_lines: dict[str, tuple[str, str]] = {}


def read_field_lines(lines: list[str]) -> list[tuple[str, str]] | None:
    """Name and value of each field line, or None as soon as one is not plainly valid.

    A folded line is never plain, and neither is one with a control character.
    """
    fields = list(map(_lines.get, lines))
    if all(fields):
        return fields  # type: ignore[return-value]  # mypy does not know what `all` rules out
    for index, field in enumerate(fields):
        if field is None:
            fields[index] = field = _read(lines[index])
            if field is None:
                return None
    return fields  # type: ignore[return-value]  # as above


def _read(line: str) -> tuple[str, str] | None:
    name, colon, value = line.partition(":")
    key = _names.get(name)
    if key is None:
        if not is_token(name):
            return None
        key = _learn(name)
    # What is ASCII and printable holds no control character; only the rest is worth a search.
    if not colon or not ((line.isascii() and line.isprintable()) or is_field_content(value)):
        return None
    field = (key, value.strip(" \t"))
    if name in _LASTING and len(line) <= _MAX_LINE:
        if len(_lines) >= _MAX_LINES:
            _lines.clear()
        _lines[line] = field
    return field


def _learn(name: str) -> istr:
    key = istr(name)
    if len(name) <= _MAX_NAME and len(_names) < _MAX_NAMES:
        _names[name] = key
    return key
