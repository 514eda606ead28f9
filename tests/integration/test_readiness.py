"""Before the first row: the broker, the group and the topics, and what is said when one of them does not come."""

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import pykafarr
from tests.integration.writing import A, numbers
from tests.servers import ports


def test_an_unknown_topic_is_named_and_then_the_known_one_is_read(cluster, writer, topic, listen):
    unknown = cluster.new_name("unknown")
    writer.write(topic, A, numbers(0, 3))
    listener = listen(
        [topic, unknown], ready_timeout=4000
    )  # a broker that has just started takes a second to form its first group
    rows, named = [], []

    def poll():
        try:
            rows.extend(listener.poll(3, 200)[1].get("n", []))
        except pykafarr.BrokerError as error:
            named.append(str(error))

    deadline = time.monotonic() + 30
    while (len(rows) < 3 or not named) and time.monotonic() < deadline:
        poll()

    assert rows == [0, 1, 2]
    assert all(unknown in text for text in named)
    with pytest.raises(pykafarr.BrokerError, match=unknown) as raised:  # as every poll that gets nothing
        listener.poll(1, 200)
    assert topic not in str(raised.value)


def test_a_topic_that_appears_later_is_read(cluster, writer, listen):
    late = cluster.new_name("late")
    listener = listen(late, ready_timeout=500, config={"topic.metadata.refresh.interval.ms": 300})
    with pytest.raises(pykafarr.BrokerError, match=late):
        listener.poll(1, 0)
    cluster.create_topic(late)
    writer.write(late, A, numbers(0, 1))

    deadline = time.monotonic() + 20
    rows = []
    while not rows and time.monotonic() < deadline:
        with contextlib.suppress(pykafarr.BrokerError):  # until the client has asked again
            rows = list(listener.poll(1, 500)[1].get("n", []))

    assert rows == [0]


def test_a_dead_broker_is_an_error_after_ready_timeout(listen):
    nobody = f"{ports.HOST}:{ports.free(1)[0]}"
    listener = listen(servers=nobody, ready_timeout=1000)
    begun = time.monotonic()

    with pytest.raises(pykafarr.BrokerError, match=f"no broker of {nobody} can be reached") as caught:
        listener.poll(1, 100)

    assert 0.9 <= time.monotonic() - begun < 20
    assert isinstance(caught.value, ConnectionError)


def test_a_member_without_a_partition_is_ready(cluster, writer, topic, listen):
    writer.write(topic, A, numbers(0, 1))
    first, second = listen(ready_timeout=20_000), listen(ready_timeout=20_000)
    rows, done = [], threading.Event()

    def keep_polling():  # a rebalance wants every member to be polled
        while not done.is_set():
            rows.extend(first.poll(1, 100)[1].get("n", []))

    with ThreadPoolExecutor(1) as pool:
        polling = pool.submit(keep_polling)
        try:
            rows.extend(second.poll(1, 100)[1].get("n", []))  # which of the two has the partition is the group's choice
            until = time.monotonic() + 20
            while not rows and time.monotonic() < until:
                rows.extend(second.poll(1, 100)[1].get("n", []))
            assert second.stats()["rebalances"]
        finally:
            done.set()
            while not polling.done():  # nor may this one stop while that one waits for the group
                with contextlib.suppress(pykafarr.BrokerError):
                    rows.extend(second.poll(1, 100)[1].get("n", []))
        polling.result()
    assert rows == [0]


def test_a_topic_without_any_row_is_ready(listen):
    assert listen(ready_timeout=10_000).poll(1, 100)[0] is None


def test_an_unknown_property_is_named(listen):
    with pytest.raises(pykafarr.ConfigError, match=r"fetch\.mim\.bytes"):
        listen(config={"fetch.mim.bytes": 1})


def test_a_property_with_a_wrong_value_is_named(listen):
    with pytest.raises(pykafarr.ConfigError, match=r"fetch\.min\.bytes"):
        listen(config={"fetch.min.bytes": "many"})


@pytest.mark.parametrize(
    "name",
    ["enable.auto.offset.store", "log.queue", "go.events.channel.enable", "group.id", "bootstrap.servers"],
)
def test_a_reserved_property_is_refused_with_the_reason(name, listen):
    with pytest.raises(pykafarr.ConfigError, match=rf"{name}.*: .+"):
        listen(config={name: "true"})


def test_an_unknown_property_of_the_registry_s_client_is_named(listen):
    with pytest.raises(pykafarr.ConfigError, match=r"basic\.auth\.nonsense"):
        listen(registry_config={"basic.auth.nonsense": "x"})


def test_a_broker_that_pauses_is_waited_for(cluster, writer, topic, listen):
    listener = listen()
    writer.write(topic, A, numbers(0, 1))
    assert len(listener.poll(1, 5000)[1]) == 1
    writer.write(topic, A, numbers(1, 1))
    listener.poll(1, 5000)

    cluster.kafka.process.pause()
    try:
        assert listener.poll(1, 500)[0] is None
    finally:
        cluster.kafka.process.resume()
    writer.write(topic, A, numbers(2, 1))
    assert list(listener.poll(1, 10_000)[1]["n"]) == [2]


def test_a_poll_waits_for_a_broker_that_dies_and_comes_back_and_loses_nothing(cluster, writer, topic, listen):
    listener = listen()
    writer.write(topic, A, numbers(0, 5))
    assert list(listener.poll(5, 5000)[1]["n"]) == [0, 1, 2, 3, 4]

    with ThreadPoolExecutor(1) as pool:
        polling = pool.submit(listener.poll, 5, 60_000)
        cluster.kafka.restart()
        writer.write(topic, A, numbers(5, 5))
        assert list(polling.result()[1]["n"]) == [5, 6, 7, 8, 9]
    listener.commit()
