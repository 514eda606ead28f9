"""Files of JSON lines and csv as record batches, by the columns that a schema stands for."""

from __future__ import annotations

import collections
import csv
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
from pyarrow import csv as arrow_csv

from .._errors import ConfigError
from .._producers import objects
from .._producers.objects import Place
from . import texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# The format of keys that are bytes in a file of texts, and the column that `read` gives keys in.
BASE64, OWN_KEY = "base64", "_key"
# The largest row of a csv.
_BLOCK = 16 << 20
_BOM = b"\xef\xbb\xbf"


class Columns(NamedTuple):
    """What the columns of a file are.

    Attributes:
        target: those of the schema.
        timestamp, headers, partition, tombstone, key: the names of columns that say these of a message.
        key_form: what keys are, "base64", "string", "bytes", or "avro"; None: nobody has said.
    """

    target: pa.Schema
    timestamp: str
    headers: str
    partition: str
    tombstone: str
    key: str
    key_form: str | None

    def array(self, name: str, values: Sequence[Any], first: int, *, cells: bool) -> Any:
        """A column, from its values in JSON or its cells."""
        place = Place(name, lambda index: first + index)
        if name in self.target.names:
            return texts.array(values, self.target.field(name).type, place, cells=cells)
        if name == self.timestamp:
            return texts.moments(values, place, cells=cells)
        if name == self.headers:
            return texts.headers(values, place, cells=cells)
        if name == self.partition:
            return texts.array(values, pa.int32(), place, cells=cells)
        if name == self.tombstone:
            return texts.array(values, pa.bool_(), place, cells=cells)
        if name != self.key:
            return pa.nulls(len(values))  # whose name is all that counts: the schema does not have it
        if self.key_form == BASE64:
            return texts.array(values, pa.binary(), place, cells=cells)
        if name == OWN_KEY and self.key_form is None and any(isinstance(value, str) for value in values):
            raise ConfigError(
                f"{OWN_KEY}: a text of a file is a key, or a key's bytes in base64: --key-format base64 is for what "
                "read --key bytes has written, --key-format string for texts"
            )
        return pa.array(values, pa.string()) if cells else objects.array(values, None, place)


def json_batches(file: str, columns: Columns, rows: int) -> Iterator[pa.RecordBatch]:
    """The objects of a file, which has one in a line. Lines without anything are none."""
    first = 0
    lines = _lines(file)
    while part := list(itertools.islice(lines, rows)):
        objects = [_object(file, line, text) for line, text in part]
        names = dict.fromkeys(itertools.chain.from_iterable(objects))
        made = [columns.array(name, [one.get(name) for one in objects], first, cells=False) for name in names]
        if not names:
            raise ConfigError(f"{file}: line {part[0][0]}: the object has no member")
        yield pa.RecordBatch.from_arrays(made, names=list(names))
        first += len(objects)


def _lines(file: str) -> Iterator[tuple[int, bytes]]:
    """The lines that are not empty, with their numbers."""
    with Path(file).open("rb") as opened:
        for number, line in enumerate(opened, 1):
            text = line.removeprefix(_BOM) if number == 1 else line
            if text.strip():
                yield number, text


def _object(file: str, line: int, text: bytes) -> dict[str, Any]:
    try:
        found = texts.parsed(text.decode())
    except ValueError as error:  # a text that is not UTF-8 is one, too
        raise ConfigError(f"{file} cannot be read: line {line}: {error}") from error
    if not isinstance(found, dict):
        raise ConfigError(f"{file} cannot be read: line {line} is no object: each line must be the object of a row")
    return found


def csv_batches(file: str, names: list[str], columns: Columns) -> Iterator[pa.RecordBatch]:
    """The rows of a csv. A cell with nothing in it is null, and the empty text where its text cannot be null."""
    with open_csv(file, names, dict.fromkeys(names, pa.string())) as reader:
        first = 0
        for batch in reader:
            yield pa.RecordBatch.from_arrays(
                [
                    columns.array(name, _filled(cells, name, columns.target), first, cells=True)
                    for name, cells in zip(names, batch.columns, strict=True)
                ],
                names=names,
            )
            first += batch.num_rows


def _filled(cells: Any, name: str, target: pa.Schema) -> list[Any]:
    found: list[Any] = cells.to_pylist()
    if name in target.names:
        field = target.field(name)
        if pa.types.is_string(field.type) and not field.nullable:
            return ["" if cell is None else cell for cell in found]
    return found


def open_csv(file: str, names: list[str], kinds: dict[str, pa.DataType]) -> Any:
    """Arrow's reader of a csv, of which nothing is null but what is not there."""
    return arrow_csv.open_csv(
        file,
        read_options=arrow_csv.ReadOptions(block_size=_BLOCK, use_threads=False),
        # A line without anything is a row where there is one column, and could be none where there are several.
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=len(names) > 1),
        # Arrow also takes "NA" and "nan" for null.
        convert_options=arrow_csv.ConvertOptions(
            column_types=kinds, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    )


def csv_names(file: str) -> list[str]:
    """The names of the columns of a csv, each once, after a look at the quotes of the whole file.

    Arrow's reader takes text after a closing quote, and a last cell without one, which has swallowed the rows below.
    """
    limit = csv.field_size_limit(_BLOCK)
    reader = None
    try:
        with Path(file).open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.reader((line.replace("\0", " ") for line in opened), strict=True)  # Python 3.10 refuses NUL
            names = next(reader, [])
            collections.deque(reader, maxlen=0)
    except (UnicodeDecodeError, csv.Error) as error:
        line = f"line {reader.line_num}: " if reader is not None and isinstance(error, csv.Error) else ""
        raise ConfigError(f"{file} cannot be read: {line}{error}") from error
    finally:
        csv.field_size_limit(limit)
    if not names:
        raise ConfigError(f"{file} cannot be read: it is empty, and must have a header")
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(f"{file} cannot be read: two columns have the name {twice!r}")
    return names


def line_of(file: str, form: str, row: int) -> int | None:
    """The line that a row begins in; None: it is not known."""
    if form == "json":
        return next((number for number, _ in itertools.islice(_lines(file), row, None)), None)
    with Path(file).open(encoding="utf-8-sig", newline="", errors="replace") as opened:
        reader = csv.reader(opened)
        one, left, begin = len(next(reader, [])) == 1, row, reader.line_num + 1
        try:
            for cells in reader:
                if cells or one:
                    if not left:
                        return begin
                    left -= 1
                begin = reader.line_num + 1
        except csv.Error:  # a cell larger than Python's reader takes
            pass
    return None
