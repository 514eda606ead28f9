"""What DuckDB makes of each type through the PyCapsule interface: the same values, or an error that says what it lacks.

docs/types.md is the table of it, beside pandas and polars (tests/docs/types_page.py makes it).
"""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa
import pytest

import pykafarr
from tests.unit.encoding import zigzag
from tests.unit.test_types import TYPES, bodies_of, closed_books, decode, enum, logical, mapping, record

__all__ = ["closed_books"]  # a fixture for every test here too

MAJOR = int(duckdb.__version__.split(".")[0])

# The type of a column; an exception's class where there is none.
DUCKDB: dict[str, Any] = {
    "null": '"NULL"',
    "boolean": "BOOLEAN",
    "int": "INTEGER",
    "long": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "bytes": "BLOB",
    "string": "VARCHAR",
    "fixed": "BLOB",
    "fixed of nothing": "BLOB",
    "enum": "VARCHAR",
    "record": "STRUCT(x INTEGER, y VARCHAR)",
    "record without fields": "STRUCT",
    "array": "BIGINT[]",
    "array of double": "DOUBLE[]",
    "array of null": '"NULL"[]',
    "array of optional": "VARCHAR[]",
    "array of array": "INTEGER[][]",
    "array of record": "STRUCT(x INTEGER, y VARCHAR)[]",
    "array of enum": "VARCHAR[]",
    "map": "MAP(VARCHAR, BIGINT)",
    "map of array": "MAP(VARCHAR, VARCHAR[])",
    "map of map": "MAP(VARCHAR, MAP(VARCHAR, BIGINT))",
    "union": 'STRUCT("int" INTEGER, string VARCHAR)',
    "union with null": 'STRUCT("int" INTEGER, string VARCHAR)',
    "union of records": "STRUCT(a_Dog STRUCT(bark INTEGER), Cat STRUCT(purr INTEGER), c_Dog STRUCT(bark VARCHAR))",
    "union in an array": 'STRUCT("int" INTEGER, string VARCHAR)[]',
    "union of one": "VARCHAR",
    "decimal": "DECIMAL(9,2)",
    "decimal of 38 digits": "DECIMAL(38,38)",
    "decimal of 76 digits": duckdb.NotImplementedException,
    "decimal of more than 76 digits": "VARCHAR",
    "decimal on fixed": "DECIMAL(11,3)",
    "big-decimal": "VARCHAR",
    "uuid": "VARCHAR",
    "uuid on fixed": "UUID",
    "date": "DATE",
    "time-millis": "TIME",
    "time-micros": "TIME",
    "timestamp-millis": "TIMESTAMP WITH TIME ZONE",
    "timestamp-micros": "TIMESTAMP WITH TIME ZONE",
    "timestamp-nanos": "TIMESTAMPTZ_NS",
    "local-timestamp-millis": "TIMESTAMP_MS",
    "local-timestamp-micros": "TIMESTAMP",
    "local-timestamp-nanos": "TIMESTAMP_NS",
    "duration": "INTERVAL",
}
if MAJOR == 1:  # which requirements/ has for Python 3.10
    DUCKDB |= {
        "null": "INTEGER",
        "array of null": "INTEGER[]",
        "record without fields": duckdb.InvalidInputException,
        "timestamp-nanos": "TIMESTAMP WITH TIME ZONE",  # the digits beyond its microseconds are gone, without a word
    }


def read(batch: pykafarr.Batch) -> tuple[str, pa.ChunkedArray]:
    """The type of the batch's only column in DuckDB, and its values after a way there and back."""
    with duckdb.connect() as connection:
        # Values come back as Arrow: what DuckDB holds, before Python's datetime, or a missing pytz, has its say.
        connection.execute("SET TimeZone = 'UTC'; SET arrow_lossless_conversion = true")
        relation = connection.sql("SELECT * FROM batch")
        return str(relation.types[0]), relation.to_arrow_table()["x"]


def batch_of(schema: Any, bodies: list[bytes], **options: Any) -> pykafarr.Batch:
    return pykafarr.Batch(decode(record(x=schema), bodies, **options), "R", [])


def test_every_type_has_its_line() -> None:
    assert list(DUCKDB) == list(TYPES)


@pytest.mark.parametrize("name", TYPES)
def test_duckdb_keeps_the_values_of_a_type_or_refuses_it(name: str) -> None:
    batch = batch_of(TYPES[name].schema, bodies_of(TYPES[name]))
    if not isinstance(DUCKDB[name], str):
        with pytest.raises(DUCKDB[name], match=r"Unsupported Internal Arrow Type for Decimal|STRUCT with no fields"):
            read(batch)
        return
    kind, values = read(batch)
    assert kind == DUCKDB[name]
    expected = batch.to_arrow()["x"]
    if name == "timestamp-nanos" and MAJOR == 1:
        expected = expected.cast(pa.timestamp("us", "UTC"), safe=False)
    assert values.to_pylist() == expected.to_pylist()


def test_duckdb_takes_nulls_and_many_rows_of_each_type() -> None:
    names = [name for name, kind in DUCKDB.items() if isinstance(kind, str) and type(TYPES[name].schema) is not list]
    names.remove("null")
    for name in names:
        union = ["null", TYPES[name].schema]
        bodies = [b"\0", *(b"\2" + body for body in bodies_of(TYPES[name]))] * 2000  # more than a vector of DuckDB's
        _, values = read(batch_of(union, bodies))
        assert len(values) == len(bodies)
        assert values.null_count == 2000


def test_duckdb_refuses_map_keys_that_repeat() -> None:
    batch = batch_of(mapping("long"), [b"\x04\2a\2\2a\4\0"])
    with pytest.raises(duckdb.InvalidInputException, match="duplicate key"):
        read(batch)


def test_duckdb_refuses_dense_unions() -> None:
    batch = batch_of(["int", "string"], [b"\0\2"], unions="dense")
    with pytest.raises(duckdb.NotImplementedException, match="Union"):
        read(batch)


def test_duckdb_refuses_a_moment_beyond_its_microseconds() -> None:
    batch = batch_of(logical("long", "timestamp-millis"), [zigzag(2**62)])
    with pytest.raises(duckdb.ConversionException, match="Microsecond"):
        read(batch)


def test_duckdb_shows_the_last_moment_of_all_as_infinity() -> None:
    # It is the number that DuckDB keeps for that. It comes back as it went in.
    batch = batch_of(logical("long", "local-timestamp-micros"), [zigzag(2**63 - 1)])
    assert duckdb.sql("SELECT x::VARCHAR FROM batch").fetchall() == [("infinity",)]
    assert read(batch)[1].cast(pa.int64()).to_pylist() == [2**63 - 1]


def test_duckdb_groups_by_an_enum_and_reads_a_slice() -> None:
    whole = decode(record(x=enum("A", "B", "C")), [b"\0", b"\2", b"\2", b"\0", b"\0"])
    relation = duckdb.from_arrow(pykafarr.Batch(whole.slice(1, 3), "R", []))
    found = relation.aggregate("x, count(*)").order("x").fetchall()
    assert found == [("A", 1), ("B", 2)]
