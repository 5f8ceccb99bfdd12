"""Quoted cookie values, for Python values on their way in and for Morsels on their way out.

The protocol knows no quoting (RFC 6265bis 5.6): what came from a server is sent back as it came.
But the grammar for servers (4.1.1) has no room for spaces, commas or semicolons, and Python's own
cookies write them in double quotes with octal escapes; an application that puts such a value into
a jar means that.
"""

import re

__all__ = ("quote", "unquote")

# cookie-value = *cookie-octet / ( DQUOTE *cookie-octet DQUOTE ), and octets over 0x7F, which every
# client passes.
_OCTET = r"[\x21\x23-\x2B\x2D-\x3A\x3C-\x5B\x5D-\x7E\x80-\U0010FFFF]*"
_PLAIN = re.compile(f'{_OCTET}|"{_OCTET}"')
_TO_ESCAPE = re.compile(r"[\x00-\x1F\x22\x2C\x3B\x5C\x7F]")
_ESCAPED = re.compile(r"\\(?:([0-3][0-7][0-7])|(.))", re.DOTALL)


def quote(value: str) -> str:
    """A value as a server may write it: unchanged where the grammar has it, else quoted and
    escaped.
    """
    if _PLAIN.fullmatch(value):
        return value
    return f'"{_TO_ESCAPE.sub(_escape, value)}"'


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    return "\\" + character if character in '"\\' else f"\\{ord(character):03o}"


def unquote(value: str) -> str:
    """The value that `quote`, or Python's http.cookies, put into quotes; any other value
    unchanged.
    """
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    return _ESCAPED.sub(_unescape, value[1:-1])


def _unescape(found: re.Match[str]) -> str:
    octal, character = found.groups()
    return character if octal is None else chr(int(octal, 8))
