"""A ledger of deliveries: which member got which row of which partition, beside what was written there."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from tests.integration.writing import A, B

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import ThreadPoolExecutor

    import pykafarr
    from tests.integration.writing import Writer

Place = tuple[int, int]  # partition and offset

ROWS_A_POLL = 20
POLL_MS = 30
PAUSE = 0.02  # between two writes


class Book:
    """Rows written to a topic, of two message types, and rows delivered from it."""

    def __init__(self, writer: Writer, topic: str, partitions: int) -> None:
        self._writer, self._topic, self._partitions = writer, topic, partitions
        self._choose = random.Random(6)  # the same rows in every run
        self._count = 0
        self.written: dict[Place, int] = {}
        self.delivered: list[tuple[Place, int]] = []

    def write(self, count: int = 8) -> None:
        """Writes numbered rows: of either type, to any partition."""
        for _ in range(count):
            number = self._count
            of_a = self._choose.random() < 0.5
            value = self._writer.serialize(
                self._topic, A if of_a else B, {"n": number} if of_a else {"text": str(number)}
            )
            self._writer.producer.produce(
                self._topic,
                value,
                partition=self._choose.randrange(self._partitions),
                on_delivery=lambda error, message, number=number: self._wrote(error, message, number),
            )
            self._count += 1
        self._writer.flush()

    def _wrote(self, error: object, message: Any, number: int) -> None:
        assert error is None, error
        self.written[message.partition(), message.offset()] = number

    def deliver(self, batch: pykafarr.Batch) -> None:
        """Notes the rows of a batch. Members' threads call it."""
        columns = batch.to_arrow().to_pydict()
        numbers = columns["n"] if batch.message_type == "com.example.A" else [int(text) for text in columns["text"]]
        places = zip(columns["_partition"], columns["_offset"], strict=True)
        self.delivered += zip(places, numbers, strict=True)

    @property
    def lost(self) -> set[Place]:
        """Rows that nobody got."""
        return self.written.keys() - {place for place, _ in self.delivered}

    def describe_lost(self) -> str:
        """Which rows nobody got, and how far each partition was read."""
        lines = []
        for partition in sorted({partition for partition, _ in self.lost}):
            lost = [offset for of, offset in self.lost if of == partition]
            read = [offset for (of, offset), _ in self.delivered if of == partition]
            lines.append(
                f"partition {partition}: {len(lost)} rows of {min(lost)} to {max(lost)}, "
                f"and the last that came is {max(read, default=None)}"
            )
        return "rows were lost: " + "; ".join(lines)

    @property
    def repeated(self) -> list[Place]:
        """Rows that came twice."""
        return [place for place, times in Counter(place for place, _ in self.delivered).items() if times > 1]

    @property
    def changed(self) -> list[Place]:
        """Rows that are not what was written there."""
        return [place for place, number in self.delivered if self.written.get(place) != number]


class Member:
    """A listener that a thread of its own opens, polls and, when told to leave, closes cleanly.

    drains: it leaves when a poll has brought nothing. With mixed="group" rows may have been returned that lie after
    others that were not: those would come again.
    """

    def __init__(
        self, pool: ThreadPoolExecutor, listen: Callable[[], pykafarr.Listener], book: Book, drains: bool
    ) -> None:
        self._listen, self._book, self._drains = listen, book, drains
        self._leaving = threading.Event()
        self.rebalances = 0
        self._work = pool.submit(self._run)

    def _run(self) -> None:
        with self._listen() as listener:
            while True:
                leaving = self._leaving.is_set()
                batch = listener.poll_batch(ROWS_A_POLL, 0 if leaving else POLL_MS)
                self.rebalances = listener.stats()["rebalances"]
                if batch is not None:
                    self._book.deliver(batch)
                if leaving and (batch is None or not self._drains):
                    return

    def check(self) -> None:
        """Raises what the member's thread has failed with."""
        if self._work.done():
            self._work.result()

    def leave(self) -> None:
        """Tells the thread to close the listener."""
        self._leaving.set()

    def left(self) -> bool:
        """Whether the listener is closed."""
        self.check()
        return self._work.done()


def until(
    done: Callable[[], bool], what: str | Callable[[], str], meanwhile: Callable[[], object], seconds: float = 40
) -> None:
    """Waits, and continues with something else."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, what() if callable(what) else what
        meanwhile()
        time.sleep(PAUSE)
