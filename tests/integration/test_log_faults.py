"""The log changes under a listener: records deleted before they were read, topics re-created, batches that expand."""

import contextlib
import gc
import logging
import threading
import time
from collections import Counter

import psutil
import pytest
from confluent_kafka import Producer, TopicPartition

import pykafarr
from pykafarr._batches.batch import Event
from tests.integration.writing import A, B, numbers


@pytest.fixture
def delete_before(cluster, topic):
    """Deletes the records before an offset, as retention does."""

    def delete(offset):
        partition = TopicPartition(topic, 0, offset)
        cluster.admin.delete_records([partition])[partition].result(10)

    return delete


def missing(batch):
    """Its events that tell of rows which did not come."""
    return [event for event in batch.events if event.kind in ("offset_reset", "log_went_back")]


def test_an_assignment_is_an_event_of_the_first_batch(writer, topic, listen):
    writer.write(topic, A, numbers(0, 2))
    listener = listen()

    assert listener.poll_batch(1, 5000).events == [Event("assigned", topic, 0, None, None)]
    assert listener.poll_batch(1, 5000).events == []


def test_records_deleted_before_a_restart_are_an_event_and_a_log_line(writer, topic, listen, delete_before, caplog):
    writer.write(topic, A, numbers(0, 10))
    with listen() as listener:
        listener.poll(3, 5000)
    delete_before(6)

    with caplog.at_level(logging.WARNING, "pykafarr"):
        batch = listen().poll_batch(100, 1000)

    assert batch.to_arrow().column("n").to_pylist() == [6, 7, 8, 9]
    assert missing(batch) == [Event("offset_reset", topic, 0, 3, 6)]
    assert f"{topic}[0]: offset 3 is not in the log any more: reading continues at 6" in caplog.text


def test_records_deleted_while_a_partition_is_paused_are_an_event(writer, topic, listen, delete_before):
    writer.write(topic, A, numbers(0, 10))
    listener = listen()
    listener.poll(3, 5000)
    listener.pause()
    delete_before(6)
    listener.resume()

    batch = listener.poll_batch(100, 2000)

    assert batch.to_arrow().column("n").to_pylist() == [6, 7, 8, 9]
    assert missing(batch) == [Event("offset_reset", topic, 0, 3, 6)]


def test_with_reset_to_error_a_deleted_offset_raises_with_both_ends_and_start_goes_on(
    writer, topic, listen, delete_before
):
    writer.write(topic, A, numbers(0, 10))
    with listen() as listener:
        listener.poll(3, 5000)
    delete_before(6)
    listener = listen(config={"auto.offset.reset": "error"})

    with pytest.raises(
        pykafarr.BrokerError, match="offset 3 is not in the log: the log begins at 6 and ends"
    ) as caught:
        listener.poll(100, 5000)
    listener.close()

    assert (caught.value.topic, caught.value.partition, caught.value.offset) == (topic, 0, 3)
    assert str(caught.value).endswith(
        "with start= (fetch failed due to requested offset not available on the broker: "
        "Broker: Offset out of range (broker 1))"
    )
    elsewhere = listen(config={"auto.offset.reset": "error"}, start="earliest")
    assert list(elsewhere.poll(4, 5000)[1]["n"]) == [6, 7, 8, 9]


WAYS = {
    "eager": {"partition.assignment.strategy": "range"},
    "cooperative": {"partition.assignment.strategy": "cooperative-sticky"},
    "KIP-848": {"group.protocol": "consumer"},
    "assign=": {},
}


@pytest.mark.parametrize("way", WAYS)
def test_with_reset_to_error_a_seek_goes_on_and_the_other_partitions_miss_and_repeat_nothing(
    way, cluster, writer, listen
):
    topic = cluster.new_topic(partitions=2)
    writer.write(topic, A, numbers(0, 10))
    writer.write(topic, A, numbers(100, 10), 1)
    with listen(None, assign={topic: [0]}) as before:
        before.poll(3, 5000)
    partition = TopicPartition(topic, 0, 6)
    cluster.admin.delete_records([partition])[partition].result(10)
    listener = listen(
        *((None,) if way == "assign=" else (topic,)),
        assign={topic: [0, 1]} if way == "assign=" else None,
        config=WAYS[way] | {"auto.offset.reset": "error"},
        start={(topic, 1): "earliest"},
    )
    rows = Counter()
    with pytest.raises(pykafarr.BrokerError, match="offset 3 is not in the log"):
        poll_on(listener, rows)

    for again in range(2):  # once from where the fetcher has stopped, once more from where it has not
        rows.subtract(range(6, 10 if again else 6))
        listener.seek(topic, 0, "earliest")
        writer.write(topic, A, numbers(110 + again, 1), 1)
        poll_on(listener, rows, lambda last=110 + again: rows[9] and rows[last])
    assert len(listener.poll(100, 500)[1]) == 0

    assert +rows == Counter([6, 7, 8, 9, *range(100, 112)])
    listener.commit()
    assert listener.committed() == {(topic, 0): 10, (topic, 1): 12}


