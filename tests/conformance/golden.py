"""python -m tests.conformance.golden: writes the golden file again, with the bytes and the values that Avro's Java has.

The file holds, per type and per shape of a union and of a nest, a schema, bodies in hexadecimal and their values, in
the form of Driver.java. A Go test and a Python test read it: neither needs Java.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.conformance.avro import Avro

FILE = Path(__file__).parents[2] / "kafarr" / "format" / "avro" / "testdata" / "golden.json"


def _record(name: str, **fields: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": [{"name": key, "type": kind} for key, kind in fields.items()]}


def _fixed(size: int, **more: Any) -> dict[str, Any]:
    return {"type": "fixed", "name": "F", "size": size, **more}


def _logical(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "logicalType": name, **more}


def _array(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _map(values: Any) -> dict[str, Any]:
    return {"type": "map", "values": values}


_ENUM = {"type": "enum", "name": "Suit", "symbols": ["SPADES", "HEARTS", "DIAMONDS", "CLUBS"]}
_POINT = _record("example.Point", x="int", y="int")
_LINE = _record("example.Line", start=_POINT, end="Point")
_REALS = [0.0, -0.0, 1.5, -3.25, "NaN", "Infinity", "-Infinity"]
_TIMES = [0, 1, -1, 1_700_000_000_123, -62_135_596_800_000]
_UUID = "0123456789abcdeffedcba9876543210"

# By name: a schema, and values of it.
CASES: dict[str, tuple[Any, list[Any]]] = {
    "null": ("null", [None]),
    "boolean": ("boolean", [False, True]),
    "int": ("int", [0, -1, 1, -2, 2, -64, 64, 8191, -8192, 8192, 2**31 - 1, -(2**31)]),
    "long of the specification": ("long", [0, -1, 1, -2, 2, -64, 64]),
    "long": ("long", [0, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)]),
    "float": ("float", [*_REALS, 3.4028234663852886e38, 1.401298464324817e-45]),
    "double": ("double", [*_REALS, 1.7976931348623157e308, 5e-324, 0.1]),
    "bytes": ("bytes", ["", "00", "00ff7f80", "ab" * 64]),
    "string of the specification": ("string", ["foo"]),
    "string": ("string", ["", "a", "grüße", "日本語", "𝄞\0", "x" * 64]),
    "fixed": (_fixed(3), ["000000", "00ff80"]),
    "fixed of no bytes": (_fixed(0), [""]),
    "enum": (_ENUM, ["SPADES", "CLUBS", "HEARTS"]),
    "enum of the specification": ({"type": "enum", "name": "Foo", "symbols": ["A", "B", "C", "D"]}, ["A", "D"]),
    "array of the specification": (_array("long"), [[3, 27]]),
    "array": (_array("string"), [[], ["a"], ["", "b" * 40, ""]]),
    "array of arrays": (_array(_array("int")), [[], [[]], [[1], [], [2, 3]]]),
    "map": (_map("double"), [{}, {"a": 1.5, "": -0.0}]),
    "map of arrays": (_map(_array("int")), [{"a": [], "b": [1, 2]}]),
    "array of maps": (_array(_map("boolean")), [[{}, {"a": True}]]),
    "array of nulls": (_array("null"), [[None, None], []]),
    "record of the specification": (_record("test", a="long", b="string"), [{"a": 27, "b": "foo"}]),
    "record without fields": (_record("Empty"), [{}]),
    "record in records": (_record("A", b=_record("B", c=_record("C", x="int"))), [{"b": {"c": {"x": 7}}}]),
    "name used twice": (_LINE, [{"start": {"x": 1, "y": 2}, "end": {"x": -3, "y": 4}}]),
    "array of records": (_record("R", a=_array(_POINT)), [{"a": []}, {"a": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]}]),
    "map of records": (_record("R", m=_map(_POINT)), [{"m": {"k": {"x": 1, "y": 2}}}]),
    # Unions.
    "union of the specification": (["null", "string"], [None, {"string": "a"}]),
    "union with null last": (["string", "null"], [{"string": "a"}, None]),
    "optional record": (_record("R", p=["null", _POINT]), [{"p": None}, {"p": {"example.Point": {"x": 1, "y": 2}}}]),
    "optional enum": (["null", _ENUM], [None, {"Suit": "CLUBS"}]),
    "optional array": (["null", _array("long")], [None, {"array": []}, {"array": [3, 27]}]),
    "optional decimal": (["null", _logical("bytes", "decimal", precision=4, scale=2)], [None, {"bytes": "64"}]),
    "union without null": (["int", "string"], [{"int": -1}, {"string": "a"}]),
    "union of one type": (["long"], [{"long": 3}]),
    "null in the middle": (["int", "null", "string"], [{"int": 1}, None, {"string": ""}]),
    "union of all primitive types": (
        ["null", "boolean", "int", "long", "float", "double", "bytes", "string"],
        [
            None,
            *({"boolean": True}, {"int": 1}, {"long": 1}, {"float": 1.0}, {"double": 1.0}),
            *({"bytes": "61"}, {"string": "a"}),
        ],
    ),
    "union of records": (
        [_record("a.R", x="int"), _record("b.R", x="int", y="string"), "null"],
        [{"b.R": {"x": 1, "y": "z"}}, {"a.R": {"x": 2}}, None],
    ),
    "union of array and map": ([_array("int"), _map("int")], [{"map": {"a": 1}}, {"array": [1]}]),
    "union in an array": (_array(["null", "int", "string"]), [[None, {"int": 1}, {"string": "a"}], []]),
    "union in a map": (_map(["null", "long"]), [{"a": None, "b": {"long": 1}}]),
    "union in a record in a union": (
        ["null", _record("Outer", inner=["null", _record("Inner", x=["int", "string"])])],
        [None, {"Outer": {"inner": None}}, {"Outer": {"inner": {"Inner": {"x": {"string": "a"}}}}}],
    ),
    # Logical types.
    "decimal in bytes": (
        _logical("bytes", "decimal", precision=38, scale=4),
        ["00", "ff", "7f", "80", "0080", "ff7f", f"{10**38 - 1:032x}"],
    ),
    "decimal in bytes, 76 digits": (
        _logical("bytes", "decimal", precision=76, scale=76),
        ["00", f"{10**76 - 1:064x}", (1 - 10**76).to_bytes(32, "big", signed=True).hex()],
    ),
    "decimal in a fixed": (
        _fixed(5, logicalType="decimal", precision=9, scale=2),
        ["0000000000", "ffffffffff", "0000003039", "003b9ac9ff"],
    ),
    "big-decimal": (_logical("bytes", "big-decimal"), ["020000", "04009604", "02ff06"]),
    "uuid on string": (_logical("string", "uuid"), ["01234567-89ab-cdef-fedc-ba9876543210"]),
    "uuid on fixed": (_fixed(16, logicalType="uuid"), [_UUID]),
    "date": (_logical("int", "date"), [0, 1, -1, 19_000, -719_162]),
    "time-millis": (_logical("int", "time-millis"), [0, 1, 86_399_999]),
    "time-micros": (_logical("long", "time-micros"), [0, 1, 86_399_999_999]),
    "timestamp-millis": (_logical("long", "timestamp-millis"), _TIMES),
    "timestamp-micros": (_logical("long", "timestamp-micros"), _TIMES),
    "timestamp-nanos": (_logical("long", "timestamp-nanos"), _TIMES),
    "local-timestamp-millis": (_logical("long", "local-timestamp-millis"), _TIMES),
    "local-timestamp-micros": (_logical("long", "local-timestamp-micros"), _TIMES),
    "local-timestamp-nanos": (_logical("long", "local-timestamp-nanos"), _TIMES),
    "duration": (
        _fixed(12, logicalType="duration"),
        ["0" * 24, "010000000200000003000000", "ffffff7fffffff7fffffffff"],
    ),
    "logical types in a union": (
        ["null", _logical("int", "date"), _logical("long", "timestamp-micros"), _logical("string", "uuid")],
        [None, {"int": 1}, {"long": -1}, {"string": "01234567-89ab-cdef-fedc-ba9876543210"}],
    ),
    "logical type that nobody knows": (_logical("long", "light-years"), [4]),
    "logical type on another type": (_logical("long", "date"), [2**40]),
    "decimal without a precision": (_logical("bytes", "decimal"), ["0064"]),
}


def text(java: Avro) -> str:
    """The golden file: a line a body."""
    lines = []
    for name, (schema, values) in CASES.items():
        bodies = java.write(schema, values)
        rows = zip(bodies, java.read(schema, bodies), strict=True)
        told = ",\n".join(f"  {_json({'hex': body.hex(), 'value': value})}" for body, value in rows)
        lines.append(f' {{"name": {_json(name)}, "schema": {_json(schema)}, "bodies": [\n{told}\n ]}}')
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def main() -> None:
    """Writes the file."""
    java = Avro()
    try:
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(text(java), encoding="utf-8")
    finally:
        java.close()


if __name__ == "__main__":
    main()
