"""Arrow record batches to polars frames, around what polars loses or panics on.

| Arrow type                 | polars 2.1 by itself             | here                                     |
|----------------------------|----------------------------------|------------------------------------------|
| map (an Avro map)          | Map, which keeps one entry a key | List(Struct(key, value)), as older ones  |
| fixed_size_binary(0)       | ComputeError                     | Binary                                   |
| decimal256                 | panics                           | SchemaError                              |
| month_day_nano_interval    | ComputeError or panics           | SchemaError                              |
| dense_union                | ComputeError                     | SchemaError                              |

A panic of polars is a BaseException, which `except Exception` does not catch.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa
from pyarrow import types

from .._errors import SchemaError

if TYPE_CHECKING:
    import polars as pl


def to_polars(record: pa.RecordBatch) -> pl.DataFrame:
    """The batch's rows as a polars frame."""
    import polars as pl  # noqa: PLC0415  # after the caller has looked whether there is one

    targets = _targets(record.schema)
    if any(target is not None for target in targets):
        columns = [
            column if target is None else column.cast(target)
            for column, target in zip(record.columns, targets, strict=True)
        ]
        record = pa.RecordBatch.from_arrays(columns, record.schema.names)
    return cast("pl.DataFrame", pl.from_arrow(record))  # it is a Series for arrays only


# As in _frames: a topic has few schemas.
@lru_cache(maxsize=32)
def _targets(schema: pa.Schema) -> list[Any]:
    """The type that each column is cast to; None: none."""
    targets = []
    for field in schema:
        target = _target(field.type, field.name)
        targets.append(None if target == field.type else target)
    return targets


def _target(kind: Any, path: str) -> Any:
    """The type that polars takes for an Arrow type."""
    if types.is_map(kind):
        value = kind.item_field
        entry = [kind.key_field, value.with_type(_target(value.type, f"{path}.value"))]
        return pa.list_(pa.field("item", pa.struct(entry), nullable=False))
    if types.is_list(kind):
        item = kind.value_field
        return pa.list_(item.with_type(_target(item.type, f"{path}.item")))
    if types.is_struct(kind):
        return pa.struct([field.with_type(_target(field.type, f"{path}.{field.name}")) for field in kind])
    if types.is_fixed_size_binary(kind) and kind.byte_width == 0:
        return pa.binary()
    if types.is_decimal256(kind):
        _refuse(path, f"polars has no decimal of {kind.precision} digits, only of 38")
    if types.is_interval(kind):
        _refuse(path, "polars has no interval of months, days and nanoseconds")
    if types.is_union(kind):
        _refuse(path, 'polars has no unions: read it with unions="struct"')
    return kind


def _refuse(path: str, why: str) -> None:
    text = f"{path}: {why}. Leave the column out with columns=, or use to_arrow() or to_pandas()"
    raise SchemaError(text, path=path)
