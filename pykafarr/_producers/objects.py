"""Python objects as Arrow arrays: each as the type that it has of itself, so that no value is changed on the way.

Whether a value fits its field is decided by the encoder, as for columns that were Arrow's from the beginning.
"""

from __future__ import annotations

import collections
import contextlib
import datetime as dt
import decimal
import itertools
import math
import operator
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from .._errors import EncodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_FLOATS = (float, np.floating)
_LISTS = (list, tuple, set, frozenset, collections.deque, range)
# What pyarrow raises for a value that does not fit.
_FAILURES = (TypeError, ValueError, OverflowError, ArithmeticError, AttributeError, KeyError)
_NULL = "null"
# The types of values that the types of fields take; others are refused with their row.
_TAKEN = {
    "bool": {"bool"},
    "int": {"int", "float", "decimal"},
    "float": {"int", "float"},
    "string": {"str", "bytes", "uuid", "decimal", "int"},  # numbers: of a big-decimal
    "bytes": {"str", "bytes", "uuid"},
    "uuid": {"str", "bytes", "uuid"},
    "enum": {"str"},
    "decimal": {"decimal", "int", "str"},
    "date": {"date"},
    "time": {"time"},
    "datetime": {"datetime"},
    "list": {"list"},
    "map": {"dict", "list"},
}
_NO_ZONE = "it has no time zone, and the field is a point in time: say which zone it is in, as by tz_localize"
_NO_CLOCK = "it is a point in time, and the field is the time on a clock: say on which, as by replace(tzinfo=None)"
_HINTS = {
    ("datetime", "date"): "call its date() if the time of day does not matter",
    ("date", "datetime"): "say at which time of the day: make it a datetime",
    ("int", "date"): "the unit of a number would be a guess: make it a date",
    ("int", "time"): "the unit of a number would be a guess: make it a time",
    ("int", "datetime"): "the unit of a number would be a guess: make it a datetime",
    ("float", "decimal"): "a float is seldom exactly the number that is meant: make it a Decimal or a text",
    ("decimal", "float"): "make it a float",
}


class Place(NamedTuple):
    """Where values are: their field, and the row of the frame that each of them is in."""

    path: str
    row: Callable[[int], int]

    def below(self, name: str, row: Callable[[int], int] | None = None) -> Place:
        return Place(f"{self.path}.{name}", row or self.row)

    def refused(self, index: int, value: Any, why: object, what: str = "") -> EncodeError:
        """The error of a value."""
        shown = "a value"
        with contextlib.suppress(Exception):
            shown = repr(value)
        if len(shown) > 200:
            shown = shown[:200] + "…"
        row = self.row(index)
        text = f"{self.path}: row {row}: {shown} cannot be written{what}: {why}"
        return EncodeError(text, path=self.path, offset=row)


def array(values: Sequence[Any], field: pa.Field[Any] | None, place: Place) -> Any:
    """An Arrow array of Python objects.

    None, NaT, pd.NA and NaN are nulls, but for a NaN where the field is a float that cannot be null.

    Args:
        values: the objects.
        field: what the schema has for them; None: nothing, or it is derived from them.
        place: where they are, for errors.

    Raises:
        EncodeError: a value fits neither the field nor the others.
    """
    wanted = None if field is None else _wanted(field.type)
    kinds = {type_: _kind(type_) for type_ in set(map(type, values))}
    if "arrow" in kinds.values():
        return array([value.as_py() if isinstance(value, pa.Scalar) else value for value in values], field, place)
    nan = wanted == "float" and field is not None and not field.nullable
    values, kinds = _with_nulls(values, kinds, nan=nan)
    found = set(kinds.values()) - {_NULL}
    if not found:
        return pa.nulls(len(values)) if field is None else pa.array(values, field.type)
    tuples = "list" in found and all(type_ is tuple or kind != "list" for type_, kind in kinds.items())
    if wanted == "struct" and tuples:
        values, found = _named(values, field, place), {"dict"}
    elif wanted == "map" and found == {"dict", "list"}:
        values, found = [list(v.items()) if isinstance(v, Mapping) else v for v in values], {"list"}
    elif wanted == "interval":
        return _built(values, pa.month_day_nano_interval(), place)
    elif wanted in _TAKEN and (wrong := found - _TAKEN[wanted]):
        index = next(index for index, value in enumerate(values) if kinds[type(value)] in wrong)
        taken = f"it must be one of {', '.join(sorted(_TAKEN[wanted]))}"
        why = _HINTS.get((kinds[type(values[index])], wanted), taken)
        raise place.refused(index, values[index], why, f" as {field.type}" if field is not None else "")
    if len(found) == 1:
        return _of_one_kind(values, found.pop(), wanted, field, place)
    return _mixed(values, kinds, found, wanted, place)


