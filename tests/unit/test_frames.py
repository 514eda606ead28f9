"""Arrow batches to pandas frames: the dtype follows from the schema."""

import datetime as dt
import decimal
import gc
import math
import tracemalloc

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pykafarr._batches.to_pandas import Memory, to_frame

BIG = 2**53 + 1  # the first integer that a float64 cannot hold


def frame_of(
    kind: pa.DataType,
    values: list[object],
    *,
    nullable: bool = True,
    memory: Memory = Memory.ADOPT,
    dtype_backend: str | None = None,
) -> pd.DataFrame:
    schema = pa.schema([pa.field("x", kind, nullable=nullable)])
    return to_frame(pa.record_batch([pa.array(values, kind)], schema=schema), dtype_backend, memory)


def flat_batch(rows: int) -> pa.RecordBatch:
    fields = {
        "flag": pa.array(np.arange(rows) % 2 == 0),
        "count": pa.array(np.arange(rows, dtype="int32")),
        "number": pa.array(np.arange(rows)),
        "single": pa.array(np.arange(rows, dtype="float32")),
        "double": pa.array(np.arange(rows, dtype="float64")),
        "name": pa.array([f"name-{row}" for row in range(rows)], pa.string()),
        "_offset": pa.array(np.arange(rows)),
    }
    schema = pa.schema([pa.field(name, array.type, nullable=False) for name, array in fields.items()])
    return pa.record_batch(list(fields.values()), schema=schema)


@pytest.mark.parametrize(
    ("kind", "values", "dtype"),
    [
        (pa.bool_(), [True, False], "bool"),
        (pa.int32(), [1, -2], "int32"),
        (pa.int64(), [BIG, -BIG], "int64"),
        (pa.float32(), [1.5, math.inf], "float32"),
        (pa.float64(), [1.5, -0.0], "float64"),
    ],
    ids=str,
)
def test_what_cannot_be_null_has_numpys_dtype(kind, values, dtype):
    frame = frame_of(kind, values, nullable=False)
    assert frame["x"].dtype == np.dtype(dtype)
    assert frame["x"].tolist() == values


@pytest.mark.parametrize(
    "values", [[1, None, BIG], [1, BIG], [None], []], ids=["some null", "no null", "null", "empty"]
)
def test_a_nullable_long_has_one_dtype_whatever_the_batch_holds(values):
    frame = frame_of(pa.int64(), values)
    assert frame["x"].dtype == pd.ArrowDtype(pa.int64())
    assert [None if value is pd.NA else value for value in frame["x"]] == values


def test_a_nullable_long_keeps_digits_past_two_to_the_53():
    frame = frame_of(pa.int64(), [BIG, None])
    assert frame["x"][0] == BIG
    assert frame["x"][1] is pd.NA


@pytest.mark.parametrize("nullable", [False, True])
@pytest.mark.parametrize("values", [["a", "ü€𝄞", ""], []])
def test_strings_are_pandas_own_str_backed_by_arrow(values, nullable):
    frame = frame_of(pa.string(), values, nullable=nullable)
    dtype = frame["x"].dtype
    assert isinstance(dtype, pd.StringDtype)
    assert dtype.storage in {"pyarrow", "pyarrow_numpy"}
    assert frame["x"].tolist() == values


def test_a_null_string_is_nan():
    frame = frame_of(pa.string(), ["a", None])
    assert frame["x"].isna().tolist() == [False, True]
    assert math.isnan(frame["x"][1])


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        (pa.timestamp("ms"), "datetime64[ms]"),
        (pa.timestamp("us"), "datetime64[us]"),
        (pa.timestamp("ns"), "datetime64[ns]"),
        (pa.timestamp("ms", "UTC"), "datetime64[ms, UTC]"),
        (pa.timestamp("us", "UTC"), "datetime64[us, UTC]"),
        (pa.timestamp("ns", "UTC"), "datetime64[ns, UTC]"),
    ],
    ids=str,
)
@pytest.mark.parametrize("memory", Memory)
def test_timestamps_keep_their_unit_and_have_nat_for_null(kind, dtype, memory):
    zone = dt.timezone.utc if kind.tz else None
    moment = dt.datetime(2024, 2, 29, 12, 34, 56, tzinfo=zone)
    for values in ([moment, moment], [moment, None], [None], []):
        frame = frame_of(kind, values, memory=memory)
        assert str(frame["x"].dtype) == dtype
        assert [None if value is pd.NaT else value for value in frame["x"]] == values


