"""confluent-kafka's own ProtobufSerializer as the producer: what it writes, and the schemas that it registers."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient, header_schema_id_serializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    message_factory,
    text_format,
    timestamp_pb2,
    wrappers_pb2,
)

import pykafarr
from pykafarr.testing import MockKafka

if TYPE_CHECKING:
    from collections.abc import Iterator

IMPORTED = """
name: "geo/point.proto" package: "geo" syntax: "proto3"
message_type { name: "Point"
  field { name: "x" number: 1 type: TYPE_DOUBLE label: LABEL_OPTIONAL }
  field { name: "y" number: 2 type: TYPE_DOUBLE label: LABEL_OPTIONAL } }
"""
FILE = """
name: "shop/order.proto" package: "shop" syntax: "proto3"
dependency: "geo/point.proto" dependency: "google/protobuf/timestamp.proto"
dependency: "google/protobuf/duration.proto" dependency: "google/protobuf/wrappers.proto"
enum_type { name: "Color" value { name: "RED" number: 0 } value { name: "BLUE" number: 1 } }
message_type { name: "Other"
  field { name: "n" number: 1 type: TYPE_UINT64 label: LABEL_OPTIONAL } }
message_type { name: "Order"
  field { name: "id" number: 1 type: TYPE_INT64 label: LABEL_OPTIONAL }
  field { name: "color" number: 2 type: TYPE_ENUM type_name: ".shop.Color" label: LABEL_OPTIONAL }
  field { name: "at" number: 3 type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" label: LABEL_OPTIONAL }
  field { name: "takes" number: 4 type: TYPE_MESSAGE type_name: ".google.protobuf.Duration" label: LABEL_OPTIONAL }
  field { name: "note" number: 5 type: TYPE_MESSAGE type_name: ".google.protobuf.StringValue" label: LABEL_OPTIONAL }
  field { name: "place" number: 6 type: TYPE_MESSAGE type_name: ".geo.Point" label: LABEL_OPTIONAL }
  field { name: "lines" number: 7 type: TYPE_MESSAGE type_name: ".shop.Order.Line" label: LABEL_REPEATED }
  field { name: "counts" number: 8 type: TYPE_MESSAGE type_name: ".shop.Order.CountsEntry" label: LABEL_REPEATED }
  nested_type { name: "CountsEntry" options { map_entry: true }
    field { name: "key" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
    field { name: "value" number: 2 type: TYPE_SINT32 label: LABEL_OPTIONAL } }
  nested_type { name: "Line"
    field { name: "sku" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
    nested_type { name: "Tax"
      field { name: "rate" number: 1 type: TYPE_FLOAT label: LABEL_OPTIONAL } } } }
"""
WELL_KNOWN = (timestamp_pb2, duration_pb2, wrappers_pb2)
AT = dt.datetime(2026, 1, 2, 3, 4, 5, 678901, dt.timezone.utc)
NAMES = ("shop.Order", "shop.Other", "shop.Order.Line", "shop.Order.Line.Tax")


@pytest.fixture(scope="module")
def types() -> dict[str, Any]:
    pool = descriptor_pool.DescriptorPool()
    for module in WELL_KNOWN:
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    for text in (IMPORTED, FILE):
        pool.Add(text_format.Parse(text, descriptor_pb2.FileDescriptorProto()))
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name)) for name in NAMES}


@pytest.fixture
def kafka() -> Iterator[MockKafka]:
    with MockKafka() as started:
        yield started


def order(types: dict[str, Any]) -> Any:
    made = types["shop.Order"](id=-(2**63), color=1, lines=[{"sku": "ä"}, {}], counts={"a": -1}, place={"x": 0.5})
    made.at.FromDatetime(AT)
    made.takes.FromTimedelta(dt.timedelta(days=-1, microseconds=1))
    made.note.value = ""
    return made


ROW = {
    "id": -(2**63),
    "color": "BLUE",
    "at": AT,
    "takes": dt.timedelta(days=-1, microseconds=1),
    "note": "",
    "place": {"x": 0.5, "y": 0.0},
    "lines": [{"sku": "ä"}, {"sku": ""}],
    "counts": [("a", -1)],
}


@pytest.mark.parametrize("value", ["protobuf", "auto"])
def test_each_type_of_a_file_with_references_is_read_as_it_was_written(kafka, types, value):
    values = {
        "shop.Order": (order(types), ROW),
        "shop.Other": (types["shop.Other"](n=2**64 - 1), {"n": 2**64 - 1}),
        "shop.Order.Line": (types["shop.Order.Line"](sku="s"), {"sku": "s"}),
        "shop.Order.Line.Tax": (types["shop.Order.Line.Tax"](rate=0.5), {"rate": 0.5}),
    }
    context = SerializationContext("t", MessageField.VALUE)
    with SchemaRegistryClient({"url": kafka.registry_url}) as registry:
        bodies = [ProtobufSerializer(types[name], registry)(value, context) for name, (value, _) in values.items()]
    kafka.produce_raw("t", bodies)
    with pykafarr.read(kafka.servers, "t", kafka.registry_url, value=value, metadata=()) as stream:
        found = {batch.message_type: batch.to_arrow().to_pylist() for batch in stream}
    assert found == {name: [row] for name, (_, row) in values.items()}
    listened: dict[str, list[dict[str, Any]]] = {}
    with pykafarr.listener(
        kafka.servers, "g", "t", kafka.registry_url, value=value, start="earliest", metadata=()
    ) as listener:
        while len(listened) < len(values):
            batch = listener.poll_batch(max_time=500)
            if batch is not None:
                listened[batch.message_type] = batch.to_arrow().to_pylist()
    assert listened == found


def test_the_schema_may_be_named_in_a_header(kafka, types):
    headers: list[tuple[str, bytes]] = []
    context = SerializationContext("t", MessageField.VALUE, headers)
    settings = {"schema.id.serializer": header_schema_id_serializer}
    message = types["shop.Order.Line.Tax"](rate=0.5)
    with SchemaRegistryClient({"url": kafka.registry_url}) as registry:
        body = ProtobufSerializer(type(message), registry, settings)(message, context)
    assert (body, len(headers)) == (message.SerializeToString(), 1)
    producer = Producer({"bootstrap.servers": kafka.servers})
    producer.produce("t", body, headers=headers)
    assert producer.flush(30) == 0
    with pykafarr.read(
        kafka.servers, "t", kafka.registry_url, value="protobuf", framing="schema_header", metadata=()
    ) as stream:
        (batch,) = list(stream)
        assert (batch.message_type, batch.to_arrow().to_pylist()) == ("shop.Order.Line.Tax", [{"rate": 0.5}])


def test_bodies_without_framing_are_decoded_by_the_class(types):
    bodies = [order(types).SerializeToString(), b""]
    first, second = pykafarr.decode(types["shop.Order"], bodies, value="protobuf").to_pylist()
    assert first == ROW
    assert {name: value for name, value in second.items() if value not in (None, [])} == {"id": 0, "color": "RED"}
