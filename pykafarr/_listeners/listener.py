"""The listener: Kafka topics in, one frame or batch of one message type at a time out."""

from __future__ import annotations

import atexit
import contextlib
import time
import warnings
import weakref
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar

from .._batches.batch import Batch, batch_from
from .._batches.inferred import pyarrow_schema
from .._errors import OK, PENDING, BrokerError, ClosedError, ConfigError, KafarrError, StateError
from .._library import oauth
from .._library.library import SLICE_MS, encode, library, usable
from .._library.logs import logger
from .._library.slot import Slot
from .._options import checks
from .positions import Positions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    import pandas as pd
    import pyarrow as pa
    from typing_extensions import Self

    from .._options.checks import DtypeBackend, Duration
    from .._options.tokens import TokenSource
    from .rebalances import Rebalances

_T = TypeVar("_T")

# How long the listeners of a process may take together to leave their groups when the interpreter exits. A member
# that only vanishes keeps its partitions until the broker's session timeout, 45 s.
_EXIT_SECONDS = 1.0

# The least time between two requests for the ends of the partitions.
_ASK_EVERY_MS = 100


class _Late:
    """Notices when rows that the log has do not come: a slow network, or a broker whose answers are of no use."""

    def __init__(self, patience: float) -> None:
        self._patience = patience  # seconds without any progress
        self.nothing()

    def nothing(self) -> None:
        """A row has come."""
        self._since = 0.0
        self._places: list[tuple[str, int, int]] = []

    def rows(self, lags: Sequence[Any]) -> bool:
        """Whether there are rows to come; raises BrokerError where none has come any nearer for too long."""
        missing = [
            (topic, partition, place, end) for topic, partition, place, end, lag, paused in lags if lag and not paused
        ]
        places, now = [entry[:3] for entry in missing], time.monotonic()
        if places != self._places:  # places move on without rows, too: over tombstones, aborted and skipped rows
            self._since, self._places = now, places
        elif missing and now - self._since >= self._patience:
            named = ", ".join(
                f"{topic}[{partition}]@{place} (it ends at {end})" for topic, partition, place, end in missing[:4]
            )
            raise BrokerError(
                f"no row has come for {now - self._since:.0f} s, although the log has more: {named}. "
                "Polling again tries again"
            )
        return bool(missing)


