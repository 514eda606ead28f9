"""Kafka topics as dask frames, and frames to topics: `pykafarr.dask.read_kafka(...)`, `write_kafka(...)`."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

try:
    import dask
    import dask.dataframe as dd
    from dask.dataframe.utils import clear_known_categories
except ImportError as error:
    raise ImportError("pykafarr.dask needs dask: pip install 'pykafarr[dask]'") from error

import pyarrow as pa

from ._batches import to_pandas
from ._engines import common, senders
from ._errors import ConfigError
from ._options import checks
from ._options.keywords import hide_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd
    from typing_extensions import Unpack

    from ._options.scans import ScanOptions
    from ._options.secrets import Secret
    from ._options.sends import WriteOptions
    from ._producers.report import Report
    from ._producers.sender import Sender
    from ._scans.task import Task


@hide_secrets
def read_kafka(
    servers: str | Iterable[str],
    topics: str | Iterable[str],
    registry_url: str | Secret | None,
    *,
    max_rows_per_task: int | None = None,
    max_bytes_per_task: int | None = None,
    **options: Unpack[ScanOptions],
) -> dd.DataFrame:
    """A dask frame of a range of topics, planned now, and read by the workers when it is computed.

    A partition of the frame is a task of the plan; its index counts from 0 in each. Columns that are not used are not
    read. See docs/engines.md.

    Args:
        servers: as in `pykafarr.scan`.
        topics: as in `pykafarr.scan`; all of one message type.
        registry_url: as in `pykafarr.scan`.
        max_rows_per_task: most offsets of a partition of the frame. None: a partition of the topic.
        max_bytes_per_task: most bytes of one, as the partition's mean message has it.
        **options: as in `pykafarr.scan`; reader_schema is "latest" by default.

    Raises:
        ConfigError: an argument is wrong, such as dtype_backend="numpy", or the topics hold several message types.
        SchemaError: a pandas frame holds a column as Python objects only: durations, dense unions.
    """
    if options.get("dtype_backend") == "numpy":
        raise ConfigError('dtype_backend="numpy": its dtypes follow from the data, and dask has to know them before')
    scan = common.scan(servers, topics, registry_url, **options)
    for field in scan.schema:
        _check(field.type, field.name)
    read = _Read(scan.columns, checks.dtype_backend(options.get("dtype_backend")))
    # The symbols of an enum are not part of its Arrow type, and come with the rows.
    meta = read.frame([], scan.schema)
    meta = clear_known_categories(meta, list(meta.select_dtypes("category").columns))
    tasks = scan.tasks(max_rows_per_task, max_bytes_per_task)
    # dask would make its own string type of pandas' str, both of which are in Arrow memory.
    with dask.config.set({"dataframe.convert-string": False}):
        if not tasks:
            return dd.from_pandas(meta, npartitions=1)
        return dd.from_map(read, tasks, meta=meta, label="pykafarr")


@hide_secrets
def write_kafka(
    frame: dd.DataFrame,
    servers: str | Iterable[str],
    topic: str,
    registry_url: str | Secret | None,
    *,
    task_header: str | None = None,
    compute_options: Mapping[str, Any] | None = None,
    **options: Unpack[WriteOptions],
) -> list[Report]:
    """Computes a frame and sends its rows to a topic: a producer for each partition, which waits for the brokers.

    At least once: dask runs the task of a worker that was lost again, and with it come the rows that the first attempt
    had sent. With a `transactional_id` the rows of an attempt are seen all or not at all, and those of one that did not
    commit never; an attempt that committed and was lost before dask knew is repeated as a whole. `task_header` tells
    attempts apart. See docs/engines.md.

    Args:
        frame: the frame, whose index is not sent.
        servers: as in `pykafarr.producer`.
        topic: as in `Producer.send`.
        registry_url: as in `pykafarr.producer`.
        task_header: the name of a header "<run>/<partition>/<attempt>" of each message. The run is the same for one
            call.
        compute_options: arguments of `dask.compute`, such as {"retries": 3}.
        **options: as in `pykafarr.producer` and `Producer.send`.

    Returns:
        A report for each partition of the frame, in their order.

    Raises:
        ConfigError: an argument is wrong, such as schema="derive".
        KafarrError: that of the first task that failed.
    """
    sender = senders.sender(servers, topic, registry_url, task_header, options)
    run = uuid.uuid4().hex
    send = dask.delayed(_send, pure=False)
    tasks = [send(sender, part, number, run) for number, part in enumerate(frame.to_delayed())]
    return list(dask.compute(*tasks, **(compute_options or {})))


def _send(sender: Sender, frame: pd.DataFrame, part: int, run: str) -> Report:
    """Sends a partition, on a worker."""
    return sender.send_all([frame] if len(frame) else [], part=part, run=run)


class _Read:
    """Makes a task's frame, on a worker."""

    def __init__(self, columns: common.Columns, dtype_backend: checks.DtypeBackend | None) -> None:
        self._columns = columns
        self._dtype_backend = dtype_backend

    # dask looks for a parameter of this name. Without a default it is passed an empty list, too, as by len(frame).
    def __call__(self, task: Task, columns: list[str]) -> pd.DataFrame:
        narrowed = task.with_options(**self._columns.options(columns))
        return self.frame(list(self._columns.records(narrowed.read(), columns)), self._columns.only(columns))

    def frame(self, records: list[pa.RecordBatch], schema: pa.Schema) -> pd.DataFrame:
        """One frame of the records, with the dtypes that the schema gives, also where there is no row."""
        table = pa.Table.from_batches(records, schema)
        return to_pandas.table_to_frame(table, self._dtype_backend, to_pandas.Memory.ADOPT)


def _check(kind: Any, path: str) -> None:
    """Refuses what pandas holds as Python objects: dask takes those for texts."""
    if pa.types.is_interval(kind):
        common.refuse(path, "pandas has no type for intervals of months, days and nanoseconds")
    if pa.types.is_union(kind):
        common.refuse(path, 'pandas has no type for dense unions, read them with unions="struct"')
    if pa.types.is_nested(kind):
        for index in range(kind.num_fields):
            _check(kind.field(index).type, f"{path}.{kind.field(index).name}")
