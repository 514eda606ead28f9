"""Positions: where listeners begin, and moving them about."""

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import NewPartitions, OffsetSpec

import pykafarr
from pykafarr._errors import PENDING
from pykafarr._listeners import listener as module
from tests.integration.writing import A, Writer, numbers
from tests.servers import ports

NOON = datetime(2024, 5, 1, 12, tzinfo=timezone.utc)
NOON_MS = int(NOON.timestamp() * 1000)


def rows(listener, count, max_time=5000):
    """So many rows, over as many polls as it takes; fewer when a poll brings nothing."""
    found = []
    while len(found) < count:
        message_type, frame = listener.poll(count - len(found), max_time)
        if message_type is None:
            break
        found.extend(frame["n"])
    return found


@pytest.fixture
def hourly(writer, topic):
    """Ten rows, an hour apart from noon on."""
    for hour in range(10):
        writer.write(topic, A, numbers(hour, 1), timestamp=NOON_MS + hour * 3_600_000)
    return topic


# ---- Beginning somewhere ----


@pytest.mark.parametrize(
    ("start", "first"),
    [
        ("committed", 4),
        ("earliest", 0),
        (7, 7),
        (NOON + timedelta(hours=3), 3),
        (NOON + timedelta(hours=3, milliseconds=1), 4),
        ((NOON + timedelta(hours=3)).astimezone(timezone(timedelta(hours=5))), 3),
        (pykafarr.Milliseconds(NOON_MS + 3_600_000), 1),
        (NOON - timedelta(days=36500), 0),
        ("topic", 6),
        ("partition", 8),
    ],
    ids=str,
)
def test_a_listener_begins_where_start_says_whatever_is_committed(hourly, listen, start, first):
    with listen() as before:
        assert rows(before, 4) == [0, 1, 2, 3]
    if start == "topic":
        start = {hourly: 6}
    elif start == "partition":
        start = {(hourly, 0): 8, hourly: 6}

    listener = listen(start=start)

    assert rows(listener, 10, 500) == list(range(first, 10))


@pytest.mark.parametrize("start", ["latest", 10, NOON + timedelta(hours=10), pykafarr.Milliseconds(2**42)], ids=str)
def test_a_listener_that_begins_at_the_end_reads_what_comes_after(hourly, writer, listen, start):
    listener = listen(start=start)
    assert listener.poll(1, 100)[0] is None
    assert listener.position() == {(hourly, 0): 10}
    writer.write(hourly, A, numbers(10, 2))
    assert rows(listener, 2) == [10, 11]


def test_a_start_for_another_partition_does_not_matter(hourly, listen):
    assert rows(listen(start={(hourly, 3): 7}), 3) == [0, 1, 2]


def test_a_start_for_another_topic_is_refused_unless_an_expression_might_find_it(hourly, listen):
    with pytest.raises(pykafarr.ConfigError, match="start: other is none of the topics and partitions that are read"):
        listen(start={"other": 5})
    assert rows(listen(f"^{hourly}$", start={"other": 5, hourly: 7}), 3) == [7, 8, 9]


def test_a_start_outside_the_log_is_told_and_auto_offset_reset_applies(hourly, listen):
    listener = listen(start=11)
    with pytest.raises(pykafarr.BrokerError, match=rf"{hourly}\[0\]: offset 11 .* from 0 to 10"):
        listener.poll(1, 500)
    assert rows(listener, 3) == [0, 1, 2]


def until(condition, *listeners, seconds=30):
    """Polls all of them, a row at a time, until the condition holds; gives what was read."""
    seen, deadline = [], time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        for listener in listeners:
            with contextlib.suppress(pykafarr.BrokerError):  # a member that joins must not keep the others waiting
                seen.extend(listener.poll(1, 50)[1].get("n", []))
    return seen


def test_start_counts_once_and_a_partition_that_comes_back_goes_on(hourly, listen):
    with listen() as before:
        assert len(rows(before, 10)) == 10  # all is committed
    # The range assignor goes by the members' ids, which begin with client.id: the first keeps the only partition.
    eager = {"partition.assignment.strategy": "range"}
    first = listen(start="earliest", config={"client.id": "a", **eager})
    assert rows(first, 4) == [0, 1, 2, 3]
    second = listen(config={"client.id": "b", **eager}, ready_timeout=200)

    seen = until(lambda: first.stats()["rebalances"] == 2 and second.stats()["rebalances"], first, second)

    assert second.assignment() == []
    assert seen + rows(first, 6, 500) == [4, 5, 6, 7, 8, 9]


