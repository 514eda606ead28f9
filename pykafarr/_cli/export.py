"""The command `read` as a scan: into a file, or onto the standard output."""

# ruff: noqa: T201  # a command line prints

from __future__ import annotations

import argparse
import io
import secrets
import sys
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._batches.batch import Batch
from .._batches.counted import counted
from .._errors import ConfigError, KafarrError, SchemaError
from .._library.terminal import discard_output
from .._options import offsets
from .._scans import keys
from .._scans.scan import scan
from .messages import message_options
from .read import LOSSES, UNFRAMED, tell_losses, tell_unframed
from .writers import writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from .._scans.stream import Stream

SUFFIXES = (".parquet", ".csv", ".json", ".jsonl", ".arrows")


def place(argument: str) -> str | int:
    """A place of the command line: a word, an offset, a time in ISO 8601, a date, or so long ago."""
    if argument in {"earliest", "now"}:
        return argument
    if argument.isdecimal():
        return int(argument)
    try:
        offsets.time_of("a time", argument)
    except ConfigError:
        try:
            time = datetime.fromisoformat(argument)
        except ValueError:
            raise argparse.ArgumentTypeError(
                f"{argument!r} is not earliest, now, an offset or a time such as 2026-01-31T00:00Z or -1h"
            ) from None
        moment = time.isoformat(timespec="auto" if time.second or time.microsecond else "minutes")
        raise argparse.ArgumentTypeError(
            f"{argument!r} has no time zone: write {moment}Z, or an offset as in {moment}+01:00"
        ) from None
    return argument


def read_scan(options: argparse.Namespace) -> int:
    """Scans what the options say, and gives the exit status."""
    target = None if options.output is None else Path(options.output)
    if target is not None and target.suffix not in SUFFIXES:
        raise ConfigError(f"--output {target}: its ending must be one of {', '.join(SUFFIXES)}")
    plan = scan(
        options.servers,
        options.topics,
        options.registry,
        start="earliest" if options.start is None else options.start,
        end="now" if options.end is None else options.end,
        config={"client.id": "pykafarr-read", **dict(options.config)},
        registry_config=dict(options.registry_config),
        metadata=options.metadata,
        **message_options(options, scans=True),
        errors=options.errors,
        rules=options.rules,
        num_messages=options.num_messages,
        allow_partial=options.allow_partial,
        timeout=options.ready_timeout,
    )
    with plan.read(progress=options.progress) as stream:
        if target is None:
            tell_unframed(options, _print(stream, options))
        else:
            rows = _write(stream, options.message_type, target, options.null)
            print(f"{counted(rows, 'row')} in {target}", file=sys.stderr)
        for kind, what in ((keys.TOMBSTONES, "a value (tombstones)"), (UNFRAMED, "a schema of the registry")):
            if count := stream._left_out[kind]:
                were = "was" if count == 1 else "were"
                print(f"{counted(count, 'message')} without {what} {were} left out", file=sys.stderr)
        tell_losses({name: sum(getattr(part, name) for part in stream.report) for name in LOSSES})
    return 0


def _print(stream: Stream, options: argparse.Namespace) -> int:
    """Prints the rows, and gives the number of those that came as bytes."""
    write, unframed = writer(options.format, sys.stdout, options.null), 0
    try:
        for batch in stream._of_type(options.message_type):
            write(batch)
            unframed += batch.num_rows if batch.message_type == UNFRAMED else 0
        sys.stdout.flush()
    except BrokenPipeError:  # as in _read
        discard_output()
    return unframed


def _write(stream: Stream, message_type: str | None, target: Path, null: str) -> int:
    """Writes a file batch by batch, under another name until it is complete."""
    import pyarrow as pa  # noqa: PLC0415  # which importing pykafarr does not load

    # A name of its own for each run, opened only if it is new: no planted link is followed, and two runs with the same
    # target do not write into each other's file.
    unfinished = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    rows = 0
    try:
        reader = stream.reader(message_type)
        with unfinished.open("xb") as file, _sink(target.suffix, file, reader.schema, null) as write:
            for record in reader:
                write(record)
                rows += record.num_rows
        unfinished.replace(target)
    except SchemaError as error:
        text = str(error)
        end = "" if text.endswith("?") else "."
        raise SchemaError(f"{text}{end} One file holds one type: --message-type chooses it") from error
    except (OSError, pa.ArrowException) as error:
        if isinstance(error, KafarrError):
            raise
        raise KafarrError(f"{target} cannot be written: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return rows


@contextmanager
def _sink(
    suffix: str, file: io.BufferedWriter, schema: pa.Schema, null: str
) -> Iterator[Callable[[pa.RecordBatch], Any]]:
    """A function that writes record batches into the file."""
    import pyarrow as pa  # noqa: PLC0415  # as above

    if suffix == ".parquet":
        from pyarrow import parquet  # noqa: PLC0415  # as above

        with parquet.ParquetWriter(file, schema) as made:
            yield made.write_batch
    elif suffix == ".arrows":
        # The stream format: the other one lets no dictionary change, and those of topics grow.
        with pa.ipc.new_stream(file, schema) as made:
            yield made.write_batch
    else:
        with io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
            write = writer("csv" if suffix == ".csv" else "json", text, null)
            yield lambda record: write(Batch(record, "", []))
