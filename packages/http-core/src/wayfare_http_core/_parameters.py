"""Parameters of field values: tokens, quoted strings, RFC 8187 values and RFC 2231 continuations.

    parameters = *( OWS ";" OWS [ name "=" ( token / quoted-string ) ] )      RFC 9110 section 5.6.6
    ext-value  = charset "'" [ language ] "'" *( pct-encoded / attr-char )    RFC 8187 section 3.2.1

Reading goes in two steps, because fields differ in what they forgive. `scan_parameters` cuts the text once, in linear
time, and says of each parameter what is wrong with it; `resolve_parameters` keeps what it can and puts extended and
continued values under the name they stand for.
"""

import re
from binascii import unhexlify
from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from ._grammar import is_field_content, is_token
from ._list_field import tell

__all__ = (
    "MAX_PARAMETERS",
    "TOKEN",
    "Fault",
    "RawParameter",
    "ascii_lower",
    "decode_ext_value",
    "encode_ext_value",
    "format_parameter",
    "join_sections",
    "quote_string",
    "resolve_parameters",
    "scan_parameters",
    "unquote_pairs",
)

MAX_PARAMETERS = 64
"""The parameters that are read of one value. The longest file name of a file system, percent-encoded and continued
in lines of 78 characters, takes twelve."""

TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
"""RFC 9110 section 5.6.2, as a piece of a pattern; possessive, because no token is followed by one."""

_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_TO_ESCAPE = re.compile(r'["\\]')

# A parameter with all that stands before the next one; an unclosed quoted string takes the rest of the text.
# Groups: name, inside of a quoted string, its closing quote, what follows it or the whole of another value.
_QUOTED = r'"((?:[^"\\]|\\.)*+)("?)'
_PARAMETER = re.compile(rf";([^;=]*+)(?:=[ \t]*+(?:{_QUOTED})?([^;]*+))?", re.DOTALL)
_LIST_PARAMETER = re.compile(rf";([^;,=]*+)(?:=[ \t]*+(?:{_QUOTED})?([^;,]*+))?", re.DOTALL)

_EXTENDED_NAME = re.compile(r"([^*]+)\*(?:(0|[1-9][0-9]{0,2})(\*?))?", re.ASCII)
_EXT_VALUE = re.compile(r"([^']*+)'[A-Za-z0-9\-]*+'(.*+)", re.ASCII | re.DOTALL)
_PERCENT_ENCODED = re.compile(r"(?:[^%]|%[0-9A-Fa-f]{2})*+", re.ASCII | re.DOTALL)
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_NOT_ATTR_CHAR = re.compile(rb"[^!#$&+\-.^_`|~0-9A-Za-z]")
_LANGUAGE = re.compile(r"[A-Za-z0-9\-]*+", re.ASCII)

# Python's codecs include some that decompress, and some that are not encodings at all: a peer chooses among these.
# RFC 8187 section 3.2.1 wants UTF-8; the others are what the Encoding Standard lists and mail programs write.
_CHARSETS = {
    **dict.fromkeys(("utf-8", "utf8", ""), "utf-8"),
    **dict.fromkeys(("us-ascii", "ascii"), "ascii"),
    **dict.fromkeys(("iso-8859-1", "latin1", "latin-1"), "iso-8859-1"),
    **{f"iso-8859-{n}": f"iso-8859-{n}" for n in (2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)},
    **{f"windows-{n}": f"cp{n}" for n in (874, *range(1250, 1259))},
    **{name: name for name in ("koi8-r", "koi8-u", "gbk", "gb2312", "gb18030", "big5")},
    **{name: name for name in ("shift_jis", "euc-jp", "iso-2022-jp", "euc-kr")},
}


class Fault(Enum):
    """What is wrong with one parameter as it was sent."""

    EMPTY = "is empty"
    NAME = "has a name that is no token"
    NO_VALUE = "has no value"
    NO_TOKEN = "has a value that should be quoted"
    UNCLOSED = "has a quoted string without an end"
    TRAILING = "has text after its quoted string"
    TOO_MANY = f"is number {MAX_PARAMETERS + 1}, and no more are read"


class RawParameter(NamedTuple):
    """One parameter: its name in lower case, its value as far as it can be told, and what is wrong."""

    name: str
    value: str
    fault: Fault | None
    quoted: bool = False


def ascii_lower(text: str) -> str:
    """The text with A to Z in lower case and all else as it is: `str.lower` makes a `k` of U+212A (H24)."""
    return text.translate(_LOWER)


