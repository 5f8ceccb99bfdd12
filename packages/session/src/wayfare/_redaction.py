"""`Redaction`: taking secrets out of what is shown or kept, such as logs, commands and recordings (Y10).

What a secret is, names tell: the words that keep a field from going to another origin, and some more. Content
that is not JSON, no form and has no parts has no names, and stays as it is.
"""

import enum
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, final
from urllib.parse import parse_qsl, unquote_plus, urlencode

from ._redirects import HARMLESS, is_sensitive

__all__ = ("REDACTED", "ContentKind", "Redaction", "content_kind")

REDACTED: Final = "***"
"""What stands in the place of a secret, unless something else is asked for."""

# A name ends where another one may begin: else many question marks would be read from each of them to the end.
_PARAMETER = re.compile(r"([?&;#])([^?=&;#\s<>\"]++)=([^&;#\s<>\"]*)", re.ASCII)
_USER_INFO = re.compile(r"(?<=//)[^/?#\s]*@", re.ASCII)
_MEMBER = re.compile(
    r"""
    "(?P<name> (?: [^"\\] | \\. )*+ ) (?: " | \\?\Z )
    (?: \s*+ : \s*+ (?P<value>
        [\[{] | " (?: [^"\\] | \\. )*+ (?: " | \\?\Z ) | (?! (?: true | false | null ) \b ) [^\s,\]}"]++
    ) )?+
    """,
    re.ASCII | re.DOTALL | re.VERBOSE,
)
"""A string in JSON, and the value that it is the name of, as far as that can be told without reading all of it."""
_ALSO: Final = frozenset(
    ("assertion", "otp", "pass", "passcode", "passphrase", "pwd", "sig", "verifier")
)
"""Words that name secrets in parameters and in JSON: signed URLs, OAuth. As fields of requests they are not known."""
_ENDS: Final = (
    "accesskey",
    "apikey",
    "passwd",
    "password",
    "secret",
    "sessid",
    "sessionid",
    "token",
)
"""What such words end with where nothing sets their parts apart: `accesstoken`, `PHPSESSID`."""
_WORD = re.compile(r"[a-z0-9]+", re.ASCII)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])", re.ASCII)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9-]*) +\S", re.ASCII)
_COOKIES: Final = {
    "cookie": re.compile(r"(?:(?<=^)|(?<=;))( *(?:[^=;]*=)?)[^;]+", re.ASCII),
    "set-cookie": re.compile(r"^( *(?:[^=;]*=)?)[^;]+", re.ASCII),
}
"""What comes before each value, and the value."""
_OF_REFERENCES: Final = frozenset(("content-location", "link", "location", "referer", "refresh"))
_JSON: Final = frozenset(("application/json", "text/json"))
_LINES: Final = frozenset(
    (
        "application/json-lines",
        "application/json-seq",
        "application/jsonl",
        "application/jsonlines",
        "application/ndjson",
        "application/stream+json",
        "application/x-json-stream",
        "application/x-jsonl",
        "application/x-jsonlines",
        "application/x-ndjson",
        "text/x-ndjson",
    )
)
"""What values of JSON one after the other are called: a line each, or each behind a record separator (RFC 7464)."""
_FORM: Final = "application/x-www-form-urlencoded"
_WITH_SCHEME: Final = frozenset(("authorization", "proxy-authorization"))


def _essence(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()


class ContentKind(enum.Enum):
    """Content that has names."""

    FORM = enum.auto()
    JSON = enum.auto()
    LINES = enum.auto()
    PARTS = enum.auto()


def content_kind(media_type: str) -> ContentKind | None:
    essence = _essence(media_type)
    if essence == _FORM:
        return ContentKind.FORM
    if essence in _JSON or essence.endswith("+json"):
        return ContentKind.JSON
    if essence in _LINES or essence.endswith("+json-seq"):
        return ContentKind.LINES
    return ContentKind.PARTS if essence.startswith("multipart/") else None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; one that has a name twice has values that a dict would not."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands there twice")
    return found


def _unescaped(name: str) -> str:
    try:
        return str(json.loads(f'"{name}"'))
    except ValueError:
        return name


