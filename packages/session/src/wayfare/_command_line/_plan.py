"""What the words of a command line ask for, as values: decided without sending anything."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from wayfare_http_core import hdrs
from yarl import URL

from ._items import Item, ItemKind, parse_item

__all__ = (
    "ContentForm",
    "RequestPlan",
    "method_and_url",
    "plan_request",
    "plan_websocket",
    "read_url",
)

_METHODS: Final = hdrs.METH_ALL | {"TRACE", "CONNECT"}
_AUTOMATIC: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class ContentForm(Enum):
    """How the items of the content are put together."""

    JSON = "json"
    FORM = "form"
    MULTIPART = "multipart"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPlan:
    """A request to be sent. Files are named and not opened yet."""

    method: str
    url: URL
    fields: tuple[tuple[str, str], ...] = ()
    left_out: tuple[str, ...] = ()
    """Names of automatic fields that are not to be sent."""
    params: tuple[tuple[str, str], ...] = ()
    content: bytes | None = None
    """The content as it is."""
    content_path: Path | None = None
    """The file that is the content."""
    value: Any = None
    """The value to send as JSON."""
    form: tuple[Item, ...] = ()
    """The fields and files of a form."""
    multipart: bool = False

    def with_fields(self, fields: Iterable[tuple[str, str]]) -> "RequestPlan":
        """The same request with these fields, unless it has some of these names."""
        own = {name.lower() for name, _ in self.fields}
        added = tuple((name, value) for name, value in fields if name.lower() not in own)
        return replace(self, fields=(*added, *self.fields))


def method_and_url(words: Sequence[str]) -> tuple[str | None, str, Sequence[str]]:
    """The method, if one is said, the URL and the items.

    The first word is a method where it is one that everybody knows, or is written in capitals and letters alone.

    Raises: ValueError for a method without a URL.
    """
    first = words[0]
    said = first.upper() in _METHODS or (first.isascii() and first.isalpha() and first.isupper())
    if not said:
        return None, first, words[1:]
    if len(words) == 1:
        raise ValueError(f"{first} is a method; the URL is missing")
    return first.upper(), words[1], words[2:]


def read_url(text: str, secure: str = "https", plain: str = "http") -> URL:
    """A URL as people write it: without a scheme it is https, and http on this machine; `:8000/x` is on this machine.
    `secure` and `plain` are other schemes for the same.

    Raises: ValueError for what is no URL.
    """
    if "://" not in text:
        if text.startswith(":"):
            # A port, or nothing but a path.
            rest = text if text[1:2].isdecimal() else text[1:]
            text = f"localhost{rest}"
        scheme = plain if _is_local(text) else secure
        text = f"{scheme}://{text}"
    try:
        return URL(text)
    except ValueError as exc:
        raise ValueError(f"{text!r} is no URL: {exc}") from exc


def _is_local(text: str) -> bool:
    try:
        host = URL(f"//{text}").raw_host or ""
    except ValueError:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def plan_request(
    words: Sequence[str], form: ContentForm = ContentForm.JSON, raw: bytes | None = None
) -> RequestPlan:
    """The request that a command line describes; `raw` is content that was given apart from the items.

    Raises: ValueError for words that make no sense, OSError for files of values that cannot be read.
    """
    method, url, rest = method_and_url(words)
    items = [parse_item(word) for word in rest]
    content = [item for item in items if item.is_content]
    whole = [item for item in content if item.kind is ItemKind.FILE and not item.name]
    if len(whole) > 1 or (whole and len(content) > 1) or (raw is not None and content):
        raise ValueError("the content is given twice: as a whole, and by items or a second file")
    fields, left_out = _fields(items)
    json_object = form is ContentForm.JSON and all(one.kind is not ItemKind.FILE for one in content)
    return RequestPlan(
        method=method or ("GET" if raw is None and not content else "POST"),
        url=read_url(url),
        fields=fields,
        left_out=left_out,
        params=_params(items),
        content=raw,
        content_path=Path(whole[0].value) if whole else None,
        value=_json_object(content) if content and json_object else None,
        form=() if whole or json_object else tuple(content),
        multipart=form is ContentForm.MULTIPART,
    )


def plan_websocket(words: Sequence[str]) -> RequestPlan:
    """The handshake that a URL and items describe.

    Raises: ValueError for words that make no sense, and for content.
    """
    items = [parse_item(word) for word in words[1:]]
    if any(item.is_content for item in items):
        raise ValueError(
            "a WebSocket opens without content; what is to be sent are lines of standard input"
        )
    fields, left_out = _fields(items)
    return RequestPlan(
        method="GET",
        url=read_url(words[0], "wss", "ws"),
        fields=fields,
        left_out=left_out,
        params=_params(items),
    )


def _params(items: Sequence[Item]) -> tuple[tuple[str, str], ...]:
    return tuple((item.name, item.value) for item in items if item.kind is ItemKind.PARAMETER)


def _fields(items: Sequence[Item]) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """The fields to send, and the names of automatic ones that are not to be sent."""
    fields: list[tuple[str, str]] = []
    left_out: list[str] = []
    for item in items:
        if item.kind is ItemKind.EMPTY_FIELD:
            fields.append((item.name, ""))
        elif item.kind is ItemKind.FIELD:
            value = item.value.strip(" \t")
            if value:
                fields.append((item.name, value))
            elif item.name.title() in _AUTOMATIC:
                left_out.append(item.name)
            else:
                raise ValueError(
                    f"{item.name}: has no value; {item.name}; sends it empty, and only {', '.join(_AUTOMATIC)}"
                    " can be taken away"
                )
    return tuple(fields), tuple(left_out)


def _json_object(items: Sequence[Item]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for item in items:
        text = item.read_text()
        if item.kind in (ItemKind.JSON, ItemKind.JSON_FILE):
            value[item.name] = _json_value(item.name, text)
        else:
            value[item.name] = text
    return value


def _json_value(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as exc:
        raise ValueError(f"{name}:= wants JSON: {exc}") from exc
