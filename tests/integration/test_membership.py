"""Members that stay, are thought dead, or have lost what they want to commit."""

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka import Consumer

import pykafarr
from tests.chaos import listener_kills
from tests.integration.writing import A, numbers
from tests.servers import kafka

STRATEGIES = ["range", "cooperative-sticky"]
# The client looks once a second whether the program still polls.
LATE = {"max.poll.interval.ms": 1500, "session.timeout.ms": 1500, "heartbeat.interval.ms": 200}


class Other:
    """Another member of the group, a thread of confluent-kafka's own consumer, and what it has got."""

    def __init__(self, cluster, group, topic, **config):
        self.consumer = Consumer(
            {"bootstrap.servers": cluster.servers, "group.id": group, "auto.offset.reset": "earliest", **config}
        )
        self.consumer.subscribe([topic])
        self.places = set()
        self.owned = []
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(1)
        self._work = self._pool.submit(self._run)

    def _run(self):
        while not self._stop.is_set():
            message = self.consumer.poll(0.05)
            if message is not None and message.error() is None:
                self.places.add((message.partition(), message.offset()))
            self.owned = [found.partition for found in self.consumer.assignment()]
        self.consumer.close()

    def close(self):
        self._stop.set()
        self._work.result(60)
        self._pool.shutdown()


@pytest.fixture
def other(cluster):
    members = []

    def join(*arguments, **config):
        members.append(Other(cluster, *arguments, **config))
        return members[-1]

    yield join
    for member in members:
        member.close()


def poll_until(listener, done):
    """Polls until something is true; returns the offsets that came."""
    deadline = time.monotonic() + 30
    found = []
    while not done():
        assert time.monotonic() < deadline
        batch = listener.poll_batch(100, 50)
        if batch is not None:
            found += batch.to_arrow().column("_offset").to_pylist()
    return found


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_static_member_that_restarts_keeps_its_partitions_and_repeats_nothing(
    strategy, cluster, writer, group, listen, other
):
    topic = cluster.new_topic(2)
    config = {"partition.assignment.strategy": strategy, "session.timeout.ms": 20_000, "heartbeat.interval.ms": 200}
    stays = other(group, topic, **{"group.instance.id": "stays", **config})
    deadline = time.monotonic() + 30
    while len(stays.owned) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)

    def restarted():
        return listen(topic, config={"group.instance.id": "comes back", **config}, metadata=("partition", "offset"))

    listener = restarted()
    poll_until(listener, lambda: listener.stats()["rebalances"] and len(stays.owned) == 1 and listener.stats()["polls"])
    (theirs,) = stays.owned
    mine = 1 - theirs
    writer.write(topic, A, numbers(0, 5), mine)
    assert list(listener.poll(5, 10_000)[1]["_partition"]) == [mine] * 5
    listener.close()
    writer.write(topic, A, numbers(5, 5), mine)
    time.sleep(1)
    assert stays.owned == [theirs]  # nobody has noticed

    again = restarted()
    assert list(again.poll(5, 10_000)[1]["n"]) == [5, 6, 7, 8, 9]
    assert stays.owned == [theirs]
    assert not {place for place in stays.places if place[0] == mine}
    again.close()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_program_that_polls_too_late_is_told_so_and_loses_nothing(strategy, writer, topic, listen, committed):
    writer.write(topic, A, numbers(0, 10))
    listener = listen(config={**LATE, "partition.assignment.strategy": strategy})
    assert list(listener.poll(4, 10_000)[1]["n"]) == [0, 1, 2, 3]
    time.sleep(3.5)

    found = []
    with pytest.raises(pykafarr.GroupError, match=r"max\.poll\.interval\.ms"):
        found += listener.poll(3, 1000)[1]["n"].tolist()  # rows that were fetched in time may come first
    while len(found) < 6:
        message_type, frame = listener.poll(100, 2000)
        assert message_type is not None
        found += frame["n"].tolist()

    assert found == [4, 5, 6, 7, 8, 9]
    listener.close()
    assert committed() == 10


