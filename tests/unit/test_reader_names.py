"""A reader_schema whose name no message has does nothing: the log says so, with the name that was probably meant."""

import logging

import pytest

import pykafarr
from pykafarr.testing import MockKafka

TRADE = {"type": "record", "name": "shop.Trade", "fields": [{"name": "x", "type": "int"}]}
MISSPELT = {**TRADE, "name": "shop.Trades"}
OTHER = {**TRADE, "name": "house.Quotation"}


@pytest.fixture(scope="module")
def kafka():
    with MockKafka() as made:
        made.produce("T", TRADE, [{"x": x} for x in range(3)])
        yield made


def said(caplog):
    return [record.message for record in caplog.records if "reader_schema" in record.message]


def scanned(kafka, schema):
    with pykafarr.read(kafka.servers, "T", kafka.registry_url, reader_schema=schema) as stream:
        assert len(stream.to_pandas()["shop.Trade"]) == 3


def listened(kafka, schema):
    with pykafarr.listener(
        kafka.servers, "g", None, kafka.registry_url, assign=[("T", 0)], start="earliest", reader_schema=schema
    ) as p:
        assert len(p.poll(3, 20_000)[1]) == 3


@pytest.mark.parametrize("read", [scanned, listened])
@pytest.mark.parametrize(("schema", "hint"), [(MISSPELT, ". Did you mean shop.Trade?"), (OTHER, "")])
def test_a_reader_that_no_message_is_for_is_named_once(kafka, caplog, read, schema, hint):
    caplog.set_level(logging.WARNING, "pykafarr")
    read(kafka, schema)
    name = schema["name"]
    text = f"reader_schema: no message has had the type {name} so far; read as they were written: shop.Trade{hint}"
    assert [line.partition("reader_schema")[1:] for line in said(caplog)] == [text.partition("reader_schema")[1:]]


@pytest.mark.parametrize("read", [scanned, listened])
def test_a_reader_that_is_of_use_is_not(kafka, caplog, read):
    caplog.set_level(logging.WARNING, "pykafarr")
    read(kafka, {**TRADE, "doc": "mine"})
    assert said(caplog) == []
