"""Frames to messages of JSON, with and without a registry, which Confluent's deserializer reads, too."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

import pykafarr
from pykafarr.testing import MockKafka
from tests.unit.sent import bodies, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

PRICE = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "Price",
    "type": "object",
    "properties": {
        "symbol": {"type": "string"},
        "bid": {"type": "number"},
        "volume": {"type": "integer"},
        "at": {"oneOf": [{"type": "null"}, {"type": "string", "format": "date-time"}]},
    },
    "required": ["symbol", "bid", "at"],
}
AT = dt.datetime(2023, 11, 14, 22, 13, 20, 500000, tzinfo=dt.timezone.utc)
FRAME = pa.table(
    {
        "symbol": ['GBP "USD"', "EUR\n€"],
        "bid": [1.25, 1e-9],
        "volume": [9007199254740993, None],
        "at": pa.array([AT, None], pa.timestamp("us", "UTC")),
    }
)


@pytest.fixture(scope="module")
def kafka() -> Iterator[MockKafka]:
    with MockKafka(topics={"JSON": 1, "DERIVED": 1, "BARE": 1, "BAD": 1, "KEYS": 1}) as made:
        yield made


@pytest.fixture
def out(kafka: MockKafka) -> Iterator[pykafarr.Producer]:
    with pykafarr.producer(kafka.servers, kafka.registry_url) as made:
        yield made


def test_a_json_schema_is_written_as_confluents_serializer_writes_it(kafka: MockKafka, out: pykafarr.Producer) -> None:
    out.send("Price", FRAME, "JSON", value="jsonschema", schema=PRICE, register=True, wait=True)
    found = bodies(kafka, "JSON")
    context = SerializationContext("JSON", MessageField.VALUE)
    values = [JSONDeserializer(json.dumps(PRICE))(body, context) for body in found]
    assert values == [
        {"symbol": 'GBP "USD"', "bid": 1.25, "volume": 9007199254740993, "at": "2023-11-14T22:13:20.500Z"},
        {"symbol": "EUR\n€", "bid": 1e-9, "at": None},
    ]
    with SchemaRegistryClient({"url": kafka.registry_url}) as registry:
        theirs = JSONSerializer(json.dumps(PRICE), registry)(values[0], context)
    assert theirs is not None
    assert theirs[:5] == found[0][:5]
    assert rows(kafka, "JSON", value="jsonschema").to_pydict() == FRAME.to_pydict()
    out.send("Price", FRAME, "JSON", wait=True)  # the registry says what the schema is of
    assert len(bodies(kafka, "JSON")) == 4


def test_a_derived_schema_reads_back_equal(kafka: MockKafka, out: pykafarr.Producer) -> None:
    frame = pa.table(
        {
            "small": pa.array([1, None], pa.int8()),
            "long": pa.array([-(2**63), 2**63 - 1]),
            "single": pa.array([0.1, None], pa.float32()),
            "bytes": pa.array([b"\x00\xff", b""]),
            "day": pa.array([dt.date(1, 1, 1), dt.date(9999, 12, 31)]),
            "time": pa.array([dt.time(23, 59, 59, 999999), None], pa.time64("us")),
            "price": pa.array([decimal.Decimal("-1234567890123456789012.50"), None], pa.decimal128(30, 2)),
            "list": pa.array([["a", None], []], pa.list_(pa.string())),
            "map": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
            "struct": pa.array([{"x": 1.5}, {"x": None}], pa.struct([("x", pa.float64())])),
        }
    )
    out.send("All", frame, "DERIVED", value="jsonschema", schema="derive", register=True, wait=True)
    assert rows(kafka, "DERIVED", value="jsonschema").to_pydict() == frame.to_pydict()


def test_json_without_a_registry_has_no_framing(kafka: MockKafka) -> None:
    with pykafarr.producer(kafka.servers, None) as out:
        out.send(None, FRAME, "BARE", value="json", wait=True)
        schema = pa.schema([("bid", pa.float32())])
        with pytest.raises(pykafarr.EncodeError, match=r"bid: row 1: 1e-09 cannot be written as float without loss"):
            out.send(None, FRAME, "BARE", value="json", schema=schema)
        with pytest.raises(pykafarr.ConfigError, match='no registry has schemas for value="json"'):
            out.send(None, FRAME, "BARE", value="json", schema="latest")
    assert [json.loads(body) for body in bodies(kafka, "BARE")] == [
        {"symbol": 'GBP "USD"', "bid": 1.25, "volume": 9007199254740993, "at": "2023-11-14T22:13:20.500Z"},
        {"symbol": "EUR\n€", "bid": 1e-9, "volume": None, "at": None},
    ]


def test_a_value_that_does_not_fit_is_named_and_nothing_is_sent(kafka: MockKafka, out: pykafarr.Producer) -> None:
    frame = FRAME.set_column(1, "bid", pa.array([1.0, math.nan]))
    with pytest.raises(pykafarr.EncodeError, match=r"bid: row 1: NaN is no number that JSON has"):
        out.send("Price", frame, "BAD", value="jsonschema", schema=PRICE, register=True)
    with pytest.raises(pykafarr.SchemaError, match=r"bid: the frame has no column for this field, which the schema"):
        out.send("Price", FRAME.drop_columns(["bid"]), "BAD", value="jsonschema", schema=PRICE, register=True)
    assert bodies(kafka, "BAD") == []


def test_keys_are_written_by_a_json_schema(kafka: MockKafka, out: pykafarr.Producer) -> None:
    frame = FRAME.append_column("id", pa.array([{"n": 1}, {"n": 2}]))
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    key = {"column": "id", "format": "jsonschema", "schema": schema, "register": True}
    out.send("Price", frame, "KEYS", value="jsonschema", schema=PRICE, register=True, key=key, wait=True)
    found = rows(kafka, "KEYS", value="jsonschema", key="jsonschema", metadata=("key",))
    assert found["_key"].to_pylist() == [{"n": 1}, {"n": 2}]
