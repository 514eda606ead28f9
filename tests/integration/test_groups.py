"""Members of one group that come and go: no row is lost between them."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.writing import A, numbers

PARTITIONS = 4
QUICK = {"session.timeout.ms": 6000, "heartbeat.interval.ms": 200, "auto.commit.interval.ms": 100}
PROTOCOLS = {
    "eager": {**QUICK, "partition.assignment.strategy": "range"},
    "cooperative": {**QUICK, "partition.assignment.strategy": "cooperative-sticky"},
    "KIP-848": {"group.protocol": "consumer", "auto.commit.interval.ms": 100},
}


class Member:
    """A listener that a thread polls until it is told to leave."""

    def __init__(self, pool, listener):
        self.listener = listener
        self.rows = []  # (partition, offset, n)
        self.leaving = threading.Event()
        self.work = pool.submit(self.run)

    def run(self):
        with self.listener:
            while not self.leaving.is_set():
                batch = self.listener.poll_batch(50, 50)
                if batch is not None:
                    columns = batch.to_arrow().to_pydict()
                    self.rows += zip(columns["_partition"], columns["_offset"], columns["n"], strict=True)

    def leave(self):
        self.leaving.set()
        self.work.result(60)


@pytest.mark.parametrize("config", PROTOCOLS.values(), ids=PROTOCOLS)
def test_members_that_come_and_go_lose_nothing(config, cluster, writer, listen):
    topic = cluster.new_topic(PARTITIONS)
    written = 0

    def write():
        nonlocal written
        for partition in range(PARTITIONS):
            writer.write(topic, A, numbers(written, 50), partition)
            written += 50

    def member():
        return Member(pool, listen(topic, config=config, metadata=("partition", "offset")))

    def until(done, what):
        deadline = time.monotonic() + 30
        while not done():
            assert time.monotonic() < deadline, what
            for one in members:
                if one.work.done():
                    one.work.result()
            time.sleep(0.02)

    with ThreadPoolExecutor(3) as pool:
        members = [member()]
        try:
            write()
            until(lambda: members[0].rows, "the first member reads nothing")
            members.append(member())
            write()
            until(lambda: members[1].listener.stats()["rebalances"], "the second member gets nothing")
            write()
            until(lambda: write() or members[1].rows, "the second member reads nothing")
            members[0].leave()
            write()
            everything = set(range(written))
            until(lambda: {n for one in members for *_, n in one.rows} >= everything, "rows were lost")
        finally:
            for one in members:
                one.leaving.set()
        for one in members:
            one.leave()

    found = [n for one in members for *_, n in one.rows]
    assert set(found) == everything
    for one in members:  # within one member's life nothing is repeated
        places = [(partition, offset) for partition, offset, _ in one.rows]
        assert len(places) == len(set(places))


def test_a_member_that_leaves_hands_over_where_it_stopped(cluster, writer, listen, topic):
    writer.write(topic, A, numbers(0, 10))
    config = PROTOCOLS["cooperative"]
    with listen(config=config) as first:
        assert list(first.poll(4, 5000)[1]["n"]) == [0, 1, 2, 3]

    assert list(listen(config=config).poll(6, 5000)[1]["n"]) == [4, 5, 6, 7, 8, 9]
