"""Transactions: all rows of several sends, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

from .._errors import KafarrError, StateError
from .._library.library import library, usable
from .._library.logs import logger
from .send import Sends

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from .report import Report

    class _Producer(Protocol):
        _handle: int

        def _library(self) -> Any: ...
        def _wait(self, operation: int) -> Any: ...
        def _send(self, settings: dict[str, Any], frame: Any) -> Report: ...


class Transaction(Sends):
    """A transaction of a producer. Made by `Producer.transaction()`, and used as a context manager.

    At the end of the block it commits, which waits until every row is written. Where the block is left by an
    exception, or a row was not written, it aborts: readers with isolation.level=read_committed, the default of
    listeners and scans, see all rows or none.
    """

    def __init__(self, producer: _Producer) -> None:
        self._producer = producer
        self._handle = 0

    def __enter__(self) -> Self:
        if self._handle:
            raise StateError("the transaction has begun already: ask for another one")
        library_ = self._producer._library()
        found = self._producer._wait(library_.handle(library_.lib.producer_begin_start, self._producer._handle))
        self._handle = found["transaction"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        library_ = library()
        end = library_.lib.transaction_commit_start if kind is None else library_.lib.transaction_abort_start
        try:
            self._producer._wait(library_.handle(end, self._handle))
        except KafarrError as error:
            if kind is None:
                raise
            logger.warning("aborting after %s failed: %s", kind.__name__, error)  # the first failure is the one to see
        finally:
            if usable():
                library_.call(library_.lib.transaction_free, self._handle)
        return False

    def _send(self, settings: dict[str, Any], frame: Any) -> Report:
        if not self._handle:
            raise StateError("the transaction has not begun: use it in a with block")
        return self._producer._send({**settings, "transaction": self._handle}, frame)

    def __repr__(self) -> str:
        return f"<pykafarr.Transaction of {self._producer!r}>"