def _of_one_kind(
    values: Sequence[Any], kind: str, wanted: str | None, field: pa.Field[Any] | None, place: Place
) -> Any:
    if kind == "int":
        return _integers(values, wanted, place)
    if kind == "decimal" and wanted == "int":
        return _integers(_whole(values, place), wanted, place)
    if kind in ("str", "bytes"):
        return _texts(values, kind, wanted, place)
    if kind == "uuid":
        return _uuids(values, wanted, place)
    if kind == "datetime":
        return _datetimes(values, field, place)
    if kind == "time":
        for index, value in enumerate(values):
            if value is not None and value.tzinfo is not None:
                raise place.refused(index, value, "a time of the day has no time zone here: remove it")
        return _built(values, pa.time64("us"), place)
    if kind == "timedelta":
        exact = any(getattr(value, "nanoseconds", 0) for value in values)
        return _built(values, pa.duration("ns" if exact else "us"), place)
    if kind == "list":
        return _lists(values, wanted, field, place)
    if kind == "dict":
        return _maps(values, field, place) if wanted == "map" else _structs(values, field, place)
    if kind == "decimal" and wanted == "decimal" and field is not None:
        # Without a type they would be gone through once more, for the scale. What does not fit is the encoder's error.
        with contextlib.suppress(pa.ArrowException, *_FAILURES):
            return pa.array(values, type=field.type, from_pandas=True)
    plain: dict[str, pa.DataType] = {"bool": pa.bool_(), "date": pa.date32(), "float": pa.float64()}
    # What is NaN by now is a number.
    return _built(values, plain.get(kind), place, from_pandas=kind != "float")


def _mixed(
    values: Sequence[Any],
    kinds: dict[type, str],
    found: set[str],
    wanted: str | None,
    place: Place,
) -> Any:
    """Values of several types, which have an Arrow type in common."""
    if found <= {"int", "float", "decimal"} and wanted == "int":
        return _integers(_whole(values, place), wanted, place)
    if found == {"int", "float"}:
        return _built(values, pa.float64(), place, from_pandas=False)
    if found == {"int", "decimal"}:
        return _built([None if value is None else decimal.Decimal(value) for value in values], None, place)
    if found <= {"str", "bytes", "uuid"} and wanted in ("string", "bytes", "uuid"):
        form = str if wanted == "string" or "str" in found else operator.attrgetter("bytes")
        return _texts([form(v) if isinstance(v, uuid.UUID) else v for v in values], "bytes", wanted, place)
    first = next(index for index, value in enumerate(values) if kinds[type(value)] != _NULL)
    usual = kinds[type(values[first])]
    index = next(index for index, value in enumerate(values) if kinds[type(value)] not in (_NULL, usual))
    why = f"row {place.row(first)} has one of the type {type(values[first]).__name__}: make them of one type"
    raise place.refused(index, values[index], why)


