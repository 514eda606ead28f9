"""Transactions on brokers with KIP-890, and on those before it, which must be told of partitions and groups first."""

import contextlib
import time

import pyarrow as pa
import pytest

import pykafarr
from tests.integration.account import Account
from tests.integration.test_rights import until_it_works
from tests.servers.kafka import since


@pytest.fixture(params=["KIP-890", "before KIP-890"])
def kafka(request):
    return request.getfixturevalue("cluster" if request.param == "KIP-890" else "secured")


@pytest.fixture
def opened(kafka):
    with contextlib.ExitStack() as stack:

        def open_producer(name, **config):
            made = pykafarr.producer(kafka.servers, None, transactional_id=name, config=config)
            return stack.enter_context(made)

        yield open_producer


@pytest.fixture
def account(cluster, kafka):
    found = Account(cluster.new_name(), 2)
    kafka.create_topic(found.topic, 2)
    return found


def test_transactions_are_seen_as_a_whole_or_not_at_all(kafka, opened, account):
    out = opened(account.topic)
    kept = []
    for number in range(9):
        first = account.sent
        with contextlib.suppress(ZeroDivisionError), out.transaction() as t:
            account.send(t, 3)
            account.send(t, 2)
            if number % 3 == 1:
                1 // 0  # noqa: B018  # leaves the block
            kept += range(first, account.sent)
    with out.transaction():
        pass
    assert account.await_messages(kafka, len(kept)) == kept
    for partition in range(2):
        assert list(account.messages(kafka, partition)) == [number for number in kept if number % 2 == partition]


def test_a_group_is_committed_with_the_rows_that_were_made_of_its_own(cluster, kafka, opened, account):
    source, group = cluster.new_name(), cluster.new_name("group")
    kafka.create_topic(source)
    with pykafarr.producer(kafka.servers, None) as plain:
        plain.send("string", pa.table({"value": list("abcdef")}), source, wait=True)
    out = opened(account.topic)
    options = {"value": "string", "acknowledge": "commit"}
    config = {"auto.offset.reset": "earliest", "enable.auto.commit": False}

    def listener():
        return pykafarr.listener(kafka.servers, group, source, None, config=config, **options)

    with listener() as p:
        first = p.poll_batch(2, 10_000)
        with out.transaction() as t:
            account.send(t, first.num_rows)
            t.commit_offsets(first)
        second = p.poll_batch(2, 10_000)
        with contextlib.suppress(ZeroDivisionError), out.transaction() as t:
            account.send(t, second.num_rows)
            t.commit_offsets(second)
            1 // 0  # noqa: B018  # leaves the block
        assert p.committed() == {(source, 0): 2}
        with out.transaction() as t:  # offsets alone
            t.commit_offsets(second)
        assert p.committed() == {(source, 0): 4}
        with out.transaction() as t:  # rows alone
            account.send(t, 2)
    assert account.await_messages(kafka, 4) == [0, 1, 4, 5]
    with listener() as p:
        assert p.poll_batch(9, 2000).to_arrow()["value"].to_pylist() == ["e", "f"]


def test_the_second_producer_of_a_name_fences_the_first_for_good(kafka, opened, account):
    first = opened(account.topic)
    with first.transaction() as t:
        account.send(t, 2)
    second = None
    with pytest.raises(pykafarr.KafarrError) as caught, first.transaction() as t:  # noqa: PT012  # the block's end raises
        account.send(t, 4).wait()
        second = opened(account.topic)
        with second.transaction() as other:  # which aborts what the first one has left open
            account.send(other, 2)
    assert f"another producer with transactional.id {account.topic} has begun" in str(caught.value)
    for _ in range(2):
        with pytest.raises(pykafarr.BrokerError, match=f"no further transaction: .* {account.topic} has begun"):
            first.transaction().__enter__()
    with second.transaction() as t:  # it is not disturbed
        account.send(t, 2)
    assert account.await_messages(kafka, 6) == [0, 1, 6, 7, 8, 9]


def test_a_transaction_that_lasts_for_too_long_is_aborted_and_says_so(kafka, secured, opened, account):
    out = opened(account.topic, **{"transaction.timeout.ms": 1000})
    with pytest.raises(pykafarr.KafarrError) as caught, out.transaction() as t:  # noqa: PT012  # likewise
        account.send(t, 2).wait()
        time.sleep(2.5)
    assert "has lasted longer than transaction.timeout.ms (1s)" in str(caught.value)
    if kafka is secured or not since(4, 0):  # its producer gets no further epoch, as if another one had begun
        for _ in range(2):
            with pytest.raises(pykafarr.BrokerError, match=r"no further transaction: .* transaction\.timeout\.ms"):
                out.transaction().__enter__()
        out = opened(account.topic)

    def send():
        with out.transaction() as t:
            account.send(t, 2)

    until_it_works(send)  # a second may be short for this one, too
    assert account.await_messages(kafka, 2) == [account.sent - 2, account.sent - 1]


@pytest.mark.skipif(not since(4, 0), reason="there is no newer transaction.version before Kafka 4.0")
def test_producers_live_through_changes_of_the_clusters_transactions(cluster, secured):
    account = Account(cluster.new_name())
    secured.create_topic(account.topic)
    features = "org.apache.kafka.tools.FeatureCommand"

    def send(out):
        for _ in range(3):
            with out.transaction() as t:
                account.send(t, 2)

    with contextlib.ExitStack() as stack:
        older, newer = (
            stack.enter_context(pykafarr.producer(secured.servers, None, transactional_id=f"{account.topic}-{one}"))
            for one in ("older", "newer")
        )
        send(older)
        secured.tool(features, "upgrade", "--feature", "transaction.version=2")
        try:
            send(older)
            send(newer)
        finally:
            secured.tool(features, "downgrade", "--feature", "transaction.version=1")
        send(newer)
        send(older)
    assert account.await_messages(secured, account.sent) == [*range(account.sent)]
