"""A stand-in for the native library: the real structs of kafarr.h, filled by a script of the test."""

import json
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from cffi import FFI

from pykafarr._errors import ERROR_CLASSES, OK, PENDING
from pykafarr._library import library as lib

HEADER = Path(__file__).resolve().parents[2] / "cgo" / "kafarr.h"
CODES = {kind.__name__: code for code, kind in ERROR_CLASSES.items()}

# One answer of listener_poll: it gets the batch and the error and returns the status.
Answer = Callable[[Any, Any], int]


class FakeLibrary(lib.Library):
    """Answers listener_poll with what the test has put into `answers`, and notes the calls in `calls`."""

    def __init__(self) -> None:
        self.ffi: Any = FFI()
        self.ffi.cdef(lib._declarations(HEADER.read_text()))
        self.lib: Any = self
        self.answers: deque[Answer] = deque()
        self.calls: list[tuple[Any, ...]] = []
        self.notices: list[dict[str, Any]] = []
        self.settings: dict[str, Any] = {}
        self.waits: deque[Any] = deque()
        self.rebalances: deque[dict[str, Any]] = deque()  # that wait
        self.leaving: list[dict[str, Any]] = []  # those that leaving adds
        self.freed = False
        self.results: deque[Any] = deque()  # of operations, in their order
        self._texts: dict[int, Any] = {}

    # ---- answers ----

    def batch(
        self,
        record: pa.RecordBatch,
        message_type: str = "A",
        rejected: pa.RecordBatch | None = None,
        topic: str = "t",
    ) -> Answer:
        def answer(batch: Any, _error: Any) -> int:
            record._export_to_c(*self._addresses(batch, "array", "schema"))
            batch.rows = record.num_rows
            if rejected is not None:
                rejected._export_to_c(*self._addresses(batch, "rejected", "rejected_schema"))
                batch.rejected_rows = rejected.num_rows
            batch.info = self._text(
                {
                    "id": 7,
                    "message_type": message_type,
                    "ranges": [[topic, 0, 5, 5 + record.num_rows, record.num_rows]],
                    "events": [["offset_reset", "t", 0, 3, 5], ["assigned", "t", 1, -1, -1]],
                }
            )
            return OK

        return answer

    def error(self, name: str, message: str) -> Answer:
        def answer(_batch: Any, error: Any) -> int:
            error.code, error.message = CODES[name], message.encode()
            error.topic, error.partition, error.offset, error.schema_id = b"t", 3, 1042, -1
            return int(error.code)

        return answer

    @staticmethod
    def quiet(_batch: Any, _error: Any) -> int:
        return OK

    @staticmethod
    def pending(_batch: Any, _error: Any) -> int:
        return PENDING

    @staticmethod
    def interrupted(answer: Answer) -> Answer:
        """Ctrl-C between the return of the C call and the next statement."""

        def interrupt(batch: Any, error: Any) -> int:
            answer(batch, error)
            raise KeyboardInterrupt

        return interrupt

    # ---- the functions of the header ----

    def listener_new(self, config: bytes, _length: int, listener: Any, _error: Any) -> int:
        self.settings = json.loads(config)
        listener[0] = 1
        return OK

    def listener_poll(
        self, _listener: int, begin: int, most: int, wait: int, slice_ms: int, batch: Any, error: Any
    ) -> int:
        assert slice_ms == 100
        self.calls.append(("poll", begin, most, wait))
        batch.notices = len(self.notices) + len(self.rebalances)
        return (self.answers.popleft() if self.answers else self.quiet)(batch, error)

    def listener_events(self, _listener: int, notices: Any, _error: Any) -> int:
        notices[0] = self._text(self.notices)
        self.notices = []
        return OK

    def listener_commit_start(self, _listener: int, ranges: Any, length: int, operation: Any, _error: Any) -> int:
        self.calls.append(("commit", None if ranges == self.ffi.NULL else json.loads(ranges[:length])))
        operation[0] = 9
        return OK

    def listener_rebalance(self, _listener: int, rebalance: Any, error: Any) -> int:
        if self.freed:
            return self.error("ClosedError", "closed")(None, error)
        if self.rebalances:
            rebalance[0] = self._text(self.rebalances[0])
        return OK

    def listener_rebalanced_start(self, _listener: int, begin: Any, length: int, operation: Any, error: Any) -> int:
        if self.freed:
            return self.error("ClosedError", "closed")(None, error)
        places = () if begin == self.ffi.NULL else (json.loads(begin[:length]),)
        self.calls.append(("rebalanced", self.rebalances.popleft()["partitions"], *places))
        operation[0] = 9
        return OK

    def listener_leave_start(self, _listener: int, acknowledge: int, operation: Any, _error: Any) -> int:
        self.calls.append(("leave", bool(acknowledge)))
        self.rebalances.extend(self.leaving)
        operation[0] = 9
        return OK

    def listener_seek_start(self, _listener: int, targets: Any, length: int, operation: Any, _error: Any) -> int:
        self.calls.append(("seek", json.loads(targets[:length])))
        operation[0] = 9
        return OK

    def listener_give_back_start(self, _listener: int, batches: Any, length: int, operation: Any, _error: Any) -> int:
        self.calls.append(("give back", json.loads(batches[:length])))
        operation[0] = 9
        return OK

    def listener_pause_start(
        self, _listener: int, pause: int, partitions: Any, length: int, operation: Any, _error: Any
    ) -> int:
        chosen = None if partitions == self.ffi.NULL else json.loads(partitions[:length])
        self.calls.append(("pause" if pause else "resume", chosen))
        operation[0] = 9
        return OK

    def listener_position_start(self, _listener: int, operation: Any, _error: Any) -> int:
        operation[0] = 9
        return OK

    listener_committed_start = listener_lag_start = listener_position_start

    def listener_assignment(self, _listener: int, assignment: Any, _error: Any) -> int:
        assignment[0] = self._text(self.results.popleft())
        return OK

    def listener_close_start(self, _listener: int, acknowledge: int, operation: Any, _error: Any) -> int:
        self.calls.append(("close", bool(acknowledge)))
        operation[0] = 9
        return OK

    def listener_free(self, _listener: int, _error: Any) -> int:
        self.calls.append(("free",))
        self.freed = True
        return OK

    def listener_stats(self, _listener: int, stats: Any, _error: Any) -> int:
        stats[0] = self._text({"rows": 3, "skipped": 0, "out_of_range": 0, "unknown_enums": 0, "unknown_members": 0})
        return OK

    def kafarr_wait(self, _operation: int, _slice: int, result: Any, error: Any) -> int:
        answer = self.waits.popleft() if self.waits else OK
        if isinstance(answer, BaseException):
            raise answer
        if answer == OK and self.results:
            result[0] = self._text(self.results.popleft())
        error.code = answer if answer > PENDING else 0
        return int(answer)

    def kafarr_forget(self, operation: int) -> None:
        self.calls.append(("forget", operation))

    def kafarr_free(self, text: Any) -> None:
        if text != self.ffi.NULL:
            del self._texts[int(self.ffi.cast("uintptr_t", text))]  # a KeyError is a double free

    @property
    def texts_alive(self) -> int:
        return len(self._texts)

    def _text(self, value: Any) -> Any:
        text = self.ffi.new("char[]", json.dumps(value).encode())
        self._texts[int(self.ffi.cast("uintptr_t", text))] = text
        return text

    def _addresses(self, batch: Any, *members: str) -> Iterable[int]:
        return [int(self.ffi.cast("uintptr_t", self.ffi.addressof(batch, member))) for member in members]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeLibrary:
    """The library that pykafarr calls in this test."""
    library = FakeLibrary()
    monkeypatch.setattr(lib._Process, "loaded", library)
    return library