def _with_nulls(values: Sequence[Any], kinds: dict[type, str], *, nan: bool) -> tuple[Sequence[Any], dict[type, str]]:
    """Values with None for what is a null, and their types.

    nan: whether NaN is a number.
    """
    others = {type_ for type_, kind in kinds.items() if kind == _NULL and type_ is not type(None)}
    changed = bool(others)
    if others:
        values = [None if type(value) in others else value for value in values]
    if any(_is_numpy_time(type_) for type_ in kinds):
        values, changed = [_python_time(value) for value in values], True
    if any(kind == "decimal" or (kind == "float" and not nan) for kind in kinds.values()):
        values, found = _without_nan(values)
        changed = changed or found
    return (values, {type_: _kind(type_) for type_ in set(map(type, values))}) if changed else (values, kinds)


def _without_nan(values: Sequence[Any]) -> tuple[Sequence[Any], bool]:
    """Values with None for NaN, and whether there was one."""
    held = np.fromiter(values, object, len(values))  # of lists of one length, np.array would make a table
    try:
        candidates = np.flatnonzero(pd.isna(held))  # of all values at once; which of them are NaN is looked at here
    except ArithmeticError:  # a signaling NaN of decimal
        candidates = np.arange(len(values))
    found = [index for index in candidates if _is_nan(held[index])]
    if not found:
        return values, False
    held[found] = None
    return held.tolist(), True


def _is_nan(value: Any) -> bool:
    if isinstance(value, decimal.Decimal):
        return value.is_nan()
    return isinstance(value, _FLOATS) and math.isnan(value)


def _is_numpy_time(type_: type) -> bool:
    return type_.__module__ == "numpy" and type_.__name__ in ("datetime64", "timedelta64")


def _python_time(value: Any) -> Any:
    """A time of numpy as one of pandas, which keeps its digits."""
    if not _is_numpy_time(type(value)):
        return value
    made = pd.Timestamp(value) if type(value).__name__ == "datetime64" else pd.Timedelta(value)
    return None if made is pd.NaT else made


def _kind(type_: type) -> str:
    """What values of a Python type are."""
    if type_ in (type(None), type(pd.NA), type(pd.NaT)):
        return _NULL
    ordered: tuple[tuple[Any, str], ...] = (
        ((bool, np.bool_), "bool"),
        ((dt.timedelta, np.timedelta64), "timedelta"),  # numpy's is an integer, too
        ((int, np.integer), "int"),
        ((float, np.floating), "float"),
        (decimal.Decimal, "decimal"),
        (str, "str"),
        ((bytes, bytearray, memoryview), "bytes"),
        ((dt.datetime, np.datetime64), "datetime"),
        (dt.date, "date"),
        (dt.time, "time"),
        (uuid.UUID, "uuid"),
        (Mapping, "dict"),
        ((*_LISTS, np.ndarray, pd.Series, pd.Index, pd.api.extensions.ExtensionArray, pa.Array), "list"),
        (pa.Scalar, "arrow"),
    )
    return next((kind for types, kind in ordered if issubclass(type_, types)), type_.__name__)


def _wanted(type_: pa.DataType) -> str | None:
    """What a field's values are; None: of more than one type, or of one that only Arrow has."""
    if isinstance(type_, pa.BaseExtensionType):
        return "uuid" if type_.extension_name == "arrow.uuid" else None
    t = pa.types
    ordered = (
        (t.is_boolean, "bool"),
        (t.is_integer, "int"),
        (t.is_floating, "float"),
        (t.is_string, "string"),
        (t.is_binary, "bytes"),
        (t.is_fixed_size_binary, "bytes"),
        (t.is_dictionary, "enum"),
        (t.is_decimal, "decimal"),
        (t.is_date, "date"),
        (t.is_time, "time"),
        (t.is_timestamp, "datetime"),
        (t.is_interval, "interval"),
        (t.is_map, "map"),
        (t.is_list, "list"),
        (t.is_struct, "struct"),
    )
    return next((name for is_one, name in ordered if is_one(type_)), None)


def _built(values: Sequence[Any], type_: pa.DataType | None, place: Place, *, from_pandas: bool = True) -> Any:
    """An array of a type that holds each of the values exactly; the error is that of the first that it does not."""
    try:
        return pa.array(values, type=type_, from_pandas=from_pandas)
    except (pa.ArrowException, *_FAILURES) as error:
        for index, value in enumerate(values):
            if why := _failure(value, type_):
                raise place.refused(index, value, why) from error
        raise EncodeError(f"{place.path}: {error}", path=place.path) from error