def enum_batch(indices: list[int | None], symbols: list[str]) -> pa.RecordBatch:
    array = pa.DictionaryArray.from_arrays(pa.array(indices, pa.int32()), pa.array(symbols))
    return pa.record_batch([array], names=["x"])


def test_an_enum_is_a_category_of_the_schemas_symbols_in_order():
    frame = to_frame(enum_batch([2, 0, 2], ["RED", "GREEN", "BLUE"]), None, Memory.ADOPT)
    assert frame["x"].tolist() == ["BLUE", "RED", "BLUE"]
    assert frame["x"].cat.categories.tolist() == ["RED", "GREEN", "BLUE"]
    assert frame["x"].cat.codes.tolist() == [2, 0, 2]
    assert not frame["x"].cat.ordered


def test_enum_columns_of_two_batches_concatenate_to_a_category():
    frames = [
        to_frame(enum_batch(indices, ["RED", "GREEN", "BLUE"]), None, Memory.ADOPT) for indices in ([1], [None, 0], [])
    ]
    joined = pd.concat(frames)
    assert isinstance(joined["x"].dtype, pd.CategoricalDtype)
    assert joined["x"].astype(object).where(joined["x"].notna(), None).tolist() == ["GREEN", None, "RED"]


def test_a_null_enum_is_nan():
    frame = to_frame(enum_batch([0, None], ["RED"]), None, Memory.ADOPT)
    assert frame["x"].isna().tolist() == [False, True]


@pytest.mark.parametrize("count", [127, 128, 129, 32767, 32769])
def test_an_enum_may_have_any_number_of_symbols(count):
    frame = to_frame(enum_batch([count - 1, 0, None], [f"S{number}" for number in range(count)]), None, Memory.ADOPT)
    assert frame["x"][0] == f"S{count - 1}"
    assert frame["x"].value_counts()["S0"] == 1
    assert frame["x"].cat.codes.dtype == pd.Series(["S0"], dtype=frame["x"].dtype).cat.codes.dtype


@pytest.mark.parametrize(
    ("kind", "values", "nullable"),
    [
        (pa.bool_(), [True, False], True),
        (pa.float64(), [1.5], True),
        (pa.binary(), [b"\0\xff", b""], False),
        (pa.binary(3), [b"abc"], False),
        (pa.null(), [None], True),
        (pa.decimal128(38, 2), [decimal.Decimal("123456789012345678901234567890123456.78")], False),
        (pa.date32(), [dt.date(2024, 2, 29)], False),
        (pa.time64("us"), [dt.time(1, 2, 3, 4)], False),
        (pa.list_(pa.int64()), [[1, 2], []], False),
        (pa.struct([("a", pa.int32())]), [{"a": 1}], False),
    ],
    ids=str,
)
def test_all_else_is_an_arrow_dtype(kind, values, nullable):
    frame = frame_of(kind, values, nullable=nullable)
    assert frame["x"].dtype == pd.ArrowDtype(kind)
    assert [None if value is pd.NA else value for value in frame["x"].tolist()] == values


def test_the_backend_pyarrow_gives_an_arrow_dtype_to_every_column():
    frame = to_frame(flat_batch(3), "pyarrow", Memory.ADOPT)
    assert all(isinstance(dtype, pd.ArrowDtype) for dtype in frame.dtypes)
    enum = to_frame(enum_batch([0], ["RED"]), "pyarrow", Memory.ADOPT)
    assert isinstance(enum["x"].dtype, pd.ArrowDtype)


def test_the_backend_numpy_gives_what_pyarrow_gives():
    frame = frame_of(pa.int64(), [1, None], dtype_backend="numpy")
    assert frame["x"].dtype == np.dtype("float64")


def test_columns_keep_their_order_and_the_index_counts_the_rows():
    frame = to_frame(flat_batch(3), None, Memory.ADOPT)
    assert frame.columns.tolist() == ["flag", "count", "number", "single", "double", "name", "_offset"]
    assert frame.index.equals(pd.RangeIndex(3))


def test_a_batch_without_columns_keeps_its_rows():
    record = pa.RecordBatch.from_struct_array(pa.array([{}, {}], pa.struct([])))
    assert len(to_frame(record, None, Memory.ADOPT)) == 2


def test_a_sliced_batch_gives_its_own_rows():
    frame = to_frame(flat_batch(10).slice(4, 3), None, Memory.ADOPT)
    assert frame["number"].tolist() == [4, 5, 6]
    assert frame["flag"].tolist() == [True, False, True]
    assert frame["name"].tolist() == ["name-4", "name-5", "name-6"]


def change_with_loc(frame: pd.DataFrame, value: object) -> None:
    frame.loc[0, "x"] = value


