"""Arrow data whose arrays contradict one another is refused, and harms nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from pyarrow.cffi import ffi

import pykafarr
from pykafarr.testing import MockKafka

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = {"type": "record", "name": "R", "fields": [{"name": "x", "type": ["int", "string"]}]}


@pytest.fixture
def out() -> Iterator[pykafarr.Producer]:
    with (
        MockKafka(topics={"DAMAGED": 1}) as kafka,
        pykafarr.producer(kafka.servers, kafka.registry_url) as made,
    ):
        yield made


def union(shorter: bool) -> pa.RecordBatch:
    """Three rows of a sparse union. shorter: its first child has one value, which no sound array has."""
    codes = pa.array([0, 1, 0], pa.int8())
    column = pa.UnionArray.from_sparse(codes, [pa.array([1, 2, 3], pa.int32()), pa.array(["a"] * 3)], ["int", "string"])
    batch = pa.RecordBatch.from_arrays([column], ["x"])
    schema, array = ffi.new("struct ArrowSchema*"), ffi.new("struct ArrowArray*")
    batch._export_to_c(int(ffi.cast("uintptr_t", array)), int(ffi.cast("uintptr_t", schema)))
    if shorter:
        array.children[0].children[0].length = 1
    return pa.RecordBatch._import_from_c(int(ffi.cast("uintptr_t", array)), int(ffi.cast("uintptr_t", schema)))


def texts(*offsets: int) -> pa.Array:
    """Texts of which only the first and the last offset are looked at by pyarrow."""
    made = [None, pa.array(offsets, pa.int32()).buffers()[1], pa.py_buffer(b"abc")]
    return pa.Array.from_buffers(pa.string(), len(offsets) - 1, made)


DAMAGED = texts(0, 100, 2, 3)
WHOLE = texts(0, 1, 2, 3)


def test_an_array_that_is_shorter_than_its_parent_is_refused_and_the_next_frame_is_sent(out: pykafarr.Producer) -> None:
    with pytest.raises((pykafarr.ConfigError, pykafarr.EncodeError)):
        out.send("R", union(shorter=True), "DAMAGED", schema=SCHEMA, register=True)
    report = out.send("R", union(shorter=False), "DAMAGED", schema=SCHEMA, register=True, wait=True)
    assert report.rows == 3


@pytest.mark.parametrize(
    "key",
    [DAMAGED, pa.DictionaryArray.from_arrays(pa.array([0, 9, 1], pa.int8()), WHOLE, safe=False)],
    ids=["offsets", "dictionary"],
)
def test_a_damaged_column_of_keys_is_named_and_the_next_frame_is_sent(out: pykafarr.Producer, key: pa.Array) -> None:
    frame = pa.table({"x": [1, 2, 3], "k": key})
    schema = {"type": "record", "name": "R", "fields": [{"name": "x", "type": "long"}]}
    with pytest.raises(pykafarr.ConfigError, match=r'key: the column "k" is damaged'):
        out.send("R", frame, "DAMAGED", schema=schema, register=True, key="k")
    assert out.send("R", frame, "DAMAGED", schema=schema, register=True, wait=True).rows == 3
    keyed = pa.table({"x": [1, 2, 3], "k": WHOLE})
    assert out.send("R", keyed, "DAMAGED", schema=schema, register=True, key="k", wait=True).rows == 3


def test_damaged_values_without_a_schema_are_refused(out: pykafarr.Producer) -> None:
    with pytest.raises(pykafarr.ConfigError, match="is damaged"):
        out.send("string", pa.table({"value": DAMAGED}), "DAMAGED")
    assert out.send("string", pa.table({"value": WHOLE}), "DAMAGED", wait=True).rows == 3
