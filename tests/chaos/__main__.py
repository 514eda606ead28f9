"""Prints what is left of the messages when things fail: `python -m tests.chaos [--times N] [part …]`."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from tests import servers
from tests.servers import trio

from . import broker_kills, copier_kills, listener_kills, producer_faults, slow_consumer

if TYPE_CHECKING:
    from collections.abc import Callable

    from .ledger import Verdict


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("--times", type=int, help="failures of each part; default: 20")
    given = parser.parse_args()
    if unknown := set(given.parts) - PARTS.keys():
        parser.error(f"no such part: {', '.join(unknown)}")
    passed = True
    with servers.start() as cluster:
        for name in given.parts or PARTS:
            usual, part = PARTS[name]
            begun = time.monotonic()
            text, good = part(cluster, given.times or usual)
            print(f"{'ok    ' if good else 'FAILED'} {name}: {text}, {time.monotonic() - begun:.0f} s", flush=True)
            passed &= good
    return 0 if passed else 1


def _brokers(cluster: servers.Cluster, times: int) -> tuple[str, bool]:
    with trio.start(cluster.registry) as three:
        verdict, errors = broker_kills.run(three, times)
    return f"{times} brokers killed: {_figures(verdict)}, {len(errors)} exceptions", verdict.clean and not errors


def _listeners(cluster: servers.Cluster, times: int) -> tuple[str, bool]:
    found = listener_kills.run(cluster, times, config={})
    text = f"{times} members of {listener_kills.MEMBERS} killed, {found.batches} batches: {_figures(found.verdict)}"
    good = not (found.verdict.lost or found.verdict.altered or found.repeated_after_commit or found.ended)
    return f"{text}, {found.repeated_after_commit} of them after their commit, {len(found.ended)} exceptions", good


def _slow(cluster: servers.Cluster, times: int) -> tuple[str, bool]:
    found = slow_consumer.run(cluster, times)
    text = f"{times} times past max.poll.interval.ms: {_figures(found.verdict)}"
    good = found.verdict.clean and found.named == times and not found.others
    return f"{text}, {found.named} GroupErrors that name it, {len(found.others)} other exceptions", good


def _produce(mode: str) -> Callable[[servers.Cluster, int], tuple[str, bool]]:
    def part(cluster: servers.Cluster, times: int) -> tuple[str, bool]:
        with trio.start(cluster.registry) as three:
            found = producer_faults.kill(three, mode, times)
        return f"{times} brokers killed under a producer: {found.text}", found.clean and found.acknowledged > 0

    return part


def _move(mode: str) -> Callable[[servers.Cluster, int], tuple[str, bool]]:
    def part(cluster: servers.Cluster, times: int) -> tuple[str, bool]:
        with trio.start(cluster.registry) as three:
            found = producer_faults.move(three, mode, times)
        return f"leaders moved for {times} s under a producer: {found.text}", found.clean and found.moved > 0

    return part


def _copiers(cluster: servers.Cluster, times: int) -> tuple[str, bool]:
    found = copier_kills.run(cluster, times)
    return f"{times} copiers of {copier_kills.COPIERS} killed: {_copied(found)}", found.clean and found.written > 0


def _copying(cluster: servers.Cluster, times: int) -> tuple[str, bool]:
    with trio.start(cluster.registry) as three:
        found = copier_kills.run_brokers(three, times)
    return f"{times} brokers killed under {copier_kills.COPIERS} copiers: {_copied(found)}", found.clean


def _copied(found: copier_kills.Found) -> str:
    text = (
        f"{found.transactions} transactions, {found.written:,} messages, {found.lost} lost, {found.repeated} duplicated"
    )
    return f"{text}, {found.disordered} out of order, {len(found.ended)} copiers ended, {len(found.errors)} exceptions"


def _figures(verdict: Verdict) -> str:
    return f"{verdict.acknowledged:,} messages acknowledged, {verdict.lost} lost, {verdict.duplicated} duplicated"


# A part's name, how many failures it has, and what makes them.
PARTS: dict[str, tuple[int, Callable[[servers.Cluster, int], tuple[str, bool]]]] = {
    "brokers": (20, _brokers),
    "listeners": (20, _listeners),
    "slow": (20, _slow),
    "producer": (20, _produce("rows")),
    "transactions": (20, _produce("transactions")),
    "leaders": (60, _move("rows")),
    "coordinators": (60, _move("transactions")),
    "copiers": (20, _copiers),
    "copying": (20, _copying),
}

if __name__ == "__main__":
    sys.exit(main())
