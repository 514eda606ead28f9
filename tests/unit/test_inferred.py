"""Messages of JSON without a given schema: it is inferred once, of the first messages."""

from __future__ import annotations

import logging
import pickle

import pyarrow as pa
import pytest

import pykafarr
from pykafarr import ConfigError, DecodeError
from pykafarr._batches.inferred import pyarrow_schema
from pykafarr._options.arrow_schemas import schema_text
from pykafarr.testing import MockKafka

VALUES = [b'{"id":1,"name":"a"}', b'{"id":2.5,"tags":["x"],"any":{}}', b'{"id":3,"at":{"n":1}}']
NAMES = ["id", "name", "tags", "any", "at"]
EARLIEST = {"auto.offset.reset": "earliest"}


@pytest.fixture
def kafka():
    with MockKafka() as kafka:
        yield kafka


def listen(kafka, topic="t", **options):
    return pykafarr.listener(kafka.servers, "g", topic, None, **{"value": "json", "config": EARLIEST, **options})


def test_a_listener_infers_the_schema_of_a_topic_once_and_gives_it_to_paste_back(kafka, caplog):
    kafka.produce_raw("t", VALUES)
    with listen(kafka) as p, caplog.at_level(logging.INFO, "pykafarr"):
        assert p.schema("t") is None
        message_type, frame = p.poll(3, 5000)
        assert message_type == "t"
        assert list(frame) == [*NAMES, "_offset"]
        schema = p.schema("t")
        assert schema.names == NAMES
        assert schema.field("id").type == pa.float64()
        assert p.schema("other") is None
        kafka.produce_raw("t", [b'{"id":4,"later":1}', b'{"id":"text"}', b'{"id":5}'])
        assert list(p.poll(1, 5000)[1]) == [*NAMES, "_offset"]
        with pytest.raises(DecodeError, match=r"^t\[0\]@4: id: "):
            p.poll(10, 5000)
        assert p.stats()["unknown_members"] == 1
    assert "its schema was inferred of 3 messages" in caplog.text
    with pykafarr.read(kafka.servers, "t", None, value="json", schema=schema, errors="skip") as stream:
        again = next(iter(stream))
        row = {"id": 2.5, "name": None, "tags": ["x"], "any": "{}", "at": None, "_offset": 1}
        assert again.to_arrow().to_pylist()[1] == row


def test_tombstones_before_the_first_value_are_no_reason_for_a_schema(kafka):
    kafka.produce_raw("t", [None, None])
    with listen(kafka, tombstones="keep") as p:
        assert len(p.poll(2, 5000)[1]) == 2
        assert p.schema("t") is None
        kafka.produce_raw("t", [None, *VALUES])
        rows = 0
        while rows < 4:
            found = p.poll(4 - rows, 5000)
            rows += len(found[1])
        assert p.schema("t").names == NAMES


def test_what_is_no_json_before_the_first_message_costs_its_own_row(kafka):
    kafka.produce_raw("t", [b"nonsense", b"{"])
    with listen(kafka, errors="skip") as p:
        while p.stats()["skipped"] < 2:
            p.poll(10, 500)
        assert p.schema("t") is None
        assert p.stats()["skipped"] == 2
        kafka.produce_raw("t", [b"more nonsense", *VALUES])
        assert len(p.poll(3, 5000)[1]) == 3
        assert p.stats()["skipped"] == 3
    kafka.produce_raw("u", [b"nonsense", b'{"a":1}'])
    with listen(kafka, "u") as p:
        with pytest.raises(DecodeError, match=r"^u\[0\]@0: "):
            p.poll(10, 5000)
        assert p.poll(1, 5000)[1]["a"].tolist() == [1]


def test_each_topic_has_a_schema_of_its_own(kafka):
    kafka.produce_raw("t", [b'{"a":1}'])
    kafka.produce_raw("u", [b'{"b":"x"}'])
    plan = pykafarr.scan(kafka.servers, ["t", "u"], None, value="json")
    assert {name: found.names for name, found in plan.schemas.items()} == {"t": ["a", "_offset"], "u": ["b", "_offset"]}
    assert {name: found.names for name, found in plan.inferred.items()} == {"t": ["a"], "u": ["b"]}