def change_with_iloc(frame: pd.DataFrame, value: object) -> None:
    frame.iloc[0, 0] = value


def change_with_at(frame: pd.DataFrame, value: object) -> None:
    frame.at[0, "x"] = value


def change_with_a_mask(frame: pd.DataFrame, value: object) -> None:
    frame.loc[frame.index == 0, "x"] = value


COLUMNS = {
    "bool": (pa.bool_(), [False, True], False),
    "int": (pa.int32(), [1, 2], False),
    "long": (pa.int64(), [1, 2], False),
    "double": (pa.float64(), [1.5, 2.5], False),
    "nullable long": (pa.int64(), [1, BIG], True),
    "string": (pa.string(), ["a", "b"], True),
    "timestamp": (pa.timestamp("us"), [pd.Timestamp(2024, 1, day) for day in (1, 2)], True),
    "timestamp UTC": (
        pa.timestamp("us", "UTC"),
        [dt.datetime(2024, 1, day, tzinfo=dt.timezone.utc) for day in (1, 2)],
        True,
    ),
}


@pytest.mark.parametrize("memory", [Memory.ADOPT, Memory.COPY])
@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("change", [change_with_loc, change_with_iloc, change_with_at, change_with_a_mask])
def test_a_frame_can_be_changed_in_place(change, column, memory):
    kind, values, nullable = COLUMNS[column]
    frame = frame_of(kind, values, nullable=nullable, memory=memory)
    change(frame, frame["x"].iloc[1])
    assert frame["x"].tolist() == [values[1], values[1]]


def test_an_enum_cell_can_be_changed_in_place():
    frame = to_frame(enum_batch([0, 1], ["RED", "GREEN"]), None, Memory.ADOPT)
    frame.loc[0, "x"] = "GREEN"
    assert frame["x"].tolist() == ["GREEN", "GREEN"]


@pytest.mark.parametrize("memory", [Memory.ADOPT, Memory.COPY])
def test_a_whole_column_can_be_changed(memory):
    frame = to_frame(flat_batch(3), None, memory)
    frame["number"] += 1
    frame["new"] = frame["double"] * 2
    frame = frame.sort_values("number", ascending=False)
    assert frame["number"].tolist() == [3, 2, 1]
    assert frame["_offset"].tolist() == [2, 1, 0]


def test_changing_an_adopted_column_leaves_the_others_alone():
    frame = to_frame(flat_batch(3), None, Memory.ADOPT)
    frame.loc[:, "number"] = 7
    assert frame["_offset"].tolist() == [0, 1, 2]
    assert frame["double"].tolist() == [0.0, 1.0, 2.0]


def test_changing_a_copy_does_not_show_in_the_batch():
    record = flat_batch(3)
    frame = to_frame(record, None, Memory.COPY)
    for name in ("count", "number", "single", "double"):
        frame.loc[0, name] = 7
    frame.loc[0, "name"] = "other"
    assert record.equals(flat_batch(3))


def test_an_adopted_frame_copies_no_number():
    record = flat_batch(1000)
    frame = to_frame(record, None, Memory.ADOPT)
    for name in ("count", "number", "single", "double", "_offset"):
        assert np.shares_memory(frame[name].to_numpy(), record[name].to_numpy())


def test_an_adopted_frame_keeps_its_memory_alive():
    before = pa.total_allocated_bytes()
    # Grown by pyarrow itself, so that its counter knows the memory.
    record = pa.record_batch(
        [pa.array(range(100_000), pa.int64())], schema=pa.schema([pa.field("x", pa.int64(), False)])
    )
    frame = to_frame(record, None, Memory.ADOPT)
    del record
    assert pa.total_allocated_bytes() > before
    assert frame["x"].sum() == sum(range(100_000))
    del frame
    assert pa.total_allocated_bytes() == before


def test_a_view_is_read_only():
    frame = to_frame(flat_batch(3), None, Memory.VIEW)
    assert not frame["number"].to_numpy().flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        frame.loc[0, "number"] = 7


def test_long_lists_of_categories_are_kept_of_few_schemas():
    def frame(number: int) -> None:
        symbols = [f"symbol_{number}_{i}" for i in range(2_000)]
        column = pa.DictionaryArray.from_arrays(pa.array([1], pa.int32()), pa.array(symbols))
        assert list(frame_of(column.type, column)["x"]) == [symbols[1]]

    frame(0)
    tracemalloc.start()
    try:
        for number in range(100):
            frame(number)
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert kept < 8 << 20, f"{kept >> 20} MiB are kept"
