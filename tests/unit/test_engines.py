"""The modules for engines, where no engine is needed to look at them."""

from __future__ import annotations

import subprocess
import sys
from typing import Any
from unittest.mock import MagicMock

import pyarrow as pa
import pytest

import pykafarr
from pykafarr._engines.common import Columns, rechunk
from pykafarr._engines.spark_options import parsed
from pykafarr._options.secrets import plain

ENGINES = {"ray": "ray", "dask": "dask", "spark": "pyspark", "polars": "polars"}


def test_importing_pykafarr_loads_no_engine() -> None:
    code = f"import sys, pykafarr; print([name for name in {list(ENGINES.values())} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


@pytest.mark.parametrize("extra", ENGINES)
def test_an_engine_that_is_missing_is_an_import_error_that_names_the_extra(extra: str) -> None:
    code = (
        "import sys\n"
        f"sys.modules[{ENGINES[extra]!r}] = None\n"  # how Python marks what cannot be imported
        f"try: import pykafarr.{extra}\n"
        "except ImportError as error: print(error)\n"
    )
    found = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert f"pip install 'pykafarr[{extra}]'" in found


def columns(*, asked: dict[str, tuple[str, ...]] | None = None) -> Columns:
    schema = pa.schema(
        [
            ("text", pa.string()),
            ("customer", pa.struct([("name", pa.string())])),
            ("id", pa.int64()),
            ("at", pa.int64()),
        ]
    )
    fields = asked or {"text": ("text",), "customer": ("customer",), "id": ("id",)}
    return Columns("Order", schema, fields, {"at": "offset"})


def test_all_columns_are_no_options() -> None:
    assert columns().options(["text", "customer", "id", "at"]) == {}


def test_columns_that_are_not_wanted_are_left_out() -> None:
    assert columns().options(["text"]) == {"columns": ["text"], "metadata": {}}


def test_metadata_columns_keep_the_names_that_were_given() -> None:
    assert columns().options(["at", "text"]) == {"columns": ["text"], "metadata": {"offset": "at"}}


def test_without_a_field_the_narrowest_is_read() -> None:
    assert columns().options(["at"]) == {"columns": ["id"], "metadata": {"offset": "at"}}


def test_paths_below_a_field_stay_as_they_were_asked_for() -> None:
    asked = {"text": ("text",), "customer": ("customer.name", "customer.age"), "id": ("id",)}
    assert columns(asked=asked).options(["customer"])["columns"] == ["customer.name", "customer.age"]


def test_a_single_field_is_not_chosen_from() -> None:
    # value="bytes" has one column, and refuses columns=.
    assert columns(asked={"text": ("text",)}).options(["at"]) == {"metadata": {"offset": "at"}}


@pytest.mark.parametrize(
    ("changed", "advice"), [("_key", 'read with key="bytes"'), ("id", 'read with reader_schema="latest"')]
)
def test_the_advice_for_rows_of_other_columns_helps_with_the_column_that_differs(changed: str, advice: str) -> None:
    planned = Columns("Order", pa.schema([("id", pa.int64()), ("_key", pa.int64())]), {"id": ("id",)}, {"_key": "key"})
    types = {"id": pa.int64(), "_key": pa.int64()} | {changed: pa.string()}
    record = pa.record_batch([pa.array([None], kind) for kind in types.values()], names=list(types))

    stream = MagicMock()
    stream.__iter__.return_value = [pykafarr.Batch(record, "Order", [pykafarr.Range("t", 0, 5, 6, 1)])]
    with pytest.raises(pykafarr.SchemaError) as info:
        list(planned.records(stream))
    assert str(info.value) == f"t[0]@5: column {changed!r} is string and was planned as int64: {advice}"


def numbers(*sizes: int) -> list[pa.RecordBatch]:
    made, at = [], 0
    for size in sizes:
        made.append(pa.RecordBatch.from_pydict({"n": pa.array(range(at, at + size), pa.int64())}))
        at += size
    return made


@pytest.mark.parametrize("sizes", [(10,), (1, 9), (4, 4, 2), (0, 3, 0, 3, 4), (1,) * 10])
def test_tables_are_cut_at_the_same_rows_however_the_batches_are(sizes: tuple[int, ...]) -> None:
    tables = list(rechunk(numbers(*sizes), pa.schema([("n", pa.int64())]), 4))
    assert [table["n"].to_pylist() for table in tables] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert [table.nbytes for table in tables] == [32, 32, 16]
    assert all(table["n"].num_chunks == 1 for table in tables)


