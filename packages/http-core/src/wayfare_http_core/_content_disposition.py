"""Content-Disposition: how content wants to be presented, and under which file name (RFC 6266, RFC 7578).

`ContentDisposition.parse` reads what can be read and says what could not. `parse_content_disposition` and
`content_disposition_filename` are stricter and older: they leave out a field that breaks the grammar, with a warning.
"""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import final

from ._grammar import is_field_content, is_token
from ._list_field import excerpt, tell
from ._parameters import (
    Fault,
    RawParameter,
    ascii_lower,
    decode_ext_value,
    encode_ext_value,
    join_sections,
    quote_string,
    resolve_parameters,
    scan_parameters,
)

__all__ = (
    "BadContentDispositionHeader",
    "BadContentDispositionParam",
    "ContentDisposition",
    "content_disposition_filename",
    "content_disposition_header",
    "parse_content_disposition",
)

# What nearly all fields are: a name and a file name in quotes, with no quoted pair and no octet that is not UTF-8.
_PLAIN = r'"([^"\\\ud800-\udfff]*+)"'
_USUAL = re.compile(rf"([a-z][a-z-]*+)(?:; ?name={_PLAIN})?(?:; ?filename={_PLAIN})?", re.ASCII)
_CONTINUED_NAME = re.compile(r"[^*]+\*[0-9]{1,3}\*?", re.ASCII)
_SECTION = re.compile(r"(0|[1-9][0-9]{0,2})(\*?)", re.ASCII)
_LATIN1_OCTETS = {0xDC00 + octet: octet for octet in range(0x80, 0x100)}
_LEADING_SEPARATORS = "\\/"
# Not `%`: the Living Standard leaves it, so that a name with `%22` and one with `"` cannot be told apart. So be it.
_FORM_DATA_ESCAPES = {ord('"'): "%22", ord("\r"): "%0D", ord("\n"): "%0A"}


class BadContentDispositionHeader(RuntimeWarning):
    """A Content-Disposition field breaks the grammar."""


class BadContentDispositionParam(RuntimeWarning):
    """A parameter of a Content-Disposition field is malformed and left out."""


@final
@dataclass(frozen=True, slots=True)
class ContentDisposition:
    """What a Content-Disposition field says.

    `type` is in lower case, None where the field does not begin with one. `parameters` has the decoded values under
    plain names in lower case. `filename` is what the peer sent, **never to be used as a path**: `safe_filename` makes
    a name of it. `problems` says what could not be read; it is no part of the value when two are compared.
    """

    type: str | None
    parameters: Mapping[str, str] = field(default_factory=dict)
    filename: str | None = None
    problems: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))

    @classmethod
    def parse(cls, value: str) -> "ContentDisposition":
        """The disposition in a field value. Never raises.

        Of `name` and `name*` the latter wins (RFC 6266 section 4.3); of a repeated parameter the first. An unquoted
        value may have spaces, since many servers write file names so. Octets that are not UTF-8 are ISO-8859-1, as
        they were when HTTP began.
        """
        usual = _USUAL.fullmatch(value)
        if usual is None:
            return cls._read(value)
        type_, name, filename = usual.groups()
        parameters = {}
        if name is not None:
            parameters["name"] = name
        if filename is not None:
            parameters["filename"] = filename
        return cls(type_, parameters, filename)

    @classmethod
    def _read(cls, value: str) -> "ContentDisposition":
        problems: list[str] = []
        value = _with_latin1(value, problems)
        type_, raw = _scan(value)
        if type_ is None:
            tell(problems, "{} does not begin with a disposition type", value)
            return cls(None, problems=tuple(problems))
        resolved = resolve_parameters(raw, problems)
        parameters = {name: values[0] for name, values in resolved.items()}
        for name, values in resolved.items():
            if len(values) > 1:
                tell(problems, "parameter {} is repeated", name)
        return cls(type_, parameters, parameters.get("filename"), tuple(problems))


def _scan(value: str) -> tuple[str | None, list[RawParameter]]:
    """The type in lower case, None if there is none, and the parameters as they were sent."""
    type_ = value.partition(";")[0]
    trimmed = type_.strip(" \t")
    if not is_token(trimmed):
        return None, []
    return ascii_lower(trimmed), scan_parameters(value, len(type_))[0]


def _with_latin1(value: str, problems: list[str]) -> str:
    """Field values are read as UTF-8, and octets that are none as lone surrogates: those are ISO-8859-1."""
    if value.isascii() or (repaired := value.translate(_LATIN1_OCTETS)) == value:
        return value
    problems.append("octets that are not UTF-8 are read as ISO-8859-1")
    return repaired