class Listener(Positions):
    """A member of a consumer group that gives messages as frames. Made by `pykafarr.listener()`.

    Rows count as processed ("acknowledged") when the next poll is called, by `commit()`, by `commit(batch)`, or by a
    clean `close()`; with acknowledge="commit", by the two commits only. A group that starts again begins at the first
    row that was not. As a context manager it closes itself; when the block is left by an exception, nothing more is
    acknowledged.

    One poll at a time; all else may be called from any thread. Ctrl-C during a poll raises KeyboardInterrupt at once,
    and the rows received so far come with the next poll.

    Every method raises ClosedError after `close()`, ForkError in a child forked after the listener was made.
    """

    _closed = True  # until __init__ is done: __del__ also runs for what it could not finish

    def __init__(
        self,
        settings: dict[str, Any],
        dtype_backend: DtypeBackend | None,
        rebalances: Rebalances,
        oauth_token: TokenSource | None = None,
    ) -> None:
        library_ = library()
        self._group: str = settings["group"]
        self._ready_timeout: int = settings["ready_timeout_ms"]
        self._topics: list[str] = settings["topics"] or sorted({topic for topic, _ in settings["assign"]})
        self._collects: bool = settings["errors"] == "collect"
        self._dtype_backend = dtype_backend
        self._rebalances = rebalances
        self._leaving = False
        # What the library handed over, kept over an interrupt until the caller has it.
        self._slot = Slot(library_)
        self._polling = False
        self._handle = library_.handle(library_.lib.listener_new, *encode(settings))
        self._closed = False
        _open.add(self)
        if oauth_token is not None:
            oauth.start_token_thread(library_, self._handle, oauth_token)

    def poll(
        self, num_messages: int = 1000, max_time: Duration = 30000
    ) -> tuple[str, pd.DataFrame] | tuple[None, pd.DataFrame]:
        """Polls for messages of one type and gives (message type, frame).

        Returns as soon as num_messages rows are there, max_time has passed, or a message of another type or schema
        follows: that one opens the next frame. Acknowledges what earlier polls returned.

        Args:
            num_messages: most rows that the frame may have, from 1 to 2^31-1.
            max_time: how long to wait for them, milliseconds or a timedelta. The time until the group, the brokers
                and the first fetch are there does not count; `ready_timeout` bounds it for one poll, which then
                gives nothing, and the next one waits on.

        Returns:
            The full name of the Avro record, such as "com.example.Price", and a frame with a column for each of its
            fields, then the metadata columns. (None, a frame without rows or columns) when nothing came.

        Raises:
            DecodeError: a message could not be decoded (errors="raise"). The rows before it were returned first; the
                next poll continues with the row after it.
            RegistryError: the registry gave no schema. The next poll tries the same row again.
            SchemaError: a schema is invalid or not supported.
            AuthenticationError: the cluster refused the credentials, its certificate cannot be trusted, or there is no
                token.
            GroupError: the group does not admit this member or has thrown it out, which every poll raises as long as
                it is so.
            BrokerError: no broker answered within `ready_timeout`, a topic cannot be read, the cluster failed, or a
                message could not be written to `dead_letter_topic`: it is kept, and the next poll tries again.
            StateError: another thread is polling.
            ConfigError: an argument has a wrong value, or errors="collect": a frame has no place for rejected rows.
            TypeError: an argument has a wrong type; a float is no duration.
        """
        if self._collects:
            raise ConfigError('poll() has no place for rejected rows: with errors="collect", use poll_batch()')
        return self._poll(num_messages, max_time, self._message_type_and_frame)

    def poll_batch(self, num_messages: int = 1000, max_time: Duration = 30000) -> Batch | None:
        """Polls as `poll()` does and gives the rows as a `Batch` of Arrow memory, or None when nothing came.

        With errors="collect" a batch may hold rejected rows only. It then has no columns, and "" as its message type:
        messages that cannot be read may be of several types, or of none.
        """
        return self._poll(num_messages, max_time, lambda batch: batch)

    def batches(
        self, num_messages: int = 1000, max_time: Duration = 30000, idle_timeout: Duration | None = None
    ) -> Iterator[Batch]:
        """Iterates over batches: `for batch in p.batches(): …`. Taking the next one acknowledges those before it.

        Args:
            num_messages: as in `poll()`.
            max_time: as in `poll()`.
            idle_timeout: end after this long without a row, milliseconds or a timedelta; None: never end. Waiting for
                the group's assignment and the first fetch does not count. Before the end the brokers are asked where
                the partitions end: it is waited on where they have rows that have not come, for `ready_timeout` at
                most. After that, and where the brokers do not answer, it is a BrokerError, and not the end.

        Raises:
            As `poll()`. An exception ends this iterator; call `batches()` again to continue.
        """
        checks.integer("num_messages", num_messages, 1, checks.MAX_MESSAGES)
        step = checks.milliseconds("max_time", max_time)
        patience = None if idle_timeout is None else checks.milliseconds("idle_timeout", idle_timeout)
        return self._batches(num_messages, step, patience)

    def _batches(self, num_messages: int, step: int, patience: int | None) -> Iterator[Batch]:
        left: float | None = patience
        late = _Late(self._ready_timeout / 1000)
        while True:
            wait = step if left is None else min(step, int(left))
            begun = time.monotonic()
            batch = self.poll_batch(num_messages, wait)
            if batch is not None:
                left = patience
                late.nothing()
                yield batch
            elif left is None:
                continue
            elif self._slot.batch.waiting:
                # A wait for the group is no end and no error. A first fetch that brings nothing is one, in time.
                late.rows(self._ask_lag())
            else:
                # The poll's own time, not the clock's: catching up does not count. A max_time of 0 has only the clock.
                left -= wait or (time.monotonic() - begun) * 1000
                if left <= 0 and not late.rows(self._ask_lag()):
                    return
                left = left if left > 0 else max(patience or 0, _ASK_EVERY_MS)

    def commit(self, batch: Batch | None = None) -> None:
        """Acknowledges the rows of the batch, or all that were returned, and commits; waits until that is done.

        The committed offset of a partition is that of its first row not acknowledged, in whatever order batches are
        committed. Not needed as long as librdkafka's `enable.auto.commit` is on, its default, and acknowledge is
        "next_poll". Waits for the dead letters that are on their way.

        Raises:
            ConfigError: the batch is another listener's.
            StateError: transactions of a producer commit the offsets of this listener (`Transaction.commit_offsets()`).
            BrokerError: the commit failed, or a dead letter could not be written, which no commit passes; GroupError
                when the partitions belong to another member by now.
        """
        library_ = self._library()
        if batch is not None and not isinstance(batch, Batch):
            raise TypeError(f"batch must be a Batch, not {type(batch).__name__}")
        if batch is not None:
            if batch._owner != self._handle:
                raise ConfigError("batch is not of this listener")
            ranges: tuple[Any, int] = encode({"ids": [batch._id], "ranges": [found[:4] for found in batch.ranges]})
        elif self._slot.filled:
            # To the library these rows are returned, to the caller they are not. The poll that fetched them has
            # acknowledged all before, so there is nothing to add, only to commit.
            ranges = encode({"ids": []})
        else:
            ranges = library_.ffi.NULL, 0
        library_.wait(library_.handle(library_.lib.listener_commit_start, self._handle, *ranges))

    def close(self, commit: bool = True) -> None:
        """Leaves the group and frees everything; waits until that is done. Frames and batches stay valid.

        A poll of another thread ends with ClosedError. Closing again does nothing. `on_revoke` is called, if there is
        one, after the commit, and may itself commit.

        Args:
            commit: acknowledge what was returned (not with acknowledge="commit") and commit.

        Raises:
            BrokerError: the last commit failed, or a dead letter could not be written. The listener is closed all the
                same.
            Whatever `on_revoke` raises, likewise.
        """
        if self._closed or self._leaving:
            return
        library_ = self._library()
        self._leaving = True
        acknowledge = bool(commit) and not self._slot.filled
        failure = None
        try:
            if self._rebalances.on_revoke:
                failure, acknowledge = self._leave(acknowledge), False
            self._closed = True
            library_.wait(library_.handle(library_.lib.listener_close_start, self._handle, acknowledge))
        finally:
            self._closed = True
            _open.discard(self)
            library().log_notices(self._handle)
            self._free()
        if failure:
            raise failure

    def _leave(self, acknowledge: bool) -> Exception | None:
        """Commits and runs on_revoke, before the partitions are given up; gives the first exception."""
        library_, failure = library(), None
        try:
            library_.wait(library_.handle(library_.lib.listener_leave_start, self._handle, acknowledge))
        except KafarrError as error:
            failure = error
        try:
            self._rebalances.run(self._handle)
        except Exception as error:  # noqa: BLE001  # whatever a callable raises
            return failure or error
        return failure

    def stats(self) -> dict[str, int]:
        """Counters since the listener was opened.

        rows, rejected, skipped, tombstones (left out), dead_letters (in the dead-letter topic), out_of_range (values
        that became nulls), unknown_enums (likewise, numbers without a name), unknown_members (of JSON, that were passed
        over), rules_not_run (rows whose schemas have rules of a data contract, which were not executed),
        batches, bytes, polls, schemas, rebalances, log_lines_dropped.
        """
        library_ = self._library()
        found: dict[str, int] = library_.json(library_.lib.listener_stats, self._handle)
        return found

    def schema(self, topic: str, *, of_keys: bool = False) -> pa.Schema | None:
        """The schema that was inferred of a topic's first messages, where value="json" has no `schema`; None: none yet.

        Given as `schema`, it reads the topic by the same one in every process, and after a restart.

        Args:
            topic: the topic's name.
            of_keys: that of the topic's keys instead, where key="json" has no `key_schema`: it is for that option.
        """
        library_ = self._library()
        name = checks.text("topic", topic).encode()
        text: str = library_.json(
            library_.lib.listener_schema, self._handle, name, len(name), checks.truth("of_keys", of_keys)
        )
        return pyarrow_schema(text) if text else None

    def _poll(self, num_messages: int, max_time: Duration, deliver: Callable[[Batch | None], _T]) -> _T:
        """Polls, and gives what deliver makes of the batch, which stays in the slot until deliver has returned."""
        most = checks.integer("num_messages", num_messages, 1, checks.MAX_MESSAGES)
        wait = checks.milliseconds("max_time", max_time)
        self._library()
        # A flag and no lock: the interpreter looks for signals and other threads at calls, and there is no call between
        # these two lines and the try, nor between the release of the slot and the end.
        if self._polling:
            raise StateError(
                "this listener is being polled already, by another thread or by the poll that runs this callable"
            )
        self._polling = True
        try:
            slot = self._slot
            if not slot.filled:
                self._receive(most, wait)
            if error := slot.exception():
                slot.delivered = True
                raise error
            batch = self._batch() if slot.filled else None
            try:
                delivered = deliver(batch)
            except Exception as error:  # pandas cannot hold what Arrow can, such as a date of the year 100,000
                raise KafarrError(
                    f"{batch!r} cannot be made a frame ({error}): it is kept, poll_batch() gives it as Arrow"
                ) from error
            slot.records, slot.delivered = [], True
            return delivered
        finally:
            self._polling = False

    def _batch(self) -> Batch:
        return batch_from(self._slot.take_records(), self._slot.info(), self._handle, self._dtype_backend)

    def _receive(self, num_messages: int, max_time: int) -> None:
        """Polls the library in slices until it has something for the slot, or max_time has passed."""
        library_, slot = library(), self._slot
        slot.clear()
        begin, status = 1, PENDING
        while status == PENDING:
            status = library_.lib.listener_poll(
                self._handle, begin, num_messages, max_time, SLICE_MS, slot.batch, slot.error
            )
            begin = 0
            if slot.batch.notices:
                slot.batch.notices = 0
                library().log_notices(self._handle)
                if status == PENDING:
                    self._rebalances.run(self._handle)
        if status != OK and not slot.error.code:
            slot.error.code = status

    def _message_type_and_frame(self, batch: Batch | None) -> tuple[str, pd.DataFrame] | tuple[None, pd.DataFrame]:
        import pandas as pd  # noqa: PLC0415  # which importing pykafarr does not load

        if batch is None:
            return None, pd.DataFrame()
        from .._batches import to_pandas  # noqa: PLC0415  # likewise

        # The batch ends here, so the frame may have its memory.
        return batch.message_type, to_pandas.to_frame(batch.to_arrow(), self._dtype_backend, to_pandas.Memory.ADOPT)

    def _library(self) -> Any:
        """The library, for an open listener."""
        library_ = library()
        if self._closed:
            raise ClosedError("the listener is closed")
        return library_

    def __enter__(self) -> Self:
        self._library()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        try:
            self.close(commit=kind is None)
        except Exception as error:  # the library's, or on_revoke's
            if kind is None:
                raise
            logger.warning("closing after %s failed: %s", kind.__name__, error)  # the first failure is the one to see
        return False

    def __del__(self) -> None:
        if not self._closed and usable():
            text = f"{self!r} was never closed: use `with`, or close()"
            warnings.warn(text, ResourceWarning, stacklevel=1, source=self)
            self._free()

    def _free(self) -> None:
        library_ = library()
        library_.call(library_.lib.listener_free, self._handle)
        if not self._polling:  # else the library may be filling it; what it leaves there is lost with the poll
            self._slot.clear()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a listener cannot be copied or pickled: open one where it is needed")

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open"
        return f"<pykafarr.Listener group={self._group!r} topics={self._topics!r} {state}>"


_open: weakref.WeakSet[Listener] = weakref.WeakSet()


@atexit.register
def _leave_groups() -> None:
    """At the interpreter's exit: tells the brokers, acknowledges nothing, and does not wait long."""
    if not usable():
        return
    library_ = library()
    deadline = time.monotonic() + _EXIT_SECONDS
    operations = []
    for left_open in list(_open):
        with contextlib.suppress(KafarrError):  # closed by another thread a moment ago
            operations.append(library_.handle(library_.lib.listener_close_start, left_open._handle, 0))
    text, error = library_.ffi.new("char **"), library_.new("kafarr_error")
    for operation in operations:
        while (left := deadline - time.monotonic()) > 0:
            if library_.lib.kafarr_wait(operation, min(SLICE_MS, int(left * 1000) + 1), text, error) != PENDING:
                break
