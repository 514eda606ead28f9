"""The values that are compared: Avro's Java tells them as JSON, Arrow holds them in columns.

Logical types are compared as numbers and bytes of the type beneath them: what a conversion makes of those is no
business of these tests. What Arrow holds otherwise (decimals, durations) is taken back to them.
"""

from __future__ import annotations

import decimal
import math
import struct
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from tests.unit.test_differential import big_decimal, kind_of, logical_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.test_differential import Maker

NUMBERS_OF_TIME = ("date", "time-", "timestamp-", "local-timestamp-")


class Branch(NamedTuple):
    """A union's value that is not null."""

    index: int
    value: Any


def told(maker: Maker, schema: Any, value: Any) -> Any:
    """A value of the maker's, in the form of Driver.java."""
    schema = maker.resolve(schema)
    kind = kind_of(schema)
    if kind == "union":
        name, inner = value
        branch = next(branch for branch in schema if maker.type_name(branch) == name)
        return None if name == "null" else {name: told(maker, branch, inner)}
    if kind == "record":
        return {field["name"]: told(maker, field["type"], value[field["name"]]) for field in schema["fields"]}
    if kind == "array":
        return [told(maker, schema["items"], item) for item in value]
    if kind == "map":
        return {key: told(maker, schema["values"], item) for key, item in value.items()}
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    return value


def of_union(type_name: Callable[[Any], str], schema: list[Any], value: Any) -> Branch | None:
    """The branch of a union's value, as Driver.java tells it."""
    if value is None:
        return None
    ((name, inner),) = value.items()
    return Branch([type_name(branch) for branch in schema].index(name), inner)


def meaning(schema: Any) -> str | None:
    """The logical type, if it is one; invalid ones are ignored."""
    logical = logical_of(schema)
    return None if logical == "decimal" and "precision" not in schema else logical


def leaf(schema: Any, value: Any) -> Any:
    """A value that is none of several, as Driver.java tells it, in the form of `column`."""
    kind, logical = kind_of(schema), meaning(schema)
    if kind in {"float", "double"}:
        return number(float(value))
    if kind not in {"bytes", "fixed"}:
        return value
    value = bytes.fromhex(value)
    if logical == "decimal":
        return int.from_bytes(value, "big", signed=True)
    if logical == "big-decimal":
        return big_decimal(value)
    return value


def number(value: float) -> Any:
    """To be compared: NaN is itself, and zero has a sign."""
    return "NaN" if math.isnan(value) else (value, math.copysign(1, value))


def column(maker: Maker, schema: Any, array: pa.Array[Any]) -> list[Any]:
    """The values of a column of this schema: unions as Branch, maps as lists of pairs."""
    schema = maker.resolve(schema)
    kind = kind_of(schema)
    if kind == "union":
        return _union(maker, schema, array)
    if kind == "record":
        fields = {
            field["name"]: column(maker, field["type"], array.field(at)) for at, field in enumerate(schema["fields"])
        }
        assert list(fields) == [field.name for field in array.type]
        return [
            {name: values[row] for name, values in fields.items()} if valid else None
            for row, valid in enumerate(array.is_valid().to_pylist())
        ]
    if kind == "array":
        return _spans(array, column(maker, schema["items"], array.values))
    if kind == "map":
        pairs = zip(array.keys.to_pylist(), column(maker, schema["values"], array.items), strict=True)
        return _spans(array, list(pairs))
    return _leaves(schema, kind, array)


def _spans(array: Any, items: list[Any]) -> list[Any]:
    ends = array.offsets.to_pylist()
    valid = array.is_valid().to_pylist()
    return [items[ends[row] : ends[row + 1]] if valid[row] else None for row in range(len(valid))]


def _union(maker: Maker, schema: list[Any], array: Any) -> list[Any]:
    others = [index for index, branch in enumerate(schema) if branch != "null"]
    if schema == ["null"]:
        return [None] * len(array)
    if len(others) == 1 and len(schema) <= 2:
        (index,) = others
        values = column(maker, schema[index], array)
        valid = array.is_valid().to_pylist()
        return [Branch(index, value) if valid[row] else None for row, value in enumerate(values)]
    members = [column(maker, schema[index], array.field(at)) for at, index in enumerate(others)]
    if pa.types.is_union(array.type):  # a member for null comes last
        return [
            Branch(others[code], members[code][at]) if code < len(others) else None
            for code, at in zip(array.type_codes.to_pylist(), array.offsets.to_pylist(), strict=True)
        ]
    filled = [array.field(at).is_valid().to_pylist() for at in range(len(others))]
    made: list[Any] = []
    for row, valid in enumerate(array.is_valid().to_pylist()):
        if valid:
            here = [at for at in range(len(others)) if filled[at][row]]
            # Not refused here: what lies in a parent that is null may be anything.
            made.append(Branch(others[here[0]], members[here[0]][row]) if len(here) == 1 else Branch(-1, here))
        else:
            made.append(None)
    return made


def _leaves(schema: Any, kind: str, array: Any) -> list[Any]:
    logical = meaning(schema) or ""
    if kind == "enum":
        assert array.dictionary.to_pylist() == schema["symbols"]
        return list(array.to_pylist())
    if logical.startswith(NUMBERS_OF_TIME):
        return list(array.view(pa.int32() if kind == "int" else pa.int64()).to_pylist())
    if logical == "uuid" and kind == "fixed":
        return list(array.storage.to_pylist())
    values = array.to_pylist()
    return [None if value is None else _beneath(schema, kind, logical, value) for value in values]


def _beneath(schema: Any, kind: str, logical: str, value: Any) -> Any:
    if kind in {"float", "double"}:
        return number(value)
    if logical == "decimal":
        return int(value.scaleb(schema["scale"], decimal.Context(prec=80)))
    if logical == "duration":
        millis, rest = divmod(value.nanoseconds, 10**6)
        assert rest == 0
        return struct.pack("<III", value.months, value.days, millis)
    return value


class Same:
    """Holds Arrow's values against those that Driver.java tells of the same schema."""

    def __init__(self, maker: Maker) -> None:
        self.maker = maker

    def columns(self, schema: Any, batch: pa.RecordBatch, rows: list[Any], place: str) -> None:
        """All of a batch, or those columns of it that there are."""
        assert batch.num_rows == len(rows), place
        for field in schema["fields"]:
            name = field["name"]
            if name in batch.schema.names:
                values = column(self.maker, field["type"], batch[name])
                for row, value in enumerate(values):
                    self.value(field["type"], value, rows[row][name], f"{place}[{row}].{name}")

    def value(self, schema: Any, ours: Any, java: Any, place: str) -> None:
        """One value."""
        schema = self.maker.resolve(schema)
        kind = kind_of(schema)
        if kind == "union":
            other = of_union(self.maker.type_name, schema, java)
            if ours is None or other is None:
                assert ours is other, place
            else:
                assert ours.index == other.index, place
                self.value(schema[ours.index], ours.value, other.value, place)
        elif kind == "record":
            assert list(ours) == list(java), place
            for field in schema["fields"]:
                name = field["name"]
                self.value(field["type"], ours[name], java[name], f"{place}.{name}")
        elif kind == "array":
            for at, (item, other) in enumerate(zip(ours, java, strict=True)):
                self.value(schema["items"], item, other, f"{place}[{at}]")
        elif kind == "map":
            assert [key for key, _ in ours] == list(java), place
            for key, item in ours:
                self.value(schema["values"], item, java[key], f"{place}[{key!r}]")
        else:
            assert ours == leaf(schema, java), place
