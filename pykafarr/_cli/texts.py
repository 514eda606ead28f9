"""Values of text files, which are JSON lines and csv, as Arrow arrays by the types that a schema has for them.

It is the inverse of `exact`, which has the table: what the command `read` writes becomes the same value again. Nothing
is guessed from a value, and what does not fit its type is an error that names row, column and value.
"""

from __future__ import annotations

import base64
import binascii
import decimal
import itertools
import json
import math
import re
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import types

from .._errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .._producers.objects import Place

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DAY = 86400
_CYCLE_YEARS, _CYCLE_DAYS, _FIRST_DAY = 400, 146097, -719162  # as in exact
_DATE = re.compile(r"([+-]?\d{4,9})-(\d\d)-(\d\d)", re.ASCII)
_CLOCK = re.compile(r"(-?)(\d{2,10}):(\d\d)(?::(\d\d)(?:\.(\d{1,30}))?)?", re.ASCII)
_ZONE = re.compile(r"(?:Z|([+-])(\d\d):?(\d\d))", re.ASCII)
_MOMENT = re.compile(
    rf"({_DATE.pattern})[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)({_ZONE.pattern})?", re.ASCII | re.IGNORECASE
)
_INTERVAL = re.compile(r"P(?=.)(?:(\d+)M)?(?:(\d+)D)?(?:T(-?)(\d+)(?:\.(\d{1,9}))?S)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,40}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_NOT_FINITE = {"nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"}
_TRUTHS = {"true": True, "false": False}
# Digits of a number that are written out, as an exponent of a few digits could stand for gigabytes of them.
_MOST_DIGITS = 1000


def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, whose members have a name each."""
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"the member {twice!r} is there twice")
    return found


def parsed(text: str) -> Any:
    """A value of JSON with all digits of its numbers.

    Raises:
        ValueError: it is none.
    """
    try:
        return json.loads(text, parse_float=decimal.Decimal, object_pairs_hook=members)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def array(values: Sequence[Any], kind: pa.DataType, place: Place, *, cells: bool) -> Any:
    """An Arrow array of values of JSON, or of the cells of a csv, in which lists and objects are JSON.

    Raises:
        EncodeError: a value does not fit the type.
    """
    if cells and types.is_nested(kind):
        values, cells = _converted(values, _json_cell, place), False
    if types.is_struct(kind):
        return _structs(values, kind, place)
    if types.is_map(kind):
        return _maps(values, kind, place)
    if types.is_list(kind) or types.is_large_list(kind):
        return _lists(values, kind, place)
    made, stored = _conversion(kind, cells=cells)
    found = pa.array(_converted(values, _in_range(made, stored), place), stored)
    return found.view(kind) if types.is_temporal(kind) and not types.is_interval(kind) else found


def _conversion(kind: Any, *, cells: bool) -> tuple[Callable[[Any], Any], pa.DataType]:
    """What makes a value of a type, and the type of the numbers, texts or bytes that it makes."""
    number = (
        pa.int64() if types.is_temporal(kind) and not types.is_interval(kind) and kind.bit_width == 64 else pa.int32()
    )
    conversions: tuple[tuple[Callable[[Any], bool], Callable[[Any], Any], pa.DataType], ...] = (
        (_is_text, _text, pa.string()),
        (types.is_boolean, _truth_cell if cells else _truth, kind),
        (types.is_integer, _whole_cell if cells else _whole, kind),
        (types.is_floating, _float(kind, cells=cells), kind),
        (types.is_decimal, _decimal, pa.string()),
        (_is_binary, _bytes, pa.binary()),
        (types.is_date32, _date, number),
        (types.is_timestamp, lambda value: _timestamp(value, kind), number),
        (types.is_time, lambda value: _clock(_text(value), kind.unit), number),
        (types.is_interval, _interval, kind),
        (types.is_null, _nothing, kind),
    )
    for is_one, made, stored in conversions:
        if is_one(kind):
            return made, stored
    raise ConfigError(f"files of texts have no form of {kind}: write it from parquet or arrow")


def moments(values: Sequence[Any], place: Place, *, cells: bool) -> Any:
    """The timestamps of messages: points in time as texts, or whole numbers of milliseconds."""
    whole = [value for value in values if value is not None]
    if all(_WHOLE.fullmatch(value) if cells else isinstance(value, int) for value in whole):
        return array(values, pa.int64(), place, cells=cells)
    return array(values, pa.timestamp("ms", "UTC"), place, cells=cells)


def headers(values: Sequence[Any], place: Place, *, cells: bool) -> Any:
    """The headers of messages: as `read` writes them, with values in base64, or objects of names and texts."""
    if cells:
        values = _converted(values, _json_cell, place)
    kind = pa.list_(pa.struct([pa.field("key", pa.string()), pa.field("value", pa.binary())]))
    return array(_converted(values, _pairs, place), kind, place, cells=False)


def _pairs(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return [
        {"key": name, "value": None if text is None else base64.b64encode(_text(text).encode()).decode()}
        for name, text in value.items()
    ]


def _converted(values: Sequence[Any], convert: Callable[[Any], Any], place: Place) -> list[Any]:
    """The values, of which the first that cannot be converted is named."""
    try:
        return [None if value is None else convert(value) for value in values]
    except (ValueError, OverflowError):
        index, error = next((index, error) for index, value in enumerate(values) if (error := _fault(convert, value)))
        raise place.refused(index, _shown(values[index]), error) from error


def _fault(convert: Callable[[Any], Any], value: Any) -> Exception | None:
    try:
        if value is not None:
            convert(value)
    except (ValueError, OverflowError) as error:
        return error
    return None


def _shown(value: Any) -> Any:
    return float(value) if isinstance(value, decimal.Decimal) and abs(value.adjusted()) < 300 else value


def _in_range(made: Callable[[Any], Any], stored: pa.DataType) -> Callable[[Any], Any]:
    """A conversion into what the array's memory has room for."""
    if not types.is_integer(stored):
        return made
    signed, bits = types.is_signed_integer(stored), stored.bit_width
    least, end = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)

    def bounded(value: Any) -> Any:
        number = made(value)
        if not least <= number < end:
            raise ValueError(f"it is out of the range of {stored}")
        return number

    return bounded


