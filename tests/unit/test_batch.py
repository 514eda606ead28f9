"""The batch: what it says of itself, and to whom it can be handed."""

import subprocess
import sys

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import pykafarr
from pykafarr import Batch, Range


@pytest.fixture
def batch():
    schema = pa.schema([pa.field("x", pa.int64(), nullable=False), pa.field("s", pa.string())])
    record = pa.record_batch([pa.array([1, 2]), pa.array(["a", None])], schema=schema)
    return Batch(record, "com.example.A", [Range("t", 0, 5, 7, 2)])


def test_a_batch_says_what_it_is(batch):
    assert repr(batch) == "<pykafarr.Batch com.example.A: 2 rows, 2 columns, t[0]@5..6>"
    assert (batch.message_type, batch.num_rows, len(batch), batch.rejected) == ("com.example.A", 2, 2, None)
    assert batch.schema.names == ["x", "s"]
    assert batch.ranges == [Range(topic="t", partition=0, first=5, next=7, rows=2)]


def test_a_batch_of_one_row_counts_as_people_do(batch):
    one = Batch(batch.to_arrow().slice(0, 1).select(["x"]), "A", [Range("t", 0, 5, 6, 1)])
    assert repr(one) == "<pykafarr.Batch A: 1 row, 1 column, t[0]@5..5>"


def test_a_batch_of_many_partitions_is_told_in_short(batch):
    many = Batch(batch.to_arrow(), "A", [Range("t", number, 0, 1, 1) for number in range(100)], batch.to_arrow())
    assert (
        repr(many) == "<pykafarr.Batch A: 2 rows, 2 columns, 2 rejected, t[0]@0..0, t[1]@0..0, t[2]@0..0 and 97 more>"
    )


def test_a_batch_goes_into_pyarrow_without_a_copy(batch):
    record = pa.record_batch(batch)
    assert record.equals(batch.to_arrow())
    assert record["x"].buffers()[1].address == batch.to_arrow()["x"].buffers()[1].address
    assert pa.schema(batch).equals(batch.schema)
    assert pa.RecordBatchReader.from_stream(batch).read_all().to_pydict() == {"x": [1, 2], "s": ["a", None]}


def test_a_batch_goes_into_polars(batch):
    expected = pl.DataFrame({"x": [1, 2], "s": ["a", None]})
    assert batch.to_polars().equals(expected)
    assert pl.DataFrame(batch).equals(expected)


def test_to_pandas_copies_unless_told_otherwise(batch):
    frame = batch.to_pandas()
    frame.loc[0, "x"] = 7
    assert batch.to_arrow()["x"].to_pylist() == [1, 2]
    frame = batch.to_pandas(copy=False)
    with pytest.raises(ValueError, match="read-only"):
        frame.loc[0, "x"] = 7


def test_to_pandas_takes_the_backend_of_the_listener_or_its_own(batch):
    of_listener = Batch(batch.to_arrow(), "A", [], dtype_backend="pyarrow")
    assert of_listener.to_pandas()["x"].dtype == pd.ArrowDtype(pa.int64())
    assert of_listener.to_pandas("numpy")["x"].dtype == "int64"
    with pytest.raises(pykafarr.ConfigError, match="dtype_backend"):
        batch.to_pandas("arrow")


def test_to_polars_without_polars_says_what_to_install():
    code = (
        "import sys; sys.modules['polars'] = None\n"
        "import pyarrow as pa, pykafarr\n"
        "pykafarr.Batch(pa.record_batch({'x': [1]}), 'A', []).to_polars()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip().endswith("ImportError: to_polars() needs polars: pip install 'pykafarr[polars]'")


def test_a_batch_knows_what_happened_since_the_one_before(fake):
    fake.answers.append(fake.batch(pa.RecordBatch.from_pydict({"n": [1]})))
    with pykafarr.listener("b:9092", "g", "t", "http://r/") as listener:
        batch = listener.poll_batch(1)

    assert batch.events == [("offset_reset", "t", 0, 3, 5), ("assigned", "t", 1, None, None)]
