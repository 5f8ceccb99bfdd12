"""`BodyPartReaderPayload`: a part that is being read here, sent on to somebody else."""

import sys
from collections.abc import Iterator, Mapping
from typing import final

from ._body_part_reader import BodyPartReader
from ._segments import Segment
from ._stream_payloads import OncePayload

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

__all__ = ("BodyPartReaderPayload",)


@final
class BodyPartReaderPayload(OncePayload):
    """A part of another body, with its type and file name, its encodings undone. Sent once, as it arrives."""

    def __init__(
        self,
        value: BodyPartReader,
        headers: Mapping[str, str] | None = None,
        content_type: str | None = None,
        filename: str | None = None,
        encoding: str | None = None,
    ) -> None:
        """What is not given is the part's own.

        Raises: TypeError for what is no part.
        """
        if not isinstance(value, BodyPartReader):
            raise TypeError(f"value must be a BodyPartReader, not {type(value).__name__}")
        content_type = content_type or value.headers.get("Content-Type")
        super().__init__(value, headers, content_type, filename or value.filename, encoding)
        if self._filename is not None and "Content-Disposition" not in self._headers:
            self.set_content_disposition("attachment", filename=self._filename)

    @property
    @override
    def is_async(self) -> bool:
        return True

    @override
    def segments(self) -> Iterator[Segment]:
        part: BodyPartReader = self._take()
        yield part.iter_chunks(decode=True)
