"""Makes docs/pandas.md: what pandas' own functions do with the dtypes that frames have, by calling them.

`make types-page` writes the page; test_pandas_page.py compares it with what is true. Each recipe of the page is applied
to each case that is said to need it, and has to help.
"""

from __future__ import annotations

import inspect
import io
import json
import sqlite3
import warnings
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import pyarrow as pa

import pykafarr
from tests.docs import recipes
from tests.docs.types_page import BESIDES, PAGE, REWRITE, code
from tests.unit.test_types import TYPES, bodies_of, decode, record

if TYPE_CHECKING:
    from collections.abc import Callable

PANDAS_PAGE = PAGE.with_name("pandas.md")

# One type for each dtype that a frame has by default: what pandas does follows from the dtype.
SHOWN = (
    *("boolean", "null or boolean", "int", "null or long", "double", "null or double", "string", "enum"),
    *("bytes", "fixed", "decimal", "uuid", "uuid on fixed", "date", "time-millis", "timestamp-millis"),
    *("local-timestamp-micros", "duration", "record", "record without fields", "array", "array of record"),
    *("map", "union", "null"),
)

TEXT = """# With pandas: what works on which dtype

Made by a test (`tests/docs/pandas_page.py`; `{rewrite}` rewrites it) that makes a frame of each type, as `poll()`
does by default, and calls pandas {pandas} over pyarrow {pyarrow}. `yes` means: no error, and no other values than went
in. Any other cell says what happens, and names the recipe below that helps: the test applies it to that very case.

{table}

* `groupby`, `merge` and `sort_values` use the column as their key. `to_parquet` is read again by `pd.read_parquet`,
  `to_csv` and `to_json(orient="records", lines=True)` are looked at, and `to_sql` writes to SQLite.
* `to_csv` writes null and the empty text alike: `na_rep="NULL"` tells them apart.
* `to_sql` writes **the memory of a list, not its values,** without an error: never write lists without the recipe.
* `to_json` writes infinities and NaN as `null`, and ten digits of a double: [iso](#iso) writes fifteen,
  [texts](#texts) writes all.
* `explode` splits lists into rows, and makes {exploded} of an array of long; a map stays as it is.
* `json_normalize(frame["x"].tolist())` makes columns of records: {normalized}. Arrow does it without an object for each
  row: `pd.concat([frame.drop(columns="x"), frame["x"].struct.explode()], axis=1)`.

## Recipes

### texts

Nested values and bytes as texts, which every function takes: `frame.assign(x=texts(frame["x"]))`.

```python
import base64
import json

import pandas as pd
import pyarrow as pa


{texts}```

### backend

`frame.to_parquet(path)` writes all that there is; reading is what fails, because pandas does not know its own names of
Arrow's types again. Where the file has a list and `columns=` leaves it out, `pd.read_parquet` raises a `TypeError` all
the same, as it looks at the dtypes of all columns. `pyarrow.parquet.read_table(path, columns=["id"])`, and of that
`.to_pandas(ignore_metadata=True, types_mapper=pd.ArrowDtype)`, gives the columns that are named.

```python
import pandas as pd


{backend}```

### iso

```python
{iso}```

For a file that keeps everything, write Arrow: `batch.to_arrow()` goes into `pyarrow.parquet.write_table` and comes back
as it was. `python -m pykafarr read --format json` [prints exact values](scans.md#a-day-to-parquet).

## itertuples and names that begin with `_`

A namedtuple has no names that begin with `_`, so `itertuples()` names `_offset` by its place, {place} after two fields,
without an error. Rename the metadata columns where they are made:

```python
import pykafarr

with pykafarr.read(
    "kafka:9092", "PRICES", "http://registry:8081/", metadata={{"offset": "offset", "partition": "partition"}}
) as stream:
    for row in stream.to_pandas("com.example.Price").itertuples(index=False):
        print(row.symbol, row.offset, row.partition)
```

## Dates past the year 9999

Python's dates end there, and pandas shows a column of Arrow's dates as Python's: `head()`, `groupby`, `tolist` and
`to_csv` of a frame with such a date are an {dates}. `sort_values`, comparisons and `to_parquet` work. Arrow,
polars, DuckDB and `python -m pykafarr read` have no such end; in Arrow, make texts of the dates before pandas has them:

```python
import pyarrow as pa
import pykafarr

schema = {{
    "type": "record",
    "name": "R",
    "fields": [{{"name": "day", "type": {{"type": "int", "logicalType": "date"}}}}],
}}
table = pa.table(pykafarr.decode(schema, [b"\\x80\\x9b\\xee\\x02"]))
table = table.set_column(0, "day", table["day"].cast(pa.string()))
print(table.to_pandas())
```

## DuckDB and names that differ by case

Avro, Arrow and pandas know `id` and `ID` as two fields. DuckDB does not: it calls the second one {second}, and a query
that says `ID` reads `id`, without an error. Rename one of them before DuckDB sees them:

```python
import duckdb
import pykafarr

schema = {{
    "type": "record",
    "name": "R",
    "fields": [{{"name": "id", "type": "int"}}, {{"name": "ID", "type": "int"}}],
}}
batch = pykafarr.decode(schema, [b"\\x02\\x04"])
renamed = batch.rename_columns(["id", "upper_id"])
assert duckdb.sql("SELECT upper_id FROM renamed").fetchall() == [(2,)]
```
"""


