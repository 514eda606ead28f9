"""A Kafka node that wants credentials, and listeners on it. A topic holds one message, b"hello"."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Producer

import pykafarr

if TYPE_CHECKING:
    from tests.servers.secured import SecuredKafka

Listen = Callable[..., pykafarr.Listener]
TOPIC = "guarded"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def kafka(secured: SecuredKafka) -> SecuredKafka:
    secured.create_topic(TOPIC)
    producer = Producer({"bootstrap.servers": secured.servers, "log_level": 2})
    producer.produce(TOPIC, b"hello")
    assert producer.flush(30) == 0
    return secured


@pytest.fixture
def listen(kafka: SecuredKafka) -> Iterator[Listen]:
    """listen("SASL", {"sasl.mechanism": …}): a listener at that address of the node, closed at the test's end."""
    opened: list[pykafarr.Listener] = []

    def open_listener(name: str, config: dict[str, Any], *, topic: str = TOPIC, **options: Any) -> pykafarr.Listener:
        merged = {"auto.offset.reset": "earliest", "reconnect.backoff.max.ms": 500, **config}
        asked = {"value": "string", "metadata": (), "ready_timeout": 20_000, **options}
        group = f"g-{next(_numbers)}"
        opened.append(pykafarr.listener(kafka.at(name), group, topic, None, config=merged, **asked))
        return opened[-1]

    yield open_listener
    for listener in opened:
        listener.close(commit=False)


def greets(listener: pykafarr.Listener) -> bool:
    """Whether the topic's message can be read."""
    return list(listener.poll(1, 10_000)[1]["value"]) == ["hello"]
