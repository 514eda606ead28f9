"""A consumer that takes longer for a batch than max.poll.interval.ms allows, again and again, under load."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import pykafarr

from .ledger import METADATA, Ledger, Load, Verdict

if TYPE_CHECKING:
    from tests.servers import Cluster

CONFIG = {
    "auto.offset.reset": "earliest",
    "session.timeout.ms": 1000,
    "heartbeat.interval.ms": 200,
    "max.poll.interval.ms": 1200,
}
PATIENCE = 60.0  # seconds that the last rows may take


class Found(NamedTuple):
    """`named`: exceptions that were GroupErrors which name max.poll.interval.ms; `others`: all other ones."""

    verdict: Verdict
    named: int
    others: list[str]


def run(cluster: Cluster, times: int) -> Found:
    """Sleeps on a batch so many times."""
    topic, ledger = cluster.new_topic(2), Ledger()
    named, others = 0, []
    load = Load(cluster, ledger, topic, 2, rate=500)
    try:
        with pykafarr.listener(
            cluster.servers, cluster.new_name("group"), topic, cluster.registry_url, metadata=METADATA, config=CONFIG
        ) as listener:
            slept, deadline = 0, 0.0
            while slept < times or (not ledger.complete and time.monotonic() < deadline):
                try:
                    batch = listener.poll_batch(1000, 200)
                except pykafarr.GroupError as error:
                    named += "max.poll.interval.ms" in str(error)
                    others += [] if "max.poll.interval.ms" in str(error) else [str(error)]
                    continue
                except pykafarr.KafarrError as error:
                    others.append(str(error))
                    continue
                if batch is None:
                    continue
                ledger.enter(batch)
                if slept < times:
                    slept += 1
                    time.sleep(2)  # the interval, and half a second until the client looks at it
                    if slept == times:
                        load.stop()
                        deadline = time.monotonic() + PATIENCE
    finally:
        load.stop()
    return Found(ledger.verdict(), named, others)
