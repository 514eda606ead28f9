"""Brokers, listeners and networks fail: nothing is lost, nothing is repeated, and waits are bounded.

Short: `make chaos` does the same many times.
"""

import contextlib
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import pykafarr
from tests.chaos import broker_kills, listener_kills, slow_consumer
from tests.integration.writing import A, Writer, numbers


@pytest.fixture
def three(trio):
    """The three brokers, whole again after the test."""
    yield trio
    for proxy in trio.proxies:
        proxy.heal()
    trio.restart(*(index for index, node in enumerate(trio.nodes) if not node.process.running))


@pytest.fixture
def writer_of_three(trio):
    with contextlib.closing(Writer(trio)) as made:
        yield made


@pytest.fixture
def listen_to_three(trio, listen):
    """A listener that has its partitions, through the proxies or straight."""

    def opened(topic, proxied=False, **options):
        config = {"reconnect.backoff.max.ms": 500, **options.pop("config", {})}
        servers = trio.proxied_servers if proxied else trio.servers
        return listen(topic, servers=servers, group=trio.new_name("group"), config=config, **options)

    return opened


def rows_until(listener, count, seconds=30, max_time=500):
    """All `n` until so many are there, and what was raised meanwhile."""
    rows, errors, deadline = [], [], time.monotonic() + seconds
    while len(rows) < count and time.monotonic() < deadline:
        rows += rows_or_error(listener, count, max_time, errors)
    return rows, errors


def rows_or_error(listener, count, max_time, errors):
    try:
        return list(listener.poll(count, max_time)[1].get("n", []))
    except pykafarr.KafarrError as error:
        errors.append(error)
        return []


@pytest.mark.slow
def test_a_killed_broker_is_not_noticed_while_the_others_are_a_quorum(three):
    verdict, errors = broker_kills.run(three, 1)

    assert verdict.acknowledged > 1000
    assert verdict.clean, verdict
    assert errors == []


@pytest.mark.slow
def test_without_any_broker_a_poll_says_so_and_reading_goes_on_when_they_return(
    three, writer_of_three, listen_to_three
):
    topic = three.new_topic()
    writer_of_three.write(topic, A, numbers(0, 10))
    listener = listen_to_three(topic, config={"reconnect.backoff.max.ms": 10_000})  # librdkafka's default
    assert rows_until(listener, 10)[0] == list(range(10))
    for index in range(3):
        three.kill(index)

    every_poll_says_that_no_broker_can_be_reached(listener)
    three.restart(0, 1, 2)
    writer_of_three.write(topic, A, numbers(10, 5))

    assert rows_until(listener, 5)[0] == list(range(10, 15))


def test_each_poll_of_each_outage_says_that_no_broker_can_be_reached_and_none_after_it(
    three, writer_of_three, listen_to_three
):
    topic = three.new_topic()
    writer_of_three.write(topic, A, numbers(0, 10))
    defaults = {"reconnect.backoff.max.ms": 10_000}
    listener = listen_to_three(topic, proxied=True, config=defaults)
    assert rows_until(listener, 10)[0] == list(range(10))

    for _ in range(2):
        for proxy in three.proxies:
            proxy.refuse()
        every_poll_says_that_no_broker_can_be_reached(listener)
        for proxy in three.proxies:
            proxy.heal()
        deadline = time.monotonic() + 30
        while outage(listener) and time.monotonic() < deadline:
            pass
        assert [outage(listener) for _ in range(3)] == [None, None, None]


def test_the_first_poll_waits_for_brokers_that_come_within_ready_timeout(three, writer_of_three, listen_to_three):
    topic = three.new_topic()
    writer_of_three.write(topic, A, numbers(0, 10))
    for proxy in three.proxies:
        proxy.refuse()
    listener = listen_to_three(topic, proxied=True, config={"reconnect.backoff.max.ms": 10_000})

    with ThreadPoolExecutor(1) as pool:
        polling = pool.submit(listener.poll, 10, 5000)
        time.sleep(3)  # in which the client says that no broker can be reached
        assert not polling.done()
        for proxy in three.proxies:
            proxy.heal()
        assert list(polling.result()[1]["n"]) == list(range(10))


def every_poll_says_that_no_broker_can_be_reached(listener):
    said = [outage(listener) for _ in range(3)]
    assert all(re.search("^no broker of .* can be reached", str(error)) for error in said), said
    assert all(isinstance(error, pykafarr.BrokerError) for error in said)


def outage(listener):
    """What a poll of a second raises; it has no rows."""
    errors = []
    assert rows_or_error(listener, 100, 1000, errors) == []
    return errors[0] if errors else None


def test_a_killed_listener_loses_nothing_and_repeats_what_it_had_not_acknowledged_only(cluster):
    found = listener_kills.run(cluster, 3, listener_kills.QUICK)

    assert found.verdict.acknowledged > 100
    assert (found.verdict.lost, found.verdict.altered, found.repeated_after_commit) == (0, 0, 0)
    assert found.ended == []  # neither a survivor nor a new member has raised anything


def test_a_consumer_that_is_too_slow_is_told_so_and_goes_on(cluster):
    found = slow_consumer.run(cluster, 1)

    assert found.verdict.clean, found
    assert (found.named, found.others) == (1, [])


# What the network does, and what of it ends before the rows can come.
FAULTS = {
    "latency": (lambda proxy: setattr(proxy, "latency", 0.2), False),
    "a narrow line": (lambda proxy: setattr(proxy, "rate", 20_000), False),
    "resets": (lambda proxy: proxy.reset(), False),
    "refused connections": (lambda proxy: proxy.refuse(), True),
    "half-open connections": (lambda proxy: proxy.freeze(), True),
}


@pytest.mark.parametrize(("fault", "stops"), FAULTS.values(), ids=FAULTS)
def test_a_bad_network_changes_nothing_but_the_time(fault, stops, three, writer_of_three, listen_to_three):
    topic = three.new_topic()
    writer_of_three.write(topic, A, numbers(0, 1000))
    # A request that nobody answers is given up after socket.timeout.ms.
    listener = listen_to_three(topic, proxied=True, config={"socket.timeout.ms": 2000, "session.timeout.ms": 6000})
    before, errors = rows_until(listener, 1000)
    assert (len(before), errors) == (1000, [])
    assert any(proxy.connections for proxy in three.proxies)

    for proxy in three.proxies:
        fault(proxy)
    writer_of_three.write(topic, A, numbers(1000, 1000))
    if stops:
        begun = time.monotonic()
        rows, _ = rows_until(listener, 1, seconds=1, max_time=500)
        assert rows == []
        assert time.monotonic() - begun < 5
        for proxy in three.proxies:
            proxy.heal()
    after, _ = rows_until(listener, 1000, seconds=40)

    assert before + after == list(range(2000))