def _failure(value: Any, type_: pa.DataType | None) -> Exception | None:
    try:
        pa.array([value], type=type_, from_pandas=True)
    except (pa.ArrowException, *_FAILURES) as why:
        return why
    return None


def _integers(values: Sequence[Any], wanted: str | None, place: Place) -> Any:
    for type_ in (pa.int64(), pa.uint64()):
        with contextlib.suppress(pa.ArrowException, OverflowError, TypeError, ValueError):
            return pa.array(values, type=type_, from_pandas=True)
    if wanted in ("decimal", "string"):
        return _built([None if value is None else decimal.Decimal(int(value)) for value in values], None, place)
    return _built(values, pa.int64(), place)


def _whole(values: Sequence[Any], place: Place) -> list[int | None]:
    """Numbers of any type that are whole."""
    out: list[int | None] = []
    for index, value in enumerate(values):
        if value is None:
            out.append(None)
            continue
        try:
            number = int(value)
        except (ValueError, OverflowError) as error:  # an infinity
            raise place.refused(index, value, "it must be a whole number") from error
        if number != value:
            raise place.refused(index, value, "it must be a whole number")
        out.append(number)
    return out


def _texts(values: Sequence[Any], kind: str, wanted: str | None, place: Place) -> Any:
    text = wanted == "string" or (kind == "str" and wanted != "bytes")
    found = _built(values, pa.string() if text else pa.binary(), place)
    if isinstance(found, pa.ChunkedArray):  # more than 2 GiB
        return _built(values, pa.large_string() if text else pa.large_binary(), place)
    return found


def _uuids(values: Sequence[Any], wanted: str | None, place: Place) -> Any:
    if wanted == "string" or (wanted is None and not hasattr(pa, "uuid")):
        return _built([None if value is None else str(value) for value in values], pa.string(), place)
    found = _built([None if value is None else value.bytes for value in values], pa.binary(16), place)
    return pa.ExtensionArray.from_storage(pa.uuid(), found) if wanted is None else found


def _datetimes(values: Sequence[Any], field: pa.Field[Any] | None, place: Place) -> Any:
    zoned = [None if value is None else value.tzinfo is not None for value in values]
    if field is not None and pa.types.is_timestamp(field.type):
        wrong = field.type.tz is None
        why = _NO_CLOCK if wrong else _NO_ZONE
    else:
        wrong = not next(zone for zone in zoned if zone is not None)
        why = (
            "those before have no time zone, and it has" if wrong else "those before have a time zone, and it has none"
        )
    if wrong in zoned:
        index = zoned.index(wrong)
        raise place.refused(index, values[index], why)
    exact = any(getattr(value, "nanosecond", 0) for value in values)
    return _built(values, pa.timestamp("ns" if exact else "us", "UTC" if True in zoned else None), place)


def _offsets(values: Sequence[Any], place: Place) -> tuple[Any, Callable[[int], int]]:
    """The offsets of lists, null where a list is, and the rows of their items."""
    try:
        lengths = [0 if value is None else len(value) for value in values]
    except TypeError as error:  # an array of no dimension
        index = next(index for index, value in enumerate(values) if value is not None and not hasattr(value, "__len__"))
        raise place.refused(index, values[index], error) from error
    ends = np.cumsum([0, *lengths])
    nulls = np.array([*(value is None for value in values), False])

    def row(index: int) -> int:
        return place.row(int(np.searchsorted(ends, index, "right")) - 1)

    return pa.array(ends, pa.int32(), mask=nulls), row


