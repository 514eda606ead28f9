"""Random pairs of a writer's and a reader's schema: what is read, and what cannot be, against Avro's Java.

A failure names its seed, which makes the same pair and values again. Where Java does other than the specification:

* SchemaCompatibility looks at schemas, not at values: it refuses a pair when some branch of the writer's union, or some
  symbol of its enum, is none of the reader's. The specification leaves that to the values, as ResolvingDecoder does and
  this library. What no value can mend is refused by both, before any value.
* ResolvingDecoder reports an incompatible pair when it reads a value that it matters to, which no item of an empty
  array is, and reads a record as one of any other name. So what is refused here, a pair or a row, is refused by
  SchemaCompatibility; for a row, with the writer's schema narrowed to the branches and symbols that the row has. What
  is read here is read by ResolvingDecoder, with the same values.
* Of a reader's union it takes the branch of the very type that was written, and else the first that the value can be
  promoted to. The specification to the letter is the first that matches, and promotions are matches. Here: when both
  unions list the same types, a value stays in its branch; else a named type goes to the branch of its full name; else a
  value goes to the first branch that it can be read as. Each branch is held against that rule, and the value in it
  against Java's.
* In a union it wants the full names of enums and fixed to be the same; the specification, the unqualified ones.
* It makes text of bytes that are not UTF-8.
* It has no opinion about logical types: what was written as milliseconds, it reads as microseconds, and a time of day,
  into the branch of a timestamp.
"""

from __future__ import annotations

import functools
import json
import struct
from collections import Counter
from typing import Any

import pytest

import pykafarr
from tests.conformance.pairs import NAMED, PairMaker, alone, narrowed
from tests.conformance.values import Branch, column, leaf, of_union, told
from tests.unit.test_differential import LOGICAL, NUMBERS, Maker, kind_of, logical_of, plain

CHUNKS = 10
CASES = 100  # in a chunk
ROWS = 4


class Pair:
    """Holds what Arrow has of a value, read as another schema, against the rules and against what Avro's Java has."""

    def __init__(self, maker: Maker) -> None:
        self.maker = maker
        self.elsewhere = 0  # how many values lie in another branch than Java's

    def same(self, writer: Any, reader: Any, written: Any, ours: Any, java: Any, place: str) -> None:
        """One value. written: as Driver.java tells it, of the writer's schema."""
        union, index = None, -1
        if isinstance(writer, list):
            union, found = writer, of_union(self.maker.type_name, writer, written)
            index, written = (writer.index("null"), None) if found is None else found
            writer = writer[index]
        if isinstance(reader, list):
            self.in_union(union, index, writer, reader, written, ours, java, place)
        elif kind_of(reader) == "record":
            assert list(ours) == list(java), place
            for field in reader["fields"]:
                name = field["name"]
                old = written_field(writer, field)
                # A default is written by nobody, and so read as if with the reader's own schema.
                source = (old["type"], written[old["name"]]) if old else (field["type"], java[name])
                self.same(source[0], field["type"], source[1], ours[name], java[name], f"{place}.{name}")
        elif kind_of(reader) == "array":
            for at, (old, item, other) in enumerate(zip(written, ours, java, strict=True)):
                self.same(writer["items"], reader["items"], old, item, other, f"{place}[{at}]")
        elif kind_of(reader) == "map":
            assert [key for key, _ in ours] == list(java) == list(written), place
            for key, item in ours:
                self.same(writer["values"], reader["values"], written[key], item, java[key], f"{place}[{key!r}]")
        else:
            assert ours == leaf(reader, java), place

    def in_union(
        self, union: Any, index: int, writer: Any, reader: Any, written: Any, ours: Any, java: Any, place: str
    ) -> None:
        other = of_union(self.maker.type_name, reader, java)
        if ours is None or other is None:
            assert ours is other is written, place
            return
        assert isinstance(ours, Branch), place
        assert ours.index == self.rule(union, index, writer, reader), (place, writer, reader)
        branch = reader[ours.index]
        if ours.index == other.index:
            self.same(writer, branch, written, ours.value, other.value, place)
            return
        javas = reader[other.index]
        if ours.index < other.index:
            assert kind_of(javas) == kind_of(writer), place  # it has passed by one that the value is promoted to
        else:  # it has promoted the value to what means something else
            assert not readable(json.dumps(alone(writer)), json.dumps(alone(javas))), place
            assert logical_of(javas), place
        self.elsewhere += 1
        assert ours.value == leaf(branch, promoted(kind_of(writer), kind_of(branch), written)), place

    def rule(self, union: Any, index: int, writer: Any, reader: list[Any]) -> int | None:
        """The branch that a value is read into."""
        names = [self.maker.type_name(branch) for branch in reader]
        if union is not None and [self.maker.type_name(branch) for branch in union] == names:
            return index
        name = self.maker.type_name(writer)
        by_name = [at for at, other in enumerate(names) if other == name and kind_of(writer) in NAMED]
        for at in (*by_name, *range(len(reader))):
            if reader[at] != "null" and readable(json.dumps(alone(writer)), json.dumps(alone(reader[at]))):
                return at
        return None


