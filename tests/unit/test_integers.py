"""numpy's integers wherever an int may stand: they are what comes out of the frames that pykafarr gives."""

import inspect
import pickle
import re
import types

import numpy as np
import pytest

import pykafarr
from pykafarr._engines import common
from pykafarr._options import tokens
from pykafarr.testing import MockKafka
from tests.books import closed_books  # noqa: F401  # every test keeps the column memory's books

N = np.int64
SCHEMA = {
    "type": "record",
    "name": "R",
    "fields": [
        {"name": "x", "type": "long"},
        {"name": "d", "type": {"type": "bytes", "logicalType": "decimal", "precision": N(4), "scale": N(2)}},
    ],
}
ROWS = [{"x": N(number), "d": b"\x01"} for number in range(10)]
LIMITS = {"batch_bytes": N(1 << 20), "columns": np.uint8(50)}
CONFIG = {"auto.offset.reset": "earliest", "fetch.wait.max.ms": np.uint16(50), "receive.message.max.bytes": N(10**8)}

# Every parameter of the public functions that takes an int, and where a test of this page passes one of numpy's.
WALKED = {
    "listener": {
        "start",
        "assign",
        "config",
        "registry_config",
        "limits",
        "memory_limit",
        "ready_timeout",
        "schema_patience",
    },
    "scan": {
        "start",
        "end",
        "config",
        "registry_config",
        "limits",
        "memory_limit",
        "num_messages",
        "timeout",
        "schema_patience",
    },
    "read": set(),  # by name, those of scan
    "decode": {"limits"},
    "Decoder": {"limits"},
    "Listener.poll": {"num_messages", "max_time"},
    "Listener.poll_batch": {"num_messages", "max_time"},
    "Listener.batches": {"num_messages", "max_time", "idle_timeout"},
    "Listener.seek": {"topic", "partition", "to"},
    "Listener.pause": {"partitions"},
    "Listener.resume": {"partitions"},
    "Plan.tasks": {"max_rows", "max_bytes"},
    "MockKafka": {"brokers", "topics"},
    "MockKafka.create_topic": {"partitions"},
    "MockKafka.produce": {"partition", "timestamp"},
    "MockKafka.produce_raw": {"partition", "timestamp"},
}
INTEGER = re.compile(r"\b(int|Duration|Start|Assign|Place|ScanPlaces|Property)\b")


@pytest.fixture(scope="module")
def kafka():
    with MockKafka(brokers=np.int32(1), topics={"t": N(2)}) as made:
        made.create_topic("raw", partitions=np.int16(1))
        for partition in range(2):
            made.produce("t", SCHEMA, ROWS, partition=N(partition), timestamp=N(1_700_000_000_000))
        made.produce_raw("raw", [b"x"], partition=np.uint8(0), timestamp=N(5))
        yield made


def test_every_parameter_that_takes_an_int_is_on_this_page():
    found = {}
    for function in (pykafarr.listener, pykafarr.scan, pykafarr.read, pykafarr.decode):
        found[function.__name__] = function
    for kind in (pykafarr.Decoder, pykafarr.Listener, pykafarr.Plan, pykafarr.Task, pykafarr.Stream, MockKafka):
        if kind in (pykafarr.Decoder, MockKafka):
            found[kind.__name__] = kind.__init__
        for name in dir(kind):
            if not name.startswith("_") and isinstance(getattr(kind, name), types.FunctionType):
                found[f"{kind.__name__}.{name}"] = getattr(kind, name)
    for name, function in found.items():
        parameters = inspect.signature(function).parameters.values()
        taking = {one.name for one in parameters if INTEGER.search(str(one.annotation))}
        assert taking == WALKED.get(name, set()), name


def test_a_listener_takes_numpys_integers(kafka):
    with pykafarr.listener(
        kafka.servers,
        "integers",
        None,
        kafka.registry_url,
        assign={"t": np.array([0, 1])},
        start={("t", N(0)): N(4), ("t", np.uint8(1)): pykafarr.Milliseconds(N(0))},
        config=CONFIG,
        registry_config={"request.timeout.ms": N(5000)},
        limits=LIMITS,
        ready_timeout=N(20_000),
        schema_patience=N(1000),
    ) as p:
        _, frame = p.poll(num_messages=N(1), max_time=N(20_000))
        assert len(frame) == 1
        p.pause(("t", N(1)))
        p.resume(("t", np.int32(1)))
        p.pause([("t", N(0)), ("t", N(1))])
        p.resume([("t", N(0)), ("t", N(1))])
        p.seek("t", N(0), N(9))
        p.seek({("t", N(0)): N(9)})
        p.seek("t", frame["_offset"].iloc[0] * 0 + 1, N(9))
        rows = sum(batch.num_rows for batch in p.batches(N(5), N(200), idle_timeout=N(500)))
        assert rows == 2
        assert p.poll_batch(N(1), N(0)) is None
        assert p.position() == {("t", N(0)): 10, ("t", N(1)): 10}
    pykafarr.listener(kafka.servers, "other", "t", kafka.registry_url, start=N(3), memory_limit=N(1 << 24)).close()


def test_a_scan_takes_numpys_integers(kafka):
    plan = pykafarr.scan(
        kafka.servers,
        "t",
        kafka.registry_url,
        start={N(0): N(2), ("t", N(1)): N(3)},
        end={"t": N(8), ("t", np.int32(1)): N(7)},
        config=CONFIG,
        registry_config={"request.timeout.ms": N(5000)},
        limits={"columns": N(50)},
        memory_limit=N(1 << 24),
        num_messages=N(4),
        timeout=N(20_000),
        schema_patience=N(1000),
    )
    assert plan.partitions["rows"].tolist() == [6, 4]
    tasks = plan.tasks(max_rows=N(5), max_bytes=N(1 << 20))
    assert [task.rows for task in tasks] == [5, 1, 4]
    assert sum(pickle.loads(pickle.dumps(task)).read().to_arrow("R").num_rows for task in tasks) == 10
    assert pykafarr.scan(kafka.servers, "t", kafka.registry_url, start=N(9), end=N(10)).rows == 2


def test_engines_take_numpys_integers(kafka):
    scan = common.scan(kafka.servers, "t", kafka.registry_url, start=N(5), num_messages=N(2), timeout=N(20_000))
    assert len(scan.tasks(N(3), N(1 << 20))) == 4


def test_a_decoder_takes_numpys_integers():
    batch = pykafarr.decode(SCHEMA, [b"\x02\x02\x01"], limits={"columns": N(3), "value_depth": N(9)})
    assert batch.to_pylist()[0]["x"] == 1
    assert pykafarr.Decoder(SCHEMA, limits={"columns": N(3)}).schema == batch.schema


def test_a_token_may_expire_at_one_of_numpys_integers():
    assert tokens.answer(("token", N(1_700_000_000_000)))["expiry_ms"] == 1_700_000_000_000


@pytest.mark.parametrize("wrong", [True, np.True_, 1.0, np.float64(1)], ids=repr)
def test_what_only_looks_like_an_int_is_refused(fake, wrong):
    with pykafarr.listener("kafka:9092", "group", "t", "http://registry") as p:
        for call in (
            lambda: p.poll(wrong),
            lambda: p.poll(1, wrong),
            lambda: p.pause(("t", wrong)),
            lambda: p.seek("t", wrong, 0),
            lambda: p.seek("t", 0, wrong),
        ):
            with pytest.raises(TypeError):
                call()
