"""Schemas and bodies of somebody who means harm: each costs its own rows, and no more."""

import subprocess
import sys

import pyarrow as pa
import pytest

import pykafarr


def nested(kind, levels, leaf="int"):
    """A type of so many levels of one kind above a leaf."""
    for level in range(levels):
        leaf = {
            "array": {"type": "array", "items": leaf},
            "map": {"type": "map", "values": leaf},
            "record": {"type": "record", "name": f"R{level}", "fields": [{"name": "f", "type": leaf}]},
        }[kind]
    return leaf


ENUM = {"type": "enum", "name": "E", "symbols": ["A"]}


@pytest.mark.parametrize(
    ("kind", "most", "leaf"),
    [("array", 62, "int"), ("array", 61, ENUM), ("array", 61, ["int", "string"]), ("record", 63, "int")],
    ids=["arrays", "an enum in arrays", "a union in arrays", "records"],
)
@pytest.mark.parametrize("unions", ["struct", "dense"])
def test_a_schema_as_deep_as_arrow_takes_is_read_and_a_deeper_one_refused(kind, most, leaf, unions):
    assert pykafarr.decode(nested(kind, most, leaf), [], unions=unions).num_rows == 0
    with pytest.raises(pykafarr.SchemaError, match="nest deeper than the 63 levels"):
        pykafarr.decode(nested(kind, most + 1, leaf), [], unions=unions)


def test_a_map_counts_as_two_levels():
    assert pykafarr.decode(nested("array", 60, nested("map", 1)), []).num_rows == 0
    with pytest.raises(pykafarr.SchemaError, match="nest deeper"):
        pykafarr.decode(nested("array", 61, nested("map", 1)), [])


def test_maps_within_maps_do_not_double_what_they_take():
    # In a process of its own, with a limit: 22 levels took 2 GiB, and 30 ended the process.
    code = """
import resource
import pykafarr
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
for levels in (13, 30):
    schema = "int"
    for _ in range(levels):
        schema = {"type": "map", "values": schema}
    try:
        print(pykafarr.decode(schema, [bytes(1)]).num_rows)
    except pykafarr.SchemaError as error:
        print(error)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert run.stdout.splitlines()[0] == "1", run.stderr[-2000:]
    assert "too many columns lie in maps within maps" in run.stdout.splitlines()[1]


def test_a_batch_that_pyarrow_refuses_is_dropped_with_its_range_named(fake):
    record = pa.record_batch({"x": [1, 2]})

    def refused(answer):
        def spoiled(batch, error):
            status = answer(batch, error)
            fake.ffi.cast("char *", batch.schema.format)[0] = b"?"
            return status

        return spoiled

    fake.answers.extend([refused(fake.batch(record)), fake.batch(record)])
    with pykafarr.listener("kafka:9092", "g", "t", "http://registry:8081") as listener:
        with pytest.raises(pykafarr.InternalError, match=r"dropped with its rows \(t\[0\]@\d+\.\.\d+; seek"):
            listener.poll_batch()
        assert listener.poll_batch().num_rows == 2
