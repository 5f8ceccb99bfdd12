"""The character sets of HTTP, under the names that RFC 9110 and RFC 9112 give them.

Everything here works on bytes or on ASCII-only patterns: `str.isdigit`, `\\d` and `int()` accept characters
and forms (`٣`, `1_0`, `+5`) that HTTP does not, and each of them was somebody's vulnerability.
"""

import re

__all__ = ("FIELD_CONTENT", "is_digits", "is_field_content", "is_token", "token_list")

# RFC 9110 section 5.6.2: tchar.
_TCHAR = r"!#$%&'*+\-.^_`|~0-9A-Za-z"
_TOKEN = re.compile(rf"[{_TCHAR}]+", re.ASCII)
_TOKEN_BYTES = re.compile(rf"[{_TCHAR}]+".encode("ascii"))

_CONTROLS = r"\x00-\x08\x0a-\x1f\x7f"  # but not HTAB
FIELD_CONTENT = rf"[^{_CONTROLS}]*"
"""A pattern: HTAB, SP, VCHAR and obs-text, what field values and reasons are made of (RFC 9110 section 5.5)."""
_CONTROL = re.compile(rf"[{_CONTROLS}]", re.ASCII)
_CONTROL_BYTES = re.compile(rf"[{_CONTROLS}]".encode("ascii"))
_DIGITS = re.compile(r"[0-9]+", re.ASCII)


def is_token(text: str | bytes) -> bool:
    """Whether the text is a token: a method, a field name, a coding (RFC 9110 section 5.6.2)."""
    if isinstance(text, str):
        return _TOKEN.fullmatch(text) is not None
    return _TOKEN_BYTES.fullmatch(text) is not None


def is_field_content(text: str | bytes) -> bool:
    """Whether the text holds no control character except HTAB, so that it cannot end a field line."""
    if isinstance(text, str):
        return _CONTROL.search(text) is None
    return _CONTROL_BYTES.search(text) is None


def is_digits(text: str) -> bool:
    """Whether the text is 1*DIGIT, ASCII digits only."""
    return _DIGITS.fullmatch(text) is not None


def token_list(values: "list[str] | tuple[str, ...]") -> list[str]:
    """The elements of a comma-separated list spread over field lines, ASCII lower case, empty ones dropped.

    RFC 9110 section 5.6.1.2 asks recipients to ignore empty elements. Only SP and HTAB are trimmed. A value with
    non-ASCII characters is kept as it is, since lower-casing could turn it into a known token (U+212A is `k`).
    """
    elements = []
    for value in values:
        for element in value.split(","):
            trimmed = element.strip(" \t")
            if trimmed:
                elements.append(trimmed.lower() if trimmed.isascii() else trimmed)
    return elements
