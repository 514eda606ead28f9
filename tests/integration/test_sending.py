"""What a producer writes, other clients read back, and the other way around: a real broker and a real registry."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import json
import resource
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import fastavro
import pyarrow as pa
import pytest
from confluent_kafka import Consumer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

import pykafarr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Cluster

WIDE = {
    "type": "record",
    "name": "com.example.Wide",
    "fields": [
        {"name": "b", "type": "boolean"},
        {"name": "i", "type": "int"},
        {"name": "l", "type": ["null", "long"]},
        {"name": "f", "type": "float"},
        {"name": "d", "type": ["double", "null"]},
        {"name": "s", "type": "string"},
        {"name": "y", "type": "bytes"},
        {"name": "x", "type": {"type": "fixed", "name": "F", "size": 3}},
        {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["A", "B"]}},
        {"name": "a", "type": {"type": "array", "items": ["null", "string"]}},
        {"name": "m", "type": {"type": "map", "values": "int"}},
        {"name": "r", "type": {"type": "record", "name": "R", "fields": [{"name": "n", "type": ["null", "int"]}]}},
        {"name": "u", "type": ["null", "string", "long"]},
        {"name": "p", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "clock", "type": {"type": "int", "logicalType": "time-millis"}},
        {"name": "id", "type": {"type": "string", "logicalType": "uuid"}},
    ],
}
RECORDS: list[dict[str, Any]] = [
    {
        "b": True,
        "i": -(2**31),
        "l": 2**63 - 1,
        "f": 1.5,
        "d": None,
        "s": "grüße",
        "y": b"\x00\xff",
        "x": b"abc",
        "e": "B",
        "a": ["x", None],
        "m": {"k": 1},
        "r": {"n": None},
        "u": "text",
        "p": decimal.Decimal("-12.34"),
        "day": dt.date(1969, 12, 31),
        "at": dt.datetime(2026, 1, 31, 1, 2, 3, 4, dt.timezone.utc),
        "clock": dt.time(1, 2, 3, 4000),
        "id": "00000000-0000-4000-8000-000000000001",
    },
    {
        "b": False,
        "i": 0,
        "l": None,
        "f": -0.0,
        "d": 0.1,
        "s": "",
        "y": b"",
        "x": b"\x00\x00\x00",
        "e": "A",
        "a": [],
        "m": {},
        "r": {"n": 7},
        "u": 5,
        "p": decimal.Decimal("0.00"),
        "day": dt.date(2026, 1, 31),
        "at": dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc),
        "clock": dt.time(0),
        "id": "00000000-0000-4000-8000-000000000002",
    },
]


def messages(cluster: Cluster, topic: str, count: int) -> list[Any]:
    """The messages as confluent-kafka reads them."""
    consumer = Consumer({"bootstrap.servers": cluster.servers, "group.id": topic, "auto.offset.reset": "earliest"})
    try:
        consumer.subscribe([topic])
        found: list[Any] = []
        deadline = time.monotonic() + 60
        while len(found) < count and time.monotonic() < deadline:
            found += consumer.consume(count - len(found), 1)
        return found
    finally:
        consumer.close()


def read(cluster: Cluster, topic: str) -> dict[str, pa.Table]:
    with pykafarr.scan(cluster.servers, topic, cluster.registry_url, metadata=()).read() as stream:
        return stream.to_arrow()


def test_what_is_sent_on_is_what_was_read_and_all_clients_read_the_same(cluster: Cluster, writer: Any) -> None:
    first, second = cluster.new_topic(), cluster.new_topic()
    writer.write(first, WIDE, RECORDS)
    table = read(cluster, first)["com.example.Wide"]
    with pykafarr.producer(cluster.servers, cluster.registry_url) as out:
        report = out.send("com.example.Wide", table, second, schema=WIDE, register=True, wait=True)
    assert report.written == 2
    assert read(cluster, second)["com.example.Wide"].equals(table)
    here, there = messages(cluster, first, 2), messages(cluster, second, 2)
    # Byte for byte what Confluent's serializer writes, with the same id.
    assert [one.value() for one in there] == [one.value() for one in here]
    context = SerializationContext(second, MessageField.VALUE)
    with SchemaRegistryClient({"url": cluster.registry_url}) as registry:
        deserialize = AvroDeserializer(registry)
        assert [deserialize(one.value(), context) for one in there] == [
            deserialize(one.value(), context) for one in here
        ]
    parsed = fastavro.parse_schema(json.loads(json.dumps(WIDE)))
    bodies = [fastavro.schemaless_reader(io.BytesIO(one.value()[5:]), parsed, None) for one in there]
    assert [body["p"] for body in bodies] == [record["p"] for record in RECORDS]
    assert [body["s"] for body in bodies] == [record["s"] for record in RECORDS]


@pytest.fixture
def registry(cluster: Cluster) -> Iterator[SchemaRegistryClient]:
    with SchemaRegistryClient({"url": cluster.registry_url}) as client:
        yield client


def test_a_schema_gets_the_id_that_confluents_serializer_gets(cluster: Cluster, registry: SchemaRegistryClient) -> None:
    topic = cluster.new_topic()
    base = {"type": "record", "name": "com.example.Base", "fields": [{"name": "n", "type": "int"}]}
    registry.register_schema(f"{topic}-base", Schema(json.dumps(base), "AVRO"))
    text = '{"type":"record","name":"com.example.Top","fields":[{"name":"b","type":"com.example.Base"}]}'
    reference = {"name": "com.example.Base", "subject": f"{topic}-base", "version": 1}
    with pykafarr.producer(cluster.servers, cluster.registry_url) as out:
        out.send(
            "com.example.Top",
            pa.table({"b": [{"n": 1}]}),
            topic,
            schema={"schema": text, "references": [reference]},
            register=True,
            wait=True,
        )
    latest = registry.get_latest_version(f"{topic}-value")
    value = messages(cluster, topic, 1)[0].value()
    assert int.from_bytes(value[1:5], "big") == latest.schema_id
    serializer = AvroSerializer(
        registry,
        None,
        conf={"use.latest.version": True, "auto.register.schemas": False},  # type: ignore[arg-type]
    )
    assert serializer({"b": {"n": 1}}, SerializationContext(topic, MessageField.VALUE)) == value


def test_json_is_read_by_confluents_deserializer_and_has_its_serializers_id(
    cluster: Cluster, registry: SchemaRegistryClient
) -> None:
    topic = cluster.new_topic()
    frame = pa.table(
        {
            "symbol": ['a "quoted" text', "€"],
            "volume": pa.array([2**53 + 1, None], pa.int64()),
            "at": pa.array([dt.datetime(2026, 1, 31, 1, 2, 3, 4, dt.timezone.utc), None], pa.timestamp("us", "UTC")),
            "legs": [[{"price": 0.1}], []],
        }
    )
    with pykafarr.producer(cluster.servers, cluster.registry_url) as out:
        out.send("Price", frame, topic, value="jsonschema", schema="derive", register=True, wait=True)
        out.send("Price", frame, topic, wait=True)  # the registry says what the schema is of
    text = registry.get_latest_version(f"{topic}-value").schema.schema_str
    assert text is not None
    found = [one.value() for one in messages(cluster, topic, 4)]
    context = SerializationContext(topic, MessageField.VALUE)
    values = [JSONDeserializer(text, schema_registry_client=registry)(value, context) for value in found]
    expected = [
        {
            "symbol": 'a "quoted" text',
            "volume": 2**53 + 1,
            "at": "2026-01-31T01:02:03.000004Z",
            "legs": [{"price": 0.1}],
        },
        {"symbol": "€", "legs": []},
    ]
    assert values == expected * 2
    theirs = JSONSerializer(text, registry)(expected[0], context)
    assert theirs is not None
    assert [value[:5] for value in found] == [theirs[:5]] * 4
    with pykafarr.scan(cluster.servers, topic, cluster.registry_url, value="jsonschema", metadata=()).read() as stream:
        assert stream.to_arrow()["Price"].to_pylist() == frame.to_pylist() * 2


def test_an_incompatible_schema_brings_the_registrys_whole_answer(
    cluster: Cluster, registry: SchemaRegistryClient
) -> None:
    topic = cluster.new_topic()
    schema: dict[str, Any] = {"type": "record", "name": "P", "fields": [{"name": "n", "type": "int"}]}
    with pykafarr.producer(cluster.servers, cluster.registry_url) as out:
        out.send("P", pa.table({"n": pa.array([1], pa.int32())}), topic, schema=schema, register=True, wait=True)
        registry.set_compatibility(f"{topic}-value", "BACKWARD")
        schema["fields"].append({"name": "m", "type": "int"})
        with pytest.raises(pykafarr.RegistryError, match=r"409.*nothing was registered or sent") as caught:
            out.send("P", pa.table({"n": [1], "m": [1]}), topic, schema=schema, register=True)
    assert "m" in str(caught.value)
    assert read(cluster, topic)["P"].num_rows == 1


def test_ten_thousand_small_sends_leave_memory_flat(cluster: Cluster, topic: str) -> None:
    frame = pa.table({"n": pa.array([1, 2], pa.int64())})
    schema = {"type": "record", "name": "P", "fields": [{"name": "n", "type": "long"}]}
    with pykafarr.producer(cluster.servers, cluster.registry_url) as out:
        out.send("P", frame, topic, schema=schema, register=True, wait=True)
        for _ in range(2000):
            out.send("P", frame, topic)
        out.flush()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(10_000):
            out.send("P", frame, topic)
        out.flush()
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert read(cluster, topic)["P"].num_rows == 2 * 12_001
    assert grown < 32, f"{grown} MiB"


def test_ctrl_c_ends_a_send_at_once_and_the_rows_that_were_sent_are_whole(cluster: Cluster, topic: str) -> None:
    """The memory limit is small, so that the send waits for the broker most of the time."""
    code = f"""
import os, signal, threading, time
import pyarrow as pa, pykafarr
schema = '{{"type":"record","name":"P","fields":[{{"name":"n","type":"long"}},{{"name":"t","type":"string"}}]}}'
frame = pa.table({{"n": pa.array(range(2_000_000), pa.int64()), "t": ["x" * 100] * 2_000_000}})
out = pykafarr.producer({cluster.servers!r}, {cluster.registry_url!r}, memory_limit=4_000_000)
out.send("P", frame.slice(0, 1), {topic!r}, schema=schema, register=True, wait=True)
sent = []
def interrupt():
    sent.append(time.monotonic())
    os.kill(os.getpid(), signal.SIGINT)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background has it ignored
threading.Timer(0.1, interrupt).start()
try:
    while True:
        out.send("P", frame, {topic!r})
except KeyboardInterrupt:
    print(time.monotonic() - sent[0])
out.close()
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert found.returncode == 0, found.stderr
    assert float(found.stdout) < 2.0  # a wide margin: it is some ten milliseconds
    numbers = read(cluster, topic)["P"]["n"].to_pylist()
    assert numbers[1:] == [number % 2_000_000 for number in range(len(numbers) - 1)]
