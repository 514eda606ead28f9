"""on_assign and on_revoke against a real group: told in time, while rows can still be committed."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import pykafarr
from pykafarr import TopicPartition
from tests.integration.writing import A, numbers

QUICK = {"session.timeout.ms": 6000, "heartbeat.interval.ms": 200}
PROTOCOLS = {
    "eager": {**QUICK, "partition.assignment.strategy": "range"},
    "cooperative": {**QUICK, "partition.assignment.strategy": "cooperative-sticky"},
    "KIP-848": {"group.protocol": "consumer"},
}
PARTITIONS = 2
ROWS = 100  # of each partition


@pytest.fixture
def topic(cluster, writer):
    """A new topic with rows in each of its partitions."""
    name = cluster.new_topic(PARTITIONS)
    for partition in range(PARTITIONS):
        writer.write(name, A, numbers(ROWS * partition, ROWS), partition)
    return name


class Told:
    """What a listener's callables were told, and which partitions it has by that."""

    def __init__(self):
        self.calls = []
        self.now = set()

    def on_assign(self, partitions):
        assert partitions
        assert not self.now & set(partitions)
        self.calls.append(("assigned", sorted(partitions)))
        self.now |= set(partitions)

    def on_revoke(self, partitions, lost):
        assert partitions
        assert self.now >= set(partitions)
        self.calls.append(("lost" if lost else "revoked", sorted(partitions)))
        self.now -= set(partitions)

    @property
    def callables(self):
        return {"on_assign": self.on_assign, "on_revoke": self.on_revoke}


def rows_of(batch):
    columns = batch.to_arrow().to_pydict()
    return list(zip(columns["_partition"], columns["_offset"], strict=True))


