"""Messages of JSON without a registry, by schemas as Python has them."""

from __future__ import annotations

import datetime as dt
import decimal
import pickle
import re

import pandas as pd
import pyarrow as pa
import pytest

import pykafarr
from pykafarr import ConfigError, SchemaError
from pykafarr._options.arrow_schemas import schema_text
from pykafarr._options.schemas import given_schemas
from pykafarr.testing import MockKafka

SCHEMA = {"id": "int64", "name": "string"}
VALUES = [b'{"id":1,"name":"a"}', b'{"name":"b", "id":2, "more": [1]}', b'{"id":3}']


@pytest.fixture
def topic():
    with MockKafka() as kafka:
        kafka.produce_raw("t", VALUES)
        yield kafka


def test_the_names_of_types_that_python_has_are_known():
    types = {"a": "float64", "b": "datetime64[ns, UTC]", "c": pa.float64(), "d": "str", "e": pa.date32(), "f": "int"}
    batch = pykafarr.decode(types, [], value="json")
    assert [str(field.type) for field in batch.schema] == [
        *("double", "timestamp[ns, tz=UTC]", "double", "string", "date32[day]", "int64")
    ]


def test_a_pyarrow_schema_is_read_as_it_is():
    schema = pa.schema(
        [
            pa.field("a", pa.int32(), nullable=False),
            ("l", pa.list_(pa.struct([("x", pa.float64())]))),
            ("m", pa.map_(pa.string(), pa.int64())),
            ("t", pa.timestamp("us", "UTC")),
            ("d", pa.decimal128(10, 2)),
        ]
    )
    body = b'{"a":1,"l":[{"x":1.5}],"m":{"k":1},"t":"2024-01-02T03:04:05Z","d":1.25}'
    batch = pykafarr.decode(schema, [body], value="json")
    assert batch.schema.equals(schema)
    assert batch.to_pylist()[0]["l"] == [{"x": 1.5}]


def test_members_that_the_schema_does_not_name_are_counted_kept_or_an_error():
    decoder = pykafarr.Decoder(SCHEMA, value="json")
    assert decoder.decode(VALUES).to_pydict() == {"id": [1, 2, 3], "name": ["a", "b", None]}
    assert decoder.stats()["unknown_members"] == 1
    kept = pykafarr.decode(SCHEMA, VALUES, value="json", unknown_members="keep")
    assert kept.column("_extra").to_pylist() == [None, '{"more":[1]}', None]
    with pytest.raises(pykafarr.DecodeError, match="the schema does not name the member") as caught:
        pykafarr.decode(SCHEMA, VALUES, value="json", unknown_members="raise")
    assert caught.value.offset == 1


def test_a_listener_reads_a_topic_of_json_by_a_schema_without_a_registry(topic):
    start = {"auto.offset.reset": "earliest"}
    with pykafarr.listener(topic.servers, "g", "t", None, value="json", schema=SCHEMA, config=start) as p:
        message_type, frame = p.poll(3, 5000)
        assert message_type == "t"
        assert frame.drop(columns="_offset").fillna("").to_dict("list") == {"id": [1, 2, 3], "name": ["a", "b", ""]}
        assert p.stats()["unknown_members"] == 1


def test_a_scan_of_json_has_its_schema_in_its_plan_and_in_the_pickle_of_it(topic):
    plan = pykafarr.scan(topic.servers, "t", None, value="json", schema={"t": pa.schema([("id", pa.int64())])})
    again = pickle.loads(pickle.dumps(plan))
    assert again.schema.equals(plan.schema)
    assert again.schema.names == ["id", "_offset"]
    with again.read() as stream:
        assert pd.concat(batch.to_pandas() for batch in stream)["id"].tolist() == [1, 2, 3]
        assert [part.unknown_members for part in stream.report] == [3]


def test_a_bad_message_is_an_error_with_its_place_or_left_out(topic):
    topic.produce_raw("t", [b'{"id":"one"}', b"{", b'{"id":4}'])
    options = {"value": "json", "schema": SCHEMA}
    with pykafarr.read(topic.servers, "t", None, errors="skip", **options) as stream:
        assert sum(batch.num_rows for batch in stream) == 4
        assert [part.skipped for part in stream.report] == [2]
    with (
        pykafarr.read(topic.servers, "t", None, **options) as stream,
        pytest.raises(pykafarr.DecodeError, match=r"^t\[0\]@3: id: "),
    ):
        list(stream)


