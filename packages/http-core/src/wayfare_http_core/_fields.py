"""Field lines on their way out: checked once, encoded once, never injectable."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, final

from ._grammar import is_field_content, is_token, token_list

if TYPE_CHECKING:
    from multidict import CIMultiDict, CIMultiDictProxy

__all__ = ("EMPTY_FIELDS", "FieldBlock", "encode_field")


_MANAGED = frozenset(
    (
        "connection",
        "content-length",
        "content-type",
        "expect",
        "host",
        "transfer-encoding",
        "upgrade",
    )
)


def _text(value: object) -> str:
    """A field value as text; bytes are taken octet by octet so that they come out as they went in."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "surrogateescape")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise TypeError(f"a field value is str, bytes or int, not {type(value).__name__}")


def _lower(name: str) -> str:
    """A field name to look for; only ASCII has a lower case here, or U+212A would be a "k"."""
    return name.lower() if name.isascii() else name


def encode_field(name: str, value: str) -> bytes:
    """One field line with its CRLF.

    Values are UTF-8; octets that came in through `surrogateescape` go out unchanged, every other lone surrogate is
    refused. Truncating characters to their low octet would turn U+010A into a line feed.

    Raises: ValueError for a name that is no token, and for a value with control characters (RFC 9110 section 5.5).
    """
    if not is_token(name):
        raise ValueError(f"field name {name!r} is not a token (RFC 9110 section 5.1)")
    if not is_field_content(value):
        raise ValueError(f"the value of field {name!r} contains a control character")
    try:
        encoded = value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as exc:
        raise ValueError(f"the value of field {name!r} contains a lone surrogate") from exc
    return b"%b: %b\r\n" % (name.encode("ascii"), encoded.strip(b" \t"))


@final
class FieldBlock:
    """An immutable sequence of fields in the caller's order and case, with its encoded form.

    Making one checks and encodes every field; whoever sends the same fields often (a session's defaults) makes it
    once. `names` holds the names in ASCII lower case, `pairs` the fields, `encoded` the lines, each with its CRLF.
    `plain` says that no field has a part in addressing, framing or managing the connection.

    Raises: ValueError for what cannot be sent, TypeError for values other than str, bytes and int.
    """

    __slots__ = ("encoded", "names", "pairs", "plain")

    encoded: bytes
    names: frozenset[str]
    pairs: tuple[tuple[str, str], ...]
    plain: bool

    def __init__(
        self,
        fields: "Iterable[tuple[str, object]] | Mapping[str, object] | CIMultiDict[str] | CIMultiDictProxy[str]" = (),
    ) -> None:
        items = fields.items() if isinstance(fields, Mapping) else fields
        pairs = tuple((name, _text(value)) for name, value in items)
        self.encoded = b"".join([encode_field(name, value) for name, value in pairs])
        self.names = frozenset([name.lower() for name, _ in pairs])
        self.pairs = pairs
        self.plain = self.names.isdisjoint(_MANAGED)

    def get(self, name: str) -> str | None:
        """The value of the first field of that name (any case), or None."""
        wanted = _lower(name)
        return next((value for own, value in self.pairs if own.lower() == wanted), None)

    def getall(self, name: str) -> list[str]:
        """The values of every field of that name (any case), in order."""
        wanted = _lower(name)
        return [value for own, value in self.pairs if own.lower() == wanted]

    def options(self, name: str) -> list[str]:
        """The elements of a comma-separated field such as Connection, in ASCII lower case."""
        return token_list(self.getall(name))

    def __len__(self) -> int:
        return len(self.pairs)

    def __repr__(self) -> str:
        # Names only: values may be credentials.
        return f"<FieldBlock {[name for name, _ in self.pairs]}>"


EMPTY_FIELDS = FieldBlock()
"""No fields at all; shared, since a `FieldBlock` never changes."""
