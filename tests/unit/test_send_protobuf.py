"""Frames to messages of Protobuf, which Google's and Confluent's libraries read, too."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format, timestamp_pb2

import pykafarr
from pykafarr.testing import MockKafka
from tests.unit.sent import bodies, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = """
syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
message Other { uint64 n = 1; }
message Order {
  message Line { string sku = 1; map<string, sint32> counts = 2; message Tax { float rate = 1; } }
  enum Color { RED = 0; BLUE = 7; }
  int64 id = 1;
  optional Color color = 2;
  google.protobuf.Timestamp at = 3;
  repeated Line lines = 4;
  oneof paid { string card = 5; uint32 cash = 6; }
}
"""
# The same file, as protoc describes it.
FILE = """
name: "shop/order.proto" package: "shop" syntax: "proto3" dependency: "google/protobuf/timestamp.proto"
message_type { name: "Other" field { name: "n" number: 1 type: TYPE_UINT64 label: LABEL_OPTIONAL } }
message_type { name: "Order"
  field { name: "id" number: 1 type: TYPE_INT64 label: LABEL_OPTIONAL }
  field { name: "color" number: 2 type: TYPE_ENUM type_name: ".shop.Order.Color" label: LABEL_OPTIONAL
    proto3_optional: true oneof_index: 1 }
  field { name: "at" number: 3 type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" label: LABEL_OPTIONAL }
  field { name: "lines" number: 4 type: TYPE_MESSAGE type_name: ".shop.Order.Line" label: LABEL_REPEATED }
  field { name: "card" number: 5 type: TYPE_STRING label: LABEL_OPTIONAL oneof_index: 0 }
  field { name: "cash" number: 6 type: TYPE_UINT32 label: LABEL_OPTIONAL oneof_index: 0 }
  oneof_decl { name: "paid" } oneof_decl { name: "_color" }
  enum_type { name: "Color" value { name: "RED" number: 0 } value { name: "BLUE" number: 7 } }
  nested_type { name: "Line"
    field { name: "sku" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
    field { name: "counts" number: 2 label: LABEL_REPEATED
      type: TYPE_MESSAGE type_name: ".shop.Order.Line.CountsEntry" }
    nested_type { name: "CountsEntry" options { map_entry: true }
      field { name: "key" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
      field { name: "value" number: 2 type: TYPE_SINT32 label: LABEL_OPTIONAL } }
    nested_type { name: "Tax" field { name: "rate" number: 1 type: TYPE_FLOAT label: LABEL_OPTIONAL } } } }
"""
IMPORTED = """
name: "geo/point.proto" package: "geo" syntax: "proto3"
message_type { name: "Point" field { name: "x" number: 1 type: TYPE_DOUBLE label: LABEL_OPTIONAL } }
"""
IMPORTING = """
name: "geo/place.proto" package: "geo" syntax: "proto3" dependency: "geo/point.proto"
message_type { name: "Place"
  field { name: "at" number: 1 type: TYPE_MESSAGE type_name: ".geo.Point" label: LABEL_OPTIONAL } }
"""
AT = dt.datetime(2026, 1, 2, 3, 4, 5, 678901, dt.timezone.utc)
FRAME = pa.table(
    {
        "id": [-(2**63), 5],
        "color": pa.array(["BLUE", None]).dictionary_encode(),
        "at": pa.array([AT, None], pa.timestamp("us", "UTC")),
        "lines": pa.array(
            [[{"sku": "a", "counts": [("x", -1), ("", 0)]}, {"sku": "", "counts": []}], []],
            pa.list_(pa.struct([("sku", pa.string()), ("counts", pa.map_(pa.string(), pa.int32()))])),
        ),
        "card": [None, ""],
        "cash": pa.array([0, None], pa.uint32()),
    }
)


@pytest.fixture(scope="module")
def types() -> dict[str, Any]:
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    for file in (FILE, IMPORTED, IMPORTING):
        pool.Add(text_format.Parse(file, descriptor_pb2.FileDescriptorProto()))
    names = ("geo.Place", "shop.Order", "shop.Other", "shop.Order.Line.Tax")
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name)) for name in names}


@pytest.fixture(scope="module")
def kafka() -> Iterator[MockKafka]:
    names = ("ORDERS", "TAXES", "DERIVED", "BARE", "BAD", "KEYS", "HEADERS", "CLASSES", "PLACES")
    with MockKafka(topics=dict.fromkeys(names, 1)) as made:
        yield made


@pytest.fixture
def out(kafka: MockKafka) -> Iterator[pykafarr.Producer]:
    with pykafarr.producer(kafka.servers, kafka.registry_url) as made:
        yield made


def test_confluents_deserializer_reads_what_was_written(
    kafka: MockKafka, out: pykafarr.Producer, types: dict[str, Any]
) -> None:
    out.send("shop.Order", FRAME, "ORDERS", value="protobuf", schema=TEXT, register=True, wait=True)
    found = bodies(kafka, "ORDERS")
    context = SerializationContext("ORDERS", MessageField.VALUE)
    read = ProtobufDeserializer(types["shop.Order"], {"use.deprecated.format": False})
    first, second = (read(body, context) for body in found)
    assert (first.id, first.color, first.at.ToDatetime(dt.timezone.utc)) == (-(2**63), 7, AT)
    assert [(line.sku, dict(line.counts)) for line in first.lines] == [("a", {"x": -1, "": 0}), ("", {})]
    assert (first.WhichOneof("paid"), second.WhichOneof("paid")) == ("cash", "card")
    assert (second.HasField("color"), second.HasField("at"), len(second.lines)) == (False, False, 0)
    again = rows(kafka, "ORDERS", value="protobuf", message_type="shop.Order")
    assert again.to_pydict() == FRAME.to_pydict()
    out.send("shop.Order", again, "ORDERS", wait=True)  # the registry says what the schema is of
    assert bodies(kafka, "ORDERS") == found * 2


def test_a_nested_type_has_the_path_and_the_id_of_confluents_serializer(
    kafka: MockKafka, out: pykafarr.Producer, types: dict[str, Any]
) -> None:
    tax = types["shop.Order.Line.Tax"]
    with SchemaRegistryClient({"url": kafka.registry_url}) as registry:
        serializer = ProtobufSerializer(tax, registry, {"use.deprecated.format": False})
        theirs = serializer(tax(rate=0.5), SerializationContext("TAXES", MessageField.VALUE))
    frame = pa.table({"rate": pa.array([0.5])})
    out.send("shop.Order.Line.Tax", frame, "TAXES", wait=True)
    out.send(None, frame, "TAXES", value="protobuf", schema=tax, wait=True)
    assert bodies(kafka, "TAXES") == [theirs, theirs]


def test_a_class_is_registered_as_confluents_serializer_registers_it(
    kafka: MockKafka, out: pykafarr.Producer, types: dict[str, Any]
) -> None:
    other = types["shop.Other"]
    frame = pa.table({"n": pa.array([2**64 - 1], pa.uint64())})
    out.send(None, frame, "CLASSES", value="protobuf", schema=other, register=True, wait=True)
    with SchemaRegistryClient({"url": kafka.registry_url}) as registry:
        options = {"use.deprecated.format": False, "auto.register.schemas": False}
        serializer = ProtobufSerializer(other, registry, options)
        theirs = serializer(other(n=2**64 - 1), SerializationContext("CLASSES", MessageField.VALUE))
    assert bodies(kafka, "CLASSES") == [theirs]


def test_a_class_that_imports_is_registered_with_its_references(
    kafka: MockKafka, out: pykafarr.Producer, types: dict[str, Any]
) -> None:
    place = types["geo.Place"]
    frame = pa.table({"at": pa.array([{"x": 0.5}, None], pa.struct([("x", pa.float64())]))})
    out.send(None, frame, "PLACES", value="protobuf", schema=place, register=True, wait=True)
    with SchemaRegistryClient({"url": kafka.registry_url}) as registry:
        options = {"use.deprecated.format": False, "auto.register.schemas": False}
        serializer = ProtobufSerializer(place, registry, options)
        context = SerializationContext("PLACES", MessageField.VALUE)
        theirs = [serializer(message, context) for message in (place(at={"x": 0.5}), place())]
    assert bodies(kafka, "PLACES") == theirs
    assert rows(kafka, "PLACES", value="protobuf").to_pydict() == frame.to_pydict()


def test_a_derived_schema_reads_back_equal(kafka: MockKafka, out: pykafarr.Producer) -> None:
    frame = pa.table(
        {
            "small": pa.array([1, None], pa.int8()),
            "long": pa.array([2**64 - 1, 0], pa.uint64()),
            "single": pa.array([0.5, None], pa.float32()),
            "bytes": pa.array([b"\x00\xff", b""]),
            "day": pa.array([dt.date(1, 1, 1), dt.date(9999, 12, 31)]),
            "time": pa.array([dt.time(23, 59, 59, 999999), None], pa.time64("us")),
            "price": pa.array([decimal.Decimal("-1234567890123456789012.50"), None], pa.decimal128(30, 2)),
            "list": pa.array([["a", ""], []], pa.list_(pa.string())),
            "map": pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int64())),
            "struct": pa.array([{"x": 1.5}, {"x": None}], pa.struct([("x", pa.float64())])),
        }
    )
    out.send("a.All", frame, "DERIVED", value="protobuf", schema="derive", register=True, wait=True)
    assert rows(kafka, "DERIVED", value="protobuf").to_pydict() == frame.to_pydict()


def test_bare_messages_need_no_registry(kafka: MockKafka, types: dict[str, Any]) -> None:
    with pykafarr.producer(kafka.servers, None) as out:
        out.send("shop.Order", FRAME, "BARE", value="protobuf", schema=TEXT, framing="bare", wait=True)
        out.send(None, FRAME, "BARE", value="protobuf", schema=types["shop.Order"], framing="bare", wait=True)
    found = bodies(kafka, "BARE")
    assert found[:2] == found[2:]
    order = types["shop.Order"]
    assert order.FromString(found[0]).cash == 0
    assert order.FromString(found[1]) == order(id=5, card="")


def test_the_header_names_the_schema_and_the_type(kafka: MockKafka, out: pykafarr.Producer) -> None:
    frame = pa.table({"rate": [0.25]})
    settings: dict[str, Any] = {"value": "protobuf", "schema": TEXT, "register": True, "framing": "schema_header"}
    out.send("shop.Order.Line.Tax", frame, "HEADERS", **settings, wait=True)
    assert bodies(kafka, "HEADERS") == [b"\x0d\x00\x00\x80>"]
    assert rows(kafka, "HEADERS", value="protobuf", framing="schema_header").to_pydict() == {"rate": [0.25]}


def test_keys_and_tombstones_are_written(kafka: MockKafka, out: pykafarr.Producer) -> None:
    frame = pa.table(
        {
            "n": pa.array([1, 0], pa.uint64()),
            "_key": pa.array([{"rate": 0.5}, {"rate": 0.0}], pa.struct([("rate", pa.float32())])),
            "_tombstone": [False, True],
        }
    )
    key = {"format": "protobuf", "schema": {"text": TEXT, "message_type": "shop.Order.Line.Tax"}, "register": True}
    out.send("shop.Other", frame, "KEYS", value="protobuf", schema=TEXT, register=True, key=key, wait=True)
    options: dict[str, Any] = {"value": "protobuf", "key": "protobuf", "metadata": ("key",)}
    with pykafarr.scan(kafka.servers, "KEYS", kafka.registry_url, **options).read() as stream:
        found = stream.to_arrow()
    assert found["shop.Other"].to_pydict() == {"n": [1], "_key": [{"rate": 0.5}]}
    assert found["null"]["_key"].to_pylist() == [{"rate": 0.0}]


def test_what_does_not_fit_is_named_and_nothing_is_sent(kafka: MockKafka, out: pykafarr.Producer) -> None:
    settings: dict[str, Any] = {"value": "protobuf", "schema": TEXT, "register": True}
    both = FRAME.set_column(4, "card", pa.array(["a", None]))
    moments = pa.table({"value": pa.array([AT], pa.timestamp("us", "UTC"))})
    with pytest.raises(pykafarr.EncodeError, match=r"n: row 1: -1 does not fit into uint64"):
        out.send("shop.Other", pa.table({"n": [1, -1]}), "BAD", **settings)
    with pytest.raises(pykafarr.EncodeError, match=r"row 0: .*card and cash are both set"):
        out.send("shop.Order", both, "BAD", **settings)
    with pytest.raises(pykafarr.EncodeError, match=r"n: row 0: a null cannot be written as uint64 without presence"):
        out.send("shop.Other", pa.table({"n": pa.array([None], pa.uint64())}), "BAD", **settings)
    with pytest.raises(pykafarr.ConfigError, match=r'defines no message "shop.Odrer". Did you mean shop.Order'):
        out.send("shop.Odrer", FRAME, "BAD", **settings)
    with pytest.raises(pykafarr.ConfigError, match=r"a file defines that the schema imports"):
        out.send("google.protobuf.Timestamp", moments, "BAD", **settings)
    assert bodies(kafka, "BAD") == []
