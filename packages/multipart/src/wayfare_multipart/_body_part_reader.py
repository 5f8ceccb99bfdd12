"""`BodyPartReader`: one part of a multipart body, read as it arrives."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from wayfare_http_core import ContentDisposition, parse_media_type

from ._errors import MultipartLimitError, PartEncodingError
from ._part_chunks import DecodedChunks, PartChunks
from ._part_context import DEFAULT_PART_CONTEXT, PartContext
from ._part_decoding import PartDecoder
from ._part_events import PartEvents
from ._part_head import PartHead

__all__ = ("BodyPartReader",)

_PIECE: Final = 64 * 1024
_LINE: Final = 512 * 1024
"""Octets of a line, at most: the same as for the lines of a response."""
_FORM_FIELDS: Final = 1000
"""Fields of a form within a part, at most: as many as a body has parts."""


class BodyPartReader:
    """A part that is no multipart body itself: its fields, and its content to be read once.

    Whatever is not read is passed over when the next part is asked for. `headers` are the part's fields; `name` and
    `filename` come from its Content-Disposition. Only one task at a time may read.
    """

    def __init__(
        self,
        head: PartHead,
        events: PartEvents,
        context: PartContext = DEFAULT_PART_CONTEXT,
    ) -> None:
        self._head = head
        self._events = events
        self._context = context
        self._disposition: ContentDisposition | None = None
        self._waiting = b""
        self._at = 0  # octets of what waits that were read already
        self._ended = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    # -- what the fields say ------------------------------------------------------------------------------------

    @property
    def headers(self) -> Mapping[str, str]:
        """The part's fields."""
        return self._head.fields

    @property
    def name(self) -> str | None:
        """The name of the form's field, None where there is none."""
        return self.disposition.parameters.get("name")

    @property
    def filename(self) -> str | None:
        """The file name as the peer sent it, **never to be used as a path**; see `wayfare_http_core.safe_filename`."""
        return self.disposition.filename

    @property
    def disposition(self) -> ContentDisposition:
        """What Content-Disposition says (M13)."""
        if self._disposition is None:
            self._disposition = ContentDisposition.parse(
                self.headers.get("Content-Disposition", "")
            )
        return self._disposition

    def get_charset(self, default: str) -> str:
        """The charset that Content-Type names, else the one that the form names for all its fields, else `default`."""
        media_type = parse_media_type(self.headers.get("Content-Type", ""))
        named = None if media_type is None else media_type.parameters.get("charset")
        return named or self._context.charset or default

    def at_eof(self) -> bool:
        """Whether the content was read to its end."""
        return self._ended and self._at == len(self._waiting)

    # -- the content as it was sent -----------------------------------------------------------------------------

    async def read(self, *, decode: bool = False) -> bytes:
        """The whole content; with `decode` its encodings undone.

        Raises: `BodyTruncatedError`, `PartEncodingError`, other `MultipartError`; the error class of the reader's
        `client_max_size` for more than that; what reading the body raises.
        Cancellation: loses no octet.
        """
        content = self._whole()
        if content is None:
            content = await self._collected()
        return self.decode(content) if decode else content

    async def read_chunk(self, size: int = 8192) -> bytes:
        """Up to `size` octets of the content as it was sent, at least one; b"" at the end.

        Raises: ValueError for a size below 1; else as `read`.
        Cancellation: loses no octet.
        """
        _check_size(size)
        if not self._ready():
            await self._fill()
        return self._take(size)

    async def readany(self) -> bytes:
        """What has arrived of the content, at least one octet; b"" at the end. Raises as `read`.

        Cancellation: loses no octet.
        """
        if not self._ready():
            await self._fill()
        return self._take(len(self._waiting))

    async def readline(self) -> bytes:
        """One line with its line feed; the last one may lack it; b"" at the end.

        Raises: `MultipartLimitError` for a line of more than 512 KiB, which stays readable; else as `read`.
        Cancellation: loses no octet.
        """
        pieces: list[bytes] = []
        size = 0
        try:
            while not (pieces and pieces[-1].endswith(b"\n")):
                if not self._ready():
                    await self._fill()
                end = self._waiting.find(b"\n", self._at) + 1
                piece = self._take((end or len(self._waiting)) - self._at)
                if not piece:
                    break
                pieces.append(piece)
                size += len(piece)
                if size > _LINE:
                    raise MultipartLimitError("octets in a line", _LINE)
        except BaseException:
            self._give_back(pieces)
            raise
        return b"".join(pieces)

    async def release(self) -> None:
        """Pass over what was not read. Nothing is decoded. Cancellation: may be called again."""
        while await self.readany():
            pass

    async def next(self) -> bytes | None:
        """The whole content, or None where it was read already."""
        return None if self.at_eof() else await self.read()

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over the content in pieces, as it was sent."""
        return self.iter_chunks()

    def iter_chunks(self, size: int = _PIECE, *, decode: bool = False) -> AsyncIterator[bytes]:
        """Iterate over the content in pieces of at most `size` octets; with `decode`, of 256 KiB and their encodings
        undone, so that what a small part unpacks to never has to fit into memory.

        Raises: `PartEncodingError` for an encoding that is not known, ValueError for a size below 1; each step as
        `read`, except that no size is too large.
        """
        _check_size(size)
        decoder = self._decoder() if decode else None
        if decoder is None or decoder.changes_nothing:
            return PartChunks(self.read_chunk, size)
        return DecodedChunks(PartChunks(self.read_chunk, size), decoder)

    # -- the content decoded ------------------------------------------------------------------------------------

    def decode(self, data: bytes) -> bytes:
        """The whole content with its encodings undone. Raises as `read`."""
        decoder = self._decoder()
        if decoder.changes_nothing:
            return data
        pieces: list[bytes] = []
        size = 0
        for piece in decoder.decode(data, final=True):
            pieces.append(piece)
            size += len(piece)
            self._context.check(size)
        return b"".join(pieces)

    async def decode_iter(self, data: bytes) -> AsyncIterator[bytes]:
        """The same in pieces of at most 256 KiB, without a bound on all of them."""
        for piece in self._decoder().decode(data, final=True):
            yield piece

    async def text(self, *, encoding: str | None = None) -> str:
        """The content as text, in `encoding`, or the part's charset, or UTF-8.

        Raises: `PartEncodingError` for a charset that is not known, UnicodeDecodeError; else as `read`.
        Cancellation: loses no octet.
        """
        return self._text(await self.read(decode=True), encoding)

    async def json(self, *, encoding: str | None = None) -> Any:
        """The content as JSON; None where it is empty. Raises as `text`, and `json.JSONDecodeError`.

        Cancellation: loses no octet.
        """
        text = await self.text(encoding=encoding)
        try:
            return json.loads(text) if text else None
        except RecursionError:
            raise json.JSONDecodeError("arrays or objects too deep", text[:100], 0) from None

    async def form(self, *, encoding: str | None = None) -> list[tuple[str, str]]:
        """The names and values of a content of type application/x-www-form-urlencoded.

        Raises: ValueError for more than 1,000 fields; else as `text`.
        Cancellation: loses no octet.
        """
        data = await self.read(decode=True)
        charset = encoding or self.get_charset("utf-8")
        text = self._text(data.rstrip(b"\r\n"), "ascii" if data.isascii() else charset)
        return parse_qsl(
            text,
            keep_blank_values=True,
            encoding=charset,
            errors="strict",
            max_num_fields=_FORM_FIELDS,
        )

    # -- inside -------------------------------------------------------------------------------------------------

    def _decoder(self) -> PartDecoder:
        return PartDecoder(self.headers, form_data=self._context.form_data)

    def _text(self, data: bytes, encoding: str | None) -> str:
        charset = encoding or self.get_charset("utf-8")
        try:
            return data.decode(charset)
        except LookupError as exc:
            raise PartEncodingError(f"the charset {charset[:100]!r} is not known") from exc

    def _whole(self) -> bytes | None:
        """The whole content, if nothing was read of it and all is here in one piece: so it is with most small parts."""
        if self._ended or self._waiting:
            return None
        content = self._events.take_content(self._context.max_size)
        self._ended = content is not None
        return content

    async def _collected(self) -> bytes:
        pieces: list[bytes] = []
        size = 0
        try:
            while piece := await self.readany():
                pieces.append(piece)
                size += len(piece)
                self._context.check(size)
        except BaseException:
            self._give_back(pieces)
            raise
        return b"".join(pieces)

    def _ready(self) -> bool:
        """Whether octets wait, or the content has ended, without waiting for what has not arrived."""
        if self._at < len(self._waiting) or self._ended:
            return True
        data = self._events.take_data()
        if data:
            self._waiting, self._at = data, 0
            return True
        self._ended = self._events.take_end()
        return self._ended

    async def _fill(self) -> None:
        """Wait for octets, or for the end. Only called where neither is here."""
        event = await self._events.next()
        if isinstance(event, bytes):
            self._waiting, self._at = event, 0
        else:
            self._ended = True

    def _take(self, n: int) -> bytes:
        start = self._at
        self._at = end = min(len(self._waiting), start + n)
        return self._waiting[start:end]

    def _give_back(self, pieces: list[bytes]) -> None:
        """Put octets back in front: nobody got them."""
        self._waiting = b"".join([*pieces, self._waiting[self._at :]])
        self._at = 0


def _check_size(size: int) -> None:
    if size < 1:
        raise ValueError(f"size must be at least 1, not {size}")
