"""What a field line says, and a memory for lines that servers send over and over.

Most lines of a response stood in the one before it, on every connection to every server: `Connection: keep-alive`,
a Server, this second's Date. So lines and names that were checked once are kept. Both memories are bounded, and a
hostile peer can make them useless but not large. Lines are kept of those fields alone that are known to repeat and to
say nothing of the user: a cookie, a token in a link or the tag of a private page does not outlive its response.
"""

from multidict import istr

from . import hdrs
from ._grammar import is_field_content, is_token

__all__ = ("read_field_lines",)

_MAX_LINES = 1024
_MAX_LINE = 128
_MAX_NAMES = 1024
_MAX_NAME = 64

_REGISTERED = [value for value in vars(hdrs).values() if isinstance(value, istr)]

# Names in the case they came in, checked, and with the case-folded form that the multidict would compute.
_names: dict[str, istr] = {}
for _name in _REGISTERED:
    _names[str(_name)] = _name
    _names[_name.lower()] = istr(_name.lower())

_LASTING = frozenset(
    spelling
    for name in (
        hdrs.ACCEPT_RANGES,
        hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS,
        hdrs.ACCESS_CONTROL_ALLOW_HEADERS,
        hdrs.ACCESS_CONTROL_ALLOW_METHODS,
        hdrs.ACCESS_CONTROL_ALLOW_ORIGIN,
        hdrs.ACCESS_CONTROL_EXPOSE_HEADERS,
        hdrs.ACCESS_CONTROL_MAX_AGE,
        hdrs.AGE,
        hdrs.ALLOW,
        hdrs.ALT_SVC,
        hdrs.CACHE_CONTROL,
        hdrs.CONNECTION,
        hdrs.CONTENT_ENCODING,
        hdrs.CONTENT_LANGUAGE,
        hdrs.CONTENT_LENGTH,
        hdrs.CONTENT_TYPE,
        hdrs.CROSS_ORIGIN_RESOURCE_POLICY,
        hdrs.DATE,
        hdrs.EXPIRES,
        hdrs.KEEP_ALIVE,
        hdrs.LAST_MODIFIED,
        hdrs.PRAGMA,
        hdrs.REFERRER_POLICY,
        hdrs.SERVER,
        hdrs.STRICT_TRANSPORT_SECURITY,
        hdrs.TRANSFER_ENCODING,
        hdrs.VARY,
        hdrs.VIA,
        hdrs.X_CONTENT_TYPE_OPTIONS,
        hdrs.X_FRAME_OPTIONS,
    )
    for spelling in (str(name), name.lower())
)
"""Names whose lines are kept, in the spellings that servers use. A name is added when its values are shared by many
responses and can carry neither a secret nor a mark of the user (so no ETag, no Location, no nonce of a policy)."""

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
