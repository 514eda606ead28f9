"""Transactions of several producers on one topic: what was aborted is never seen, and markers cost nothing."""

import time

import pytest
from confluent_kafka import Producer

from tests.integration.raw import raw_messages
from tests.integration.writing import A, numbers

UNCOMMITTED = {"isolation.level": "read_uncommitted"}


class Transactions:
    """A transactional producer, which writes a number at a time."""

    def __init__(self, cluster, writer, topic, name):
        self._topic, self._writer = topic, writer
        self._producer = Producer(
            {"bootstrap.servers": cluster.servers, "transactional.id": f"{topic}-{name}", "log_level": 2}
        )
        self._producer.init_transactions(30)

    def begin(self):
        self._producer.begin_transaction()

    def write(self, *some):
        for number in some:
            self._producer.produce(self._topic, self._writer.serialize(self._topic, A, {"n": number}), partition=0)
        assert self._producer.flush(30) == 0

    def commit(self):
        self._producer.commit_transaction(30)

    def abort(self):
        self._producer.abort_transaction(30)


@pytest.fixture
def producers(cluster, writer, topic):
    return [Transactions(cluster, writer, topic, name) for name in ("first", "second")]


def test_interleaved_transactions_show_what_was_committed_in_the_order_of_the_log(
    producers, cluster, topic, listen, committed
):
    first, second = producers
    for one in producers:
        one.begin()
    first.write(0)
    second.write(100)
    first.write(1, 2)
    second.write(101)
    second.abort()
    first.write(3)
    first.commit()
    second.begin()
    second.write(102)
    first.begin()
    first.write(4)
    first.abort()
    second.write(103)
    second.commit()

    confluent_kafkas_offsets = [message.offset() for message in raw_messages(cluster, topic)]

    with listen() as listener:
        _, frame = listener.poll(100, 1000)
        assert list(frame["n"]) == [0, 1, 2, 3, 102, 103]
        assert list(frame["_offset"]) == confluent_kafkas_offsets
        assert listener.poll(100, 300)[0] is None
    assert committed() > confluent_kafkas_offsets[-1]

    assert listen().poll(100, 300)[0] is None

    _, everything = listen(group="uncommitted", config=UNCOMMITTED).poll(100, 1000)
    assert list(everything["n"]) == [0, 100, 1, 2, 101, 3, 102, 4, 103]


def test_rows_behind_an_open_transaction_wait_for_it(producers, writer, topic, listen):
    first, _ = producers
    first.begin()
    first.write(0)
    writer.write(topic, A, numbers(1, 2))
    listener = listen()

    assert listener.poll(100, 300)[0] is None  # and did not wait for the end of the transaction
    first.commit()

    assert list(listener.poll(3, 10_000)[1]["n"]) == [0, 1, 2]


@pytest.mark.parametrize("end", ["commit", "abort"])
@pytest.mark.parametrize("mixed", ["split", "group"])
def test_a_restart_behind_a_marker_repeats_nothing_and_reads_on(end, mixed, producers, writer, topic, listen):
    writer.write(topic, A, numbers(0, 3))
    producers[0].begin()
    producers[0].write(3)
    getattr(producers[0], end)()
    seen = [0, 1, 2, 3] if end == "commit" else [0, 1, 2]
    with listen(mixed=mixed) as listener:
        assert list(listener.poll(100, 500)[1]["n"]) == seen
        assert listener.poll(100, 200)[0] is None

    with listen(mixed=mixed) as listener:
        assert listener.poll(100, 200)[0] is None
        writer.write(topic, A, numbers(4, 2))
        assert list(listener.poll(2, 10_000)[1]["n"]) == [4, 5]


def test_a_long_stretch_of_aborted_rows_is_passed_over(producers, writer, topic, listen):
    for round_ in range(5):
        producers[0].begin()
        producers[0].write(*range(1000))
        producers[0].abort()
        writer.write(topic, A, numbers(round_, 1))

    assert list(listen().poll(5, 10_000)[1]["n"]) == [0, 1, 2, 3, 4]


def test_a_log_that_ends_in_aborted_rows_is_caught_up_and_committed(producers, listen, committed):
    first, second = producers
    first.begin()
    first.write(0, 1)
    first.commit()
    second.begin()
    second.write(100, 101)
    second.abort()

    with listen() as listener:
        assert list(listener.poll(100, 1000)[1]["n"]) == [0, 1]
        deadline = time.monotonic() + 20
        while listener.lag()["lag"].sum() > 0 and time.monotonic() < deadline:
            listener.poll(100, 100)
        assert listener.lag()["lag"].tolist() == [0]
        first.begin()
        first.write(2)
        first.commit()
        assert list(listener.poll(1, 5000)[1]["n"]) == [2]
    assert committed() in (7, 8)  # after the row, or its marker, too

    with listen(group="new", acknowledge="commit") as listener:  # nothing is acknowledged
        listener.poll(100, 1000)
        for _ in range(3):
            listener.poll(100, 300)
        assert listener.committed() == dict.fromkeys(listener.assignment())


def test_one_poll_that_ends_by_its_time_is_enough_for_close_to_commit_the_end(producers, listen, committed):
    first, _ = producers
    first.begin()
    first.write(0, 1)
    first.commit()

    with listen() as listener:
        listener.poll(100, 1000)
    assert committed() == 3
