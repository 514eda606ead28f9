"""Reads partitions with confluent-kafka's consumer: what pykafarr is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka import Consumer, TopicPartition

if TYPE_CHECKING:
    from tests.servers import Cluster


def raw_messages(cluster: Cluster, topic: str, partition: int = 0, **config: object) -> list[Any]:
    """All messages that are in the log: confluent-kafka's own."""
    properties = {name.replace("_", "."): value for name, value in config.items()}
    common = {"bootstrap.servers": cluster.servers, "group.id": "raw", "enable.partition.eof": True}
    consumer = Consumer({**common, "fetch.wait.max.ms": 10, **properties})  # the end is there at once
    consumer.assign([TopicPartition(topic, partition, 0)])
    messages = []
    while (message := consumer.poll(10)) is not None and message.error() is None:
        messages.append(message)
    consumer.close()
    return messages
