"""The command `write`: files to a topic."""

# ruff: noqa: T201  # a command line prints

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from .._batches.counted import counted
from .._errors import ConfigError, DeliveryError, EncodeError
from .._library.terminal import commanded
from .._options import sends, table
from .._producers.open import producer
from .._producers.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa
    from typing_extensions import Self

    from .._producers.producer import Producer
    from . import text_files

# The formats of files, by the endings of their names.
_SUFFIXES: dict[str, Any] = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".arrows": "stream",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
}
# Rows that are sent, and checked, at a time.
_ROWS = 1 << 17
# The formats whose files are texts, and have no types.
_TEXTS = ("csv", "json")
# The format of keys that are bytes in a file of texts, and the column that `read` gives keys in.
_BASE64 = "base64"
_OWN_KEY = "_key"


def add_write(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command, but for those that say where the cluster is."""
    send = table.SEND
    flags = {name: f"--{name.replace('_', '-')}" for name in send} | {"registry_url": "--registry"}
    parser.set_defaults(command=lambda _: write, flags=flags)
    parser.add_argument("files", nargs="+", metavar="FILE", help=f"files, by their endings: {', '.join(_SUFFIXES)}")
    parser.add_argument("--topic", required=True, help=send["topic"].help)
    parser.add_argument("--message-type", metavar="NAME", help=send["message_type"].help)
    parser.add_argument("--value", choices=get_args(sends.SendValue), default=None, help=send["value"].help)
    parser.add_argument(
        "--schema",
        metavar="SCHEMA",
        help=f"{send['schema'].help}; a file of a schema, an id, latest, or derive",
    )
    parser.add_argument("--register", action="store_true", help=send["register"].help)
    parser.add_argument("--subject", choices=get_args(sends.Subject), default="topic", help=send["subject"].help)
    parser.add_argument("--key", metavar="COLUMN", help=send["key"].help)
    parser.add_argument(
        "--key-format",
        choices=(*get_args(sends.KeyFormat), _BASE64),
        help="how keys are written; bytes: texts and bytes as they are; base64: the bytes that texts of csv or JSON "
        "stand for, as read --key bytes writes them",
    )
    for name in ("partition", "timestamp", "tombstone"):
        parser.add_argument(f"--{name}", metavar="COLUMN", help=send[name].help)
    headers = parser.add_mutually_exclusive_group()
    headers.add_argument("--headers", metavar="COLUMN", help="the column of headers")
    headers.add_argument(
        "--header",
        action="append",
        default=[],
        type=_header,
        metavar="NAME=VALUE",
        help="a header of each message; may be repeated",
    )
    parser.add_argument("--partitioner", metavar="NAME", help=send["partitioner"].help)
    parser.add_argument("--extra", choices=get_args(sends.Extra), default="ignore", help=send["extra"].help)
    parser.add_argument("--missing", choices=get_args(sends.Missing), default="error", help=send["missing"].help)
    parser.add_argument("--dry-run", action="store_true", help="check every value, print the schema, and send nothing")
    parser.add_argument("--progress", action="store_true", help="show a bar; needs tqdm")


def write(options: argparse.Namespace) -> int:
    """Sends the rows of the files, and prints where they are."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(levelname)s: %(message)s")
    for file in options.files:  # before the first is sent
        _suffix(file)
    names = ("register", "subject", "partition", "timestamp", "tombstone", "partitioner", "extra", "missing", "value")
    defaults = {name: option.default for name, option in table.SEND.items()}
    given = {"schema": _schema(options.schema), "key": _key(options), "headers": options.header or options.headers}
    given |= {name: getattr(options, name) for name in names}
    arguments = {**defaults, **given, "message_type": options.message_type, "topic": options.topic}
    settings = table.settings(table.SEND.values(), arguments)
    if isinstance(arguments["schema"], Path) or arguments["schema"] == sends.DERIVE:
        arguments |= {"framing": "bare", "register": False}  # a look at the schema does not register it
    checking = table.settings(table.SEND.values(), arguments)
    config = {"client.id": "pykafarr-write", **dict(options.config)}
    reports: list[Report] = []
    try:
        with (
            producer(
                options.servers, options.registry, config=config, registry_config=dict(options.registry_config)
            ) as out,
            _Bar(options.progress) as bar,
        ):
            if options.dry_run:
                return _check(options, checking, out, bar)
            for file in options.files:
                reports.append(Report(options.topic))
                with _named(file):
                    for batch in _batches(file, out._target(checking), options):
                        out._append(reports[-1], settings, batch)
                        bar.update(batch.num_rows)
            failures = [failure for report in reports if (failure := _failure(report))]
    except BaseException:
        _tell(reports)  # of what was sent before
        raise
    _tell(reports)
    if failures:
        raise failures[0]
    return 0


def _failure(report: Report) -> DeliveryError | None:
    """Waits until each row of a file has its outcome."""
    try:
        report.wait()
    except DeliveryError as error:
        return error
    return None


def _tell(reports: list[Report]) -> None:
    for report in reports:
        if report.rows:
            print(report)


@contextlib.contextmanager
def _named(file: str) -> Iterator[None]:
    """Has the error of a value name the file, and the line of a file that has some."""
    try:
        yield
    except EncodeError as error:
        form, place = _SUFFIXES[_suffix(file)], ""
        if form in _TEXTS and error.row is not None:
            from . import text_files  # noqa: PLC0415  # with pyarrow, which importing pykafarr does not load

            if line := text_files.line_of(file, form, error.row):
                place = f" (line {line})"
        raise EncodeError(f"{file}: {error}{place}", path=error.path, offset=error.row) from error


