"""python -m bench.consume.scans: scans against librdkafka's batch queue and the listener, on topics of several kinds.

All in turns within one run; the figures are medians, and ratios to librdkafka in C, which decodes nothing.
"""

from __future__ import annotations

import argparse
import sys
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from bench.consume import limit, topic
from bench.consume.__main__ import PROPERTIES
from bench.consume.contestants import Contestant
from bench.consume.rounds import Rounds, Settings
from bench.consume.workloads import FLAT, WIDE
from tests.servers import start

if TYPE_CHECKING:
    from bench.consume.workloads import Workload

RAW = Contestant("raw", "librdkafka in C, decodes nothing", program=limit.build_stock)
SCAN = Contestant("scan", "scan → Arrow", module="with_scan", options={"to": "arrow"})
CONTESTANTS = [
    RAW,
    Contestant("listener", "listener → Arrow", module="with_pykafarr", options={"to": "arrow"}),
    SCAN,
    Contestant("frames", "scan → pandas", module="with_scan"),
]


class Case(NamedTuple):
    """A topic, and how many times as fast as librdkafka a scan of it to Arrow is to be."""

    workload: Workload
    partitions: int
    compression: str
    wanted: float | None = None
    times: int = 1  # the workload's own number of messages: a million of them are read before a second thread has begun

    @property
    def title(self) -> str:
        """Which topic."""
        plural = "s" * (self.partitions > 1)
        size = f", {self.times} times as many" if self.times > 1 else ""
        return f"{self.workload.name}{size}, {self.compression}, {self.partitions} partition{plural}"


CASES = [
    Case(FLAT, 1, "none", 2),
    Case(FLAT, 1, "lz4", 2),
    Case(FLAT, 1, "zstd"),
    Case(FLAT, 1, "none", times=4),
    Case(FLAT, 4, "none", times=4),
    Case(WIDE, 1, "none"),
    Case(WIDE, 4, "none", 1),
]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.consume.scans", description="Scans, compared.")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--messages", type=int, help="of a topic, instead of the workload's own number")
    parser.add_argument("--case", type=int, nargs="+", choices=range(len(CASES)), default=range(len(CASES)))
    arguments = parser.parse_args()
    print(f"Medians of {arguments.rounds} rounds; messages a second, and of librdkafka's in brackets.\n")
    print(f"| | {' | '.join(contestant.title for contestant in CONTESTANTS)} | |")
    print(f"|---|{'---:|' * len(CONTESTANTS)}---|", flush=True)
    met = True
    with start() as cluster:
        for case in (CASES[number] for number in arguments.case):
            messages = arguments.messages or case.times * case.workload.messages
            filled = topic.fill(
                cluster, case.workload, messages, partitions=case.partitions, compression=case.compression
            )
            settings = Settings(arguments.rounds, arguments.rounds, messages, min(100_000, messages), PROPERTIES)
            results = Rounds(cluster, case.workload, filled, messages, settings).run(CONTESTANTS)
            if failures := [f"{result.contestant.title}: {result.failure}" for result in results if result.failure]:
                sys.exit("\n".join(failures))
            rates = [messages / median(run["seconds"] for run in result.runs) for result in results]
            ratio = rates[CONTESTANTS.index(SCAN)] / rates[CONTESTANTS.index(RAW)]
            verdict = "" if case.wanted is None else f"wanted {case.wanted:g}: {'✓' if ratio >= case.wanted else '✗'}"
            met = met and (case.wanted is None or ratio >= case.wanted)
            cells = [f"{rate:,.0f} ({rate / rates[0]:.2f})" for rate in rates]
            print(f"| {case.title} | {' | '.join(cells)} | {verdict} |", flush=True)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
