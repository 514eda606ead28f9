"""The stream of a scan: batches, as they are ready."""

from __future__ import annotations

import contextlib
import copy
import warnings
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, overload

from .._batches.batch import Batch, batch_from
from .._errors import (
    OK,
    PENDING,
    ClosedError,
    DecodeError,
    IncompleteError,
    InternalError,
    KafarrError,
    SchemaError,
    StateError,
)
from .._library.library import SLICE_MS, library, usable
from .._library.slot import Slot
from .._options import nearest
from . import keys
from .handle import ScanHandle, only_schema
from .report import Completeness, completeness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import NoReturn

    import pandas as pd
    import pyarrow as pa
    from typing_extensions import Self

    from .._options.scans import Options
    from .progress import Progress


# So much of a column's type is shown in an error.
_LONGEST_TYPE = 200


class Stream:
    """The batches of a scan, as they are ready. Made by `Plan.read()` and `Task.read()`.

    A stream is read once, and in one way: by iteration, `to_arrow()`, `to_pandas()` or `reader()`. To read the plan
    again, call its `read()` again. With errors="collect" only iteration gives the rejected rows, in `Batch.rejected`:
    the others leave them out, and a RuntimeWarning at the end says how many.

    The rows of a partition come in the order of their offsets, the partitions' batches in any order. A few batches are
    read ahead in the background. Close the stream, or use it as a context manager, when you do not want all of it.

    Every way to read it raises, in addition to its own errors:
        DecodeError, SchemaError: a message cannot be decoded (errors="raise").
        RegistryError: the registry gave no schema within `timeout`.
        BrokerError: the cluster did not answer within `timeout`, or not usefully.
        IncompleteError: at the end, rows that were planned are not in the log (any more).
        ClosedError: after `close()`.
        StateError: the stream has been read, or another thread is taking a batch.
        ForkError: this process was forked from the one that began to read.
    """

    _closed = True  # until __init__ is done: __del__ also runs for what it could not finish

    def __init__(
        self,
        options: Options,
        data: dict[str, Any],
        schemas: Callable[[], dict[str, pa.Schema]],
        progress: int | None,
    ) -> None:
        self._bar: Progress | None = None
        if progress is not None:
            from .progress import Progress  # noqa: PLC0415  # few streams have a bar

            self._bar = Progress(progress)
        self._backend = options.dtype_backend
        self._schemas = schemas
        self._rejected = 0  # rows of the batches that were taken
        self._metadata: list[tuple[str, str]] = options.metadata
        self._allow_partial = bool(options.arguments["allow_partial"])
        # The method that reads this stream, and the rows that it leaves out, by message type.
        self._read_by: str | None = None
        self._left_out: Counter[str] = Counter()
        self._handle = ScanHandle(options, data)
        library_ = library()
        # What the library handed over, kept over an interrupt until the caller has it.
        self._slot = Slot(library_)
        self._taking = False
        self._ended = False
        # An error of this side, after which rows are missing, without its traceback: each further call raises it again.
        self._failed: KafarrError | None = None
        self._last_report: list[Completeness] = []
        library_.call(library_.lib.scan_read, self._handle.number)
        self._closed = False

    def __iter__(self) -> Self:
        if self._ended or self._read_by not in {None, "iteration"}:
            self._begin("iteration")
        return self

    def __next__(self) -> Batch:
        """The next batch."""
        if self._read_by != "iteration":
            self._begin("iteration")
        return self._next()

    def _begin(self, how: str) -> None:
        """Notes how the stream is read. Reading it twice, or the rest of it, is refused: rows would be missing.

        Raises:
            StateError: the stream has been read, as a whole or in part.
        """
        if self._closed or self._failed or self._slot.error.code:
            return  # reading raises why
        if self._read_by is not None or self._ended:
            by = "iteration" if self._read_by in {None, "iteration"} else f"{self._read_by}()"
            out = f", which left out the rows of {', '.join(sorted(self._left_out))}" if self._left_out else ""
            raise StateError(f"the stream has been read, by {by}{out}: call read() again")
        self._read_by = how

    def _batches(self) -> Iterator[Batch]:
        """The batches that are left, for the method that reads the stream."""
        with contextlib.suppress(StopIteration):
            while True:
                yield self._next()

    def _next(self) -> Batch:
        library()  # refuses forked children
        if self._closed:
            raise ClosedError("the stream is closed")
        if self._failed:
            raise copy.copy(self._failed)
        if self._taking:
            raise StateError("another thread is taking a batch of this stream")
        self._taking = True
        try:
            slot = self._slot
            if not slot.filled and not self._ended:
                self._receive()
            if error := slot.exception():
                if isinstance(error, IncompleteError):
                    error.report = self.report
                if isinstance(error, DecodeError):  # of errors="raise": the others raise none
                    error.args = (f'{error}; errors="skip" leaves out such messages, and counts them',)
                raise error
            if not slot.filled:
                self._check_complete()
                self._ended = True
                if self._bar:
                    self._bar.close()
                raise StopIteration
            try:
                records = slot.take_records()
            except InternalError as error:
                self._failed = copy.copy(error)  # without this batch the stream is never complete
                raise
            batch = batch_from(records, slot.info(), 0, self._backend)
            batch._id = 0  # no commit takes it
            self._rejected += 0 if batch.rejected is None else batch.rejected.num_rows
            if self._bar:
                self._bar.update(batch)
            slot.records, slot.delivered = [], True
            return batch
        finally:
            self._taking = False

    def _receive(self) -> None:
        """Waits in slices until the library has something for the slot, or the stream is at its end."""
        library_, slot = library(), self._slot
        slot.clear()
        status = PENDING
        while status == PENDING:
            status = library_.lib.scan_next(self._handle.number, SLICE_MS, slot.batch, slot.error)
            if slot.batch.notices:
                slot.batch.notices = 0
                library().log_notices(self._handle.number)
        if status != OK and not slot.error.code:
            slot.error.code = status

    def _check_complete(self) -> None:
        """Compares the library's end with its own report: a false end would lose rows silently.

        Raises:
            IncompleteError: a range was not read to its end.
        """
        enough = {"complete", "log_end", "deleted"} if self._allow_partial else {"complete"}
        report = self.report
        if short := [one for one in report if one.ended not in enough]:
            one = short[0]
            raised = IncompleteError(
                f"{one.topic}[{one.partition}]: of the offsets from {one.start} up to {one.end} those before "
                f"{one.next} were read ({one.ended or 'the reading ended without a cause'})",
                topic=one.topic,
                partition=one.partition,
            )
            raised.report = report
            self._failed = copy.copy(raised)
            raise raised

    @property
    def report(self) -> list[Completeness]:
        """What became of each partition's range so far. Batches that were read ahead count as handed over."""
        if not self._closed:
            library_ = library()
            found = library_.json(library_.lib.scan_report, self._handle.number)
            self._last_report = [completeness(entry) for entry in found]
        return self._last_report

    @overload
    def to_arrow(self) -> dict[str, pa.Table]: ...
    @overload
    def to_arrow(self, message_type: str) -> pa.Table: ...
    def to_arrow(self, message_type: str | None = None) -> dict[str, pa.Table] | pa.Table:
        """All the rows, as a pyarrow.Table for each message type.

        Where there are no rows at all, there is an empty table for each type of `Plan.schemas`.

        Args:
            message_type: give the table of this type alone, and leave the others out. It has no rows where none is of a
                type that `Plan.schemas` has. The stream has been read then, the other types with it: for several types,
                call it without a type.

        Raises:
            SchemaError: rows of one type have several schemas (give reader_schema), or no row has the type asked for,
                and `Plan.schemas` does not have it either.
        """
        return self._to_arrow(message_type, "to_arrow")

    def _to_arrow(self, message_type: str | None, how: str) -> dict[str, pa.Table] | pa.Table:
        import pyarrow as pa  # noqa: PLC0415  # which importing pykafarr does not load

        self._begin(how)
        batches: dict[str, list[pa.RecordBatch]] = {}
        for batch in self._batches():
            if batch.num_rows and self._wanted(batch, message_type):
                kept = batches.setdefault(batch.message_type, [])
                if kept and batch.message_type != keys.TOMBSTONES:
                    self._same(batch, kept[0].schema)
                kept.append(batch.to_arrow())
        self._warn_of_rejected(how, 4)
        if tombstones := batches.get(keys.TOMBSTONES):
            batches[keys.TOMBSTONES] = keys.alike(tombstones, self._key_column)
        if message_type is None and not batches:
            return {kind: schema.empty_table() for kind, schema in self._schemas().items()}
        if message_type is None:
            return {kind: pa.Table.from_batches(kept) for kind, kept in batches.items()}
        kept = batches.get(message_type, [])
        return pa.Table.from_batches(kept, schema=kept[0].schema if kept else self._schema_of(message_type))

    def _wanted(self, batch: Batch, message_type: str | None) -> bool:
        """Whether a batch is of the type that is asked for. Types that are not are kept in mind for the error."""
        if message_type in {None, batch.message_type}:
            return True
        self._left_out[batch.message_type] += batch.num_rows
        return False

    def _of_type(self, message_type: str | None) -> Iterator[Batch]:
        """Iterates over the batches that have rows: those of one message type, or all.

        Raises:
            SchemaError: at the end, the message type is unknown.
        """
        self._begin("iteration")
        found = False
        for batch in self._batches():
            if batch.num_rows and self._wanted(batch, message_type):
                found = True
                yield batch
        if message_type is not None and not found:
            self._schema_of(message_type)

    @overload
    def to_pandas(self) -> dict[str, pd.DataFrame]: ...
    @overload
    def to_pandas(self, message_type: str) -> pd.DataFrame: ...
    def to_pandas(self, message_type: str | None = None) -> dict[str, pd.DataFrame] | pd.DataFrame:
        """All the rows, as a pandas.DataFrame for each message type.

        The dtypes are those of a batch's frame. Takes and raises what `to_arrow()` does.
        """
        from .._batches import to_pandas  # noqa: PLC0415  # with pandas, which importing pykafarr does not load

        found = self._to_arrow(message_type, "to_pandas")
        if isinstance(found, dict):
            return {kind: to_pandas.table_to_frame(table, self._backend) for kind, table in found.items()}
        return to_pandas.table_to_frame(found, self._backend)

    def reader(self, message_type: str | None = None) -> pa.RecordBatchReader:
        """The rows of one message type as a pyarrow.RecordBatchReader, which takes a batch of the stream at a time.

        For pyarrow.dataset, pyarrow.parquet, duckdb and whatever else reads Arrow's C stream interface.

        Args:
            message_type: the type; rows of others are left out. None: the only one there is.

        Raises:
            SchemaError, by the reader: message_type is None, and rows of another type come, or of another schema.
            StateError, by the reader: Ctrl-C or another exception has ended an earlier call, which had rows already.
            What the reader has raised, each further call raises again.
        """
        import pyarrow as pa  # noqa: PLC0415  # which importing pykafarr does not load

        self._begin("reader")
        first = next(
            (batch for batch in self._batches() if batch.num_rows and self._wanted(batch, message_type)),
            None,
        )
        if first is None:
            self._warn_of_rejected("reader", 3)
            schema = self._schema_of(message_type)
            return pa.RecordBatchReader.from_batches(schema, [])
        return pa.RecordBatchReader.from_batches(first.schema, _Failing(self._records(first, message_type)))

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The rows of the only message type, as `reader()` has them: for `polars.DataFrame(stream)`, say."""
        reader: Any = self.reader()
        return reader.__arrow_c_stream__(requested_schema)

    def _records(self, first: Batch, message_type: str | None) -> Iterator[pa.RecordBatch]:
        yield first.to_arrow()
        schema, kind = first.schema, first.message_type
        del first
        for batch in self._batches():
            if not batch.num_rows:
                continue
            if self._wanted(batch, kind):
                self._same(batch, schema)
                yield batch.to_arrow()
            elif message_type is None:
                raise SchemaError(_mixed(kind, batch.message_type))
        self._warn_of_rejected("reader", 4)

    def _warn_of_rejected(self, how: str, stacklevel: int) -> None:
        """Warns of rows that were rejected, at the stream's end: tables, frames and readers have no place for them."""
        if self._rejected:
            text = (
                f"{how}() leaves out the messages that could not be decoded, {self._rejected:,} of them: iterate the "
                "stream to get them, in Batch.rejected. Stream.report counts them for each partition"
            )
            warnings.warn(text, RuntimeWarning, stacklevel=stacklevel)

    @property
    def _key_column(self) -> str | None:
        return next((name for kind, name in self._metadata if kind == "_key"), None)

    def _same(self, batch: Batch, schema: pa.Schema) -> None:
        """Refuses rows of one type that have other columns than those before.

        Raises:
            SchemaError: they have; it says which, and what helps.
        """
        if batch.schema == schema:
            return
        now, before = _types(batch.schema), _types(schema)
        differ = [name for name in {**before, **now} if now.get(name) != before.get(name)]
        if differ == [self._key_column]:
            hint = 'keys are of several types: read them with key="bytes", or topics with different keys one by one'
            if batch.message_type == keys.TOMBSTONES:
                hint += ", or all with to_arrow() or to_pandas()"
        else:
            hint = 'reader_schema= reads all alike ("latest": those of one topic)'
        (place, *_) = batch.ranges
        columns = ""
        if differ:
            name = differ[0]
            types = f"{name!r} is {_shown(now.get(name))} and was {_shown(before.get(name))}"
            columns = f" ({', '.join(differ[:20])}; {types})"
        raise SchemaError(
            f"{place.topic}[{place.partition}]@{place.first}: {batch.message_type} has other columns than "
            f"before{columns}: {hint}",
            topic=place.topic,
            partition=place.partition,
            offset=place.first,
        )

    def _schema_of(self, message_type: str | None) -> pa.Schema:
        schemas = self._schemas()
        if message_type is None:
            return only_schema(schemas)
        if message_type not in schemas:
            # A plan knows of each topic's last messages and registered schemas; the rows may have had more types.
            known = nearest.known(message_type, sorted({*schemas, *self._left_out}))
            raise SchemaError(f"there are no rows of the message type {message_type!r}; known are {known}")
        return schemas[message_type]

    def close(self) -> None:
        """Ends the reading, and waits until it has ended. Batches stay valid. Closing again does nothing."""
        if self._closed:
            return
        library_ = library()
        with contextlib.suppress(KafarrError):
            _ = self.report
        self._closed = True
        if self._bar:
            self._bar.close()
        try:
            library_.wait(library_.handle(library_.lib.scan_close_start, self._handle.number))
        finally:
            library().log_notices(self._handle.number)
            self._handle.free()
            if not self._taking:  # else the library may be filling it
                self._slot.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        self.close()
        return False

    def __del__(self) -> None:
        # The handle frees itself; what an interrupt has left in the slot does not.
        if not self._closed and not self._taking and usable():
            self._slot.clear()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a stream cannot be copied or pickled: pickle the plan or its tasks, and read them there")

    def __repr__(self) -> str:
        return f"<pykafarr.Stream {'closed' if self._closed else 'open'}>"


