"""Consume, transform, produce on a real broker: rows and the offsets that they were made of are committed together."""

import contextlib
import threading
import time

import pyarrow as pa
import pytest

import pykafarr
from tests.chaos import copier_kills
from tests.integration.test_groups import PROTOCOLS
from tests.integration.writing import A, numbers

OURS = {"enable.auto.commit": False}


@pytest.fixture
def target(cluster):
    return cluster.new_topic()


@pytest.fixture
def copies(cluster, target):
    """The rows of the target, once there are so many: their markers are written after the commit is answered."""

    def read(count):
        deadline = time.monotonic() + 10
        while True:
            with pykafarr.scan(cluster.servers, target, cluster.registry_url, metadata=()).read() as stream:
                tables = stream.to_arrow()
            found = tables["com.example.A"]["n"].to_pylist() if tables else []
            if len(found) >= count or time.monotonic() > deadline:
                return sorted(found)
            time.sleep(0.05)

    return read


@pytest.fixture
def out(cluster, topic):
    with pykafarr.producer(cluster.servers, cluster.registry_url, transactional_id=topic) as made:
        yield made


@pytest.fixture(params=PROTOCOLS.values(), ids=PROTOCOLS)
def member(request, listen):
    """Opens a member of the group, of each protocol."""

    def open_member(topic, **options):
        return listen(topic, config={**request.param, **OURS}, acknowledge="commit", **options)

    return open_member


def copy(out, target, *batches, then=lambda: None):
    with out.transaction() as t:
        for batch in batches:
            t.send("com.example.A", pa.table({"n": batch.to_arrow()["n"]}), target, schema=A, register=True)
            t.commit_offsets(batch)
        then()


def test_a_transaction_commits_rows_and_offsets_or_neither(member, topic, target, writer, out, copies, committed):
    writer.write(topic, A, numbers(0, 4))
    with member(topic) as listener:
        first = listener.poll_batch(2, 10_000)
        second = listener.poll_batch(2, 10_000)
        copy(out, target, first)
        assert (copies(2), committed()) == ([0, 1], 2)

        with contextlib.suppress(ZeroDivisionError):
            copy(out, target, second, then=lambda: 1 // 0)
        assert (copies(2), committed()) == ([0, 1], 2)

        copy(out, target, second)  # once more
        assert (copies(4), committed()) == ([0, 1, 2, 3], 4)

        writer.write(topic, A, numbers(4, 1))
        with out.transaction() as t:  # offsets alone
            t.commit_offsets(listener.poll_batch(1, 10_000))
        assert committed() == 5
        with out.transaction() as t:  # rows alone
            t.send("com.example.A", pa.table({"n": [100]}), target)
        with out.transaction():  # nothing
            pass
        assert (copies(5), committed()) == ([0, 1, 2, 3, 100], 5)
    with member(topic) as listener:
        writer.write(topic, A, numbers(5, 1))
        assert list(listener.poll(10, 1000)[1]["n"]) == [5]


def test_after_a_rebalance_the_rows_are_read_and_written_by_their_new_owner_alone(
    member, cluster, target, writer, out, copies, committed
):
    topic = cluster.new_topic(2)
    for partition in range(2):
        writer.write(topic, A, numbers(10 * partition, 2), partition)
    first = member(topic)
    batches = [first.poll_batch(4, 10_000)]
    while sum(batch.num_rows for batch in batches) < 4:
        batches.append(first.poll_batch(4, 10_000))

    second, stop = member(topic), threading.Event()

    def polled():
        while not stop.is_set():
            first.poll_batch(1, 50)

    thread = threading.Thread(target=polled)
    thread.start()
    try:
        others = second.poll_batch(2, 30_000)
    finally:
        stop.set()
        thread.join()
    with pytest.raises(pykafarr.GroupError, match="reads the rows from offset 0 on again"):
        copy(out, target, *batches)
    copy(out, target, others)

    for partition in range(2):  # what is still the first one's comes again
        if (topic, partition) in first.assignment():
            first.seek(topic, partition, "committed")
    copy(out, target, first.poll_batch(2, 10_000))
    assert copies(4) == [0, 1, 10, 11]
    assert [committed(topic, partition) for partition in range(2)] == [2, 2]


def test_a_partition_that_stays_over_a_rebalance_is_committed(cluster, target, writer, out, listen, copies, committed):
    topic = cluster.new_topic(2)
    for partition in range(2):
        writer.write(topic, A, numbers(10 * partition, 2), partition)
    config = {**PROTOCOLS["cooperative"], **OURS}
    first = listen(topic, config=config, acknowledge="commit")
    batches = [first.poll_batch(2, 10_000), first.poll_batch(2, 10_000)]
    second, stop = listen(topic, config=config, acknowledge="commit"), threading.Event()

    def polled():
        while not stop.is_set():
            first.poll_batch(1, 50)

    thread = threading.Thread(target=polled)
    thread.start()
    try:
        second.poll_batch(2, 30_000)
    finally:
        stop.set()
        thread.join()
    ((_, mine),) = first.assignment()
    (kept,) = [batch for batch in batches if [place.partition for place in batch.ranges] == [mine]]
    copy(out, target, kept)  # the generation is another one by now
    assert committed(topic, mine) == 2
    assert copies(2) == kept.to_arrow()["n"].to_pylist()


@pytest.mark.parametrize("protocol", ["cooperative", "KIP-848"])
def test_a_member_that_was_thrown_out_commits_nothing(protocol, topic, target, writer, out, listen, copies, committed):
    writer.write(topic, A, numbers(0, 2))
    late = {**PROTOCOLS[protocol], **OURS, "max.poll.interval.ms": 1500}
    if protocol == "cooperative":
        late |= {"session.timeout.ms": 1500, "heartbeat.interval.ms": 200}
    with listen(config=late, acknowledge="commit") as listener:
        batch = listener.poll_batch(2, 10_000)
        time.sleep(3.5)  # the client looks once a second whether the program polls
        with pytest.raises(pykafarr.GroupError, match="the transaction is aborted"):
            copy(out, target, batch)  # the listener has not heard of it
        assert committed() is None
        with pytest.raises(pykafarr.GroupError, match=r"max\.poll\.interval\.ms"):
            listener.poll_batch(2, 10_000)
        again = listener.poll_batch(2, 10_000)  # it has joined again, and begins at the committed offset
        copy(out, target, again)
        assert (copies(2), committed()) == ([0, 1], 2)


def test_copiers_that_are_killed_write_each_row_once(cluster):
    found = copier_kills.run(cluster, 3)
    assert found.clean, found
    assert found.written > 0
