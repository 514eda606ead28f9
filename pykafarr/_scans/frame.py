"""One frame of a range of topics, in an order that is the same in every run: `read_frame()`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast, get_args

from .._errors import ConfigError
from .._options import checks, offsets
from .._options.keywords import hide_secrets
from .._options.scans import is_registered, listed
from .._options.secrets import Hidden
from . import keys
from .handle import only_schema
from .plan import Plan
from .scan import scan

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa
    from typing_extensions import Unpack

    from .._options.offsets import Time
    from .._options.scans import ScanOptions
    from .._options.secrets import Secret

Frame: TypeAlias = Literal["pandas", "arrow", "polars"]
Order: TypeAlias = Literal["offset", "timestamp"]

# The metadata that rows are ordered by, and the columns that hold it while they are. No field has such a name.
_PLACE = ("topic", "partition", "offset", "timestamp")
_OWN = "\N{WORD JOINER}{}"


@hide_secrets
def read_frame(
    topics: str | Iterable[str],
    *,
    servers: str | Iterable[str] | None = None,
    registry_url: str | Secret | None = None,
    since: Time | None = None,
    until: Time | None = None,
    partitions: int | Iterable[int] | None = None,
    limit: int | None = None,
    tail: int | None = None,
    order: Order = "offset",
    frame: Frame = "pandas",
    **options: Unpack[ScanOptions],
) -> pd.DataFrame | pa.Table | pl.DataFrame:
    """Reads a range of topics, of one message type, as one frame: all that is there now, unless told otherwise.

    The rows are the same, and in the same order, in each run over the same range. All versions of a type are read as
    the newest that is registered for the topic, unless `reader_schema` says otherwise. Where no row is in the range,
    the frame is empty and has the columns of the topic's schema. All rows are in memory: `pykafarr.scan()` streams.

    Args:
        topics: as in `scan()`.
        servers: as in `scan()`; None: the variable PYKAFARR_SERVERS.
        registry_url: as in `scan()`; None: the variable PYKAFARR_REGISTRY_URL, and no registry without it.
        since: rows of this time or later, by the rule of `start`, which it replaces: "1h" is an hour ago, and so is
            a timedelta; else a time as `start` takes it.
        until: up to this time, exclusive, likewise for `end`.
        partitions: the numbers of the partitions to read, of each topic; None: all.
        limit: at most so many rows: the first ones of the frame.
        tail: at most so many rows: the newest ones. Of each partition its last rows by offset count, and of those the
            newest by timestamp, over all partitions. Gaps that transactions and compaction leave do not count.
        order: "offset": by topic, partition and offset. "timestamp": by timestamp first, then likewise.
        frame: "pandas" gives a pandas.DataFrame, "arrow" a pyarrow.Table, "polars" a polars.DataFrame.
        **options: as in `scan()`, with three differences. `message_type` chooses the type, where there are several.
            `metadata` is by default the offset, with the partition where several are read and the topic where several
            are. `errors="collect"` is refused: a frame has no place for rejected rows.

    Raises:
        ConfigError: an argument is wrong, there are rows of several message types, or no servers are named.
        ImportError: polars is asked for, and not installed.
        What `scan()` and `Stream` raise besides.
    """
    checks.choice("frame", frame, get_args(Frame))
    checks.choice("order", order, get_args(Order))
    if limit is not None and tail is not None:
        raise ConfigError("limit and tail exclude each other: the first rows, or the newest ones")
    rows = next((checks.integer(*one, 1, 2**31 - 1) for one in (("limit", limit), ("tail", tail)) if one[1]), None)
    if rows is None and (limit is not None or tail is not None):
        raise ConfigError("limit and tail must be 1 or more")
    if options.get("errors") == "collect":
        raise ConfigError('errors="collect": a frame has no place for rejected rows: use "skip", or pykafarr.read()')
    if frame == "polars":
        import polars  # noqa: F401, ICN001, PLC0415  # an optional dependency, missed before all is read

    given: dict[str, Any] = listed(options)
    for name, time, place in (("since", since, "start"), ("until", until, "end")):
        if time is not None:
            if place in given:
                raise ConfigError(f"{name} and {place} exclude each other")
            given[place] = _time(name, time)
    if is_registered(given.get("value", "avro"), given.get("framing", "confluent")):
        given.setdefault("reader_schema", "latest")
    message_type = given.pop("message_type", None)
    if message_type is not None and given.get("framing") == "bare":
        given["message_type"] = message_type  # there it says what the values are, too
    asked = checks.metadata_columns(given.pop("metadata", ("offset",)), with_key=given.get("key") is not None)
    plan = scan(
        _set("servers", servers) or "",
        topics,
        _set("registry_url", registry_url),
        **cast("ScanOptions", {**given, "metadata": {name: _OWN.format(name) for name in _PLACE}}),
    )
    data = plan._data
    if partitions is not None:
        data = {**data, "partitions": _of_numbers(partitions, data["partitions"])}
    if "metadata" not in options:
        ranges = data["partitions"]
        several = {"_topic": len({one[0] for one in ranges}) > 1, "_partition": len(ranges) > 1}
        asked = [*((name, name) for name, is_one in several.items() if is_one), *asked]
    columns = [(name.removeprefix("_"), column) for name, column in asked]
    # A column of the caller's own has the place of the one that rows are ordered by, and may have two names.
    more = {name: _OWN.format(name) for name in dict.fromkeys([*_PLACE, *(name for name, _ in columns)])}
    plan = Plan(plan._options.changed({"metadata": more}), data, None)
    table = _Rows(plan, message_type).read(rows, newest=tail is not None, by_time=order == "timestamp")
    table = _renamed(table, columns)
    found: pd.DataFrame | pa.Table | pl.DataFrame = _as(table, frame, plan)
    return found


def _time(name: str, value: object) -> offsets.Milliseconds:
    found = offsets.time_of(name, value)
    if found is None:
        raise TypeError(f"{name} must be a time or a duration, such as '1h', a timedelta or a datetime: see start=")
    return offsets.Milliseconds(found)


def _set(name: str, value: Any) -> Any:
    """An argument, or what the variable of its name says."""
    if value is not None:
        return value
    variable = f"PYKAFARR_{name.upper()}"
    if found := os.environ.get(variable):
        return Hidden(found)
    if name == "servers":
        raise ConfigError(f"servers must be given: as an argument, or by the variable {variable}")
    return None


def _of_numbers(given: object, ranges: list[Any]) -> list[Any]:
    """The ranges of some partitions."""
    if checks.is_integer(given):
        given = [given]
    if not isinstance(given, Iterable) or isinstance(given, (str, bytes)):
        raise TypeError("partitions must be a list of int")
    wanted = {checks.integer("partitions", one, 0, 2**31 - 1) for one in given}
    there = {one[1] for one in ranges}
    if not wanted or wanted - there:
        known = ", ".join(map(str, sorted(there)))
        raise ConfigError(f"partitions: there is no {min(wanted - there, default='number')}: there are {known}")
    return [one for one in ranges if one[1] in wanted]


class _Rows:
    """The rows of one message type of a plan, or the first or last ones of them."""

    def __init__(self, plan: Plan, message_type: str | None) -> None:
        self._plan = plan
        self._type = message_type

    def read(self, count: int | None, *, newest: bool, by_time: bool) -> pa.Table:
        import numpy as np  # noqa: PLC0415  # which importing pykafarr does not load

        if count is None:
            return _sorted(self._table(self._plan._data["partitions"]), by_time=by_time)
        table = _sorted(self._candidates(count, newest=newest), by_time=False)
        topic, partition, _, _ = _keys(table)
        # Of each partition the rows that count; its rows lie together, in the order of offsets.
        change = (topic[1:] != topic[:-1]) | (partition[1:] != partition[:-1])
        bounds = [0, *(np.flatnonzero(change) + 1), table.num_rows]
        parts = [
            np.arange(max(begin, end - count), end) if newest else np.arange(begin, min(end, begin + count))
            for begin, end in pairwise(bounds)
        ]
        table = _sorted(table.take(np.concatenate(parts)), by_time=newest or by_time)
        table = table.slice(max(0, table.num_rows - count)) if newest else table.slice(0, count)
        return _sorted(table, by_time=by_time)

    def _candidates(self, count: int, *, newest: bool) -> pa.Table:
        """The first or last rows of each partition, so many at least if it has them.

        Offsets are no rows: transactions, compaction, and rows that are left out leave gaps. Where too few rows were
        in a part, a longer one is read.
        """
        ranges = self._plan._data["partitions"]
        lengths = [count] * len(ranges)
        if self._type is not None and self._type not in self._plan.schemas:
            # That no row of a part has the type is an error only where no row of all has it.
            lengths = [end - start for _, _, start, end in ranges]
        while True:
            parts = [
                (topic, number, *((max(start, end - length), end) if newest else (start, min(end, start + length))))
                for (topic, number, start, end), length in zip(ranges, lengths, strict=True)
            ]
            table = self._table(parts)
            topics, numbers, _, _ = _keys(table)
            counts = Counter(zip(topics, numbers, strict=True))
            short = [
                at
                for at, (topic, number, start, end) in enumerate(ranges)
                if counts[topic, number] < count and lengths[at] < end - start
            ]
            if not short:
                return table
            for at in short:
                lengths[at] *= 4

    def _table(self, ranges: list[Any]) -> pa.Table:
        """All rows of the ranges."""
        plan = Plan(self._plan._options, {**self._plan._data, "partitions": ranges}, self._plan._schemas)
        with plan.read() as stream:
            if self._type is not None:
                return stream.to_arrow(self._type)
            found = stream.to_arrow()
        if len(found) > 1:
            hint = f', or tombstones="skip" or "keep" for {keys.TOMBSTONES}' if keys.TOMBSTONES in found else ""
            raise ConfigError(
                f"there are rows of several message types, {', '.join(sorted(found))}: message_type= chooses one{hint}"
            )
        return next(iter(found.values())) if found else only_schema(plan.schemas).empty_table()


def _keys(table: pa.Table) -> tuple[Any, ...]:
    """Topic, partition, offset and timestamp of each row. Rows without a timestamp are the oldest."""
    import pyarrow as pa  # noqa: PLC0415

    topic, partition, offset, timestamp = (table[_OWN.format(name)] for name in _PLACE)
    found = (topic.cast(pa.string()), partition, offset, timestamp.cast(pa.int64()).fill_null(pa.scalar(-1)))
    return tuple(column.to_numpy() for column in found)


def _sorted(table: pa.Table, *, by_time: bool) -> pa.Table:
    import numpy as np  # noqa: PLC0415

    topic, partition, offset, timestamp = _keys(table)
    names = np.unique(topic.astype(str), return_inverse=True)[1]
    order = np.lexsort((offset, partition, names, *((timestamp,) if by_time else ())))
    return table if bool((order[1:] > order[:-1]).all()) else table.take(order)


def _renamed(table: pa.Table, columns: list[tuple[str, str]]) -> pa.Table:
    """The table with the metadata that the caller asked for, under the names asked for."""
    own = set(table.schema.names)
    made = table.drop_columns([name for name in own if name.startswith(_OWN.format(""))])
    for name, column in columns:
        made = made.append_column(table.schema.field(_OWN.format(name)).with_name(column), table[_OWN.format(name)])
    return made


def _as(table: pa.Table, frame: Frame, plan: Plan) -> Any:
    if frame == "pandas":
        from .._batches import to_pandas  # noqa: PLC0415  # with pandas, which importing pykafarr does not load

        return to_pandas.table_to_frame(table, plan._options.dtype_backend)
    if frame == "arrow":
        return table
    import polars as pl  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415

    from .._batches import to_polars  # noqa: PLC0415

    batches = table.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], schema=table.schema)]
    return pl.concat([to_polars.to_polars(batch) for batch in batches])
