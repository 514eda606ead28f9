"""Where scans begin and end on a real log: offsets, times, the end of the log, and what was deleted meanwhile."""

import contextlib
import re
import time
from datetime import datetime, timedelta, timezone

import pytest
from confluent_kafka import KafkaException, TopicPartition

import pykafarr
from tests.integration.scanning import rows_of
from tests.integration.writing import A, numbers

BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)
NOON = pykafarr.Milliseconds(1767225600000 + 12 * 3600000)


def milliseconds(time):
    return int(time.timestamp() * 1000)


@pytest.fixture
def hourly(cluster, writer):
    """A topic with a row an hour, a day long, in each of two partitions, and one without any."""
    topic = cluster.new_topic(3, message_timestamp_type="CreateTime")
    for partition in range(2):
        for hour in range(24):
            time = milliseconds(BEGIN + timedelta(hours=hour))
            writer.producer.produce(topic, writer.serialize(topic, A, {"n": hour}), partition=partition, timestamp=time)
    writer.flush()
    return topic


@pytest.fixture
def scan(cluster):
    def plan(topics, **options):
        return pykafarr.scan(
            cluster.servers, topics, cluster.registry_url, **{"metadata": ("partition", "offset"), **options}
        )

    return plan


@pytest.mark.parametrize(
    ("start", "end", "ranges"),
    [
        ("earliest", "now", [(0, 24), (0, 24), (0, 0)]),
        (BEGIN + timedelta(hours=6), BEGIN + timedelta(hours=12), [(6, 12), (6, 12), (0, 0)]),
        (BEGIN + timedelta(hours=5, seconds=1), NOON, [(6, 12), (6, 12), (0, 0)]),
        (BEGIN - timedelta(days=1), BEGIN + timedelta(days=9), [(0, 24), (0, 24), (0, 0)]),
        (BEGIN + timedelta(days=9), "now", [(24, 24), (24, 24), (0, 0)]),
        ({0: 3, 1: BEGIN + timedelta(hours=5)}, {0: 20, 1: "now"}, [(3, 20), (5, 24), (0, 0)]),
        ("now", "now", [(24, 24), (24, 24), (0, 0)]),
    ],
    ids=["all", "datetimes", "between rows", "around", "after", "by partition", "nothing"],
)  # fmt: skip
def test_a_scan_reads_between_two_places(start, end, ranges, hourly, scan):
    plan = scan(hourly, start=start, end=end)
    frame = plan.partitions
    assert list(zip(frame["start"], frame["end"], strict=True)) == ranges
    expected = {(number, hour): hour for number, (low, high) in enumerate(ranges) for hour in range(low, high)}
    with plan.read() as stream:
        assert rows_of(stream) == expected
        assert {one.ended for one in stream.report} == {"complete"}


def test_rows_that_come_after_the_planning_are_not_read(hourly, scan, writer):
    plan = scan(hourly)
    writer.write(hourly, A, numbers(24, 3), 2)
    assert len(rows_of(plan.read())) == 48
    assert len(rows_of(scan(hourly).read())) == 51


def delete(cluster, topic, partition, before):
    """Deletes the rows before an offset."""
    where = TopicPartition(topic, partition, before)
    cluster.admin.delete_records([where])[where].result(10)


def test_rows_deleted_after_the_planning_are_told_unless_a_part_is_enough(cluster, hourly, scan):
    plan, partial = scan(hourly), scan(hourly, allow_partial=True)
    delete(cluster, hourly, 1, 10)
    batches = []
    with pytest.raises(pykafarr.IncompleteError) as caught:
        batches.extend(plan.read())
    found = rows_of(batches)
    assert len(found) == 24 + 14
    text = f"{hourly}[1]: of the offsets from 0 up to 24 10 were deleted from the log before they were read"
    assert str(caught.value).startswith(text)
    assert (caught.value.topic, caught.value.partition) == (hourly, 1)
    whole, cut, _ = caught.value.report
    assert (whole.ended, cut.ended, cut.gone, cut.first, cut.next, cut.rows) == ("complete", "deleted", 10, 10, 24, 14)

    with partial.read() as stream:
        assert rows_of(stream) == found
        assert stream.report == caught.value.report
    assert [task.rows for task in plan.tasks(max_rows=12)] == [12] * 4
    gone = plan.tasks(max_rows=5)[5]  # offsets 0 to 5 of partition 1
    with pytest.raises(pykafarr.IncompleteError, match=re.escape(f"{hourly}[1]: of the offsets from 0 up to 5 5 were")):
        gone.read().to_arrow()


def test_all_rows_deleted_are_told(cluster, hourly, scan):
    plan = scan(hourly, allow_partial=True)
    delete(cluster, hourly, 0, -1)
    delete(cluster, hourly, 1, -1)
    with plan.read() as stream:
        assert rows_of(stream) == {}
        assert [(one.ended, one.gone, one.first) for one in stream.report[:2]] == [("deleted", 24, None)] * 2
    assert scan(hourly).rows == 0


def test_rows_of_a_topic_made_anew_after_the_planning_are_not_taken_for_those_planned(cluster, writer, scan):
    topic = cluster.new_topic()
    writer.write(topic, A, numbers(0, 10))
    plan = scan(topic)
    (task,) = plan.tasks()
    cluster.admin.delete_topics([topic])[topic].result(10)
    create_again(cluster, topic)
    writer.write(topic, A, numbers(100, 10))
    for piece in (plan, task):
        with pytest.raises(pykafarr.BrokerError, match=re.escape(f"{topic}[0]") + ".*created again since"):
            piece.read().to_arrow()
    assert list(rows_of(scan(topic).read()).values()) == [*range(100, 110)]
    writer.write(topic, A, numbers(110, 10))  # past the saved offset
    with pytest.raises(pykafarr.BrokerError, match=re.escape(f"{topic}[0]: offset 10 is of the topic with the id")):
        scan(topic, start=plan.ends)
    assert scan(topic, start=scan(topic, end=15).ends).rows == 5


def create_again(cluster, topic):
    """Creates a topic whose deletion may still be under way."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(KafkaException):
            cluster.create_topic(topic)
            return
        time.sleep(0.1)
    pytest.fail(f"{topic} cannot be created again")


def test_offsets_outside_the_log_are_an_error_at_once_unless_a_part_is_enough(cluster, hourly, scan):
    delete(cluster, hourly, 0, 4)
    for wrong, text in (({"start": 2}, "start is 2: the log goes from 4 to 24"), ({"end": 25}, "end is 25: the log")):
        with pytest.raises(pykafarr.IncompleteError, match=re.escape(f"{hourly}[0]: {text}")):
            scan(hourly, **wrong)
    options = {"start": {0: 2, 1: 0, 2: 0}, "end": {0: 30, 1: 30, 2: 2}}
    with scan(hourly, **options, allow_partial=True).read() as stream:
        assert len(rows_of(stream)) == 20 + 24
        assert [(one.ended, one.next, one.gone) for one in stream.report] == [
            ("log_end", 24, 2),
            ("log_end", 24, 0),
            ("log_end", 0, 0),
        ]


def test_a_topic_that_is_not_there_is_named(cluster, scan):
    with pytest.raises(pykafarr.BrokerError, match="no-such-topic") as caught:
        scan("no-such-topic")
    assert caught.value.topic == "no-such-topic"


def test_a_cluster_that_is_not_there_is_said_within_the_time_out(cluster):
    with pytest.raises(pykafarr.BrokerError, match="127"):
        pykafarr.scan("127.0.0.1:1", "t", None, value="bytes", timeout=500)
