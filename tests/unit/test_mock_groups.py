"""Groups of the embedded broker behave as a broker's do, so that tests of restarts and of workers pass on defaults."""

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pykafarr
from pykafarr.testing import MockKafka

SCHEMA = {"type": "record", "name": "A", "fields": [{"name": "x", "type": "long"}]}


def listen(kafka: MockKafka, **config: object) -> pykafarr.Listener:
    config["auto.offset.reset"] = "earliest"
    return pykafarr.listener(kafka.servers, "group", "t", kafka.registry_url, config=config)


def produce(kafka: MockKafka, *numbers: int, partition: int = 0) -> None:
    kafka.produce("t", SCHEMA, [{"x": number} for number in numbers], partition=partition)


def poll_until(p: pykafarr.Listener, partitions: int, others: Callable[[], bool] = lambda: True) -> None:
    """Polls until the listener has as many partitions as it should, and the others have theirs."""
    deadline = time.monotonic() + 60
    while len(p.assignment()) != partitions or not others():
        assert time.monotonic() < deadline, p.assignment()
        p.poll(num_messages=1, max_time=50)


def test_a_restarted_listener_continues_after_the_commit_at_once() -> None:
    with MockKafka(topics=["t"]) as kafka:
        produce(kafka, *range(6))
        waits = []
        for first in (0, 2, 4):
            begun = time.monotonic()
            with listen(kafka) as p:
                _, frame = p.poll(num_messages=2, max_time=60_000)
                p.commit()
            assert list(frame["x"]) == [first, first + 1]
            waits.append(time.monotonic() - begun)
        # librdkafka's mock cluster takes 44 s for each but the first.
        assert max(waits[1:]) < 10


def test_two_members_share_the_partitions_and_the_one_that_stays_gets_those_of_the_one_that_leaves() -> None:
    with MockKafka(topics={"t": 2}) as kafka, listen(kafka) as stays:
        poll_until(stays, 2)
        with listen(kafka) as leaves, ThreadPoolExecutor() as threads:
            joining = threads.submit(poll_until, leaves, 1)
            poll_until(stays, 1, joining.done)
            joining.result()
        begun = time.monotonic()
        poll_until(stays, 2)
        assert time.monotonic() - begun < 20  # and not until the other's session would have ended


DIES = """
import sys, time, pykafarr
servers, registry = sys.argv[1:]
config = {"session.timeout.ms": 3000, "heartbeat.interval.ms": 500}
p = pykafarr.listener(servers, "group", "t", registry, config=config)
while len(p.assignment()) != 2:
    p.poll(num_messages=1, max_time=100)
print("assigned", flush=True)
time.sleep(600)
"""


def test_the_partitions_of_a_member_that_dies_are_given_away_when_its_session_ends() -> None:
    with MockKafka(topics={"t": 2}) as kafka:
        produce(kafka, 7)
        command = [sys.executable, "-c", DIES, kafka.servers, kafka.registry_url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as dies:
            assert dies.stdout is not None
            assert dies.stdout.readline() == "assigned\n"
            dies.kill()
        with listen(kafka, **{"session.timeout.ms": 3000, "heartbeat.interval.ms": 500}) as p:
            _, frame = p.poll(num_messages=1, max_time=60_000)
            assert list(frame["x"]) == [7]
