"""What every contestant measures of itself, in its own process, and how it says so: one line of JSON.

The clock starts when the group has assigned the partition, so that neither imports nor joining a group count, and stops
when the last row is in a frame.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


@dataclass
class Job:
    """What a contestant is to read."""

    servers: str
    registry_url: str
    topic: str
    workload: str
    format: str  # a name of FORMATS
    rows: int
    frame_rows: int
    properties: dict[str, str] = field(default_factory=dict)  # librdkafka's, the same for all
    options: dict[str, str] = field(default_factory=dict)  # the contestant's own
    group: str = field(default_factory=lambda: f"bench-{uuid.uuid4()}")

    def to_json(self) -> str:
        """For the contestant's command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_command_line(cls) -> Job:
        """The job that this process was started for."""
        return cls(**json.loads(sys.argv[1]))

    def config(self) -> dict[str, str]:
        """A confluent-kafka consumer's configuration."""
        return {"bootstrap.servers": self.servers, "group.id": self.group, **self.properties}


class Meter:
    """The clock and the books of one contestant."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._assigned = 0.0
        self._cpu = 0.0
        self._first_frame = 0.0
        self._rows = 0
        self._id_sum = 0
        self._flag_count = 0
        self._frame_bytes = 0
        # What imports took is gone by now and must not pass for the contestant's peak.
        Path("/proc/self/clear_refs").write_text("5")
        self._memory_before = _memory("VmRSS")

    def assigned(self) -> None:
        """The partition is ours: the clock starts."""
        if not self._assigned:
            self._assigned = time.perf_counter()
            self._cpu = _cpu()

    def frame(self, frame: pd.DataFrame) -> bool:
        """Takes a frame; whether more are wanted."""
        self._add(len(frame), int(frame["id"].sum()), int(frame["flag"].sum()))
        if not self._frame_bytes:
            self._frame_bytes = int(frame.memory_usage(deep=True).sum())
        return self._rows < self._job.rows

    def record(self, record: pa.RecordBatch) -> bool:
        """Takes a batch that stays Arrow; whether more are wanted."""
        ids = record.column("id").to_numpy()
        self._add(record.num_rows, int(ids.sum()), record.column("flag").true_count)
        self._frame_bytes = self._frame_bytes or record.nbytes
        return self._rows < self._job.rows

    def _add(self, rows: int, id_sum: int, flag_count: int) -> None:
        self._rows += rows
        self._id_sum = (self._id_sum + id_sum + 2**63) % 2**64 - 2**63
        self._flag_count += flag_count
        if not self._first_frame and self._rows >= self._job.frame_rows:
            self._first_frame = time.perf_counter() - self._assigned

    def report(self, version: str) -> None:
        """Stops the clock and prints the line."""
        seconds = time.perf_counter() - self._assigned
        line: dict[str, Any] = {
            "seconds": seconds,
            "first_frame_seconds": self._first_frame,
            "rows": self._rows,
            "cpu_seconds": _cpu() - self._cpu,
            "rss_before": self._memory_before,
            "peak_rss_bytes": _memory("VmHWM"),
            "frame_bytes": self._frame_bytes,
            "id_sum": self._id_sum,
            "flag_count": self._flag_count,
            "version": version,
        }
        print(json.dumps(line), flush=True)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _memory(name: str) -> int:
    """A line of /proc/self/status, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {name}")
