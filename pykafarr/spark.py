"""Kafka topics as a data source of Spark 4, `spark.dataSource.register(pykafarr.spark.KafarrDataSource)`, and frames to
topics: `pykafarr.spark.write_kafka(...)`, `foreach_batch(...)`.

Spark creates the source, asks it for a schema and pickles it in one Python process of the driver's, asks for
partitions in another, and reads in the executors' ones. So the plan is made once, with the schema, and its tasks travel
within the source.
"""

from __future__ import annotations

import json
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

try:
    from pyspark import TaskContext
    from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
    from pyspark.sql.pandas.types import from_arrow_schema
except ImportError as error:
    raise ImportError("pykafarr.spark needs Spark 4: pip install 'pykafarr[spark]'") from error

import pyarrow as pa
from pyarrow import types

from ._engines import common, senders, spark_options
from ._errors import ConfigError, SchemaError
from ._options import nearest
from ._options.keywords import hide_secrets
from ._producers.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType
    from typing_extensions import Unpack

    from ._options.secrets import Secret
    from ._options.sends import WriteOptions
    from ._producers.sender import Sender
    from ._scans.task import Task

# Rows of an Arrow batch on its way to the JVM, which copies each whole.
BATCH_ROWS = 65_536


class KafarrDataSource(DataSource):
    """`spark.read.format("pykafarr").options(servers=…, topics=…, registry_url=…).load()`.

    Options are those of `pykafarr.scan`, as texts (docs/engines.md), max_rows_per_task and max_bytes_per_task. load()
    plans the range. A schema given to Spark (`.schema("id long, name string")`) reads these columns only.
    """

    _planned: _Planned | None = None
    _has_reader = False

    @classmethod
    def name(cls) -> str:
        """The argument of format()."""
        return "pykafarr"

    def schema(self) -> StructType:
        """The schema of the topics' message type, without reading."""
        return self._plan().schema

    def reader(self, schema: StructType) -> DataSourceReader:
        """The reader of the plan's tasks."""
        planned = self._plan()
        for field in schema.fields:
            if field.name not in planned.schema.fieldNames():
                known = nearest.known(field.name, planned.schema.fieldNames())
                raise SchemaError(f"{field.name}: there is no such column: there are {known}", path=field.name)
            if planned.schema[field.name].dataType != field.dataType:
                kind = planned.schema[field.name].dataType.simpleString()
                raise SchemaError(f"{field.name}: is {kind}, not {field.dataType.simpleString()}", path=field.name)
        self._has_reader = True
        # Spark compares nullability, too, with the schema that it was given.
        columns = _arrow_schema(planned.columns.schema)
        target = [columns.field(field.name).with_nullable(field.nullable) for field in schema.fields]
        return _Reader(planned.tasks, planned.columns, pa.schema(target))

    def __getstate__(self) -> dict[str, Any]:
        # Once the reader is made, Spark sends this source to the executors with each task: not with all the others'.
        return {**self.__dict__, "_planned": None} if self._has_reader else self.__dict__

    def _plan(self) -> _Planned:
        if self._planned is None:
            options, most = spark_options.parsed(dict(self.options))
            scan = self._scan(**options)
            self._planned = _Planned(scan.tasks(*most), scan.columns, spark_schema(scan.schema))
        return self._planned

    _scan = staticmethod(common.scan)


class _Planned:
    """The parts of a plan that the source keeps."""

    def __init__(self, tasks: list[Task], columns: common.Columns, schema: StructType) -> None:
        self.tasks = tasks
        self.columns = columns
        self.schema = schema


class _Partition(InputPartition):
    """A partition of the frame: a task of the plan, or None for a plan of no rows."""

    def __init__(self, task: Task | None) -> None:
        super().__init__(task)


class _Reader(DataSourceReader):
    """Reads tasks. It has no pushFilters: Spark 4 refuses sources that have, unless a setting allows them."""

    def __init__(self, tasks: list[Task], columns: common.Columns, target: pa.Schema) -> None:
        options = columns.options(target.names)
        self._partitions = [_Partition(task.with_options(**options)) for task in tasks]
        self._columns = columns
        self._target = target

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_partitions": []}  # they travel one by one, and this goes with each

    def partitions(self) -> list[InputPartition]:
        """One for each task; at least one, or Spark makes up its own."""
        return self._partitions or [_Partition(None)]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """A task's rows, with exactly the Arrow types that Spark has asked for."""
        if partition.value is None:
            return
        for record in self._columns.records(partition.value.read(), self._target.names):
            for begin in range(0, record.num_rows, BATCH_ROWS):
                yield record.slice(begin, BATCH_ROWS).cast(self._target)


def spark_schema(schema: pa.Schema) -> StructType:
    """The columns as Spark's types.

    Raises:
        SchemaError: it has no type for one: intervals, decimals of more than 38 digits, dense unions, nanoseconds.
    """
    return from_arrow_schema(_arrow_schema(schema), prefer_timestamp_ntz=True)


def _arrow_schema(schema: pa.Schema) -> pa.Schema:
    """The columns as Spark wants them in Arrow."""
    return pa.schema([field.with_type(_target(field.type, field.name)) for field in schema])


# Spark has no unsigned integers: the types that hold all of their values, by their bits.
_SIGNED: dict[int, Any] = {8: pa.int16(), 16: pa.int32(), 32: pa.int64(), 64: pa.decimal128(20, 0)}


