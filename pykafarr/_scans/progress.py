"""A bar on stderr that says how far a stream is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from .._library.terminal import commanded

if TYPE_CHECKING:
    from .._batches.batch import Batch


class Progress:
    """tqdm's bar of offsets, with rows and megabytes of columns beside it."""

    def __init__(self, total: int) -> None:
        try:
            from tqdm.auto import tqdm  # noqa: PLC0415  # an optional dependency
        except ImportError as error:
            raise ImportError("progress=True needs tqdm: pip install 'pykafarr[progress]'") from error
        self._bar: Any = tqdm(total=total, unit="row", unit_scale=True, file=commanded(sys.stderr))
        self._bytes = 0
        self._places: dict[tuple[str, int], int] = {}

    def update(self, batch: Batch) -> None:
        """Counts a batch: offsets without a row, too, or a compacted topic would never be done."""
        self._bytes += batch.to_arrow().nbytes
        for found in batch.ranges:
            before = self._places.get((found.topic, found.partition), found.first)
            self._places[found.topic, found.partition] = max(found.next, before)
            self._bar.update(max(found.next - before, 0))
        seconds = self._bar.format_dict["elapsed"] or 1
        self._bar.set_postfix_str(f"{self._bytes / 1e6 / max(seconds, 0.001):,.0f} MB/s", refresh=False)

    def close(self) -> None:
        """Ends the line. Again: does nothing."""
        self._bar.close()
