"""Resident memory, and whether it grows."""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from typing import NamedTuple

MIB = 1 << 20


class Window(NamedTuple):
    """A stretch of the run, and the least resident memory of the samples in it: a leak lifts even that."""

    rows: int  # read since the start, at its end
    resident: int  # bytes


class Recorder:
    """Gathers samples into windows of so many rows."""

    def __init__(self, size: int) -> None:
        self.windows: list[Window] = []
        self._size = size
        self._least: int | None = None

    def sample(self, rows: int) -> Window | None:
        """Notes the resident memory now. Gives the window if that was its last sample."""
        now = resident()
        self._least = now if self._least is None else min(self._least, now)
        if rows < self._size * (len(self.windows) + 1):
            return None
        self.windows.append(Window(rows, self._least))
        self._least = None
        return self.windows[-1]


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def growth(windows: list[Window]) -> float:
    """Bytes that the resident memory grows by with each row: the slope of the line of least squares."""
    return statistics.linear_regression([w.rows for w in windows], [w.resident for w in windows]).slope
