"""Protobuf, JSON Schema and JSON on a real broker and registry, written by confluent-kafka's own serializers."""

import json

import pytest
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

import pykafarr
from tests.integration.raw import raw_messages

POINT = """name: "geo/point.proto" package: "geo" syntax: "proto3"
message_type { name: "Point" field { name: "x" number: 1 type: TYPE_DOUBLE label: LABEL_OPTIONAL } }"""
ORDER = """name: "shop/order.proto" package: "shop" syntax: "proto3" dependency: "geo/point.proto"
message_type { name: "Order" field { name: "id" number: 1 type: TYPE_INT64 label: LABEL_OPTIONAL }
  field { name: "place" number: 2 type: TYPE_MESSAGE type_name: ".geo.Point" label: LABEL_OPTIONAL } }
message_type { name: "Other" field { name: "text" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL } }"""

# As mbknor-jackson-jsonschema and pydantic write them.
JAVA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "Customer",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "id": {"type": "integer"},
        "name": {"oneOf": [{"type": "null", "title": "Not included"}, {"type": "string"}]},
        "home": {"oneOf": [{"type": "null", "title": "Not included"}, {"$ref": "#/definitions/Address"}]},
    },
    "required": ["id"],
    "definitions": {
        "Address": {"type": "object", "additionalProperties": False, "properties": {"zip": {"type": "string"}}}
    },
}
PYDANTIC = {
    "title": "Reading",
    "type": "object",
    "$defs": {"Unit": {"enum": ["C", "F"], "title": "Unit", "type": "string"}},
    "properties": {
        "at": {"format": "date-time", "title": "At", "type": "string"},
        "value": {"anyOf": [{"type": "number"}, {"type": "null"}], "default": None, "title": "Value"},
        "unit": {"$ref": "#/$defs/Unit"},
    },
    "required": ["at", "unit"],
}


@pytest.fixture
def registry(cluster):
    with SchemaRegistryClient({"url": cluster.registry_url, "timeout": 3}) as client:
        yield client


@pytest.fixture(scope="module")
def types():
    """The classes of the two types of a file that imports another one."""
    pool = descriptor_pool.DescriptorPool()
    for text in (POINT, ORDER):
        pool.Add(text_format.Parse(text, descriptor_pb2.FileDescriptorProto()))
    names = ("shop.Order", "shop.Other")
    return [message_factory.GetMessageClass(pool.FindMessageTypeByName(name)) for name in names]


def polled(listener, rows):
    """The rows of each message type, as they are listened to."""
    found = {}
    while sum(map(len, found.values())) < rows:
        if (batch := listener.poll_batch(rows, 1000)) is not None:
            found.setdefault(batch.message_type, []).extend(batch.to_arrow().to_pylist())
    return found


def scanned(cluster, topic, registry_url, **options):
    """The same of a scan."""
    found = {}
    with pykafarr.read(cluster.servers, topic, registry_url, **options) as stream:
        for batch in stream:
            found.setdefault(batch.message_type, []).extend(batch.to_arrow().to_pylist())
    return found


@pytest.mark.parametrize("value", ["protobuf", "auto"])
def test_protobuf_with_a_reference_two_types_and_a_tombstone(value, cluster, registry, types, writer, topic, listen):
    order, other = types
    context = SerializationContext(topic, MessageField.VALUE)
    messages = [order(id=1, place={"x": 0.5}), other(text="ü"), None, order(id=2)]
    serializers = {kind: ProtobufSerializer(kind, registry) for kind in types}
    values = [None if m is None else serializers[type(m)](m, context) for m in messages]
    writer.write_values(topic, values)
    want = {
        "shop.Order": [{"id": 1, "place": {"x": 0.5}, "_offset": 0}, {"id": 2, "place": None, "_offset": 3}],
        "shop.Other": [{"text": "ü", "_offset": 1}],
        "null": [{"_offset": 2}],
    }

    for mixed in ("split", "group"):
        options = {"value": value, "mixed": mixed}
        with listen(group=cluster.new_name("group"), **options) as listener:
            assert polled(listener, 4) == want
        assert scanned(cluster, topic, cluster.registry_url, **options) == want


def test_json_schema_with_a_reference(cluster, registry, writer, topic, listen):
    point = {"type": "object", "title": "Point", "properties": {"x": {"type": "number"}}, "required": ["x"]}
    subject = cluster.new_name("point")
    registry.register_schema(subject, Schema(json.dumps(point), "JSON"))
    order = {
        "title": "Order",
        "type": "object",
        "properties": {"id": {"type": "integer"}, "place": {"$ref": "point.json"}},
        "required": ["id", "place"],
    }
    schema = Schema(json.dumps(order), "JSON", [SchemaReference("point.json", subject, 1)])
    serialize = JSONSerializer(schema, registry, conf={"validate": False})
    record = {"id": 2**53 + 1, "place": {"x": 0.5}}
    writer.write_values(topic, [serialize(record, SerializationContext(topic, MessageField.VALUE)), None])
    want = {"Order": [{**record, "_offset": 0}, {"id": None, "place": None, "_offset": 1}]}

    for value in ("jsonschema", "auto"):
        options = {"value": value, "tombstones": "keep"}
        with listen(group=cluster.new_name("group"), **options) as listener:
            assert polled(listener, 2) == want
        assert scanned(cluster, topic, cluster.registry_url, **options) == want


