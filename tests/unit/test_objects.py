"""Columns of Python objects are written without loss, or not at all."""

from __future__ import annotations

import datetime as dt
import decimal
import itertools
import math
import uuid
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import pykafarr
from pykafarr.testing import MockKafka

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TYPE = "com.example.R"
UTC = dt.timezone.utc
MILLIS: Any = {"type": "long", "logicalType": "timestamp-millis"}
MICROS: Any = {"type": "long", "logicalType": "timestamp-micros"}
NANOS: Any = {"type": "long", "logicalType": "timestamp-nanos"}
LOCAL: Any = {"type": "long", "logicalType": "local-timestamp-micros"}
DATE: Any = {"type": "int", "logicalType": "date"}
TIME: Any = {"type": "int", "logicalType": "time-millis"}
MONEY: Any = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}
BIG: Any = {"type": "bytes", "logicalType": "big-decimal"}
UUID: Any = {"type": "string", "logicalType": "uuid"}
SIXTEEN: Any = {"type": "fixed", "name": "Sixteen", "size": 16, "logicalType": "uuid"}
MOMENT = dt.datetime(2026, 1, 31, 13, 5)  # noqa: DTZ001  # the time on a clock
WHO = uuid.UUID(int=5)
D = decimal.Decimal


@pytest.fixture(scope="module")
def kafka() -> Iterator[MockKafka]:
    with MockKafka() as made:
        yield made


@pytest.fixture(scope="module")
def send(kafka: MockKafka) -> Iterator[Callable[..., list[Any]]]:
    """Sends values of the type of a field as a column of objects, and reads them back."""
    numbers = itertools.count()

    def sent(values: list[Any], avro: Any, **options: Any) -> list[Any]:
        topic = f"T{next(numbers)}"
        kafka.create_topic(topic)
        schema = {"type": "record", "name": TYPE, "fields": [{"name": "v", "type": avro}]}
        frame = pd.DataFrame({"v": pd.Series(values, dtype=object)})
        try:
            out.send(TYPE, frame, topic, **{"schema": schema, "register": True, "wait": True, **options})
        except pykafarr.KafarrError:
            out.flush()
            with pykafarr.scan(kafka.servers, topic, kafka.registry_url).read() as stream:
                assert not list(stream), "rows were sent all the same"
            raise
        with pykafarr.scan(kafka.servers, topic, kafka.registry_url, metadata=()).read() as stream:
            return next(iter(stream.to_arrow().values()))["v"].to_pylist()

    with pykafarr.producer(kafka.servers, kafka.registry_url) as out:
        yield sent


def array_of(item: Any) -> Any:
    return {"type": "array", "items": item}


def map_of(item: Any) -> Any:
    return {"type": "map", "values": item}


def record_of(**members: Any) -> Any:
    return {"type": "record", "name": "X", "fields": [{"name": name, "type": kind} for name, kind in members.items()]}