def _mixed(kind: str, other: str) -> str:
    """The error of rows of two types where one is wanted."""
    text = f"rows of {kind} are followed by rows of {other}: name the type that you want"
    if keys.TOMBSTONES in {kind, other}:
        text += (
            f", or say what becomes of messages without a value, which are the type {keys.TOMBSTONES}: "
            'tombstones="skip" leaves them out, "keep" gives them among the other rows'
        )
    return text


class _Failing:
    """The batches of a reader. A failure is raised by each further call.

    A generator that has raised ends: a reader that is used again would have no more rows, and no error.
    """

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches = batches
        self._failure: KafarrError | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> pa.RecordBatch:
        if self._failure:
            raise copy.copy(self._failure)
        try:
            return next(self._batches)
        except StopIteration:
            raise
        except KafarrError as error:
            # A copy has no traceback, whose frames may hold the reader: pyarrow hides that cycle from the collector.
            self._failure = copy.copy(error)
            raise
        except BaseException as error:  # Ctrl-C, too
            self._failure = StateError(
                f"the stream was left before its end, by {type(error).__name__}: call read() again"
            )
            raise


def _types(schema: pa.Schema) -> dict[str, str]:
    return {field.name: f"{field.type}{'' if field.nullable else ' not null'}" for field in schema}


def _shown(kind: str | None) -> str:
    """A column's type in an error, which a record of many fields does not fill."""
    if kind is None:
        return "not there"
    return kind if len(kind) <= _LONGEST_TYPE else f"{kind[:_LONGEST_TYPE]}…"
