"""Frames that are sent, against what Avro's Java, fastavro and confluent-kafka's AvroDeserializer read.

Random schemas and values, as in test_bodies.py, and each type of docs/types.md. A failure names its seed, which makes
the same schema and values again.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import fastavro
import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.conformance import wire
from tests.conformance.values import Same
from tests.unit.test_differential import Comparison, big_decimal, case, decode, plain, read
from tests.unit.test_types import TYPES, bodies_of, record

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNKS = 4
CASES = 100  # in a chunk


# What the bytes of these types stand for.
NUMBERS = {
    "big-decimal": big_decimal,
    "decimal of more than 76 digits": lambda value: int.from_bytes(value, "big", signed=True),
}


@pytest.fixture(scope="module")
def written() -> Iterator[wire.Wire]:
    with wire.opened() as made:
        yield made


@pytest.mark.parametrize("unions", ["struct", "dense"])
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_java_and_fastavro_read_the_values_of_the_frames_that_were_sent(java, written, chunk, unions):
    first = {"struct": 4 * 10**6, "dense": 5 * 10**6}[unions] + chunk * CASES
    made = {seed: case(seed) for seed in range(first, first + CASES)}
    frames = [decode(plain(schema), bodies, unions=unions) for _, schema, _, bodies in made.values()]
    schemas = [plain(schema) for _, schema, _, _ in made.values()]
    found = written.bodies(zip(schemas, frames, strict=True))
    for (seed, (maker, schema, parsed, _)), frame, bodies in zip(made.items(), frames, found, strict=True):
        Same(maker).columns(schema, frame, java.read(plain(schema), bodies), f"seed {seed}: ")
        for row, body in zip(frame.to_pylist(), bodies, strict=True):
            Comparison(maker, dense=unions == "dense").same(schema, row, read(parsed, body), f"seed {seed}: ")


@pytest.mark.parametrize("name", TYPES)
def test_each_type_of_the_page_of_types_is_read_by_all(java, written, name):
    kind = TYPES[name]
    schema = record("".join(letter for letter in name.title() if letter.isalnum()), x=kind.schema, last="int")
    bodies = [body + b"\2" for body in bodies_of(kind)]  # confluent-kafka refuses such as have no byte
    frame = decode(schema, bodies)
    (messages,) = written.bodies([(schema, frame)], framing="confluent", subject="record", register=True)
    ours = [message[5:] for message in messages]
    if number := NUMBERS.get(name):  # which may be written in several ways
        assert [number(bytes.fromhex(row["x"])) for row in java.read(schema, ours)] == [
            number(bytes.fromhex(row["x"])) for row in java.read(schema, bodies)
        ]
        return
    assert ours == bodies
    assert java.read(schema, ours) == java.read(schema, bodies)
    parsed = fastavro.parse_schema(copy.deepcopy(schema))
    with SchemaRegistryClient({"url": written.kafka.registry_url}) as registry:
        deserialize = AvroDeserializer(registry)
        context = SerializationContext(wire.TOPIC, MessageField.VALUE)
        assert [repr(deserialize(message, context)) for message in messages] == [
            repr(read(parsed, body)) for body in bodies
        ]
