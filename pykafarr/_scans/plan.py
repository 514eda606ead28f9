"""The plan of a scan: which offsets of which partitions, and how they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._batches.counted import counted
from .._batches.inferred import pyarrow_schema
from .._errors import ConfigError
from .._options import checks, nearest
from .._options.keywords import hide_secrets
from .._options.scans import Options
from .._options.secrets import plain
from .handle import ScanHandle, only_schema, schemas
from .stream import Stream
from .task import Task

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from typing_extensions import Unpack

    from .._options.scans import ReadOptions

# Offsets have 63 bits.
_MOST = 2**63 - 1


class Plan:
    """What a scan reads: a range of offsets of each partition, fixed when it was planned. Made by `pykafarr.scan()`.

    It is data, without a connection: it can be pickled, and read as often as you like, here or on other machines.
    Secrets that were given by `from_env()` or `from_file()` are pickled as these references.
    """

    def __init__(self, options: Options, data: dict[str, Any], schemas: dict[str, pa.Schema] | None = None) -> None:
        self._options = options
        self._data = data
        self._schemas = schemas
        self._sizes: list[float] | None = None

    @property
    def partitions(self) -> pd.DataFrame:
        """The ranges: a frame with a row for each partition, also where there is nothing to read.

        The columns are topic, partition, start, end (exclusive) and rows, which is end - start: where the log has gaps,
        as with transactions and compaction, there are fewer rows than that. All but the topic are int64.
        """
        import pandas as pd  # noqa: PLC0415  # which importing pykafarr does not load

        names = ("topic", "partition", "start", "end")
        columns: Any = zip(*self._data["partitions"], strict=True) if self._data["partitions"] else [[]] * len(names)
        dtypes = dict.fromkeys(names[1:], "int64") | {"topic": "str"}
        frame: pd.DataFrame = pd.DataFrame(dict(zip(names, map(list, columns), strict=True))).astype(dtypes)
        frame["rows"] = frame["end"] - frame["start"]
        return frame

    @property
    def ends(self) -> dict[tuple[str, int], int | tuple[int, str]]:
        """Where the ranges end, with the topics' ids, as `start=` takes it: a later scan continues there.

        Of a range that ends after its log, which allow_partial permits, it is where the log ended.
        With the id, a topic that was deleted and created again since is an error instead of rows that are passed over.
        Brokers before Kafka 2.8 have no ids; then the values are offsets.
        """
        ids = self._data["topic_ids"]
        logs = {(topic, partition): end for topic, partition, end in self._data["log_ends"]}
        ends = {(topic, partition): end for topic, partition, _, end in self._data["partitions"]} | logs
        return {place: (end, ids[place[0]]) if place[0] in ids else end for place, end in ends.items()}

    @property
    def rows(self) -> int:
        """The number of offsets to be read: of rows, or more, where the log has gaps."""
        return sum(end - start for _, _, start, end in self._data["partitions"])

    @property
    def schemas(self) -> dict[str, pa.Schema]:
        """The Arrow schema of each message type, as far as it is known before any row is read.

        Of the reader schemas: then all batches of the type have it. Without them, of the newest schema that is
        registered for each topic ("<topic>-value", and "<topic>-key" for key="avro"): rows of older versions have
        columns of their own, and of a topic of several types there is only the type that was registered last. Without
        that, of the topic's last message. A topic that has none of these has no message, and no entry. Asks the
        registry, and perhaps the cluster, the first time.

        Raises:
            RegistryError, BrokerError, SchemaError: as reading does.
        """
        if self._schemas is None:
            self._schemas = schemas(self._options, self._data)
        return self._schemas

    @property
    def schema(self) -> pa.Schema:
        """The only one of `schemas`: without a reader schema, that of the newest version, as it says.

        Raises:
            ConfigError: there are several message types, or there is none; the message names them.
        """
        return only_schema(self.schemas)

    @property
    def inferred(self) -> dict[str, pa.Schema]:
        """The schemas of topics that were inferred when this was planned, where value="json" has no `schema`.

        Given as `schema`, they read the topics by the same ones in later plans, too.
        """
        return self._inferred(of_keys=False) if self._options.infers else {}

    @property
    def inferred_keys(self) -> dict[str, pa.Schema]:
        """Those of the topics' keys likewise, where key="json" has no `key_schema`: they are for that option."""
        return self._inferred(of_keys=True) if self._options.infers_keys else {}

    def _inferred(self, *, of_keys: bool) -> dict[str, pa.Schema]:
        latest = self._data["latest_schemas"]
        return {found["topic"]: pyarrow_schema(found["schema"]) for found in latest if found["of_keys"] == of_keys}

    def tasks(self, max_rows: int | None = None, max_bytes: int | None = None) -> list[Task]:
        """Cuts the plan into tasks that can be pickled and read anywhere, in any order.

        Args:
            max_rows: the most offsets of a task. None: one task for each partition that has rows.
            max_bytes: likewise the most bytes of messages, decompressed, by the mean size of a partition's rows. A
                sample of each partition is read for that, the first time.

        Raises:
            ConfigError, TypeError: an argument has a wrong value or type.
            BrokerError: max_bytes is given, and the cluster does not answer.
        """
        most = None if max_rows is None else checks.integer("max_rows", max_rows, 1, _MOST)
        bound = None if max_bytes is None else checks.integer("max_bytes", max_bytes, 1, _MOST)
        tasks = []
        options: dict[str, Options] = {}
        for index, (topic, partition, start, end) in enumerate(self._data["partitions"]):
            latest = [schema for schema in self._data["latest_schemas"] if schema["topic"] == topic]
            ids = {name: number for name, number in self._data["topic_ids"].items() if name == topic}
            if start < end and topic not in options:
                # A task has its range: what the whole plan's places and topics were would only travel with each task.
                options[topic] = self._options.changed({"topics": [topic], "start": "earliest", "end": "now"})
            step = min(most or _MOST, _fitting(bound, self._row_bytes()[index]) if bound else _MOST)
            for first in range(start, end, step):
                part = (topic, partition, first, min(first + step, end))
                data = {"partitions": [part], "latest_schemas": latest, "topic_ids": ids, "log_ends": []}
                tasks.append(Task(options[topic], data, self._schemas))
        return tasks

    def _row_bytes(self) -> list[float]:
        if self._sizes is None:
            with ScanHandle(self._options, self._data) as handle:
                self._sizes = handle.sizes()
        return self._sizes

    def read(self, *, progress: bool = False) -> Stream:
        """Begins to read, several partitions at a time, and gives the stream of batches.

        Args:
            progress: show a bar on stderr: rows, MB/s and the time that is left.

        Raises:
            ConfigError: a secret's file or variable is missing here.
            ImportError: progress is asked for, and tqdm is not installed.
        """
        return Stream(self._options, self._data, lambda: self.schemas, self.rows if progress else None)

    def __arrow_c_schema__(self) -> object:
        """A PyCapsule with the ArrowSchema of `schema`."""
        return self.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The rows of the only message type, read anew each time: for `polars.DataFrame(plan)`, `pyarrow.table(plan)`.

        An error in the middle is raised by the reader, which never takes it for the end. What `Stream.reader()` raises
        of rows of several types or schemas is raised here, too.
        """
        return self.read().__arrow_c_stream__(requested_schema)

    @hide_secrets
    def with_options(self, **options: Unpack[ReadOptions]) -> Plan:
        """A plan of the same ranges that reads them otherwise: `plan.with_options(columns=["id"])`.

        Takes the options of `pykafarr.scan()` that do not say where the cluster is and what is read of it. Asks the
        registry where reader_schema="latest" is among them.

        Raises:
            ConfigError, TypeError: as `pykafarr.scan()` does.
        """
        from .._options.scans import ReadOptions  # noqa: PLC0415  # at run time, for its names

        for name in options:
            if name not in ReadOptions.__annotations__:
                known = nearest.known(name, ReadOptions.__annotations__)
                raise ConfigError(f"{name} is no option of reading: there are {known}")
        changed = self._options.changed(options)
        data = self._data
        values = options.keys() & {"reader_schema", "value", "schema", "framing"}
        if values or (changed.infers_keys and not self._options.infers_keys):
            asks = changed.latest or changed.infers or changed.infers_keys
            data = {**data, "latest_schemas": plan_data(changed)["latest_schemas"] if asks else []}
        ScanHandle(changed, data).free()  # raises what is wrong with the options
        return Plan(changed, data)

    def __reduce__(self) -> tuple[Any, ...]:
        # Public names and plain data alone: a pickle outlives the files that classes are in.
        return Plan._restored, (plain(self._options.arguments), self._data, self._schemas)

    @classmethod
    def _restored(cls, arguments: dict[str, Any], data: dict[str, Any], schemas: dict[str, pa.Schema] | None) -> Plan:
        return cls(Options(arguments), data, schemas)

    def __repr__(self) -> str:
        topics, partitions = ", ".join(self._options.topics), len(self._data["partitions"])
        return f"<pykafarr.Plan {topics}: {counted(partitions, 'partition')}, {counted(self.rows, 'row')}>"


def _fitting(max_bytes: int, row_bytes: float) -> int:
    """So many offsets have that many bytes; one at least."""
    return max(int(max_bytes / row_bytes), 1) if row_bytes else _MOST


def plan_data(options: Options) -> dict[str, Any]:
    """Asks the cluster, and gives the plan's data."""
    with ScanHandle(options, {}) as handle:
        return handle.plan()
