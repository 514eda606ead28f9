"""Kafka topics as Ray datasets, and datasets to topics: `pykafarr.ray.read_kafka(...)`, `write_kafka(...)`.

Ray runs a task again whose worker was lost. It then drops as many blocks of the second run as it had of the first,
whatever is in them: so blocks are cut at the same rows each time, not where batches happened to end.
"""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

try:
    import ray.data
    from ray.data.block import BlockAccessor, BlockMetadata
    from ray.data.datasource import Datasink, Datasource, ReadTask
except ImportError as error:
    raise ImportError("pykafarr.ray needs Ray: pip install 'pykafarr[ray]'") from error

import pyarrow as pa

from ._engines import common, senders
from ._options.keywords import hide_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ray.data.block import Block
    from ray.data.datasource import WriteResult
    from typing_extensions import Unpack

    from ._options.scans import ScanOptions
    from ._options.secrets import Secret
    from ._options.sends import WriteOptions
    from ._producers.report import Report
    from ._producers.sender import Sender
    from ._scans.task import Task

# Rows of a block, before Ray joins blocks to its target_max_block_size.
BLOCK_ROWS = 65_536
# Tasks are not made smaller than this where Ray asks for more of them: each connects to the cluster again.
LEAST_ROWS = 100_000
# What Ray's own readers put into blocks without columns, so that they still have rows: count() asks for no column.
ROWS_ONLY = "__bsp_stub"


@hide_secrets
def read_kafka(
    servers: str | Iterable[str],
    topics: str | Iterable[str],
    registry_url: str | Secret | None,
    *,
    max_rows_per_task: int | None = None,
    max_bytes_per_task: int | None = None,
    concurrency: int | None = None,
    override_num_blocks: int | None = None,
    ray_options: Mapping[str, Any] | None = None,
    **options: Unpack[ScanOptions],
) -> ray.data.Dataset:
    """A dataset of a range of topics, planned now, and read by Ray's workers when it is used.

    `select_columns`, `filter(expr=…)`, `limit` and `count` reach into the reading. See docs/engines.md.

    Args:
        servers: as in `pykafarr.scan`.
        topics: as in `pykafarr.scan`; all of one message type.
        registry_url: as in `pykafarr.scan`.
        max_rows_per_task: most offsets of a read task. None: partitions, cut further where Ray asks for more tasks.
        max_bytes_per_task: most bytes of a read task, as the partition's mean message has it.
        concurrency: most read tasks at a time.
        override_num_blocks: how many tasks Ray asks for.
        ray_options: more arguments of `ray.data.read_datasource`, such as {"memory": 2**30, "num_cpus": 1}.
        **options: as in `pykafarr.scan`; reader_schema is "latest" by default.

    Raises:
        ConfigError: an argument is wrong, or the topics hold several message types.
    """
    scan = common.scan(servers, topics, registry_url, **options)
    source = KafarrDatasource(scan, max_rows_per_task, max_bytes_per_task)
    more = dict(ray_options or {})
    return ray.data.read_datasource(source, concurrency=concurrency, override_num_blocks=override_num_blocks, **more)


