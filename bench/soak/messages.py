"""Writes the topic that the soak reads: `python -m bench.soak.messages SERVERS REGISTRY TOPIC COUNT`.

A process of its own, so that what it frees is not there for the reading one to use: that would hide a leak's beginning.
"""

from __future__ import annotations

import io
import json
import random
import struct
import sys
from itertools import cycle, islice
from typing import TYPE_CHECKING

import fastavro
from confluent_kafka import Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN = 25_000  # messages of one type, before the other has its turn
BAD_EVERY = 1000  # one of so many is cut short, and cannot be decoded

_FIELDS = [
    ("flag", "boolean"),
    ("count", "int"),
    ("id", "long"),
    ("ratio", "float"),
    ("price", "double"),
    ("name", "string"),
]
SCHEMAS = [
    {"type": "record", "name": f"Soak{letter}", "fields": [{"name": name, "type": kind} for name, kind in fields]}
    for letter, fields in (("A", _FIELDS), ("B", _FIELDS[::-1]))
]


def messages(schema_ids: list[int]) -> Iterator[bytes]:
    """Messages without end: both types in turn."""
    pools = [cycle(_pool(schema, number)) for schema, number in zip(SCHEMAS, schema_ids, strict=True)]
    for pool in cycle(pools):
        yield from islice(pool, RUN)


def _pool(schema: dict[str, object], schema_id: int) -> list[bytes]:
    """Different messages, to be written again and again: compressed, ten million of them take little room."""
    chance = random.Random(schema_id)
    parsed = fastavro.parse_schema(schema)
    pool = []
    for _ in range(BAD_EVERY):
        record = {
            "flag": chance.random() < 0.5, "count": chance.randrange(1 << 20), "id": chance.randrange(1 << 50),
            "ratio": chance.random(), "price": chance.random(), "name": "n" * chance.randint(8, 16),
        }  # fmt: skip
        body = io.BytesIO()
        fastavro.schemaless_writer(body, parsed, record)
        pool.append(struct.pack(">bI", 0, schema_id) + body.getvalue())
    pool[-1] = pool[-1][:-1]
    return pool


def main() -> None:
    servers, registry_url, topic, count = sys.argv[1:]
    registry = SchemaRegistryClient({"url": registry_url, "timeout": 5})
    ids = [registry.register_schema(f"{topic}-{s['name']}", Schema(json.dumps(s), "AVRO")) for s in SCHEMAS]
    producer = Producer(
        {
            "bootstrap.servers": servers,
            "enable.idempotence": True,
            "compression.type": "lz4",
            "linger.ms": 50,
            "log_level": 3,
        }
    )
    produce = producer.produce
    for number, value in enumerate(islice(messages(ids), int(count))):
        if number % RUN == 0:
            producer.poll(0)
        try:
            produce(topic, value, on_delivery=_delivered)
        except BufferError:
            producer.flush()
            produce(topic, value, on_delivery=_delivered)
    producer.flush()


def _delivered(error: object, _message: object) -> None:
    if error is not None:
        sys.exit(f"a message could not be written: {error}")


if __name__ == "__main__":
    main()