def written_field(writer: Any, field: Any) -> Any:
    """The writer's field that a reader's is read from."""
    by_name = {old["name"]: old for old in writer["fields"]}
    names = [field["name"], *field.get("aliases", [])]
    return next((by_name[name] for name in names if name in by_name), None)


@functools.cache
def readable(writer: str, reader: str) -> bool:
    """Whether a value of one type, which is no union's, can be read as another."""
    first, second = (
        f'{{"type":"record","name":"R","fields":[{{"name":"x","type":{kind}}}]}}' for kind in (writer, reader)
    )
    try:
        pykafarr.Decoder(first, second)
    except pykafarr.IncompatibleSchemaError:
        return False
    return True


def promoted(writer: str, reader: str, value: Any) -> Any:
    """A value as Driver.java tells it, of another type."""
    if reader == "bytes":
        return value.encode().hex()
    assert NUMBERS.index(writer) < NUMBERS.index(reader)
    if reader == "float":
        return struct.unpack("<f", struct.pack("<f", value))[0]
    return value if reader == "long" else float(value)


def row_of(decoder: pykafarr.Decoder, maker: Maker, reader: Any, body: bytes) -> dict[str, Any]:
    """The values of a body."""
    batch = decoder.decode([body])
    batch.validate(full=True)
    assert batch.num_rows == 1
    return {field["name"]: column(maker, field["type"], batch[field["name"]])[0] for field in reader["fields"]}


def of_meaning(error: pykafarr.IncompatibleSchemaError) -> bool:
    """Whether what does not match is a logical type, of which Java has no opinion: the message names it."""
    return any(f"({name})" in str(error) for name in (*LOGICAL, "decimal", "duration"))