def frame_of(name: str) -> pd.DataFrame:
    """A frame of a type's values in the column x, and of numbers."""
    schema, bodies, options = BESIDES[name] if name in BESIDES else (TYPES[name].schema, bodies_of(TYPES[name]), {})
    whole = decode(record(x=schema), bodies, **options).rename_columns(["x"])
    # Twice, so that a key has several rows to find.
    frame = pykafarr.Batch(pa.concat_batches([whole, whole]), "R", []).to_pandas()
    return frame.assign(n=range(len(frame)))


def page() -> str:
    """The text of docs/pandas.md."""
    versions = {name: ".".join(version(name).split(".")[:2]) for name in ("pandas", "pyarrow")}
    nested = frame_of("record")["x"]
    two_fields = pd.DataFrame({"symbol": ["GBPUSD"], "bid": [1.25], "_offset": [0]})
    return TEXT.format(
        rewrite=REWRITE,
        table=table(),
        place=code(next(two_fields.itertuples())._fields[-1]),
        dates=code(late_date()),
        second=code(duckdb.from_arrow(pa.table({"id": [1], "ID": [2]})).columns[1]),
        exploded=code(frame_of("array").explode("x")["x"].dtype),
        normalized=", ".join(map(code, pd.json_normalize(nested.tolist()).columns)),
        texts=inspect.getsource(recipes.texts),
        backend=inspect.getsource(recipes.read_parquet),
        iso=inspect.getsource(recipes.to_json),
        **versions,
    )


def late_date() -> str:
    """The error of a frame that has a date past the year 9999."""
    batch = decode(record(x={"type": "int", "logicalType": "date"}), [b"\x80\x9b\xee\x02"])
    frame = pykafarr.Batch(batch, "R", []).to_pandas()
    (raised,) = {error_of(call) for call in (lambda: str(frame.head()), frame["x"].tolist, frame.to_csv)}
    return raised


def error_of(call: Callable[[], object]) -> str:
    """The name of the exception that a call raises."""
    try:
        call()
    except Exception as error:  # noqa: BLE001  # the page says which
        return type(error).__name__
    return "no error"