# What it has in microseconds only.
_TIMES = ((types.is_timestamp, "timestamps"), (types.is_duration, "intervals"), (types.is_time, "times of day"))


def _target(kind: Any, path: str) -> Any:
    """The Arrow type that Spark has for its type for an Arrow type."""
    if types.is_map(kind):
        key = kind.key_field.with_type(_target(kind.key_type, f"{path}.key"))
        return pa.map_(key, kind.item_field.with_type(_target(kind.item_type, f"{path}.value")))
    if types.is_list(kind):
        item = kind.value_field.with_type(_target(kind.value_type, f"{path}.item"))
        return pa.list_(item.with_name("element"))
    if types.is_struct(kind):
        return pa.struct([field.with_type(_target(field.type, f"{path}.{field.name}")) for field in kind])
    if why := _refused(kind):
        common.refuse(path, why)
    return _value(kind)


def _value(kind: Any) -> Any:
    """The same for types without others within."""
    if types.is_dictionary(kind):
        return kind.value_type
    if types.is_fixed_size_binary(kind) or isinstance(kind, pa.BaseExtensionType):  # uuid
        return pa.binary()
    if types.is_time(kind):
        return pa.time64("ns")
    if types.is_unsigned_integer(kind):
        return _SIGNED[kind.bit_width]
    if types.is_duration(kind):
        return pa.duration("us")
    if types.is_timestamp(kind):
        return pa.timestamp("us", kind.tz)
    return kind


def _refused(kind: Any) -> str | None:
    """What Spark has no type for; None: it has one."""
    if types.is_decimal256(kind):
        return f"Spark has no decimal of {kind.precision} digits, only of 38"
    if types.is_interval(kind):
        return "Spark has no interval of months, days and nanoseconds"
    if types.is_union(kind):
        return 'Spark has no dense unions, read them with unions="struct"'
    for is_one, name in _TIMES:
        if is_one(kind) and kind.unit == "ns":
            return f"Spark's {name} hold microseconds, not nanoseconds"
    return None


@hide_secrets
def write_kafka(
    frame: DataFrame,
    servers: str | Iterable[str],
    topic: str,
    registry_url: str | Secret | None,
    *,
    task_header: str | None = None,
    **options: Unpack[WriteOptions],
) -> list[Report]:
    """Computes a frame and sends its rows to a topic: a producer for each partition, which waits for the brokers.

    At least once: Spark runs a task that failed or was lost again, also beside one that is slow (speculation), and with
    it come the rows that the first attempt had sent. With a `transactional_id` the rows of an attempt are seen all or
    not at all, and those of one that did not commit never; an attempt that committed and was lost before Spark knew is
    repeated as a whole. `task_header` tells attempts apart. See docs/engines.md.

    Args:
        frame: the frame. Its rows reach the producer as Arrow batches of
            `spark.sql.execution.arrow.maxRecordsPerBatch` rows.
        servers: as in `pykafarr.producer`.
        topic: as in `Producer.send`.
        registry_url: as in `pykafarr.producer`.
        task_header: the name of a header "<run>/<partition>/<attempt>" of each message. The run is the same for one
            call.
        **options: as in `pykafarr.producer` and `Producer.send`. Spark's partitions have the same columns throughout,
            so schema="derive" is taken, too.

    Returns:
        A report for each partition of the frame.

    Raises:
        ConfigError: an argument is wrong, or the frame is a stream, which `foreach_batch()` is for.
        Exception: that of Spark, for the first task that failed, whose message has the cause.
    """
    sender = senders.sender(servers, topic, registry_url, task_header, options, same_columns=True)
    return _write(frame, sender, uuid.uuid4().hex)


@hide_secrets
def foreach_batch(
    servers: str | Iterable[str],
    topic: str,
    registry_url: str | Secret | None,
    *,
    task_header: str | None = None,
    **options: Unpack[WriteOptions],
) -> ForeachBatch:
    """What `writeStream.foreachBatch()` takes to send each batch of a stream to a topic.

    At least once: a query that is started again repeats its last batch, under the same number, and tasks are repeated
    as with `write_kafka()`. `task_header` has the number of the batch: "<batch>/<partition>/<attempt>". With
    `transactional_id`, each partition of a batch is seen all or not at all.

    Takes the arguments of `write_kafka()`.

    Raises:
        ConfigError: an argument is wrong.
    """
    return ForeachBatch(senders.sender(servers, topic, registry_url, task_header, options, same_columns=True))


class ForeachBatch:
    """Sends the batches of a stream. Made by `foreach_batch()`.

    Attributes:
        reports: those of the last batch, one for each of its partitions.
    """

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self.reports: list[Report] = []

    def __call__(self, frame: DataFrame, batch: int) -> None:
        """Sends a batch, and waits until the brokers have it."""
        self.reports = _write(frame, self._sender, str(batch))


def _write(frame: DataFrame, sender: Sender, run: str) -> list[Report]:
    if frame.isStreaming:
        raise ConfigError("frame is a stream: frame.writeStream.foreachBatch(pykafarr.spark.foreach_batch(…)).start()")
    rows = frame.mapInArrow(partial(_send, sender, run), "report string").collect()
    return [Report._restored(*json.loads(row.report)) for row in rows]


def _send(sender: Sender, run: str, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Sends a partition, on an executor."""
    context = TaskContext.get()
    part = 0 if context is None else context.partitionId()
    report = sender.send_all((batch for batch in batches if batch.num_rows), part=part, run=run)
    yield pa.RecordBatch.from_pydict({"report": [json.dumps(report._data())]})
