"""The output formats of the command `read`."""

from __future__ import annotations

import base64
import csv
import json
import math
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._batch import Batch


def writer(name: str, stream: TextIO) -> Callable[[Batch], None]:
    """A function that writes a batch as "table", "json" (a line for each row) or "csv"."""
    return {"table": _table, "json": _json_lines, "csv": _csv}[name](stream)


def _table(stream: TextIO) -> Callable[[Batch], None]:
    def write(batch: Batch) -> None:
        frame = batch.to_pandas()
        print(f"{batch.message_type}: {len(frame):,} rows", file=stream)
        # pandas' own short form: the first and last rows when there are many, the width of a terminal or 80.
        print(frame, end="\n\n", file=stream)

    return write


def _json_lines(stream: TextIO) -> Callable[[Batch], None]:
    def write(batch: Batch) -> None:
        rows = batch.to_arrow().to_pylist()
        stream.writelines(json.dumps(_finite(row), default=_plain, ensure_ascii=False) + "\n" for row in rows)

    return write


def _csv(stream: TextIO) -> Callable[[Batch], None]:
    rows = csv.writer(stream, lineterminator="\n")
    header: list[str] = []

    def write(batch: Batch) -> None:
        nonlocal header
        if batch.schema.names != header:
            # Another message type has other columns: they begin with a header line of their own.
            header = batch.schema.names
            rows.writerow(header)
        for row in batch.to_arrow().to_pylist():
            rows.writerow([_cell(value) for value in row.values()])

    return write


def _cell(value: Any) -> Any:
    if isinstance(value, bytes):
        return _plain(value)
    return json.dumps(_finite(value), default=_plain) if isinstance(value, (dict, list)) else value


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinities: they are strings, as in Avro's own JSON encoding."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _plain(value: object) -> str:
    """What JSON has no form for: bytes as base64, all else (times, decimals, uuids) as text."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
