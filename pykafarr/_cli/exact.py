"""The exact values of Arrow columns in what JSON has: None, bool, int, float, str, list and dict.

Arrow's own `to_pylist()` makes Python's objects, and Python's dates end with the year 9999, its times with the day, and
pandas' moments have no -2^63: one such value raises, or comes out as another one, and takes the rows around it along.
So what has no form in JSON is written here as text, from the numbers in the column:

| Arrow type                     | value                                                                       |
|--------------------------------|-----------------------------------------------------------------------------|
| date                           | 2024-01-02, +12921-08-18, -8982-05-17 (the year 0 is 1 BC, as in ISO 8601)  |
| timestamp, with a zone         | 2024-01-02 03:04:05.006+00:00: all digits of the column's unit, here ms     |
| time                           | 03:04:05.006000: likewise, here us; hours past 23 as they are               |
| month_day_nano_interval        | P1M2DT3.004S                                                                |
| decimal                        | all digits, without an exponent                                             |
| binary                         | base64                                                                      |
| float that is not finite       | NaN, Infinity, -Infinity, as in Avro's own JSON encoding                    |
| map                            | an object, or, where keys repeat in the value, a list of pairs              |
| union                          | the value of the member that it has                                         |
"""

from __future__ import annotations

import base64
import math
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import compute, types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DAY = 86400
# Of Python's dates and datetimes, in days since 1970 and days before the end.
_FIRST_DAY, _END_DAY = -719162, 2932897
# The Gregorian calendar repeats itself after so many years and days.
_CYCLE_YEARS, _CYCLE_DAYS = 400, 146097


def values(array: Any) -> list[Any]:
    """The values of an array."""
    kind = array.type
    for is_kind, convert in _CONVERTERS:
        if is_kind(kind):
            return convert(array)
    # Ints, booleans, texts and nulls are as they are; of others, such as uuids, there is Python's text.
    found: list[Any] = array.to_pylist()
    if types.is_integer(kind) or types.is_boolean(kind) or types.is_null(kind) or _is_text(kind):
        return found
    return _each(found, str)


def beyond_python(array: Any) -> bool:
    """Whether an array holds a date, time or timestamp that Python or pandas have no object for, or a wrong one."""
    kind = array.type
    if types.is_nested(kind):
        return any(beyond_python(child) for child in _children(array))
    if not types.is_temporal(kind) or types.is_interval(kind) or types.is_duration(kind):
        return False
    bounds = compute.min_max(_numbers(array))
    least, most = bounds["min"].as_py(), bounds["max"].as_py()
    if least is None:
        return False
    if types.is_date32(kind):
        return bool(least < _FIRST_DAY or most >= _END_DAY)
    day = _DAY * (1000 if types.is_date64(kind) else _PER_SECOND[kind.unit])
    if types.is_time(kind):
        return bool(least < 0 or most >= day)
    return bool(least == -(2**63) or least < _FIRST_DAY * day or most >= _END_DAY * day)


def _children(array: Any) -> Iterable[Any]:
    kind = array.type
    if types.is_map(kind):
        return array.keys, array.items
    if types.is_struct(kind) or types.is_union(kind):
        return [array.field(index) for index in range(kind.num_fields)]
    return (array.values,)


def _is_text(kind: Any) -> bool:
    return types.is_string(kind) or types.is_large_string(kind)


def _is_binary(kind: Any) -> bool:
    return types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind)


def _is_list(kind: Any) -> bool:
    return types.is_list(kind) or types.is_large_list(kind)


def _each(found: list[Any], convert: Callable[[Any], Any]) -> list[Any]:
    return [None if value is None else convert(value) for value in found]


def _numbers(array: Any) -> Any:
    """The numbers that times are kept as."""
    return array.view(pa.int32() if array.type.bit_width == 32 else pa.int64())


def _floats(array: Any) -> list[Any]:
    return _each(array.to_pylist(), lambda value: value if math.isfinite(value) else _infinite(value))


