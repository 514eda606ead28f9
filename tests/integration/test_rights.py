"""What ACLs refuse to a producer: it says which right is missing, and continues once it is given."""

import contextlib
import time

import pyarrow as pa
import pytest

import pykafarr
from tests.integration.account import Account
from tests.servers.secured import GUEST, PASSWORD, VISITOR


def login(user, mechanism="SCRAM-SHA-256"):
    return {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": mechanism,
        "sasl.username": user,
        "sasl.password": PASSWORD,
    }


@pytest.fixture
def account(cluster, secured):
    """Of a topic that the guest sees, and may not write to."""
    found = Account(cluster.new_name())
    secured.create_topic(found.topic)
    secured.allow(GUEST, "TOPIC", found.topic, "DESCRIBE")
    return found


@pytest.fixture
def allowed(cluster, secured):
    """Of a topic that the guest may write to."""
    found = Account(cluster.new_name())
    secured.create_topic(found.topic)
    secured.allow(GUEST, "TOPIC", found.topic, "DESCRIBE", "WRITE")
    return found


@pytest.fixture
def opened(secured):
    with contextlib.ExitStack() as stack:

        def open_producer(user=GUEST, name=None, **config):
            made = pykafarr.producer(secured.at("SASL"), None, transactional_id=name, config={**login(user), **config})
            return stack.enter_context(made)

        yield open_producer


def until_it_works(attempt):
    """Tries until the brokers know of a new ACL, which takes them some milliseconds."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(pykafarr.KafarrError):
            return attempt()
        time.sleep(0.05)
    return attempt()


def test_rows_of_a_topic_without_the_right_to_write_are_refused_and_those_of_others_are_written(
    secured, account, allowed, opened
):
    out = opened()
    allowed.send(out, 3)
    refused = account.send(out, 3)
    allowed.send(out, 3)
    with pytest.raises(pykafarr.DeliveryError, match=f"needs the right Write on topic {account.topic}"):
        refused.wait()
    (failure,) = refused.failures
    assert (failure.state, failure.rows) == ("refused", [(0, 2)])
    assert isinstance(failure.error, pykafarr.AuthenticationError)

    secured.allow(GUEST, "TOPIC", account.topic, "WRITE")
    until_it_works(lambda: account.send(out, 3).wait())
    assert account.compare(secured)[:3] == [0, 1, 2]
    assert allowed.compare(secured) == []


def test_a_topic_that_is_not_shown_is_an_error_before_anything_is_sent(cluster, secured, opened):
    account = Account(cluster.new_name())
    secured.create_topic(account.topic)
    out = opened()
    for _ in range(2):
        with pytest.raises(pykafarr.AuthenticationError, match="needs the rights Describe and Write on the topic"):
            out.send("string", pa.table({"value": ["a"]}), account.topic)
    secured.allow(GUEST, "TOPIC", account.topic, "DESCRIBE", "WRITE")
    until_it_works(lambda: account.send(out, 3).wait())
    assert account.compare(secured) == []


def test_a_producer_that_may_write_nowhere_gets_no_id_and_says_which_right_is_missing(cluster, secured, opened):
    account = Account(cluster.new_name())
    secured.create_topic(account.topic)
    secured.allow(VISITOR, "TOPIC", account.topic, "DESCRIBE")
    out = opened(VISITOR)
    for _ in range(2):
        report = account.send(out, 2)
        with pytest.raises(pykafarr.DeliveryError, match="IdempotentWrite on the cluster, or Write on a topic"):
            report.wait()
        assert isinstance(report.failures[0].error, pykafarr.AuthenticationError)
    plain = account.send(opened(VISITOR, **{"enable.idempotence": False}), 2)
    with pytest.raises(pykafarr.DeliveryError, match=f"needs the right Write on topic {account.topic}"):
        plain.wait()
    assert account.compare(secured) == [*range(6)]


def test_a_transactional_id_without_rights_is_an_error_of_each_transaction(secured, allowed, opened):
    out = opened(name=allowed.topic)
    for _ in range(2):
        with pytest.raises(
            pykafarr.AuthenticationError,
            match=rf"needs the rights Describe and Write on transactional\.id {allowed.topic}",
        ):
            out.transaction().__enter__()
    secured.allow(GUEST, "TRANSACTIONAL_ID", allowed.topic, "DESCRIBE", "WRITE")

    def send():
        with out.transaction() as t:
            allowed.send(t, 2)

    until_it_works(send)
    assert allowed.await_messages(secured, 2) == [0, 1]


def test_a_transaction_with_a_row_that_may_not_be_written_is_aborted(secured, account, allowed, opened):
    secured.allow(GUEST, "TRANSACTIONAL_ID", allowed.topic, "DESCRIBE", "WRITE")
    out = opened(name=allowed.topic)
    until_it_works(lambda: out.transaction().__enter__()).__exit__(None, None, None)

    def send():
        with out.transaction() as t:
            allowed.send(t, 2)
            account.send(t, 2)

    with pytest.raises(pykafarr.DeliveryError, match=f"needs the right Write on topic {account.topic}"):
        send()
    with out.transaction() as t:
        allowed.send(t, 2)
    assert allowed.await_messages(secured, 2) == [2, 3]
    assert account.messages(secured) == {}


def test_offsets_of_a_group_without_the_right_to_read_it_abort_the_transaction(cluster, secured, allowed, opened):
    source, group = cluster.new_name(), cluster.new_name("group")
    secured.create_topic(source)
    secured.allow(GUEST, "TRANSACTIONAL_ID", allowed.topic, "DESCRIBE", "WRITE")
    with pykafarr.producer(secured.servers, None) as plain:
        plain.send("string", pa.table({"value": ["a", "b"]}), source, wait=True)
    out = opened(name=allowed.topic)
    until_it_works(lambda: out.transaction().__enter__()).__exit__(None, None, None)
    config = {"auto.offset.reset": "earliest", "enable.auto.commit": False}
    with pykafarr.listener(
        secured.servers, group, source, None, value="string", acknowledge="commit", config=config
    ) as p:
        batch = p.poll_batch(2, 10_000)

        def copy():
            with out.transaction() as t:
                allowed.send(t, 2)
                t.commit_offsets(batch)

        with pytest.raises(pykafarr.AuthenticationError, match=f"needs the right Read on group {group}"):
            copy()
        secured.allow(GUEST, "GROUP", group, "READ")
        until = time.monotonic() + 20
        while True:  # the right to read the topic is missing, too
            with pytest.raises(pykafarr.AuthenticationError) as caught:
                copy()
            if f"needs the right Read on topic {source}" in str(caught.value):
                break
            assert time.monotonic() < until, caught.value
        assert p.committed() == {(source, 0): None}
        secured.allow(GUEST, "TOPIC", source, "READ")
        until_it_works(copy)
        assert p.committed() == {(source, 0): 2}
    assert len(allowed.await_messages(secured, 2)) == 2