def poll_on(listener, rows, over=lambda: False):
    deadline = time.monotonic() + 20
    while not over():
        assert time.monotonic() < deadline, rows
        message_type, frame = listener.poll(3, 500)
        if message_type:
            rows.update(frame["n"])


def test_a_topic_that_is_created_anew_is_read_from_its_beginning_and_an_event_says_so(cluster, writer, topic, listen):
    writer.write(topic, A, numbers(0, 10))
    listener = listen(config={"topic.metadata.refresh.interval.ms": 300})
    assert len(listener.poll(10, 5000)[1]) == 10
    cluster.admin.delete_topics([topic])[topic].result(10)
    with contextlib.suppress(pykafarr.BrokerError):  # it may say that the topic is gone
        listener.poll(1, 1000)
    cluster.create_topic(topic)
    writer.write(topic, A, numbers(100, 3))

    rows, events = [], []
    deadline = time.monotonic() + 20
    while len(rows) < 3 and time.monotonic() < deadline:
        with contextlib.suppress(pykafarr.BrokerError):
            if batch := listener.poll_batch(3, 500):
                rows += batch.to_arrow().column("n").to_pylist()
                events += missing(batch)

    assert rows == [100, 101, 102]
    assert events == [Event("log_went_back", topic, 0, 10, 0)]


@pytest.mark.parametrize("assign", [False, True])
def test_a_deleted_topic_is_named_while_it_is_gone_and_the_other_topics_are_read_on(
    cluster, writer, topic, listen, assign
):
    other = cluster.new_topic()
    writer.write(topic, A, numbers(0, 2))
    writer.write(other, A, numbers(100, 1))
    listener = listen([topic, other]) if not assign else listen(None, assign={topic: [0], other: [0]})
    rows = []
    deadline = time.monotonic() + 20
    while len(rows) < 3 and time.monotonic() < deadline:
        rows += list(listener.poll(1, 500)[1].get("n", []))
    listener.commit()
    cluster.admin.delete_topics([other])[other].result(10)

    until_gone(listener, other)
    with pytest.raises(pykafarr.BrokerError, match=f"^{other}: the topic was deleted"):
        listener.poll(1, 100)
    assert listener.lag()[["topic", "lag"]].to_numpy().tolist() == [[topic, 0]]
    writer.write(topic, A, numbers(2, 1))
    assert list(listener.poll(1, 5000)[1]["n"]) == [2]
    cluster.create_topic(other)
    writer.write(other, A, numbers(200, 3))
    rows = []
    deadline = time.monotonic() + 20
    while len(rows) < 3 and time.monotonic() < deadline:
        with contextlib.suppress(pykafarr.BrokerError):  # until the next look at the topics
            rows += list(listener.poll(10, 500)[1].get("n", []))
    assert rows[-3:] == [200, 201, 202]


def until_gone(listener, topic):
    """Polls until an error names the topic."""
    deadline, error = time.monotonic() + 20, None
    while error is None and time.monotonic() < deadline:
        error = raised_by_poll(listener)
    assert error is not None
    assert error.topic == topic


def raised_by_poll(listener):
    try:
        listener.poll(1, 100)
    except pykafarr.BrokerError as error:
        return error.with_traceback(None)
    return None


def test_close_names_the_deleted_topic_whose_offsets_cannot_be_committed(cluster, writer, topic, listen, committed):
    other = cluster.new_topic()
    listener = listen([topic, other], config={"auto.commit.interval.ms": 600_000})
    for name in (topic, other):
        writer.write(name, A, numbers(0, 1))
        assert len(listener.poll(1, 5000)[1]) == 1
    cluster.admin.delete_topics([other])[other].result(10)
    until_gone(listener, other)

    with pytest.raises(pykafarr.BrokerError, match=f"{other}.* commit of offset 1: the topic was deleted"):
        listener.close()
    assert committed() == 1


