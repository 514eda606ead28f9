"""The texts and numbers that JSON and csv have for Arrow's values."""

import datetime as dt
import decimal
import uuid

import pandas as pd
import pyarrow as pa
import pytest

from pykafarr._cli.exact import beyond_python, values

MOST = 2**63 - 1


def times(kind, *numbers):
    """An array of a type of times, by the numbers in it."""
    return pa.array(numbers, pa.int32() if kind.bit_width == 32 else pa.int64()).view(kind)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (times(pa.date32(), 4000000, -4000000, 0, None), ["+12921-08-18", "-8982-05-17", "1970-01-01", None]),
        (times(pa.date32(), -719162, -719163, -719529), ["0001-01-01", "0000-12-31", "-0001-12-31"]),
        (times(pa.date32(), 2932896, 2932897), ["9999-12-31", "+10000-01-01"]),
        (times(pa.timestamp("ms", "UTC"), 1700000000000000), ["+55840-11-08 22:13:20.000+00:00"]),
        (times(pa.timestamp("ms"), 1, -1), ["1970-01-01 00:00:00.001", "1969-12-31 23:59:59.999"]),
        (times(pa.timestamp("us"), 0, 1000), ["1970-01-01 00:00:00.000000", "1970-01-01 00:00:00.001000"]),
        (times(pa.timestamp("s"), 1), ["1970-01-01 00:00:01"]),
        (times(pa.timestamp("us"), MOST), ["+294247-01-10 04:00:54.775807"]),
        (times(pa.timestamp("us"), -MOST - 1), ["-290308-12-21 19:59:05.224192"]),
        (times(pa.timestamp("ns"), MOST), ["2262-04-11 23:47:16.854775807"]),
        (times(pa.timestamp("ns"), -MOST - 1), ["1677-09-21 00:12:43.145224192"]),
        (times(pa.time32("ms"), 86399999, 86400000, -1), ["23:59:59.999", "24:00:00.000", "-00:00:00.001"]),
        (times(pa.time64("us"), MOST), ["2562047788:00:54.775807"]),
        (pa.array([pa.MonthDayNano([1, 2, 3004000000])]), ["P1M2DT3.004S"]),
        (pa.array([pa.MonthDayNano([0, 0, 0]), pa.MonthDayNano([2**31 - 1, 0, -1])]),
         ["PT0S", "P2147483647MT-0.000000001S"]),
        (pa.array([decimal.Decimal(10**75)], pa.decimal256(76, 0)), ["1" + "0" * 75]),
        (pa.array([decimal.Decimal("1E-38")], pa.decimal128(38, 38)), ["0." + "0" * 37 + "1"]),
        (pa.array([float("nan"), float("-inf"), 0.5, None]), ["NaN", "-Infinity", 0.5, None]),
        (pa.array([b"\0\xff", None]), ["AP8=", None]),
        (pa.array(["BUY", None]).dictionary_encode(), ["BUY", None]),
        (pa.array([uuid.UUID(int=1).bytes, None], pa.uuid()), [str(uuid.UUID(int=1)), None]),
        (pa.array([True, None]), [True, None]),
        (pa.nulls(2), [None, None]),
        (times(pa.duration("s"), MOST), [MOST]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)  # fmt: skip
def test_a_value_keeps_every_digit(array, expected):
    assert values(array) == expected
    assert values(array[1:]) == expected[1:]


def test_values_in_lists_structs_maps_and_unions_are_exact_in_slices_too():
    far = times(pa.date32(), 4000000, 1, 2)
    shown = ["+12921-08-18", "1970-01-02", "1970-01-03"]
    lists = pa.ListArray.from_arrays(pa.array([0, 2, None, 2, 3], pa.int32()), far)
    assert values(lists) == [shown[:2], [], None, shown[2:]]
    assert values(lists[1:]) == [[], None, shown[2:]]
    structs = pa.StructArray.from_arrays([far, pa.array([1, 2, 3])], ["d", "n"], mask=pa.array([False, False, True]))
    assert values(structs) == [{"d": shown[0], "n": 1}, {"d": shown[1], "n": 2}, None]
    assert values(structs[1:]) == [{"d": shown[1], "n": 2}, None]
    maps = pa.MapArray.from_arrays(pa.array([0, 2, 2, 3], pa.int32()), pa.array(["a", "b", "a"]), far)
    assert values(maps) == [{"a": shown[0], "b": shown[1]}, {}, {"a": shown[2]}]
    assert values(maps[2:]) == [{"a": shown[2]}]
    union = pa.UnionArray.from_dense(
        pa.array([1, 0, 1, 0], pa.int8()), pa.array([0, 0, 1, 1], pa.int32()), [far, pa.array(["x", None])]
    )
    assert values(union) == ["x", shown[0], None, shown[1]]
    assert values(union[1:]) == [shown[0], None, shown[1]]
    assert all(beyond_python(array) for array in (lists, structs, maps, union))
    for empty in (lists[:0], structs[:0], maps[:0], union[:0]):
        assert values(empty) == []


def test_a_map_is_pairs_only_where_its_own_keys_repeat():
    maps = pa.array([[("a", 1), ("a", 2)], [("a", 1), ("b", 2)], None], pa.map_(pa.string(), pa.int64()))
    assert values(maps) == [[["a", 1], ["a", 2]], {"a": 1, "b": 2}, None]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_what_python_can_hold_is_written_as_python_writes_it_with_the_digits_of_the_unit(unit):
    moments = [dt.datetime.fromisoformat(f"{day} 23:59:59") for day in ("0001-01-01", "1900-02-28", "9999-12-31")]
    if unit == "ns":
        moments = [pd.Timestamp(number) for number in (-(2**63) + 1, 2**63 - 1, 1000, 1001)]
    array = pa.array(moments, pa.timestamp(unit, "UTC"))
    texts = [moment.isoformat(" ", "microseconds" if unit != "ns" else "nanoseconds") for moment in moments]
    cut = {"s": 19, "ms": 23, "us": 26, "ns": 29}[unit]
    assert values(array) == [f"{text[:cut]}+00:00" for text in texts]
    assert not beyond_python(array)
    assert beyond_python(times(pa.timestamp(unit), -(2**63)))  # pandas' NaT
    days = [dt.date(1, 1, 1), dt.date(1600, 2, 29), dt.date(9999, 12, 31), None]
    assert values(pa.array(days)) == [str(day) for day in days[:-1]] + [None]
    assert not beyond_python(pa.array(days))
