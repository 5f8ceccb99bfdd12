"""What is written is read: forms and bodies of parts, by both halves of this package (M1, M15, M16, M18)."""

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st
from wayfare_multipart import (
    BytesPayload,
    FormData,
    MultipartWriter,
    Payload,
    SyncBodyPartReader,
    SyncMultipartReader,
)


def reader(payload: Payload, piece: int) -> SyncMultipartReader:
    body = b"".join(payload.iter_bytes())
    pieces = [body[at : at + piece] for at in range(0, len(body), piece)]
    return SyncMultipartReader({"Content-Type": payload.content_type}, pieces)


NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='%"\\'),
    min_size=1,
    max_size=20,
)
CONTENT = st.binary(max_size=200) | st.sampled_from(
    [b"\r\n", b"--", b"\r\n--", b"\r\n--x\r\n", b"\r"]
)


@given(
    st.lists(st.tuples(NAMES, st.none() | NAMES, CONTENT), min_size=1, max_size=5),
    st.integers(1, 99),
)
def test_forms(fields: list[tuple[str, str | None, bytes]], piece: int) -> None:
    form = FormData(default_to_multipart=True)
    for name, filename, content in fields:
        form.add_field(name, BytesPayload(content), filename=filename or "")
    found = []
    for part in reader(form(), piece):
        assert isinstance(part, SyncBodyPartReader)
        found.append((part.name, part.filename, bytes(part.read())))
    assert found == fields


class Node(NamedTuple):
    """A part: octets with how they are encoded, or parts."""

    content: "bytes | list[Node]"
    encodings: dict[str, str]


ENCODINGS = st.fixed_dictionaries(
    {},
    optional={
        "Content-Encoding": st.sampled_from(["gzip", "deflate", "identity"]),
        "Content-Transfer-Encoding": st.sampled_from(
            ["base64", "quoted-printable", "binary", "8bit"]
        ),
    },
)
LEAVES = st.builds(Node, CONTENT, ENCODINGS)
TREES = st.recursive(
    LEAVES,
    lambda nodes: st.builds(Node, st.lists(nodes, min_size=1, max_size=3), st.just({})),
    max_leaves=8,
)


def written(nodes: list[Node]) -> MultipartWriter:
    writer = MultipartWriter()
    for node in nodes:
        if isinstance(node.content, bytes):
            writer.append(node.content, node.encodings)
        else:
            writer.append(written(node.content))
    return writer


def read(body: SyncMultipartReader) -> list[object]:
    found: list[object] = []
    for part in body:
        if isinstance(part, SyncBodyPartReader):
            found.append(bytes(part.read(decode=True)))
        else:
            found.append(read(part))
    return found


def contents(nodes: list[Node]) -> list[object]:
    return [
        node.content if isinstance(node.content, bytes) else contents(node.content)
        for node in nodes
    ]


@given(st.lists(TREES, min_size=1, max_size=3), st.integers(1, 500))
def test_bodies_in_bodies_with_encodings(nodes: list[Node], piece: int) -> None:
    writer = written(nodes)
    if writer.size is not None:
        assert writer.size == len(b"".join(writer.iter_bytes()))
    assert read(reader(writer, piece)) == contents(nodes)
