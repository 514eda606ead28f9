"""docs/migrating.md: what confluent-kafka's deserializers give is what the options beside them read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import serialization
from confluent_kafka.schema_registry import SchemaRegistryClient, avro, protobuf
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory, text_format

import pykafarr
from pykafarr.testing import MockKafka

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).resolve().parents[2] / "docs" / "migrating.md"
LINES = re.findall(r"^\| `(.*?)` \| (?:`(.*)`|none) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
AVRO = {"type": "record", "name": "R", "fields": [{"name": "id", "type": "int"}, {"name": "name", "type": "string"}]}
NEWER = {**AVRO, "fields": [{"name": "id", "type": "long"}, {"name": "new", "type": "string", "default": "x"}]}
JSON_SCHEMA = {"title": "R", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}, "required": ["id"]}
FILE = """
name: "migrating.proto" syntax: "proto3"
message_type { name: "Order"
  field { name: "id" number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL }
  field { name: "name" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL } }
"""
ROWS = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]


@pytest.fixture(scope="module")
def order() -> Any:
    pool = descriptor_pool.DescriptorPool()
    pool.Add(text_format.Parse(FILE, descriptor_pb2.FileDescriptorProto()))
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("Order"))


@pytest.fixture(scope="module")
def kafka(order: Any) -> Iterator[MockKafka]:
    """A topic for each format, by the words of `value=`."""
    with MockKafka() as made:
        made.produce("avro", AVRO, ROWS)
        # By their serializer: their deserializer wants the schema as it registers it.
        with SchemaRegistryClient({"url": made.registry_url}) as registry:
            serialize = protobuf.ProtobufSerializer(order, registry, {"use.deprecated.format": False})
            place = SerializationContext("protobuf", MessageField.VALUE)
            made.produce_raw("protobuf", [serialize(order(**row), place) for row in ROWS])
        made.produce("jsonschema", JSON_SCHEMA, ROWS, schema_type="JSON")
        made.produce_raw("json", [json.dumps(row).encode() for row in ROWS])
        for topic in ("string", "bytes"):
            made.produce_raw(topic, [b"a", b"b"])
        yield made


def test_the_page_has_a_line_for_each_format() -> None:
    assert len(LINES) == 8
    words = {re.search(r'value="(\w+)"', ours)[1] if "value" in ours else "avro" for _, ours in LINES}  # type: ignore[index]
    assert words == {"avro", "protobuf", "jsonschema", "json", "string", "bytes"}


@pytest.mark.parametrize(("theirs", "ours"), LINES, ids=[theirs for theirs, _ in LINES])
def test_a_deserializer_gives_what_the_options_beside_it_read(
    kafka: MockKafka, order: Any, theirs: str, ours: str
) -> None:
    newest = json.dumps(JSON_SCHEMA if "jsonschema" in ours else NEWER)
    names = {"Order": order, "newest": newest, "json": json}
    for module in (avro, protobuf, serialization):
        names |= vars(module)
    if "JSONDeserializer" in theirs:
        names |= vars(pytest.importorskip("confluent_kafka.schema_registry.json_schema"))
    options = eval(f"dict({ours})", names)
    topic = options.get("value", "avro")
    plain = topic in ("json", "string", "bytes")
    with pykafarr.read(kafka.servers, topic, None if plain else kafka.registry_url, metadata=(), **options) as stream:
        found = [row for batch in stream for row in batch.to_arrow().to_pylist()]
    with pykafarr.read(kafka.servers, topic, None, value="bytes", metadata=()) as stream:
        values = [value for batch in stream for value in batch.to_arrow().column("value").to_pylist()]
    with SchemaRegistryClient({"url": kafka.registry_url}) as registry:
        names["registry"] = registry
        deserialize = eval(theirs, names)
        given = [deserialize(value, SerializationContext(topic, MessageField.VALUE)) for value in values]
    if topic == "protobuf":
        given = [json_format.MessageToDict(message, preserving_proto_field_name=True) for message in given]
    if topic in ("string", "bytes"):
        given = [{"value": value} for value in given]
    assert found == given


def test_the_loop_and_the_listener_of_the_page_give_the_same_rows() -> None:
    theirs, ours = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {}
    with MockKafka() as kafka:
        kafka.produce("PRICES", AVRO, [*ROWS, *ROWS[:1]])
        for code in (theirs, ours):
            here = code.replace("kafka:9092", kafka.servers).replace("http://registry:8081/", kafka.registry_url)
            exec(compile(here, "docs/migrating.md", "exec"), names)
        names["registry"].close()
    assert names["frame"].drop(columns="_offset").to_dict("records") == names["rows"]