def test_no_rows_are_one_empty_table() -> None:
    (table,) = rechunk(numbers(0), pa.schema([("n", pa.int64())]), 4)
    assert table.num_rows == 0


def test_whole_tables_are_not_followed_by_an_empty_one() -> None:
    assert len(list(rechunk(numbers(8), pa.schema([("n", pa.int64())]), 4))) == 2


NEEDED = {"servers": "kafka:9092", "topics": "orders"}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("servers", '["a:1", "b:2"]', ["a:1", "b:2"]),
        ("topics", "^orders.*", "^orders.*"),
        ("topics", '["a", "b"]', ["a", "b"]),
        ("start", "earliest", "earliest"),
        ("start", "17", 17),
        ("start", "2026-11-01T00:00:00Z", "2026-11-01T00:00:00Z"),
        ("start", "-1h", "-1h"),
        ("end", '{"0": 5, "1": "now"}', {0: 5, 1: "now"}),
        ("end", '{"orders": "2026-11-01T00:00:00Z"}', {"orders": "2026-11-01T00:00:00Z"}),
        ("end", '{"orders[3]": 9}', {("orders", 3): 9}),
        ("metadata", '["offset", "timestamp"]', ["offset", "timestamp"]),
        ("metadata", '{"offset": "at"}', {"offset": "at"}),
        ("columns", "id", "id"),
        ("reader_schema", "latest", "latest"),
        (
            "reader_schema",
            '{"type": "record", "name": "X", "fields": []}',
            '{"type": "record", "name": "X", "fields": []}',
        ),
        ("schema", 'syntax = "proto3"; message A {}', 'syntax = "proto3"; message A {}'),
        ("schema", '{"id": "int64"}', {"id": "int64"}),
        ("schema", '{"properties": {"id": {"type": "integer"}}}', '{"properties": {"id": {"type": "integer"}}}'),
        ("schema", '{"orders": {"id": "int64"}}', {"orders": {"id": "int64"}}),
        ("limits", '{"columns": 50000}', {"columns": 50000}),
        ("allow_partial", "True", True),
        ("memory_limit", "100000000", 100_000_000),
        ("config", '{"fetch.max.bytes": 5}', {"fetch.max.bytes": 5}),
    ],
)
def test_an_option_of_spark_is_an_argument_of_a_scan(name: str, text: str, value: Any) -> None:
    found, _ = parsed({**NEEDED, name: text})
    assert plain(found[name]) == value


def test_a_secret_of_sparks_options_is_a_reference() -> None:
    found, _ = parsed(
        {
            **NEEDED,
            "registry_url": '{"from_file": "/run/secrets/registry"}',
            "config": '{"sasl.username": "me", "sasl.password": {"from_env": "KAFKA_PASSWORD"}}',
        }
    )
    assert repr(found["registry_url"]) == "pykafarr.from_file('/run/secrets/registry')"
    assert found["config"]["sasl.username"] == "me"
    assert repr(found["config"]["sasl.password"]) == "pykafarr.from_env('KAFKA_PASSWORD')"


def test_sizes_of_tasks_are_options_of_the_engine() -> None:
    found, most = parsed({**NEEDED, "max_rows_per_task": "1000"})
    assert most == (1000, None)
    assert "max_rows_per_task" not in found


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"topics": "orders"}, "no option 'servers'"),
        ({**NEEDED, "topic": "x"}, "unknown option 'topic': there are servers"),
        ({**NEEDED, "memory_limit": "1e9"}, "'memory_limit' must be a whole number, not '1e9'"),
        ({**NEEDED, "allow_partial": "yes"}, "'allow_partial' must be true or false"),
        ({**NEEDED, "start": "1 hour ago"}, "option 'start' must be 'earliest', 'now', an offset.* not '1 hour ago'"),
        ({**NEEDED, "limits": "{"}, "'limits' must be JSON"),
        ({**NEEDED, "config": "[]"}, "'config' must be a JSON object"),
        ({**NEEDED, "config": '{"sasl.password": {"env": "X"}}'}, r"config\['sasl.password'\]: an object must be"),
    ],
)
def test_a_wrong_option_of_spark_is_an_error_that_names_it(options: dict[str, str], message: str) -> None:
    with pytest.raises(pykafarr.ConfigError, match=message):
        parsed(options)


def test_what_is_wrong_with_json_is_told_without_its_text() -> None:
    with pytest.raises(pykafarr.ConfigError) as caught:
        parsed({**NEEDED, "config": '{"sasl.password": "hunter2"'})
    assert "hunter2" not in str(caught.value)
