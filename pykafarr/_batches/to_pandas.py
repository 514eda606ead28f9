"""Arrow record batches to pandas frames: the dtype follows from the schema, never from the data of one batch.

| Arrow field                                  | dtype of the frame's column                                |
|----------------------------------------------|------------------------------------------------------------|
| bool, ints, floats, not nullable             | numpy's                                                    |
| timestamp                                    | datetime64[unit] or datetime64[unit, UTC]; null is NaT     |
| utf8                                         | pandas' own str, held in Arrow memory; null is NaN         |
| dictionary (an Avro enum)                    | category, the schema's symbols in order; null is NaN       |
| all else, and bool, ints and floats with null| pandas.ArrowDtype; null is pandas.NA                       |
| month_day_nano_interval; whatever holds      | object: pyarrow.MonthDayNano; the values themselves;       |
| Arrow's dense unions; with pandas 2, uuid    | null is None, with every dtype_backend: pandas.ArrowDtype  |
|                                              | raises on them (pandas 3.1), at the latest when shown      |

pyarrow's to_pandas() would turn a nullable long into float64, which loses digits past 2^53 in those batches only that
hold a null. Columns are converted one by one into a frame that is not consolidated: 100,000 rows of boolean, int,
2 long, float, double, string take 0.3 ms here, against 0.7 ms with to_pandas() and 3 ms when pandas copies.

In-place changes such as `frame.loc[0, "x"] = 1` write into numpy's memory, and pandas raises when that is read-only,
as what pyarrow's to_numpy() gives is. So the caller says what may be done with the batch's memory:

* ADOPT: the frame is the only owner of the batch (poll): numpy columns are writable views of the Arrow memory.
* COPY: the batch stays visible as Arrow, which must not change: numpy columns are copied (3 ms for that frame).
* VIEW: numpy columns are read-only views.
"""

from __future__ import annotations

import enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import types

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._options.checks import DtypeBackend

# pandas' own str in Arrow memory, which pandas 2.2 has under another name.
_STR: Any = (
    pd.StringDtype("pyarrow_numpy")
    if pd.__version__.startswith("2.2.")
    else pd.StringDtype(storage="pyarrow", na_value=np.nan)
)

# pandas 2 raises on a column of Arrow's own uuid type as soon as it is shown.
_NO_UUID = pd.__version__.startswith("2.")

# An Arrow array to what a frame holds: a numpy array or an extension array of pandas.
Converter: TypeAlias = "Callable[[pa.Array[Any], Memory], Any]"


class Memory(enum.Enum):
    """How a frame uses the memory of the batch that it is made of."""

    ADOPT = enum.auto()
    COPY = enum.auto()
    VIEW = enum.auto()


def to_frame(record: pa.RecordBatch, dtype_backend: DtypeBackend | None, memory: Memory) -> pd.DataFrame:
    """A frame of the batch's rows, with columns in the batch's order and a RangeIndex."""
    if dtype_backend == "numpy" and not any(_holds_union(field.type) for field in record.schema):
        return cast("pd.DataFrame", _plain(record))
    columns = {
        name: convert(column, memory)
        for name, convert, column in zip(
            record.schema.names, _converters(record.schema, dtype_backend), record.columns, strict=True
        )
    }
    # The index says how many rows there are when there is no column.
    return cast("pd.DataFrame", pd.DataFrame(columns, index=pd.RangeIndex(record.num_rows), copy=False))


def table_to_frame(table: pa.Table, dtype_backend: DtypeBackend | None, memory: Memory = Memory.COPY) -> pd.DataFrame:
    """A frame of all rows of a table."""
    # One batch, or, where a column of text has more than 2 GiB, as few as there can be.
    batches = table.combine_chunks().to_batches() or [
        pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in table.schema], schema=table.schema)
    ]
    frames = [to_frame(batch, dtype_backend, memory) for batch in batches]
    return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)


# A topic has few schemas, and each poll brings one of them: hashing it takes 4 µs, looking at its fields 40. The number
# bounds the memory, too, for a hostile schema has 20,000 columns.
@lru_cache(maxsize=32)
def _converters(schema: pa.Schema, dtype_backend: DtypeBackend | None) -> list[Converter]:
    return [_converter(field, dtype_backend) for field in schema]


def _converter(field: pa.Field[Any], dtype_backend: DtypeBackend | None) -> Converter:
    kind: Any = field.type
    if types.is_interval(kind) or _holds_union(kind) or (_NO_UUID and isinstance(kind, pa.BaseExtensionType)):
        return _objects
    if dtype_backend is not None:
        return _arrow_backed if dtype_backend == "pyarrow" else _as_pyarrow
    if types.is_timestamp(kind):
        return _timestamps if kind.tz is None else _zoned_timestamps(kind)
    if types.is_string(kind) or types.is_large_string(kind):
        return _strings
    if types.is_dictionary(kind) and types.is_string(kind.value_type):
        return _categories
    if not field.nullable:
        if types.is_boolean(kind):
            return _booleans
        if types.is_integer(kind) or types.is_floating(kind):
            return _numbers
    return _arrow_backed


