"""The producer: frames in, messages out."""

from __future__ import annotations

import contextlib
import json
import time
import warnings
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from .._errors import PENDING, ClosedError, KafarrError
from .._library import oauth
from .._library.library import SLICE_MS, encode, library, usable
from .._library.logs import logger
from .._options import checks
from .frames import rows_of
from .report import Report
from .send import Sends
from .transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    import pyarrow as pa
    from typing_extensions import Self

    from .._options.checks import Duration
    from .._options.tokens import TokenSource

# How many schemas are kept that frames of Python objects are converted by.
_MAX_TARGETS = 256
# Message types that have no schema, unless one is given.
_UNTYPED = ("null", "bytes", "string")
# How long a block that is left by Ctrl-C or sys.exit() waits for what is on its way.
_INTERRUPTED_MS = 1000


class Producer(Sends):
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

    def _check(self, settings: dict[str, Any], frame: Any, first_row: int) -> str:
        """Checks a frame as `send()` does, sends nothing, and gives the text of the schema; "": there is none."""
        rows = rows_of(frame, lambda: self._target(settings), settings.get("headers"))
        text = ""
        if settings["message_type"] not in _UNTYPED:
            text, _ = self._find(settings, rows.schema)
        report = Report(settings["topic"])
        checking = {**settings, "first_row": first_row, "check_only": True}
        self._hand(report, checking, rows.schema, list(rows.batches))
        return text

    def transaction(self) -> Transaction:
        """A transaction, for a with block: `with out.transaction() as t: t.send(…)`.

        It needs `transactional_id=` of `producer()`. One at a time.

        Raises (at the beginning of the block):
            ConfigError: the producer has no transactional_id.
            StateError: another transaction of this producer is open.
            BrokerError: the cluster does not answer, or another producer has the same transactional_id by now.
        """
        self._library()
        return Transaction(self)

    def _append(self, report: Report, settings: dict[str, Any], frame: Any) -> None:
        self._library()
        rows = rows_of(frame, lambda: self._target(settings), settings.get("headers"))
        if rows.whole:
            self._hand(report, {**settings, "first_row": report.rows}, rows.schema, list(rows.batches))
            return
        sent = False
        for batch in rows.batches:
            self._hand(report, {**settings, "first_row": report.rows}, rows.schema, [batch])
            sent = True
        if not sent:
            import pyarrow as pa  # noqa: PLC0415  # which importing pykafarr does not load

            empty = [pa.array([], field.type) for field in rows.schema]
            self._hand(report, settings, rows.schema, [pa.RecordBatch.from_arrays(empty, schema=rows.schema)])

    def _hand(
        self, report: Report, settings: dict[str, Any], schema: pa.Schema, batches: Sequence[pa.RecordBatch]
    ) -> None:
        """Sends batches that are one frame, and notes their report."""
        library_ = self._library()
        ffi = library_.ffi
        columns, arrays = library_.new("ArrowSchema"), ffi.new("struct ArrowArray[]", len(batches))
        try:
            schema._export_to_c(int(ffi.cast("uintptr_t", columns)))
            for index, batch in enumerate(batches):
                batch._export_to_c(int(ffi.cast("uintptr_t", ffi.addressof(arrays, index))))
            found = self._run(
                *(library_.lib.producer_send_start, self._handle, *encode(settings), columns, arrays, len(batches)),
                keep=lambda found: report._add(found["report"], found["rows"]),
            )
        finally:
            # What the library has taken over has no callback any more.
            for struct in (columns, *(ffi.addressof(arrays, index) for index in range(len(batches)))):
                if struct.release:
                    struct.release(struct)
        report._add(found["report"], found["rows"])
        library().log_notices(self._handle)
        if found["failed"]:
            report.wait()

    def _run(
        self,
        start: Callable[..., int],
        *arguments: Any,
        most_ms: int | None = None,
        keep: Callable[[Any], None] | None = None,
    ) -> Any:
        """Runs an operation to its end. The last arguments of its start are the handle, which it gives, and the error.

        An interrupt ends it early, wherever it strikes: what continued in the background would use a frame that its
        owner may change, and send rows after those of the next send.

        most_ms: after so long it is ended early, too.
        keep: called with the result where the operation had one already when the interrupt came.
        """
        library_ = library()
        operation, text = library_.ffi.new("int64_t *"), library_.ffi.new("char **")
        error = library_.new("kafarr_error")
        status, deadline = PENDING, None if most_ms is None else time.monotonic() + most_ms / 1000
        try:
            library_.call(start, *arguments, operation)
            while status == PENDING:
                status = library_.lib.kafarr_wait(operation[0], SLICE_MS, text, error)
                if deadline is not None and time.monotonic() > deadline:
                    library_.lib.kafarr_cancel(operation[0])
        except BaseException:
            while operation[0] and status == PENDING:
                with contextlib.suppress(BaseException):  # another interrupt
                    library_.lib.kafarr_cancel(operation[0])
                    status = library_.lib.kafarr_wait(operation[0], SLICE_MS, text, error)
            if text[0]:
                found = library_.take_json(text[0])
                if keep is not None:
                    keep(found)
            raise
        if status:
            library_.raise_error(error)
        return library_.take_json(text[0])

    def _target(self, settings: dict[str, Any]) -> pa.Schema | None:
        """The columns that the schema of a send stands for; None where it is derived, or there is none."""
        import pyarrow as pa  # noqa: PLC0415  # which importing pykafarr does not load

        schema = settings["schema"]
        if settings["message_type"] in _UNTYPED or schema.get("derive"):
            return None
        name = json.dumps([settings[part] for part in ("message_type", "topic", "schema", "framing")])
        if known := self._targets.get(name):
            return known
        _, schema = self._find(settings, pa.schema([]))
        if len(self._targets) >= _MAX_TARGETS:
            self._targets.clear()
        self._targets[name] = schema
        return schema

    def _find(self, settings: dict[str, Any], columns: pa.Schema) -> tuple[str, pa.Schema]:
        """The text of the schema of a send, and the columns that it stands for."""
        import pyarrow as pa  # noqa: PLC0415  # likewise

        library_ = self._library()
        struct = library_.new("ArrowSchema")
        columns._export_to_c(int(library_.ffi.cast("uintptr_t", struct)))
        found = self._run(library_.lib.producer_target_start, self._handle, *encode(settings), struct)
        library_.call(library_.lib.producer_target_columns, found["target"], struct)
        return found["schema"], pa.Schema._import_from_c(int(library_.ffi.cast("uintptr_t", struct)))

    def flush(self) -> None:
        """Waits until each row that was sent has its outcome, which `delivery.timeout.ms` bounds.

        Raises:
            DeliveryError: rows were not written, of a send whose report nobody has waited for.
        """
        library_ = self._library()
        try:
            self._run(library_.lib.producer_flush_start, self._handle)
        finally:
            library().log_notices(self._handle)

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
            self._run(library_.lib.producer_close_start, self._handle, bound)
        finally:
            library().log_notices(self._handle)
            self._free()

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
