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
    text: str  # the line of the books
    clean: bool  # nothing acknowledged was lost, nothing was there twice, the order held
    output: str


def run(
    servers: str, topic: str, mode: str, seconds: int, cuts: int, meanwhile: Callable[[], None] | None = None
) -> Found:
    """Writes for so many seconds or until `meanwhile` returns. `mode`: "rows" or "transactions"; three partitions.

    cuts: in how many of a thousand writes and reads a connection is cut.
    """
    with tempfile.TemporaryDirectory() as folder:
        binary = str(Path(folder) / "produce.test")
        subprocess.run(["go", "test", "-c", "-o", binary, _PACKAGE], cwd=ROOT, check=True)
        stop = Path(folder) / "stop"
        settings = {"SERVERS": servers, "TOPIC": topic, "MODE": mode, "CUTS": str(cuts), "STOP": str(stop)}
        settings["SECONDS"] = str(seconds)
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
    count = re.search(r"(\d+) rows acknowledged", output)
    return Found(
        int(count[1]) if count else 0,
        line[0] if line else "no books",
        process.returncode == 0 and "--- SKIP" not in output,
        output,
    )


def cut(cluster: Cluster, mode: str, seconds: int) -> Found:
    """Cuts connections only."""
    return run(cluster.servers, cluster.new_topic(3), mode, seconds, 8)


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

    return run(trio.servers, topic, mode, kills * 200, 2, meanwhile)