@pytest.mark.parametrize(
    ("schema", "record", "want"),
    [
        (JAVA, {"id": 1, "home": {"zip": "1"}}, {"id": 1, "name": None, "home": {"zip": "1"}}),
        (PYDANTIC, {"at": "2026-01-02T03:04:05Z", "value": None, "unit": "F"}, {"value": None, "unit": "F"}),
    ],
    ids=["mbknor", "pydantic"],
)
def test_schemas_as_other_libraries_write_them(schema, record, want, registry, writer, topic, listen):
    serialize = JSONSerializer(json.dumps(schema), registry)
    writer.write_values(topic, [serialize(record, SerializationContext(topic, MessageField.VALUE))])

    (row,) = polled(listen(value="jsonschema", metadata=()), 1)[schema["title"]]

    if "at" in record:
        assert row.pop("at").isoformat() == "2026-01-02T03:04:05+00:00"
    assert row == want


def test_plain_json_is_inferred_and_the_schema_reads_it_again(cluster, writer, topic, listen):
    writer.write_values(topic, [b'{"id": 1}', None, b'{"id": 2.5, "tags": ["x"]}'])
    want = {
        topic: [{"id": 1.0, "tags": None, "_offset": 0}, {"id": 2.5, "tags": ["x"], "_offset": 2}],
        "null": [{"_offset": 1}],
    }
    listener = listen(registry_url=None, value="json")

    assert polled(listener, 3) == want

    plan = pykafarr.scan(cluster.servers, topic, None, value="json")
    assert plan.inferred[topic].equals(listener.schema(topic))
    assert scanned(cluster, topic, None, value="json", schema={topic: listener.schema(topic)}) == want


def test_envelopes_of_connect_with_their_keys(cluster, writer, topic, listen):
    def envelope(name, payload):
        fields = [{"type": "int32", "optional": False, "field": "id"}]
        schema = {"type": "struct", "fields": fields, "optional": False, "name": name}
        return json.dumps({"schema": schema, "payload": payload}).encode()

    writer.write_values(topic, [envelope("x.Row", {"id": 7}), None], key=envelope("x.Key", {"id": 1}))
    options = {"value": "json", "framing": "connect", "key": "json", "metadata": "key", "tombstones": "keep"}
    want = {"x.Row": [{"id": 7, "_key": {"id": 1}}, {"id": None, "_key": {"id": 1}}]}

    assert polled(listen(registry_url=None, **options), 2) == want
    assert scanned(cluster, topic, None, **options) == want


def test_a_bad_row_goes_to_the_dead_letters_as_it_was(cluster, registry, types, writer, topic, listen):
    _, other = types
    context = SerializationContext(topic, MessageField.VALUE)
    protobuf = ProtobufSerializer(other, registry)(other(text="ok"), context)
    of_json = JSONSerializer(json.dumps(JAVA), registry)
    fine = of_json({"id": 1}, SerializationContext(cluster.new_name("subject"), MessageField.VALUE))
    bad = [protobuf[:-1], fine[:5] + b'{"id": "one"}', fine[:5] + b'{"id": 1']
    writer.write_values(topic, [protobuf, *bad, fine])
    letters = cluster.new_topic()

    with listen(value="auto", errors="skip", dead_letter_topic=letters) as listener:
        found = polled(listener, 2)
        listener.commit()

    assert {name: [row["_offset"] for row in rows] for name, rows in found.items()} == {
        "shop.Other": [0],
        "Customer": [4],
    }
    sent = raw_messages(cluster, letters)
    assert [letter.value() for letter in sent] == bad
    told = [dict(letter.headers())["pykafarr.message"].decode() for letter in sent]
    assert [text.split(": ")[0] for text in told] == [f"{topic}[0]@{offset}" for offset in (1, 2, 3)]
    assert [text.split(": ")[2] for text in told[:2]] == ["text", "id"]


def test_each_topic_is_read_by_the_schema_that_is_given_for_it(cluster, types, writer, listen):
    _, other = types
    topics = [cluster.new_topic(), cluster.new_topic()]
    writer.write_values(topics[0], [other(text="a").SerializeToString()])
    writer.write_values(topics[1], [b"\x08\x05"])
    number = 'syntax = "proto3"; package x; message Number { int64 n = 1; }'
    options = {"value": "protobuf", "framing": "bare", "metadata": ()}
    schema = {topics[0]: other, topics[1]: number}
    want = {"shop.Other": [{"text": "a"}], "x.Number": [{"n": 5}]}

    assert polled(listen(topics, registry_url=None, schema=schema, **options), 2) == want
    assert scanned(cluster, topics, None, schema=schema, **options) == want
    with pytest.raises(pykafarr.ConfigError, match=f'none for "{topics[1]}", which is read'):
        listen(topics, registry_url=None, schema={topics[0]: other}, **options)
