"""Topics whose keys are of different types are read together: their tombstones are one table."""

import json
import struct
import urllib.request

import pytest

import pykafarr
from pykafarr.testing import MockKafka


def record(name, *fields):
    return {"type": "record", "name": name, "fields": [{"name": field, "type": kind} for field, kind in fields]}


# A topic's keys: their schema, and the body of one.
KEYS = {
    "texts": ("string", b"\x02a"),
    "numbers": ("long", b"\x0e"),
    "orders": (record("OrderKey", ("id", "int"), ("at", "string")), b"\x02\x02x"),
    "users": (record("UserKey", ("id", "string")), b"\x02u"),
    "trades": (record("TradeKey", ("id", "int")), b"\x06"),
}


def registered(kafka, subject, schema):
    body = json.dumps({"schema": json.dumps(schema)}).encode()
    request = urllib.request.Request(f"{kafka.registry_url}/subjects/{subject}/versions", body)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["id"]


@pytest.fixture(scope="module")
def kafka():
    with MockKafka() as made:
        for topic, (schema, body) in KEYS.items():
            key = struct.pack(">bI", 0, registered(made, f"{topic}-key", schema)) + body
            made.produce(topic, record(f"Of{topic.title()}", ("x", "int")), [{"x": 1}], keys=[key])
            made.produce_raw(topic, [None], keys=[key])
        yield made


def tombstones(kafka, *topics):
    with pykafarr.read(kafka.servers, topics, kafka.registry_url, key="avro") as stream:
        found = stream.to_arrow()
    assert sum(table.num_rows for table in found.values()) == 2 * len(topics)
    found["null"].validate(full=True)
    return sorted(found["null"].column("_key").to_pylist(), key=lambda key: json.dumps(key, sort_keys=True))


def test_records_become_one_record_of_all_their_fields(kafka):
    assert tombstones(kafka, "orders", "trades") == [{"id": 1, "at": "x"}, {"id": 3, "at": None}]


def test_fields_of_different_types_get_a_member_for_each(kafka):
    both = tombstones(kafka, "trades", "users")
    assert both == [{"id": {"int32": 3, "string": None}}, {"id": {"int32": None, "string": "u"}}]


def test_other_types_get_a_member_for_each(kafka):
    assert tombstones(kafka, *KEYS) == sorted(
        [
            {"string": "a", "int64": None, "record": None},
            {"string": None, "int64": 7, "record": None},
            {"string": None, "int64": None, "record": {"id": {"int32": 1, "string": None}, "at": "x"}},
            {"string": None, "int64": None, "record": {"id": {"int32": 3, "string": None}, "at": None}},
            {"string": None, "int64": None, "record": {"id": {"int32": None, "string": "u"}, "at": None}},
        ],
        key=lambda key: json.dumps(key, sort_keys=True),
    )


def test_frames_hold_them_too(kafka):
    frames = pykafarr.read(kafka.servers, list(KEYS), kafka.registry_url, key="avro").to_pandas()
    assert len(frames["null"]) == len(KEYS)


def test_where_a_reader_needs_one_type_the_error_names_the_keys(kafka):
    stream = pykafarr.read(kafka.servers, list(KEYS), kafka.registry_url, key="avro")
    with (
        stream,
        pytest.raises(pykafarr.SchemaError, match=r"null has other columns than before \(_key; .*\): keys are of"),
    ):
        stream.reader("null").read_all()


def test_where_a_topic_has_plain_and_avro_keys_the_error_names_the_keys_and_what_reads_them(kafka):
    key = struct.pack(">bI", 0, registered(kafka, "both-key", "string")) + b"\x02a"
    kafka.produce("both", record("Both", ("x", "int")), [{"x": 1}, {"x": 2}], keys=[key, b"plain"])
    with pytest.raises(
        pykafarr.SchemaError, match=r'before \(_key; .*\): keys are of several types: read them with key="bytes"'
    ):
        pykafarr.read(kafka.servers, "both", kafka.registry_url, key="auto").to_arrow()
    assert pykafarr.read(kafka.servers, "both", kafka.registry_url, key="bytes").to_arrow("Both").num_rows == 2