def table() -> str:
    """A line per type."""
    lines = [f"| Avro | dtype | {' | '.join(map(code, JUDGES))} |", "|---" * (len(JUDGES) + 2) + "|"]
    for name in SHOWN:
        frame = frame_of(name)
        dtype = frame["x"].dtype
        shown = "ArrowDtype" if isinstance(dtype, pd.ArrowDtype) else dtype
        cells = [cell(judge, frame) for judge in JUDGES.values()]
        lines.append(f"| {name} | {code(shown)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(judge: Callable[[pd.DataFrame, Any], str], frame: pd.DataFrame) -> str:
    """What a function does, and the first recipe that helps."""
    wrong = judged(judge, frame, None)
    if not wrong:
        return "yes"
    for name in ("backend", "iso", "texts"):
        helped = frame.assign(x=recipes.texts(frame["x"])) if name == "texts" else frame
        if not judged(judge, helped, name):
            return f"{wrong}: [{name}](#{name})"
    raise AssertionError(f"no recipe helps {judge.__name__} on {frame['x'].dtype}: {wrong}")


def judged(judge: Callable[[pd.DataFrame, Any], str], frame: pd.DataFrame, recipe: str | None) -> str:
    """What is wrong; "" where nothing is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # to_json has one about dates, as the page's numbers show
        try:
            return judge(frame, recipe)
        except Exception as error:  # noqa: BLE001  # what pandas, Arrow and SQLite raise is what is asked
            return code(type(error).__name__)


def plain(frame: pd.DataFrame) -> list[Any]:
    """The values as Python's objects."""
    found: list[Any] = pa.array(frame["x"]).to_pylist()
    return found


def groupby(frame: pd.DataFrame, _: str | None) -> str:
    counted = frame.groupby("x", dropna=False, observed=True)["n"].count()
    return "" if counted.sum() == len(frame) else "rows are lost"


def merge(frame: pd.DataFrame, _: str | None) -> str:
    joined = frame.merge(frame, on="x")
    return "" if set(joined["n_x"]) == set(frame["n"]) else "rows are lost"


def sort_values(frame: pd.DataFrame, _: str | None) -> str:
    return "" if sorted(frame.sort_values("x")["n"]) == list(frame["n"]) else "rows are lost"


def to_parquet(frame: pd.DataFrame, recipe: str | None) -> str:
    file = io.BytesIO()
    frame.to_parquet(file)
    file.seek(0)
    found = recipes.read_parquet(file) if recipe == "backend" else pd.read_parquet(file)
    if plain(found) != plain(frame):
        return "other values come back"
    same = recipe == "backend" or found["x"].dtype == frame["x"].dtype
    return "" if same else f"comes back as {code(found['x'].dtype)}"


def to_csv(frame: pd.DataFrame, _: str | None) -> str:
    value = next((value for value in plain(frame) if value is not None), None)
    written = pd.read_csv(io.StringIO(frame[["x"]].to_csv(index=False)), dtype="str")["x"].dropna()
    return f"writes {code(written.iloc[0])}" if isinstance(value, (bytes, dict, list, tuple)) else ""


def to_json(frame: pd.DataFrame, recipe: str | None) -> str:
    text = recipes.to_json(frame) if recipe == "iso" else frame.to_json(orient="records", lines=True)
    for line, value in zip(text.splitlines(), plain(frame), strict=True):
        found = json.loads(line)["x"]
        texts = isinstance(found, str) and not isinstance(value, (bytes, str))
        if found != jsonable(value) and not texts:
            return f"writes {code(json.dumps(found))}"
    return ""


def jsonable(value: Any) -> Any:
    """A value as JSON has it."""
    return json.loads(json.dumps(value, default=str))


def to_sql(frame: pd.DataFrame, _: str | None) -> str:
    with sqlite3.connect(":memory:") as connection:
        frame.to_sql("t", connection, index=False)
        found = [value for (value,) in connection.execute("SELECT x FROM t")]
    connection.close()
    for written, value in zip(found, plain(frame), strict=True):
        if isinstance(value, (dict, list, tuple)):
            return "writes its memory" if isinstance(written, bytes) else f"writes {code(written)}"
        if written != value and not isinstance(written, str):
            return f"writes {code(written)}"
    return ""


JUDGES: dict[str, Callable[[pd.DataFrame, Any], str]] = {
    judge.__name__: judge for judge in (groupby, merge, sort_values, to_parquet, to_csv, to_json, to_sql)
}

if __name__ == "__main__":
    PANDAS_PAGE.write_text(page(), encoding="utf-8")
