"""Brokers die while a scan reads: it continues with those that are left, and no row is lost or repeated."""

import contextlib
import time

import pytest

import pykafarr
from tests.integration.scanning import rows_of
from tests.integration.writing import B, Writer

# 20 MB a partition, of which an answer brings one.
ROWS = 20_000
PADDING = "x" * 1000


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
            writer.write(topic, B, [{"text": f"{number}:{PADDING}"} for number in range(ROWS)], partition)
    return topic


@pytest.mark.slow
def test_a_broker_killed_in_the_midst_of_a_scan_costs_no_row(three, topic_of_three):
    plan = pykafarr.scan(
        three.servers,
        topic_of_three,
        three.registry_url,
        metadata=("partition", "offset"),
        num_messages=1000,
        timeout=60_000,
    )
    assert plan.rows == 3 * ROWS
    with plan.read() as stream:
        batches = [next(stream) for _ in range(5)]
        three.kill(three.leader(topic_of_three, batches[0].ranges[0].partition))
        batches += stream
        report = stream.report
    found = {place: int(text.split(":")[0]) for place, text in rows_of(batches, "text").items()}
    assert found == {(partition, number): number for partition in range(3) for number in range(ROWS)}
    assert {(one.ended, one.rows) for one in report} == {("complete", ROWS)}


@pytest.mark.slow
def test_without_any_broker_a_scan_ends_after_its_time_out(three, topic_of_three):
    plan = pykafarr.scan(
        three.servers,
        topic_of_three,
        three.registry_url,
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
