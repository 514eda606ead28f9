"""The command line: `python -m pykafarr demo`, `read` and `write`.

Exit status: 0 done, 1 failed (the reason is on stderr), 2 wrong usage; 130 after Ctrl-C and 143 after SIGTERM, as
shells expect it, though the listener was closed cleanly.
"""

# ruff: noqa: T201  # a command line prints

from __future__ import annotations

import argparse
import re
import signal
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from .._errors import KafarrError
from .._library.terminal import discard_output, escaping, shown, standing
from .._library.versions import show_versions
from .._options.secrets import Secret, from_env, hidden, plain
from .._options.table import LISTENER, PRODUCER, SCAN
from .demo import demo
from .export import SUFFIXES, place, read_scan
from .flags import Flags
from .messages import add_messages, wrong_usage
from .read import Stopped, read
from .write import add_write

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType
    from typing import TypeAlias

    _Command: TypeAlias = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and gives its exit status."""
    given = [arguments]
    del arguments  # what tools print of this frame has no passwords
    with standing():
        options = _parser().parse_args(given.pop())
        run: _Command = options.command(options)  # while the streams are as they were: the parser reports wrong usage
        with escaping():
            return _run(run, options)


def _run(run: _Command, options: argparse.Namespace) -> int:
    # SIGTERM would end the process at once, and leave the group to the session timeout.
    handlers = {number: signal.signal(number, _stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        status = run(options)
        sys.stdout.flush()
    except Stopped as stopped:
        return 128 + stopped.signal
    except (KafarrError, TypeError, ImportError) as error:
        print(f"pykafarr: {type(error).__name__}: {Flags(options.flags).of(str(error))}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # as in read
        discard_output()
        return 0
    except OSError as error:  # a full disk, say
        discard_output()
        print(f"pykafarr: the output cannot be written: {error}", file=sys.stderr)
        return 1
    else:
        return status
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _versions(_: argparse.Namespace) -> int:
    show_versions()
    return 0


def _stop(number: int, _: FrameType | None) -> None:
    raise Stopped(number)


class _Parser(argparse.ArgumentParser):
    """A parser that repeats a wrong argument to a terminal without its control characters."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # "--start -1h": what looks like a negative number is no option, and neither is so long ago.
        self._negative_number_matcher = re.compile(r"-[0-9]+(ms|[smhdw])?$|-[0-9]*\.[0-9]+$")

    def error(self, message: str) -> NoReturn:
        super().error(shown(message) if sys.stderr.isatty() else message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m pykafarr", description="Kafka topics as pandas frames.")
    parser.add_argument("--version", action=_Version, nargs=0, help="print the versions of all parts and exit")
    commands = parser.add_subparsers(title="commands", required=True)

    show = commands.add_parser(
        "demo",
        help="poll an embedded broker",
        description="Starts an embedded broker and registry, produces two message types, prints the frames polled, "
        "their dtypes and the speed. Needs nothing but this package.",
    )
    show.set_defaults(command=lambda _: demo, flags={})

    reader = commands.add_parser(
        "read",
        help="print frames of a topic as they come, or scan a part of it",
        description="Prints the frames of one or more topics as they come, until Ctrl-C. Without --group it reads "
        "under a new group's name and commits nothing; with --group it commits what it printed. With --start, --end or "
        "--output it scans instead: it reads the rows between two places, prints or writes them, and ends.",
    )
    flags = {option.name: option.flag for option in {**LISTENER, **SCAN}.values() if option.flag}
    reader.set_defaults(command=lambda options: _reading(reader, options), flags=flags)
    reader.add_argument("--servers", type=hidden, required=True, help=LISTENER["servers"].help)
    reader.add_argument("--topics", required=True, nargs="+", metavar="TOPIC", help=LISTENER["topics"].help)
    reader.add_argument("--registry", type=hidden, metavar="URL", help=LISTENER["registry_url"].help)
    reader.add_argument("--group", help=f"{LISTENER['group'].help}; default: a new one, which commits nothing")
    reader.add_argument(
        "--from-beginning",
        action="store_const",
        const=True,
        help="begin at the oldest message, where the group has none",
    )
    _add_properties(reader)
    reader.add_argument(
        "--num-messages", type=int, metavar="N", help="most rows of a frame (1000; of a scan, as pykafarr.scan())"
    )
    reader.add_argument("--max-time", type=int, metavar="MS", help="longest wait for a frame (1000)")
    reader.add_argument(
        "--ready-timeout",
        type=int,
        default=LISTENER["ready_timeout"].default,
        metavar="MS",
        help=f"{LISTENER['ready_timeout'].help} (%(default)s)",
    )
    reader.add_argument(
        "--idle-timeout", type=int, metavar="MS", help="end after this long without a row; default: never"
    )
    metadata = LISTENER["metadata"]
    reader.add_argument(
        "--metadata",
        nargs="*",
        default=list(metadata.default),
        metavar="NAME",
        help=f"{metadata.help} ({', '.join(metadata.default)})",
    )
    add_messages(reader)
    rules = reader.add_mutually_exclusive_group()
    rules.add_argument(
        "--rules",
        choices=LISTENER["rules"].words,
        default=LISTENER["rules"].default,
        help=f"{LISTENER['rules'].help}; ignore: print the ciphertext (%(default)s)",
    )
    rules.add_argument(
        "--rules-secret-env",
        dest="rules",
        default=argparse.SUPPRESS,
        metavar="NAME",
        type=lambda name: {"encrypt": {"secret": from_env(name)}},
        help="decrypt them, with the secret of the local KMS in this environment variable",
    )
    reader.add_argument(
        "--errors",
        choices=["raise", "skip"],
        default=LISTENER["errors"].default,
        help=f"{LISTENER['errors'].help} (%(default)s)",
    )
    reader.add_argument(
        "--format", choices=["table", "json", "csv"], help="how rows are printed; json: a line for each row (table)"
    )
    reader.add_argument(
        "--null",
        default="",
        metavar="TEXT",
        help="what csv has for null, such as NULL or \\N; default: nothing, as for the empty text",
    )
    _add_scan(reader.add_argument_group("scans"))

    writer = commands.add_parser(
        "write",
        help="send files to a topic",
        description="Sends the rows of files to a topic, a message each, and prints the partitions and offsets. "
        "Files are sent in parts of 131,072 rows at most, and each value of a part is checked before it is sent.",
    )
    writer.add_argument("--servers", type=hidden, required=True, help=PRODUCER["servers"].help)
    writer.add_argument("--registry", type=hidden, metavar="URL", help=PRODUCER["registry_url"].help)
    _add_properties(writer)
    add_write(writer)
    return parser


def _add_properties(parser: argparse.ArgumentParser) -> None:
    for option, what in (
        ("--config", LISTENER["config"].help),
        ("--registry-config", LISTENER["registry_config"].help),
    ):
        parser.add_argument(
            option,
            action="append",
            default=[],
            type=_property,
            metavar="KEY=VALUE",
            help=f"one of the {what}; may be repeated. Others see the arguments of a process: put no password here",
        )
        for kind, named, where in (("file", "PATH", "a file"), ("env", "NAME", "an environment variable")):
            parser.add_argument(
                f"{option}-{kind}",
                action="append",
                dest=option.strip("-").replace("-", "_"),
                type=_secret(kind),
                metavar=f"KEY={named}",
                help=f"one of the {what}, whose value is in {where}; may be repeated",
            )


def _add_scan(scan: argparse._ArgumentGroup) -> None:
    for name in ("start", "end"):
        option = SCAN[name]
        takes = (
            f"{option.help}: earliest, now, an offset, or a time such as 2026-01-31T00:00Z or -1h ({option.default})"
        )
        scan.add_argument(option.flag, type=place, metavar="PLACE", help=takes)
    scan.add_argument(
        "--output", metavar="FILE", help=f"write the rows to a file, by its ending: {', '.join(SUFFIXES)}"
    )
    scan.add_argument("--message-type", metavar="NAME", help="the type to read, where topics have several")
    scan.add_argument("--allow-partial", action="store_true", help=SCAN["allow_partial"].help)
    scan.add_argument("--progress", action="store_true", help="show a bar; needs tqdm")


def _reading(parser: argparse.ArgumentParser, options: argparse.Namespace) -> _Command:
    """The function that the command `read` runs: it listens, or scans."""
    if wrong := wrong_usage(options):
        parser.error(wrong)
    if options.null and not (options.output.endswith(".csv") if options.output else options.format == "csv"):
        parser.error("--null is for csv: give --format csv, or --output with a name that ends with .csv")
    if options.output and options.format and not options.output.endswith((f".{options.format}", f".{options.format}l")):
        parser.error("--format is for what is printed: a file's format is that of the ending of its name, as in x.csv")
    options.format = options.format or "table"
    for_scans = ("start", "end", "output")
    others = ("message_type", "allow_partial", "progress")
    for_listeners = ("group", "from_beginning", "idle_timeout", "max_time")
    if all(getattr(options, name) is None for name in for_scans):
        if wrong := next((name for name in others if getattr(options, name)), None):
            parser.error(f"--{wrong.replace('_', '-')} is for scans: give --start, --end or --output")
        return read
    if wrong := next((name for name in for_listeners if getattr(options, name) is not None), None):
        parser.error(f"--{wrong.replace('_', '-')} is not for scans: leave out --start, --end and --output")
    return read_scan


def _property(argument: str) -> tuple[str, str]:
    key, separator, value = argument.partition("=")
    if not separator or not key:
        del argument, key, value
        raise argparse.ArgumentTypeError("must be KEY=VALUE")  # it is not shown: it may hold a password
    return key, hidden(value)


def _secret(kind: str) -> Callable[[str], tuple[str, Secret]]:
    def parse(argument: str) -> tuple[str, Secret]:
        key, name = _property(argument)
        return key, Secret(kind, plain(name))

    return parse


class _Version(argparse.Action):
    """Prints the versions; an action of its own, since they need the library loaded."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        parser.exit(_run(_versions, argparse.Namespace(flags={})))
