"""Brokers of three are killed one after the other, under load, while one listener reads."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pykafarr

from .ledger import METADATA, Ledger, Load, Verdict

if TYPE_CHECKING:
    from tests.servers.trio import Trio

PATIENCE = 60.0  # seconds that the last rows may take


class Reader:
    """Polls in a thread of its own, and keeps what it got: rows in the ledger, exceptions in a list."""

    def __init__(self, listener: pykafarr.Listener, ledger: Ledger) -> None:
        self.errors: list[pykafarr.KafarrError] = []
        self._listener, self._ledger = listener, ledger
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def finish(self) -> None:
        """Waits until all that was written has been read, or for as long as PATIENCE, and stops."""
        deadline = time.monotonic() + PATIENCE
        while not self._ledger.complete and time.monotonic() < deadline:
            time.sleep(0.1)
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                batch = self._listener.poll_batch(10_000, 200)
            except pykafarr.KafarrError as error:
                self.errors.append(error)
                continue
            if batch is not None:
                self._ledger.enter(batch)


def run(trio: Trio, kills: int) -> tuple[Verdict, list[pykafarr.KafarrError]]:
    """Kills the leader of a partition so many times, and starts it again when another leads."""
    topic, ledger = trio.new_topic(3), Ledger()
    config = {"auto.offset.reset": "earliest"}
    with pykafarr.listener(
        trio.servers, trio.new_name("group"), topic, trio.registry_url, metadata=METADATA, config=config
    ) as listener:
        load = Load(trio, ledger, topic, 3)
        reader = Reader(listener, ledger)
        try:
            for kill in range(kills):
                time.sleep(0.5)
                victim = trio.leader(topic, kill % 3)
                trio.kill(victim)
                while trio.leader(topic, kill % 3) == victim:
                    time.sleep(0.2)
                trio.restart(victim)
        finally:
            load.stop()
            reader.finish()
    return ledger.verdict(), reader.errors
