"""Topics of Protobuf: message indexes, several types in a file, and schemas that are given."""

from __future__ import annotations

import json
import pickle
import struct
import urllib.request

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

import pykafarr
from pykafarr import ConfigError
from pykafarr._options.schemas import given_schemas
from pykafarr.testing import MockKafka

TEXT = """syntax = "proto3";
package shop;
enum Color { RED = 0; BLUE = 1; }
message Order { int64 id = 1; string name = 2; Color color = 3; message Line { int32 n = 1; } }
message Other { double x = 1; }
"""
ORDER = b"\x08\x07\x12\x01a\x18\x01"
UNNAMED = b"\x08\x08\x18\x09"
LINE = b"\x08\x05"


def register(kafka: MockKafka, subject: str, schema: str, kind: str = "PROTOBUF") -> int:
    request = urllib.request.Request(
        f"{kafka.registry_url}/subjects/{subject}/versions",
        json.dumps({"schema": schema, "schemaType": kind}).encode(),
        {"Content-Type": "application/vnd.schemaregistry.v1+json"},
    )
    with urllib.request.urlopen(request) as answer:
        return int(json.load(answer)["id"])


def framed(schema_id: int, indexes: bytes, body: bytes) -> bytes:
    return struct.pack(">bI", 0, schema_id) + indexes + body


@pytest.fixture
def kafka():
    with MockKafka() as started:
        yield started


def frames(kafka, value, **options):
    with pykafarr.read(kafka.servers, "t", kafka.registry_url, value=value, **options) as stream:
        return [(batch.message_type, batch.to_pandas()) for batch in stream]


@pytest.mark.parametrize("value", ["protobuf", "auto"])
def test_message_indexes_say_which_type_of_the_file_a_message_is(kafka, value):
    of = register(kafka, "t-value", TEXT)
    kafka.produce_raw("t", [framed(of, b"\0", ORDER), framed(of, b"\x04\0\0", LINE), framed(of, b"\x02\x02", b"")])
    found = frames(kafka, value, metadata="schema_id")
    assert [name for name, _ in found] == ["shop.Order", "shop.Order.Line", "shop.Other"]
    assert found[0][1].to_dict("list") == {"id": [7], "name": ["a"], "color": ["BLUE"], "_schema_id": [of]}
    assert found[1][1]["n"].tolist() == [5]
    assert found[2][1]["x"].tolist() == [0.0]


def test_auto_reads_a_topic_of_several_formats_each_as_its_own(kafka):
    of = register(kafka, "p", TEXT)
    kafka.produce("t", {"type": "record", "name": "A", "fields": [{"name": "a", "type": "long"}]}, [{"a": 1}])
    kafka.produce_raw("t", [framed(of, b"\0", ORDER), b"raw"])
    assert [name for name, _ in frames(kafka, "auto")] == ["A", "shop.Order", "bytes"]


@pytest.mark.parametrize("errors", ["raise", "skip"])
def test_a_schema_of_another_format_is_the_error_of_the_option_and_passes_nothing(kafka, errors):
    kafka.produce_raw("t", [framed(register(kafka, "t-value", TEXT), b"\0", ORDER)])
    with pytest.raises(ConfigError, match='of type PROTOBUF: set value="protobuf", or value="auto"'):
        frames(kafka, "avro", errors=errors)
    kafka.produce("u", '"long"', [1])
    with (
        pykafarr.read(kafka.servers, "u", kafka.registry_url, value="protobuf", errors=errors) as stream,
        pytest.raises(ConfigError, match='of type AVRO: set value="avro", or value="auto"'),
    ):
        list(stream)


@pytest.mark.parametrize("indexes", [b"\x01\x01", b"\x02\x01", b"\x02\x10", b"\x42"])
def test_indexes_that_lead_nowhere_are_the_error_of_their_row(kafka, indexes):
    of = register(kafka, "t-value", TEXT)
    kafka.produce_raw("t", [framed(of, b"\0", ORDER), framed(of, indexes, b""), framed(of, b"\0", ORDER)])
    with pytest.raises(pykafarr.FramingError, match=r"^t\[0\]@1: schema "):
        frames(kafka, "protobuf")
    assert sum(len(frame) for _, frame in frames(kafka, "protobuf", errors="skip")) == 2


def test_keys_of_protobuf_are_structs(kafka):
    of = register(kafka, "t-key", TEXT)
    kafka.produce_raw("t", [framed(of, b"\0", ORDER)], keys=[framed(of, b"\x04\0\0", LINE)])
    ((_, frame),) = frames(kafka, "protobuf", key="protobuf")
    assert frame["_key"].tolist() == [{"n": 5}]


def test_a_message_type_is_read_whatever_the_indexes_say(kafka):
    of = register(kafka, "t-value", TEXT)
    kafka.produce_raw("t", [framed(of, b"\0", LINE)])
    ((name, frame),) = frames(kafka, "protobuf", message_type="shop.Order.Line")
    assert (name, frame["n"].tolist()) == ("shop.Order.Line", [5])
    with pytest.raises(ConfigError, match=r"shop\.Missing"):
        frames(kafka, "protobuf", message_type="shop.Missing")


def test_numbers_without_a_name_are_null_and_counted_or_kept_as_numbers():
    decoder = pykafarr.Decoder(TEXT, value="protobuf", message_type="shop.Order")
    assert decoder.decode([ORDER, UNNAMED]).column("color").to_pylist() == ["BLUE", None]
    assert decoder.stats()["unknown_enums"] == 1
    numbers = pykafarr.decode(TEXT, [ORDER, UNNAMED], value="protobuf", message_type="shop.Order", enums="numbers")
    assert numbers.column("color").to_pylist() == [1, 9]