def parse_content_disposition(header: str | None) -> tuple[str | None, dict[str, str]]:
    """The disposition type in lower case and the parameters of a field value; `(None, {})` where there is none.

    Names are in lower case and as they were sent: `filename*` has its value decoded, `filename*0` and `filename*0*`
    are for `content_disposition_filename`. Separators of paths at the beginning of a value are left out, so that
    joining it to a directory does not leave that directory at once; `safe_filename` does more.

    Never raises. A field that breaks the grammar gives `(None, {})` and warns with `BadContentDispositionHeader`; a
    malformed name, extended value or section is left out with `BadContentDispositionParam`.
    """
    if not header:
        return None, {}
    type_, raw = _scan(header)
    parameters: dict[str, str] = {}
    broken = type_ is None
    for parameter in raw:
        name, _, fault, _ = parameter
        if fault is Fault.EMPTY and parameter is raw[-1]:
            # RFC 6266 has no empty parameters, but a semicolon at the end is all too common.
            _warn(BadContentDispositionHeader, header)
        elif fault is Fault.NAME:
            _warn(BadContentDispositionParam, name)
        elif fault is Fault.TOO_MANY or name in parameters:
            broken = True
        elif "*" not in name:
            broken = broken or fault is not None
            parameters[name] = parameter.value.lstrip(_LEADING_SEPARATORS)
        elif (value := _extended_value(parameter)) is not None:
            parameters[name] = value
        else:
            _warn(BadContentDispositionParam, name)
    if broken:
        _warn(BadContentDispositionHeader, header)
        return None, {}
    return type_, parameters


def _extended_value(parameter: RawParameter) -> str | None:
    """The value of `name*`, decoded, or that of `name*0` or `name*0*`, as it is; None where it is malformed."""
    name, value, fault, quoted = parameter
    if fault is not None:
        return None
    if _CONTINUED_NAME.fullmatch(name) is not None:
        return value
    return decode_ext_value(value) if name.endswith("*") and not quoted else None


def _warn(category: type[RuntimeWarning], about: str) -> None:
    # The caller of the public function is two frames up.
    warnings.warn(category(excerpt(about)), stacklevel=3)


def content_disposition_filename(params: Mapping[str, str], name: str = "filename") -> str | None:
    """The file name, or another parameter, of what `parse_content_disposition` gave; None if there is none.

    `filename*` wins over `filename`, and that over `filename*0`, `filename*1`, … (RFC 2231 section 3), which are
    joined up to the first missing one and decoded. Never raises. What it returns is no path: see `safe_filename`.
    """
    if f"{name}*" in params:
        return params[f"{name}*"]
    if name in params:
        return params[name]
    sections: dict[int, tuple[str, bool]] = {}
    for key, value in params.items():
        if key.startswith(f"{name}*") and (match := _SECTION.fullmatch(key, len(name) + 1)):
            sections.setdefault(int(match[1]), (value, bool(match[2])))
    return join_sections(sections)


def content_disposition_header(
    disptype: str, quote_fields: bool = True, _charset: str = "utf-8", **params: str
) -> str:
    """The value of a Content-Disposition field with these parameters, in this order.

    In `form-data` a value is quoted as browsers do it: `"`, CR and LF become `%22`, `%0D` and `%0A`, all else stays
    and goes out as UTF-8, whatever the charset (rule M1; RFC 7578 section 4.2). In any other disposition a value is a
    quoted string if it is ASCII, else an extended value in that charset under `name*` (RFC 6266 section 4.3). With
    `quote_fields=False` every value is a quoted string with backslashes where they are needed.

    Raises: ValueError for a type or a name that is no token, for a value with control characters, and for one that
    has no representation in the charset.
    """
    if not is_token(disptype):
        raise ValueError(f"{disptype!r} is no disposition type")
    form_data = ascii_lower(disptype) == "form-data"
    parts = [disptype]
    for name, value in params.items():
        if not is_token(name) or "*" in name:
            raise ValueError(f"{name!r} is no name of a parameter")
        if not quote_fields:
            parts.append(f"{name}={quote_string(value)}")
        elif form_data:
            parts.append(f"{name}={_form_data_quoted(value)}")
        elif value.isascii():
            parts.append(f"{name}={quote_string(value)}")
        else:
            parts.append(f"{name}*={encode_ext_value(value, _charset)}")
    return "; ".join(parts)


def _form_data_quoted(value: str) -> str:
    escaped = value.translate(_FORM_DATA_ESCAPES)
    if not is_field_content(escaped):
        raise ValueError("a parameter value contains a control character")
    return f'"{escaped}"'
