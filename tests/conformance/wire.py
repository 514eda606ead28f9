"""What a producer writes of a frame: the bytes, as confluent-kafka takes them from a topic."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from confluent_kafka import Consumer, TopicPartition

import pykafarr
from pykafarr.testing import MockKafka

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TOPIC = "wire"


class Wire:
    """A producer, and a consumer of what it writes, on an embedded broker. Made by `opened()`."""

    def __init__(self, kafka: MockKafka, out: pykafarr.Producer, consumer: Consumer) -> None:
        self.kafka = kafka
        self._out = out
        self._consumer = consumer
        consumer.assign([TopicPartition(TOPIC, 0, 0)])

    def bodies(self, frames: Iterable[tuple[Any, Any]], **options: Any) -> list[list[bytes]]:
        """The messages of each frame, which comes with its schema: bodies alone, unless the options say otherwise."""
        options = {"framing": "bare", **options}
        reports = [self._out.send(None, frame, TOPIC, schema=schema, **options) for schema, frame in frames]
        self._out.flush()
        return [self._taken(report.wait().rows) for report in reports]

    def _taken(self, count: int) -> list[bytes]:
        found: list[bytes] = []
        while len(found) < count:
            messages = self._consumer.consume(count - len(found), 20)
            assert messages, f"{count - len(found)} messages do not come"
            for message in messages:
                assert message.error() is None, message.error()
                value = message.value()
                assert value is not None
                found.append(value)
        return found


@contextlib.contextmanager
def opened() -> Iterator[Wire]:
    """A wire, for as long as the block runs."""
    with MockKafka(topics=[TOPIC]) as kafka, pykafarr.producer(kafka.servers, kafka.registry_url) as out:
        consumer = Consumer({"bootstrap.servers": kafka.servers, "group.id": "wire", "log_level": 2})
        try:
            yield Wire(kafka, out, consumer)
        finally:
            consumer.close()