def _is_text(kind: Any) -> bool:
    """Whether values are texts: those of enums and uuids are."""
    return types.is_string(kind) or types.is_dictionary(kind) or isinstance(kind, pa.BaseExtensionType)


def _is_binary(kind: Any) -> bool:
    return types.is_binary(kind) or types.is_fixed_size_binary(kind)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("it must be a text")  # noqa: TRY004  # which is caught with the others
    value.encode()  # half of a surrogate pair is no text
    return value


def _json_cell(value: str) -> Any:
    try:
        return parsed(value)
    except ValueError as error:
        raise ValueError(f"the cell of a list or record must be JSON: {error}") from None


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("it must be a list")  # noqa: TRY004  # likewise
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("it must be true or false")  # noqa: TRY004  # likewise
    return value


def _truth_cell(value: str) -> bool:
    if value.lower() not in _TRUTHS:
        raise ValueError("it must be true or false")
    return _TRUTHS[value.lower()]


def _nothing(_: Any) -> None:
    raise ValueError("it must be null")


def _whole_cell(value: str) -> int:
    if not _WHOLE.fullmatch(value):
        raise ValueError("it must be a whole number")
    return int(value)


def _whole(value: Any) -> int:
    if isinstance(value, decimal.Decimal) and abs(value.adjusted()) < _MOST_DIGITS and value == int(value):
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("it must be a whole number")  # noqa: TRY004  # likewise
    return value


def _float(kind: pa.DataType, *, cells: bool) -> Callable[[Any], float]:
    most = 3.4028235677973366e38 if types.is_float32(kind) else math.inf  # above it the nearest float is infinite

    def convert(value: Any) -> float:
        if isinstance(value, str):
            if value.lower() in _NOT_FINITE:
                return float(value)
            if not cells or not _NUMBER.fullmatch(value):
                raise ValueError("it must be a number")
        elif isinstance(value, float):  # a NaN or Infinity that stands there without quotes
            return value
        elif isinstance(value, bool) or not isinstance(value, (int, decimal.Decimal)):
            raise ValueError("it must be a number")  # noqa: TRY004  # likewise
        found = float(value)
        if abs(found) >= most or math.isinf(found):
            raise ValueError(f"it is out of the range of {kind}")
        return found

    return convert


def _decimal(value: Any) -> str:
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            raise ValueError("it must be a number")
        value = decimal.Decimal(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, decimal.Decimal):
        raise ValueError("it must be a number, or a text of one")  # noqa: TRY004  # likewise
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or abs(exponent) > _MOST_DIGITS:
        raise ValueError(f"it has more than {_MOST_DIGITS:,} digits")
    return format(value, "f")


def _bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(_text(value), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("bytes must be in base64, as the command read writes them") from None


def _date(value: Any) -> int:
    found = _DATE.fullmatch(_text(value))
    if found is None:
        raise ValueError("it must be a date such as 2026-01-31")
    return _days(*map(int, found.groups()))


def _days(year: int, month: int, day: int) -> int:
    cycle, rest = divmod(year - 1, _CYCLE_YEARS)
    return date(rest + 1, month, day).toordinal() - 1 + cycle * _CYCLE_DAYS + _FIRST_DAY


def _clock(text: str, unit: str) -> int:
    per_second = _PER_SECOND[unit]
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise ValueError("it must be a time such as 13:05:00.250")
    sign, hours, minutes, seconds, digits = found.groups()
    if int(minutes) > 59 or int(seconds or 0) > 59:
        raise ValueError("an hour has 60 minutes, and a minute 60 seconds")
    whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds or 0)
    rest, too_fine = divmod(int(digits or 0) * per_second, 10 ** len(digits or ""))
    if too_fine:
        raise ValueError(f"it is finer than its type, which has {unit}")
    exact: int = whole * per_second + rest
    return -exact if sign else exact


