"""The batch: rows of one message type as Arrow memory, with the offsets they came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from .._options import checks
from .counted import counted

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from .._options.checks import DtypeBackend


class Range(NamedTuple):
    """Where rows of a batch come from: `rows` rows of a partition, whose offsets lie in [first, next)."""

    topic: str
    partition: int
    first: int
    next: int
    rows: int


class Event(NamedTuple):
    """What happened to a partition since the batch before.

    kind: "assigned" (new is where it begins, None: where the group stopped), "revoked", "lost" (taken away without
    notice), "offset_reset" (old was deleted before it was read, new is the first offset after it), "log_went_back" (old
    was to come, and new came: the log was truncated, or the topic re-created).
    """

    kind: str
    topic: str
    partition: int
    old: int | None
    new: int | None


class Batch:
    """Rows of one message type and one Arrow schema, in the order in which they were polled.

    Hand it to anything that knows Arrow's C data interface (`polars.DataFrame(batch)`, `pyarrow.record_batch(batch)`,
    duckdb, …): the memory is shared, not copied, and lives as long as anybody uses it, the listener's end included.

    Made by `Listener.poll_batch()` and `Listener.batches()`.
    """

    __slots__ = ("_dtype_backend", "_events", "_id", "_message_type", "_owner", "_ranges", "_record", "_rejected")

    def __init__(
        self,
        record: pa.RecordBatch,
        message_type: str,
        ranges: list[Range],
        rejected: pa.RecordBatch | None = None,
        dtype_backend: DtypeBackend | None = None,
    ) -> None:
        self._record = record
        self._message_type = message_type
        self._ranges = ranges
        self._rejected = rejected
        self._dtype_backend = dtype_backend
        self._events: list[Event] = []
        # What commit() names it by, and to which listener; 0: it is no listener's.
        self._id = 0
        self._owner = 0

    @property
    def message_type(self) -> str:
        """Full name of the Avro record, such as "com.example.Price", or name of the Avro type that is none.

        "null" for messages without a value (tombstones="split"), "bytes" and "string" for untyped ones.
        """
        return self._message_type

    @property
    def ranges(self) -> list[Range]:
        """The partitions and offsets that the rows come from, a range a partition.

        With mixed="group" the rows of other batches may lie between those of this one.
        """
        return self._ranges

    @property
    def events(self) -> list[Event]:
        """What happened to partitions since the batch before: assignments, and places where rows are missing."""
        return self._events

    @property
    def rejected(self) -> pa.RecordBatch | None:
        """The rows that could not be decoded, with errors="collect"; None when there are none."""
        return self._rejected

    @property
    def num_rows(self) -> int:
        """Number of rows, without the rejected ones."""
        return int(self._record.num_rows)

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema: the fields of the Avro record, then the metadata columns."""
        return self._record.schema

    def to_arrow(self) -> pa.RecordBatch:
        """The rows as a pyarrow.RecordBatch. Copies nothing."""
        return self._record

    def to_pandas(self, dtype_backend: DtypeBackend | None = None, *, copy: bool = True) -> pd.DataFrame:
        """The rows as a pandas.DataFrame.

        The dtypes follow from the schema, never from the data: booleans, integers and floats that cannot be null are
        numpy's, timestamps datetime64, strings pandas' str, enums category; all else is a pandas.ArrowDtype, save
        durations and what holds dense unions: those are Python objects, as pandas has no type for them.

        Args:
            dtype_backend: "pyarrow" gives a pandas.ArrowDtype to each column, "numpy" what pyarrow's to_pandas()
                gives (the dtype depends on the data: integers with a null become floats). Default: what the
                listener was opened with.
            copy: whether numpy columns are copies, so that changes to the frame do not show in this batch. With
                False they are views, which pandas refuses to change in place (`frame.loc[0, "x"] = 1` raises).
                Frames that `Listener.poll()` gives are changeable without a copy, as nobody else has the memory.

        Raises:
            ConfigError: dtype_backend is unknown.
        """
        from . import to_pandas  # noqa: PLC0415  # with pandas, which importing pykafarr does not load

        backend = checks.dtype_backend(dtype_backend) or self._dtype_backend
        return to_pandas.to_frame(self._record, backend, to_pandas.Memory.COPY if copy else to_pandas.Memory.VIEW)

    def to_polars(self) -> pl.DataFrame:
        """The rows as a polars.DataFrame. Copies no more than polars needs to.

        Maps become lists of structs of `key` and `value`: polars' own maps drop keys that repeat.

        Raises:
            ImportError: polars is not installed.
            SchemaError: polars has no type for a column: durations, decimals of more than 38 digits, dense unions.
        """
        try:
            import polars  # noqa: F401, ICN001, PLC0415  # an optional dependency
        except ImportError as error:
            raise ImportError("to_polars() needs polars: pip install 'pykafarr[polars]'") from error
        from . import to_polars  # noqa: PLC0415  # with pyarrow, which importing pykafarr does not load

        return to_polars.to_polars(self._record)

    def __arrow_c_schema__(self) -> object:
        """A PyCapsule with the ArrowSchema of the rows."""
        return self._record.schema.__arrow_c_schema__()

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        """Two PyCapsules with the ArrowSchema and the ArrowArray of the rows."""
        record: Any = self._record
        return cast("tuple[object, object]", record.__arrow_c_array__(requested_schema))

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """A PyCapsule with an ArrowArrayStream of this one batch."""
        record: Any = self._record
        return cast("object", record.__arrow_c_stream__(requested_schema))

    def __len__(self) -> int:
        return self.num_rows

    def __bool__(self) -> bool:
        # A batch may hold rejected rows only; `while batch := p.poll_batch()` must not end there.
        return True

    def __repr__(self) -> str:
        places = ", ".join(f"{r.topic}[{r.partition}]@{r.first}..{r.next - 1}" for r in self._ranges[:3])
        more = f" and {len(self._ranges) - 3} more" if len(self._ranges) > 3 else ""
        rejected = f", {self._rejected.num_rows} rejected" if self._rejected is not None else ""
        size = f"{counted(self.num_rows, 'row')}, {counted(len(self.schema), 'column')}"
        return f"<pykafarr.Batch {self._message_type}: {size}{rejected}, {places}{more}>"


def batch_from(
    records: dict[str, pa.RecordBatch], info: dict[str, Any], owner: int, backend: DtypeBackend | None
) -> Batch:
    """The batch of what the library left in a slot."""
    record = records.get("array")
    if record is None:  # nothing but rejected rows
        import pyarrow as pa  # noqa: PLC0415  # which importing pykafarr does not load

        record = pa.RecordBatch.from_arrays([], [])
    batch = Batch(
        record,
        info["message_type"],
        [Range(*found) for found in info["ranges"]],
        records.get("rejected"),
        backend,
    )
    batch._events = [
        Event(kind, topic, partition, *(None if offset < 0 else offset for offset in places))
        for kind, topic, partition, *places in info["events"]
    ]
    batch._id, batch._owner = info["id"], owner
    return batch