def _check(options: argparse.Namespace, settings: dict[str, Any], out: Producer, bar: _Bar) -> int:
    """Checks the rows of the files, and prints the schema."""
    total, text = 0, ""
    for file in options.files:
        rows = 0
        with _named(file):
            for batch in _batches(file, out._target(settings), options):
                text = out._check(settings, batch, rows)
                rows += batch.num_rows
                bar.update(batch.num_rows)
        total += rows
    print(json.dumps(json.loads(text), indent=2) if text else "no schema")
    print(f"{counted(total, 'row')} can be sent to {settings['topic']}", file=sys.stderr)
    return 0


def _header(argument: str) -> tuple[str, str]:
    """A header of each message."""
    name, equals, value = argument.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"{argument!r} is not NAME=VALUE")
    return name, value


def _key(options: argparse.Namespace) -> Any:
    """The key as send() takes it."""
    if options.key_format is None:
        return options.key
    form = "bytes" if options.key_format == _BASE64 else options.key_format
    return {"column": options.key or _OWN_KEY, "format": form}


def _schema(text: str | None) -> Any:
    """A schema as send() takes it."""
    if text is None or text in (sends.LATEST, sends.DERIVE):
        return text
    return int(text) if text.isdecimal() else Path(text)


def _suffix(file: str) -> str:
    """The ending of a file's name, of a file that is there."""
    suffix = Path(file).suffix.lower()
    if suffix not in _SUFFIXES:
        raise ConfigError(f"{file}: its name must end with one of {', '.join(_SUFFIXES)}")
    if not Path(file).is_file():
        raise ConfigError(f"{file}: there is no such file")
    return suffix


def _batches(file: str, target: pa.Schema | None, options: argparse.Namespace) -> Iterator[Any]:
    """The rows of a file; one empty table, if it has none.

    target: the columns that the schema stands for, None if they are not known. A file of texts says little of types:
    "007" is a number, unless a text is wanted.
    """
    import pyarrow as pa  # noqa: PLC0415  # which importing pykafarr does not load

    try:
        schema, batches = _opened(file, target, options)
        rows = False
        for batch in batches:
            yield batch
            rows = rows or batch.num_rows > 0
        if not rows:
            yield schema.empty_table()
    except (pa.ArrowException, OSError) as error:
        raise ConfigError(f"{file} cannot be read: {error}") from error


def _opened(
    file: str, target: pa.Schema | None, options: argparse.Namespace
) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    import pyarrow as pa  # noqa: PLC0415  # likewise
    from pyarrow import dataset  # noqa: PLC0415  # likewise

    from . import text_files  # noqa: PLC0415  # likewise

    form = _SUFFIXES[_suffix(file)]
    if form == "stream":
        stream = pa.ipc.open_stream(pa.OSFile(file, "rb"))
        return stream.schema, iter(stream)
    if form not in _TEXTS:
        found = dataset.dataset(file, format=form)
        return found.schema, found.to_batches(batch_size=_ROWS)
    if target is not None:
        columns = _columns(options, target)
        if form == "json":
            return target, text_files.json_batches(file, columns, _ROWS)
        names = text_files.csv_names(file)
        return pa.schema([pa.field(name, pa.null()) for name in names]), text_files.csv_batches(file, names, columns)
    # Nobody has said what the columns are: they are what their values look like.
    if form == "csv":
        names = text_files.csv_names(file)
        keys: dict[str, pa.DataType] = {options.key: pa.string()} if options.key is not None else {}
        reader = text_files.open_csv(file, names, keys)
        return reader.schema, _finite(reader)
    found = dataset.dataset(file, format=form)
    return found.schema, _finite(found.to_batches(batch_size=_ROWS))


def _finite(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Batches whose floats are what was read: Arrow takes 1e400 for infinite."""
    import pyarrow as pa  # noqa: PLC0415  # likewise
    from pyarrow import compute  # noqa: PLC0415  # likewise

    first = 0
    for batch in batches:
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if pa.types.is_floating(column.type) and (row := compute.index(compute.is_inf(column), True).as_py()) >= 0:
                raise EncodeError(
                    f"{name}: row {first + row}: it is infinite, or out of the range of double: give the schema",
                    path=name,
                    offset=first + row,
                )
        yield batch
        first += batch.num_rows


def _columns(options: argparse.Namespace, target: pa.Schema) -> text_files.Columns:
    """What the columns of a file of texts are."""
    from . import text_files  # noqa: PLC0415  # likewise

    return text_files.Columns(
        target=target,
        key=options.key or _OWN_KEY,
        key_form=options.key_format,
        **{name: getattr(options, name) or f"_{name}" for name in ("timestamp", "headers", "partition", "tombstone")},
    )


class _Bar:
    """tqdm's bar of rows, if it is asked for."""

    def __init__(self, shown: bool) -> None:
        self._bar: Any = None
        if shown:
            try:
                from tqdm.auto import tqdm  # noqa: PLC0415  # an optional dependency
            except ImportError as error:
                raise ImportError("--progress needs tqdm: pip install 'pykafarr[progress]'") from error
            self._bar = tqdm(unit="row", unit_scale=True, file=commanded(sys.stderr))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def update(self, rows: int) -> None:
        """Counts rows."""
        if self._bar is not None:
            self._bar.update(rows)