# ---- Seeking ----


@pytest.mark.parametrize(
    ("to", "first"),
    [
        (2, 2),
        (9, 9),
        ("earliest", 0),
        ("committed", 5),
        (NOON + timedelta(hours=7), 7),
        (pykafarr.Milliseconds(NOON_MS), 0),
    ],
    ids=str,
)
def test_a_seek_goes_back_and_forth(hourly, listen, to, first):
    listener = listen()
    assert rows(listener, 5) == [0, 1, 2, 3, 4]
    listener.commit()

    listener.seek(hourly, 0, to)

    assert listener.position() == {(hourly, 0): first}
    assert rows(listener, 10, 100) == list(range(first, 10))


@pytest.mark.parametrize("to", ["latest", 10, NOON + timedelta(days=1)], ids=str)
def test_a_seek_to_the_end_passes_over_the_rest_and_a_commit_says_so(hourly, writer, listen, committed, to):
    listener = listen()
    assert rows(listener, 3) == [0, 1, 2]
    listener.seek(hourly, 0, to)
    listener.commit()
    assert committed() == 10
    assert listener.poll(1, 100)[0] is None
    writer.write(hourly, A, numbers(10, 1))
    assert rows(listener, 1) == [10]


def test_a_seek_back_takes_the_group_back(hourly, listen, committed):
    listener = listen()
    assert len(rows(listener, 10)) == 10
    listener.commit()
    assert committed() == 10
    listener.seek(hourly, 0, 2)
    assert rows(listener, 3) == [2, 3, 4]
    listener.commit()
    assert committed() == 5
    listener.seek(hourly, 0, 1)
    listener.close()
    assert committed() == 1


def test_the_background_commit_follows_a_seek_back(hourly, listen, committed):
    listener = listen(config={"auto.commit.interval.ms": 100})
    assert len(rows(listener, 10)) == 10
    until(lambda: committed() == 10, listener)
    listener.seek(hourly, 0, 2)
    assert rows(listener, 3) == [2, 3, 4]
    listener.pause()
    until(lambda: committed() == 5, listener)


def test_a_batch_from_before_a_seek_acknowledges_nothing(hourly, listen, committed):
    listener = listen(config={"enable.auto.commit": False})
    batch = listener.poll_batch(8, 5000)
    listener.seek(hourly, 0, 3)
    listener.commit(batch)
    assert committed() == 3


@pytest.mark.parametrize("asked", [11, 2**62, 1])
def test_a_seek_out_of_range_is_an_error_and_moves_nothing(cluster, hourly, listen, asked):
    cluster.admin.delete_records([TopicPartition(hourly, 0, 2)])[TopicPartition(hourly, 0, 2)].result(10)
    listener = listen()
    assert rows(listener, 2) == [2, 3]
    with pytest.raises(pykafarr.BrokerError, match=rf"{hourly}\[0\]: offset {asked} .* from 2 to 10") as caught:
        listener.seek(hourly, 0, asked)
    assert (caught.value.topic, caught.value.partition) == (hourly, 0)
    assert rows(listener, 2) == [4, 5]


def test_rows_received_before_a_seek_do_not_appear_after_it(hourly, writer, listen):
    listener = listen()
    listener.poll(1, 5000)
    assert listener.poll(1, 5000)[0] is not None
    # A poll that is interrupted leaves a half-built batch of all ten rows in the library.
    poll_until_interrupted(listener)
    assert listener.position() == {(hourly, 0): 2}
    listener.seek(hourly, 0, 8)
    assert listener.position() == {(hourly, 0): 8}
    assert rows(listener, 10, 300) == [8, 9]


def test_the_other_partitions_keep_their_rows_over_a_seek(cluster, writer, listen):
    topic = cluster.new_topic(2)
    writer.write(topic, A, numbers(0, 5), 0)
    writer.write(topic, A, numbers(100, 5), 1)
    listener = listen(topic)
    poll_until_interrupted(listener)
    listener.seek(topic, 0, 3)
    assert sorted(rows(listener, 10, 500)) == [3, 4, 100, 101, 102, 103, 104]


def poll_until_interrupted(listener):
    """A poll for more rows than there are that ends as with Ctrl-C, after the rows have come."""
    lib = listener._slot._library.lib
    batch, error = listener._slot.batch, listener._slot.error
    for begin in (1, *[0] * 20):  # slices of a poll that is never finished
        assert lib.listener_poll(listener._handle, begin, 1000, 60_000, 100, batch, error) == PENDING


