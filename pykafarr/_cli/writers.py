"""The output formats of the command `read`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TextIO

from .._batches.counted import counted
from .._errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .._batches.batch import Batch

# What a cell of a csv has within quotes only.
_SPECIAL = re.compile(r'[",\r\n]|^\s|\s$|^\ufeff')


def writer(name: str, stream: TextIO, null: str = "") -> Callable[[Batch], None]:
    """A function that writes a batch as "table", "json" (a line for each row) or "csv".

    null: what csv has for null.
    """
    if name == "csv":
        return _csv(stream, null)
    return {"table": _table, "json": _json_lines}[name](stream)


def _table(stream: TextIO) -> Callable[[Batch], None]:
    def write(batch: Batch) -> None:
        import pandas as pd  # noqa: PLC0415  # which importing pykafarr does not load

        from . import exact  # noqa: PLC0415  # with pyarrow, likewise

        frame = batch.to_pandas()
        for name, column in zip(batch.schema.names, batch.to_arrow().columns, strict=True):
            if exact.beyond_python(column):
                # pandas raises when it is to print such a value, or prints NaT.
                frame[name] = pd.Series(exact.values(column), dtype=object)
        print(f"{batch.message_type}: {counted(len(frame), 'row')}", file=stream)
        # pandas' own short form: the first and last rows when there are many, the width of a terminal or 80.
        print(frame, end="\n\n", file=stream)

    return write


def _json_lines(stream: TextIO) -> Callable[[Batch], None]:
    def write(batch: Batch) -> None:
        names = batch.schema.names
        stream.writelines(_json(dict(zip(names, row, strict=True))) + "\n" for row in _rows(batch))

    return write


def _csv(stream: TextIO, null: str) -> Callable[[Batch], None]:
    header: list[str] = []
    kind: str | None = None

    def cell(value: Any) -> str:
        if value is None:
            return null
        text = _json(value) if isinstance(value, (dict, list)) else str(value)
        # The empty text has quotes, which null has not, and so has a text that looks like what null is.
        return '"' + text.replace('"', '""') + '"' if text == null or not text or _SPECIAL.search(text) else text

    def write(batch: Batch) -> None:
        nonlocal header, kind
        names = batch.schema.names
        if kind is None:
            header, kind = names, batch.message_type
            stream.write(",".join(map(cell, header)) + "\n")
        # A header in the middle would be read as a row, and its rows as those of the columns before.
        elif batch.message_type != kind:
            raise SchemaError(
                f"rows of {kind} are followed by rows of {batch.message_type}, and csv has one header: --message-type, "
                "with --start, --end or --output, chooses the type, and --format json prints all"
            )
        elif names != header:
            (place, *_) = batch.ranges
            raise SchemaError(
                f"{place.topic}[{place.partition}]@{place.first}: {kind} has other columns than the rows before, and "
                "csv has one header: --start, --end or --output read all versions as the newest, and --format json "
                "prints all"
            )
        stream.writelines(",".join(map(cell, row)) + "\n" for row in _rows(batch))

    return write


def _rows(batch: Batch) -> Iterator[tuple[Any, ...]]:
    from . import exact  # noqa: PLC0415  # with pyarrow, which importing pykafarr does not load

    columns = [exact.values(column) for column in batch.to_arrow().columns]
    # A batch without columns has rows, too.
    return zip(*columns, strict=True) if columns else iter([()] * batch.num_rows)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
