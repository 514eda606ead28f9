"""Members of a group are killed at random points, under load, and started again at once."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .ledger import Ledger, Load, Verdict

if TYPE_CHECKING:
    from tests.servers import Cluster

PATIENCE = 150.0  # seconds that the last rows may take


class Found(NamedTuple):
    """What became of the rows.

    repeated_after_commit: rows that came again though their batch's commit was done, which must not be. ended: the
    statuses of the processes that ended without being killed, of an exception.
    """

    verdict: Verdict
    repeated_after_commit: int
    batches: int
    ended: list[int]


# So that a killed member's partitions are free again after a second.
QUICK: dict[str, int] = {"session.timeout.ms": 1000, "heartbeat.interval.ms": 200}
MEMBERS = 4
SIGNALS = (signal.SIGTERM, signal.SIGKILL)  # a pod gets the first, for which a program has no handler by default


class Group:
    """The processes of one group, and how those ended that nobody killed."""

    def __init__(self, command: list[str], members: int) -> None:
        self._command = command
        self._members = [subprocess.Popen(command) for _ in range(members)]
        self.ended: list[int] = []

    def kill(self, member: int, by: int) -> None:
        """Kills one and starts another one at once."""
        self._end(self._members[member], by)
        self._members[member] = subprocess.Popen(self._command)

    def close(self) -> None:
        for member in self._members:
            self._end(member, signal.SIGKILL)

    def _end(self, member: subprocess.Popen[bytes], by: int) -> None:
        if member.poll() is not None:
            self.ended.append(member.returncode)
        member.send_signal(by)
        member.wait()


def run(cluster: Cluster, kills: int, config: dict[str, int], seed: int = 1) -> Found:
    """Kills members of a group at random, so many times; each is followed by another one at once."""
    chance = random.Random(seed)
    topic, name, ledger = cluster.new_topic(MEMBERS), cluster.new_name("group"), Ledger()
    with tempfile.TemporaryDirectory() as place:
        book = Path(place) / "book"
        command = [sys.executable, "-m", "tests.chaos.reader"]
        command += [cluster.servers, cluster.registry_url, topic, name, str(book), json.dumps(config)]
        load = Load(cluster, ledger, topic, MEMBERS, rate=500)
        group = Group(command, MEMBERS)
        try:
            for kill in range(kills):
                if kill % 3 == 0:  # in the middle of reading; the others, while the group waits for those that are dead
                    before = book.stat().st_size if book.exists() else 0
                    _wait(lambda before=before: book.exists() and book.stat().st_size > before)
                time.sleep(chance.uniform(0, 1))
                group.kill(chance.randrange(MEMBERS), SIGNALS[kill % 2])
            load.stop()
            _wait(lambda: ledger.written.keys() <= _places(book))
        finally:
            load.stop()
            group.close()
        return _judge(ledger, book, group.ended)


def _wait(true: object) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true() and time.monotonic() < deadline:  # type: ignore[operator]
        time.sleep(0.1)


def _lines(book: Path) -> list[tuple[str, int, list[tuple[str, int, int]], list[int]]]:
    lines = book.read_text(encoding="utf-8").split("\n") if book.exists() else []
    found = []
    for line in lines:
        try:
            kind, pid, places, values = json.loads(line)
        except ValueError:  # cut off by a kill
            continue
        found.append((kind, pid, [tuple(one) for one in places], values))
    return found


def _places(book: Path) -> set[tuple[str, int, int]]:
    return {place for _, _, places, _ in _lines(book) for place in places}


def _judge(ledger: Ledger, book: Path, ended: list[int]) -> Found:
    committed: set[tuple[str, int, int]] = set()
    repeated = batches = 0
    for kind, _, places, values in _lines(book):
        if kind == "committed":
            committed.update(places)
            continue
        batches += 1
        repeated += sum(place in committed for place in places)
        ledger.read.update(places)
        ledger.values.update(zip(places, values, strict=True))
    return Found(ledger.verdict(), repeated, batches, ended)
