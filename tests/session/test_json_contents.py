"""Responses read as JSON: whole and by lines, as plain values and as types."""

import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, TypedDict

import msgspec
import pydantic
import pytest
import wayfare
from wayfare import JSONModelError, ServerSentEvent
from wayfare_http_core import LineTooLong
from wayfare_http_core.testing import Drip, Fin, ReadRequest, Send

if sys.version_info >= (3, 12):
    from typing import assert_type
else:
    from typing import assert_type


@dataclass
class Point:
    x: int
    y: int = 0


class Movie(TypedDict):
    name: str


class Item(msgspec.Struct):
    name: str


class User(pydantic.BaseModel):
    id: int


def json_answer(content: str, content_type: str = "application/json") -> tuple[str, bytes]:
    body = content.encode()
    head = f"HTTP/1.1 200 OK\nContent-Type: {content_type}\nContent-Length: {len(body)}"
    return head, body


async def test_json_into_each_kind_of_model(serve: Any) -> None:
    async with serve(*[json_answer('{"x": 1, "name": "M", "id": 7}')] * 5) as (session, _):
        response: wayfare.ClientResponse = await session.get("/")
        assert_type(await response.json(Point), Point)
        assert_type(await response.json(Movie), Movie)
        assert_type(await response.json(User), User)
        assert_type(await response.json(list[Point] | Point), Any)
        assert_type(await response.json(), Any)
        assert_type(response.json_lines(Point), AsyncIterator[Point])
        assert_type(response.json_lines(), AsyncIterator[Any])
        assert await response.json(Point) == Point(1)
        assert await response.json(Movie) == {"name": "M"}
        assert await response.json(Item) == Item("M")
        assert await response.json(User) == User(id=7)
        assert await response.json(Point, loads=lambda text: {"x": len(text)}) == Point(30)


async def test_json_that_does_not_fit_says_where_and_of_which_request(serve: Any) -> None:
    async with serve(json_answer('[{"x": 1}, {"x": "1"}]')) as (session, _):
        response = await session.get("/points")
        with pytest.raises(JSONModelError) as caught:
            await response.json(list[Point])
        assert caught.value.path == "$[1].x"
        assert caught.value.failure is not None
        assert caught.value.failure.urls == (str(response.url),)
        # What was read stays, to be looked at.
        assert await response.text() == '[{"x": 1}, {"x": "1"}]'


async def test_empty_content_is_null_to_a_model(serve: Any) -> None:
    async with serve(json_answer("")) as (session, _):
        response = await session.get("/")
        assert await response.json(Point | None) is None
        with pytest.raises(JSONModelError, match="expected an object for Point, not null"):
            await response.json(Point)


async def test_what_is_no_model_is_refused_before_anything_is_read(serve: Any) -> None:
    async with serve(json_answer("1")) as (session, _):
        response = await session.get("/")
        with pytest.raises(TypeError, match=r"JSON cannot be made into builtins\.bytes"):
            await response.json(bytes)
        with pytest.raises(TypeError, match=r"JSON cannot be made into builtins\.bytes"):
            response.json_lines(bytes)
        assert await response.json(int) == 1


async def test_json_that_is_nested_beyond_all_measure(serve: Any) -> None:
    """A fault of the server's, not of the program: no RecursionError."""
    async with serve(json_answer("[" * 200_000 + "]" * 200_000)) as (session, _):
        response = await session.get("/")
        for reading in (response.json(), response.json(list[int])):
            with pytest.raises(ValueError, match="nested too deeply"):
                await reading
    with pytest.raises(ValueError, match="nested too deeply"):
        ServerSentEvent("message", "[" * 200_000).json()


async def test_json_lines_as_they_arrive(serve: Any) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n"
    lines = b'{"x": 1}\r\n\n  \n{"x": 2, "y": 3}\n{"x": 4}'
    script = (ReadRequest(), Send(head), Drip(lines, 3), Fin())
    async with serve(script, script, script) as (session, _):
        async with session.get("/") as response:
            assert [value async for value in response.json_lines()] == [
                {"x": 1},
                {"x": 2, "y": 3},
                {"x": 4},
            ]
        async with session.get("/") as response:
            points = response.json_lines(Point)
            assert [point async for point in points] == [Point(1), Point(2, 3), Point(4)]
        async with session.get("/") as response:
            values = response.json_lines(int, loads=len)
            assert [value async for value in values] == [8, 16, 8]


async def test_a_line_that_is_wrong_is_wrong_alone(serve: Any) -> None:
    async with serve(json_answer('{"x": 1}\nnonsense\n{"x": "1"}\n{"x": 2}\n')) as (session, _):
        points = (await session.get("/")).json_lines(Point)
        assert await anext(points) == Point(1)
        with pytest.raises(ValueError, match="Expecting value"):
            await anext(points)
        with pytest.raises(JSONModelError, match=r"^\$\.x: "):
            await anext(points)
        assert await anext(points) == Point(2)
        assert await anext(points, None) is None


async def test_lines_have_a_bound_and_a_type_if_asked_for(serve: Any) -> None:
    async with serve(json_answer('"123456789"\n', "application/jsonl")) as (session, _):
        response = await session.get("/")
        with pytest.raises(wayfare.ContentTypeError, match="'application/jsonl', not 'text/x'"):
            response.json_lines(content_type="text/x")
        lines = response.json_lines(content_type="application/jsonl", max_line_length=5)
        with pytest.raises(LineTooLong):
            await anext(lines)


def test_the_data_of_an_event_as_json() -> None:
    event = ServerSentEvent("message", '{"x": 1}')
    assert_type(event.json(Point), Point)
    assert event.json() == {"x": 1}
    assert event.json(Point) == Point(1)
    assert event.json(loads=len) == 8
    with pytest.raises(JSONModelError, match=r"^\$: expected an array, not an object"):
        event.json(list[int])


def test_no_library_is_imported_for_its_models() -> None:
    program = (
        "import sys, wayfare._json_models as models; models.reader_of(dict[str, list[int]]); "
        "print(sorted({'msgspec', 'pydantic'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