def _infinite(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _binaries(array: Any) -> list[Any]:
    return _each(array.to_pylist(), lambda value: base64.b64encode(value).decode())


def _decimals(array: Any) -> list[Any]:
    return _each(array.to_pylist(), lambda value: format(value, "f"))


def _dates(array: Any) -> list[Any]:
    step = _DAY * 1000 if types.is_date64(array.type) else 1
    return _each(_numbers(array).to_pylist(), lambda number: _date(number // step))


def _timestamps(array: Any) -> list[Any]:
    per_second, zone = _PER_SECOND[array.type.unit], "" if array.type.tz is None else "+00:00"

    def convert(number: int) -> str:
        days, rest = divmod(number, _DAY * per_second)
        return f"{_date(days)} {_time(rest, per_second)}{zone}"

    return _each(_numbers(array).to_pylist(), convert)


def _times(array: Any) -> list[Any]:
    per_second = _PER_SECOND[array.type.unit]
    return _each(_numbers(array).to_pylist(), lambda number: _time(number, per_second))


# Rows that follow each other are mostly of the same day.
@lru_cache(maxsize=4096)
def _date(days: int) -> str:
    cycle, rest = divmod(days - _FIRST_DAY, _CYCLE_DAYS)
    found = date.fromordinal(rest + 1)
    year = found.year + cycle * _CYCLE_YEARS
    shown = f"{year:04}" if 0 <= year <= 9999 else f"{'-' if year < 0 else '+'}{abs(year):04}"
    return f"{shown}-{found.month:02}-{found.day:02}"


def _time(number: int, per_second: int) -> str:
    seconds, rest = divmod(abs(number), per_second)
    sign = "-" if number < 0 else ""
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{_fraction(rest, per_second)}"


def _fraction(rest: int, per_second: int) -> str:
    """The digits after a second: those of the column's unit, so that all of its texts have as many."""
    return f".{rest:0{len(str(per_second)) - 1}}" if per_second > 1 else ""


def _intervals(array: Any) -> list[Any]:
    return _each(array.to_pylist(), _interval)


def _interval(value: Any) -> str:
    months, days, nanoseconds = value
    seconds, rest = divmod(abs(nanoseconds), 10**9)
    fraction = f".{rest:09}".rstrip("0") if rest else ""
    text = f"{months}M" * bool(months) + f"{days}D" * bool(days)
    if nanoseconds or not text:
        text += f"T{'-' if nanoseconds < 0 else ''}{seconds}{fraction}S"
    return f"P{text}"


def _symbols(array: Any) -> list[Any]:
    symbols = values(array.dictionary)
    return _each(array.indices.to_pylist(), lambda index: symbols[index])


def _structs(array: Any) -> list[Any]:
    names = [field.name for field in array.type]
    columns = [values(array.field(index)) for index in range(len(names))]
    rows = zip(*columns, strict=True) if columns else [()] * len(array)
    return [
        dict(zip(names, row, strict=True)) if valid else None
        for row, valid in zip(rows, array.is_valid().to_pylist(), strict=True)
    ]


def _lists(array: Any) -> list[Any]:
    return _cut(array, lambda first, end: values(array.values[first:end]))


def _maps(array: Any) -> list[Any]:
    def pairs(first: int, end: int) -> list[list[Any]]:
        keys, items = values(array.keys[first:end]), values(array.items[first:end])
        return [list(pair) for pair in zip(keys, items, strict=True)]

    return _each(_cut(array, pairs), _object)


def _object(pairs: list[list[Any]]) -> Any:
    found = {key: value for key, value in pairs}  # noqa: C416  # dict() would take lists of two for its own reasons
    return found if len(found) == len(pairs) else pairs


def _cut(array: Any, between: Callable[[int, int], list[Any]]) -> list[Any]:
    """Lists, of the items that lie between two places of the array below."""
    if not len(array):
        return []
    offsets = array.offsets.to_pylist()
    first = offsets[0]
    items = between(first, offsets[-1])
    return [
        items[begin - first : end - first] if valid else None
        for begin, end, valid in zip(offsets, offsets[1:], array.is_valid().to_pylist(), strict=False)
    ]


def _unions(array: Any) -> list[Any]:
    # Taken, because pyarrow 26 gives the codes and offsets of a slice from the array's first row on.
    whole = array.take(pa.array(range(len(array)), pa.int64()))
    members = [values(whole.field(index)) for index in range(whole.type.num_fields)]
    index_of = {code: index for index, code in enumerate(whole.type.type_codes)}
    codes = whole.type_codes.to_pylist()
    places = whole.offsets.to_pylist() if whole.type.mode == "dense" else range(len(codes))
    return [members[index_of[code]][place] for code, place in zip(codes, places, strict=True)]


# In this order: a type is converted by the first that takes it.
_CONVERTERS: list[tuple[Callable[[Any], bool], Callable[[Any], list[Any]]]] = [
    (types.is_floating, _floats),
    (types.is_dictionary, _symbols),
    (types.is_timestamp, _timestamps),
    (types.is_date, _dates),
    (types.is_time, _times),
    (types.is_decimal, _decimals),
    (_is_binary, _binaries),
    (types.is_struct, _structs),
    (types.is_map, _maps),
    (_is_list, _lists),
    (types.is_union, _unions),
    (types.is_interval, _intervals),
    # As numbers of their unit: Python's timedelta has fewer.
    (types.is_duration, lambda array: _numbers(array).to_pylist()),
]