class KafarrDatasource(Datasource):
    """A planned scan as Ray reads it."""

    def __init__(self, scan: common.Scan, max_rows: int | None = None, max_bytes: int | None = None) -> None:
        super().__init__()
        self._scan = scan
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._projection_map: dict[str, str] | None = None

    def get_name(self) -> str:
        """The name in Ray's progress and logs."""
        return "Kafka"

    def supports_projection_pushdown(self) -> bool:
        """Columns that are not used are not read."""
        return True

    def supports_predicate_pushdown(self) -> bool:
        """Rows that are not used are left out before Ray stores them."""
        return True

    def apply_predicate(self, predicate_expr: Any) -> Datasource:
        """This source with a filter, or itself where Arrow cannot evaluate it: then Ray does."""
        try:
            predicate_expr.to_pyarrow()
        except (NotImplementedError, TypeError, ValueError):
            return self
        return super().apply_predicate(predicate_expr)

    def estimate_inmemory_data_size(self) -> int:
        """A guess: as if each offset were a row, and each text had 16 bytes."""
        return int(self._scan.plan.rows) * _row_bytes(self._schema())

    def get_read_tasks(
        self, parallelism: int, per_task_row_limit: int | None = None, data_context: Any = None
    ) -> list[ReadTask]:
        """One task of Ray for each task of the plan."""
        del data_context
        schema = self._schema()
        output = schema.names
        predicate = self._predicate_expr
        condition = None if predicate is None else predicate.to_pyarrow()
        wanted = output if predicate is None else self._with_columns_of(predicate, output)
        narrowed = self._scan.columns.options(wanted)
        found = []
        for task in self._scan.tasks(self._rows_of_task(parallelism), self._max_bytes):
            read = partial(_read, task.with_options(**narrowed), self._scan.columns, wanted, output, condition)
            # No number of rows: the offsets of a range are more than its rows where the log was compacted or holds
            # transactions, and Ray's count() would believe it.
            size = task.rows * _row_bytes(schema) or None
            metadata = BlockMetadata(num_rows=None, size_bytes=size, input_files=None, exec_stats=None)
            found.append(ReadTask(read, metadata, schema=schema, per_task_row_limit=per_task_row_limit))
        if not found:
            empty = BlockMetadata(num_rows=0, size_bytes=0, input_files=None, exec_stats=None)
            found = [ReadTask(partial(_empty, schema), empty, schema=schema)]
        return found

    def _schema(self) -> pa.Schema:
        names = self._get_data_columns()
        return self._scan.schema if names is None else self._scan.columns.only(names)

    def _rows_of_task(self, parallelism: int) -> int | None:
        if self._max_rows is not None or self._max_bytes is not None or parallelism <= 1:
            return self._max_rows
        return int(max(-(-self._scan.plan.rows // parallelism), LEAST_ROWS))

    def _with_columns_of(self, predicate: Any, output: list[str]) -> list[str]:
        from ray.data._internal.planner.plan_expression.expression_visitors import get_column_references  # noqa: PLC0415

        used = {*get_column_references(predicate), *output}
        return [name for name in self._scan.schema.names if name in used]


@hide_secrets
def write_kafka(
    dataset: ray.data.Dataset,
    servers: str | Iterable[str],
    topic: str,
    registry_url: str | Secret | None,
    *,
    task_header: str | None = None,
    min_rows_per_task: int | None = None,
    concurrency: int | None = None,
    ray_options: Mapping[str, Any] | None = None,
    **options: Unpack[WriteOptions],
) -> list[Report]:
    """Sends the rows of a dataset to a topic: a producer for each write task, which waits for the brokers.

    At least once: Ray runs the task of a worker that was lost again, and with it come the rows that the first attempt
    had sent. With a `transactional_id` the rows of an attempt are seen all or not at all, and those of one that did not
    commit never; an attempt that committed and was lost before Ray knew is repeated as a whole. `task_header` tells
    attempts apart. See docs/engines.md.

    Args:
        dataset: the dataset.
        servers: as in `pykafarr.producer`.
        topic: as in `Producer.send`.
        registry_url: as in `pykafarr.producer`.
        task_header: the name of a header "<run>/<task>/<attempt>" of each message. The run is the same for one call.
        min_rows_per_task: rows that Ray gathers for a write task, if there are so many. None: as Ray likes.
        concurrency: most write tasks at a time.
        ray_options: arguments of Ray's tasks, such as {"num_cpus": 1, "max_retries": 0}.
        **options: as in `pykafarr.producer` and `Producer.send`.

    Returns:
        A report for each task, in the order in which Ray has them.

    Raises:
        ConfigError: an argument is wrong, such as schema="derive".
        Exception: that of Ray, for the first task that failed, whose cause is in it.
    """
    sink = KafarrDatasink(senders.sender(servers, topic, registry_url, task_header, options), min_rows_per_task)
    dataset.write_datasink(sink, ray_remote_args=dict(ray_options or {}), concurrency=concurrency)
    return sink.reports


class KafarrDatasink(Datasink["Report"]):
    """A sender as Ray writes to it."""

    def __init__(self, sender: Sender, min_rows: int | None = None) -> None:
        self._sender = sender
        self._min_rows = min_rows
        self._run = uuid.uuid4().hex
        # Of the tasks of a write that is complete.
        self.reports: list[Report] = []

    def get_name(self) -> str:
        """The name in Ray's progress and logs."""
        return "Kafka"

    @property
    def min_rows_per_write(self) -> int | None:
        """Rows that Ray gathers for a task."""
        return self._min_rows

    def write(self, blocks: Iterable[Block], ctx: Any) -> Report:
        """Sends the blocks of a task, on a worker."""
        # A block is a table of Arrow or a frame of pandas. The index of a task is the same in each attempt.
        frames = (block for block in blocks if BlockAccessor.for_block(block).num_rows())
        return self._sender.send_all(frames, part=ctx.task_idx, run=self._run)

    def on_write_complete(self, write_result: WriteResult[Report]) -> None:
        """Gathers the reports, on the driver."""
        self.reports = list(write_result.write_returns)


def _read(
    task: Task, columns: common.Columns, wanted: list[str], output: list[str], condition: Any
) -> Iterator[pa.Table]:
    """Reads a task, on a worker."""
    records = columns.records(task.read(), wanted)
    for table in common.rechunk(records, columns.only(wanted), BLOCK_ROWS):
        kept = table if condition is None else table.filter(condition)
        if not output:
            kept = kept.append_column(ROWS_ONLY, pa.nulls(kept.num_rows))
        yield kept.select(output or [ROWS_ONLY])


def _empty(schema: pa.Schema) -> list[pa.Table]:
    return [schema.empty_table()]


def _row_bytes(schema: pa.Schema) -> int:
    return sum(_bytes(field.type) for field in schema) or 1


def _bytes(kind: Any) -> int:
    if pa.types.is_nested(kind):
        return sum(_bytes(kind.field(index).type) for index in range(kind.num_fields)) + 4
    try:
        return int(-(-kind.bit_width // 8))
    except ValueError:
        return 16
