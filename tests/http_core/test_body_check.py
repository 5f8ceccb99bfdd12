"""`check_request_body`: it passes bodies that are right, and finds what is wrong with others."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from wayfare_http_core.testing import check_request_body, run_with_fake_clock


class Body:
    """A body that is right; others change one thing."""

    content_type: Any = "text/plain; charset=utf-8"
    length: Any = 6
    replayable: Any = True

    def chunks(self) -> Any:
        return [b"abc", b"", bytearray(b"def")]


class Chunked(Body):
    content_type = None
    length = None

    def trailers(self) -> Iterable[tuple[str, object]]:
        return [("X-Sum", 6)]


class Generated(Body):
    async def chunks(self) -> AsyncIterator[bytes]:
        yield b"abc"
        await asyncio.sleep(0)
        yield b"def"


class Iterated(Body):
    """An asynchronous iterator without `aclose`."""

    def chunks(self) -> Any:
        class Pieces:
            def __init__(self) -> None:
                self.left = [b"def", b"abc"]

            def __aiter__(self) -> Any:
                return self

            async def __anext__(self) -> bytes:
                if not self.left:
                    raise StopAsyncIteration
                return self.left.pop()

        return Pieces()


class Once(Body):
    replayable = False

    def __init__(self) -> None:
        self._pieces = iter([b"abcdef"])

    def chunks(self) -> Iterator[bytes]:
        yield from self._pieces


class Begun(Once):
    """It can be sent again as long as nobody has begun."""

    replayable = True

    def chunks(self) -> Iterator[bytes]:
        self.replayable = False
        yield from super().chunks()


class Stored(Body):
    """A file, whose second half is the content."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path, self.file = path, file

    def chunks(self) -> Iterator[bytes]:
        yield self.path.read_bytes()[6:]

    def file_range(self) -> tuple[BinaryIO, int, int] | None:
        return self.file, 6, 6


class Unstored(Body):
    def file_range(self) -> None:
        return None


class Empty(Body):
    length = 0

    def chunks(self) -> list[bytes]:
        return []


@pytest.mark.parametrize("factory", [Body, Chunked, Generated, Iterated, Once, Begun, Unstored])
async def test_bodies_pass_their_suite(factory: Any) -> None:
    await check_request_body(factory)
    await check_request_body(factory, content=b"abcdef")


async def test_an_empty_body_passes() -> None:
    await check_request_body(Empty, content=b"")


@pytest.fixture
def file(tmp_path: Path) -> Iterator[BinaryIO]:
    """A file with something before the content."""
    path = tmp_path / "file"
    path.write_bytes(b"uvwxyzabcdef")
    with path.open("rb") as file:
        yield file


async def test_a_file_passes(file: BinaryIO, tmp_path: Path) -> None:
    file.seek(3)
    await check_request_body(partial(Stored, tmp_path / "file", file), content=b"abcdef")
    assert file.tell() == 3


@pytest.mark.parametrize(
    ("part", "rule"),
    [((0, 6), "the part of the file is what chunks"), ((6, 5), "as many octets as length says")],
)
async def test_the_suite_finds_parts_that_are_wrong(
    file: BinaryIO, tmp_path: Path, part: tuple[int, int], rule: str
) -> None:
    class Wrong(Stored):
        def file_range(self) -> tuple[BinaryIO, int, int]:
            return self.file, *part

    with pytest.raises(AssertionError, match=rule):
        await check_request_body(partial(Wrong, tmp_path / "file", file))


async def test_a_file_needs_a_descriptor(file: BinaryIO, tmp_path: Path) -> None:
    class Wrong(Stored):
        def file_range(self) -> tuple[BinaryIO, int, int]:
            return io.BytesIO(b"abcdef"), 0, 6

    with pytest.raises(AssertionError, match="the file has a descriptor"):
        await check_request_body(partial(Wrong, tmp_path / "file", file))


class Nothing:
    """No body."""


class Moody(Body):
    def __init__(self) -> None:
        self._asked = 6

    @property
    def length(self) -> int:
        self._asked += 1
        return self._asked


class Used(Body):
    """It says that it can be read again."""

    def __init__(self) -> None:
        self._pieces = iter([b"abc", b"def"])

    def chunks(self) -> Iterator[bytes]:
        yield from self._pieces


class Resumed(Body):
    """It goes on where the last pass was given up."""

    def __init__(self) -> None:
        self._pieces = [b"abc", b"def"]

    def chunks(self) -> Iterator[bytes]:
        self._pieces = self._pieces or [b"abc", b"def"]
        while self._pieces:
            yield self._pieces.pop(0)


class Random(Body):
    made = 0

    def __init__(self) -> None:
        Random.made += 1
        self._content = b"%06d" % Random.made
        self.replayable = False

    def chunks(self) -> list[bytes]:
        return [self._content]


class Endless(Body):
    def chunks(self) -> Iterator[bytes]:
        while True:
            yield b"abc"


class Stalled(Body):
    async def chunks(self) -> AsyncIterator[bytes]:
        yield b"abc"
        await asyncio.get_running_loop().create_future()


class OnlyOnce(Once):
    """It breaks when its pieces are asked for by a connection, whose task is another one."""

    def __init__(self) -> None:
        super().__init__()
        self._task = asyncio.current_task()

    def chunks(self) -> Iterator[bytes]:
        if asyncio.current_task() is not self._task:
            raise LookupError("not here")
        yield from super().chunks()


class Divided(Once):
    """It gives a connection something else."""

    def __init__(self) -> None:
        super().__init__()
        self._task = asyncio.current_task()

    def chunks(self) -> Iterator[bytes]:
        yield b"ABCDEF" if asyncio.current_task() is not self._task else b"abcdef"


def made(**changed: Any) -> type[Body]:
    """A class of bodies that differs from the right one in these."""
    return type("Changed", (Body,), changed)


def giving(chunks: Any) -> type[Body]:
    return made(chunks=lambda self: chunks)


@pytest.mark.parametrize(
    ("factory", "rule"),
    [
        (Nothing, "it has content_type"),
        (made(content_type=b"text/plain"), "content_type is a str or None"),
        (made(content_type="text/plain\r\nX: y"), "content_type can stand in a field"),
        (made(content_type="text"), "content_type is a media type"),
        (made(length="6"), "length is an int or None"),
        (made(length=True), "length is an int or None"),
        (made(length=-1), "length is not negative"),
        (made(replayable=1), "replayable is a bool"),
        (Moody, "does not change"),
        (made(length=7), "it gives the 7 octets of its length"),
        (made(length=5), "no more than the 5 octets"),
        (Endless, "no more than the 6 octets"),
        (Stalled, "a pass takes no more than 5 s"),
        (giving(b"abcdef"), "chunks.* gives an iterable"),
        (giving(None), "chunks.* gives an iterable"),
        (giving(["abcdef"]), "a piece is bytes, not str"),
        (Used, "gives the same octets again"),
        (Resumed, "after a pass that was given up"),
        (Random, "two bodies of the same making"),
        (made(trailers=lambda self: [("Content-Length", "1")]), "its trailers can be sent"),
        (made(trailers=lambda self: None), "its trailers can be sent"),
        (OnlyOnce, "it can be sent: .*not here"),
        (Divided, "a server gets what chunks"),
    ],
)
def test_the_suite_finds_what_is_wrong(factory: Any, rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        run_with_fake_clock(check_request_body(factory))


async def test_other_content_is_found() -> None:
    with pytest.raises(AssertionError, match="it gives the content: b'abcdef' is not that"):
        await check_request_body(Body, content=b"abc")
