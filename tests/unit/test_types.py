"""Every Avro type and logical type: what Arrow type and what values it becomes, and what frames make of it.

The bodies are fastavro's; where fastavro has no encoding (nanosecond timestamps, duration, big-decimal), and for the
specification's own examples, they are spelled out. One file, however long: its table is the list of all types.
"""

import datetime as dt
import decimal
import gc
import io
import math
import struct
import uuid
from typing import Any, NamedTuple

import fastavro
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import pykafarr
from pykafarr._library import library as lib
from tests.unit.encoding import zigzag

D = decimal.Decimal
UTC = dt.timezone.utc
UUID = uuid.UUID("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
MOMENT = dt.datetime(2024, 2, 29, 12, 34, 56, 789000, UTC)
LOCAL = MOMENT.replace(tzinfo=None)


@pytest.fixture(autouse=True)
def closed_books():
    """Every byte of column memory is given back."""
    live_bytes = lib.library().lib.kafarr_live_bytes
    before = live_bytes()
    yield
    if live_bytes() > before:
        gc.collect()  # which takes as long as most of these tests
    assert live_bytes() <= before


def encode(schema: Any, *values: Any) -> list[bytes]:
    parsed = fastavro.parse_schema(schema)
    bodies = []
    for value in values:
        stream = io.BytesIO()
        fastavro.schemaless_writer(stream, parsed, value, strict=True)
        bodies.append(stream.getvalue())
    return bodies


def decode(schema: Any, payloads: list[bytes], *args: Any, **options: Any) -> pa.RecordBatch:
    batch = pykafarr.decode(schema, payloads, *args, **options)
    batch.validate(full=True)
    return batch


def record(name: str = "R", /, **fields: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": [{"name": key, "type": kind} for key, kind in fields.items()]}


def logical(base: Any, name: str, **more: Any) -> dict[str, Any]:
    return {**(base if isinstance(base, dict) else {"type": base}), "logicalType": name, **more}


def fixed(size: int, name: str = "F") -> dict[str, Any]:
    return {"type": "fixed", "name": name, "size": size}


def array(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


def mapping(values: Any) -> dict[str, Any]:
    return {"type": "map", "values": values}


def enum(*symbols: str, name: str = "E") -> dict[str, Any]:
    return {"type": "enum", "name": name, "symbols": list(symbols)}


def numbered(*values: D) -> list[D]:
    return list(values)


class Case(NamedTuple):
    """A type, what it becomes, values that fastavro writes (or bodies), and what is read back."""

    schema: Any
    arrow: str
    written: list[Any]
    read: list[Any] | None = None  # None: what was written
    frame: str = "arrow"  # dtype of a column that is not nullable: "arrow" stands for pandas.ArrowDtype
    polars: Any = None  # its polars type; an exception's class when there is none
    raw: bool = False  # `written` are bodies


def big_decimal(unscaled: int, scale: int) -> bytes:
    digits = unscaled.to_bytes(unscaled.bit_length() // 8 + 1, "big", signed=True)
    inner = zigzag(len(digits)) + digits + zigzag(scale)
    return zigzag(len(inner)) + inner


MILLION = {"x": 1, "y": "a"}
POINT = record("Point", x="int", y="string")
ENTRY = pl.List(pl.Struct({"key": pl.String, "value": pl.Int64}))
BIG = 10**75 + 1

TYPES = {
    "null": Case("null", "null", [None, None], polars=pl.Null),
    "boolean": Case("boolean", "bool", [True, False, True], frame="bool", polars=pl.Boolean),
    "int": Case("int", "int32", [0, -1, 2**31 - 1, -(2**31)], frame="int32", polars=pl.Int32),
    "long": Case("long", "int64", [0, 2**53 + 1, 2**63 - 1, -(2**63)], frame="int64", polars=pl.Int64),
    "float": Case("float", "float", [0.0, -1.5, math.inf], frame="float32", polars=pl.Float32),
    "double": Case("double", "double", [0.0, -1.1, 5e-324, -math.inf], frame="float64", polars=pl.Float64),
    "bytes": Case("bytes", "binary", [b"", b"\0\xff", b"x" * 1000], polars=pl.Binary),
    "string": Case("string", "string", ["", "ü€𝄞", "x" * 1000], frame="str", polars=pl.String),
    "fixed": Case(fixed(3), "fixed_size_binary[3]", [b"abc", b"\0\0\0"], polars=pl.Binary),
    "fixed of nothing": Case(fixed(0), "fixed_size_binary[0]", [b"", b""], polars=pl.Binary),
    "enum": Case(
        enum("RED", "GREEN"),
        "dictionary<values=string, indices=int32, ordered=0>",
        ["GREEN", "RED"],
        frame="category",
        polars=pl.Categorical,
    ),
    "record": Case(
        POINT,
        "struct<x: int32 not null, y: string not null>",
        [MILLION, {"x": -5, "y": ""}],
        polars=pl.Struct({"x": pl.Int32, "y": pl.String}),
    ),
    "record without fields": Case(record("Empty"), "struct<>", [{}, {}], polars=pl.Struct({})),
    "array": Case(array("long"), "list<item: int64 not null>", [[1, 2], [], [3]], polars=pl.List(pl.Int64)),
    "array of double": Case(
        array("double"), "list<item: double not null>", [[1.5] * 100, [], [-0.0]], polars=pl.List(pl.Float64)
    ),
    "array of null": Case(array("null"), "list<item: null>", [[None, None], []], polars=pl.List(pl.Null)),
    "array of optional": Case(
        array(["null", "string"]), "list<item: string>", [["a", None], []], polars=pl.List(pl.String)
    ),
    "array of array": Case(
        array(array("int")),
        "list<item: list<item: int32 not null> not null>",
        [[[1], [], [2, 3]], []],
        polars=pl.List(pl.List(pl.Int32)),
    ),
    "array of record": Case(
        array(POINT),
        "list<item: struct<x: int32 not null, y: string not null> not null>",
        [[MILLION, MILLION], []],
        polars=pl.List(pl.Struct({"x": pl.Int32, "y": pl.String})),
    ),
    "array of enum": Case(
        array(enum("A", "B")),
        "list<item: dictionary<values=string, indices=int32, ordered=0> not null>",
        [["A", "B", "A"], []],
        polars=pl.List(pl.Categorical),
    ),
    "map": Case(
        mapping("long"),
        "map<string, int64>",
        [{"b": 1, "a": 2}, {}],
        [[("b", 1), ("a", 2)], []],
        polars=ENTRY,
    ),
    "map of array": Case(
        mapping(array("string")),
        "map<string, list<item: string not null>>",
        [{"a": ["x", "y"], "b": []}],
        [[("a", ["x", "y"]), ("b", [])]],
        polars=pl.List(pl.Struct({"key": pl.String, "value": pl.List(pl.String)})),
    ),
    "map of map": Case(
        mapping(mapping("long")),
        "map<string, map<string, int64>>",
        [{"a": {"b": 1}}],
        [[("a", [("b", 1)])]],
        polars=pl.List(pl.Struct({"key": pl.String, "value": ENTRY})),
    ),
    "union": Case(
        ["int", "string"],
        "struct<int: int32, string: string>",
        [1, "a"],
        [{"int": 1, "string": None}, {"int": None, "string": "a"}],
        polars=pl.Struct({"int": pl.Int32, "string": pl.String}),
    ),
    "union with null": Case(
        ["int", "null", "string"],
        "struct<int: int32, string: string>",
        [1, None, "a"],
        [{"int": 1, "string": None}, None, {"int": None, "string": "a"}],
        polars=pl.Struct({"int": pl.Int32, "string": pl.String}),
    ),
    "union of records": Case(
        [record("a.Dog", bark="int"), record("b.Cat", purr="int"), record("c.Dog", bark="string")],
        "struct<a_Dog: struct<bark: int32 not null>, Cat: struct<purr: int32 not null>, "
        "c_Dog: struct<bark: string not null>>",
        [("a.Dog", {"bark": 1}), ("b.Cat", {"purr": 2}), ("c.Dog", {"bark": "x"})],
        [
            {"a_Dog": {"bark": 1}, "Cat": None, "c_Dog": None},
            {"a_Dog": None, "Cat": {"purr": 2}, "c_Dog": None},
            {"a_Dog": None, "Cat": None, "c_Dog": {"bark": "x"}},
        ],
    ),
    "union in an array": Case(
        array(["null", "int", "string"]),
        "list<item: struct<int: int32, string: string>>",
        [[1, None, "a"], []],
        [[{"int": 1, "string": None}, None, {"int": None, "string": "a"}], []],
    ),
    "union of one": Case(["string"], "string", ["a"], frame="str", polars=pl.String),
    "decimal": Case(
        logical("bytes", "decimal", precision=9, scale=2),
        "decimal128(9, 2)",
        numbered(D("0.00"), D("1234567.89"), D("-0.01")),
        polars=pl.Decimal(9, 2),
    ),
    "decimal of 38 digits": Case(
        logical("bytes", "decimal", precision=38, scale=38),
        "decimal128(38, 38)",
        numbered(D(f"0.{'9' * 38}"), D(f"-0.{'9' * 38}")),
        polars=pl.Decimal(38, 38),
    ),
    "decimal of 76 digits": Case(
        logical("bytes", "decimal", precision=76, scale=0),
        "decimal256(76, 0)",
        [zigzag(32) + number.to_bytes(32, "big", signed=True) for number in (BIG, -BIG)],
        numbered(D(BIG), D(-BIG)),
        polars=pykafarr.SchemaError,
        raw=True,
    ),
    "decimal of more than 76 digits": Case(
        logical("bytes", "decimal", precision=77, scale=38),
        "string",
        [zigzag(33) + number.to_bytes(33, "big", signed=True) for number in (10**77 - 1, -123)],
        ["9" * 39 + "." + "9" * 38, f"-0.{'0' * 35}123"],
        frame="str",
        polars=pl.String,
        raw=True,
    ),
    "decimal on fixed": Case(
        logical(fixed(5), "decimal", precision=11, scale=3),
        "decimal128(11, 3)",
        numbered(D("99999999.999"), D("-99999999.999")),
        polars=pl.Decimal(11, 3),
    ),
    "big-decimal": Case(
        logical("bytes", "big-decimal"),
        "string",
        [big_decimal(12345, 2), big_decimal(-1, 5), big_decimal(7, -3), big_decimal(0, 0)],
        ["123.45", "-0.00001", "7000", "0"],
        frame="str",
        polars=pl.String,
        raw=True,
    ),
    "uuid": Case(logical("string", "uuid"), "string", [UUID], [str(UUID)], frame="str", polars=pl.String),
    "uuid on fixed": Case(
        logical(fixed(16), "uuid"), "extension<arrow.uuid>", [UUID.bytes], [UUID], polars=pl.Binary, raw=True
    ),
    "date": Case(logical("int", "date"), "date32[day]", [dt.date(1969, 12, 31), dt.date(9999, 12, 31)], polars=pl.Date),
    "time-millis": Case(
        logical("int", "time-millis"), "time32[ms]", [dt.time(0), dt.time(23, 59, 59, 999000)], polars=pl.Time
    ),
    "time-micros": Case(
        logical("long", "time-micros"), "time64[us]", [dt.time(0), dt.time(23, 59, 59, 999999)], polars=pl.Time
    ),
    "timestamp-millis": Case(
        logical("long", "timestamp-millis"),
        "timestamp[ms, tz=UTC]",
        [MOMENT, dt.datetime(1969, 1, 1, tzinfo=UTC)],
        frame="datetime64[ms, UTC]",
        polars=pl.Datetime("ms", "UTC"),
    ),
    "timestamp-micros": Case(
        logical("long", "timestamp-micros"),
        "timestamp[us, tz=UTC]",
        [MOMENT],
        frame="datetime64[us, UTC]",
        polars=pl.Datetime("us", "UTC"),
    ),
    "timestamp-nanos": Case(
        logical("long", "timestamp-nanos"),
        "timestamp[ns, tz=UTC]",
        [zigzag(1_709_210_096_789_000_001)],
        [pd.Timestamp(1_709_210_096_789_000_001, tz="UTC")],
        frame="datetime64[ns, UTC]",
        polars=pl.Datetime("ns", "UTC"),
        raw=True,
    ),
    "local-timestamp-millis": Case(
        logical("long", "local-timestamp-millis"),
        "timestamp[ms]",
        [LOCAL],
        frame="datetime64[ms]",
        polars=pl.Datetime("ms"),
    ),
    "local-timestamp-micros": Case(
        logical("long", "local-timestamp-micros"),
        "timestamp[us]",
        [LOCAL],
        frame="datetime64[us]",
        polars=pl.Datetime("us"),
    ),
    "local-timestamp-nanos": Case(
        logical("long", "local-timestamp-nanos"),
        "timestamp[ns]",
        [zigzag(-1)],
        [pd.Timestamp(-1)],
        frame="datetime64[ns]",
        polars=pl.Datetime("ns"),
        raw=True,
    ),
    "duration": Case(
        logical(fixed(12), "duration"),
        "month_day_nano_interval",
        [struct.pack("<III", 1, 2, 3), struct.pack("<III", 2**31 - 1, 2**31 - 1, 2**32 - 1)],
        [pa.MonthDayNano([1, 2, 3_000_000]), pa.MonthDayNano([2**31 - 1, 2**31 - 1, (2**32 - 1) * 1_000_000])],
        frame="object",
        polars=pykafarr.SchemaError,
        raw=True,
    ),
}

# Logical types that do not count, and the Arrow type of what lies beneath.
INVALID = {
    "unknown": (logical("long", "fortnight"), "int64"),
    "decimal without precision": (logical("bytes", "decimal"), "binary"),
    "decimal of no digits": (logical("bytes", "decimal", precision=0), "binary"),
    "decimal of half a digit": (logical("bytes", "decimal", precision=1.5), "binary"),
    "scale above precision": (logical("bytes", "decimal", precision=2, scale=3), "binary"),
    "negative scale": (logical("bytes", "decimal", precision=2, scale=-1), "binary"),
    "decimal beyond its fixed": (logical(fixed(1), "decimal", precision=3), "fixed_size_binary[1]"),
    "decimal of 100,001 digits": (logical("bytes", "decimal", precision=100_001), "binary"),
    "decimal on int": (logical("int", "decimal", precision=3), "int32"),
    "date on long": (logical("long", "date"), "int64"),
    "time-millis on long": (logical("long", "time-millis"), "int64"),
    "time-micros on int": (logical("int", "time-micros"), "int32"),
    "timestamp-millis on int": (logical("int", "timestamp-millis"), "int32"),
    "uuid on bytes": (logical("bytes", "uuid"), "binary"),
    "uuid on fixed(15)": (logical(fixed(15), "uuid"), "fixed_size_binary[15]"),
    "duration on fixed(13)": (logical(fixed(13), "duration"), "fixed_size_binary[13]"),
    "big-decimal on string": (logical("string", "big-decimal"), "string"),
    "no name": ({"type": "int", "logicalType": 7}, "int32"),
}


def bodies_of(case: Case) -> list[bytes]:
    return case.written if case.raw else encode(case.schema, *case.written)


def values_of(case: Case) -> list[Any]:
    return case.written if case.read is None else case.read


@pytest.mark.parametrize("name", TYPES)
def test_a_type_becomes_its_arrow_type_and_keeps_its_values(name):
    case = TYPES[name]
    batch = decode(record(x=case.schema), bodies_of(case))
    assert str(batch.schema.field("x").type) == case.arrow
    assert batch["x"].to_pylist() == values_of(case)
    nullable = name == "null" or (isinstance(case.schema, list) and "null" in case.schema)
    assert batch.schema.field("x").nullable == nullable


@pytest.mark.parametrize("name", TYPES)
def test_a_type_at_the_top_is_the_column_value_or_a_records_columns(name):
    case = TYPES[name]
    schema = f'"{case.schema}"' if isinstance(case.schema, str) else case.schema
    batch = decode(schema, bodies_of(case))
    if isinstance(case.schema, dict) and case.schema["type"] == "record":
        assert batch.to_pylist() == values_of(case) or not batch.num_columns
        assert batch.num_rows == len(case.written)
    else:
        assert batch["value"].to_pylist() == values_of(case)


@pytest.mark.parametrize("null_first", [True, False])
@pytest.mark.parametrize(
    "name", [name for name, case in TYPES.items() if name != "null" and type(case.schema) is not list]
)
def test_a_type_is_nullable_in_a_union_with_null(name, null_first):
    case = TYPES[name]
    union = ["null", case.schema] if null_first else [case.schema, "null"]
    null, other = (b"\0", b"\2") if null_first else (b"\2", b"\0")
    bodies = [null, *(other + body for body in bodies_of(case)), null, null]
    batch = decode(record(x=union), bodies)
    assert str(batch.schema.field("x").type) == case.arrow
    assert batch.schema.field("x").nullable
    assert batch["x"].to_pylist() == [None, *values_of(case), None, None]
    assert batch["x"].null_count == 3


@pytest.mark.parametrize("name", TYPES)
def test_a_type_within_a_record_within_an_array_within_a_map(name):
    case = TYPES[name]
    schema = record(x=mapping(array(record("Inner", x=case.schema))))
    items = bodies_of(case)
    count = len(items)
    body = b"\x02\x06key" + zigzag(count) + b"".join(items) + b"\0" + b"\0"
    batch = decode(schema, [body, b"\0", body])
    expected = [("key", [{"x": value} for value in values_of(case)])]
    assert batch["x"].to_pylist() == [expected, [], expected]


@pytest.mark.parametrize("name", TYPES)
def test_a_slice_of_a_batch_holds_its_rows_only(name):
    case = TYPES[name]
    batch = decode(record(x=case.schema), bodies_of(case) * 5)
    part = batch.slice(3, 2)
    part.validate(full=True)
    assert part["x"].to_pylist() == (values_of(case) * 5)[3:5]


def is_object(case):
    """Whether a frame holds the values themselves: pandas 2 cannot show a column of Arrow's own uuid type."""
    return case.frame == "object" or (pd.__version__.startswith("2.") and case.arrow == "extension<arrow.uuid>")


@pytest.mark.parametrize("name", TYPES)
def test_a_frame_has_the_dtype_of_the_type(name):
    case = TYPES[name]
    for rows in (0, 1, 5):
        whole = decode(record(x=case.schema), bodies_of(case) * 5)
        frame = pykafarr.Batch(whole.slice(0, rows), "R", []).to_pandas()
        dtype = frame["x"].dtype
        if case.frame == "arrow":
            assert dtype == (object if is_object(case) else pd.ArrowDtype(whole["x"].type))
        elif case.frame == "str":
            assert isinstance(dtype, pd.StringDtype)
        else:
            assert str(dtype) == case.frame
        assert len(frame) == rows
        repr(frame)


@pytest.mark.parametrize("backend", ["numpy", "pyarrow"])
@pytest.mark.parametrize("name", TYPES)
def test_the_other_backends_take_every_type(name, backend):
    case = TYPES[name]
    frame = pykafarr.Batch(decode(record(x=case.schema), bodies_of(case)), "R", []).to_pandas(backend)
    assert len(frame) == len(case.written)
    assert backend == "numpy" or isinstance(frame["x"].dtype, pd.ArrowDtype) or is_object(case)


@pytest.mark.parametrize("name", TYPES)
def test_a_cell_of_a_frame_is_the_value(name):
    case = TYPES[name]
    frame = pykafarr.Batch(decode(record(x=case.schema), bodies_of(case)), "R", []).to_pandas()
    for found, expected in zip(frame["x"].tolist(), values_of(case), strict=True):
        if expected is None:
            assert pd.isna(found)
        elif isinstance(found, np.ndarray):
            assert found.tolist() == expected
        else:
            assert found == expected


@pytest.mark.parametrize("name", TYPES)
def test_polars_takes_a_type_or_a_schema_error_names_the_column(name):
    case = TYPES[name]
    batch = pykafarr.Batch(decode(record(x=case.schema), bodies_of(case)), "R", [])
    if case.polars is pykafarr.SchemaError:
        with pytest.raises(pykafarr.SchemaError, match="x: polars has no") as info:
            batch.to_polars()
        assert info.value.path == "x"
        return
    frame = batch.to_polars()
    assert len(frame) == len(case.written)
    if case.polars is not None:
        assert frame.schema["x"] == case.polars
    if case.arrow in {"int32", "int64", "bool", "string", "date32[day]"}:
        assert frame["x"].to_list() == values_of(case)


def test_polars_keeps_map_keys_that_repeat():
    batch = pykafarr.Batch(decode(record(x=mapping("long")), [b"\x04\2a\2\2a\4\0"]), "R", [])
    assert batch.to_arrow()["x"].to_pylist() == [[("a", 1), ("a", 2)]]
    assert batch.to_polars()["x"].to_list() == [[{"key": "a", "value": 1}, {"key": "a", "value": 2}]]


def test_what_polars_cannot_take_is_found_at_any_depth():
    duration = logical(fixed(12), "duration")
    for kind, path in (
        (record("I", d=duration), "x.d"),
        (array(duration), "x.item"),
        (mapping(["null", duration]), "x.value"),
        (array(mapping(record("I", d=duration))), "x.item.value.d"),
    ):
        batch = pykafarr.Batch(decode(record(x=kind), []), "R", [])
        with pytest.raises(pykafarr.SchemaError) as info:
            batch.to_polars()
        assert info.value.path == path


@pytest.mark.parametrize("name", INVALID)
def test_a_logical_type_that_is_unknown_or_not_valid_does_not_count(name):
    schema, arrow = INVALID[name]
    batch = decode(record(x=schema), [])
    assert str(batch.schema.field("x").type) == arrow


# ---- The specification's own examples, byte for byte ----

GOLDEN = {
    "long": ("long", {"00": 0, "01": -1, "02": 1, "03": -2, "04": 2, "7f": -64, "8001": 64}),
    "string": ("string", {"06666f6f": "foo"}),
    "record": (
        record("test", a="long", b="string"),
        {"3606666f6f": {"a": 27, "b": "foo"}},
    ),
    "array": (array("long"), {"04063600": [3, 27], "0304063600": [3, 27], "020602 3600": [3, 27], "00": []}),
    "union": (["null", "string"], {"00": None, "020261": "a"}),
    "enum": (enum("A", "B", "C", "D", name="Foo"), {"00": "A", "06": "D"}),
    "fixed": (fixed(16, "md5"), {"00" * 15 + "ff": b"\0" * 15 + b"\xff"}),
    "map": (
        mapping("long"),
        {"0202610200": [("a", 1)], "0106026102 00": [("a", 1)], "02026102 02026202 00": [("a", 1), ("b", 1)]},
    ),
    "boolean": ("boolean", {"00": False, "01": True}),
    "float": ("float", {"0000803f": 1.0}),
    "double": ("double", {"000000000000f03f": 1.0}),
    "bytes": ("bytes", {"0400ff": b"\0\xff"}),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_the_specifications_bytes_are_its_values(name):
    schema, examples = GOLDEN[name]
    payloads = [bytes.fromhex(text) for text in examples]
    batch = decode(f'"{schema}"' if isinstance(schema, str) else schema, payloads)
    assert (batch.to_pylist() if name == "record" else batch["value"].to_pylist()) == list(examples.values())


# ---- Options ----


def test_dense_unions_hold_the_value_of_the_branch():
    schema = record(x=["int", "null", "string", record("P", a="int")])
    bodies = encode(schema, *({"x": value} for value in (1, "a", None, {"a": 3}, 2)))
    batch = decode(schema, bodies, unions="dense")
    assert pa.types.is_union(batch["x"].type)
    assert batch["x"].type.mode == "dense"
    assert batch["x"].to_pylist() == [1, "a", None, {"a": 3}, 2]
    assert batch.slice(1, 3)["x"].to_pylist() == ["a", None, {"a": 3}]


def test_dense_unions_go_to_no_polars_frame():
    batch = pykafarr.Batch(decode(record(x=["int", "string"]), [b"\0\2"], unions="dense"), "R", [])
    with pytest.raises(pykafarr.SchemaError, match='x: polars has no unions: read it with unions="struct"'):
        batch.to_polars()


@pytest.mark.parametrize("backend", [None, "numpy", "pyarrow"])
def test_dense_unions_are_objects_in_a_pandas_frame(backend):
    schema = record(
        x=["int", "null", "string"], a=array(["int", "string"]), r=record("I", u=["int", "string"]), n="long"
    )
    value = {"a": [1, "a"], "r": {"u": "b"}, "n": 7}
    bodies = encode(schema, *({**value, "x": x} for x in (1, None, "a")))
    frame = pykafarr.Batch(decode(schema, bodies, unions="dense"), "R", []).to_pandas(backend)
    assert [str(frame[name].dtype) for name in "xar"] == ["object"] * 3
    assert frame["x"].tolist() == [1, None, "a"]
    assert frame["a"].tolist() == [[1, "a"]] * 3
    assert frame["r"].tolist() == [{"u": "b"}] * 3
    assert frame["n"].sum() == 21
    repr(frame)


@pytest.mark.parametrize("backend", [None, "numpy", "pyarrow"])
def test_dense_unions_are_objects_whatever_a_batch_holds(backend):
    day = {"type": "int", "logicalType": "date"}
    moment = {"type": "long", "logicalType": "timestamp-micros"}
    for schema, body, value in (
        (record(x=["int", "string"]), b"\2\2a", "a"),
        (record(x=["string", moment]), b"\2\0", dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)),
        (record(x=["string", day]), b"\2\0", dt.date(1970, 1, 1)),
    ):
        frame = pykafarr.Batch(decode(schema, [body], unions="dense"), "R", []).to_pandas(backend)
        assert (frame["x"].dtype, frame["x"].tolist()) == (object, [value])


def test_a_name_that_begins_with_a_dot_has_no_namespace():
    inner = {"type": "enum", "name": ".E", "symbols": ["A"]}
    schema = {**record(x=inner, y=".E"), "namespace": "com.example"}
    assert decode(schema, [b"\0\0"]).to_pylist() == [{"x": "A", "y": "A"}]


def test_columns_are_paths_through_records_arrays_and_maps():
    inner = record("Inner", b="int", c="string")
    schema = record(a=inner, l=array("Inner"), m=mapping("Inner"), z="long")
    value = {"a": {"b": 1, "c": "x"}, "l": [{"b": 2, "c": "y"}], "m": {"k": {"b": 3, "c": "z"}}, "z": 4}
    bodies = encode(schema, value)
    assert decode(schema, bodies, columns=["z", "a.b"]).to_pylist() == [{"a": {"b": 1}, "z": 4}]
    assert decode(schema, bodies, columns="z").to_pylist() == [{"z": 4}]
    assert decode(schema, bodies, columns=("l.c", "m.b")).to_pylist() == [{"l": [{"c": "y"}], "m": [("k", {"b": 3})]}]
    with pytest.raises(pykafarr.ConfigError, match="nowhere"):
        decode(schema, bodies, columns=["a.nowhere"])


def test_a_recursive_type_is_refused_or_becomes_json():
    schema = record("Node", value="int", next=["null", "Node"])
    bodies = encode(schema, {"value": 1, "next": {"value": 2, "next": None}}, {"value": 3, "next": None})
    with pytest.raises(pykafarr.SchemaError, match=r"next: .* recursive") as info:
        pykafarr.decode(schema, bodies)
    assert info.value.path == "next"
    batch = decode(schema, bodies, recursion="json")
    assert batch.to_pylist() == [
        {"value": 1, "next": '{"Node":{"value":2,"next":null}}'},
        {"value": 3, "next": None},
    ]


def test_a_reader_schema_gives_the_columns():
    writer = record(a="int", b="string")
    reader = {
        **record(a="double"),
        "fields": [{"name": "new", "type": "int", "default": 7}, {"name": "a", "type": "double"}],
    }
    bodies = encode(writer, {"a": 1, "b": "x"})
    assert decode(writer, bodies, reader).to_pylist() == [{"new": 7, "a": 1.0}]
    decoder = pykafarr.Decoder(writer, reader_schema=reader, columns=["a"])
    assert decoder.decode(bodies).to_pylist() == [{"a": 1.0}]
    with pytest.raises(pykafarr.IncompatibleSchemaError, match="a: written as string, read as int") as info:
        pykafarr.Decoder(record(a="string"), record(a="int"))
    assert info.value.path == "a"


def test_options_of_the_wrong_type_or_value_are_refused():
    for options in (
        {"unions": "sparse"},
        {"recursion": "text"},
        {"out_of_range": "zero"},
        {"unions": ""},
        {"columns": []},
        {"columns": [""]},
    ):
        with pytest.raises(pykafarr.ConfigError, match=next(iter(options))):
            pykafarr.Decoder('"int"', **options)
    for options in ({"unions": None}, {"recursion": True}, {"columns": 1}, {"columns": [1]}, {"reader_schema": 1}):
        with pytest.raises(TypeError, match=next(iter(options))):
            pykafarr.Decoder('"int"', **options)
    with pytest.raises(pykafarr.SchemaError, match="reader_schema"):
        pykafarr.Decoder('"int"', "{")