def until(done, poll, seconds=40):
    """Polls until something has happened."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not happen"
        poll()


def whole(topic):
    return [TopicPartition(topic, partition) for partition in range(PARTITIONS)]


@pytest.mark.parametrize("config", PROTOCOLS.values(), ids=PROTOCOLS)
def test_on_assign_lists_the_partitions_before_their_first_row_and_close_gives_them_back(config, topic, listen):
    told = Told()
    listener = listen(config=config, **told.callables)
    assert told.calls == []
    assert len(listener.poll_batch(1, 10000)) == 1
    assert told.calls == [("assigned", whole(topic))]
    listener.close()
    assert told.calls[1:] == [("revoked", whole(topic))]


@pytest.mark.parametrize("config", PROTOCOLS.values(), ids=PROTOCOLS)
def test_a_seek_in_on_assign_comes_before_the_first_row(config, topic, listen):
    def on_assign(partitions):
        assert listener.assignment() == partitions
        for partition in partitions:
            listener.seek(*partition, ROWS - 10)

    listener = listen(config=config, on_assign=on_assign, metadata=("partition", "offset"))
    rows = []
    until(lambda: len(rows) >= PARTITIONS * 10, lambda: rows.extend(rows_of(listener.poll_batch(1000, 2000))))
    assert sorted(rows) == [(part, row) for part in range(PARTITIONS) for row in range(ROWS - 10, ROWS)]


class Polled:
    """A listener that a thread polls while the block runs; rows is what came."""

    def __init__(self, listener):
        self.listener = listener
        self.rows = []
        self._leaving = threading.Event()

    def _poll(self):
        while not self._leaving.is_set():
            batch = self.listener.poll_batch(1000, 50)
            if batch is not None:
                self.rows += rows_of(batch)

    def __enter__(self):
        self._pool = ThreadPoolExecutor(1)
        self._work = self._pool.submit(self._poll)
        return self

    def __exit__(self, *_):
        self._leaving.set()
        with self._pool:
            self._work.result(30)


@pytest.mark.parametrize("config", PROTOCOLS.values(), ids=PROTOCOLS)
def test_what_on_revoke_commits_is_not_repeated_by_the_new_owner(config, topic, listen, writer):
    """Nothing is committed but what on_revoke commits: the new owner begins right there."""
    told, second_told = Told(), Told()
    batches, rows = [], []  # batches: not committed yet

    def on_revoke(partitions, lost):
        assert not lost
        while batches:
            first.commit(batches.pop())
        told.on_revoke(partitions, lost)

    def poll_first():
        batch = first.poll_batch(25, 50)
        if batch is not None:
            batches.append(batch)
            rows.extend(rows_of(batch))

    options = {
        "config": {**config, "enable.auto.commit": False},
        "acknowledge": "commit",
        "metadata": ("partition", "offset"),
    }
    first = listen(**options, on_assign=told.on_assign, on_revoke=on_revoke)
    until(lambda: len(rows) == PARTITIONS * ROWS, poll_first)
    with Polled(listen(**options, **second_told.callables)) as second:
        until(lambda: second_told.now and told.now, poll_first)
        for partition in range(PARTITIONS):
            writer.write(topic, A, numbers(1000, 10), partition)
        until(lambda: len(rows) + len(second.rows) >= PARTITIONS * (ROWS + 10), poll_first)
        assert sorted(rows + second.rows) == [(part, row) for part in range(PARTITIONS) for row in range(ROWS + 10)]
        assert len(second.rows) == 10
    assert any(name == "revoked" for name, _ in told.calls)


@pytest.mark.parametrize("config", PROTOCOLS.values(), ids=PROTOCOLS)
@pytest.mark.parametrize("automatic", [True, False], ids=["auto-commit", "no auto-commit"])
def test_a_revocation_commits_what_was_acknowledged_only_with_auto_commit(config, automatic, topic, listen, committed):
    """The interval is out of reach, so what is committed was committed by the revocation."""
    told, second_told, before = Told(), Told(), []

    def ask():
        return [committed(topic, partition) for partition in range(PARTITIONS)]

    def on_revoke(partitions, lost):
        told.on_revoke(partitions, lost)
        if not before:  # close() calls it too
            before.extend(ask())

    options = {
        "config": {**config, "enable.auto.commit": automatic, "auto.commit.interval.ms": 3_600_000},
        "metadata": ("partition", "offset"),
    }
    first = listen(**options, on_assign=told.on_assign, on_revoke=on_revoke)
    rows = []
    until(lambda: len(rows) == PARTITIONS * ROWS, lambda: rows.extend(rows_of(first.poll_batch(1000, 1000))))
    with Polled(listen(**options, **second_told.callables)) as second:
        until(lambda: second_told.now and told.now, lambda: first.poll_batch(1000, 50))
        (moved,) = second_told.now
        if automatic:
            assert ask()[moved.partition] == ROWS
            time.sleep(1)
            assert second.rows == []
        else:
            until(lambda: len(second.rows) >= ROWS, lambda: first.poll_batch(1000, 50))
            assert ask() == [None] * PARTITIONS
    assert before == [None] * PARTITIONS  # on_revoke comes first


@pytest.mark.parametrize("config", PROTOCOLS.values(), ids=PROTOCOLS)
def test_partitions_are_lost_when_polls_come_too_late(config, topic, listen):
    told, batches = Told(), []

    def on_revoke(partitions, lost):
        told.on_revoke(partitions, lost)
        if not lost:  # but closed
            return
        with pytest.raises(pykafarr.GroupError, match="not assigned to this listener any more"):
            listener.commit(batches.pop())

    session = {} if "group.protocol" in config else {"session.timeout.ms": 6000}
    config = {**config, **session, "max.poll.interval.ms": 6000}
    listener = listen(config=config, on_assign=told.on_assign, on_revoke=on_revoke)
    batches.append(listener.poll_batch(1, 10000))
    time.sleep(8)
    with pytest.raises(pykafarr.GroupError, match="maximum poll interval"):
        until(lambda: False, lambda: listener.poll_batch(1, 50))
    until(lambda: len(told.calls) > 2, lambda: listener.poll_batch(1, 50))
    assert told.calls[:3] == [("assigned", whole(topic)), ("lost", whole(topic)), ("assigned", whole(topic))]
    assert batches == []


@pytest.mark.parametrize("config", PROTOCOLS.values(), ids=PROTOCOLS)
def test_an_exception_of_on_revoke_comes_out_of_poll_and_the_group_goes_on(config, topic, listen):
    told, second_told = Told(), Told()

    def on_revoke(partitions, lost):
        told.on_revoke(partitions, lost)
        raise LookupError(partitions[0].topic)

    first = listen(config=config, on_assign=told.on_assign, on_revoke=on_revoke)
    first.poll_batch(1, 10000)
    with Polled(listen(config=config, metadata=("partition", "offset"), **second_told.callables)):
        with pytest.raises(LookupError, match=topic):
            until(lambda: False, lambda: first.poll_batch(10, 50))
        until(lambda: second_told.now and told.now, lambda: first.poll_batch(10, 50))
        assert told.now | second_told.now == set(whole(topic))
        with pytest.raises(LookupError, match=topic):
            first.close()
        until(lambda: len(second_told.now) == PARTITIONS, lambda: time.sleep(0.05))


# ---- Offsets that are kept elsewhere ----


@pytest.fixture
def many(cluster, writer):
    """A topic of 20 partitions with four rows each, to which nothing more is written."""
    name = cluster.new_topic(20)
    for partition in range(20):
        writer.write(name, A, numbers(0, 4), partition)
    return name


def by_return(_listener, partitions):
    return dict.fromkeys(partitions, 2)


def by_seek(listener, partitions):
    listener.seek(dict.fromkeys(partitions, 2))


def by_seeks(listener, partitions):
    for partition in partitions:
        listener.seek(*partition, 2)


@pytest.mark.parametrize(
    ("protocol", "place"),
    [*((protocol, by_return) for protocol in PROTOCOLS), ("eager", by_seek), ("cooperative", by_seeks)],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_no_row_from_before_the_place_of_on_assign_comes_in_any_of_many_opens(cluster, many, listen, protocol, place):
    busy, leave = cluster.new_topic(), threading.Event()

    def load():
        with pykafarr.listener(cluster.servers, "load", busy, None, value="bytes", start="latest") as other:
            while not leave.is_set():
                other.poll(1, 10)

    with ThreadPoolExecutor(3) as pool:
        for _ in range(3):
            pool.submit(load)
        try:
            for _ in range(3):
                begun = time.monotonic()
                listener = listen(
                    many,
                    group=cluster.new_name("group"),
                    config=PROTOCOLS[protocol],
                    metadata=("partition", "offset"),
                    on_assign=lambda partitions: place(listener, partitions),  # noqa: B023
                )
                rows, events, more = [], [], 3  # polls after the last row that is due
                while more and time.monotonic() - begun < 20:
                    batch = listener.poll_batch(1000, 100)
                    if batch is not None:
                        rows += rows_of(batch)
                        events += [event.kind for event in batch.events]
                    more -= len(rows) >= 40
                listener.close()
                assert sorted(rows) == [(part, row) for part in range(20) for row in (2, 3)]
                assert set(events) == {"assigned"}
                assert time.monotonic() - begun < 25
        finally:
            leave.set()


def test_the_places_of_200_partitions_are_one_step(cluster, listen):
    topic = cluster.new_topic(200)
    listener = listen(topic, on_assign=lambda partitions: dict.fromkeys(partitions, "latest"))
    begun = time.monotonic()
    assert listener.poll(1, 100)[0] is None
    assert len(listener.assignment()) == 200
    listener.seek(dict.fromkeys(listener.assignment(), "earliest"))
    assert time.monotonic() - begun < 20  # one after the other took 117 s


@pytest.mark.parametrize("place", [by_return, by_seek], ids=lambda place: place.__name__)
def test_on_assign_places_partitions_of_a_group_without_commits_whose_reset_is_an_error(many, listen, place):
    listener = listen(
        many,
        config={"auto.offset.reset": "error"},
        metadata=("partition", "offset"),
        on_assign=lambda partitions: place(listener, partitions),
    )
    rows = []
    until(lambda: len(rows) >= 40, lambda: rows.extend(rows_of(listener.poll_batch(1000, 1000))))
    assert sorted(rows) == [(part, row) for part in range(20) for row in (2, 3)]


def test_a_place_that_is_not_in_the_log_is_an_error_until_on_assign_names_another(topic, listen, committed):
    places = {(topic, 0): ROWS + 1}
    listener = listen(on_assign=lambda _: places)
    for _ in range(2):
        with pytest.raises(
            pykafarr.BrokerError, match=f"offset {ROWS + 1} is not in the log, which goes from 0 to {ROWS}"
        ):
            listener.poll(1000, 500)
    places[topic, 0] = ROWS - 1
    rows = 0
    while rows < ROWS + 1:
        rows += len(listener.poll(1000, 2000)[1])
    assert rows == ROWS + 1
    assert committed() is None
