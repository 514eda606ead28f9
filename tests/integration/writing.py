"""Writes topics the way other programs do: with confluent-kafka's producer and its AvroSerializer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.servers import Cluster

Schema = dict[str, Any] | str

# Two message types, for tests that are not about types.
A: Schema = {"type": "record", "name": "A", "namespace": "com.example", "fields": [{"name": "n", "type": "long"}]}
B: Schema = {"type": "record", "name": "B", "namespace": "com.example", "fields": [{"name": "text", "type": "string"}]}


def numbers(first: int, count: int) -> list[dict[str, int]]:
    """Records of A: so many, counted from the first."""
    return [{"n": number} for number in range(first, first + count)]


class Writer:
    """A producer, with a serializer for each topic and schema that it has met."""

    def __init__(self, cluster: Cluster, **config: object) -> None:
        properties = {"bootstrap.servers": cluster.servers, "log_level": 2, "reconnect.backoff.max.ms": 500}
        properties |= {name.replace("_", "."): value for name, value in config.items()}
        # Idempotent, so that a retry changes neither the order nor the number of messages.
        self.producer = Producer({"enable.idempotence": True, "message.max.bytes": 32_000_000, **properties})
        # Apicurio 3.3.3 sometimes leaves a request without an answer (one of some hundred): the client asks again.
        self._registry = SchemaRegistryClient({"url": cluster.registry_url, "timeout": 3})
        self._serializers: dict[tuple[str, str], AvroSerializer] = {}

    def serialize(self, topic: str, schema: Schema, record: object) -> bytes:
        """A message's value: framing and body. Registers the schema."""
        text = json.dumps(schema)
        serializer = self._serializers.get((topic, text))
        if serializer is None:
            serializer = self._serializers[topic, text] = AvroSerializer(self._registry, text)
        value = serializer(record, SerializationContext(topic, MessageField.VALUE))
        assert value is not None
        return value

    def write(self, topic: str, schema: Schema, records: Iterable[object], partition: int = 0, **message: Any) -> None:
        """Writes records, in order, and waits until the broker has them. More arguments are produce()'s."""
        self.write_values(topic, [self.serialize(topic, schema, record) for record in records], partition, **message)

    def write_values(self, topic: str, values: Iterable[bytes | None], partition: int = 0, **message: Any) -> None:
        """Writes values as they are: no more than the producer's queue holds, 100,000."""
        for value in values:
            self.producer.produce(topic, value=value, partition=partition, on_delivery=_delivered, **message)
        self.flush()

    def close(self) -> None:
        """Closes the connections to the registry; the producer closes its own."""
        self._registry.close()

    def flush(self) -> None:
        """Waits until the broker has everything."""
        left = self.producer.flush(60)
        assert left == 0, f"{left} messages could not be written within a minute"


def _delivered(error: object, _message: object) -> None:
    assert error is None, error