def test_a_batch_that_an_interrupt_kept_is_given_back_by_a_seek(cluster, writer, listen, monkeypatch):
    topic = cluster.new_topic(2)
    writer.write(topic, A, numbers(0, 5), 0)
    writer.write(topic, A, numbers(100, 5), 1)
    listener = listen(topic)
    with monkeypatch.context() as patch:
        patch.setattr(module, "batch_from", interrupt)
        with pytest.raises(KeyboardInterrupt):
            listener.poll(10, 5000)
    assert listener.position() == {(topic, 0): 0, (topic, 1): 0}
    assert list(listener.lag()["lag"]) == [5, 5]
    listener.seek(topic, 1, 3)
    assert sorted(rows(listener, 10, 500)) == [0, 1, 2, 3, 4, 103, 104]


def interrupt(*_arguments):
    raise KeyboardInterrupt


def test_a_seek_during_a_poll_of_another_thread_takes_effect(hourly, listen):
    listener = listen(start="latest")
    listener.poll(1, 0)
    with ThreadPoolExecutor(1) as pool:
        polling = pool.submit(listener.poll, 3, 20_000)
        time.sleep(0.3)
        listener.seek(hourly, 0, 7)
        assert list(polling.result()[1]["n"]) == [7, 8, 9]


def test_a_seek_in_a_partition_of_somebody_else_is_refused(hourly, listen):
    listener = listen()
    with pytest.raises(pykafarr.StateError, match=rf"{hourly}\[0\]: .*not assigned"):
        listener.seek(hourly, 0, 5)  # before the first poll
    rows(listener, 1)
    with pytest.raises(pykafarr.StateError, match=rf"{hourly}\[1\]: .*not assigned"):
        listener.seek(hourly, 1, 5)


# ---- Pausing ----


def test_a_paused_partition_gives_nothing_and_the_others_flow(cluster, writer, listen):
    topic = cluster.new_topic(2)
    writer.write(topic, A, numbers(0, 5), 0)
    writer.write(topic, A, numbers(100, 5), 1)
    listener = listen(topic)
    listener.poll(1, 5000)  # the rest has been fetched
    position = listener.position()
    listener.pause([(topic, 0)])
    writer.write(topic, A, numbers(5, 5), 0)

    flowing = rows(listener, 20, 700)

    assert flowing == list(range(100 + position[topic, 1], 105))
    assert listener.position() == {(topic, 0): position[topic, 0], (topic, 1): 5}
    listener.resume([(topic, 0)])
    assert rows(listener, 20, 300) == list(range(position[topic, 0], 10))


def test_all_can_be_paused_and_polls_do_not_wait_for_them(hourly, listen):
    listener = listen()
    assert rows(listener, 3) == [0, 1, 2]
    listener.pause()
    begun = time.monotonic()
    assert listener.poll(1, 100)[0] is None
    assert time.monotonic() - begun < 10
    listener.resume()
    assert rows(listener, 10, 100) == [3, 4, 5, 6, 7, 8, 9]


def test_a_partition_can_be_sought_while_it_is_paused(hourly, listen):
    listener = listen()
    assert rows(listener, 3) == [0, 1, 2]
    listener.pause(hourly)
    listener.seek(hourly, 0, 6)
    assert listener.poll(1, 300)[0] is None
    listener.resume(hourly)
    assert rows(listener, 10, 100) == [6, 7, 8, 9]


def test_a_half_built_batch_of_a_paused_partition_comes_after_resume(hourly, listen):
    listener = listen()
    poll_until_interrupted(listener)
    listener.pause()
    assert listener.poll(1, 300)[0] is None
    listener.resume()
    assert rows(listener, 20, 100) == list(range(10))


def test_a_paused_partition_stays_paused_over_a_rebalance(hourly, listen):
    eager = {"partition.assignment.strategy": "range"}
    first = listen(config={"client.id": "a", **eager})
    assert rows(first, 4) == [0, 1, 2, 3]
    first.pause()
    second = listen(config={"client.id": "b", **eager}, ready_timeout=200)

    seen = until(lambda: first.stats()["rebalances"] == 2 and second.stats()["rebalances"], first, second)

    assert seen == []
    assert first.poll(1, 1000)[0] is None
    first.resume()
    assert rows(first, 6, 500) == [4, 5, 6, 7, 8, 9]


