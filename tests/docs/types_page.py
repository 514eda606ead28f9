"""Makes docs/types.md: what pandas, polars and DuckDB make of every Avro type, by asking them.

`make types-page` writes the page; test_types_page.py compares it with what is true.
"""

from __future__ import annotations

import uuid
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import polars as pl

import pykafarr
from tests.unit.test_duckdb import read as read_by_duckdb
from tests.unit.test_types import TYPES, bodies_of, decode, logical, mapping, record

if TYPE_CHECKING:
    import pyarrow as pa

PAGE = Path(__file__).resolve().parents[2] / "docs" / "types.md"
REWRITE = "make types-page"

MIDNIGHT = b"\x80\xf0\xb2\x52"  # 24:00 as time-millis
NODE = record("Node", next=["null", "Node"])

# What is no type of its own, but not read like its type: schema, bodies, options.
BESIDES: dict[str, tuple[Any, list[bytes], dict[str, Any]]] = {
    "null or boolean": (["null", "boolean"], [b"\0", b"\2\1"], {}),
    "null or int": (["null", "int"], [b"\0", b"\2\2"], {}),
    "null or long": (["null", "long"], [b"\0", b"\2\2"], {}),
    "null or double": (["null", "double"], [b"\0", b"\2" + b"\0" * 8], {}),
    "null or string": (["null", "string"], [b"\0", b"\2\2a"], {}),
    "map whose keys repeat": (mapping("long"), [b"\x04\2a\2\2a\4\0"], {}),
    "decimal whose scale exceeds its precision": (
        logical("bytes", "decimal", precision=2, scale=3),
        [b"\2\7", b"\0"],
        {},
    ),
    'time-millis, with `out_of_range="null"`': (
        logical("int", "time-millis"),
        [b"\2", MIDNIGHT],
        {"out_of_range": "null"},
    ),
    'union, with `unions="dense"`': (["int", "string"], [b"\0\2", b"\2\2a"], {"unions": "dense"}),
    'recursive type, with `recursion="json"`': (NODE, [b"\2\2\0", b"\0"], {"recursion": "json"}),
}

TEXT = """# What frames make of each type

Made by a test (`tests/docs/types_page.py`; `{rewrite}` rewrites it) that decodes values of each type and asks pandas
{pandas}, polars {polars} and DuckDB {duckdb} for what they got, over pyarrow {pyarrow}. A cell is the column's type;
where the values that come out are not those that went in, or where there is an error, it says so.

* pandas is `batch.to_pandas()`; `ArrowDtype` is its name for "as in Arrow".
* polars is `batch.to_polars()`; where `polars.DataFrame(batch)` does something else by itself, that stands after it.
* DuckDB is `duckdb.sql("SELECT * FROM batch")`, which takes the batch through the PyCapsule interface, too.

{types}

## Nullable columns, options, and what is not read like its type

{besides}

## In words

* **A logical type that is not valid where it stands** is ignored, as Avro's specification says, and the type beneath it
  is read: a decimal whose scale exceeds its precision, without a precision, or with more digits than its fixed holds,
  is `binary`; a date on a long is `int64`. The log names each such field once (logger `pykafarr`, level WARNING).
* **A value that its Arrow type cannot hold** is the error of its message: a time of day of 24:00 or more (which
  PostgreSQL allows), a decimal of more digits than its precision, a duration of more than 2^31-1 months or days, a
  big-decimal of a scale beyond 100,000. With `out_of_range="null"` it is null, columns of these types are nullable,
  also in records, lists, maps and unions, and `stats()["out_of_range"]` counts such values (`report` that of a scan).
  Dates and timestamps have none: Arrow's hold each of Avro's numbers.
* **polars** panics on decimals of more than 38 digits, durations, dense unions and a fixed of no bytes, and takes maps
  whose keys repeat, but keeps only the last of them once it copies. A panic is a `BaseException`, which
  `except Exception` does not catch. `batch.to_polars()` converts first, or raises a `SchemaError` that names the
  column.
* **pandas** has no -2^63 in `datetime64`: that moment of a timestamp is `NaT`, except with
  `dtype_backend="pyarrow"`.
* **DuckDB** refuses decimals of more than 38 digits, dense unions and maps whose keys repeat, each with an error that
  says so; leave the column out with `columns=`. It loses nothing of the other types. Enums become text.
* DuckDB counts the moments of `timestamp-millis` in microseconds, and refuses moments after the year 294247. The
  greatest number of a timestamp, 2^63 - 1, it shows as `infinity`.
* **DuckDB 1** has no moments in nanoseconds with a zone: it drops the last three digits of `timestamp-nanos`, without
  an error. It refuses records without fields.
* Python's `datetime` has no nanoseconds, so DuckDB's `fetchall()` drops them, and with DuckDB 1 it needs the package
  `pytz` for timestamps with a zone: `to_arrow_table()` does neither.
"""


