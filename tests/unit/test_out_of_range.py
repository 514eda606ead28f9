"""Values that their Arrow types cannot hold: errors of their messages, or nulls that are counted."""

import json
import logging
import pickle
from datetime import time

import pytest

import pykafarr
from pykafarr._cli import main as cli
from pykafarr.testing import MockKafka
from tests.books import closed_books  # noqa: F401  # every test keeps the column memory's books

CLOCK = {
    "type": "record",
    "name": "Clock",
    "fields": [
        {"name": "at", "type": {"type": "int", "logicalType": "time-millis"}},
        {"name": "all", "type": {"type": "array", "items": {"type": "int", "logicalType": "time-millis"}}},
        {"name": "n", "type": "int"},
    ],
}
SECOND, MIDNIGHT = b"\xd0\x0f", b"\x80\xf0\xb2\x52"  # 00:00:01 and 24:00, which PostgreSQL allows
BODIES = [SECOND + b"\0\2", MIDNIGHT + b"\4" + SECOND + MIDNIGHT + b"\0\4", SECOND + b"\0\6"]
ROWS = [
    {"at": time(0, 0, 1), "all": [], "n": 1},
    {"at": None, "all": [time(0, 0, 1), None], "n": 2},
    {"at": time(0, 0, 1), "all": [], "n": 3},
]


@pytest.fixture(scope="module")
def kafka():
    with MockKafka(topics=["t"]) as kafka:
        schema_id = kafka.produce("other", CLOCK, [{"at": 0, "all": [], "n": 0}])
        kafka.produce_raw("t", [b"\0" + schema_id.to_bytes(4, "big") + body for body in BODIES])
        yield kafka


@pytest.fixture
def listen(kafka, request):
    def listen(**options):
        group, config = request.node.name, {"auto.offset.reset": "earliest"}
        return pykafarr.listener(kafka.servers, group, "t", kafka.registry_url, config=config, metadata=(), **options)

    return listen


def test_by_default_it_is_the_error_of_its_payload():
    with pytest.raises(pykafarr.DecodeError, match=r'payload 1: .*outside of 24 hours \(out_of_range="null"') as caught:
        pykafarr.decode(CLOCK, BODIES)
    assert (caught.value.path, caught.value.offset) == ("at", 1)
    assert not pykafarr.Decoder(CLOCK).schema.field("at").nullable


def test_a_decoder_makes_it_null_and_counts_it():
    assert pykafarr.decode(CLOCK, BODIES, out_of_range="null").to_pylist() == ROWS
    decoder = pykafarr.Decoder(CLOCK, out_of_range="null")
    assert decoder.stats() == {"rows": 0, "out_of_range": 0, "unknown_enums": 0, "unknown_members": 0}
    batch = pickle.loads(pickle.dumps(decoder)).decode(BODIES)
    assert batch.to_pylist() == decoder.decode(BODIES).to_pylist() == ROWS
    assert decoder.stats() == {"rows": 3, "out_of_range": 2, "unknown_enums": 0, "unknown_members": 0}
    assert [batch.schema.field(name).nullable for name in ("at", "n")] == [True, False]
    assert batch.schema.field("all").type.value_field.nullable


def test_by_default_a_listener_raises_it_and_continues_after_it(listen):
    with listen() as p:
        assert p.poll_batch(3, 5000).num_rows == 1
        with pytest.raises(pykafarr.DecodeError, match=r"t\[0\]@1: schema \d+: at: time of day 86400000"):
            p.poll_batch(3, 5000)
        assert p.poll_batch(1, 5000).num_rows == 1
        assert p.stats()["out_of_range"] == 0


def test_a_listener_makes_it_null_and_counts_it(listen):
    with listen(out_of_range="null") as p:
        assert p.poll_batch(3, 5000).to_arrow().to_pylist() == ROWS
        assert p.stats()["out_of_range"] == 2


def test_a_scan_and_its_tasks_make_it_null_and_count_it(kafka):
    plan = pykafarr.scan(kafka.servers, "t", kafka.registry_url, metadata=(), out_of_range="null")
    with plan.read() as stream:
        assert stream.to_arrow("Clock").to_pylist() == ROWS
        assert [part.out_of_range for part in stream.report] == [2]
    tasks = pickle.loads(pickle.dumps(plan.tasks(max_rows=2)))
    assert [row for task in tasks for row in task.read().to_arrow("Clock").to_pylist()] == ROWS
    assert plan.schema.equals(tasks[0].read().to_arrow("Clock").schema)


@pytest.mark.parametrize("place", [["--idle-timeout", "500", "--from-beginning"], ["--start", "earliest"]])
def test_the_command_line_prints_null_and_says_how_many(kafka, place, capsys):
    command = ["read", "--servers", kafka.servers, "--registry", kafka.registry_url, "--topics", "t"]
    command += [*place, "--format", "json", "--metadata"]
    assert cli.main(command) == 1
    capsys.readouterr()
    assert cli.main([*command, "--out-of-range", "null"]) == 0
    printed = capsys.readouterr()
    assert [json.loads(line)["at"] for line in printed.out.splitlines()] == ["00:00:01.000", None, "00:00:01.000"]
    assert "2 values are out of their types' range, and null here" in printed.err


def test_a_logical_type_that_is_not_valid_is_logged_once(caplog):
    decimal = {"type": "bytes", "logicalType": "decimal", "precision": 2, "scale": 3}
    schema = {"type": "record", "name": "Odd", "fields": [{"name": "d", "type": decimal}]}
    with caplog.at_level(logging.WARNING, "pykafarr"):
        for _ in range(3):
            assert pykafarr.decode(schema, [b"\2\7"]).to_pylist() == [{"d": b"\7"}]
    (line,) = [entry.getMessage() for entry in caplog.records]
    assert line.startswith("Odd: d: its logical type decimal is ignored")
    assert line.endswith("its scale 3 exceeds its precision 2")
