"""The command `write`: files to a topic."""

# ruff: noqa: T201  # a command line prints

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from .._errors import ConfigError
from .._options import sends, table
from .._producers.open import producer

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    import pyarrow as pa
    from typing_extensions import Self

    from .._producers.producer import Producer

# The formats of files, by the endings of their names.
_SUFFIXES: dict[str, Any] = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
}
# Rows that are sent, and checked, at a time.
_ROWS = 1 << 17


def add_write(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command, but for those that say where the cluster is."""
    send = table.SEND
    parser.set_defaults(command=lambda _: write)
    parser.add_argument("files", nargs="+", metavar="FILE", help=f"files, by their endings: {', '.join(_SUFFIXES)}")
    parser.add_argument("--topic", required=True, help=send["topic"].help)
    parser.add_argument("--message-type", metavar="NAME", help=send["message_type"].help)
    parser.add_argument(
        "--schema",
        metavar="SCHEMA",
        help=f"{send['schema'].help}; a file of an Avro schema, an id, latest, or derive",
    )
    parser.add_argument("--register", action="store_true", help=send["register"].help)
    parser.add_argument("--subject", choices=get_args(sends.Subject), default="topic", help=send["subject"].help)
    parser.add_argument("--key", metavar="COLUMN", help=send["key"].help)
    parser.add_argument("--partitioner", metavar="NAME", help=send["partitioner"].help)
    parser.add_argument("--extra", choices=get_args(sends.Extra), default="ignore", help=send["extra"].help)
    parser.add_argument("--missing", choices=get_args(sends.Missing), default="error", help=send["missing"].help)
    parser.add_argument("--dry-run", action="store_true", help="check every value, print the schema, and send nothing")
    parser.add_argument("--progress", action="store_true", help="show a bar; needs tqdm")


def write(options: argparse.Namespace) -> int:
    """Sends the rows of the files, and prints where they are."""
    names = ("register", "subject", "key", "partitioner", "extra", "missing")
    given = {"schema": _schema(options.schema), **{name: getattr(options, name) for name in names}}
    config, registry_config = dict(options.config), dict(options.registry_config)
    with (
        producer(options.servers, options.registry, config=config, registry_config=registry_config) as out,
        _Bar(options.progress) as bar,
    ):
        if options.dry_run:
            return _check(options, given, out, bar)
        reports = []
        for batch in _batches(options.files):
            reports.append(out.send(options.message_type, batch, options.topic, **given))
            bar.update(batch.num_rows)
        for report in reports:
            print(report.wait())
    return 0


def _check(options: argparse.Namespace, given: dict[str, Any], out: Producer, bar: _Bar) -> int:
    """Checks the rows of the files, and prints the schema."""
    defaults = {name: option.default for name, option in table.SEND.items()}
    arguments = {**defaults, **given, "message_type": options.message_type, "topic": options.topic}
    if isinstance(arguments["schema"], Path) or arguments["schema"] == sends.DERIVE:
        arguments |= {"framing": "bare", "register": False}  # it need not be registered yet
    settings = table.settings(table.SEND.values(), arguments)
    rows, text = 0, ""
    for batch in _batches(options.files):
        text = out._check(settings, batch, rows)
        rows += batch.num_rows
        bar.update(batch.num_rows)
    print(json.dumps(json.loads(text), indent=2) if text else "no schema")
    print(f"{rows:,} rows can be sent to {options.topic}", file=sys.stderr)
    return 0


def _schema(text: str | None) -> Any:
    """A schema as send() takes it."""
    if text is None or text in (sends.LATEST, sends.DERIVE):
        return text
    return int(text) if text.isdecimal() else Path(text)


def _batches(files: list[str]) -> Iterator[pa.RecordBatch]:
    """The rows of the files, one file after the other."""
    from pyarrow import dataset  # noqa: PLC0415  # which importing pykafarr does not load

    for file in files:
        suffix = Path(file).suffix.lower()
        if suffix not in _SUFFIXES:
            raise ConfigError(f"{file}: its name must end with one of {', '.join(_SUFFIXES)}")
        if not Path(file).is_file():
            raise ConfigError(f"{file}: there is no such file")
        yield from dataset.dataset(file, format=_SUFFIXES[suffix]).to_batches(batch_size=_ROWS)


class _Bar:
    """tqdm's bar of rows, if it is asked for."""

    def __init__(self, shown: bool) -> None:
        self._bar: Any = None
        if shown:
            from tqdm.auto import tqdm  # noqa: PLC0415  # an optional dependency

            self._bar = tqdm(unit="row", unit_scale=True, file=sys.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def update(self, rows: int) -> None:
        """Counts rows."""
        if self._bar is not None:
            self._bar.update(rows)
