"""The reading half of the soak: `python -m bench.soak.read SERVERS REGISTRY TOPIC`.

Listeners of one group read the topic one after the other, each from where the last one ended, or, with --scan, scans
each their part of it, as frames that are dropped at once: two message types in turn, and now and then a message that
cannot be decoded. So it covers what is lost per message, per poll, per error and per listener, be it in C, in Go or in
Python. LeakSanitizer reports none of what Go or Python still knows of.

Exit status 1: the resident memory grows by more than --limit, memory of columns is left at the end, or rows are
missing.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import sys
from time import perf_counter
from typing import TYPE_CHECKING

import pykafarr
from pykafarr._library.library import library

from .memory import MIB, Recorder, growth
from .messages import BAD_EVERY

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

LIMIT = 1.0  # MiB per million messages, which is about a byte per message; README.md has what was measured
WARM_UP = 0.2  # this part of the run does not count: pools, caches and Go's heap find their size
WINDOWS = 50
FRAME = 100_000  # rows asked for at a time: more than come, for a change of the message type ends a frame earlier
LOST = 10  # bytes a message, with --plant-leak

# A listener is to fill its queues and go on using them for most of its life, so they are small.
CONFIG = {
    "auto.offset.reset": "earliest",
    "queued.max.messages.kbytes": 8192,
    "fetch.message.max.bytes": 1 << 20,
}


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--messages", type=int, default=10_000_000, metavar="N", help="default: ten million")
    parser.add_argument("--listeners", type=int, default=10, metavar="N", help="one after the other; default: 10")
    parser.add_argument("--scan", action="store_true", help="scans instead of listeners, as many of them")
    parser.add_argument(
        "--limit", type=float, default=LIMIT, metavar="MIB", help=f"allowed per million messages; default: {LIMIT}"
    )
    parser.add_argument(
        "--plant-leak", type=int, nargs="?", default=0, const=LOST, metavar="BYTES",
        help=f"lose so many bytes with each message, to see that it fails; without a number: {LOST}",
    )  # fmt: skip


def options(given: argparse.Namespace) -> list[str]:
    """The same options again, for a command line."""
    names = ("messages", "listeners", "limit", "plant_leak")
    return [f"--{name.replace('_', '-')}={getattr(given, name)}" for name in names] + ["--scan"] * given.scan


def read(given: argparse.Namespace) -> Recorder:
    """Reads all messages that can be decoded, and prints the windows."""
    wanted = given.messages - given.messages // BAD_EVERY
    recorder, rows, last, begun = Recorder(wanted // WINDOWS), 0, -1, perf_counter()
    print(f"{'rows':>12} {'resident MiB':>14} {'seconds':>9}")
    for frame in scanned(given) if given.scan else polled(given, wanted):
        rows += len(frame)
        last = int(frame["_offset"].iloc[-1])
        lose(given.plant_leak * len(frame))
        del frame
        if window := recorder.sample(rows):
            print(f"{window.rows:>12,} {window.resident / MIB:>14.1f} {perf_counter() - begun:>9.1f}", flush=True)
    if rows != wanted or last != given.messages - 2:  # the very last message is a bad one
        sys.exit(f"FAILED: {rows:,} rows up to offset {last:,}, not {wanted:,} up to {given.messages - 2:,}")
    return recorder


def polled(given: argparse.Namespace, wanted: int) -> Iterator[pd.DataFrame]:
    """What listeners poll."""
    rows = 0
    for number in range(1, given.listeners + 1):
        with pykafarr.listener(
            given.servers, "soak", given.topic, given.registry, errors="skip", config=CONFIG
        ) as listener:
            while rows < wanted * number // given.listeners:
                _, frame = listener.poll(FRAME, 60_000)
                if frame.empty:
                    sys.exit(f"FAILED: no rows for a minute, after {rows:,}")
                rows += len(frame)
                yield frame
                del frame


def scanned(given: argparse.Namespace) -> Iterator[pd.DataFrame]:
    """What scans read."""
    step = given.messages // given.listeners
    for start in range(0, given.messages, step):
        plan = pykafarr.scan(given.servers, given.topic, given.registry, start=start, end=start + step, errors="skip")
        with plan.read() as stream:
            for batch in stream:
                yield batch.to_pandas()


def lose(size: int) -> None:
    """Loses so many bytes of C memory, in pieces, as a forgotten free() would."""
    duplicate = ctypes.CDLL(None).strdup
    for _ in range(size // 1000):
        duplicate(b"x" * 999)


def verdict(recorder: Recorder, given: argparse.Namespace) -> list[str]:
    """Prints the figures, and gives what is wrong with them."""
    gc.collect()
    live = library().lib.kafarr_live_bytes()
    windows = [w for w in recorder.windows if w.rows > WARM_UP * given.messages]
    slope = growth(windows) * 1e6 / MIB
    print(f"column memory in use at the end: {live:,} bytes")
    print(
        f"slope after warm-up, over {len(windows)} windows: {slope:+.3f} MiB per million messages, "
        f"{100 * slope:+.2f} per 100 million"
    )
    failures = []
    if slope > given.limit:
        failures.append(f"the resident memory grows by {slope:.3f} MiB per million messages; allowed are {given.limit}")
    if live:
        failures.append("column memory was lost")
    return failures


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.soak.read", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("servers", "registry", "topic"):
        parser.add_argument(name)
    add_options(parser)
    given = parser.parse_args()
    failures = verdict(read(given), given)
    for failure in failures:
        print(f"FAILED: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