def unquote_pairs(text: str) -> str:
    """The inside of a quoted string, each quoted pair replaced by its character (RFC 9110 section 5.6.4)."""
    return _QUOTED_PAIR.sub(r"\1", text) if "\\" in text else text


def scan_parameters(
    text: str, position: int = 0, *, in_list: bool = False
) -> tuple[list[RawParameter], int]:
    """The parameters from a position on, the first `;` or the end of the text, and where they end.

    In a list a comma outside of quotes ends them. Never raises; takes linear time; keeps `MAX_PARAMETERS`.
    """
    pattern = _LIST_PARAMETER if in_list else _PARAMETER
    parameters: list[RawParameter] = []
    while (match := pattern.match(text, position)) is not None:
        position = match.end()
        if len(parameters) < MAX_PARAMETERS:
            parameters.append(_raw_parameter(match))
        elif len(parameters) == MAX_PARAMETERS:
            parameters.append(RawParameter("", "", Fault.TOO_MANY))
    return parameters, position


def _raw_parameter(match: re.Match[str]) -> RawParameter:
    name, quoted, closing, rest = match.groups()
    name = ascii_lower(name.strip(" \t"))
    if rest is None:
        return RawParameter(name, "", Fault.NO_VALUE if name else Fault.EMPTY)
    rest = rest.strip(" \t")
    if quoted is None:
        value, fault = rest, _fault_of_unquoted(rest)
    else:
        value, fault = unquote_pairs(quoted), None
        if not closing:
            fault = Fault.UNCLOSED
        elif rest:
            fault = Fault.TRAILING
    return RawParameter(name, value, fault if is_token(name) else Fault.NAME, quoted is not None)


def _fault_of_unquoted(value: str) -> Fault | None:
    if not value:
        return Fault.NO_VALUE
    return None if is_token(value) else Fault.NO_TOKEN


def resolve_parameters(
    parameters: Iterable[RawParameter], problems: list[str], *, values_needed: bool = True
) -> dict[str, list[str]]:
    """The values of each parameter in order, extended and continued ones decoded and under their plain names.

    `name*` wins over `name` by definition, and `name` over `name*0`, `name*1`, … Nothing else is taken for what it
    might mean: an extended value that cannot be decoded is left out, and `name` counts again. What is wrong is added
    to `problems`. A parameter without a value is left out unless `values_needed` is false.
    """
    values: dict[str, list[str]] = {}
    extended: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    for parameter in parameters:
        name, value, _, quoted = parameter
        if _unusable(parameter, problems, values_needed):
            continue
        if "*" not in name:
            values.setdefault(name, []).append(value)
            continue
        match = _EXTENDED_NAME.fullmatch(name)
        if match is None:
            tell(problems, "parameter {} is neither plain nor extended", name)
        elif match[2] is not None:
            found = sections.setdefault(match[1], {})
            # Y1: one to three digits of the pattern.
            found.setdefault(int(match[2]), (value, bool(match[3])))
        elif quoted:
            # Some readers decode it and some do not: which file a peer names must not depend on the reader.
            tell(problems, "parameter {} is quoted", name)
        elif match[1] in extended:
            tell(problems, "parameter {} is repeated", name)
        elif (decoded := decode_ext_value(value)) is None:
            tell(problems, "parameter {} cannot be decoded", name)
        else:
            extended[match[1]] = decoded
            values.setdefault(match[1], [])  # keeps the place of what is first
    values.update((name, [value]) for name, value in extended.items())
    for name, parts in sections.items():
        _add_continued(name, parts, values, problems)
    return values


def _unusable(parameter: RawParameter, problems: list[str], values_needed: bool) -> bool:
    """Whether to leave the parameter out; its fault becomes a problem, if the grammar does not allow it."""
    name, _, fault, _ = parameter
    if fault is None:
        return False
    if fault is Fault.EMPTY:
        return True
    if fault is Fault.NO_VALUE and not values_needed:
        return False
    tell(problems, f"parameter {{}} {fault.value}", name)
    return fault in (Fault.NAME, Fault.NO_VALUE, Fault.TOO_MANY)


def _add_continued(
    name: str,
    parts: dict[int, tuple[str, bool]],
    values: dict[str, list[str]],
    problems: list[str],
) -> None:
    if name in values:
        return
    joined = join_sections(parts)
    if joined is None:
        tell(problems, "the sections of parameter {} cannot be joined", name)
        return
    values[name] = [joined]
    if any(number not in parts for number in range(len(parts))):
        tell(problems, "a section of parameter {} is missing", name)