def test_a_plan_carries_the_schema_so_that_all_of_its_tasks_have_the_same(kafka):
    kafka.create_topic("t", partitions=3)
    for partition, value in enumerate(VALUES):
        kafka.produce_raw("t", [value] * 5, partition=partition)
    plan = pykafarr.scan(kafka.servers, "t", None, value="json")
    tasks = pickle.loads(pickle.dumps(plan)).tasks(max_rows=2)
    assert len(tasks) == 9
    tables = []
    for task in tasks:
        with task.read() as stream:
            tables += [batch.to_arrow().schema for batch in stream]
    assert all(found.equals(plan.schema) for found in tables)
    schema = plan.inferred["t"]
    assert sorted(schema.names) == sorted(NAMES)
    given = plan.with_options(schema=schema)
    assert given.inferred == {}
    with given.read() as stream:
        assert sum(batch.num_rows for batch in stream) == 15


def test_a_plan_of_a_topic_without_json_says_so_and_one_without_values_has_no_schema(kafka):
    kafka.produce_raw("t", [b"nonsense"])
    with pytest.raises(ConfigError, match=r"no schema could be inferred for topic t: .*give it: schema="):
        pykafarr.scan(kafka.servers, "t", None, value="json")
    kafka.create_topic("empty", partitions=1)
    assert pykafarr.scan(kafka.servers, "empty", None, value="json").schemas == {}
    kafka.produce_raw("nulls", [None])
    plan = pykafarr.scan(kafka.servers, "nulls", None, value="json")
    assert plan.schemas == plan.inferred == {}
    with plan.read() as stream:
        assert sum(batch.num_rows for batch in stream) in (0, 1)


@pytest.mark.parametrize("body", [b"[1, 2]", b'"text"', b"null"])
def test_values_that_are_no_objects_are_pasted_back_as_well(kafka, body):
    kafka.produce_raw("t", [body])
    plan = pykafarr.scan(kafka.servers, "t", None, value="json")
    with plan.read() as stream:
        found = next(iter(stream)).to_arrow()
    with plan.with_options(schema=plan.inferred["t"]).read() as stream:
        assert next(iter(stream)).to_arrow().column("value").equals(found.column("value"))


def test_what_was_inferred_is_the_same_as_a_pyarrow_schema():
    text = (
        '{"arrow":{"type":"struct","nullable":false,"fields":[{"name":"a","type":"int64"},{"name":"b","type":"list",'
        '"items":{"type":"struct","fields":[{"name":"c","type":"json"}]}},{"name":"d","type":"bool"}]}}'
    )
    again = schema_text(pyarrow_schema(text), "schema")
    assert again.replace(" ", "").replace('"name":"item",', "").replace(',"name":"item"', "") == text


def test_a_member_of_an_empty_name_is_a_column_of_the_inferred_schema(kafka):
    kafka.produce_raw("t", [b'{"":1,"a":{"":"x"}}'])
    with listen(kafka) as p:
        assert len(p.poll(1, 5000)[1]) == 1
        assert p.schema("t") == pa.schema([("", pa.int64()), ("a", pa.struct([("", pa.string())]))])


@pytest.mark.parametrize("bodies", [[b"[1, null]", b"[2]"], [b"1", b"2"], [b'"a"'], [b"true"], [b"1", b'"a"']])
def test_what_is_inferred_of_values_that_are_no_objects_is_the_same_when_it_is_pasted_back(kafka, bodies):
    kafka.produce_raw("t", bodies)
    plan = pykafarr.scan(kafka.servers, "t", None, value="json")
    again = pykafarr.scan(kafka.servers, "t", None, value="json", schema=plan.inferred["t"])
    assert again.schema.equals(plan.schema, check_metadata=True)
    assert again.read().to_arrow("t").equals(plan.read().to_arrow("t"))
