"""A request as a command line of curl, to be pasted into a shell or a report."""

import shlex
from typing import TYPE_CHECKING, Final

from wayfare_http_core import HttpVersion10

from ._bodies_at_hand import body_at_hand
from ._redaction import REDACTED, Redaction

if TYPE_CHECKING:
    from ._request import ClientRequest

__all__ = ("curl_command",)

_ADDED: Final = ("User-Agent", "Accept")
"""What curl adds of its own accord."""

_FRAMING: Final = frozenset(("content-length", "transfer-encoding"))
_GLOBS: Final = frozenset("[]{}")
_SHOWN: Final = 64 * 1024
"""Octets of content that a command line may have; it is for eyes, and systems have limits."""


def curl_command(request: "ClientRequest", *, secrets: bool) -> str:
    """The command that sends this request, each argument quoted for a POSIX shell; see `ClientRequest.as_curl`."""
    redaction = None if secrets else Redaction(request.settings.sensitive_headers)
    url = str(request.url)
    words = ["curl"]
    if not _GLOBS.isdisjoint(url):
        words.append("--globoff")
    if "/." in url:
        words.append("--path-as-is")
    words += _method(request)
    words.append(url if redaction is None else redaction.text(url))
    for name, value in _fields(request):
        shown = value if redaction is None else redaction.field(name, value)
        # "Name:" alone would drop the field.
        words += ["--header", f"{name}: {shown}" if shown else f"{name};"]
    words += [word for name in _unsent(request) for word in ("--header", f"{name}:")]
    if "accept-encoding" in request.fields.names:
        words.append("--compressed")
    words += _route(request, redaction)
    content, remark = _content(request, redaction)
    return shlex.join(words + content) + remark


def _method(request: "ClientRequest") -> list[str]:
    if request.method == "HEAD" and request.body is None:
        return ["--head"]
    usual = "GET" if request.body is None else "POST"
    return [] if request.method == usual else ["--request", request.method]


def _fields(request: "ClientRequest") -> list[tuple[str, str]]:
    return [pair for pair in request.fields.pairs if pair[0].lower() not in _FRAMING]


def _unsent(request: "ClientRequest") -> list[str]:
    names = request.fields.names
    added = _ADDED if request.body is None else (*_ADDED, "Content-Type")
    return [name for name in added if name.lower() not in names]


def _route(request: "ClientRequest", redaction: Redaction | None) -> list[str]:
    words = []
    if request.version == HttpVersion10:
        words.append("--http1.0")
    if request.ssl is False:
        words.append("--insecure")
    proxy = request.proxy
    if proxy is not None:
        host = f"[{proxy.host}]" if ":" in proxy.host else proxy.host
        words += ["--proxy", f"{proxy.scheme}://{host}:{proxy.port}"]
        for name, value in proxy.fields.pairs:
            shown = value if redaction is None else redaction.field(name, value)
            words += ["--proxy-header", f"{name}: {shown}"]
        if proxy.is_socks and proxy.username is not None:
            password = proxy.password or ""
            shown = password if redaction is None else REDACTED
            words += ["--proxy-user", f"{proxy.username}:{shown}"]
    return words


def _content(request: "ClientRequest", redaction: Redaction | None) -> tuple[list[str], str]:
    """The arguments for the content, and a remark for whoever has to bring it along."""
    body = request.body
    if body is None:
        return [], ""
    octets = body_at_hand(body, _SHOWN)
    text = None if octets is None else _as_text(octets)
    if text is None:
        size = "content" if octets is None else f"{len(octets)} octets"
        return ["--data-binary", "@-"], f"  # its standard input is the content: {size}"
    if redaction is not None:
        media_types = request.fields.getall("Content-Type")
        text = redaction.content(media_types[0] if media_types else "", text)
    return ["--data-raw", text], ""


def _as_text(octets: bytes) -> str | None:
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        return None
    # No argument can hold it.
    return None if "\0" in text else text
