"""Avro schemas as callers give them."""

import json

import pytest

import pykafarr
from pykafarr import ConfigError, SchemaError
from pykafarr._options.schemas import reader_schemas

PRICE = {"type": "record", "name": "Price", "namespace": "com.example", "aliases": ["Quote", "old.Price"], "fields": []}
TEXT = json.dumps(PRICE)


@pytest.mark.parametrize(
    ("given", "texts"),
    [
        (None, []),
        (TEXT, [TEXT]),
        (PRICE, [TEXT]),
        ([PRICE, '"long"'], [TEXT, '"long"']),
        ((TEXT, ["null", "long"]), [TEXT, '["null", "long"]']),
        ({"com.example.Price": PRICE}, [TEXT]),
        ({"com.example.Quote": TEXT, "long": '"long"'}, [TEXT, '"long"']),
        ({"old.Price": PRICE, "union": ["null", "long"]}, [TEXT, '["null", "long"]']),
        ({"map": {"type": "map", "values": "long"}}, ['{"type": "map", "values": "long"}']),
        ([], []),
        ({}, []),
    ],
    ids=str,
)
def test_reader_schemas_are_one_several_or_one_by_message_type(given, texts):
    assert reader_schemas(given) == texts


@pytest.mark.parametrize("wrong", [1, b'"long"', [1], {"long": 1}, {1: "long"}, {PRICE["name"]}], ids=repr)
def test_reader_schemas_of_another_type_are_refused(wrong):
    with pytest.raises(TypeError, match="reader_schema"):
        reader_schemas(wrong)


def test_a_schema_given_for_a_message_type_that_it_does_not_name_is_refused():
    with pytest.raises(
        ConfigError, match=r"reader_schema\['Price'\] has the name 'com\.example\.Price' and .*: give it"
    ):
        reader_schemas({"Price": PRICE})


def test_text_that_is_no_json_is_refused_where_its_name_matters():
    with pytest.raises(SchemaError, match=r"reader_schema\['a'\] is not JSON"):
        reader_schemas({"a": "{"})


def test_a_schema_that_json_cannot_hold_is_refused():
    circle: list[object] = []
    circle.append(circle)
    with pytest.raises(SchemaError, match="Circular"):
        reader_schemas([circle])


@pytest.mark.parametrize("given", ["latest", ["latest"], {"a": "latest"}], ids=str)
def test_the_latest_schema_is_for_scans_alone(given):
    with pytest.raises(
        ConfigError,
        match=r'^reader_schema.*: only a scan knows "latest", and only as reader_schema="latest", not within',
    ):
        reader_schemas(given)
    with pytest.raises(ConfigError, match="Give the schema itself here"):
        pykafarr.listener("a:1", "g", "t", "http://r", reader_schema=given)
    with pytest.raises(ConfigError, match=r'^reader_schema: only a scan knows "latest"'):
        pykafarr.Decoder({"type": "string"}, "latest")