def test_json_that_is_read_as_avro_is_recognized_and_the_option_named(topic):
    with (
        pykafarr.read(topic.servers, "t", topic.registry_url) as stream,
        pytest.raises(pykafarr.FramingError, match=r'an object or array in JSON: set value="json" and schema='),
    ):
        list(stream)
    with pytest.raises(pykafarr.DecodeError, match='value="json" and a schema of it decode them'):
        pykafarr.decode('"string"', [b'{"a":1}'])


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"schema": SCHEMA, "framing": "schema_header"}, "such messages have no framing"),
        ({"schema": SCHEMA, "unknown_members": "drop"}, "unknown_members is"),
    ],
)
def test_options_that_do_not_go_with_json_are_refused(options, text):
    with pytest.raises(ConfigError, match=text):
        pykafarr.listener("a:1", "g", "t", None, value="json", **options)


def test_a_dict_of_types_is_a_schema_and_one_of_schemas_is_by_topic():
    text = schema_text(SCHEMA, "schema")
    assert given_schemas(SCHEMA, "json") == [("", text, "")]
    assert given_schemas({"t": SCHEMA, "u": text}, "json") == [("t", text, ""), ("u", text, "")]
    with pytest.raises(TypeError, match="must be a pyarrow schema or a dict"):
        given_schemas([1], "json")
    with pytest.raises(ConfigError, match="a dictionary needs its texts"):
        given_schemas({"a": pa.dictionary(pa.int32(), pa.string())}, "json")


@pytest.mark.parametrize(
    ("dtype", "why"),
    [
        (pa.map_(pa.int64(), pa.string()), "a map has keys of string, not int64"),
        (pa.list_(pa.int64(), 2), "use list"),
        (pa.large_list(pa.int64()), "use list"),
        (pa.struct([("b", pa.large_string())]), "b: JSON is not read into large_string: use string"),
        (pa.string_view(), "use string"),
        (pa.large_binary(), "use binary"),
        ("large_string", "use string"),
        (pa.dictionary(pa.int32(), pa.string()), "needs its texts, in the field's metadata"),
    ],
)
def test_a_type_that_json_is_not_read_into_is_refused_by_its_fields_name(dtype, why):
    with pytest.raises(ConfigError, match=r"^schema.*a.*" + re.escape(why)):
        pykafarr.decode({"a": dtype}, [b"{}"], value="json")


def test_metadata_of_a_field_say_how_its_values_stand_in_json():
    schema = pa.schema(
        [
            pa.field("at", pa.timestamp("ms"), metadata={"pykafarr.json": "epoch"}),
            pa.field("price", pa.decimal128(10, 2), metadata={"pykafarr.json": "unscaled"}),
            pa.field("kind", pa.dictionary(pa.int32(), pa.string()), metadata={"pykafarr.symbols": '["A", "B"]'}),
        ]
    )
    at = dt.datetime(2023, 11, 14, 22, 13, 20, tzinfo=dt.timezone.utc).replace(tzinfo=None)
    found = pykafarr.decode(schema, [b'{"at": 1700000000000, "price": "BNI=", "kind": "B"}'], value="json")
    assert found.schema.types == schema.types
    assert found.to_pylist() == [
        {
            "at": at,
            "price": decimal.Decimal("12.34"),
            "kind": "B",
        }
    ]
    for metadata, why in [
        ({"pykafarr.json": "unscaled"}, "is not written as"),
        ({"pykafarr.symbols": "[1]"}, "array of texts"),
        ({"pykafarr.symbols": "["}, "is no JSON"),
    ]:
        kind = pa.timestamp("ms") if "pykafarr.json" in metadata else pa.dictionary(pa.int32(), pa.string())
        with pytest.raises((ConfigError, SchemaError), match=why):
            pykafarr.decode(pa.schema([pa.field("a", kind, metadata=metadata)]), [b"{}"], value="json")
    with pytest.raises(ConfigError, match="are the texts of dictionary"):
        pykafarr.decode(
            pa.schema([pa.field("a", pa.string(), metadata={"pykafarr.symbols": "[]"})]), [b"{}"], value="json"
        )


def test_the_last_of_duplicate_members_counts():
    assert pykafarr.decode({"a": "int64"}, [b'{"a": 1, "a": 2}'], value="json").to_pylist() == [{"a": 2}]
    with pytest.raises(pykafarr.DecodeError, match="a number is expected"):
        pykafarr.decode({"a": "int64"}, [b'{"a": "x", "a": 2}'], value="json")


def test_what_an_option_does_not_go_with_is_said():
    several = """{"properties": {"v": {"oneOf": [{"type": "string"}, {"type": "integer"}]}}}"""
    with pytest.raises(ConfigError, match=r'unions="dense" is for Avro'):
        pykafarr.decode(several, [b"{}"], value="jsonschema", unions="dense")
    of_objects = """{"oneOf": [
        {"title": "A", "properties": {"a": {"type": "string"}}, "required": ["a"]},
        {"title": "B", "properties": {"b": {"type": "string"}}, "required": ["b"]}]}"""
    with pytest.raises(ConfigError, match=r'unknown_members="keep" wants objects of one type'):
        pykafarr.decode(of_objects, [b"{}"], value="jsonschema", unknown_members="keep")