LOSSES = {
    "a fraction in an int": (1.5, "int", 1.0),
    "more digits than a float has": (0.1, "float", 0.5),
    "more digits than a double has": (2**53 + 1, "double", 1),
    "a clock's time as a point in time": (MOMENT, MILLIS, None),
    "a point in time as a clock's time": (MOMENT.replace(tzinfo=UTC), LOCAL, None),
    "microseconds in milliseconds": (MOMENT.replace(microsecond=123456, tzinfo=UTC), MILLIS, None),
    "nanoseconds in microseconds": (pd.Timestamp(1, tz="UTC"), MICROS, pd.Timestamp(0, tz="UTC")),
    "a time of the day in a date": (MOMENT, DATE, None),
    "microseconds in a time of milliseconds": (dt.time(1, 2, 3, 4567), TIME, dt.time(1)),
    "a time zone in a time": (dt.time(1, tzinfo=UTC), TIME, dt.time(1)),
    "a number as a date": (5, DATE, None),
    "a number as a time": (5, TIME, None),
    "a number as a point in time": (5, MILLIS, None),
    "a digit more than the scale": (D("1.005"), MONEY, D("1.5")),
    "an int that is too long": (2**70, "long", 1),
    "a truth as an int": (True, "int", 1),
    "bytes that are no text": (b"\xff", "string", "a"),
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("within", ["a column", "lists", "maps", "dicts", "a nullable"])
def test_a_value_that_would_change_is_refused_with_its_row(
    send: Callable[..., list[Any]], loss: str, within: str
) -> None:
    value, avro, good = LOSSES[loss]
    wrap, kind, path = {
        "a column": (lambda v: v, avro, "v"),
        "a nullable": (lambda v: v, ["null", avro], "v"),
        "lists": (lambda v: [v], array_of(avro), "v.item"),
        "maps": (lambda v: {"k": v}, map_of(avro), "v.value"),
        "dicts": (lambda v: {"x": v}, record_of(x=avro), "v.x"),
    }[within]
    values = [wrap(value)] if good is None else [wrap(good), wrap(value)]
    with pytest.raises(pykafarr.EncodeError, match=f"^{path}: row {len(values) - 1}: ") as caught:
        send(values, kind)
    assert (caught.value.path, caught.value.row) == (path, len(values) - 1)


def test_values_of_one_type_are_not_taken_for_those_of_another(send: Callable[..., list[Any]]) -> None:
    for values, avro, row in (
        ([1, "a"], "int", 1),
        (["a", None, 5], "string", 2),
        ([MOMENT.replace(tzinfo=UTC), MOMENT], MILLIS, 1),
        ([{"x": 1}, 5], record_of(x="int"), 1),
        ([{1: 1}], record_of(x="int"), 0),
        ([[1], 5], array_of("int"), 1),
        ([1 + 2j], "double", 0),
        ([D(1), 1.5], MONEY, 1),
        ([object()], "string", 0),
    ):
        with pytest.raises(pykafarr.EncodeError, match=f"^v: row {row}: .* cannot be written"):
            send(values, avro)


@pytest.mark.parametrize(
    ("values", "avro", "expected"),
    [
        ([1, 2.0, np.int64(3), D(4), None], ["null", "long"], [1, 2, 3, 4, None]),
        ([2**53 + 1, 1.0], "long", [2**53 + 1, 1]),
        ([1, 2.5, np.float32(0.5)], "double", [1.0, 2.5, 0.5]),
        ([D("1.5"), 2, D("NaN"), pd.NA], ["null", MONEY], [D("1.50"), D("2.00"), None, None]),
        (["12.50"], MONEY, [D("12.50")]),
        ([10**20], {**MONEY, "precision": 25}, [D(10**20)]),
        ([D("1.50"), 2], BIG, ["1.50", "2.00"]),
        ([7], BIG, ["7"]),
        (["a", None, float("nan"), pd.NaT, pd.NA], ["null", "string"], ["a", None, None, None, None]),
        (["é", b"b", bytearray(b"c")], "bytes", ["é".encode(), b"b", b"c"]),
        (["é", b"b"], "string", ["é", "b"]),
        ([WHO, str(WHO)], UUID, [str(WHO)] * 2),
        ([WHO, WHO.bytes], SIXTEEN, [WHO] * 2),
        ([np.datetime64("2026-01-31T13:05"), MOMENT, pd.NaT], ["null", LOCAL], [MOMENT, MOMENT, None]),
        ([MOMENT.replace(tzinfo=UTC)], MILLIS, [MOMENT.replace(tzinfo=UTC)]),
        (
            [pd.Timestamp(1_700_000_000_123_456_789, tz="UTC")],
            NANOS,
            [pd.Timestamp(1_700_000_000_123_456_789, tz="UTC")],
        ),
        ([dt.date(9999, 12, 31)], DATE, [dt.date(9999, 12, 31)]),
        ([dt.time(1, 2, 3, 4000)], TIME, [dt.time(1, 2, 3, 4000)]),
        ([[1, 2.0], (3,), np.array([4]), {5}, None], ["null", array_of("int")], [[1, 2], [3], [4], [5], None]),
        ([np.array([[1, 2], [3, 4]])], array_of(array_of("int")), [[[1, 2], [3, 4]]]),
        ([{"a": 1}, {}, [("b", 2.0)]], map_of("int"), [[("a", 1)], [], [("b", 2)]]),
        ([{"x": [1.0]}, None, ([2],)], ["null", record_of(x=array_of("int"))], [{"x": [1]}, None, {"x": [2]}]),
        ([{"long": 1}, {"string": "a"}, None], ["null", "long", "string"], [{"long": 1}, {"string": "a"}, None]),
        ([pa.scalar(1), pa.scalar(None, pa.int64())], ["null", "int"], [1, None]),
        ([None, None], ["null", "int"], [None, None]),
    ],
    ids=repr,
)
def test_mixed_objects_that_lose_nothing_are_written(
    send: Callable[..., list[Any]], values: list[Any], avro: Any, expected: list[Any]
) -> None:
    found = send(values, avro)
    if isinstance(expected[0], dict) and "long" in expected[0]:  # a union is read as a struct with a member per branch
        found = [row and {name: value for name, value in row.items() if value is not None} for row in found]
    assert found == expected


def test_nan_is_a_number_where_it_may_not_be_null_at_every_level(send: Callable[..., list[Any]]) -> None:
    nan = float("nan")
    optional = ["null", "double"]
    assert math.isnan(send([nan, 1.0], "double")[0])
    assert math.isnan(send([[nan, 1.0], np.array([nan])], array_of("double"))[1][0])
    assert math.isnan(send([{"x": nan}], record_of(x="double"))[0]["x"])
    assert send([nan, 1.0], optional) == [None, 1.0]
    assert send([[nan, 1.0]], array_of(optional)) == [[None, 1.0]]
    assert send([np.array([nan])], array_of(optional)) == [[None]]
    assert send([{"x": nan}], record_of(x=optional)) == [{"x": None}]


def test_members_of_dicts_are_missing_and_extra_as_those_of_structs(send: Callable[..., list[Any]]) -> None:
    members = [{"name": "x", "type": "int"}, {"name": "z", "type": ["int", "null"], "default": 7}]
    record = {"type": "record", "name": "X", "fields": members}
    for wrap, kind, path in (
        (lambda v: v, record, "v"),
        (lambda v: [v], array_of(record), "v.item"),
        (lambda v: {"k": v}, map_of(record), "v.value"),
    ):
        with pytest.raises(pykafarr.SchemaError, match=rf'^{path}\.z: .*missing="default" writes its default'):
            send([wrap({"x": 1})], kind)
        with pytest.raises(pykafarr.SchemaError, match=rf"^{path}\.more: "):
            send([wrap({"x": 1, "z": 2, "more": object()})], kind, extra="error")
    assert send([{"x": 1}, {"x": 2}], record, missing="default") == [{"x": 1, "z": 7}, {"x": 2, "z": 7}]
    assert send([{"x": 1, "z": None, "more": object()}], record) == [{"x": 1, "z": None}]
    for missing in ("error", "default"):
        with pytest.raises(pykafarr.EncodeError, match=r"^v\.z: row 1: \{'x': 1\} cannot be written: .*no key 'z'"):
            send([{"x": 1, "z": 2}, {"x": 1}], record, missing=missing)


def test_a_key_that_some_dicts_of_a_record_of_nullable_fields_lack_is_null_whatever_the_default(
    send: Callable[..., list[Any]],
) -> None:
    members = [{"name": "x", "type": ["null", "int"]}, {"name": "z", "type": ["int", "null"], "default": 7}]
    record = {"type": "record", "name": "X", "fields": members}
    rows = [{"x": 1, "z": 2}, {"x": 1}, {"z": 3}]
    assert send(rows, record) == [{"x": 1, "z": 2}, {"x": 1, "z": None}, {"x": None, "z": 3}]
    expected = pd.json_normalize(rows).astype(object).where(lambda frame: frame.notna(), None).to_dict("records")
    assert send(rows, record) == expected


def test_whatever_is_nan_is_null_among_other_numbers(send: Callable[..., list[Any]]) -> None:
    nans = [float("nan"), np.float32("nan"), np.float64("nan"), D("NaN"), D("sNaN"), None, pd.NA, pd.NaT]
    assert send([*nans, D("1.50"), 2], ["null", MONEY]) == [*[None] * 8, D("1.50"), D("2.00")]
    assert send([*nans[:3], 1.5, float("inf"), 2], ["null", "double"]) == [None, None, None, 1.5, float("inf"), 2.0]
    assert send([*nans, 2], ["null", "int"]) == [*[None] * 8, 2]
    assert send([np.array([1.0, 2.0]), None, [3.0, float("nan")]], ["null", array_of(["null", "double"])]) == [
        [1.0, 2.0],
        None,
        [3.0, None],
    ]
    with pytest.raises(pykafarr.EncodeError, match=r"v: row 1: 1\.505 "):
        send([D("1.500"), D("1.505")], MONEY)


def test_a_schema_that_is_derived_of_mixed_objects_names_the_row(send: Callable[..., list[Any]]) -> None:
    with pytest.raises(pykafarr.EncodeError, match=r"^v: row 2: 'a' cannot be written: row 1 has one of the type int"):
        send([None, 1, "a"], "int", schema="derive")
    stamp = pd.Timestamp(1, tz="UTC")
    assert send([stamp], NANOS, schema="derive") == [stamp]
