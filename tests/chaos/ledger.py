"""Two books: what the brokers acknowledged to the producer, and what the listener handed over."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from tests.integration.writing import A, Writer

if TYPE_CHECKING:
    import pykafarr
    from tests.servers import Cluster

Place = tuple[str, int, int]  # topic, partition, offset

METADATA = ("topic", "partition", "offset")


class Verdict(NamedTuple):
    """The difference of the books, in messages. `altered`: another value than was written at that place."""

    acknowledged: int
    lost: int
    duplicated: int
    altered: int

    @property
    def clean(self) -> bool:
        """Whether every message that was acknowledged came once, and as it was."""
        return not (self.lost or self.duplicated or self.altered)


class Ledger:
    """The two books; `written` may have places that no producer heard of, as acknowledgements get lost with brokers."""

    def __init__(self) -> None:
        self.written: dict[Place, int] = {}
        self.read: Counter[Place] = Counter()
        self.values: dict[Place, int] = {}

    def enter(self, batch: pykafarr.Batch) -> None:
        """Books a batch of A, polled with METADATA."""
        columns = batch.to_arrow().to_pydict()
        places = list(zip(columns["_topic"], columns["_partition"], columns["_offset"], strict=True))
        self.read.update(places)
        self.values.update(zip(places, columns["n"], strict=True))

    def verdict(self) -> Verdict:
        """What is wrong."""
        return Verdict(
            acknowledged=len(self.written),
            lost=sum(place not in self.read for place in self.written),
            duplicated=sum(times - 1 for times in self.read.values()),
            altered=sum(self.values.get(place, n) != n for place, n in self.written.items()),
        )

    @property
    def complete(self) -> bool:
        """Whether all that was acknowledged so far has been read."""
        return self.written.keys() <= self.read.keys()


class Load:
    """Writes A records to all partitions of a topic, so many a second, until it is told to stop."""

    def __init__(self, cluster: Cluster, ledger: Ledger, topic: str, partitions: int, rate: int = 1000) -> None:
        # The longest outage that it survives; a message that could not be written for so long is none of the ledger's.
        self._writer = Writer(cluster, message_timeout_ms=120_000, linger_ms=5)
        self._ledger, self._topic, self._partitions, self._rate = ledger, topic, partitions, rate
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        """Stops to write, and waits for the last acknowledgement."""
        self._over.set()
        self._thread.join()
        self._writer.close()

    def _run(self) -> None:
        producer, n, begun = self._writer.producer, 0, time.monotonic()
        while not self._over.is_set():
            due = int((time.monotonic() - begun) * self._rate)
            for n in range(n, due):  # noqa: B020  # continues where it was
                value = self._writer.serialize(self._topic, A, {"n": n})
                try:
                    producer.produce(self._topic, value, partition=n % self._partitions, on_delivery=self._note(n))
                except BufferError:  # brokers that return slowly: what is due waits
                    due = n
                    break
            n = max(n, due)
            producer.poll(0.02)
        self._writer.flush()

    def _note(self, n: int) -> object:
        def delivered(error: object, message: object) -> None:
            if error is None:
                self._ledger.written[message.topic(), message.partition(), message.offset()] = n  # type: ignore[attr-defined]

        return delivered
