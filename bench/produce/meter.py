"""What every contestant measures of itself, in its own process, and how it says so: one line of JSON.

The clock starts after a first row, which is not counted, with which metadata, connections and the producer's id come.
It stops when the last row is acknowledged.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa


@dataclass(frozen=True)
class Job:
    """What a contestant is to send."""

    servers: str
    registry_url: str
    topic: str
    partitions: int
    message_type: str
    schema: str
    values: str  # a file of messages that are encoded already
    frame: str  # a file of the same rows as Arrow
    rows: int
    properties: dict[str, str]  # librdkafka's, the same for all

    def to_json(self) -> str:
        """For the contestant's command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_command_line(cls) -> Job:
        """The job that this process was started for."""
        return cls(**json.loads(sys.argv[1]))

    def table(self) -> pa.Table:
        """The rows, in memory."""
        with pa.OSFile(self.frame) as file:
            pool = pa.ipc.open_file(file).read_all()
        return pa.concat_tables([pool] * -(-self.rows // pool.num_rows)).slice(0, self.rows).combine_chunks()

    def partition(self, row: int) -> int:
        """Of the contestants that choose it: ten thousand rows each, in turns."""
        return row // 10_000 % self.partitions


class Meter:
    """The clock of one contestant, which starts when it is made."""

    def __init__(self, job: Job) -> None:
        self._job = job
        # What imports took is gone by now and must not pass for the contestant's peak.
        Path("/proc/self/clear_refs").write_text("5")
        self._memory = _memory("VmRSS")
        self._cpu = _cpu()
        self._began = time.perf_counter()

    def report(self, version: str) -> None:
        """Stops the clock and prints the line."""
        seconds = time.perf_counter() - self._began
        line: dict[str, Any] = {
            "seconds": seconds,
            "cpu_seconds": _cpu() - self._cpu,
            "rows": self._job.rows,
            "rss_before": self._memory,
            "peak_rss_bytes": _memory("VmHWM"),
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