def test_a_partition_of_somebody_else_cannot_be_paused(hourly, listen):
    listener = listen()
    rows(listener, 1)
    for partitions in ([(hourly, 1)], ["other"]):
        with pytest.raises(pykafarr.StateError, match="not assigned"):
            listener.pause(partitions)
        with pytest.raises(pykafarr.StateError, match="not assigned"):
            listener.resume(partitions)


# ---- Which partitions ----


def test_assigned_partitions_are_read_whoever_else_is_in_the_group(cluster, writer, listen, committed):
    topic = cluster.new_topic(3)
    for partition in range(3):
        writer.write(topic, A, numbers(100 * partition, 3), partition)
    first, second = listen(None, assign={topic: [2, 0]}), listen(topic, assign=[(topic, 0)])
    assert first.assignment() == [(topic, 0), (topic, 2)]
    assert sorted(rows(first, 6)) == [0, 1, 2, 200, 201, 202]
    assert rows(second, 3) == [0, 1, 2]
    first.commit()
    assert [committed(topic, partition) for partition in range(3)] == [3, None, 3]
    assert rows(listen(None, assign={topic: [0, 1]}), 3) == [100, 101, 102]


def test_an_assigned_partition_can_be_sought_before_the_first_poll(hourly, listen):
    listener = listen(None, assign={hourly: [0]})
    assert listener.position() == {(hourly, 0): 0}
    listener.seek(hourly, 0, 6)
    assert listener.position() == {(hourly, 0): 6}
    assert rows(listener, 10, 100) == [6, 7, 8, 9]


def test_an_assigned_partition_that_does_not_exist_is_named(hourly, listen):
    listener = listen(None, assign={hourly: [0, 4]}, ready_timeout=1500)
    with pytest.raises(pykafarr.BrokerError, match=rf"{hourly} \(there is no partition 4: it has 1\)"):
        listener.poll(1, 100)


def test_an_assigned_topic_that_does_not_exist_is_named_and_read_once_it_does(cluster, writer, listen):
    topic = cluster.new_name()
    listener = listen(None, assign={topic: [0]}, ready_timeout=1500)
    with pytest.raises(pykafarr.BrokerError, match=topic):
        listener.poll(1, 100)
    cluster.create_topic(topic)
    writer.write(topic, A, numbers(0, 2))
    assert rows(listener, 2) == [0, 1]


def test_a_regex_takes_in_topics_that_are_created_later(cluster, writer, listen):
    name = cluster.new_name("regex")
    plain = cluster.new_topic()
    cluster.create_topic(f"{name}.a")
    writer.write(f"{name}.a", A, numbers(0, 1))
    writer.write(plain, A, numbers(50, 1))
    listener = listen([f"^{name}\\.[a-z]$", plain], config={"topic.metadata.refresh.interval.ms": 300})
    assert sorted(rows(listener, 2)) == [0, 50]
    cluster.create_topic(f"{name}.b")
    writer.write(f"{name}.b", A, numbers(10, 1))
    found = []
    until(lambda: found.extend(rows(listener, 1, 300)) or found)
    assert found == [10]
    assert listener.assignment() == sorted([(plain, 0), (f"{name}.a", 0), (f"{name}.b", 0)])


@pytest.mark.parametrize("protocol", ["classic", "consumer"], ids=["classic", "KIP-848"])
def test_a_regex_finds_the_same_topics_by_either_protocol_and_by_a_scan_and_none_of_the_brokers(
    cluster, writer, listen, protocol
):
    common = cluster.new_name("Regex")
    names = [common + suffix for suffix in (".v1", ".v1-dead", "-v1")]
    for name in names:
        cluster.create_topic(name)
        writer.write(name, A, numbers(0, 1))
    pattern = rf"^(__|(?i:{common.upper()}\W)v\d)"
    listener = listen(pattern, config={"group.protocol": protocol})
    assert rows(listener, 3) == [0, 0, 0]
    assert listener.assignment() == sorted((name, 0) for name in names)
    plan = pykafarr.scan(cluster.servers, pattern, cluster.registry_url)
    assert sorted(plan.partitions["topic"]) == sorted(names)


def test_an_invalid_regex_is_refused(listen):
    with pytest.raises(pykafarr.ConfigError, match=r"\^\(unclosed"):
        listen("^(unclosed")