def _timestamp(value: Any, kind: Any) -> int:
    if isinstance(value, (int, decimal.Decimal)):
        raise ValueError("the unit of a number would be a guess: write it as 2026-01-31T13:05:00Z")  # noqa: TRY004
    found = _MOMENT.fullmatch(_text(value))
    if found is None:
        raise ValueError("it must be a timestamp such as 2026-01-31T13:05:00Z")
    _, year, month, day, clock, zone, sign, hours, minutes = found.groups()
    if kind.tz is not None and not zone:
        raise ValueError("it has no time zone, and the field is a point in time: end it with Z, or +01:00")
    if zone and kind.tz is None:
        raise ValueError("it is a point in time, and the field is the time on a clock: leave out the time zone")
    if int(clock[:2]) > 23:
        raise ValueError("a day has 24 hours")
    offset = (int(hours) * 60 + int(minutes)) * 60 * (-1 if sign == "-" else 1) if sign else 0
    seconds: int = _days(int(year), int(month), int(day)) * _DAY - offset
    per_second: int = _PER_SECOND[kind.unit]
    return seconds * per_second + _clock(clock, kind.unit)


def _interval(value: Any) -> tuple[int, int, int]:
    found = _INTERVAL.fullmatch(_text(value))
    if found is None:
        raise ValueError("it must be a duration such as P1M2DT3.004S")
    months, days, sign, seconds, digits = found.groups()
    nanoseconds = int(seconds or 0) * 10**9 + int((digits or "").ljust(9, "0"))
    parts = int(months or 0), int(days or 0), -nanoseconds if sign else nanoseconds
    if max(parts[:2]) >= 2**31 or abs(parts[2]) >= 2**63:
        raise ValueError("it is out of the range of a duration")
    return parts


def _offsets(rows: Sequence[Any], place: Place) -> tuple[Any, Callable[[int], int]]:
    """The offsets of lists, null where a list is, and the row of each item."""
    ends = list(itertools.accumulate((0 if row is None else len(row) for row in rows), initial=0))
    offsets = pa.array(
        [None if row is None else end for row, end in zip(rows, ends, strict=False)] + ends[-1:], pa.int32()
    )
    owners = [index for index, row in enumerate(rows) for _ in range(0 if row is None else len(row))]
    return offsets, lambda index: place.row(owners[index])


def _lists(values: Sequence[Any], kind: Any, place: Place) -> Any:
    rows = _converted(values, _list, place)
    offsets, row = _offsets(rows, place)
    items = list(itertools.chain.from_iterable(value for value in rows if value is not None))
    return pa.ListArray.from_arrays(offsets, array(items, kind.value_type, place.below("item", row), cells=False))


def _maps(values: Sequence[Any], kind: Any, place: Place) -> Any:
    """A map, as a list of pairs: of objects, or of lists of pairs, which keys that repeat are written as."""
    rows = _converted(values, _entries, place)
    offsets, row = _offsets(rows, place)
    pairs = list(itertools.chain.from_iterable(value for value in rows if value is not None))
    keys = array([key for key, _ in pairs], pa.string(), place.below("key", row), cells=False)
    items = array([item for _, item in pairs], kind.item_type, place.below("value", row), cells=False)
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays([keys, items], ["key", "value"]))


def _entries(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in value):
        return value
    raise ValueError("a map must be an object, or a list of pairs")


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("it must be an object")  # noqa: TRY004  # likewise
    return value


def _structs(values: Sequence[Any], kind: Any, place: Place) -> Any:
    """Objects, as structs of the members that they have: others are missing fields."""
    rows = _converted(values, _object, place)
    known = {field.name: field for field in kind}
    names = dict.fromkeys(itertools.chain.from_iterable(row for row in rows if row is not None))
    if known and not names and any(row is not None for row in rows):
        names = dict.fromkeys(known) if all(field.nullable for field in kind) else names
    kids = []
    for name in names:
        below = place.below(name)
        found = [None if row is None else row.get(name) for row in rows]
        if name not in known:
            kids.append(pa.nulls(len(rows)))  # whose name is all that counts: the schema does not have it
            continue
        for index, row in enumerate(rows):
            if row is not None and name not in row and not known[name].nullable:
                raise place.refused(index, row, f"it has no member {name!r}, which others have")
        kids.append(array(found, known[name].type, below, cells=False))
    if not names:
        return pa.array(rows, pa.struct([]))
    return pa.StructArray.from_arrays(kids, list(names), mask=pa.array([row is None for row in rows]))
