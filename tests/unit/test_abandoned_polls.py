"""A poll that is abandoned, as asyncio abandons threads: with acknowledge="commit" no commit passes its rows."""

import asyncio
import time

import pytest

import pykafarr
from pykafarr.testing import MockKafka

SCHEMA = {"type": "record", "name": "R", "fields": [{"name": "x", "type": "int"}]}


def opened(kafka: MockKafka) -> pykafarr.Listener:
    return pykafarr.listener(
        kafka.servers,
        "abandons",
        [],
        kafka.registry_url,
        assign=[("T", 0)],  # the mock broker would keep the group for the first member
        acknowledge="commit",
        config={"auto.offset.reset": "earliest"},
    )


def produce(kafka: MockKafka, numbers: range) -> None:
    kafka.produce("T", SCHEMA, [{"x": x} for x in numbers])


async def handle(p: pykafarr.Listener, handled: list[int], most: int) -> None:
    """Polls, handles, commits."""
    batch = await asyncio.to_thread(p.poll_batch, most, 60_000)
    assert batch is not None
    handled += batch.to_arrow().to_pydict()["x"]
    await asyncio.to_thread(p.commit, batch)


def until_dropped(p: pykafarr.Listener, polled: int) -> None:
    """The thread of an abandoned poll polls on, and drops its rows."""
    deadline = time.monotonic() + 60
    while p.stats()["batches"] == polled and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(0.5)


async def handle_abandon_handle(kafka: MockKafka, p: pykafarr.Listener, handled: list[int]) -> None:
    await handle(p, handled, 10)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(asyncio.to_thread(p.poll_batch, 100_000, 1000), 0.1)
    polled = p.stats()["batches"]
    await asyncio.to_thread(until_dropped, p, polled)
    produce(kafka, range(60, 70))
    await handle(p, handled, 10)


def test_a_poll_that_times_out_loses_no_row_where_batches_are_committed_after_they_were_handled() -> None:
    handled: list[int] = []
    with MockKafka() as kafka:
        produce(kafka, range(60))
        with opened(kafka) as p:
            asyncio.run(handle_abandon_handle(kafka, p, handled))
            assert handled == [*range(10), *range(60, 70)]
            assert p.committed() == {("T", 0): 10}  # the first row that was not handled
        with opened(kafka) as p:
            again: list[int] = []
            while len(again) < 60:
                asyncio.run(handle(p, again, 60))
            assert again == list(range(10, 70))
            assert p.committed() == {("T", 0): 70}