def test_partitions_that_are_added_under_a_listener_are_read(cluster, writer, hourly, listen):
    listener = listen(start={(hourly, 0): 8}, config={"topic.metadata.refresh.interval.ms": 300})
    assert rows(listener, 2) == [8, 9]
    cluster.admin.create_partitions([NewPartitions(hourly, 2)])[hourly].result(10)
    until(lambda: len(listener.assignment()) == 2 and len(listener.position()) == 2, listener)
    with contextlib.closing(Writer(cluster)) as late:  # the other one still knows one partition
        late.write(hourly, A, numbers(20, 3), 1)
    assert rows(listener, 3) == [20, 21, 22]
    assert listener.position() == {(hourly, 0): 10, (hourly, 1): 3}


# ---- Asking ----


def test_lag_equals_what_the_admin_client_says(cluster, writer, listen):
    topic = cluster.new_topic(2)
    writer.write(topic, A, numbers(0, 7), 0)
    writer.write(topic, A, numbers(100, 3), 1)
    listener = listen(topic)
    listener.poll(1, 5000)
    writer.write(topic, A, numbers(7, 2), 0)
    asked = {TopicPartition(topic, partition): OffsetSpec.latest() for partition in range(2)}
    ends = {key.partition: found.result(10).offset for key, found in cluster.admin.list_offsets(asked).items()}

    lag = listener.lag()

    assert list(lag.columns) == ["topic", "partition", "position", "end", "lag"]
    assert dict(zip(lag["partition"], lag["end"], strict=True)) == ends == {0: 9, 1: 3}
    assert dict(zip(lag["partition"], lag["position"], strict=True)) == {
        partition: offset for (_, partition), offset in listener.position().items()
    }
    assert lag["lag"].sum() == 11
    assert [str(dtype) for dtype in lag.dtypes[1:]] == ["int64"] * 4


def test_lag_before_the_first_poll_is_an_empty_frame_of_the_same_columns(hourly, listen):
    listener = listen()
    empty = listener.lag()
    rows(listener, 1)
    assert len(empty) == 0
    assert list(empty.dtypes.items()) == list(listener.lag().dtypes.items())


def test_committed_equals_what_kafka_s_own_tool_prints(cluster, writer, listen, group):
    topic = cluster.new_topic(3)
    writer.write(topic, A, numbers(0, 7), 0)
    writer.write(topic, A, numbers(100, 3), 1)
    listener = listen(topic, config={"enable.auto.commit": False})
    assert len(rows(listener, 10)) == 10
    listener.seek(topic, 0, 4)
    listener.commit()

    committed = listener.committed()

    assert committed == {(topic, 0): 4, (topic, 1): 3, (topic, 2): None}
    assert described(cluster, group) == {
        (topic, 0): ("4", "7", "3"),
        (topic, 1): ("3", "3", "0"),
        (topic, 2): ("-", "0", "-"),
    }


def described(cluster, group):
    """kafka-consumer-groups --describe: by partition, the committed offset, the end and the lag, as printed."""
    program = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
    printed = cluster.kafka.tool(program, "--describe", "--group", group)
    lines = [line.split() for line in printed.splitlines() if line.startswith(group)]
    return {(line[1], int(line[2])): tuple(line[3:6]) for line in lines}


def test_records_that_are_deleted_under_a_listener_leave_it_where_auto_offset_reset_says(cluster, hourly, listen):
    listener = listen()
    assert rows(listener, 2) == [0, 1]
    listener.pause()
    cluster.admin.delete_records([TopicPartition(hourly, 0, 6)])[TopicPartition(hourly, 0, 6)].result(10)
    listener.resume()
    assert rows(listener, 10, 1000) == [6, 7, 8, 9]


def test_positions_are_asked_for_and_moved_on_a_closed_listener_in_vain(hourly, listen):
    listener = listen()
    listener.close()
    for call in (listener.position, listener.committed, listener.lag, listener.assignment, listener.pause):
        with pytest.raises(pykafarr.ClosedError):
            call()
    with pytest.raises(pykafarr.ClosedError):
        listener.seek(hourly, 0, 1)


def test_a_cluster_that_does_not_answer_is_an_error_after_ready_timeout(listen):
    listener = listen(None, servers=f"{ports.HOST}:{ports.free(1)[0]}", assign={"t": [0]}, ready_timeout=1000)
    for call in (listener.position, listener.committed, listener.lag, lambda: listener.seek("t", 0, "latest")):
        with pytest.raises(pykafarr.BrokerError, match="did not answer within 1s"):
            call()
