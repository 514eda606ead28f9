"""Connections are cut, and brokers of three killed, while a producer in Go writes; it keeps the books by itself."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers import Cluster
    from tests.servers.trio import Trio

ROOT = Path(__file__).resolve().parents[2]
_PACKAGE = "./kafarr/sink/produce"
_TEST = "^TestARealClusterHasWhatWasAcknowledgedOnceAndInOrder$"


class Found(NamedTuple):
    """What the producer's own books say."""

    acknowledged: int
    moved: int  # leaders
    text: str  # the line of the books
    clean: bool  # nothing acknowledged was lost, nothing was there twice, the order held
    output: str


def run(
    servers: str,
    topic: str,
    mode: str,
    seconds: int,
    *,
    cuts: int = 0,
    moves: int = 0,
    meanwhile: Callable[[], None] | None = None,
) -> Found:
    """Writes for so many seconds or until `meanwhile` returns. `mode`: "rows" or "transactions"; three partitions.

    cuts: in how many of a thousand writes and reads a connection is cut. moves: the milliseconds between two moves of
    all leaders to other brokers, those of the coordinator's log with them; 0: they stay.
    """
    with tempfile.TemporaryDirectory() as folder:
        binary = str(Path(folder) / "produce.test")
        subprocess.run(["go", "test", "-c", "-o", binary, _PACKAGE], cwd=ROOT, check=True)
        stop = Path(folder) / "stop"
        settings = {"SERVERS": servers, "TOPIC": topic, "MODE": mode, "CUTS": str(cuts), "STOP": str(stop)}
        settings |= {"SECONDS": str(seconds), "MOVES": str(moves)}
        environment = {**os.environ, **{f"PYKAFARR_PRODUCE_{name}": value for name, value in settings.items()}}
        command = [binary, "-test.run", _TEST, "-test.v"]
        with subprocess.Popen(
            command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            try:
                if meanwhile is not None:
                    meanwhile()
                    stop.touch()
                output, _ = process.communicate(timeout=seconds + 400)
            finally:
                process.kill()
    line = re.search(r"^.*(\d+) rows acknowledged.*$", output, re.MULTILINE)
    counts = [re.search(rf"(\d+) {what}", output) for what in ("rows acknowledged", "leaders moved")]
    return Found(
        *(int(count[1]) if count else 0 for count in counts),
        line[0] if line else "no books",
        process.returncode == 0 and "--- SKIP" not in output,
        output,
    )


def cut(cluster: Cluster, mode: str, seconds: int) -> Found:
    """Cuts connections only."""
    return run(cluster.servers, cluster.new_topic(3), mode, seconds, cuts=8)


def move(trio: Trio, mode: str, seconds: int) -> Found:
    """Moves leaders, three times a second; connections hold."""
    return run(trio.servers, trio.new_topic(3), mode, seconds, moves=300)


def kill(trio: Trio, mode: str, kills: int) -> Found:
    """Kills leaders, so many times, and starts each again when another leads. Connections are cut, too."""
    topic = trio.new_topic(3)

    def meanwhile() -> None:
        for number in range(kills):
            time.sleep(1)
            victim = trio.leader(topic, number % 3)
            trio.kill(victim)
            while trio.leader(topic, number % 3) == victim:
                time.sleep(0.2)
            trio.restart(victim)

    return run(trio.servers, topic, mode, kills * 200, cuts=2, meanwhile=meanwhile)
