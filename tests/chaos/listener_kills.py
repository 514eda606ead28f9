"""Processes with a listener are killed at random points, under load, and followed by others of the same group."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .ledger import Ledger, Load, Verdict

if TYPE_CHECKING:
    from tests.servers import Cluster

PATIENCE = 90.0  # seconds that the last rows may take


class Found(NamedTuple):
    """`repeated_after_commit`: rows that came again though their batch's commit was done, which must not be."""

    verdict: Verdict
    repeated_after_commit: int
    batches: int


def run(cluster: Cluster, kills: int, seed: int = 1) -> Found:
    """Kills a reader so many times; the one after the last reads to the end."""
    chance = random.Random(seed)
    topic, group, ledger = cluster.new_topic(2), cluster.new_name("group"), Ledger()
    with tempfile.TemporaryDirectory() as place:
        book = Path(place) / "book"
        command = [sys.executable, "-m", "tests.chaos.reader"]
        command += [cluster.servers, cluster.registry_url, topic, group, str(book)]
        load = Load(cluster, ledger, topic, 2)
        try:
            for _ in range(kills):
                before = book.stat().st_size if book.exists() else 0
                reader = subprocess.Popen(command)
                try:
                    _wait(lambda before=before: book.exists() and book.stat().st_size > before)
                    time.sleep(chance.uniform(0, 0.3))
                finally:
                    reader.kill()
                    reader.wait()
        finally:
            load.stop()
        reader = subprocess.Popen(command)
        try:
            _wait(lambda: ledger.written.keys() <= _places(book))
        finally:
            reader.kill()
            reader.wait()
        return _judge(ledger, book)


def _wait(true: object) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true() and time.monotonic() < deadline:  # type: ignore[operator]
        time.sleep(0.02)


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


def _judge(ledger: Ledger, book: Path) -> Found:
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
    return Found(ledger.verdict(), repeated, batches)
