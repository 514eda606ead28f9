"""A poll that is abandoned, as asyncio abandons threads: with acknowledge="commit" no commit passes its rows."""

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

import pykafarr
from pykafarr.testing import MockKafka

PAGE = Path(__file__).resolve().parents[2] / "docs" / "delivery.md"
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


Consume = Callable[[Callable[[pykafarr.Batch], object], int], Coroutine[Any, Any, None]]


def recipe(kafka: MockKafka) -> Consume:
    """The function of "Poll from asyncio", as the page has it but for the addresses and the assignment."""
    text = PAGE.read_text(encoding="utf-8").partition("### Poll from asyncio")[2]
    found = re.search(r"^```python\n(.*?)^asyncio\.run", text, re.DOTALL | re.MULTILINE)
    assert found is not None
    code = found[1].replace("kafka:9092", kafka.servers).replace("http://registry:8081/", kafka.registry_url)
    acknowledged = 'acknowledge="commit",'
    assert acknowledged in code
    code = code.replace('"PRICES"', "[]").replace(acknowledged, acknowledged + 'assign=[("T", 0)],')
    names: dict[str, Any] = {}
    exec(compile(code, "delivery.md", "exec"), names)
    consume: Consume = names["consume"]
    return consume


async def cancelled_after(seconds: float, consuming: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(consuming)
    await asyncio.sleep(seconds)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def test_the_recipe_for_asyncio_loses_no_row_however_often_its_task_is_cancelled() -> None:
    handled: list[int] = []
    with MockKafka() as kafka:
        consume = recipe(kafka)
        for turn, seconds in enumerate((0.05, 0.7, 1.3)):
            produce(kafka, range(100 * turn, 100 * (turn + 1)))
            asyncio.run(cancelled_after(seconds, consume(lambda b: handled.extend(b.to_pandas()["x"]), 1000)))
        deadline = time.monotonic() + 60
        while len(set(handled)) < 300 and time.monotonic() < deadline:
            asyncio.run(consume(lambda b: handled.extend(b.to_pandas()["x"]), 6))
        assert set(handled) == set(range(300))


def test_by_default_the_next_poll_acknowledges_a_batch_that_nobody_kept() -> None:
    """What the pages warn of: it is the assumption, not a fault."""
    with MockKafka() as kafka:
        produce(kafka, range(60))
        config = {"auto.offset.reset": "earliest"}
        with pykafarr.listener(kafka.servers, "trusts", [], kafka.registry_url, assign=[("T", 0)], config=config) as p:
            p.poll_batch(60, 10_000)
            p.poll_batch(1, 0)
            p.commit()
            assert p.committed() == {("T", 0): 60}
