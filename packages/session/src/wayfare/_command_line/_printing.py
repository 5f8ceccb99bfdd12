"""Messages for a person: heads in colours, content in its notation, and nothing that a terminal would obey."""

import json
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

import click
from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

from wayfare import ClientRequest, ClientResponse

__all__ = (
    "FORMATTED",
    "Parts",
    "Pretty",
    "Printer",
    "harmless",
    "one_line",
    "report",
)

FORMATTED: Final = 4 << 20
"""Octets of content that are formatted and coloured; more are printed as they come."""

# All controls but tab and line feed, those of C1 too, what turns the direction of text, and surrogates: octets that are
# no UTF-8 stand as such in a head, and could be printed as octets again.
_CONTROL: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_MARKUP: Final = {"html": "html", "xml": "xml", "javascript": "javascript", "css": "css"}


def harmless(text: str) -> str:
    """Text in which what a terminal would obey stands as an escape: a server must not move its cursor."""
    text = text.replace("\r\n", "\n")
    return _CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", text)


def one_line(error: Exception) -> str:
    """What an error says, in one line."""
    return " ".join((str(error) or type(error).__name__).split())


def report(message: str) -> None:
    """Say on standard error what went wrong."""
    click.echo(f"wayfare: {harmless(message)}", err=True)


class Parts(NamedTuple):
    """What is shown of an exchange."""

    request_head: bool = False
    request_content: bool = False
    head: bool = True
    content: bool = True

    @classmethod
    def parse(cls, letters: str) -> "Parts":
        """H and B are head and content of the request, h and b those of the response.

        Raises: ValueError for another letter.
        """
        unknown = set(letters) - set("HBhb")
        if unknown:
            raise ValueError(f"{min(unknown)!r} is none of H, B, h and b")
        return cls("H" in letters, "B" in letters, "h" in letters, "b" in letters)


class Pretty(NamedTuple):
    """How it is shown: in colours, and with content put into lines."""

    colours: bool
    format: bool


class Printer:
    """Writes messages to a console."""

    __slots__ = ("_apart", "_console", "_pretty", "_theme")

    def __init__(self, console: Console, pretty: Pretty, theme: str) -> None:
        self._console = console
        self._pretty = pretty
        self._theme = theme
        # Whether a head that follows is to be set apart from what stands above it.
        self._apart = False

    def request_head(self, request: ClientRequest) -> None:
        """Print the head of a request, in the spelling of HTTP/1.1."""
        head = request.head()
        host = [] if "host" in head.fields.names else [("Host", head.authority)]
        self._head(f"{head.method} {head.path} HTTP/1.1", host, head.fields.pairs)

    def head(self, response: ClientResponse) -> None:
        """Print the head of a response."""
        self._head(
            f"HTTP/1.1 {response.status} {response.reason}".rstrip(), response.headers.items()
        )

    def _head(self, start: str, *fields: Iterable[tuple[str, str]]) -> None:
        if self._apart:
            self._print(Text(""))
            self._apart = False
        text = Text(harmless(start), style=self._style("bold"), end="\n")
        for name, value in (pair for pairs in fields for pair in pairs):
            text.append("\n")
            text.append(harmless(name), style=self._style("cyan"))
            text.append(f": {harmless(value)}", style=self._style("not bold"))
        self._print(text)
        self._print(Text(""))

    def _style(self, style: str) -> str:
        return style if self._pretty.colours else ""

    def content(self, text: str, media_type: str) -> None:
        """Print content that is text."""
        self._apart = True
        notation = self._notation(media_type)
        if notation == "json" and self._pretty.format:
            text = _indented(text)
        text = harmless(text)
        if notation is None or not self._pretty.colours:
            self._print(Text(text))
        else:
            self._print(
                Syntax(
                    text, notation, theme=self._theme, background_color="default", word_wrap=True
                )
            )

    def piece(self, text: str) -> None:
        """Print a part of a text that is still arriving, without a line's end of our own."""
        self._console.print(Text(harmless(text)), end="", soft_wrap=True)

    def note(self, text: str) -> None:
        """Print a remark of the program's own."""
        self._apart = True
        self._print(Text(harmless(text), style=self._style("dim")))

    def _print(self, what: Text | Syntax) -> None:
        self._console.print(what, soft_wrap=True)

    def _notation(self, media_type: str) -> str | None:
        subtype = media_type.partition("/")[2]
        if subtype == "json" or subtype.endswith("+json"):
            return "json"
        subtype = subtype.rpartition("+")[2]
        return _MARKUP.get(subtype)


def _indented(text: str) -> str:
    """JSON with a line for each value; what is none stays as it is."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return json.dumps(value, indent=4, ensure_ascii=False)
