"""gevent, as docs/processes.md describes it: the page's example runs in a process of its own, which gevent patches."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.engines

PAGE = Path(__file__).resolve().parents[2] / "docs" / "processes.md"
PRELUDE = """
from gevent import monkey
monkey.patch_all()

import time
import gevent
import pykafarr
from pykafarr.testing import MockKafka

SCHEMA = {"type": "record", "name": "R", "fields": [{"name": "x", "type": "int"}]}
ticks, handled = [], []

def tick():
    while True:
        ticks.append(time.monotonic())
        gevent.sleep(0.01)

def open_one():  # assigned, so that the mock broker does not keep its group for a member that was there before
    return pykafarr.listener(kafka.servers, "greenlets", [], kafka.registry_url, assign=[("PRICES", 0)],
                             acknowledge="commit", config={"auto.offset.reset": "earliest"})

def produce(numbers):
    kafka.produce("PRICES", SCHEMA, [{"x": x} for x in numbers])

def handle(batch):
    handled.extend(batch.to_arrow().to_pydict()["x"])

gevent.spawn(tick)
gevent.sleep(0.05)
"""


def example() -> str:
    (code,) = re.findall(r"^```python no-run\n(import gevent\n.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    code = code.replace('"kafka:9092"', "kafka.servers").replace('"http://registry:8081/"', "kafka.registry_url")
    return str(code)


def run(script: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", PRELUDE + script],
        capture_output=True, text=True, timeout=120, check=False, cwd=PAGE.parents[1],
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "ResourceWarning" not in done.stderr


def test_a_poll_blocks_the_hub() -> None:
    run("""
with MockKafka(topics=["PRICES"]) as kafka, open_one() as p:
    before = len(ticks)
    assert p.poll_batch(10, 500) is None
    assert len(ticks) <= before + 1
""")


def test_other_greenlets_run_while_the_example_of_the_page_polls_in_the_thread_pool() -> None:
    run(
        example()
        + """
with MockKafka() as kafka:
    produce(range(60))
    consuming = gevent.spawn(consume, handle, 15)
    while not handled:
        gevent.sleep(0.05)
    gevent.sleep(1)  # it polls, gives up waiting, and waits for the same poll again
    produce(range(60, 70))
    consuming.get()
    assert handled == list(range(70)), handled
    assert len(ticks) > 50, len(ticks)
"""
    )


def test_a_greenlet_that_is_killed_or_runs_out_of_time_during_a_poll_loses_no_row() -> None:
    run("""
def poll(number, wait):
    batch = pool.apply(p.poll_batch, (number, wait))
    handle(batch)
    pool.apply(p.commit, (batch,))

def until_dropped():
    deadline = time.monotonic() + 60
    polled = p.stats()["batches"]
    while p.stats()["batches"] == polled and time.monotonic() < deadline:
        gevent.sleep(0.05)
    gevent.sleep(0.3)

pool = gevent.get_hub().threadpool
with MockKafka() as kafka:
    produce(range(60))
    with open_one() as p:
        poll(10, 60_000)
        try:
            with gevent.Timeout(0.1):
                pool.apply(p.poll_batch, (100_000, 1000))
            raise SystemExit("no time-out")
        except gevent.Timeout:
            until_dropped()
        produce(range(60, 70))
        killed = gevent.spawn(pool.apply, p.poll_batch, (100_000, 1000))
        gevent.sleep(0.1)
        killed.kill()
        until_dropped()
        produce(range(70, 80))
        poll(10, 60_000)
        assert handled == [*range(10), *range(70, 80)], handled
        assert pool.apply(p.committed) == {("PRICES", 0): 10}  # the first row that was not handled
    handled.clear()
    with open_one() as p:
        while len(handled) < 70:
            poll(70, 60_000)
        assert handled == list(range(10, 80)), handled
""")
