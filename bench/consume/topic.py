"""Fills a topic with a workload's messages, and knows what must arrive."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError, Message, Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from bench.peers import messages as other_formats

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.consume.workloads import Workload

    # The messages' values with Confluent's framing, whose schemas the registry has got under subjects of the topic.
    Values = Callable[[SchemaRegistryClient, str, Workload, list[dict[str, Any]], int], list[bytes]]
    from tests.servers import Cluster

# So many different messages, over and over. More would only take longer to draw: none of the contestants remembers one.
POOL = 50_000


@dataclass(frozen=True)
class Filled:
    """A topic, and for each number of rows from its beginning that somebody reads, what they add up to."""

    topic: str
    partitions: int
    ids: list[int]
    flags: list[bool]
    lengths: list[int]

    def checksum(self, rows: int) -> tuple[int, int]:
        """The sum of `id`, wrapped to 64 bits as numpy does, and the number of true `flag`s."""
        total = self._sum(self.ids, rows)
        return (total + 2**63) % 2**64 - 2**63, self._sum(self.flags, rows)

    def size(self, rows: int) -> int:
        """The bytes of the messages' values, framing included."""
        return self._sum(self.lengths, rows)

    @staticmethod
    def _sum(values: list[int] | list[bool], rows: int) -> int:
        cycles, rest = divmod(rows, len(values))
        return cycles * sum(values) + sum(values[:rest])


def fill(
    cluster: Cluster,
    workload: Workload,
    messages: int,
    types: int = 1,
    partitions: int = 1,
    compression: str = "none",
    format: str = "avro",  # noqa: A002 - Kafka's users say format
) -> Filled:
    """Writes so many messages, Confluent's framing before each body, into a new topic.

    types: so many record types of Avro, which differ in their names only, take turns.
    """
    topic = cluster.new_topic(partitions)
    registry = SchemaRegistryClient({"url": cluster.registry_url, "timeout": 10})
    records = workload.records(min(POOL, messages))
    values = FORMATS[format](registry, topic, workload, records, types)
    _write(cluster.servers, topic, values, messages, partitions, compression)
    return Filled(
        topic,
        partitions,
        [record["id"] for record in records],
        [record["flag"] for record in records],
        [*map(len, values)],
    )


def _avro(
    registry: SchemaRegistryClient, topic: str, workload: Workload, records: list[dict[str, Any]], types: int
) -> list[bytes]:
    framings = []
    for number in range(types):
        schema = json.loads(workload.schema)
        schema["name"] += str(number or "")
        framings.append(_framing(registry, f"{topic}-{number}", Schema(json.dumps(schema), "AVRO")))
    return [framings[number % types] + body for number, body in enumerate(workload.bodies(records))]


def _protobuf(
    registry: SchemaRegistryClient, topic: str, workload: Workload, records: list[dict[str, Any]], _types: int
) -> list[bytes]:
    of = other_formats.message_class(workload)
    serialize = ProtobufSerializer(of, registry, {"use.deprecated.format": False})
    context = SerializationContext(topic, MessageField.VALUE)
    return [serialize(of.FromString(body), context) for body in other_formats.protobuf_bodies(of, records)]


def _json(
    registry: SchemaRegistryClient, topic: str, workload: Workload, records: list[dict[str, Any]], _types: int
) -> list[bytes]:
    framing = _framing(registry, f"{topic}-value", Schema(other_formats.json_schema_text(workload), "JSON"))
    return [framing + body for body in other_formats.json_bodies(records)]


def _framing(registry: SchemaRegistryClient, subject: str, schema: Schema) -> bytes:
    return b"\0" + registry.register_schema(subject, schema).to_bytes(4, "big")


FORMATS: dict[str, Values] = {"avro": _avro, "protobuf": _protobuf, "jsonschema": _json}


def _write(servers: str, topic: str, values: list[bytes], messages: int, partitions: int, compression: str) -> None:
    failed: list[KafkaError] = []

    def delivered(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failed.append(error)

    # In the large batches that a busy producer makes.
    producer = Producer(
        {
            "bootstrap.servers": servers,
            "log_level": 2,  # a broker that has just started says that it is still loading
            "compression.type": compression,
            "linger.ms": 100,
            "batch.num.messages": 10_000,
            "batch.size": 1_000_000,
            "queue.buffering.max.messages": 0,
            "queue.buffering.max.kbytes": 1_000_000,
            "enable.idempotence": True,
        }
    )
    for number in range(messages):
        producer.produce(topic, values[number % len(values)], partition=number % partitions, on_delivery=delivered)
        if number % 10_000 == 0:
            producer.poll(0)
    left = producer.flush(120)
    if left or failed:
        raise RuntimeError(f"the topic could not be filled: {left} messages left, {failed[:1]}")
