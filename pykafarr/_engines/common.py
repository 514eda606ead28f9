"""What the engines (Ray, dask, Spark, polars) have in common: a plan of one message type, narrowed to columns.

An engine repeats a task that was lost, and takes for granted that it gives the same rows again. It does: a task is a
fixed range of a log. Where the cut into blocks matters, too, `rechunk` makes it depend on the rows alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa

from .._errors import ConfigError, SchemaError
from .._options import checks
from .._options.keywords import hide_secrets
from .._options.scans import is_registered, listed
from .._scans import scan as scans

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from typing_extensions import Unpack

    from .._options.scans import ScanOptions
    from .._options.secrets import Secret
    from .._scans.plan import Plan
    from .._scans.stream import Stream
    from .._scans.task import Task


@dataclass(frozen=True)
class Columns:
    """The columns of one message type, as a scan gives them, and how some of them are asked for. Can be pickled."""

    message_type: str
    schema: pa.Schema
    # A field's name to the paths below it that columns= names, or to itself.
    fields: dict[str, tuple[str, ...]]
    # A metadata column's name to what the library calls it.
    metadata: dict[str, str]

    def options(self, wanted: Sequence[str]) -> dict[str, Any]:
        """The arguments of with_options() that leave out what is not wanted."""
        if list(wanted) == self.schema.names:
            return {}
        options: dict[str, Any] = {
            "metadata": {name: column for column, name in self.metadata.items() if column in wanted}
        }
        if len(self.fields) > 1:
            # A scan reads at least one field: the others have to be skipped anyway, to check that a row is whole.
            names = [name for name in self.fields if name in wanted] or [self._cheapest()]
            options["columns"] = [path for name in names for path in self.fields[name]]
        return options

    def only(self, wanted: Sequence[str]) -> pa.Schema:
        """The schema of these columns, in the order asked for."""
        return pa.schema([self.schema.field(name) for name in wanted])

    def records(self, stream: Stream, wanted: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows of a stream, with exactly the columns that were planned, and closes it.

        Raises:
            SchemaError: a row has another message type, or other columns, than planned.
        """
        names = self.schema.names if wanted is None else list(wanted)
        expected = self.only(names)
        with stream:
            for batch in stream:
                if not batch.num_rows:
                    continue
                if batch.message_type != self.message_type:
                    raise SchemaError(_another_type(batch.message_type, self.message_type, batch.ranges))
                record = batch.to_arrow()
                if any(name not in record.schema.names for name in names):
                    raise SchemaError(self._another_schema(record.schema, expected, batch.ranges))
                record = record.select(names)
                if record.schema != expected:
                    raise SchemaError(self._another_schema(record.schema, expected, batch.ranges))
                yield record

    def _another_schema(self, found: pa.Schema, planned: pa.Schema, ranges: Any) -> str:
        for field in planned:
            # A reader's schema is of values; a key has the columns of the schema that it was written with.
            of_key = self.metadata.get(field.name) == "key"
            advice = 'key="bytes"' if of_key else 'reader_schema="latest"'
            if field.name not in found.names:
                return f"{_place(ranges)}: there is no column {field.name!r}: read with {advice}"
            if found.field(field.name) != field:
                return (
                    f"{_place(ranges)}: column {field.name!r} is {_described(found.field(field.name))} and was planned "
                    f"as {_described(field)}: read with {advice}"
                )
        return f"{_place(ranges)}: the columns are not those planned"

    def _cheapest(self) -> str:
        """The field that costs least to read."""
        widths = {name: _width(self.schema.field(name).type) for name in self.fields}
        return min(widths, key=lambda name: widths[name])


@dataclass(frozen=True)
class Scan:
    """A plan of one message type."""

    plan: Plan
    columns: Columns

    @property
    def schema(self) -> pa.Schema:
        """The schema of all columns."""
        return self.columns.schema

    def tasks(self, max_rows: int | None = None, max_bytes: int | None = None) -> list[Task]:
        """The plan's tasks."""
        return self.plan.tasks(max_rows=max_rows, max_bytes=max_bytes)


@hide_secrets
def scan(
    servers: str | Iterable[str],
    topics: str | Iterable[str],
    registry_url: str | Secret | None,
    **options: Unpack[ScanOptions],
) -> Scan:
    """Plans a scan that an engine can run: one message type, and one schema for all versions of it.

    Raises:
        ConfigError: an argument is wrong, or the topics hold several message types.
    """
    if options.get("errors") == "collect":
        raise ConfigError('errors="collect": an engine has no place for rejected rows: use "skip", or pykafarr.read()')
    options = cast("ScanOptions", listed(options))  # read here once more
    if is_registered(options.get("value", "avro"), options.get("framing", "confluent")):
        options.setdefault("reader_schema", "latest")
    plan = scans.scan(servers, topics, registry_url, **options)
    schema = plan.schema  # raises where there are several
    (message_type,) = plan.schemas
    columns = checks.metadata_columns(options.get("metadata", ("offset",)), with_key=options.get("key") is not None)
    metadata = {column: name.removeprefix("_") for name, column in columns}
    return Scan(plan, Columns(message_type, schema, _fields(schema, metadata, options.get("columns")), metadata))


def rechunk(records: Iterable[pa.RecordBatch], schema: pa.Schema, rows: int) -> Iterator[pa.Table]:
    """The same rows in tables of that many rows, and a last one of the rest; one empty table for no rows."""
    held: list[pa.RecordBatch] = []
    count, made = 0, False
    for record in records:
        begin = 0
        while begin < record.num_rows:
            part = record.slice(begin, rows - count)
            held.append(part)
            begin += part.num_rows
            count += part.num_rows
            if count == rows:
                yield _joined(held, schema)
                held, count, made = [], 0, True
    if held or not made:
        yield _joined(held, schema)


def refuse(path: str, why: str) -> None:
    """Raises the error for a field that an engine has no type for."""
    raise SchemaError(f"{path}: {why}. Leave the field out with columns=, or read it with pykafarr.read()", path=path)


def _joined(records: list[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    # One chunk: the bytes that a table reports must not depend on how its rows arrived.
    return pa.Table.from_batches(records, schema).combine_chunks()


def _fields(schema: pa.Schema, metadata: dict[str, str], asked: Any) -> dict[str, tuple[str, ...]]:
    names = [name for name in schema.names if name not in metadata]
    if asked is None:
        return {name: (name,) for name in names}
    paths = checks.texts("columns", asked)
    return {name: tuple(path for path in paths if path.split(".", 1)[0] == name) or (name,) for name in names}


def _width(kind: Any) -> int:
    """Bits of a value, or a guess that puts texts after numbers, and nested values last."""
    if pa.types.is_nested(kind):
        return 1 << 20
    try:
        return int(kind.bit_width)
    except ValueError:
        return 1 << 10


def _another_type(found: str, planned: str, ranges: Any) -> str:
    advice = (
        'messages without a value are a type of their own: read with tombstones="skip" or "keep"'
        if found == "null"
        else "read topics of several message types with pykafarr.read()"
    )
    return f"{_place(ranges)}: message type {found!r} among rows of {planned!r}: {advice}"


def _described(field: pa.Field[Any]) -> str:
    """A column's type, and whether it may hold nulls: two that differ in that only would else read alike."""
    return f"{field.type}{'' if field.nullable else ' not null'}"


def _place(ranges: Any) -> str:
    return ", ".join(f"{found.topic}[{found.partition}]@{found.first}" for found in ranges[:3])
