"""Brokers die while a scan reads: it goes on with those that are left, and no row is lost or repeated."""

import contextlib
import time

import pytest

import pykafarr
from tests.integration.scanning import rows_of
from tests.integration.writing import A, Writer, numbers

ROWS = 60_000


@pytest.fixture
def three(trio):
    """The three brokers, whole again after the test."""
    yield trio
    trio.restart(*(index for index, node in enumerate(trio.nodes) if not node.process.running))


@pytest.fixture
def topic_of_three(three):
    """A topic of three partitions, each with as many rows."""
    topic = three.new_topic(3)
    with contextlib.closing(Writer(three)) as writer:
        for partition in range(3):
            writer.write(topic, A, numbers(0, ROWS), partition)
    return topic


@pytest.mark.slow
def test_a_broker_killed_in_the_midst_of_a_scan_costs_no_row(three, topic_of_three):
    # Answers of 16 KiB: most of the scan is still to come when the broker dies.
    plan = pykafarr.scan(
        three.servers,
        topic_of_three,
        three.registry_url,
        metadata=("partition", "offset"),
        config={"max.partition.fetch.bytes": 16_384},
        num_messages=1000,
        timeout=60_000,
    )
    assert plan.rows == 3 * ROWS
    with plan.read() as stream:
        batches = [next(stream) for _ in range(5)]
        three.kill(three.leader(topic_of_three, batches[0].ranges[0].partition))
        batches += stream
        report = stream.report
    found = rows_of(batches)
    assert found == {(partition, number): number for partition in range(3) for number in range(ROWS)}
    assert {(one.ended, one.rows) for one in report} == {("complete", ROWS)}


@pytest.mark.slow
def test_without_any_broker_a_scan_ends_after_its_time_out(three, topic_of_three):
    plan = pykafarr.scan(
        three.servers,
        topic_of_three,
        three.registry_url,
        config={"max.partition.fetch.bytes": 16_384},
        num_messages=1000,
        timeout=3000,
    )
    stream = plan.read()
    next(stream)
    for index in range(3):
        three.kill(index)
    begun = time.monotonic()
    with pytest.raises(pykafarr.BrokerError, match=rf"{topic_of_three}\[\d\]@\d+: "):
        list(stream)
    assert time.monotonic() - begun < 30
    assert any(one.ended and one.ended.startswith("error: ") for one in stream.report)
    stream.close()