def compared(java: Any, seed: int, *, breaking: bool) -> Counter[str]:
    """How many rows and pairs of this seed were read and refused."""
    maker = PairMaker(seed)
    schema = maker.record(0, "")
    reader = maker.reader_branch(schema)
    if breaking:
        reader = maker.broken(reader)
    values = [told(maker, schema, maker.value(schema)) for _ in range(ROWS)]
    bodies = java.write(plain(schema), values)
    theirs, reasons = java.resolve(plain(schema), bodies, plain(reader))
    try:
        decoder = pykafarr.Decoder(plain(schema), plain(reader), unions=maker.random.choice(["struct", "dense"]))
    except pykafarr.IncompatibleSchemaError as error:
        found = [reason for reason in reasons if not reason.startswith("MISSING_ENUM_SYMBOLS")]
        if not found and not of_meaning(error):
            pytest.fail(f"seed {seed}: refused here only: {error}")
        return Counter({"pairs refused": 1})
    pair = Pair(maker)
    seen = Counter({"pairs": 1})
    for row, (value, body, other) in enumerate(zip(values, bodies, theirs, strict=True)):
        place = f"seed {seed}[{row}]: "
        try:
            ours = row_of(decoder, maker, reader, body)
        except pykafarr.IncompatibleSchemaError as error:
            _, found = java.resolve(plain(narrowed(maker, schema, [value])), [], plain(reader))
            if not found and not of_meaning(error):
                pytest.fail(f"{place}refused here only: {error}")
            seen["rows refused"] += 1
        except pykafarr.DecodeError as error:
            # Bytes that became text.
            if "UTF-8" not in str(error) or "\ufffd" not in json.dumps(other, ensure_ascii=False):
                pytest.fail(f"{place}an error here only: {error}")
        else:
            assert "value" in other, (place, other)
            pair.same(schema, reader, value, ours, other["value"], place)
            seen["rows"] += 1
    seen["elsewhere"] = pair.elsewhere
    return seen


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_bodies_read_as_another_schema_are_the_values_that_java_reads(java, chunk):
    seen: Counter[str] = Counter()
    for seed in range(chunk * CASES, (chunk + 1) * CASES):
        seen += compared(java, seed, breaking=False)
    assert seen["rows"] == CASES * ROWS
    assert seen["elsewhere"] > 0


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_what_cannot_be_read_as_another_schema_is_what_java_refuses(java, chunk):
    seen: Counter[str] = Counter()
    for seed in range(10**6 + chunk * CASES, 10**6 + (chunk + 1) * CASES):
        seen += compared(java, seed, breaking=True)
    assert min(seen[kind] for kind in ("pairs", "pairs refused", "rows", "rows refused")) > 0, seen


def record(kind: Any, name: str = "R") -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": [{"name": "x", "type": kind}]}


def enum(name: str) -> dict[str, Any]:
    return {"type": "enum", "name": name, "symbols": ["A"]}


MILLIS, MICROS = ({"type": "long", "logicalType": f"timestamp-{unit}"} for unit in ("millis", "micros"))
TO_ANOTHER_NAME = (record(record("int", "Inner")), record(record("int", "Other")))


@pytest.mark.parametrize(
    ("writer", "reader", "value", "javas", "ours"),
    [
        (record("long"), record(["double", "long"]), 3, {"long": 3}, {"double": 3.0, "long": None}),
        (
            record(["long", "null"]),
            record(["double", "null", "long"]),
            {"long": 3},
            {"long": 3},
            {"double": 3.0, "long": None},
        ),
        (record(["double", "long"]), record(["double", "long"]), {"long": 3}, {"long": 3}, {"double": None, "long": 3}),
        (record(enum("a.E")), record(["null", enum("b.E")]), "A", None, "A"),
        (record("bytes"), record("string"), "ff", "\ufffd", pykafarr.DecodeError),
        (record(MILLIS), record(MICROS), 1, 1, pykafarr.IncompatibleSchemaError),
        (*TO_ANOTHER_NAME, {"x": 1}, {"x": 1}, pykafarr.IncompatibleSchemaError),
    ],
    ids=["branch", "union", "same union", "namespace", "bytes", "milliseconds", "name"],
)
def test_where_java_does_other_than_the_specification(java, writer, reader, value, javas, ours):
    bodies = java.write(writer, [{"x": value}])
    ((row,), _) = java.resolve(writer, bodies, reader)
    assert row.get("value", {"x": None}) == {"x": javas}
    if isinstance(ours, type):
        with pytest.raises(ours):
            pykafarr.decode(writer, bodies, reader)
    else:
        assert pykafarr.decode(writer, bodies, reader).to_pylist() == [{"x": ours}]


def test_a_value_in_another_branch_than_the_rules_is_found(java):
    maker = PairMaker(0)
    writer, reader = record("long"), record(["double", "long"])
    for ours in (Branch(1, 3), Branch(0, (4.0, 1.0)), None):
        with pytest.raises(AssertionError):
            Pair(maker).same(writer, reader, {"x": 3}, {"x": ours}, {"x": {"long": 3}}, "")
    Pair(maker).same(writer, reader, {"x": 3}, {"x": Branch(0, (3.0, 1.0))}, {"x": {"long": 3}}, "")
