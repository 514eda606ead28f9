"""The producer: frames in, messages out."""

from __future__ import annotations

import contextlib
import json
import warnings
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from .._errors import PENDING, ClosedError, KafarrError
from .._library import oauth
from .._library.library import SLICE_MS, encode, library, usable
from .._library.logs import log_notices, logger
from .._options import checks, table
from .frames import rows_of
from .report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    import pyarrow as pa
    from typing_extensions import Self

    from .._options.checks import Duration
    from .._options.sends import Extra, Missing, SendFraming, SendHeaders, SendKey, SendSchema, Subject
    from .._options.tokens import TokenSource

# How many schemas are kept that frames of Python objects are converted by.
_MAX_TARGETS = 256
# How long a block that is left by Ctrl-C or sys.exit() waits for what is on its way.
_INTERRUPTED_MS = 1000


class Producer:
    """Sends frames to topics. Made by `pykafarr.producer()`.

    Its methods may be called from any thread. As a context manager it closes itself, which waits for what is on its
    way, and raises the DeliveryError of rows that nobody has asked for.

    Every method raises ClosedError after `close()`, ForkError in a child forked after the producer was made.
    """

    _closed = True  # until __init__ is done: __del__ also runs for what it could not finish

    def __init__(self, settings: dict[str, Any], oauth_token: TokenSource | None = None) -> None:
        library_ = library()
        self._servers: str = settings["servers"]
        self._targets: dict[str, pa.Schema] = {}
        self._handle = library_.handle(library_.lib.producer_new, *encode(settings))
        self._closed = False
        if oauth_token is not None:
            oauth.start_token_thread(library_, self._handle, oauth_token)

    def send(
        self,
        message_type: str | None,
        frame: Any,
        topic: str,
        *,
        schema: SendSchema | None = None,
        register: bool = False,
        subject: Subject = "topic",
        framing: SendFraming = "confluent",
        key: SendKey | None = None,
        partition: str | None = None,
        timestamp: str | None = None,
        headers: SendHeaders | None = None,
        tombstone: str | None = None,
        partitioner: str | None = None,
        extra: Extra = "ignore",
        missing: Missing = "error",
        wait: bool = False,
    ) -> Report:
        """Sends the rows of a frame, a message each.

        Every value is checked before the first row is sent (of a stream, of its batch). It returns once the rows are
        encoded and within the memory limit: then the frame may be changed, and the report says what becomes of them.

        Args:
            message_type: the full name of the Avro record, such as "com.example.Price". None: that of the schema.
                "null", as listeners give it: every row is a tombstone, and there is no schema.
            frame: a frame of pandas or polars, a table, batch or reader of pyarrow, a relation of duckdb, a `Batch`, or
                anything with `__arrow_c_stream__` or `__arrow_c_array__`. The index of a pandas frame is not sent.
                Columns with the names of a listener's metadata are never fields: `_key`, `_headers`, `_timestamp`,
                `_partition` and `_tombstone` say what they say there, and `_offset`, `_topic` and others are left out.
            topic: the topic, which has to exist.
            schema: the schema to write with. None: the last version of the subject that is of the message type. An
                Avro schema (JSON text, dict, or a pathlib.Path of a file), which its subject must have; a registered
                id; "latest"; {"subject": …, "version": …}; {"schema": …, "references": [{"name": …, "subject": …,
                "version": …}]}; "derive": it is made of the frame's columns, or {"derive": True, "enums":
                {column: symbols}}. What the registry answers is remembered as long as the producer lives.
            register: register a schema that is given or derived, where its subject does not have it. What the registry
                answers to an incompatible one is in the RegistryError.
            subject: what names the subject: "topic" ("<topic>-value"), "record" (the message type), or "topic_record"
                ("<topic>-<message type>"). Another one goes into schema={"subject": …}.
            framing: how messages name their schema: "confluent", a zero byte and the id; "schema_header", in the header
                `__value_schema_id`; "bare", not at all: a schema that is given then needs no registry.
            key: the column of keys, whose texts or bytes are taken as they are; or {"column": …, "format": …} with
                "bytes", "string" (whole numbers, too) or "avro", which writes values by the subject "<topic>-key", or
                by "schema", with "register" as above.
            partition: the column of partitions; a row that has none gets one by its key.
            timestamp: the column of timestamps, or of milliseconds since 1970; a row that has none has the time of the
                send.
            headers: the column of headers, as listeners give them or as dicts; or a dict of headers for each row.
            tombstone: the column that is true for rows without a value.
            partitioner: what chooses the partition of a key, by librdkafka's names: "consistent_random" (its default),
                "murmur2_random" (that of Java), …. None: the property `partitioner`. Rows without keys are sent to one
                partition after the other, in stretches.
            extra: what columns do that the schema does not have: "ignore" leaves them out, "error" refuses the frame.
            missing: what fields do that the frame does not have: "error" refuses the frame, "default" writes the
                schema's defaults.
            wait: wait until the brokers have acknowledged the rows.

        Raises:
            EncodeError: a value cannot be written; the message names row, column and value. Nothing was sent.
            DeliveryError: rows were not written (wait=True), or could not be handed over.
            RegistryError: the registry gave no schema, or took none; SchemaNotFoundError where it has none.
            SchemaError: the schema is invalid, or the columns do not fit it.
            TopicNotFoundError: the cluster does not have the topic.
            BrokerError: the cluster does not answer.
            ConfigError: an argument has a wrong value.
            TypeError: an argument has a wrong type.
        """
        settings = table.settings(table.SEND.values(), locals())
        checks.truth("wait", wait)
        report = self._send(settings, frame)
        return report.wait() if wait else report

    def _send(self, settings: dict[str, Any], frame: Any) -> Report:
        self._library()
        rows = rows_of(frame, lambda: self._target(settings), settings.get("headers"))
        report = Report(settings["topic"])
        if rows.whole:
            self._hand(report, settings, rows.schema, list(rows.batches))
            return report
        sent = False
        for batch in rows.batches:
            self._hand(report, {**settings, "first_row": report.rows}, rows.schema, [batch])
            sent = True
        if not sent:
            import pyarrow as pa  # noqa: PLC0415  # which importing pykafarr does not load

            empty = [pa.array([], field.type) for field in rows.schema]
            self._hand(report, settings, rows.schema, [pa.RecordBatch.from_arrays(empty, schema=rows.schema)])
        return report

    def _hand(
        self, report: Report, settings: dict[str, Any], schema: pa.Schema, batches: Sequence[pa.RecordBatch]
    ) -> None:
        """Sends batches that are one frame, and notes their report."""
        library_ = self._library()
        ffi = library_.ffi
        columns, arrays = library_.new("ArrowSchema"), ffi.new("struct ArrowArray[]", len(batches))
        operation = ffi.new("int64_t *")
        try:
            schema._export_to_c(int(ffi.cast("uintptr_t", columns)))
            for index, batch in enumerate(batches):
                batch._export_to_c(int(ffi.cast("uintptr_t", ffi.addressof(arrays, index))))
            library_.call(
                *(library_.lib.producer_send_start, self._handle, *encode(settings)),
                *(columns, arrays, len(batches), operation),
            )
        finally:
            # What the library has taken over has no callback any more.
            for struct in (columns, *(ffi.addressof(arrays, index) for index in range(len(batches)))):
                if struct.release:
                    struct.release(struct)
        found = self._wait(operation[0])
        report._add(found["report"], found["rows"])
        self._log_notices()
        if found["failed"]:
            report.wait()

    def _wait(self, operation: int) -> Any:
        """Waits for the end of an operation. An interrupt ends it early: the frame is in use until then."""
        library_ = library()
        text, error = library_.ffi.new("char **"), library_.new("kafarr_error")
        status = PENDING
        try:
            while status == PENDING:
                status = library_.lib.kafarr_wait(operation, SLICE_MS, text, error)
        except BaseException:
            library_.lib.kafarr_cancel(operation)
            while status == PENDING:
                with contextlib.suppress(KeyboardInterrupt):
                    status = library_.lib.kafarr_wait(operation, SLICE_MS, text, error)
            raise
        if status:
            library_.raise_error(error)
        return library_.take_json(text[0])

    def _target(self, settings: dict[str, Any]) -> pa.Schema | None:
        """The columns that the schema of a send stands for; None where it is derived, or there is none."""
        import pyarrow as pa  # noqa: PLC0415  # which importing pykafarr does not load

        if settings["message_type"] == "null" or settings["schema"].get("derive"):
            return None
        name = json.dumps([settings[part] for part in ("message_type", "topic", "schema", "framing")])
        if known := self._targets.get(name):
            return known
        library_ = self._library()
        columns = library_.new("ArrowSchema")
        operation = library_.ffi.new("int64_t *")
        pa.schema([])._export_to_c(int(library_.ffi.cast("uintptr_t", columns)))
        library_.call(library_.lib.producer_target_start, self._handle, *encode(settings), columns, operation)
        found = self._wait(operation[0])
        library_.call(library_.lib.producer_target_columns, found["target"], columns)
        schema = pa.Schema._import_from_c(int(library_.ffi.cast("uintptr_t", columns)))
        if len(self._targets) >= _MAX_TARGETS:
            self._targets.clear()
        self._targets[name] = schema
        return schema

    def flush(self) -> None:
        """Waits until each row that was sent has its outcome, which `delivery.timeout.ms` bounds.

        Raises:
            DeliveryError: rows were not written, of a send whose report nobody has waited for.
        """
        library_ = self._library()
        try:
            self._wait(library_.handle(library_.lib.producer_flush_start, self._handle))
        finally:
            self._log_notices()

    def close(self, timeout: Duration | None = None) -> None:
        """Flushes and closes. Closing again does nothing.

        Args:
            timeout: how long to wait for what is on its way, milliseconds or a timedelta. None: until it is known,
                which `delivery.timeout.ms` bounds.

        Raises:
            DeliveryError: as `flush()`. The producer is closed all the same.
        """
        if self._closed:
            return
        library_ = self._library()
        bound = -1 if timeout is None else checks.milliseconds("timeout", timeout)
        self._closed = True
        try:
            self._wait(library_.handle(library_.lib.producer_close_start, self._handle, bound))
        finally:
            self._log_notices()
            self._free()

    def _log_notices(self) -> None:
        library_ = library()
        with contextlib.suppress(ClosedError):  # closed by another thread, which logs the rest
            log_notices(library_.json(library_.lib.listener_events, self._handle) or [])

    def _library(self) -> Any:
        """The library, for an open producer."""
        library_ = library()
        if self._closed:
            raise ClosedError("the producer is closed")
        return library_

    def __enter__(self) -> Self:
        self._library()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        try:
            interrupted = kind is not None and not issubclass(kind, Exception)
            self.close(timeout=_INTERRUPTED_MS if interrupted else None)
        except KafarrError as error:
            if kind is None:
                raise
            logger.warning("closing after %s failed: %s", kind.__name__, error)  # the first failure is the one to see
        return False

    def __del__(self) -> None:
        if not self._closed and usable():
            text = f"{self!r} was never closed: use `with`, or close(): rows on their way may be lost"
            warnings.warn(text, ResourceWarning, stacklevel=1, source=self)
            self._free()

    def _free(self) -> None:
        library_ = library()
        library_.call(library_.lib.producer_free, self._handle)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a producer cannot be copied or pickled: open one where it is needed")

    def __repr__(self) -> str:
        return f"<pykafarr.Producer servers={self._servers!s} {'closed' if self._closed else 'open'}>"
