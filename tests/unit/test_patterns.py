"""A topic that begins with ^ is a regular expression, which finds the same topics for a listener and a scan."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

import pykafarr
from pykafarr.testing import MockKafka

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERNAL = {"__consumer_offsets", "__transaction_state", "__share_group_state"}
TOPICS = {
    *("orders", "orders.v1", "orders.v12", "orders-dead", "Orders", "ORDERS_X", "a", "ab", "b.orders", "_schemas"),
    *INTERNAL,
}

FOUND = {
    "^.*": TOPICS - INTERNAL,
    "^_": {"_schemas"},
    "^orders": {"orders", "orders.v1", "orders.v12", "orders-dead"},
    "^orders$": {"orders"},
    r"^orders\.": {"orders.v1", "orders.v12"},
    "^orders.": {"orders.v1", "orders.v12", "orders-dead"},
    r"^orders\.v\d+$": {"orders.v1", "orders.v12"},
    r"^orders\.v\d{2,3}$": {"orders.v12"},
    r"^\w+$": {"orders", "Orders", "ORDERS_X", "a", "ab", "_schemas"},
    r"^[^\W_]+$": {"orders", "Orders", "a", "ab"},
    "^(?i)orders(_x)?$": {"orders", "Orders", "ORDERS_X"},
    "^(?P<kind>a)(?:b)?$": {"a", "ab"},
    "^(?<kind>a)b??$": {"a", "ab"},
    "^a|b": {"a", "ab", "b.orders"},
    r"^[[:upper:]]+[\w\-]*$": {"Orders", "ORDERS_X"},
    r"^.*\borders$": {"orders", "b.orders"},
    "^(orders|a)*$": {"orders", "a"},
}

REFUSED = [
    *("^(unclosed", "^(?!a)", "^(?=a)b", "^(?<!a)b", r"^(a)\1", "^a**", "^a{,2}"),
    *("^a b", "^a/b", "^größe", r"^\<a", "^[[.a.]]b"),
]


@pytest.fixture(scope="module")
def kafka() -> Iterator[MockKafka]:
    with MockKafka() as kafka:
        for topic in TOPICS:
            kafka.produce(topic, '"long"', [1])
        yield kafka


def found_by_a_listener(kafka: MockKafka, topics: Any, **config: str) -> set[str]:
    properties = {"auto.offset.reset": "earliest", **config}
    group = f"{topics} {config} {threading.get_ident()}"
    options = {"config": properties, "ready_timeout": 60_000}
    with pykafarr.listener(kafka.servers, group, topics, kafka.registry_url, **options) as p:
        deadline = time.monotonic() + 60
        while not p.assignment() and time.monotonic() < deadline:
            p.poll(1, 200)
        return {topic for topic, _ in p.assignment()}


def found_by_a_scan(kafka: MockKafka, topics: Any, **config: str) -> set[str]:
    return set(pykafarr.scan(kafka.servers, topics, kafka.registry_url, config=config).partitions["topic"])


def test_a_pattern_finds_the_same_topics_for_a_listener_and_a_scan(kafka: MockKafka) -> None:
    with ThreadPoolExecutor(len(FOUND)) as threads:
        by_listeners = list(threads.map(lambda pattern: found_by_a_listener(kafka, pattern), FOUND))
    assert dict(zip(FOUND, by_listeners, strict=True)) == FOUND
    assert {pattern: found_by_a_scan(kafka, pattern) for pattern in FOUND} == FOUND


def test_an_internal_topic_is_found_by_its_name_only(kafka: MockKafka) -> None:
    topics = ["__consumer_offsets", "^a", "^[a]"]  # librdkafka gets one expression of both patterns
    assert found_by_a_listener(kafka, topics) == found_by_a_scan(kafka, topics) == {"__consumer_offsets", "a", "ab"}


def test_a_pattern_finds_no_topic_of_the_blacklist(kafka: MockKafka) -> None:
    config = {"topic.blacklist": r"^orders\.v\d+$, (?i)_x$,,"}
    expected = TOPICS - INTERNAL - {"orders.v1", "orders.v12", "ORDERS_X"}
    assert found_by_a_listener(kafka, "^.*", **config) == found_by_a_scan(kafka, "^.*", **config) == expected


def a_listener(topics: Any, config: dict[str, str]) -> None:
    pykafarr.listener("nowhere:1", "g", topics, None, value="bytes", config=config).close()


def a_scan(topics: Any, config: dict[str, str]) -> None:
    pykafarr.scan("nowhere:1", topics, None, value="bytes", config=config)


@pytest.mark.parametrize("begin", [a_listener, a_scan])
@pytest.mark.parametrize("pattern", REFUSED)
def test_a_pattern_that_is_none_is_refused_at_once_by_both(begin: Any, pattern: str) -> None:
    with pytest.raises(pykafarr.ConfigError, match=r"^topics: .* (is no regular expression|no topic's name can have)"):
        begin(["t", pattern], {})
    with pytest.raises(pykafarr.ConfigError, match=r"^config: topic\.blacklist: "):
        begin("t", {"topic.blacklist": pattern})


def test_a_pattern_may_find_the_dead_letter_topic_if_the_blacklist_hides_it(kafka: MockKafka) -> None:
    kafka.produce_raw("in.a", [b"no Avro"])
    kafka.create_topic("in.dead")
    options = {"errors": "skip", "dead_letter_topic": "in.dead"}
    with pytest.raises(pykafarr.ConfigError, match=r'dead_letter_topic "in\.dead" is read by topics'):
        pykafarr.listener(kafka.servers, "g", "^in", kafka.registry_url, **options)
    config = {"auto.offset.reset": "earliest", "topic.blacklist": r"\.dead$"}
    with pykafarr.listener(kafka.servers, "letters", "^in", kafka.registry_url, config=config, **options) as p:
        deadline = time.monotonic() + 60
        while not p.stats()["dead_letters"] and time.monotonic() < deadline:
            p.poll(1, 200)
    written = pykafarr.read(kafka.servers, "in.dead", None, value="bytes").to_pandas()
    assert [list(frame["value"]) for frame in written.values()] == [[b"no Avro"]]


@pytest.mark.parametrize("begin", [a_listener, a_scan])
def test_a_topic_that_the_blacklist_hides_is_refused(begin: Any) -> None:
    with pytest.raises(pykafarr.ConfigError, match=r'topic\.blacklist hides "orders\.old", which is to be read'):
        begin(["^orders", "orders.old"], {"topic.blacklist": "old$"})


def test_a_pattern_that_finds_nothing_is_named_as_it_was_given(kafka: MockKafka) -> None:
    pattern = r"^mistyped\d"
    with (
        pykafarr.listener(kafka.servers, "g", pattern, kafka.registry_url, ready_timeout=2000) as p,
        pytest.raises(pykafarr.BrokerError) as caught,
    ):
        p.poll(1, 30_000)
    assert pattern in str(caught.value)
    assert "0123456789" not in str(caught.value)
