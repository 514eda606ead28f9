"""Random schemas and values: bodies of Avro's Java and of fastavro, decoded here, against what Avro's Java reads.

A failure names its seed, which makes the same schema and values again. Java reads what is written here as this library
does, without a disagreement. Of bodies that a writer should not write it makes other things:

* Of a union's or an enum's index it reads 32 bits and drops what is above them.
* It takes text that is not UTF-8, and reads U+FFFD.
* It takes an int whose varint has more than 32 bits.
* It takes a boolean byte other than 0 and 1.
* It has no opinion about the values of logical types: a decimal of more digits than its precision, a time of day beyond
  midnight.

The specification, to the letter, has no such values, and each is an error here.
"""

from __future__ import annotations

import copy
from typing import Any

import fastavro
import pytest

import pykafarr
from tests.conformance.values import Same, told
from tests.unit.encoding import zigzag
from tests.unit.test_differential import Maker, decode, plain, varint, write

CHUNKS = 10
CASES = 100  # in a chunk
ROWS = 4
LEAST_BLOCK = 64  # that Avro's Java can be told


class LongMaker(Maker):
    """Makes arrays and maps of more than one block, too."""

    def array_value(self, schema: Any) -> list[Any]:
        return [self.value(schema["items"]) for _ in range(self.many())]

    def map_value(self, schema: Any) -> dict[str, Any]:
        return {f"{at}{self.string_value(None)[:9]}": self.value(schema["values"]) for at in range(self.many())}

    def many(self) -> int:
        return self.random.choice([0, 1, 5, 5, 30])


def seeds(first: int, chunk: int) -> range:
    return range(first + chunk * CASES, first + (chunk + 1) * CASES)


@pytest.mark.parametrize("unions", ["struct", "dense"])
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_bodies_of_javas_are_the_values_that_java_reads(java, chunk, unions):
    for seed in seeds({"struct": 0, "dense": 10**6}[unions], chunk):
        maker = Maker(seed)
        schema = maker.record(0, "")
        bodies = java.write(plain(schema), [told(maker, schema, maker.value(schema)) for _ in range(ROWS)])
        batch = decode(plain(schema), bodies, unions=unions)
        Same(maker).columns(schema, batch, java.read(plain(schema), bodies), f"seed {seed}: ")


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_bodies_of_fastavros_are_the_values_that_java_reads(java, chunk):
    for seed in seeds(2 * 10**6, chunk):
        maker = Maker(seed)
        schema = maker.record(0, "")
        parsed = fastavro.parse_schema(copy.deepcopy(plain(schema)))
        bodies = [write(parsed, maker.value(schema)) for _ in range(ROWS)]
        batch = decode(plain(schema), bodies)
        Same(maker).columns(schema, batch, java.read(plain(schema), bodies), f"seed {seed}: ")


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_blocks_with_sizes_are_the_values_that_java_reads(java, chunk):
    in_blocks = 0
    for seed in seeds(3 * 10**6, chunk):
        maker = LongMaker(seed)
        schema = maker.record(0, "")
        values = [told(maker, schema, maker.value(schema)) for _ in range(ROWS)]
        bodies = java.write(plain(schema), values, block=LEAST_BLOCK)
        in_blocks += bodies != java.write(plain(schema), values)
        rows = java.read(plain(schema), bodies)
        Same(maker).columns(schema, decode(plain(schema), bodies), rows, f"seed {seed}: ")
        names = [field["name"] for field in schema["fields"]]
        wanted = maker.random.sample(names, maker.random.randint(1, len(names)))
        part = decode(plain(schema), bodies, columns=wanted)
        assert part.schema.names == [name for name in names if name in wanted], seed
        Same(maker).columns(schema, part, rows, f"seed {seed}, columns {wanted}: ")
    assert in_blocks > CASES / 4


def test_java_writes_blocks_with_a_size_and_blocks_without(java):
    array = {"type": "array", "items": "long"}
    (body,) = java.write(array, [list(range(200))], block=LEAST_BLOCK)
    assert decode(array, [body])["value"].to_pylist() == [list(range(200))]
    counts, at = [], 0
    while count := varint(body, at)[0]:
        counts.append(count)
        at = varint(body, at)[1]
        if count < 0:
            size, at = varint(body, at)
            at += size
        else:
            for _ in range(count):
                at = varint(body, at)[1]
    assert sum(map(abs, counts)) == 200
    assert min(counts) < 0 < max(counts)
    assert len(counts) > 4


@pytest.mark.parametrize(
    ("schema", "body", "javas", "ours"),
    [
        (["null", "string"], b"\x82\x80\x80\x80\x20\x02a", {"string": "a"}, "union index 4294967297 is out of range"),
        ({"type": "enum", "name": "E", "symbols": ["A"]}, b"\x80\x80\x80\x80\x20", "A", "outside 32 bits"),
        ("string", b"\x04\xc3\x28", "�(", "UTF-8"),
        ({"type": "map", "values": "int"}, b"\x02\x02\xff\x02\x00", {"�": 1}, "UTF-8"),
        ("boolean", b"\x02", False, "boolean"),
        ({"type": "int", "logicalType": "time-millis"}, zigzag(86_400_000), 86_400_000, "time of day"),
        ({"type": "bytes", "logicalType": "decimal", "precision": 2}, b"\x02\x64", "64", "more than its 2 digits"),
    ],
    ids=["union index", "enum index", "string", "map key", "boolean", "time of day", "decimal"],
)
def test_what_java_takes_and_the_specification_does_not_have_is_an_error(java, schema, body, javas, ours):
    assert java.read(schema, [body]) == [javas]
    with pytest.raises(pykafarr.DecodeError, match=ours):
        pykafarr.decode(schema if not isinstance(schema, str) else f'"{schema}"', [body])


def test_a_difference_between_values_is_found(java):
    """The comparison itself: each kind of value, changed."""
    maker = Maker(0)
    kinds: dict[str, tuple[Any, Any, Any]] = {
        "int": ("int", 1, 2),
        "double": ("double", 0.0, -0.0),
        "string": ("string", "a", "b"),
        "bytes": ("bytes", "00", "01"),
        "decimal": ({"type": "bytes", "logicalType": "decimal", "precision": 2, "scale": 1}, "01", "02"),
        "array": ({"type": "array", "items": "int"}, [1], [1, 2]),
        "map": ({"type": "map", "values": "int"}, {"a": 1}, {"b": 1}),
        "branch": (["int", "long"], {"int": 1}, {"long": 1}),
        "null": (["null", "long"], {"long": 1}, None),
    }
    for name, (kind, value, other) in kinds.items():
        schema = {"type": "record", "name": "R", "fields": [{"name": "x", "type": kind}]}
        batch = decode(schema, java.write(schema, [{"x": value}]))
        Same(maker).columns(schema, batch, [{"x": value}], name)
        with pytest.raises((AssertionError, ValueError)):
            Same(maker).columns(schema, batch, [{"x": other}], name)
