"""Rows that a topic does not take, and a topic that changes while rows are sent to it."""

import datetime as dt
import threading
import time

import pyarrow as pa
import pytest
from confluent_kafka.admin import (
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

import pykafarr
from tests.integration.account import Account, numbered


@pytest.fixture
def out(cluster):
    with pykafarr.producer(cluster.servers, None) as made:
        yield made


def configure(cluster, topic, name, value):
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    cluster.admin.incremental_alter_configs([resource])[resource].result(30)


def test_rows_without_keys_are_named_when_a_compacted_topic_refuses_them(cluster, out):
    account = Account(cluster.new_topic(cleanup_policy="compact"))
    account.send(out, 2, _key=["a", "b"]).wait()
    refused = account.send(out, 5, _key=["a", None, "b", None, "c"])
    with pytest.raises(pykafarr.DeliveryError, match="a compacted topic takes no message without a key"):
        refused.wait()
    (failure,) = refused.failures
    assert [row for row, _ in failure.blamed] == [1, 3]
    account.send(out, 2, _key=["a", "b"]).wait()
    assert account.compare(cluster) == [2, 3, 4, 5, 6]


def test_rows_with_times_that_a_topic_does_not_take_are_named(cluster, out):
    account = Account(cluster.new_topic(message_timestamp_before_max_ms=86_400_000))
    now, old = dt.datetime.now(dt.timezone.utc), dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc)
    refused = account.send(out, 4, _timestamp=pa.array([now, old, now, old], pa.timestamp("ms", "UTC")))
    with pytest.raises(pykafarr.DeliveryError, match=r"message\.timestamp\.before\.max\.ms"):
        refused.wait()
    (failure,) = refused.failures
    assert [row for row, _ in failure.blamed] == [1, 3]
    account.send(out, 2).wait()
    assert account.compare(cluster) == [0, 1, 2, 3]


def test_a_topic_that_takes_smaller_messages_from_now_on_gets_smaller_batches(cluster, out):
    account = Account(cluster.new_topic(3, max_message_bytes=500_000), 3, size=400)
    account.send(out, 600).wait()
    configure(cluster, account.topic, "max.message.bytes", "5000")
    for _ in range(5):
        account.send(out, 3000)
    out.flush()
    assert account.compare(cluster) == []


def test_a_row_that_is_too_large_is_an_error_before_anything_is_sent_or_is_refused_and_named(cluster, out):
    account = Account(cluster.new_topic(max_message_bytes=500_000))
    with pytest.raises(pykafarr.EncodeError, match=r"row 1.*larger than the 500000 bytes"):
        out.send("string", pa.table({"value": ["0", "1" * 600_000]}), account.topic)
    account.send(out, 2).wait()
    configure(cluster, account.topic, "max.message.bytes", "5000")  # of which the producer does not know
    values = [f"{10 + row:0{9000 if row == 2 else 0}d}" for row in range(4)]
    report = out.send("string", pa.table({"value": values}), account.topic)
    with pytest.raises(pykafarr.DeliveryError, match=r"the message is larger than max\.message\.bytes of the topic"):
        report.wait()
    assert [row for failure in report.failures for row in numbered(failure.rows)] == [2]
    assert list(account.messages(cluster)) == [0, 1, 10, 11, 13]
    with pytest.raises(pykafarr.EncodeError, match=r"row 0.*larger than the 5000 bytes"):  # by now it does
        out.send("string", pa.table({"value": ["1" * 9000]}), account.topic)


@pytest.mark.parametrize("compression", ["none", "lz4"])
def test_a_topic_with_the_brokers_times_keeps_order_and_offsets(cluster, compression):
    account = Account(cluster.new_topic(2, message_timestamp_type="LogAppendTime"), 2)
    begun = time.time() * 1000
    old = dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc)
    with pykafarr.producer(cluster.servers, None, config={"compression.type": compression}) as out:
        for _ in range(3):
            account.send(out, 500, _timestamp=pa.array([old] * 500, pa.timestamp("ms", "UTC")))
    assert account.compare(cluster) == []
    for partition in range(2):
        kinds = {message.timestamp()[0] for message in account.messages(cluster, partition).values()}
        times = [message.timestamp()[1] for message in account.messages(cluster, partition).values()]
        assert kinds == {2}  # LogAppendTime
        assert begun - 1000 < min(times)


def test_a_topic_that_was_just_created_is_written_to_at_once(cluster, out):
    accounts = [Account(cluster.new_name()) for _ in range(50)]
    for account in accounts:
        cluster.admin.create_topics([NewTopic(account.topic, 1, 1)])[account.topic].result(30)
        account.send(out, 4)
    out.flush()
    assert [account.reports[0][1].written for account in accounts] == [4] * 50
    assert [account.compare(cluster) for account in accounts[::10]] == [[]] * 5


def test_rows_for_a_topic_that_is_created_meanwhile_wait_for_it(cluster, out):
    account = Account(cluster.new_name())
    timer = threading.Timer(1, cluster.create_topic, [account.topic])
    timer.start()
    account.send(out, 2).wait()
    timer.join()
    assert account.compare(cluster) == []


def test_rows_are_not_written_to_a_topic_that_was_created_again_until_the_producer_knows_of_it(cluster, out):
    old = Account(cluster.new_topic(2), 2)
    old.send(out, 10).wait()
    cluster.admin.delete_topics([old.topic])[old.topic].result(30)
    deadline = time.monotonic() + 20
    while old.topic in cluster.admin.list_topics(timeout=10).topics:
        assert time.monotonic() < deadline
    cluster.create_topic(old.topic, 2)
    new = Account(old.topic, 2)
    report = new.send(out, 4)
    with pytest.raises(pykafarr.DeliveryError, match="was deleted and created again") as caught:
        report.wait()
    assert caught.value.topic == old.topic
    assert {type(failure.error) for failure in report.failures} == {pykafarr.TopicNotFoundError}
    for _ in range(3):
        new.send(out, 4).wait()
    assert new.compare(cluster) == [0, 1, 2, 3]


def test_a_topic_that_was_deleted_is_an_error_and_one_of_that_name_is_written_to(cluster, out):
    account = Account(cluster.new_topic())
    account.send(out, 2).wait()
    cluster.admin.delete_topics([account.topic])[account.topic].result(30)
    refused = out.send("string", pa.table({"value": ["1"]}), account.topic)
    with pytest.raises(pykafarr.DeliveryError, match="the cluster does not have the topic"):
        refused.wait()
    with pytest.raises(pykafarr.TopicNotFoundError):
        out.send("string", pa.table({"value": ["1"]}), account.topic)
    cluster.create_topic(account.topic)
    again = Account(account.topic)
    again.send(out, 2).wait()
    assert again.compare(cluster) == []


def test_partitions_that_were_added_to_a_topic_are_written_to(cluster, out):
    topic = cluster.new_topic(1)
    account = Account(topic)
    account.send(out, 2).wait()
    cluster.admin.create_partitions([NewPartitions(topic, 3)])[topic].result(30)
    frame = pa.table({"value": ["a", "b", "c"], "_partition": [0, 1, 2]})
    assert out.send("string", frame, topic, wait=True).written == 3
    with pytest.raises(pykafarr.EncodeError, match=r"row 1.*3.*is no partition of the topic .*, which has 3"):
        out.send("string", pa.table({"value": ["a", "b"], "_partition": [0, 3]}), topic)
