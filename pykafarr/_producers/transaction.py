"""Transactions: all rows of several sends, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

from .._batches.batch import Batch
from .._errors import ConfigError, KafarrError, StateError
from .._library.library import encode, library, usable
from .._library.logs import logger
from .send import Sends

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

    from .report import Report

    class _Producer(Protocol):
        _handle: int

        def _library(self) -> Any: ...
        def _run(
            self,
            start: Callable[..., int],
            *arguments: Any,
            most_ms: int | None = None,
            keep: Callable[[Any], None] | None = None,
        ) -> Any: ...
        def _append(self, report: Report, settings: dict[str, Any], frame: Any) -> None: ...


# How long a block that is left by Ctrl-C or sys.exit() waits for its abort. What is not aborted by then is by the next
# transaction of the producer, or of the next one of its name.
_INTERRUPTED_MS = 500


class Transaction(Sends):
    """A transaction of a producer. Made by `Producer.transaction()`, and used as a context manager.

    At the end of the block it commits, which waits until every row is written. Where the block is left by an
    exception, or a row was not written, it aborts: readers with isolation.level=read_committed, the default of
    listeners and scans, see all rows or none.
    """

    def __init__(self, producer: _Producer) -> None:
        self._producer = producer
        self._handle = 0
        self._over = False

    def __enter__(self) -> Self:
        if self._handle or self._over:
            raise StateError("the transaction has begun already: ask for another one")
        library_ = self._producer._library()
        begin = library_.lib.producer_begin_start
        found = self._producer._run(begin, self._producer._handle, keep=self._begun_and_interrupted)
        self._handle = found["transaction"]
        return self

    def _begun_and_interrupted(self, found: dict[str, Any]) -> None:
        """Ends a transaction whose block is not entered."""
        library_ = library()
        self._handle = found["transaction"]
        self._abort("an interrupt", most_ms=_INTERRUPTED_MS)
        library_.call(library_.lib.transaction_free, self._handle)

    def commit_offsets(self, batch: Batch) -> None:
        """Commits the offsets of a listener's batch with the transaction: consume, transform, produce exactly once.

        The end of the block sends them, and acknowledges the batch once they are committed: what the listener's
        `commit(batch)` does otherwise. Several batches may be given, each once. Where the transaction is aborted, the
        batch is open as it was: try it again in another transaction, or `seek()` to the committed offsets to read it
        again. Where it is not known whether it was committed, the batch is neither acknowledged nor open.

        The listener is of the same cluster and has acknowledge="commit" and config={"enable.auto.commit": False}. From
        the first call on, transactions commit its offsets, and its own `commit()` raises StateError.

        Raises:
            ConfigError: the listener is not set up like that, or the batch is no listener's.
            StateError: the batch is acknowledged already, part of another transaction, or from before a `seek()`. At
                the end of the block, too: rows of another batch lie before the end of this one, and are neither
                acknowledged nor part of the transaction.
            GroupError: a partition of the batch was taken away since it was given. Its new owner reads the rows again.
                At the end of the block, too.
            ClosedError: the listener is closed.
        """
        if not isinstance(batch, Batch):
            raise TypeError(f"batch must be a Batch, not {type(batch).__name__}")
        if not batch._owner:
            raise ConfigError("batch is not of a listener")
        self._open()
        library_ = self._producer._library()
        found = encode({"ids": [batch._id], "ranges": [place[:4] for place in batch.ranges]})
        library_.call(library_.lib.transaction_commit_offsets, self._handle, batch._owner, *found)

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        self._open()
        library_ = library()
        try:
            if kind is None:
                self._commit()
            else:
                self._abort(kind.__name__, most_ms=_bound(kind))
        finally:
            self._over = True
            if usable():
                library_.call(library_.lib.transaction_free, self._handle)
        return False

    def _open(self) -> None:
        if self._over:
            raise StateError("the transaction is over: ask for another one")
        if not self._handle:
            raise StateError("the transaction has not begun: use it in a with block")

    def _commit(self) -> None:
        library_ = library()
        try:
            self._producer._run(library_.lib.transaction_commit_start, self._handle)
        except BaseException as error:  # an interrupt leaves it open; after others there is nothing left to do
            self._abort(type(error).__name__, most_ms=_bound(type(error)))
            raise

    def _abort(self, why: str, most_ms: int | None) -> None:
        library_ = library()
        try:
            self._producer._run(library_.lib.transaction_abort_start, self._handle, most_ms=most_ms)
        except KafarrError as error:
            logger.warning("aborting after %s failed: %s", why, error)  # the first failure is the one to see

    def _append(self, report: Report, settings: dict[str, Any], frame: Any) -> None:
        self._open()
        self._producer._append(report, {**settings, "transaction": self._handle}, frame)

    def __repr__(self) -> str:
        return f"<pykafarr.Transaction of {self._producer!r}>"


def _bound(why: type[BaseException]) -> int | None:
    """How long an abort may last: an interrupt is not to wait for brokers that do not answer."""
    return None if issubclass(why, Exception) else _INTERRUPTED_MS
