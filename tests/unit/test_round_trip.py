"""What a listener reads, a producer writes, and a listener reads again: equal, value for value, however it is laid out.

The types are those of docs/types.md (tests/unit/test_types.py), the random schemas and values those of
tests/unit/test_differential.py. Messages are bare, so that each of them is one body of its schema.
"""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest

import pykafarr
from pykafarr.testing import MockKafka
from tests.books import closed_books  # noqa: F401  # every test keeps the column memory's books
from tests.unit.test_differential import case, plain
from tests.unit.test_types import TYPES, array, bodies_of, mapping, record

if TYPE_CHECKING:
    from collections.abc import Iterator

TOPICS = (f"topic-{number}" for number in itertools.count())
# Their bodies are written by hand, with more bytes than the number has, or another scale.
NOT_THE_SHORTEST = ("decimal of more than 76 digits", "big-decimal")
METADATA = ("key", "headers", "timestamp", "partition", "tombstone")
CHUNKS, CASES = 4, 6


@pytest.fixture(scope="module")
def kafka() -> Iterator[MockKafka]:
    with MockKafka() as made:
        yield made


@pytest.fixture(scope="module")
def out(kafka: MockKafka) -> Iterator[pykafarr.Producer]:
    with pykafarr.producer(kafka.servers, None) as made:
        yield made


def topic_of(kafka: MockKafka, bodies: list[bytes] | None = None, **options: Any) -> str:
    topic = next(TOPICS)
    kafka.create_topic(topic)
    if bodies:
        kafka.produce_raw(topic, bodies, partition=0, **options)
    return topic


def listen(kafka: MockKafka, topic: str, schema: Any, rows: int, **options: Any) -> pykafarr.Batch:
    options = {"metadata": METADATA, "framing": "bare", "schema": schema, "tombstones": "keep", **options}
    with pykafarr.listener(kafka.servers, "g", None, None, assign={topic: [0]}, start="earliest", **options) as p:
        batch = p.poll_batch(rows, 10_000)
    assert batch is not None
    assert len(batch) == rows
    return batch


def bodies_in(kafka: MockKafka, topic: str) -> list[bytes | None]:
    with pykafarr.scan(kafka.servers, topic, None, value="bytes", metadata=(), tombstones="keep").read() as stream:
        return [row["value"] for batch in stream for row in batch.to_arrow().to_pylist()]


def shown(record_batch: pa.RecordBatch | pa.Table) -> list[str]:
    """The values, of which NaN is equal to itself. Not by `equals`, which is not made for extension types."""
    return [repr(row) for row in record_batch.to_pylist()] or [str(record_batch.num_rows)]


def same(schema: Any, found: list[bytes | None], expected: list[bytes]) -> bool:
    """Whether bodies are the same, or, where one may be written in several ways, stand for the same values."""
    if found == expected:
        return True
    decoder = pykafarr.Decoder(schema)
    return shown(decoder.decode(found)) == shown(decoder.decode(expected))


def objects(batch: pykafarr.Batch) -> list[pd.DataFrame]:
    """A frame of Python objects, where pandas can make one."""
    try:
        return [batch.to_pandas().astype(object)]
    except pa.ArrowNotImplementedError:  # of lists of fixed
        return []


@pytest.mark.parametrize(
    ("name", "unions"), [(name, unions) for name in TYPES for unions in ("struct", "dense")[: 1 + ("union" in name)]]
)
def test_each_type_comes_through_a_listener_a_producer_and_a_listener(
    kafka: MockKafka, out: pykafarr.Producer, name: str, unions: Any
) -> None:
    types = TYPES[name]
    bodies = bodies_of(types)
    nested = mapping(array(record("Inner", x=types.schema)))
    for schema, values in (
        (record(x=types.schema), bodies),
        (record(x=nested), [b"\x02\x06key" + bytes([2 * len(bodies)]) + b"".join(bodies) + b"\0\0", b"\0"]),
    ):
        keys = [b"k", None] * len(values)
        first = topic_of(kafka, values, keys=keys[: len(values)], timestamp=1_700_000_000_123)
        batch = listen(kafka, first, schema, len(values), unions=unions)
        second = topic_of(kafka)
        out.send("R", batch, second, schema=schema, framing="bare", extra="error", wait=True)
        again = listen(kafka, second, schema, len(values), unions=unions)
        assert again.schema == batch.schema
        assert shown(again.to_arrow()) == shown(batch.to_arrow())
        if name not in NOT_THE_SHORTEST:  # byte for byte what fastavro had written
            assert bodies_in(kafka, second) == values


