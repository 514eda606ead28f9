"""Frames of any library as Arrow record batches, on their way to a topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .._batches.batch import Batch
from .._errors import ConfigError
from .._options.secrets import kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd
    import pyarrow as pa

# What a listener gives for _headers.
_HEADERS = "_headers"


class Rows(NamedTuple):
    """The rows of a frame.

    Attributes:
        schema: of each batch.
        batches: the rows, in their order.
        whole: whether all of them are there already, so that they can be checked before the first is sent.
    """

    schema: pa.Schema
    batches: Iterable[pa.RecordBatch]
    whole: bool


def rows_of(frame: Any, target: Callable[[], pa.Schema | None], headers: str | None) -> Rows:
    """The rows of a frame: pandas', polars', pyarrow's, duckdb's, or what knows Arrow's C interfaces.

    Args:
        frame: the frame.
        target: gives the columns that the schema stands for; None where it is derived from the frame.
        headers: the column of headers.
    """
    import pyarrow as pa  # noqa: PLC0415  # which importing pykafarr does not load

    if isinstance(frame, Batch):
        frame = frame.to_arrow()
    if isinstance(frame, pa.RecordBatch):
        return Rows(frame.schema, [frame], whole=True)
    if isinstance(frame, pa.Table):
        return _whole(frame)
    if isinstance(frame, pa.RecordBatchReader):
        return Rows(frame.schema, frame, whole=False)
    module, name = type(frame).__module__.partition(".")[0], type(frame).__name__
    if module == "pandas" and name == "DataFrame":
        return _whole(_from_pandas(frame, target(), headers))
    if name == "Series" and module in ("pandas", "polars"):
        raise TypeError(f"frame is a {module}.Series: call to_frame() first")
    if module == "polars" and name == "LazyFrame":
        raise TypeError("frame is a polars.LazyFrame: collect() it first")
    try:
        if hasattr(frame, "__arrow_c_stream__"):
            if module == "polars":
                return _whole(pa.table(frame))
            reader = pa.RecordBatchReader.from_stream(frame)
            return Rows(reader.schema, reader, whole=False)
        if hasattr(frame, "__arrow_c_array__"):
            batch = pa.record_batch(frame)
            return Rows(batch.schema, [batch], whole=True)
    except pa.ArrowException as error:
        advice = "it must have columns, no null rows, and columns of Arrow's own types: cast others"
        raise ConfigError(f"frame: {kind(frame)} cannot be taken over as Arrow: {error}; {advice}") from error
    if hasattr(frame, "fetch_record_batch"):  # a relation of an older duckdb
        reader = frame.fetch_record_batch()
        return Rows(reader.schema, reader, whole=False)
    raise TypeError(
        "frame must be a frame of pandas or polars, a table, batch or reader of pyarrow, a relation of duckdb, a "
        f"pykafarr.Batch, or an object with __arrow_c_stream__ or __arrow_c_array__, not {kind(frame)}"
    )


def _whole(table: pa.Table) -> Rows:
    batches = table.to_batches()
    if not batches:  # whatever is wrong with the columns is said all the same
        batches = table.schema.empty_table().combine_chunks().to_batches() or [_empty(table.schema)]
    return Rows(table.schema, batches, whole=True)


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa  # noqa: PLC0415  # likewise

    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)


def _from_pandas(frame: pd.DataFrame, target: pa.Schema | None, headers: str | None) -> pa.Table:
    """The columns of a pandas frame; its index is left out."""
    import pyarrow as pa  # noqa: PLC0415  # likewise

    arrays, fields = [], []
    for position, name in enumerate(frame.columns):
        if not isinstance(name, str):
            raise ConfigError(f"frame: the name of column {position} is {name!r}: it must be a str")
        field = None
        if target is not None and (index := target.get_field_index(name)) >= 0:
            field = target.field(index)
        elif name in (headers, _HEADERS):
            field = pa.field(name, _headers_type())
        try:
            array = _column(name, frame.iloc[:, position], field)
        except pa.ArrowException as error:
            dtype = frame.dtypes.iloc[position]
            raise ConfigError(
                f"frame: {name}: a column of the dtype {dtype} cannot be sent: {error}; cast it"
            ) from error
        arrays.append(array)
        fields.append(pa.field(name, array.type))
    if target is not None:
        _look_in_index(frame, target)
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields)) if fields else _no_columns(frame)


def _no_columns(frame: pd.DataFrame) -> pa.Table:
    raise ConfigError(f"frame: it has {len(frame)} rows and no columns")


def _look_in_index(frame: pd.DataFrame, target: pa.Schema) -> None:
    """Says so where a field that the frame lacks is its index."""
    for name in frame.index.names:
        if name is not None and name not in frame.columns and name in target.names:
            raise ConfigError(f"frame: the field {name!r} is its index, which is not sent: call reset_index() first")


def _headers_type() -> pa.DataType:
    import pyarrow as pa  # noqa: PLC0415  # likewise

    return pa.list_(pa.struct([pa.field("key", pa.string()), pa.field("value", pa.binary())]))


def _column(name: str, series: pd.Series, field: pa.Field[Any] | None) -> Any:
    """A column as an Arrow array. NaN, NaT and pd.NA are nulls, but for NaN in a float that cannot be null."""
    import pandas as pd  # noqa: PLC0415  # likewise
    import pyarrow as pa  # noqa: PLC0415  # likewise

    if isinstance(series.dtype, pd.ArrowDtype):
        return pa.chunked_array(series.array.__arrow_array__())
    if series.dtype == object:
        if field is not None and (field.name == _HEADERS or field.type == _headers_type()):
            series = series.map(_pairs, na_action="ignore")
        from .objects import Place, array  # noqa: PLC0415  # which loads pandas

        return array(series.tolist(), field, Place(name, lambda row: row))
    if pd.api.types.is_float_dtype(series.dtype) and field is not None and not field.nullable:
        return pa.array(series, from_pandas=pa.types.is_integer(field.type))
    return pa.array(series, from_pandas=True)


def _pairs(headers: Any) -> Any:
    """The headers of a row as pairs: of a dict, or of pairs already."""
    return list(headers.items()) if isinstance(headers, dict) else headers