def _numbers(array: pa.Array[Any], memory: Memory) -> Any:
    """Ints, floats or timestamps, without a null."""
    view = array.to_numpy()
    if memory is Memory.ADOPT:
        return _writable(view)
    return view.copy() if memory is Memory.COPY else view


def _booleans(array: pa.Array[Any], _: Memory) -> Any:
    # Arrow packs eight into a byte: what this unpacks is the frame's own in any case.
    return array.to_numpy(zero_copy_only=False)


def _timestamps(array: pa.Array[Any], memory: Memory) -> Any:
    if array.null_count:
        return array.to_numpy(zero_copy_only=False)  # a copy with NaT for null
    return _numbers(array, memory)


def _zoned_timestamps(kind: pa.TimestampType[Any, Any]) -> Converter:
    dtype: Any = pd.DatetimeTZDtype(kind.unit, kind.tz)

    def convert(array: pa.Array[Any], memory: Memory) -> Any:
        made = dtype.__from_arrow__(array)
        # pandas offers no way to make one of given memory, so ADOPT copies too: 0.02 ms for 100,000.
        return made if memory is Memory.VIEW or array.null_count else made.copy()

    return convert


def _strings(array: pa.Array[Any], _: Memory) -> Any:
    return _STR.__from_arrow__(array)


def _categories(array: Any, _: Memory) -> Any:
    dtype = _category_dtype(tuple(array.dictionary.to_pylist()), array.type.ordered)
    indices = array.indices.fill_null(-1) if array.null_count else array.indices
    # The width that pandas itself gives to this many categories; this also makes the codes the frame's own.
    count = len(dtype.categories)
    width = "int8" if count < 128 else "int16" if count < 32768 else "int32"
    # The decoder has checked the indices; checking them again would be the greater part of the time.
    return pd.Categorical.from_codes(indices.to_numpy().astype(width), dtype=dtype, validate=False)


def _category_dtype(symbols: tuple[str, ...], ordered: bool) -> pd.CategoricalDtype:
    # An enum may have a million symbols: of long lists, the last few are kept.
    return (_short_lists if len(symbols) <= 1000 else _long_lists)(symbols, ordered)


@lru_cache(maxsize=256)
def _short_lists(symbols: tuple[str, ...], ordered: bool) -> pd.CategoricalDtype:
    return pd.CategoricalDtype(list(symbols), ordered)


@lru_cache(maxsize=4)
def _long_lists(symbols: tuple[str, ...], ordered: bool) -> pd.CategoricalDtype:
    return pd.CategoricalDtype(list(symbols), ordered)


def _arrow_backed(array: pa.Array[Any], _: Memory) -> Any:
    return pd.arrays.ArrowExtensionArray(array)


def _objects(array: pa.Array[Any], _: Memory) -> Any:
    values = np.empty(len(array), dtype=object)
    values[:] = [_object(scalar) for scalar in array]
    # Of the bare array pandas makes str or datetime64, in those batches that hold nothing else.
    return pd.Series(values, dtype=object)


def _object(scalar: pa.Scalar[Any]) -> Any:
    try:
        return scalar.as_py()
    except (ValueError, OverflowError):  # such as a date that Python's has no year for
        return scalar


def _as_pyarrow(array: pa.Array[Any], _: Memory) -> Any:
    return _plain(array)


def _plain(data: Any) -> Any:
    """The column as pyarrow converts it, with datetime64 for dates where Python's have no such year."""
    try:
        return data.to_pandas()
    except (ValueError, OverflowError):
        return data.to_pandas(date_as_object=False)


def _holds_union(kind: Any) -> bool:
    """Whether a type is one of Arrow's unions or holds one."""
    if types.is_union(kind):
        return True
    return types.is_nested(kind) and any(_holds_union(kind.field(index).type) for index in range(kind.num_fields))


class _Writable:
    """Gives numpy the memory of a read-only array, which it keeps alive, as writable."""

    __slots__ = ("__array_interface__", "owner")

    def __init__(self, owner: Any) -> None:
        interface = owner.__array_interface__
        self.owner = owner
        self.__array_interface__ = {**interface, "data": (interface["data"][0], False)}


def _writable(view: Any) -> Any:
    # 2 µs, whatever the length. The memory is the library's, writable, and nobody else's (see ADOPT).
    return np.asarray(_Writable(view)) if len(view) else view.copy()