def page() -> str:
    """The text of docs/types.md."""
    packages = ("pandas", "polars", "duckdb", "pyarrow")
    versions = {name: ".".join(version(name).split(".")[:2]) for name in packages}
    types = {name: (case.schema, bodies_of(case), {}) for name, case in TYPES.items()}
    return TEXT.format(rewrite=REWRITE, types=table(types), besides=table(BESIDES), **versions)


def table(rows: dict[str, tuple[Any, list[bytes], dict[str, Any]]]) -> str:
    """A line per type."""
    lines = ["| Avro | Arrow | pandas | polars | DuckDB |", "|---|---|---|---|---|"]
    for name, (schema, bodies, options) in rows.items():
        # A type that is to recur is the record itself.
        whole = decode(schema if schema is NODE else record(x=schema), bodies, **options)
        batch = pykafarr.Batch(whole.rename_columns(["x"]), "R", [])
        cells = [name, code(batch.schema.field("x").type), pandas_cell(batch), polars_cell(batch), duckdb_cell(batch)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def pandas_cell(batch: pykafarr.Batch) -> str:
    dtype = batch.to_pandas()["x"].dtype
    return code("ArrowDtype" if isinstance(dtype, pd.ArrowDtype) else dtype)


def polars_cell(batch: pykafarr.Batch) -> str:
    try:
        ours = polars_column(batch, batch.to_polars())
    except pykafarr.SchemaError as error:
        ours = "SchemaError: " + str(error).split(". Leave")[0].removeprefix("x: ")
    try:
        alone = polars_column(batch, pl.DataFrame(batch))
    except pl.exceptions.PanicException:
        alone = "it panics"
    return ours if alone == ours else f"{ours}; by itself: {alone}"


def polars_column(batch: pykafarr.Batch, frame: pl.DataFrame) -> str:
    kind = frame.schema["x"]
    name = f"Decimal({kind.precision}, {kind.scale})" if isinstance(kind, pl.Decimal) else str(kind)
    # To and fro alone would be the very memory; a second frame after it makes polars copy.
    return code(name) + lost(batch, pl.concat([frame, frame]).to_arrow()["x"][: len(frame)])


def duckdb_cell(batch: pykafarr.Batch) -> str:
    try:
        kind, values = read_by_duckdb(batch)
    except duckdb.Error as error:
        return str(error).splitlines()[0]
    return code(kind) + lost(batch, values)


def lost(batch: pykafarr.Batch, values: pa.ChunkedArray) -> str:
    """What to say of values that are not those of the batch."""
    expected, found = plain(batch.to_arrow()["x"].to_pylist()), plain(values.to_pylist())
    return "" if found == expected else f", which makes {code(found)} of {code(expected)}"


def plain(value: Any) -> Any:
    """A value in one of the forms in which Python may get it: an entry of a map is a pair, a uuid its bytes."""
    if isinstance(value, dict) and list(value) == ["key", "value"]:
        return (plain(value["key"]), plain(value["value"]))
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if type(value) is tuple:  # an interval is a tuple too, of another class
        return tuple(plain(item) for item in value)
    return value.bytes if isinstance(value, uuid.UUID) else value


def code(text: object) -> str:
    return f"`{text}`"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