def join_sections(parts: dict[int, tuple[str, bool]]) -> str | None:
    """The value that was cut into numbered sections, each with whether it is percent-encoded (RFC 2231 section 3).

    Joined from section 0 up to the first missing one; None without section 0, and where it cannot be decoded. A
    character may be cut between two encoded sections, so that these are decoded together.
    """
    if 0 not in parts:
        return None
    charset = ""
    runs: list[tuple[str, bool]] = []
    for number in range(len(parts)):
        if number not in parts:
            break
        text, encoded = parts[number]
        if number == 0 and encoded:
            match = _EXT_VALUE.fullmatch(text)
            if match is None:
                return None
            charset, text = match.groups()
        if encoded and runs and runs[-1][1]:
            runs[-1] = (runs[-1][0] + text, True)
        else:
            runs.append((text, encoded))
    decoded = [_percent_decoded(text, charset) if encoded else text for text, encoded in runs]
    return None if None in decoded else "".join(text or "" for text in decoded)


def decode_ext_value(text: str) -> str | None:
    """The text of an extended value such as `UTF-8''na%C3%AFve.txt` (RFC 8187), its language dropped.

    None where it is malformed, where its charset is none of those that peers use, and where the octets are not of
    that charset. Characters that should have been encoded are taken as they are, within ASCII.
    """
    match = _EXT_VALUE.fullmatch(text)
    return None if match is None else _percent_decoded(match[2], match[1])


def _percent_decoded(text: str, charset: str) -> str | None:
    codec = _CHARSETS.get(ascii_lower(charset))
    if codec is None or not text.isascii() or _PERCENT_ENCODED.fullmatch(text) is None:
        return None
    octets = _PERCENT.sub(lambda match: unhexlify(match[1]), text.encode("ascii"))
    try:
        return octets.decode(codec)
    except UnicodeDecodeError:
        return None


def encode_ext_value(text: str, charset: str = "UTF-8", language: str = "") -> str:
    """An extended value that any field can hold, `UTF-8''na%C3%AFve.txt` (RFC 8187 section 3.2.1).

    Raises: ValueError for control characters, which no parameter should smuggle to whoever decodes it, for characters
    that the charset does not have, and for what is no charset or no language tag.
    """
    codec = _CHARSETS.get(ascii_lower(charset))
    if codec is None or not charset:
        raise ValueError(f"{charset!r} is no charset for a parameter")
    if _LANGUAGE.fullmatch(language) is None:
        raise ValueError(f"{language!r} is no language tag")
    _refuse_controls(text)
    try:
        octets = text.encode(codec)
    except UnicodeEncodeError as exc:
        raise ValueError(f"a parameter value has characters that {charset} has not") from exc
    encoded = _NOT_ATTR_CHAR.sub(lambda match: b"%%%02X" % ord(match[0]), octets)
    return f"{charset}'{language}'{encoded.decode('ascii')}"


def quote_string(text: str) -> str:
    """The text as a quoted string, with its quotes (RFC 9110 section 5.6.4).

    What is not ASCII stays as it is and goes out as UTF-8.

    Raises: ValueError for control characters except HTAB.
    """
    _refuse_controls(text)
    escaped = _TO_ESCAPE.sub(r"\\\g<0>", text)
    return f'"{escaped}"'


def format_parameter(name: str, value: str, *, extended: bool = True, quoted: bool = False) -> str:
    """`name=value` in the plainest form that can hold the value: a token, a quoted string, an extended value.

    `extended=False` is for fields that know no extended values, `quoted=True` for those where many recipients want
    quotes even for a token.

    Raises: ValueError for a name that is no plain token, for control characters, and for a value that needs a form
    which the field does not have.
    """
    if not is_token(name) or "*" in name:
        raise ValueError(f"{name!r} is no name of a parameter")
    if is_token(value) and not quoted:
        return f"{name}={value}"
    if value.isascii():
        return f"{name}={quote_string(value)}"
    if not extended:
        raise ValueError(f"parameter {name!r} can hold ASCII only")
    return f"{name}*={encode_ext_value(value)}"


def _refuse_controls(text: str) -> None:
    if not is_field_content(text):
        raise ValueError("a parameter value contains a control character")
