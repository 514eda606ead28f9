"""Topics of JSON Schema, by a registry and by texts that are given."""

from __future__ import annotations

import json
import urllib.request

import pytest

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


def register(kafka: MockKafka, subject: str, schema: object) -> bytes:
    """The framing of a schema, which is registered."""
    body = json.dumps({"schema": json.dumps(schema), "schemaType": "JSON"}).encode()
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