def layouts(column: pa.Array) -> Iterator[tuple[str, Any]]:
    """A column of the reader's in the other layouts that Arrow has for its values."""
    kind, count = column.type, len(column)
    yield "as it is", column
    yield "slice", pa.concat_arrays([column[-1:], column, column[:1]])[1 : count + 1]
    yield "chunks", pa.chunked_array([column[:1], column[1:1], column[1:]])
    others = {
        pa.string(): [pa.large_string(), pa.string_view()],
        pa.binary(): [pa.large_binary(), pa.binary_view()],
    }.get(kind, [])
    if pa.types.is_list(kind):
        others = [pa.large_list(kind.value_field)]
        offsets, item = column.offsets.to_pylist(), kind.value_field
        starts, sizes = offsets[:-1], [end - start for start, end in itertools.pairwise(offsets)]
        backwards = (pa.array(starts[::-1], pa.int32()), pa.array(sizes[::-1], pa.int32()))
        yield "view", pa.ListViewArray.from_arrays(*backwards, column.values, type=pa.list_view(item))[::-1]
    for other in others:
        yield str(other), column.cast(other)
    if pa.types.is_dictionary(kind):
        yield "plain", column.cast(kind.value_type)
        yield "large", column.cast(kind.value_type).cast(pa.large_string())
        reverse = pa.array(column.dictionary.to_pylist()[::-1], kind.value_type)
        codes = pa.array([None if c is None else len(reverse) - 1 - c for c in column.indices.to_pylist()], pa.int32())
        yield "another order", pa.DictionaryArray.from_arrays(codes, reverse)
    if not (pa.types.is_nested(kind) or pa.types.is_dictionary(kind) or pa.types.is_null(kind)):
        for width in (pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.uint32(), pa.int64(), pa.uint64()):
            storage = column.storage if isinstance(kind, pa.BaseExtensionType) else column
            codes = pa.array(range(count), width)
            yield f"dictionary of {width}", pa.DictionaryArray.from_arrays(codes, storage)
    if kind != pa.binary(0) and not (
        pa.types.is_nested(kind) or pa.types.is_dictionary(kind) or pa.types.is_null(kind)
    ):
        yield "run ends", pa.RunEndEncodedArray.from_arrays(pa.array(range(1, count + 1), pa.int32()), storage)
    if isinstance(kind, pa.BaseExtensionType):
        yield "storage", column.storage
    if pa.types.is_decimal128(kind):
        yield "decimal256", column.cast(pa.decimal256(kind.precision, kind.scale))
    if pa.types.is_timestamp(kind) and kind.tz:
        yield "another zone", column.cast(pa.timestamp(kind.unit, "Asia/Tokyo"))


@pytest.mark.parametrize("name", TYPES)
def test_each_type_is_written_alike_in_each_layout(kafka: MockKafka, out: pykafarr.Producer, name: str) -> None:
    types = TYPES[name]
    schema, bodies = record(x=types.schema), bodies_of(types)
    column = pykafarr.decode(schema, bodies)["x"]
    topic, expected = topic_of(kafka), []
    for layout, values in layouts(column):
        try:
            out.send("R", pa.table({"x": values}), topic, schema=schema, framing="bare")
        except pykafarr.KafarrError as error:
            raise AssertionError(layout) from error
        expected += bodies
    out.flush()
    assert same(schema, bodies_in(kafka, topic), expected)


@pytest.mark.parametrize("name", TYPES)
def test_each_type_comes_back_from_the_frames_of_pandas_and_polars(
    kafka: MockKafka, out: pykafarr.Producer, name: str
) -> None:
    types = TYPES[name]
    bodies = bodies_of(types)
    for schema, written in (
        (record(x=types.schema), bodies),
        (record(x=types.schema, l=array("long")), [body + b"\x02\x02\0" for body in bodies]),
    ):
        batch = pykafarr.Batch(pykafarr.decode(schema, written), "R", [])
        frames = [batch.to_pandas(), batch.to_pandas("pyarrow"), batch.to_pandas("numpy")]
        frames += [frames[0].iloc[::-1].iloc[::-1], *objects(batch)]
        if types.polars is not pykafarr.SchemaError:
            frames.append(batch.to_polars())
        topic = topic_of(kafka)
        for frame in frames:
            out.send("R", frame, topic, schema=schema, framing="bare")
        out.flush()
        assert same(schema, bodies_in(kafka, topic), written * len(frames))


