"""What becomes of the rows of a send."""

from __future__ import annotations

import contextlib
import time
import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

from .._errors import ERROR_CLASSES, OK, PENDING, BrokerError, DeliveryError
from .._library.library import SLICE_MS, library, usable
from .._options import checks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._errors import KafarrError
    from .._options.checks import Duration


class SentRange(NamedTuple):
    """Where rows of a send are: `rows` rows of a partition, from the offset `first` to the offset `last`, inclusive.

    Messages of other producers may lie between them. An offset is None where the brokers did not say it.
    """

    topic: str
    partition: int
    first: int | None
    last: int | None
    rows: int


class SendFailure(NamedTuple):
    """Rows of a send that were not written, or of which it is not known.

    Attributes:
        state: "refused" by the brokers, "not sent", or "unknown": sent, and no answer said whether they were written.
        rows: the numbers of the rows in the frame, as (first, last), for each stretch of them.
        size: how many rows these are.
        error: why, with topic and partition.
        blamed: the rows that the brokers complain about, each with what they say; the others were refused with them.
    """

    topic: str
    partition: int
    state: str
    rows: list[tuple[int, int]]
    size: int
    error: KafarrError
    blamed: list[tuple[int, str]]


class Report:
    """What becomes of the rows of a send. Made by `Producer.send()`.

    Its properties say what is known so far; `wait()` waits until that is all. Then it can be pickled, alone and as part
    of a DeliveryError.
    """

    def __init__(self, topic: str, rows: int = 0) -> None:
        self._topic = topic
        self._rows = rows
        self._handles: list[int] = []
        self._found: list[dict[str, Any]] = []  # of the handles that are complete, in their order
        self._finalizer = weakref.finalize(self, _free, self._handles)
        self._finalizer.atexit = False

    def _add(self, handle: int, rows: int) -> None:
        self._handles.append(handle)
        self._rows += rows

    @contextlib.contextmanager
    def _attached(self) -> Iterator[None]:
        """Gives an exception this report, where rows were handed over before it."""
        try:
            yield
        except BaseException as error:
            if self._rows and getattr(error, "report", None) is None:
                with contextlib.suppress(AttributeError, TypeError):  # of a class with slots
                    error.report = self  # type: ignore[attr-defined]
            raise

    @property
    def topic(self) -> str:
        """The topic."""
        return self._topic

    @property
    def rows(self) -> int:
        """The rows of the frame."""
        return self._rows

    @property
    def written(self) -> int:
        """The rows that the brokers have acknowledged, of the parts of the frame whose rows all have their outcome.

        A frame of one table is one part, a stream has one a batch. With `acks=0` in `config=` these are the rows that
        were sent. Rows of a transaction count, too, although nobody reads them when it is aborted.
        """
        self._look(0)
        return sum(found["written"] for found in self._found)

    @property
    def done(self) -> bool:
        """Whether each row has its outcome."""
        return self._look(0)

    @property
    def ranges(self) -> list[SentRange]:
        """The partitions and offsets of the rows that were written, a range a partition."""
        self._look(0)
        return self._ranges()

    def _ranges(self) -> list[SentRange]:
        merged: dict[int, SentRange] = {}
        for found in self._found:
            for topic, partition, first, last, rows in found["ranges"]:
                next_ = SentRange(topic, partition, _offset(first), _offset(last), rows)
                merged[partition] = _joined(merged[partition], next_) if partition in merged else next_
        return [merged[partition] for partition in sorted(merged)]

    @property
    def failures(self) -> list[SendFailure]:
        """The rows that were not written, or of which it is not known; empty when all is well."""
        self._look(0)
        return [_failure(failure) for found in self._found for failure in found["failures"]]

    def wait(self, timeout: Duration | None = None) -> Report:
        """Waits until each row has its outcome, and gives this report.

        Args:
            timeout: for at most so long, milliseconds or a timedelta. None: until it is known, which
                `delivery.timeout.ms` bounds.

        Raises:
            DeliveryError: rows were not written, or it is not known. Its `report` is this one.
            BrokerError: the timeout has passed.
        """
        deadline = None
        if timeout is not None:
            deadline = time.monotonic() + checks.milliseconds("timeout", timeout) / 1000
        while not self._look(SLICE_MS):
            if deadline is not None and time.monotonic() >= deadline:
                raise BrokerError(f"{self!r}: the outcome is not known within {timeout}", topic=self._topic)
        self._raise()
        return self

    def _raise(self) -> None:
        for found in self._found:
            if found["message"]:
                first = found["failures"][0]
                error = DeliveryError(found["message"], topic=self._topic, partition=first["partition"])
                error.report = self
                raise error

    def _look(self, slice_ms: int) -> bool:
        """Takes what is complete, waiting for the next one for a slice; whether all is."""
        if not self._handles:
            return True
        library_ = library()
        text, error = library_.ffi.new("char **"), library_.new("kafarr_error")
        while self._handles:
            status = library_.lib.report_wait(self._handles[0], slice_ms, text, error)
            if status == PENDING:
                return False
            if status != OK:
                library_.raise_error(error)
            found, text[0] = library_.take_json(text[0]), library_.ffi.NULL
            self._found.append(found)
            library_.call(library_.lib.report_free, self._handles.pop(0))
        return True

    def __reduce__(self) -> tuple[Any, ...]:
        return Report._restored, self._data()

    def _data(self) -> tuple[Any, ...]:
        """A report that is complete, as plain data."""
        if not self._look(0):
            raise TypeError("a report cannot be pickled before each row has its outcome: wait() for it")
        return self._topic, self._rows, self._found

    @classmethod
    def _restored(cls, topic: str, rows: int, found: list[dict[str, Any]]) -> Report:
        report = cls(topic, rows)
        report._found = found
        return report

    def __repr__(self) -> str:
        done = self._look(0) if usable() else False
        parts = [f"{self._rows:,} rows to {self._topic}"]
        if not done:
            parts.append(f"{sum(found['written'] for found in self._found):,} written so far")
        else:
            counts: dict[str, int] = {}
            for failure in self.failures:
                counts[failure.state] = counts.get(failure.state, 0) + failure.size
            if counts:
                parts.append(f"{self.written:,} written")
            parts += [f"{count:,} {state}" for state, count in sorted(counts.items())]
        parts += [
            f"[{one.partition}]@{one.first}" + (f"..{one.last}" if one.last != one.first else "")
            for one in self._ranges()
        ]
        return f"<pykafarr.Report {', '.join(parts)}>"


def _offset(number: int) -> int | None:
    return None if number < 0 else number


def _joined(one: SentRange, other: SentRange) -> SentRange:
    first = [number for number in (one.first, other.first) if number is not None]
    last = [number for number in (one.last, other.last) if number is not None]
    return one._replace(first=min(first, default=None), last=max(last, default=None), rows=one.rows + other.rows)


def _failure(found: dict[str, Any]) -> SendFailure:
    topic, partition = found["topic"], found["partition"]
    return SendFailure(
        topic,
        partition,
        found["state"],
        [(first, last) for first, last in found["rows"]],
        found["count"],
        ERROR_CLASSES.get(found["code"], BrokerError)(found["error"], topic=topic, partition=partition),
        [(row, message) for row, message in found["blamed"]],
    )


def _free(handles: list[int]) -> None:
    if usable():
        library_ = library()
        for handle in handles:
            library_.call(library_.lib.report_free, handle)
