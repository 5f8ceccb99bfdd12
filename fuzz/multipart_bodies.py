"""Targets: multipart bodies, and the transfer encodings of their parts."""

from wayfare_multipart import (
    EndOfPart,
    MultipartError,
    MultipartLimits,
    MultipartParser,
    PartEncodingError,
    PartHead,
)
from wayfare_multipart._transfer_codings import make_transfer_decoder

from .properties import cuts

__all__ = ("multipart", "transfer_encoding")

_LIMITS = MultipartLimits(parts=20, head=200, fields=5)

_Part = tuple[list[tuple[str, str]], bytes, bool]


def multipart(data: bytes) -> None:
    """M7 to M11, M18: parts or one error, the same for every cut, and never more octets than came."""
    if len(data) < 2:
        return
    body = data[2:]
    parts, error = _parsed([body])
    assert sum(len(content) for _, content, _ in parts) <= len(body)
    assert all(ended for _, _, ended in parts[:-1])
    assert (parts, error) == _parsed(cuts(data[0], data[1], body))
    assert (parts, error) == _parsed([body[at : at + 1] for at in range(len(body))])


def _parsed(pieces: list[bytes]) -> tuple[list[_Part], type[MultipartError] | None]:
    parser = MultipartParser("B", _LIMITS)
    parts: list[_Part] = []
    for events in (*map(parser.feed, pieces), parser.finish()):
        for event in events:
            if isinstance(event, PartHead):
                parts.append((list(event.fields.items()), b"", False))
            elif isinstance(event, bytes):
                fields, content, _ = parts[-1]
                parts[-1] = (fields, content + event, False)
            elif isinstance(event, EndOfPart):
                parts[-1] = (*parts[-1][:2], True)
            else:
                return parts, type(event)
    assert parser.done
    return parts, None


def transfer_encoding(data: bytes) -> None:
    """M16: octets or a refusal, the same for every cut, and never more of them than came."""
    if len(data) < 2:
        return
    sent = data[2:]
    for coding in ("base64", "quoted-printable"):
        content = _decoded(coding, [sent])
        assert content is None or len(content) <= len(sent)
        assert content == _decoded(coding, cuts(data[0], data[1], sent))
        assert content == _decoded(coding, [sent[at : at + 1] for at in range(len(sent))])


def _decoded(coding: str, pieces: list[bytes]) -> bytes | None:
    decoder = make_transfer_decoder(coding)
    assert decoder is not None
    try:
        return b"".join([decoder.decode(piece) for piece in pieces]) + decoder.finish()
    except PartEncodingError:
        return None