@pytest.mark.parametrize("config", [{}, {"enable.partition.eof": True, "allow.auto.create.topics": True}])
def test_a_recreated_topic_that_has_grown_past_the_position_is_read_from_its_beginning(
    cluster, writer, topic, listen, committed, config
):
    writer.write(topic, A, numbers(0, 3))
    with listen(config=config) as listener:
        assert len(listener.poll(3, 5000)[1]) == 3
        listener.poll(1, 1000)  # the topic is known by now
        cluster.admin.delete_topics([topic])[topic].result(10)
        assert committed() is None  # the group forgets the offsets of a deleted topic
        cluster.create_topic(topic)
        writer.write(topic, A, numbers(100, 5))
        rows, events = [], []
        deadline = time.monotonic() + 20
        while 100 not in rows and time.monotonic() < deadline:
            with contextlib.suppress(pykafarr.BrokerError):
                if batch := listener.poll_batch(10, 500):
                    rows += batch.to_arrow().column("n").to_pylist()
                    events += missing(batch)

        assert rows[-5:] == [100, 101, 102, 103, 104]
        assert [(event.kind, event.new) for event in events] == [("log_went_back", 0)]
    assert committed() == 5


def until_known(listener, partition, want):
    """Polls until the position is known; nothing may come."""
    deadline = time.monotonic() + 20
    while listener.position().get(partition) != want and time.monotonic() < deadline:
        with contextlib.suppress(pykafarr.BrokerError):  # it may say that the topic is gone
            assert listener.poll(1, 100)[0] is None
    assert listener.position() == {partition: want}


def test_position_and_lag_follow_a_reset_before_there_is_a_row(writer, topic, listen, delete_before, committed):
    writer.write(topic, A, numbers(0, 10))
    with listen() as listener:
        listener.poll(3, 5000)
    delete_before(10)

    with listen() as listener:
        until_known(listener, (topic, 0), 10)
        assert listener.lag()["lag"].tolist() == [0]
    assert committed() == 10


@pytest.fixture
def write_one_batch(cluster, writer, topic):
    """Writes so many messages of a megabyte that are all alike, as one batch of some kilobytes."""
    options = {
        "compression.type": "zstd",
        "linger.ms": 5000,
        "batch.size": 500_000_000,
        "message.max.bytes": 500_000_000,
    }
    producer = Producer({"bootstrap.servers": cluster.servers, "queue.buffering.max.kbytes": 1_000_000, **options})

    def write(count):
        value = writer.serialize(topic, B, {"text": "a" * 1_000_000})
        for _ in range(count):
            producer.produce(topic, value)
        assert producer.flush(60) == 0

    return write


@contextlib.contextmanager
def peak_memory():
    """The growth of the resident memory, in MB, at its height: a list that is filled at the end."""
    process, over, grown = psutil.Process(), threading.Event(), []
    gc.collect()
    before = highest = process.memory_info().rss

    def watch():
        nonlocal highest
        while not over.wait(0.002):
            highest = max(highest, process.memory_info().rss)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield grown
    finally:
        over.set()
        watching.join()
        grown.append((highest - before) / 1e6)


def test_a_batch_that_expands_a_thousand_times_is_read(write_one_batch, listen):
    write_one_batch(30)
    listener, rows = listen(), 0

    while rows < 30:
        batch = listener.poll_batch(5, 10_000)
        rows += batch.num_rows
        del batch


def test_a_batch_that_expands_beyond_the_bound_is_an_error_that_names_it_and_takes_no_more(
    write_one_batch, writer, topic, listen
):
    write_one_batch(200)
    writer.write(topic, A, numbers(0, 1))
    listener = listen()
    with peak_memory() as grown, pytest.raises(pykafarr.BrokerError, match=r"receive\.message\.max\.bytes") as caught:
        listener.poll(300, 10_000)
    assert (caught.value.topic, caught.value.offset) == (topic, 0)
    assert grown[0] < 200

    listener.seek(topic, 0, 200)
    assert list(rows_behind_errors(listener)["n"]) == [0]

    listener = listen(config={"receive.message.max.bytes": 1_000_000_000}, group=topic)
    assert listener.poll_batch(3, 20_000).num_rows == 3


def rows_behind_errors(listener):
    """The next frame: what the client fetched before a seek may still be told."""
    with contextlib.suppress(pykafarr.BrokerError):
        return listener.poll(1, 5000)[1]
    return listener.poll(1, 5000)[1]
