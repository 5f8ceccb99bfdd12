"""`DataQueue`: values in order, one reader, an end or an error after the last of them."""

import asyncio

import pytest
from wayfare_http_core.aio import DataQueue, EofStream, FlowControlDataQueue


class Feed:
    """Notes what the queue asks."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def pause_reading(self) -> None:
        self.asked.append("pause")

    def resume_reading(self) -> None:
        self.asked.append("resume")


async def test_values_come_in_order_and_then_the_end() -> None:
    queue = DataQueue[str]()
    queue.feed_data("one", 3)
    queue.feed_data("two")
    assert len(queue) == 2
    assert await queue.read() == "one"
    queue.feed_eof()
    assert queue.is_eof()
    assert not queue.at_eof()
    assert await queue.read() == "two"
    assert queue.at_eof()
    for _ in range(2):
        with pytest.raises(EofStream):
            await queue.read()
    with pytest.raises(RuntimeError, match="after feed_eof"):
        queue.feed_data("three")


async def test_an_empty_queue_is_true() -> None:
    assert DataQueue[int]()


@pytest.mark.parametrize("given", [True, False])
async def test_a_read_waits(given: bool) -> None:
    queue = DataQueue[int](asyncio.get_running_loop() if given else None)
    reading = asyncio.ensure_future(queue.read())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="another task"):
        await queue.read()
    queue.feed_data(1)
    queue.feed_data(2)
    assert await reading == 1
    assert await queue.read() == 2
    reading = asyncio.ensure_future(queue.read())
    await asyncio.sleep(0)
    queue.feed_eof()
    with pytest.raises(EofStream):
        await reading


async def test_a_cancelled_read_loses_no_value() -> None:
    queue = DataQueue[int]()
    reading = asyncio.ensure_future(queue.read())
    await asyncio.sleep(0)
    reading.cancel()
    queue.feed_data(1)
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await queue.read() == 1


async def test_an_error_comes_after_the_values_before_it() -> None:
    queue = DataQueue[int]()
    queue.feed_data(1)
    error, cause = OSError("above"), LookupError("below")
    queue.set_exception(error, cause)
    queue.set_exception(OSError("second"))
    assert queue.exception() is error
    assert error.__cause__ is cause
    assert await queue.read() == 1
    for _ in range(2):
        with pytest.raises(OSError, match="above"):
            await queue.read()
    broken = DataQueue[int]()
    broken.set_exception(error)
    with pytest.raises(OSError, match="above"):
        await broken.read()


async def test_the_end_comes_before_errors_after_it() -> None:
    queue = DataQueue[int]()
    queue.feed_eof()
    queue.set_exception(OSError())
    with pytest.raises(EofStream):
        await queue.read()


async def test_iterating() -> None:
    queue = DataQueue[int]()
    for value in (0, 1, 2):
        queue.feed_data(value)
    queue.feed_eof()
    assert [value async for value in queue] == [0, 1, 2]


async def test_the_weight_of_what_waits_is_bounded() -> None:
    feed = Feed()
    queue = FlowControlDataQueue[str](feed, 5, loop=asyncio.get_running_loop())
    queue.feed_data("a", 10)
    assert feed.asked == []
    queue.feed_data("b", 1)
    queue.feed_data("c", 5)
    assert feed.asked == ["pause"]
    assert await queue.read() == "a"
    assert feed.asked == ["pause"]
    assert await queue.read() == "b"
    assert feed.asked == ["pause", "resume"]
    queue.feed_data("d", 11)
    queue.feed_eof()
    assert [value async for value in queue] == ["c", "d"]
    assert feed.asked == ["pause", "resume", "pause"]