def test_a_given_file_of_several_types_needs_the_name_of_one(kafka):
    kafka.produce_raw("t", [LINE])
    bare = {"framing": "bare", "schema": TEXT}
    with pytest.raises(ConfigError, match="several message types: name one"):
        frames(kafka, "protobuf", **bare)
    ((name, frame),) = frames(kafka, "protobuf", message_type="shop.Order.Line", **bare)
    assert (name, frame["n"].tolist()) == ("shop.Order.Line", [5])
    by_topic = {"t": {"text": TEXT, "message_type": "shop.Order.Line"}}
    plan = pykafarr.scan(kafka.servers, "t", None, value="protobuf", framing="bare", schema=by_topic)
    assert pickle.loads(pickle.dumps(plan)).schema.names == ["n", "_offset"]


def test_a_topic_that_no_schema_is_given_for_is_a_mistake_of_the_options(kafka):
    kafka.produce_raw("t", [LINE])
    of_another = {"value": "json", "schema": {"u": {"n": "int64"}}, "errors": "skip"}
    with pytest.raises(ConfigError, match='none for "t", which is read'):
        pykafarr.scan(kafka.servers, "t", None, **of_another)
    with pytest.raises(ConfigError, match='none for "t", which is read'):
        pykafarr.scan(kafka.servers, "^t", None, **of_another)
    with pytest.raises(ConfigError, match='none for "t", which is read'):
        pykafarr.listener(kafka.servers, "g", ["t", "u"], None, **of_another)


def test_a_generated_class_is_a_schema_with_its_imports_and_its_name():
    descriptors = pytest.importorskip("google.protobuf.timestamp_pb2")
    found = pykafarr.decode(descriptors.Timestamp, [b"\x08\x05"], value="protobuf")
    assert found.num_rows == 1
    ((topic, text, name),) = given_schemas(descriptors.Timestamp, "protobuf")
    assert (topic, name) == ("", "google.protobuf.Timestamp")
    assert given_schemas({"text": text, "message_type": name}, "protobuf") == [("", text, name)]


def test_a_class_is_registered_as_confluents_serializer_does(kafka):
    confluent = pytest.importorskip("confluent_kafka.schema_registry.protobuf")
    file = descriptor_pb2.FileDescriptorProto(
        name="registered.proto", package="reg", syntax="proto3", dependency=["google/protobuf/timestamp.proto"]
    )
    message = file.message_type.add(name="Event")
    message.field.add(name="at", number=1, type=11, label=1, type_name=".google.protobuf.Timestamp")
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    kind = message_factory.GetMessageClass(pool.FindMessageTypeByName("reg.Event"))
    event = kind.FromString(b"\x0a\x02\x08\x05")
    schema_id = kafka.produce("t", kind, [event])
    with SchemaRegistryClient({"url": kafka.registry_url}) as client:
        deserialize = confluent.ProtobufDeserializer(kind, {"use.deprecated.format": False}, client)
        place = SerializationContext("t", MessageField.VALUE)
        assert deserialize(framed(schema_id, b"\x00", event.SerializeToString()), place) == event
    ((name, frame),) = frames(kafka, "protobuf")
    assert (name, frame["at"][0].timestamp()) == ("reg.Event", 5)


def test_what_is_no_schema_of_protobuf_is_refused():
    with pytest.raises(TypeError, match=r"must be \.proto text, bytes of descriptors or a generated class"):
        given_schemas([1], "protobuf")


LEAVING = """syntax = "proto3";
import "google/protobuf/duration.proto";
import "google/type/timeofday.proto";
message M {
  uint32 a = 1;
  optional fixed64 b = 2;
  repeated uint64 c = 3;
  google.protobuf.Duration d = 4;
  google.type.TimeOfDay e = 5;
  map<fixed32, uint64> f = 6;
}
"""


def test_unsigned_numbers_durations_and_times_leave_the_library_with_their_units():
    body = (
        b"\x08\xff\xff\xff\xff\x0f\x11"
        + b"\xff" * 8
        + b"\x1a\x01\x07\x22\x04\x08\x01\x10\x00\x2a\x06\x08\x01\x10\x02\x20\x05"
    )
    batch = pykafarr.decode(LEAVING, [body], value="protobuf", timestamps="ns")
    assert [str(kind) for kind in batch.schema.types[:2]] == ["uint32", "uint64"]
    assert [str(batch.schema.field(name).type) for name in "de"] == ["duration[ns]", "time64[ns]"]
    assert batch.column("e").cast("int64").to_pylist() == [3_720_000_000_005]
    assert batch.column("d").cast("int64").to_pylist() == [10**9]
    del batch
    (row,) = pykafarr.decode(LEAVING, [body], value="protobuf").select(["a", "b", "c", "f"]).to_pylist()
    assert row == {"a": 2**32 - 1, "b": 2**64 - 1, "c": [7], "f": []}


def test_descriptors_are_given_as_bytes(kafka):
    descriptors = pytest.importorskip("google.protobuf.timestamp_pb2").DESCRIPTOR.serialized_pb
    assert pykafarr.decode(descriptors, [b"\x08\x05"], value="protobuf").num_rows == 1
    assert pykafarr.Decoder(descriptors, value="protobuf").decode([b"\x08\x05"]).num_rows == 1
    kafka.produce_raw("t", [b"\x08\x05"])
    ((name, frame),) = frames(kafka, "protobuf", framing="bare", schema=descriptors)
    assert (name, len(frame)) == ("google.protobuf.Timestamp", 1)
