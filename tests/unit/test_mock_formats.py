"""MockKafka writes Protobuf and JSON Schema, too, so that tests of topics of them need no broker."""

from __future__ import annotations

import json
import struct
import urllib.request

import pytest

import pykafarr
from pykafarr import ConfigError
from pykafarr.testing import MockKafka

JSON_SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}}}


@pytest.fixture
def kafka():
    with MockKafka() as started:
        yield started


@pytest.fixture(scope="module")
def shop():
    """Classes as protoc generates them."""
    pytest.importorskip("google.protobuf")
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="shop_of_the_mock.proto", package="shop", syntax="proto3")
    other = file.message_type.add(name="Other")
    other.field.add(name="x", number=1, type="TYPE_DOUBLE", label="LABEL_OPTIONAL")
    order = file.message_type.add(name="Order")
    order.field.add(name="id", number=1, type="TYPE_INT64", label="LABEL_OPTIONAL")
    line = order.nested_type.add(name="Line")
    line.field.add(name="n", number=1, type="TYPE_INT32", label="LABEL_OPTIONAL")
    order.field.add(name="lines", number=2, type="TYPE_MESSAGE", type_name=".shop.Order.Line", label="LABEL_REPEATED")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)

    def made(name):
        return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))

    return made


def raw(kafka: MockKafka) -> list[bytes | None]:
    with pykafarr.read(kafka.servers, "t", None, value="bytes", tombstones="keep") as stream:
        return [value for batch in stream for value in batch.to_arrow().column("value").to_pylist()]


def frames(kafka: MockKafka, value: str, **options):
    with pykafarr.read(kafka.servers, "t", kafka.registry_url, value=value, **options) as stream:
        return [(batch.message_type, batch.to_arrow().to_pylist()) for batch in stream]


@pytest.mark.parametrize("value", ["protobuf", "auto"])
def test_messages_and_dicts_of_a_class_are_written_with_its_schema_and_read(kafka, shop, value):
    order = shop("shop.Order")
    kafka.produce("t", order, [order(id=1), {"id": 2, "lines": [{"n": 3}]}])
    assert frames(kafka, value, metadata=()) == [
        ("shop.Order", [{"id": 1, "lines": []}, {"id": 2, "lines": [{"n": 3}]}])
    ]


def test_messages_of_several_types_of_a_file_come_with_their_indexes(kafka, shop):
    order, line, other = shop("shop.Order"), shop("shop.Order.Line"), shop("shop.Other")
    of = kafka.produce("t", order, [other(x=1), line(n=2), order(id=3), None])
    head = struct.pack(">bI", 0, of)
    serialized = [one.SerializeToString() for one in (other(x=1), line(n=2), order(id=3))]
    indexes = [b"\0", b"\x04\x02\0", b"\x02\x02"]
    assert raw(kafka) == [*(head + at + body for at, body in zip(indexes, serialized, strict=True)), None]
    assert [name for name, _ in frames(kafka, "protobuf")] == ["shop.Other", "shop.Order.Line", "shop.Order", "null"]


def test_messages_are_written_with_a_text_too(kafka, shop):
    text = 'syntax = "proto3"; package shop; message Other { double x = 1; }'
    kafka.produce("t", text, [shop("shop.Other")(x=2)], schema_type="PROTOBUF")
    assert frames(kafka, "auto", metadata=()) == [("shop.Other", [{"x": 2.0}])]
    with pytest.raises(ConfigError, match="give the class as the schema, or a message of it as the record"):
        kafka.produce("t", text, [{"x": 2}], schema_type="PROTOBUF")


def test_json_is_written_after_the_id_of_its_schema(kafka):
    of = kafka.produce("t", JSON_SCHEMA, [{"id": 1}, None], schema_type="JSON")
    assert raw(kafka) == [struct.pack(">bI", 0, of) + b'{"id": 1}', None]
    with urllib.request.urlopen(f"{kafka.registry_url}/schemas/ids/{of}") as answer:
        found = json.load(answer)
    assert found["schemaType"] == "JSON"
    assert json.loads(found["schema"]) == JSON_SCHEMA


def test_what_cannot_be_written_is_named_and_nothing_is_sent(kafka, shop):
    order = shop("shop.Order")
    with pytest.raises(ConfigError, match="record 1 does not fit Order"):
        kafka.produce("t", order, [{"id": 1}, {"idd": 2}])
    with pytest.raises(TypeError, match=r"record 0 must be a message .*; produce_raw\(\) writes bytes"):
        kafka.produce("t", order, [b"\x08\x01"])
    with pytest.raises(ConfigError, match="record 0 cannot be written as JSON"):
        kafka.produce("t", JSON_SCHEMA, [{"id": float("nan")}], schema_type="JSON")
    with pytest.raises(ConfigError, match="Invalid schema"):
        kafka.produce("t", "{", [{"id": 1}], schema_type="JSON")
    with pytest.raises(ConfigError, match="schema_type must be one of 'AVRO', 'PROTOBUF', 'JSON'"):
        kafka.produce("t", JSON_SCHEMA, [], schema_type="json")
    with pytest.raises(ConfigError, match="there must be a key for each message: 1, not 2"):
        kafka.produce("t", order, [{"id": 1}], keys=[b"a", b"b"])
    kafka.create_topic("t")
    assert raw(kafka) == []
