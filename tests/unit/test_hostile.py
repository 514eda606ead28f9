"""Schemas and bodies of somebody who means harm: each costs its own rows, and no more."""

import os
import random
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


def random_type(random_, depth):
    """A random schema of types that take no bytes, many bytes, or others within."""
    kinds = ["null", "boolean", "long", "string", "fixed", "array", "map", "union", "record"]
    match random_.choice(kinds if depth else kinds[:5]):
        case "fixed":
            return {
                "type": "fixed",
                "name": f"F{random_.random()}".replace(".", ""),
                "size": random_.choice([0, 3, 4096]),
            }
        case "array":
            return {"type": "array", "items": random_type(random_, depth - 1)}
        case "map":
            return {"type": "map", "values": random_type(random_, depth - 1)}
        case "union":
            return ["null", "boolean", {"type": "array", "items": random_type(random_, depth - 1)}]
        case "record":
            fields = [{"name": f"f{i}", "type": random_type(random_, depth - 1)} for i in range(random_.randint(0, 5))]
            return {"type": "record", "name": f"R{random_.random()}".replace(".", ""), "fields": fields}
        case primitive:
            return primitive


def test_pyarrow_takes_what_is_made_of_random_bodies():
    # `make test-long` has more seeds.
    for seed in range(int(os.environ.get("PYKAFARR_HOSTILE_SEEDS", "100"))):
        random_ = random.Random(seed)
        decoder = pykafarr.Decoder(random_type(random_, 5), unions=random_.choice(["struct", "dense"]))
        for _ in range(10):
            body = bytes(random_.choice([0, 1, 2, 3, 4, 255]) for _ in range(random_.choice([0, 5, 500])))
            try:
                decoder.decode([body, body]).validate(full=True)
            except pykafarr.DecodeError:
                continue


def test_a_message_beyond_its_budget_costs_its_row_and_its_limit_can_be_raised():
    fields = [{"name": f"f{i}", "type": "long"} for i in range(1000)]
    schema = {"type": "array", "items": ["null", {"type": "record", "name": "R", "fields": fields}]}
    body = b"\xc0\xb8\x02" + bytes(20_000)  # 20,000 nulls of a thousand columns
    with pytest.raises(pykafarr.DecodeError, match=r"more (memory|values) than its limit"):
        pykafarr.decode(schema, [body])
    limits = {"message_bytes": 1 << 30, "message_steps": 1 << 30}
    assert pykafarr.decode(schema, [b"\x90\x4e" + bytes(5001)], limits=limits).num_rows == 1


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "enum", "name": "E", "symbols": ["\x9b31m\x7f\u202e"]},
        {"type": "record", "name": "R", "fields": [{"name": "\x1b[31m\u202e", "type": "int"}]},
        {"type": "record", "name": "R", "fields": [{"name": "x", "type": "\x1b]52;c;\x07\x9b"}]},
        {"type": "\x9b31m"},
    ],
    ids=["a symbol", "a field", "a field's type", "a type"],
)
def test_errors_show_the_control_characters_of_names(schema):
    with pytest.raises(pykafarr.SchemaError) as raised:
        pykafarr.decode(schema, [])
    assert str(raised.value).isprintable()
    assert raised.value.path is None or raised.value.path.isprintable()