def test_a_program_that_polls_too_late_repeats_what_another_member_got_meanwhile(
    writer, topic, group, listen, other, committed
):
    writer.write(topic, A, numbers(0, 10))
    listener = listen(config=LATE)
    batch = listener.poll_batch(4, 10_000)
    time.sleep(3.5)  # the group continues without it
    takes_over = other(group, topic)
    deadline = time.monotonic() + 30
    while len(takes_over.places) < 10:
        assert time.monotonic() < deadline
        time.sleep(0.02)

    with pytest.raises(pykafarr.GroupError, match=r"max\.poll\.interval\.ms"):
        listener.poll_batch(100, 1000)
    with pytest.raises(pykafarr.GroupError, match=rf"{topic}\[0\].*not assigned to this listener any more"):
        listener.commit(batch)
    takes_over.close()
    assert committed() == 10  # the late commit has not taken it back
    assert listener.poll_batch(100, 500) is None


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("acknowledge", ["next_poll", "commit"])
def test_a_commit_for_a_lost_partition_is_refused_and_the_others_are_committed(
    strategy, acknowledge, cluster, writer, group, listen, other, committed
):
    topic = cluster.new_topic(2)
    config = {"partition.assignment.strategy": strategy, "heartbeat.interval.ms": 200}
    for partition in range(2):
        writer.write(topic, A, numbers(0, 3), partition)
    listener = listen(topic, config={**config, "enable.auto.commit": False}, acknowledge=acknowledge)
    batch = listener.poll_batch(6, 10_000)
    assert {place.partition for place in batch.ranges} == {0, 1}

    joins = other(group, topic, **config)
    poll_until(listener, lambda: len(joins.owned) == 1)
    (lost,) = joins.owned
    with pytest.raises(pykafarr.GroupError, match="not assigned to this listener any more") as caught:
        listener.commit(batch)

    assert (caught.value.topic, caught.value.partition) == (topic, lost)
    assert committed(topic, 1 - lost) == 3
    deadline = time.monotonic() + 10
    while {offset for partition, offset in joins.places if partition == lost} != {0, 1, 2}:
        assert time.monotonic() < deadline, "the new owner does not get the rows that were not committed"
        time.sleep(0.02)


def test_two_members_with_one_static_name_are_an_error_of_the_group(writer, topic, listen):
    writer.write(topic, A, numbers(0, 1))
    config = {"group.instance.id": "one", "heartbeat.interval.ms": 200}
    first = listen(config=config)
    first.poll(1, 10_000)
    second = listen(config=config)
    with ThreadPoolExecutor(1) as pool:
        polling = pool.submit(second.poll, 1, 1000)
        with pytest.raises(pykafarr.GroupError, match=r"(?i)fenced"):
            poll_until(first, lambda: False)
        polling.result(60)
    calls = [lambda: first.poll(1, 100), lambda: next(first.batches(1, 100))]
    calls += [first.assignment, first.position, first.committed, first.lag, first.commit]
    for call in calls * 2:
        with pytest.raises(pykafarr.GroupError, match=r"the client cannot continue: .*fenced.*open another one"):
            call()
    with pytest.raises(
        pykafarr.GroupError, match="fenced"
    ):  # the row was handed over, and cannot be committed any more
        first.close()  # which must not wait for a group that has thrown it out


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (
            {"session.timeout.ms": 500, "heartbeat.interval.ms": 100},
            r"session\.timeout\.ms is 500, .*group\.min\.session\.timeout\.ms=1000 and .*=1800000",
        ),
        (
            {"session.timeout.ms": 2_000_000, "max.poll.interval.ms": 2_000_000},
            r"session\.timeout\.ms is 2000000, .*group\.max\.session\.timeout\.ms=1800000",
        ),
        ({"group.protocol": "consumer", "group.remote.assignor": "nonsense"}, "assignor"),
    ],
    ids=["a session too short", "a session too long", "an unknown assignor (KIP-848)"],
)
def test_what_the_group_does_not_admit_is_raised_at_once_and_by_every_poll(config, says, topic, listen):
    listener = listen(topic, config=config)
    begun = time.monotonic()
    for _ in range(3):
        with pytest.raises(pykafarr.GroupError, match=says):
            listener.poll(1, 0)
    assert time.monotonic() - begun < 15  # of the 30 s of ready_timeout


@pytest.mark.skipif(kafka.since(4, 0), reason="this broker has groups of KIP-848")
def test_a_broker_without_the_newer_protocol_of_groups_is_reported_by_every_poll(topic, listen):
    listener = listen(topic, config={"group.protocol": "consumer"})
    for _ in range(3):
        with pytest.raises(pykafarr.GroupError, match=r"does not support group\.protocol=consumer \(KIP-848\)"):
            listener.poll(1, 0)


def test_a_member_without_a_strategy_in_common_says_so_until_the_others_have_left(writer, topic, listen):
    writer.write(topic, A, numbers(0, 1))
    first = listen(config={"partition.assignment.strategy": "range"})
    first.poll(1, 10_000)
    second = listen(config={"partition.assignment.strategy": "cooperative-sticky"})
    for _ in range(3):
        with pytest.raises(pykafarr.GroupError, match=r"partition\.assignment\.strategy, which is cooperative-sticky"):
            second.poll(1, 0)
    first.close(commit=False)

    rows, deadline = [], time.monotonic() + 30
    while not rows and time.monotonic() < deadline:
        with contextlib.suppress(pykafarr.GroupError):
            rows = list(second.poll(1, 500)[1].get("n", []))
    assert rows == [0]


@pytest.mark.slow
def test_one_killed_member_does_not_take_its_group_down_on_defaults(cluster):
    found = listener_kills.run(cluster, 1, config={})

    assert (found.verdict.lost, found.ended) == (0, [])