@final
class Redaction:
    """Which names are those of secrets: known words, `names` besides, and none of `harmless`. In any case.

    Names are those of fields, of parameters in a URL or a form, and of members in JSON. `mark` stands in the place of a
    secret.
    """

    __slots__ = ("_harmless", "_names", "mark")

    def __init__(
        self, names: Iterable[str] = (), harmless: Iterable[str] = (), *, mark: str = REDACTED
    ) -> None:
        if isinstance(names, str) or isinstance(harmless, str):
            raise TypeError("names and harmless must be several names, not one")
        self.mark = mark
        self._names = frozenset(name.lower() for name in names)
        self._harmless = frozenset(name.lower() for name in harmless)

    def with_names(self, names: Iterable[str]) -> "Redaction":
        """The same, with more names of secrets."""
        return Redaction((*self._names, *names), self._harmless, mark=self.mark)

    def is_secret(self, name: str) -> bool:
        """Whether what has this name is a secret. Words are told apart in `accessToken` as in `access_token`."""
        lower = name.lower()
        if lower in self._names:
            return True
        if lower in self._harmless or lower in HARMLESS:
            return False
        spelled = _CAMEL.sub("-", name)
        return is_sensitive(spelled) or any(
            word in _ALSO or word.endswith(_ENDS) for word in _WORD.findall(spelled.lower())
        )

    def field(self, name: str, value: str) -> str:
        """The value of a field as it may be shown: of credentials their scheme stays, of cookies their names and
        attributes, of references the rest."""
        lower = name.lower()
        if self.is_secret(name):
            if lower in _COOKIES:
                return _COOKIES[lower].sub(rf"\g<1>{self.mark}", value)
            scheme = _SCHEME.match(value) if lower in _WITH_SCHEME else None
            return self.mark if scheme is None else f"{scheme[1]} {self.mark}"
        return self.text(value) if lower in _OF_REFERENCES else value

    def fields(
        self, fields: Mapping[str, str] | Iterable[tuple[str, str]]
    ) -> list[tuple[str, str]]:
        """All fields as they may be shown, in order."""
        pairs = fields.items() if isinstance(fields, Mapping) else fields
        return [(name, self.field(name, value)) for name, value in pairs]

    def text(self, text: object) -> str:
        """A URL as it may be shown, or a sentence that has some: without user info, without secret parameters."""
        return _PARAMETER.sub(self._parameter, _USER_INFO.sub("", str(text)))

    def content(self, media_type: str, text: str) -> str:
        """The text of a form, of JSON, of lines of JSON or of several parts as it may be shown, also where its end is
        missing; whatever else comes back as it is."""
        kind = content_kind(media_type)
        if kind is ContentKind.FORM:
            return self._form(text)
        if kind is ContentKind.JSON:
            return self._json(text)
        if kind is ContentKind.LINES:
            return self._lines(text)
        if kind is ContentKind.PARTS:
            octets = text.encode("utf-8", "surrogatepass")
            return self.octets(media_type, octets).decode("utf-8", "surrogatepass")
        return text

    def octets(self, media_type: str, octets: bytes) -> bytes:
        """The octets of such content as they may be shown, in UTF-8 where there was a secret among them; whatever else
        comes back as it is."""
        kind = content_kind(media_type)
        if kind is None:
            return octets
        if kind is ContentKind.PARTS:
            # Imported here: it is rarely kept.
            from ._redacted_parts import redact_parts

            return redact_parts(self, media_type, octets)
        # A cut may go through a character, and what is no UTF-8 has names all the same.
        text = octets.decode(json.detect_encoding(octets), "replace")
        shown = self.content(media_type, text)
        return octets if shown == text else shown.encode("utf-8", "replace")

    def _parameter(self, match: "re.Match[str]") -> str:
        mark, name, _ = match.groups()
        return f"{mark}{name}={self.mark}" if self.is_secret(unquote_plus(name)) else match[0]

    def _form(self, text: str) -> str:
        pairs = parse_qsl(text, keep_blank_values=True)
        if not any(self.is_secret(name) for name, _ in pairs):
            return text
        shown = [(name, self.mark if self.is_secret(name) else value) for name, value in pairs]
        return urlencode(shown, safe="*")

    def _json(self, text: str) -> str:
        shown = self._whole_json(text)
        return self._broken_json(text) if shown is None else shown

    def _lines(self, text: str) -> str:
        separator = "\x1e" if "\x1e" in text else "\n"
        records = text.split(separator)
        for index, record in enumerate(records):
            value = record.strip()
            shown = self._whole_json(value) if value else value
            if shown is None:
                # Who knows where it ends: what follows may be a part of it.
                rest = self._broken_json(separator.join(records[index:]))
                return separator.join([*records[:index], rest])
            if shown != value:
                records[index] = record.replace(value, shown)
        return separator.join(records)

    def _whole_json(self, text: str) -> str | None:
        """None where it is not whole, or too deep, or has a name twice."""
        try:
            value = json.loads(text, object_pairs_hook=_unique)
            shown = self._member(value)
        except (ValueError, RecursionError):
            return None
        # What has no secret keeps the spelling that it came in.
        return text if shown == value else json.dumps(shown, ensure_ascii=False)

    def _broken_json(self, text: str) -> str:
        """JSON that was cut off, is none, or has a name twice: behind a secret that has parts, nothing is shown."""
        shown, end = [], 0
        for match in _MEMBER.finditer(text):
            value = match["value"]
            if value is not None and self.is_secret(_unescaped(match["name"])):
                shown += [text[end : match.start("value")], f'"{self.mark}"']
                end = match.end()
                if value in ("[", "{"):
                    return "".join(shown)
        return "".join([*shown, text[end:]])

    def _member(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._member(item) for item in value]
        if isinstance(value, dict):
            return {
                name: self._member(item)
                # Whether there is one, is none.
                if item is None or isinstance(item, bool) or not self.is_secret(name)
                else self.mark
                for name, item in value.items()
            }
        return value