def _lists(values: Sequence[Any], wanted: str | None, field: pa.Field[Any] | None, place: Place) -> Any:
    offsets, row = _offsets(values, place)
    if wanted == "map":
        pairs = list(itertools.chain.from_iterable(value for value in values if value is not None))
        return _pairs(pairs, field, offsets, place, row)
    item = field.type.value_field if field is not None and wanted == "list" else None
    return pa.ListArray.from_arrays(offsets, _items(values, item, place.below("item", row)))


def _items(values: Sequence[Any], item: pa.Field[Any] | None, place: Place) -> Any:
    """The items of lists, one after the other."""
    lists = [value for value in values if value is not None]
    numbers = {(value.dtype, value.ndim) if isinstance(value, np.ndarray) else None for value in lists}
    if len(numbers) == 1 and (number := next(iter(numbers))) and number[0].kind in "iufbM" and number[1] == 1:
        nan = item is not None and not item.nullable and pa.types.is_floating(item.type)
        with contextlib.suppress(pa.ArrowException):  # of a unit that Arrow lacks
            return pa.array(np.concatenate(lists), from_pandas=not nan)
    return array(list(itertools.chain.from_iterable(lists)), item, place)


def _maps(values: Sequence[Any], field: pa.Field[Any] | None, place: Place) -> Any:
    offsets, row = _offsets(values, place)
    pairs = list(itertools.chain.from_iterable(value.items() for value in values if value is not None))
    return _pairs(pairs, field, offsets, place, row)


def _pairs(
    pairs: Sequence[Any], field: pa.Field[Any] | None, offsets: Any, place: Place, row: Callable[[int], int]
) -> Any:
    """A map, as a list of pairs."""
    for index, pair in enumerate(pairs):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise Place(place.path, row).refused(index, pair, "a map is a dict, or a list of pairs")
    kind = None if field is None else field.type
    keys = array([key for key, _ in pairs], kind and kind.key_field, place.below("key", row))
    items = array([item for _, item in pairs], kind and kind.item_field, place.below("value", row))
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays([keys, items], ["key", "value"]))


def _named(values: Sequence[Any], field: Any, place: Place) -> list[Any]:
    """Tuples as dicts, by the order of the members."""
    names = [member.name for member in field.type]
    out = []
    for index, value in enumerate(values):
        if isinstance(value, tuple):
            if len(value) != len(names):
                raise place.refused(index, value, f"a tuple must have a value for each of {', '.join(names)}")
            value = dict(zip(names, value, strict=True))  # noqa: PLW2901  # the same value
        out.append(value)
    return out


def _structs(values: Sequence[Any], field: pa.Field[Any] | None, place: Place) -> Any:
    """Dicts as structs of the members that they have."""
    names = dict.fromkeys(itertools.chain.from_iterable(value for value in values if value is not None))
    for name in names:
        if not isinstance(name, str):
            index = next(index for index, value in enumerate(values) if value is not None and name in value)
            raise place.refused(index, values[index], f"its key {name!r} must be a str")
    if not names:
        return pa.array(values, pa.struct([]))
    members: Any = field.type if field is not None and pa.types.is_struct(field.type) else ()
    known = {member.name: member for member in members}
    is_record = any(not member.nullable for member in known.values())
    kids = []
    for name in names:
        below = place.below(name)
        found = [None if value is None else value.get(name) for value in values]
        if name in known:
            if is_record:
                _look_for_gaps(values, name, below)
            kids.append(array(found, known[name], below))
            continue
        try:
            kids.append(array(found, None, below))
        except EncodeError:
            if not known.keys() & names.keys():
                raise
            kids.append(pa.nulls(len(values)))  # whose name is all that counts: the schema does not have it
    nulls = np.array([value is None for value in values])
    return pa.StructArray.from_arrays(kids, list(names), mask=pa.array(nulls))


def _look_for_gaps(values: Sequence[Any], name: str, place: Place) -> None:
    """Raises the error of a dict without a key that others have: what is meant by that is not known."""
    for index, value in enumerate(values):
        if value is not None and name not in value:
            why = f"it has no key {name!r}, which others have: give it one (None is null), or none of them"
            raise place.refused(index, value, why)
