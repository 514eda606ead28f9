"""A topic whose min.insync.replicas is not met while rows are sent to it."""

import time

import pykafarr
from tests.integration.account import Account


def await_replicas(trio, topic, count):
    """Waits until so many replicas are in sync: one that was killed is, until its broker's session ends."""
    deadline = time.monotonic() + 60
    while len(trio.admin.list_topics(topic, timeout=10).topics[topic].partitions[0].isrs) != count:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_rows_wait_for_the_replicas_and_are_written_once(trio, caplog):
    """The first batch is appended and not acknowledged, and its copies are refused until the replicas are there."""
    account = Account(trio.new_topic(min_insync_replicas=3), size=1000)
    leader = trio.leader(account.topic)
    with pykafarr.producer(trio.servers, None, config={"request.timeout.ms": 2000}) as out:
        account.send(out, 100).wait()
        trio.kill((leader + 1) % 3)
        reports = [account.send(out, 100)]
        await_replicas(trio, account.topic, 2)
        time.sleep(2.5)
        reports.append(account.send(out, 100))
        assert [report.done for report in reports] == [False, False]
        trio.restart((leader + 1) % 3)
        out.flush()
    assert account.compare(trio) == []
    appended = ("REQUEST_TIMED_OUT", "NOT_ENOUGH_REPLICAS_AFTER_APPEND")  # since Kafka 4.0, and before
    assert any(answer in line for line in caplog.messages for answer in appended)


def test_rows_whose_time_is_over_by_then_are_named(trio):
    account = Account(trio.new_topic(min_insync_replicas=3))
    leader = trio.leader(account.topic)
    with pykafarr.producer(trio.servers, None, config={"delivery.timeout.ms": 1500}) as out:
        account.send(out, 100).wait()
        trio.kill((leader + 1) % 3)
        try:
            await_replicas(trio, account.topic, 2)
            report = account.send(out, 100)
            while not report.done:
                time.sleep(0.05)
            (failure,) = report.failures
            assert (failure.state, failure.rows) == ("refused", [(0, 99)])
            assert "NOT_ENOUGH_REPLICAS" in str(failure.error)
        finally:
            trio.restart((leader + 1) % 3)
        account.send(out, 100).wait()
    assert account.compare(trio) == [*range(100, 200)]
