"""An account of numbered rows: what a producer says of each, beside what is in the topic."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa

import pykafarr
from tests.integration.raw import raw_messages

if TYPE_CHECKING:
    from pykafarr import Report


class Account:
    """Sends rows that are numbers, in their order, and compares. Nobody else writes to the topic.

    size: how many digits a number has, so that rows are as large as a test wants them. A row goes to the partition that
    its number has modulo `partitions`.
    """

    def __init__(self, topic: str, partitions: int = 1, size: int = 10) -> None:
        self.topic, self.partitions, self.size = topic, partitions, size
        self.sent = 0
        self.reports: list[tuple[int, Report]] = []

    def send(self, out: Any, count: int, size: int | None = None, **columns: Any) -> Report:
        """Sends so many rows more, of a producer or in a transaction. columns: further ones, such as `_key`."""
        numbers = range(self.sent, self.sent + count)
        values = [f"{number:0{size or self.size}d}" for number in numbers]
        frame = pa.table({"value": values, "_partition": [number % self.partitions for number in numbers], **columns})
        self.sent += count
        report: Report = out.send("string", frame, self.topic)
        self.reports.append((numbers[0], report))
        return report

    def compare(self, kafka: Any) -> list[int]:
        """Holds the reports against the topic, and gives the numbers that were not written.

        Nothing that is acknowledged is lost, nothing is there twice or out of order, and each row that is not there is
        named by its report, and is "refused" or "not sent".
        """
        acknowledged, missing = set(), set()
        for first, report in self.reports:
            with contextlib.suppress(pykafarr.DeliveryError):
                report.wait(60_000)
            failed = {first + row for failure in report.failures for row in numbered(failure.rows)}
            assert sum(failure.size for failure in report.failures) == len(failed)
            assert {failure.state for failure in report.failures} <= {"refused", "not sent"}
            assert report.written == report.rows - len(failed)
            acknowledged |= {*range(first, first + report.rows)} - failed
            missing |= failed
        there = {partition: self.messages(kafka, partition) for partition in range(self.partitions)}
        for partition, found in there.items():
            numbers = list(found)
            assert numbers == sorted(n for n in acknowledged if n % self.partitions == partition)
        self._places(there)
        return sorted(missing)

    def messages(self, kafka: Any, partition: int = 0) -> dict[int, Any]:
        """The messages of a partition by their numbers, in the order of the log. Aborted ones are left out."""
        found = raw_messages(kafka, self.topic, partition)
        numbers = [int(message.value()) for message in found]
        assert len(set(numbers)) == len(numbers), "rows are there twice"
        return dict(zip(numbers, found, strict=True))

    def await_messages(self, kafka: Any, count: int) -> list[int]:
        """The numbers of all partitions, once there are so many: a transaction's are there some milliseconds later."""
        deadline = time.monotonic() + 20
        while True:
            found = [number for one in range(self.partitions) for number in self.messages(kafka, one)]
            if len(found) >= count or time.monotonic() > deadline:
                return sorted(found)
            time.sleep(0.05)

    def _places(self, there: dict[int, dict[int, Any]]) -> None:
        """The offsets that reports tell are those of their rows."""
        for first, report in self.reports:
            for place in report.ranges:
                found = there[place.partition]
                offsets = [found[number].offset() for number in range(first, first + report.rows) if number in found]
                assert (place.first, place.last, place.rows) == (offsets[0], offsets[-1], len(offsets))


def numbered(stretches: list[tuple[int, int]]) -> list[int]:
    """The rows of a failure, one by one."""
    return [row for first, last in stretches for row in range(first, last + 1)]
