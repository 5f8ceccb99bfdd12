"""`FormData`: the fields of a form, urlencoded or as multipart/form-data, as browsers send them (RFC 7578)."""

import io
import warnings
from codecs import lookup
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, final

from wayfare_http_core import FieldBlock

from ._file_payloads import guessed_filename
from ._form_encoding import urlencoded
from ._memory_payloads import BytesPayload, StringPayload
from ._multipart_writer import MultipartWriter
from ._payload import Payload
from ._registry import PAYLOAD_REGISTRY, PayloadRegistry

__all__ = ("FormData",)

_OCTETS: Final = (bytes, bytearray, memoryview)


class _Field(NamedTuple):
    """A field of the form: what it is for the urlencoded shape, and its payload for the other."""

    name: str
    value: Any
    payload: Payload | None
    """None for text, whose payload is made when it is known which shape the form has."""
    filename: str | None = None


@final
class FormData:
    """A form to send: `session.post(url, data=form)`, or its octets with any other client.

    fields: a mapping, pairs, a `(name, value)` tuple, open files, other fields. A list of values is a field of the name
        for each of them.
    quote_fields: names and file names are quoted as browsers do it; False quotes them with backslashes, as old servers
        want it.
    charset: that of text; UTF-8 unless given.
    default_to_multipart: be multipart although nothing asks for it.
    registry: what decides which payload a value becomes.

    It is urlencoded until a file, octets, a media type or a file name make it multipart. It can be sent as often as its
    values can.

    Raises: TypeError for what is no field, ValueError for a charset that is not known.
    """

    def __init__(
        self,
        fields: Any = (),
        quote_fields: bool = True,
        charset: str | None = None,
        *,
        default_to_multipart: bool = False,
        registry: PayloadRegistry = PAYLOAD_REGISTRY,
    ) -> None:
        self._fields: list[_Field] = []
        self._is_multipart = default_to_multipart
        self._quote_fields = quote_fields
        self._charset = charset
        if charset is not None:
            _check_charset(charset)
        self._registry = registry
        if isinstance(fields, Mapping):
            self.add_fields(*fields.items())
        elif isinstance(fields, list | tuple):
            if len(fields) == 2 and isinstance(fields, tuple) and isinstance(fields[0], str):
                self.add_fields(fields)
            else:
                self.add_fields(*fields)
        elif isinstance(fields, io.IOBase) or not isinstance(fields, Iterable):
            self.add_fields(fields)
        else:
            self.add_fields(*fields)

    @property
    def is_multipart(self) -> bool:
        """Whether the form will be multipart/form-data."""
        return self._is_multipart

    def add_field(
        self,
        name: str,
        value: Any,
        *,
        content_type: str | None = None,
        filename: str | None = None,
        content_transfer_encoding: str | None = None,
    ) -> None:
        """Add a field. A file has its own name unless `filename` says another; "" says none. A list is several
        fields of the name.

        Raises: TypeError for arguments of the wrong kind and for a value that cannot be sent, ValueError for a name or
        a type that no field can say.
        """
        _check_text("name", name)
        for what, given in (("content_type", content_type), ("filename", filename)):
            if given is not None:
                _check_text(what, given)
        if content_type is not None:
            FieldBlock([("Content-Type", content_type)])
        if content_transfer_encoding is not None:
            self._warn_of_transfer_encoding(content_transfer_encoding)
        # Not a tuple: with some clients that is a file's name and the file.
        if isinstance(value, list):
            for one in value:
                self.add_field(name, one, content_type=content_type, filename=filename)
            return
        if isinstance(value, _OCTETS) and filename is None and content_transfer_encoding is None:
            warnings.warn(
                "octets without a filename are sent as a file of the field's name; say filename=",
                DeprecationWarning,
                stacklevel=2,
            )
            filename = name
        if filename is None and isinstance(value, io.IOBase):
            filename = guessed_filename(value) or name
        as_text = filename is None and content_type is None and isinstance(value, str | int | float)
        if as_text:
            self._fields.append(_Field(name, value, None))
            return
        self._is_multipart = True
        payload = self._payload(value, content_type, filename)
        self._fields.append(_Field(name, value, payload, filename or None))

    def add_fields(self, *fields: Any) -> None:
        """Add fields: `(name, value)` pairs, mappings, open files.

        Raises: TypeError for anything else, else as `add_field`.
        """
        for field in fields:
            if isinstance(field, io.IOBase):
                self.add_field(guessed_filename(field) or "unknown", field)
            elif isinstance(field, Mapping):
                for name, value in field.items():
                    self.add_field(name, value)
            elif isinstance(field, list | tuple) and len(field) == 2:
                self.add_field(field[0], field[1])
            else:
                raise TypeError(
                    f"a field is a pair of name and value, a mapping or an open file, not {type(field).__name__}"
                )

    def __call__(self) -> Payload:
        """The form as it is now, as a payload to send.

        Raises: UnicodeEncodeError for text that the charset does not have, ValueError for a name that cannot be sent.
        """
        return self._multipart() if self._is_multipart else self._urlencoded()

    def _payload(self, value: Any, content_type: str | None, filename: str | None) -> Payload:
        # Made now: a file is sent from where it stands when it is added.
        if isinstance(value, Payload):
            if content_type is not None:
                value.headers["Content-Type"] = content_type
            return value
        extra: dict[str, Any] = {} if content_type is None else {"content_type": content_type}
        if filename is not None:
            extra["filename"] = filename
        if isinstance(value, str) and self._charset is not None and content_type is None:
            extra["encoding"] = self._charset
        try:
            return self._registry.get(value, **extra)
        except LookupError as error:
            raise TypeError(f"a form cannot send a {type(value).__name__}") from error

    def _urlencoded(self) -> Payload:
        charset = self._charset or "utf-8"
        kind = "application/x-www-form-urlencoded"
        if charset.lower() != "utf-8":
            kind += f"; charset={charset}"
        pairs = [(field.name, field.value) for field in self._fields]
        return BytesPayload(urlencoded(pairs, charset), content_type=kind)

    def _multipart(self) -> MultipartWriter:
        writer = MultipartWriter("form-data", registry=self._registry)
        for field in self._fields:
            payload = field.payload
            if payload is None:
                payload = self._text(str(field.value))
            names = {"name": field.name}
            filename = field.filename or payload.filename
            if filename is not None:
                names["filename"] = filename
            payload.set_content_disposition(
                "form-data", self._quote_fields, self._charset or "utf-8", **names
            )
            writer.append_payload(payload)
        return writer

    def _text(self, text: str) -> Payload:
        if self._charset is not None:
            return StringPayload(text, encoding=self._charset)
        # A browser says no type for text; UTF-8 is what RFC 7578 section 5.1.2 assumes.
        return BytesPayload(text.encode(), content_type="", encoding="utf-8")

    def _warn_of_transfer_encoding(self, encoding: object) -> None:
        _check_text("content_transfer_encoding", encoding)
        warnings.warn(
            "content_transfer_encoding means nothing in a form: RFC 7578 section 4.7 has none",
            DeprecationWarning,
            stacklevel=3,
        )
        self._is_multipart = True


def _check_charset(charset: str) -> None:
    try:
        lookup(charset)
    except LookupError:
        raise ValueError(f"charset must be one that is known, not {charset!r}") from None


def _check_text(what: str, value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a str, not {type(value).__name__}")
