"""A sender whose process is killed, once, and what a topic holds after that."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

import pykafarr
from pykafarr._engines import senders

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pytest

    from pykafarr.testing import MockKafka

ORDER = {
    "type": "record",
    "name": "com.example.Order",
    "fields": [{"name": "id", "type": "long"}, {"name": "name", "type": ["null", "string"]}],
}
GIVEN: dict[str, Any] = {"message_type": "com.example.Order", "schema": ORDER, "register": True, "key": "name"}
HEADER = "task"


@dataclass(frozen=True)
class Dying:
    """Sends as a sender does; the first process that sends part 0 is killed, before the end or after it."""

    sender: pykafarr.Sender
    mark: Path
    after_the_end: bool

    def send_all(self, frames: Iterable[Any], *, part: int | None = None, run: str = "") -> pykafarr.Report:
        if part != 0:
            return self.sender.send_all(frames, part=part, run=run)
        report = self.sender.send_all(frames if self.after_the_end else self._cut(frames), part=part, run=run)
        self._die()
        return report

    def _cut(self, frames: Iterable[Any]) -> Iterator[Any]:
        yield from frames
        time.sleep(1)  # the rows are with the broker by then
        self._die()

    def _die(self) -> None:
        try:
            self.mark.touch(exist_ok=False)
        except FileExistsError:
            return
        os.kill(os.getpid(), signal.SIGKILL)


def patch(monkeypatch: pytest.MonkeyPatch, mark: Path, *, after_the_end: bool) -> None:
    """Makes engines use senders of this kind."""
    made = senders.sender
    monkeypatch.setattr(
        senders, "sender", lambda *given, **named: Dying(made(*given, **named), mark, after_the_end=after_the_end)
    )


def frame(rows: int) -> pa.Table:
    """Rows with nulls and numbers past 2^53."""
    names = [None if number % 5 == 0 else f"order {number}" for number in range(rows)]
    return pa.table({"id": pa.array([2**60 + number for number in range(rows)], pa.int64()), "name": names})


def sent(kafka: MockKafka, topic: str, **options: Any) -> list[dict[str, Any]]:
    """The rows of a topic."""
    with pykafarr.scan(kafka.servers, topic, kafka.registry_url, **{"metadata": (), **options}).read() as stream:
        return next(iter(stream.to_arrow().values()), pa.table({})).to_pylist()


def once(kafka: MockKafka, topic: str) -> list[dict[str, Any]]:
    """The rows of a topic, of each part those of the first attempt that is met, as docs/engines.md says."""
    kept: dict[str, str] = {}
    found = []
    for row in sent(kafka, topic, metadata=("headers",)):
        (task,) = [header["value"].decode() for header in row.pop("_headers") if header["key"] == HEADER]
        part, _, attempt = task.rpartition("/")
        if kept.setdefault(part, attempt) == attempt:
            found.append(row)
    return found


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: row["id"])
