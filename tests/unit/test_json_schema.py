"""Topics of JSON Schema, by a registry and by texts that are given."""

from __future__ import annotations

import json
import pickle
import urllib.request

import pytest
from confluent_kafka.serialization import MessageField, SerializationContext

import pykafarr
from pykafarr import ConfigError
from pykafarr._options.schemas import given_schemas
from pykafarr.testing import MockKafka

ORDER = {
    "title": "Order",
    "type": "object",
    "properties": {"id": {"type": "integer"}, "at": {"type": "string", "format": "date-time"}},
    "required": ["id"],
}
UNTITLED = {name: part for name, part in ORDER.items() if name != "title"}
BODY = b'{"id": 7, "at": "2024-01-02T03:04:05Z"}'


def register(kafka: MockKafka, subject: str, schema: object, references: tuple[object, ...] = ()) -> bytes:
    """The framing of a schema, which is registered."""
    body = json.dumps({"schema": json.dumps(schema), "schemaType": "JSON", "references": references}).encode()
    request = urllib.request.Request(f"{kafka.registry_url}/subjects/{subject}/versions", body)
    with urllib.request.urlopen(request) as answer:
        return b"\0" + int(json.load(answer)["id"]).to_bytes(4, "big")


@pytest.fixture
def kafka():
    with MockKafka() as started:
        yield started


def read(kafka, topics="t", **options):
    with pykafarr.read(kafka.servers, topics, kafka.registry_url, metadata=(), **options) as stream:
        return [(batch.message_type, batch.to_arrow()) for batch in stream]


@pytest.mark.parametrize("value", ["jsonschema", "auto"])
def test_the_registrys_schema_gives_the_columns_and_its_title_the_type(kafka, value):
    kafka.produce_raw("t", [register(kafka, "t-value", ORDER) + BODY])
    ((name, batch),) = read(kafka, value=value)
    assert (name, batch.column("id").to_pylist()) == ("Order", [7])
    assert [str(field.type) for field in batch.schema] == ["int64", "timestamp[us, tz=UTC]"]
    ((_, texts),) = read(kafka, value=value, formats="string")
    assert texts.column("at").to_pylist() == ["2024-01-02T03:04:05Z"]


def test_a_schema_without_a_title_is_named_by_each_topic_that_it_comes_in(kafka):
    framing = register(kafka, "t-value", UNTITLED)
    for topic in ("t", "u"):
        kafka.produce_raw(topic, [framing + BODY])
    options = {"value": "jsonschema", "columns": "id"}
    assert sorted(name for name, _ in read(kafka, ["t", "u"], **options)) == ["t", "u"]
    assert set(pykafarr.scan(kafka.servers, "t", kafka.registry_url, **options).schemas) == {"t"}
    reader = {"title": "t", **UNTITLED, "properties": {"id": {"type": "integer"}, "new": {"type": "string"}}}
    ((_, batch),) = read(kafka, value="jsonschema", reader_schema=reader)
    assert batch.to_pylist() == [{"id": 7, "new": None}]


@pytest.mark.parametrize("errors", ["raise", "skip"])
def test_json_schema_that_is_read_as_avro_names_the_option(kafka, errors):
    kafka.produce_raw("t", [register(kafka, "t-value", ORDER) + BODY])
    with pytest.raises(ConfigError, match='of type JSON: set value="jsonschema", or value="auto"'):
        read(kafka, errors=errors)


def test_a_bad_message_is_an_error_with_its_place_and_schema_or_left_out(kafka):
    framing = register(kafka, "t-value", ORDER)
    kafka.produce_raw("t", [framing + BODY, framing + b'{"id": "x"}', framing + BODY])
    with pytest.raises(pykafarr.DecodeError, match=r"^t\[0\]@1: schema \d+: id: "):
        read(kafka, value="jsonschema")
    assert sum(batch.num_rows for _, batch in read(kafka, value="jsonschema", errors="skip")) == 2


