"""Programs that copy a topic in transactions, or their brokers, are killed at random points, under load."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pykafarr

from .ledger import Ledger, Load
from .listener_kills import QUICK

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers import Cluster
    from tests.servers.trio import Trio

PATIENCE = 120.0  # seconds that the last rows may take
PARTITIONS = 4
COPIERS = 2


class Found(NamedTuple):
    """What a reader of committed rows sees.

    written: the rows that the brokers acknowledged to the writer of the topic. lost: those of them that the copy does
    not have, and rows of the topic that it has less often. repeated: rows that it has more often than the topic.
    disordered: rows that come after a newer one of their partition. ended: the statuses of copiers that ended by
    themselves. errors: what the copiers caught, to read on.
    """

    written: int
    lost: int
    repeated: int
    disordered: int
    transactions: int
    ended: list[int]
    errors: list[str]

    @property
    def clean(self) -> bool:
        """Whether each row is there once and nothing else is."""
        return not (self.lost or self.repeated or self.disordered or self.ended)


class Copiers:
    """The processes, each with a transactional.id of its own, which its successor has, too."""

    def __init__(self, command: list[str], name: str, config: dict[str, int | str], place: Path) -> None:
        self._command, self._name, self._config = command, name, json.dumps(config)
        self._place = place
        self._book, self._errors = (place / "book").open("ab"), (place / "errors").open("ab")
        self._running = [self._start(number) for number in range(COPIERS)]
        self.ended: list[int] = []

    def _start(self, number: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*self._command, f"{self._name}-{number}", self._config], stdout=self._book, stderr=self._errors
        )

    def kill(self, number: int) -> None:
        """Kills one and starts its successor at once."""
        self._end(self._running[number])
        self._running[number] = self._start(number)

    def close(self) -> None:
        for copier in self._running:
            self._end(copier)
        self._book.close()
        self._errors.close()

    def _end(self, copier: subprocess.Popen[bytes]) -> None:
        if copier.poll() is not None:
            self.ended.append(copier.returncode)
        copier.send_signal(signal.SIGKILL)
        copier.wait()

    def transactions(self) -> int:
        """How many they have committed."""
        return (self._place / "book").read_bytes().count(b"\n")

    def errors(self) -> list[str]:
        """What they have caught, and their tracebacks."""
        return (self._place / "errors").read_text(encoding="utf-8", errors="replace").splitlines()


def run(cluster: Cluster, kills: int, config: dict[str, int | str] | None = None, seed: int = 1) -> Found:
    """Kills copiers by SIGKILL, so many times."""
    chance = random.Random(seed)

    def kill(number: int, copiers: Copiers, _: str) -> None:
        if number % 2 == 0:  # amid transactions; the others, while the group waits for those that are dead
            before = copiers.transactions()
            _wait(lambda: copiers.transactions() > before)
        time.sleep(chance.uniform(0, 1))
        copiers.kill(chance.randrange(COPIERS))

    return _run(cluster, kills, QUICK if config is None else config, kill)


def run_brokers(trio: Trio, kills: int, seed: int = 1) -> Found:
    """Kills brokers instead: leaders of the copy, and coordinators of the group and the transactions with them."""
    chance = random.Random(seed)

    def kill(number: int, _: Copiers, target: str) -> None:
        time.sleep(chance.uniform(0, 1))
        victim = trio.leader(target, number % PARTITIONS)
        trio.kill(victim)
        while trio.leader(target, number % PARTITIONS) == victim:
            time.sleep(0.2)
        trio.restart(victim)

    return _run(trio, kills, {}, kill)


def _run(
    cluster: Cluster, kills: int, config: dict[str, int | str], kill: Callable[[int, Copiers, str], None]
) -> Found:
    source, target = cluster.new_topic(PARTITIONS), cluster.new_topic(PARTITIONS)
    group, ledger = cluster.new_name("group"), Ledger()
    command = [sys.executable, "-m", "tests.chaos.copier", cluster.servers, cluster.registry_url, source, target, group]
    with tempfile.TemporaryDirectory() as place:
        load = Load(cluster, ledger, source, PARTITIONS, rate=500)
        copiers = Copiers(command, cluster.new_name("copier"), config, Path(place))
        try:
            for number in range(kills):
                kill(number, copiers, target)
            load.stop()
            _wait(lambda: not _difference(ledger, _rows(cluster, source), _rows(cluster, target)), pause=1)
        finally:
            load.stop()
            copiers.close()
        return _judge(ledger, _rows(cluster, source), _rows(cluster, target), copiers)


def _wait(true: object, pause: float = 0.05) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true() and time.monotonic() < deadline:  # type: ignore[operator]
        time.sleep(pause)


def _rows(cluster: Cluster, topic: str) -> list[tuple[int, int]]:
    """The partition and the value of each committed row, in the order of the partitions' logs."""
    with pykafarr.scan(
        cluster.servers, topic, cluster.registry_url, metadata=("partition", "offset"), allow_partial=True
    ).read() as stream:
        tables = stream.to_arrow()
    if not tables:
        return []
    rows = tables["com.example.A"].sort_by([("_partition", "ascending"), ("_offset", "ascending")])
    return list(zip(rows["_partition"].to_pylist(), rows["n"].to_pylist(), strict=True))


def _difference(ledger: Ledger, rows: list[tuple[int, int]], copies: list[tuple[int, int]]) -> int:
    """How many rows are lost. The topic may have rows that the ledger does not, whose acknowledgement was lost."""
    there = {n for _, n in copies}
    return (Counter(rows) - Counter(copies)).total() + sum(n not in there for n in ledger.written.values())


def _judge(ledger: Ledger, rows: list[tuple[int, int]], copies: list[tuple[int, int]], copiers: Copiers) -> Found:
    disordered, last = 0, {}
    for partition, n in copies:
        disordered += n < last.get(partition, -1)
        last[partition] = n
    return Found(
        written=len(ledger.written),
        lost=_difference(ledger, rows, copies),
        repeated=(Counter(copies) - Counter(rows)).total(),
        disordered=disordered,
        transactions=copiers.transactions(),
        ended=copiers.ended,
        errors=copiers.errors(),
    )
