"""The command `read`: frames of topics, printed as they come."""

# ruff: noqa: T201  # a command line prints

from __future__ import annotations

import logging
import sys
import time
import uuid
from typing import TYPE_CHECKING

from .._batches.counted import counted
from .._library.terminal import commanded, discard_output
from .._listeners.open import listener
from .messages import message_options
from .writers import writer

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from .._batches.batch import Batch


class Stopped(BaseException):
    """A signal asks to stop. Not an Exception, so that nothing on the way takes it for a failure."""

    def __init__(self, signal: int) -> None:
        super().__init__(signal)
        self.signal = signal


def read(options: argparse.Namespace) -> int:
    """Reads until a signal, an error or the idle time-out, and gives the exit status."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(levelname)s: %(message)s")
    config = {"client.id": "pykafarr-read", **dict(options.config)}
    if options.from_beginning:
        config["auto.offset.reset"] = "earliest"
    if not options.group:
        # Without a group a look at a topic leaves no trace in the cluster, and takes no row from other members.
        config["enable.auto.commit"] = "false"

    reader = listener(
        options.servers,
        options.group or f"pykafarr-read-{uuid.uuid4().hex[:12]}",
        options.topics,
        options.registry,
        config=config,
        registry_config=dict(options.registry_config),
        metadata=options.metadata,
        **message_options(options, scans=False),
        errors=options.errors,
        rules=options.rules,
        schema_patience=300_000 if options.group else 0,  # nothing is committed without a group
        ready_timeout=options.ready_timeout,
    )
    num_messages, max_time = (1000 if one is None else one for one in (options.num_messages, options.max_time))
    write, progress, printed = writer(options.format, sys.stdout, options.null), _Progress(), True
    unframed = 0
    try:
        progress.show()
        for batch in reader.batches(num_messages, max_time, options.idle_timeout):
            printed = False
            progress.hide()
            write(batch)
            sys.stdout.flush()
            printed = True
            unframed += batch.num_rows if batch.message_type == UNFRAMED else 0
            progress.count(batch)
    except BrokenPipeError:
        discard_output()  # `… | head` has enough: that is no failure
    finally:
        progress.hide()
        tell_losses(reader.stats())
        tell_unframed(options, unframed)
        reader.close(commit=bool(options.group) and printed)
        progress.summary()
    return 0


# What the command tells that it has left out or changed, by the counters of listeners and scans, of one and several.
LOSSES = {
    "skipped": ("message that could not be decoded was skipped", "messages that could not be decoded were skipped"),
    "out_of_range": (
        "value is out of its type's range, and null here",
        "values are out of their types' range, and null here",
    ),
    "unknown_enums": (
        "number of an enum has no name in the schema, and is null here",
        "numbers of enums have no name in the schema, and are null here",
    ),
    "unknown_members": (
        "member of JSON is not in the schema, and was left out",
        "members of JSON are not in the schema, and were left out",
    ),
}
# The message type of what names no schema of the registry, with value="auto".
UNFRAMED = "bytes"


def tell_losses(counts: Mapping[str, int]) -> None:
    """Says what was left out of the rows, or is null in them."""
    for name, (one, several) in LOSSES.items():
        if count := counts[name]:
            print(f"{count:,} {one if count == 1 else several}", file=sys.stderr)


def tell_unframed(options: argparse.Namespace, count: int) -> None:
    """Says how many messages came as bytes, where nobody has said what they are."""
    if count and options.value is None:
        are = "is" if count == 1 else "are"
        print(
            f"{counted(count, 'message')} without a schema of the registry {are} bytes here: --value avro says what "
            "such a message looks like, and --value json or string reads topics without a registry",
            file=sys.stderr,
        )


class _Progress:
    """A line on stderr that says how far we are; on a terminal only."""

    def __init__(self) -> None:
        self._control = commanded(sys.stderr)
        self._terminal = self._control.isatty()
        self._rows = 0
        self._begun = self._last = time.monotonic()
        self._place = ""

    def count(self, batch: Batch) -> None:
        self._rows += batch.num_rows
        self._last = time.monotonic()
        self._place = ", ".join(f"{found.topic}[{found.partition}]@{found.next - 1}" for found in batch.ranges[:4])
        self.show()

    def show(self) -> None:
        if self._terminal:
            text = f"{counted(self._rows, 'row')}, at {self._place}" if self._rows else "waiting for messages"
            self.hide()
            print(f"{text} (Ctrl-C ends)", end="", file=sys.stderr, flush=True)

    def hide(self) -> None:
        """Clears the line, so that a frame on the same terminal begins at its start."""
        if self._terminal:
            print("\r\x1b[K", end="", file=self._control, flush=True)

    def summary(self) -> None:
        if self._terminal:
            print(f"{counted(self._rows, 'row')} in {self._last - self._begun:.1f} s", file=sys.stderr)