@pytest.mark.parametrize("value", ["json", "jsonschema"])
def test_the_text_of_a_json_schema_is_a_schema_without_a_registry(value):
    assert pykafarr.decode(json.dumps(ORDER), [BODY], value=value).column("id").to_pylist() == [7]


def test_a_dict_of_keywords_is_a_schema_and_any_other_is_by_topic():
    text = json.dumps(ORDER)
    assert given_schemas(ORDER, "jsonschema") == [("", text, "")]
    assert given_schemas({"t": ORDER}, "jsonschema") == [("t", text, "")]


def test_references_are_found_by_the_names_that_a_ref_has(kafka):
    address = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    register(kafka, "address", address)
    order = {"title": "Order", "properties": {"to": {"$ref": "address.json"}}, "required": ["to"]}
    reference = {"name": "address.json", "subject": "address", "version": 1}
    framing = register(kafka, "t-value", order, references=[reference])
    kafka.produce_raw("t", [framing + b'{"to": {"city": "x"}}'])
    ((_, batch),) = read(kafka, value="jsonschema")
    assert batch.to_pylist() == [{"to": {"city": "x"}}]


@pytest.mark.parametrize("mixed", ["split", "group"])
def test_a_listener_gives_a_frame_of_each_title_and_rows_of_tombstones(kafka, mixed):
    order, other = register(kafka, "t-value", ORDER), register(kafka, "o", {**UNTITLED, "title": "Other"})
    values = [order + BODY, other + BODY, None, order + BODY]
    kafka.produce_raw("t", values, keys=[order + BODY] * 4)
    options = {"value": "jsonschema", "mixed": mixed, "tombstones": "keep", "key": "jsonschema", "columns": "id"}
    found = []
    with pykafarr.listener(
        kafka.servers, "g", "t", kafka.registry_url, config={"auto.offset.reset": "earliest"}, **options
    ) as p:
        for batch in p.batches(10, 500, idle_timeout=500):
            found += [(batch.message_type, row["_offset"], row["id"]) for row in batch.to_arrow().to_pylist()]
            assert {row["_key"]["id"] for row in batch.to_arrow().to_pylist()} == {7}
    assert sorted(found, key=lambda row: row[1]) == [
        *(("Order", 0, 7), ("Other", 1, 7), ("Other", 2, None), ("Order", 3, 7))
    ]


def test_a_plan_and_its_tasks_are_pickled_with_their_schemas(kafka):
    kafka.produce_raw("t", [register(kafka, "t-value", UNTITLED) + BODY] * 4)
    plan = pykafarr.scan(kafka.servers, "t", kafka.registry_url, value="jsonschema", reader_schema="latest")
    again = pickle.loads(pickle.dumps(plan))
    assert again.schema.names == ["id", "at", "_offset"]
    assert sum(task.read().to_arrow("t").num_rows for task in again.tasks(2)) == 4


def test_a_column_named_as_that_of_other_members_is_the_error_of_the_option(kafka):
    schema = {"title": "E", "properties": {"_extra": {"type": "string"}}}
    kafka.produce_raw("t", [register(kafka, "t-value", schema) + b"{}"])
    with pytest.raises(ConfigError, match="leave unknown_members at its default"):
        read(kafka, value="jsonschema", unknown_members="keep", errors="skip")


def test_the_values_are_those_that_confluents_deserializer_gives(kafka):
    confluent = pytest.importorskip("confluent_kafka.schema_registry.json_schema")  # which needs jsonschema
    place = SerializationContext("t", MessageField.VALUE)

    schema = {**ORDER, "properties": {**ORDER["properties"], "lines": {"type": "array", "items": UNTITLED}}}
    body = b'{"id": 9, "at": null, "lines": [{"id": 1, "at": "x"}]}'.replace(b'"at": null, ', b"")
    framed = register(kafka, "t-value", schema) + body
    kafka.produce_raw("t", [framed])
    deserialize = confluent.JSONDeserializer(json.dumps(schema))
    ((_, batch),) = read(kafka, value="jsonschema", formats="string")
    assert batch.to_pylist() == [{"at": None, **deserialize(framed, place)}]
