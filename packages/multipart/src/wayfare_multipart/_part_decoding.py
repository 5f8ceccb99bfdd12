"""The encodings of a part's content, undone step by step (M16, M17)."""

from collections.abc import Iterator, Mapping
from typing import Final, final

from wayfare_http_core import (
    ContentEncodingError,
    Decoder,
    UnsupportedCodings,
    make_decoder,
    parse_content_codings,
)

from ._errors import PartEncodingError
from ._transfer_codings import TransferDecoder, make_transfer_decoder

__all__ = ("PartDecoder",)

_STEP: Final = 256 * 1024


@final
class PartDecoder:
    """Undoes what a part's fields say was done to its content: the transfer encoding, then the content codings.

    In a form (`form_data`) a Content-Encoding is ignored (RFC 7578 section 4.8).

    Raises: `PartEncodingError` for an encoding that is not known.
    """

    __slots__ = ("_content", "_transfer")

    def __init__(self, fields: Mapping[str, str], *, form_data: bool) -> None:
        # Two fields are one list, and that is no transfer encoding: to undo the first of them would give neither.
        transfer = ",".join(_values(fields, "content-transfer-encoding"))
        self._transfer: TransferDecoder | None = make_transfer_decoder(transfer)
        codings = [] if form_data else _values(fields, "content-encoding")
        self._content: Decoder | None = _content_decoder(codings) if codings else None

    @property
    def changes_nothing(self) -> bool:
        """Whether the content is as it was."""
        return self._transfer is None and self._content is None

    def decode(self, data: bytes, *, final: bool = False) -> Iterator[bytes]:
        """What the next octets of the content mean, in pieces of at most 256 KiB where a coding may make them many.

        Iterate to the end before the next call. `final` says that nothing follows.

        Raises: `PartEncodingError` for corrupt data, and where the end is too early, after all that came before it.
        """
        if self._transfer is not None:
            data = self._transfer.decode(data) + (self._transfer.finish() if final else b"")
        if self._content is None:
            if data:
                yield data
            return
        try:
            yield from _inflated(self._content, data)
            if final:
                self._content.finish()
        except ContentEncodingError as exc:
            raise PartEncodingError(str(exc)) from exc


def _values(fields: Mapping[str, str], name: str) -> list[str]:
    """The values of all fields of a name, given in lower case. Names of fields are ASCII."""
    return [value for each, value in fields.items() if each.lower() == name]


def _content_decoder(values: list[str]) -> Decoder | None:
    try:
        decoder = make_decoder(parse_content_codings(values))
    except ContentEncodingError as exc:
        raise PartEncodingError(str(exc)) from exc
    if isinstance(decoder, UnsupportedCodings):
        raise PartEncodingError(f"the content coding {', '.join(decoder.unknown)!r} is not known")
    return decoder


def _inflated(decoder: Decoder, data: bytes) -> Iterator[bytes]:
    if piece := decoder.decode(data, _STEP):
        yield piece
    while decoder.has_pending:
        if piece := decoder.decode(b"", _STEP):
            yield piece
