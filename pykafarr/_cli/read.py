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
from .writers import writer

if TYPE_CHECKING:
    import argparse

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
        framing=options.framing,
        tombstones=options.tombstones,
        errors=options.errors,
        out_of_range=options.out_of_range,
        rules=options.rules,
        schema_patience=300_000 if options.group else 0,  # nothing is committed without a group
        ready_timeout=options.ready_timeout,
    )
    num_messages, max_time = (1000 if one is None else one for one in (options.num_messages, options.max_time))
    write, progress, printed = writer(options.format, sys.stdout, options.null), _Progress(), True
    try:
        progress.show()
        for batch in reader.batches(num_messages, max_time, options.idle_timeout):
            printed = False
            progress.hide()
            write(batch)
            sys.stdout.flush()
            printed = True
            progress.count(batch)
    except BrokenPipeError:
        discard_output()  # `… | head` has enough: that is no failure
    finally:
        progress.hide()
        stats = reader.stats()
        tell_losses(stats["skipped"], stats["out_of_range"])
        reader.close(commit=bool(options.group) and printed)
        progress.summary()
    return 0


def tell_losses(skipped: int, nulls: int) -> None:
    """Says how many messages --errors skip has left out, and how many values --out-of-range null has made nulls."""
    if skipped:
        were = "was" if skipped == 1 else "were"
        print(f"{counted(skipped, 'message')} that could not be decoded {were} skipped", file=sys.stderr)
    if nulls:
        are = "is out of its type's" if nulls == 1 else "are out of their types'"
        print(f"{counted(nulls, 'value')} {are} range, and null here", file=sys.stderr)


def tell_tombstones(count: int) -> None:
    """Says how many messages without a value were left out, where rows of one message type were asked for."""
    if count:
        were = "was" if count == 1 else "were"
        print(f"{counted(count, 'message')} without a value (tombstones) {were} left out", file=sys.stderr)


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
