"""Offsets that are missing from the log: transactions, compaction, deletion. Nothing hangs, nothing is lost."""

import time

import pytest
from confluent_kafka import Producer, TopicPartition

from tests.integration.raw import raw_messages
from tests.integration.writing import A, numbers


@pytest.fixture
def transact(cluster, writer, topic):
    """Writes records in a transaction, which ends as told."""
    producer = Producer({"bootstrap.servers": cluster.servers, "transactional.id": topic, "log_level": 2})
    producer.init_transactions(30)

    def write(records, commit, partition=0):
        producer.begin_transaction()
        for record in records:
            producer.produce(topic, writer.serialize(topic, A, record), partition=partition)
        if commit:
            producer.commit_transaction(30)
        else:
            producer.flush(30)
            producer.abort_transaction(30)

    return write


def test_only_committed_transactions_are_read(transact, listen, committed):
    transact(numbers(0, 5), commit=True)
    transact(numbers(5, 5), commit=False)
    transact(numbers(10, 5), commit=True)
    with listen() as listener:
        _, frame = listener.poll(10, 5000)
        assert list(frame["n"]) == [*range(5), *range(10, 15)]
        assert list(frame["_offset"]) == [*range(5), *range(12, 17)]  # a marker stands after each transaction
        assert listener.poll(1, 200)[0] is None
    assert committed() in (17, 18)  # after the last row, or after its marker

    assert listen().poll(1, 200)[0] is None


def test_aborted_rows_are_read_when_that_is_asked_for(transact, listen):
    transact(numbers(0, 5), commit=True)
    transact(numbers(5, 5), commit=False)

    _, frame = listen(config={"isolation.level": "read_uncommitted"}).poll(10, 5000)

    assert list(frame["n"]) == list(range(10))


def test_a_topic_that_ends_in_an_aborted_transaction_is_ready(transact, listen):
    transact(numbers(0, 5), commit=False)

    assert listen(ready_timeout=10_000).poll(1, 200)[0] is None


def test_compaction_leaves_gaps_and_every_row_that_is_left_is_read(cluster, writer, listen):
    topic = cluster.new_topic(
        cleanup_policy="compact", segment_ms=50, min_cleanable_dirty_ratio=0.001, max_compaction_lag_ms=50
    )
    for round_ in range(3):
        for key in range(5):
            writer.write(topic, A, [{"n": 10 * round_ + key}], key=f"key {key}")
        time.sleep(0.1)
    deadline = time.monotonic() + 20
    while (
        len(left := [message.offset() for message in raw_messages(cluster, topic)]) == 15
        and time.monotonic() < deadline
    ):
        time.sleep(0.1)
    assert len(left) < 15, "the broker has not compacted"

    _, frame = listen(topic).poll(len(left), 5000)

    assert set(left) <= set(range(15))
    assert {20, 21, 22, 23, 24} <= set(frame["n"])
    assert len(frame) <= len(left)  # the cleaner may have gone on meanwhile
    assert list(frame["n"]) == [10 * (offset // 5) + offset % 5 for offset in frame["_offset"]]


def test_deleted_rows_are_passed_over(cluster, writer, topic, listen):
    writer.write(topic, A, numbers(0, 10))
    with listen() as listener:
        listener.poll(3, 5000)
    cluster.admin.delete_records([TopicPartition(topic, 0, 6)])[TopicPartition(topic, 0, 6)].result(10)

    _, frame = listen().poll(100, 1000)  # 3 was committed and is gone: auto.offset.reset decides

    assert list(frame["n"]) == [6, 7, 8, 9]


def test_a_topic_whose_rows_were_all_deleted_is_ready(cluster, writer, topic, listen):
    writer.write(topic, A, numbers(0, 10))
    cluster.admin.delete_records([TopicPartition(topic, 0, -1)])[TopicPartition(topic, 0, -1)].result(10)

    listener = listen(ready_timeout=10_000)
    assert listener.poll(1, 200)[0] is None
    writer.write(topic, A, numbers(10, 1))
    assert list(listener.poll(1, 5000)[1]["n"]) == [10]
