"""A scan gives what is in the log, whoever wrote it and however it is compressed: by topic, partition and offset."""

import random

import pytest
from confluent_kafka import Producer

import pykafarr
from tests.integration.scanning import in_the_log, rows_of
from tests.integration.writing import A, Writer, numbers

UNCOMMITTED = {"isolation.level": "read_uncommitted"}


@pytest.fixture
def scan(cluster, topic):
    """Plans scans of the test's topic."""

    def plan(topics=topic, **options):
        options = {"metadata": ("partition", "offset"), **options}
        return pykafarr.scan(cluster.servers, topics, cluster.registry_url, **options)

    return plan


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_compressed_topics_give_every_row_once(cluster, scan, codec):
    topic, values = cluster.new_topic(3), {}
    writer = Writer(cluster, compression_type=codec, linger_ms=20)
    for partition in range(3):
        writer.write(topic, A, numbers(1000 * partition, 700), partition)
        values |= {(partition, offset): 1000 * partition + offset for offset in range(700)}
    writer.close()
    with scan(topic).read() as stream:
        assert rows_of(stream) == values
        assert [(one.ended, one.rows, one.next) for one in stream.report] == [("complete", 700, 700)] * 3


class Transactions:
    """Transactional producers in turns, and what they committed."""

    def __init__(self, cluster, writer, topic, partitions):
        self._topic, self._partitions, self._writer = topic, partitions, writer
        self._choose = random.Random(8)
        self.committed = {}
        self._producers = [
            Producer({"bootstrap.servers": cluster.servers, "transactional.id": f"{topic}-{name}", "log_level": 2})
            for name in range(2)
        ]
        for producer in self._producers:
            producer.init_transactions(30)

    def run(self, commits):
        """Both write in turns; then each ends its transaction."""
        written: tuple[dict, dict] = {}, {}

        def wrote(which, number):
            return lambda _error, message: written[which].update({(message.partition(), message.offset()): number})

        for producer in self._producers:
            producer.begin_transaction()
        for _ in range(20):
            which = self._choose.randrange(2)
            for _ in range(self._choose.randrange(1, 8)):
                number = self._choose.randrange(10**6)
                self._producers[which].produce(
                    self._topic,
                    self._writer.serialize(self._topic, A, {"n": number}),
                    partition=self._choose.randrange(self._partitions),
                    on_delivery=wrote(which, number),
                )
            assert self._producers[which].flush(30) == 0
        for producer, rows, commit in zip(self._producers, written, commits, strict=True):
            if commit:
                producer.commit_transaction(30)
                self.committed |= rows
            else:
                producer.abort_transaction(30)


@pytest.mark.parametrize("last", [(True, True), (True, False), (False, False)])
def test_transactions_give_what_was_committed_and_end_with_their_markers(cluster, writer, scan, last):
    topic = cluster.new_topic(2)
    transactions = Transactions(cluster, writer, topic, 2)
    for commits in ((True, False), (False, True), (False, False), last):
        transactions.run(commits)
    assert set(transactions.committed) == in_the_log(cluster, topic, 2, isolation_level="read_committed")

    with scan(topic).read() as stream:
        assert rows_of(stream) == transactions.committed
        report = stream.report
    assert all(one.ended == "complete" and one.next == one.end for one in report)
    assert sum(one.rows + one.aborted + one.control for one in report) == sum(one.end for one in report)
    with scan(topic, config=UNCOMMITTED).read() as stream:
        everything = rows_of(stream)
        assert sum(one.control for one in stream.report) == sum(one.control for one in report)
    assert set(everything) == in_the_log(cluster, topic, 2, isolation_level="read_uncommitted")
    assert {place: everything[place] for place in transactions.committed} == transactions.committed


def test_an_open_transaction_is_behind_the_end_and_read_uncommitted_is_not(cluster, writer, topic, scan):
    writer.write(topic, A, numbers(0, 5))
    producer = Producer({"bootstrap.servers": cluster.servers, "transactional.id": topic, "log_level": 2})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, writer.serialize(topic, A, {"n": 5}), partition=0)
    assert producer.flush(30) == 0
    writer.write(topic, A, numbers(6, 2))

    assert rows_of(scan().read()) == {(0, number): number for number in range(5)}
    assert rows_of(scan(config=UNCOMMITTED).read()) == {(0, number): number for number in range(8)}
    producer.abort_transaction(30)
    assert rows_of(scan().read()) == {(0, number): number for number in (*range(5), 6, 7)}
    (aborted,) = scan(start=5, end=6).read().to_arrow().values()  # a table of its type, without rows
    assert (aborted.num_rows, aborted.schema) == (0, scan().schema)


def test_every_cut_into_tasks_gives_the_same_rows(cluster, writer, scan):
    topic = cluster.new_topic(2)
    transactions = Transactions(cluster, writer, topic, 2)
    transactions.run((True, False))
    transactions.run((False, True))
    plan = scan(topic)
    for most in (1, 7, 100_000):
        tasks = plan.tasks(max_rows=most)
        assert sum(task.rows for task in tasks) == plan.rows
        random.Random(most).shuffle(tasks)
        found = {}
        for task in tasks:
            with task.read() as stream:
                rows = rows_of(stream)
            assert not rows.keys() & found.keys()
            assert all(partition == task.partition and task.start <= offset < task.end for partition, offset in rows)
            found |= rows
        assert found == transactions.committed, f"tasks of {most}"