def test_nulls_of_each_type_come_back_from_objects_of_pandas(kafka: MockKafka, out: pykafarr.Producer) -> None:
    for name, types in TYPES.items():
        if name == "null" or isinstance(types.schema, list):
            continue
        schema = record(x=["null", types.schema])
        bodies = [b"\0", *(b"\2" + body for body in bodies_of(types)), b"\0"]
        batch = pykafarr.Batch(pykafarr.decode(schema, bodies), "R", [])
        topic = topic_of(kafka)
        frames = [batch.to_pandas(), *objects(batch)]
        for frame in frames:
            out.send("R", frame, topic, schema=schema, framing="bare")
        out.flush()
        assert same(schema, bodies_in(kafka, topic), bodies * len(frames)), name


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_random_schemas_and_values_come_through(kafka: MockKafka, out: pykafarr.Producer, chunk: int) -> None:
    for seed in range(chunk * CASES, (chunk + 1) * CASES):
        _, noted, _, bodies = case(seed)
        schema, chance = plain(noted), random.Random(seed)
        name = schema.get("namespace", "") + ("." if schema.get("namespace") else "") + schema["name"]
        options: dict[str, Any] = {"unions": chance.choice(["struct", "dense"])}
        batch = listen(kafka, topic_of(kafka, bodies), schema, len(bodies), metadata=("offset",), **options)
        table = pa.table(batch.to_arrow())
        expected = shown(table.drop_columns("_offset")) if table.num_columns > 1 else [str(len(bodies))]
        twice = pa.concat_tables([table, table])
        frames: dict[str, Any] = {
            "batch": batch,
            "slice": twice.slice(3, len(bodies)),
            "chunks": pa.concat_tables([table.slice(0, 2), table.slice(2, 0), table.slice(2)]),
            "stream": table.to_reader(max_chunksize=2),
        }
        if options["unions"] == "struct":
            frames["pandas"] = batch.to_pandas()
            # Of an object it is not known whether a NaN was a number, where it could be null. pyarrow refuses numpy's
            # arrays of dates within dicts, which are among pandas' objects.
            if not any(odd in row for odd in ("nan", "datetime.date(") for row in expected):
                frames.update(zip(["objects"], objects(batch), strict=False))
        for kind, frame in frames.items():
            topic = topic_of(kafka)
            try:
                out.send(name, frame, topic, schema=schema, framing="bare", wait=True)
            except (pykafarr.KafarrError, TypeError) as error:
                raise AssertionError((seed, kind)) from error
            found = listen(kafka, topic, schema, len(bodies), metadata=(), **options).to_arrow()
            shift = [expected[(row + 3) % len(expected)] for row in range(len(expected))]
            assert shown(found) == (shift if kind == "slice" else expected), (seed, kind)


def test_tombstones_keys_and_headers_come_through_with_each_row(kafka: MockKafka, out: pykafarr.Producer) -> None:
    schema = record(x="long")
    first = topic_of(kafka, [b"\2", None, b"\4", None], keys=[b"a", b"a", b"", None], timestamp=1_700_000_000_000)
    batch = listen(kafka, first, schema, 4)
    second = topic_of(kafka)
    out.send("R", batch, second, schema=schema, framing="bare", wait=True)
    assert shown(listen(kafka, second, schema, 4).to_arrow()) == shown(batch.to_arrow())
    third = topic_of(kafka)
    out.send("R", batch.to_pandas(), third, schema=schema, framing="bare", wait=True)
    assert shown(listen(kafka, third, schema, 4).to_arrow()) == shown(batch.to_arrow())


def test_objects_of_python_and_numpy_are_written_as_the_schema_says(kafka: MockKafka, out: pykafarr.Producer) -> None:
    import numpy as np

    schema = record(
        x=array("long"), m=mapping("double"), r=record("I", a="int", b=["null", "string"]), o=["null", "int"]
    )
    frame = pd.DataFrame(
        {
            "x": [np.array([1, 2]), [3], (4,)],
            "m": [{"k": 1.5}, {}, [("a", 2.0)]],
            "r": [{"a": 1, "b": "x"}, {"b": None, "a": 2}, {"a": 3, "b": None}],
            "o": [np.int8(1), None, pd.NA],
        }
    ).astype(object)
    topic = topic_of(kafka)
    out.send("R", frame, topic, schema=schema, framing="bare", wait=True)
    assert listen(kafka, topic, schema, 3, metadata=()).to_arrow().to_pylist() == [
        {"x": [1, 2], "m": [("k", 1.5)], "r": {"a": 1, "b": "x"}, "o": 1},
        {"x": [3], "m": [], "r": {"a": 2, "b": None}, "o": None},
        {"x": [4], "m": [("a", 2.0)], "r": {"a": 3, "b": None}, "o": None},
    ]
