"""Reads ten million messages and tells whether the resident memory grows: `python -m bench.soak`.

Writes them to a Kafka of its own, which is removed at the end, and has them read by another process: read.py says what
is read and how it is judged.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests import servers

from . import read
from .messages import RUN

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--servers", help="a running Kafka, with --registry and --topic; default: starts its own")
    parser.add_argument("--registry", metavar="URL", help="the registry beside it")
    parser.add_argument("--topic", help="a new topic there, of one partition")
    read.add_options(parser)
    given = parser.parse_args()
    if given.messages % (RUN * given.listeners):
        parser.error(f"--messages must be a multiple of {RUN} for each of the listeners")
    if len({given.servers is None, given.registry is None, given.topic is None}) > 1:
        parser.error("--servers, --registry and --topic come together")
    return given


@contextlib.contextmanager
def place(given: argparse.Namespace) -> Iterator[list[str]]:
    """Servers, registry and topic."""
    if given.servers:
        yield [given.servers, given.registry, given.topic]
        return
    with servers.start() as cluster:
        yield [cluster.servers, cluster.registry_url, cluster.new_topic()]


def main() -> int:
    given = arguments()
    with place(given) as where:
        print(f"writing {given.messages:,} messages …", flush=True)
        # One run more than is read: a frame ends where the message type changes.
        python("bench.soak.messages", *where, str(given.messages + RUN)).check_returncode()
        # Each thread of a listener may make a malloc arena of its own; what it frees there stays resident, and the next
        # listener's threads use another one. With one arena for all, only what is in use can make the memory grow.
        return python("bench.soak.read", *where, *read.options(given), MALLOC_ARENA_MAX="1").returncode


def python(module: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, check=False)


if __name__ == "__main__":
    sys.exit(main())
