"""python -m bench.produce: frames to a topic. bench/README.md tells the method."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow.compute as pc

import build_native
import pykafarr
from bench.consume.workloads import FLAT, WIDE
from bench.produce import material
from bench.produce.contestants import CONTESTANTS, OURS, RAW
from bench.produce.meter import Job
from tests.servers import kafka, start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.consume.workloads import Workload
    from bench.produce.contestants import Contestant
    from tests.servers import Cluster

PATIENCE_SECONDS = 300
BROKERS = {"test": kafka.QUICK, "production": kafka.PRODUCTION}


class Case(NamedTuple):
    """What is sent, and how many times as fast as librdkafka in C it is to be sent, by the kind of the broker."""

    workload: Workload
    rows: int
    partitions: int = 1
    compression: str = "none"
    wanted: dict[str, float] = {}  # noqa: RUF012 - never changed

    @property
    def title(self) -> str:
        """Which rows go where."""
        plural = "s" * (self.partitions > 1)
        return f"{self.rows:,} {self.workload.name} rows, {self.compression}, {self.partitions} partition{plural}"


CASES = [
    Case(FLAT, 1_000_000, 1, "none", {"test": 1.5, "production": 2.5}),
    Case(FLAT, 1_000_000, 4, "none", {"test": 1.5, "production": 2.5}),
    Case(FLAT, 1_000_000, 1, "lz4", {"test": 1.3, "production": 1.3}),
    Case(FLAT, 1_000_000, 4, "lz4", {"test": 1.3, "production": 1.3}),
    Case(FLAT, 1_000_000, 4, "zstd", {"test": 1.3, "production": 1.3}),
    Case(WIDE, 200_000, 1, "none", {"test": 1.0, "production": 1.0}),
    Case(WIDE, 200_000, 4, "lz4", {"test": 1.0, "production": 1.0}),
    Case(FLAT, 1_000, 1, "none", {"test": 1.0, "production": 1.0}),
]
# How many times as fast as the others the flat rows are to be sent, uncompressed.
OTHERS = {"c": 15, "d": 20, "e": 2.5}


@dataclass
class Result:
    """What one contestant measured, or why it could not."""

    contestant: Contestant
    runs: list[dict[str, Any]] = field(default_factory=list)
    failure: str = ""

    def median(self, name: str) -> float:
        """Of the runs, for a million rows."""
        return median(run[name] for run in self.runs) * 1_000_000 / self.runs[0]["rows"]

    @property
    def rate(self) -> float:
        """Rows a second."""
        return 1_000_000 / self.median("seconds")


class ContestantError(Exception):
    """A contestant failed, or wrote something wrong."""


class Contest:
    """A case on one broker."""

    def __init__(self, cluster: Cluster, case: Case, rows: material.Material, slow_rows: int) -> None:
        self._cluster = cluster
        self._case = case
        self._material = rows
        self._slow_rows = slow_rows

    def run(self, contestants: list[Contestant], rounds: int) -> list[Result]:
        """Everybody's results. The first round is not counted: it warms the broker, and what it wrote is compared."""
        results = [Result(contestant) for contestant in contestants]
        for number in range(rounds + 1):
            for result in self._turn(results, number):
                self._once(result, counts=number > 0)
            print(".", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        return results

    def _once(self, result: Result, *, counts: bool) -> None:
        try:
            run = self._measure(result.contestant, check=not counts)
        except ContestantError as error:
            result.failure = str(error)
        else:
            result.runs += [run] if counts else []

    @staticmethod
    def _turn(results: list[Result], number: int) -> Iterator[Result]:
        """Who runs in a round, in an order that changes: a neighbour's after-effects hit everybody in turn."""
        first = number % len(results)
        return (result for result in results[first:] + results[:first] if not result.failure)

    def _measure(self, contestant: Contestant, *, check: bool) -> dict[str, Any]:
        case = self._case
        topic = self._cluster.new_topic(case.partitions)
        schema = json.loads(case.workload.schema)
        job = Job(
            servers=self._cluster.servers,
            registry_url=self._cluster.registry_url,
            topic=topic,
            partitions=case.partitions,
            message_type=f"{schema['namespace']}.{schema['name']}",
            schema=case.workload.schema,
            values=str(self._material.values),
            frame=str(self._material.frame),
            rows=min(case.rows, self._slow_rows) if contestant.slow else case.rows,
            properties={"compression.type": case.compression, **contestant.properties},
        )
        before = _cpu(self._cluster.kafka.process.pid)
        run = _line(contestant.command(job))
        run["broker_cpu_seconds"] = _cpu(self._cluster.kafka.process.pid) - before
        plan = pykafarr.scan(job.servers, topic, None, value="bytes")
        if plan.rows != job.rows + 1:  # and the first row, which is not counted
            raise ContestantError(f"{plan.rows - 1} rows were written, not {job.rows}")
        if check and contestant.key == OURS:
            self._check(job)
        self._cluster.admin.delete_topics([topic])[topic].result(30)
        return run

    def _check(self, job: Job) -> None:
        total = 0
        with pykafarr.scan(job.servers, job.topic, job.registry_url, metadata=()).read() as stream:
            for batch in stream:
                total += pc.sum(batch.to_arrow().column("id")).as_py() or 0
        wanted = self._material.checksum(job.rows) + self._material.ids[0]
        if (total - wanted) % 2**64:
            raise ContestantError("the checksum is wrong")


def _line(command: list[str]) -> dict[str, Any]:
    """Runs a contestant and reads the one line that it prints."""
    try:
        done = subprocess.run(
            command, cwd=build_native.ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise ContestantError(f"not done after {PATIENCE_SECONDS} s") from None
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise ContestantError(said[-1] if said else f"ended with {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _cpu(pid: int) -> float:
    """Seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rows(broker: str, case: Case, results: list[Result]) -> tuple[list[str], bool]:
    """Lines of the table, and whether all is as fast as it is to be."""
    measured = {result.contestant.key: result for result in results if result.runs}
    raw, ours = measured.get(RAW), measured.get(OURS)
    lines, good = [], True
    for result in results:
        title = f"({result.contestant.key}) {result.contestant.title}"
        if result.failure or not result.runs:
            lines.append(f"| {title} | fails: {result.failure} | | | | | | |")
            good = good and result.contestant.key not in {RAW, OURS}
            continue
        memory = median(run["peak_rss_bytes"] - run["rss_before"] for run in result.runs)
        verdict = ""
        if result is ours and raw:
            wanted = case.wanted.get(broker, 0)
            verdict = f"wanted {wanted:g} x (a): {'✓' if ours.rate >= wanted * raw.rate else '✗'}"
            good = good and ours.rate >= wanted * raw.rate
        elif ours and result.contestant.key in OTHERS and case.workload is FLAT and case.compression == "none":
            times, wanted = ours.rate / result.rate, OTHERS[result.contestant.key]
            verdict = f"(b) is {times:.1f} x, wanted {wanted:g}: {'✓' if times >= wanted else '✗'}"
            good = good and times >= wanted
        cells = [
            title,
            f"{result.rate:,.0f}",
            f"{result.rate / raw.rate:.2f}" if raw else "",
            f"{median(run['seconds'] for run in result.runs) * 1000:,.1f} ms",
            f"{result.median('cpu_seconds'):.2f} s",
            f"{result.median('broker_cpu_seconds'):.2f} s",
            f"+{memory / 1e6:.0f} MB",
            verdict,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines, good


def main() -> int:
    arguments = _arguments()
    contestants = [contestant for contestant in CONTESTANTS if contestant.key in arguments.only]
    cases = [CASES[number] for number in arguments.case]
    good = True
    with tempfile.TemporaryDirectory() as folder:
        pools = {case.workload.name: case.workload for case in cases}
        ready = {name: material.write(workload, Path(folder)) for name, workload in pools.items()}
        for broker in arguments.broker:
            with start(BROKERS[broker]) as cluster:
                for case in cases:
                    rows = ready[case.workload.name]
                    taking_part = contestants if case.rows > arguments.slow_rows else contestants[:2]
                    results = Contest(cluster, case, rows, arguments.slow_rows).run(taking_part, arguments.rounds)
                    print(f"\n### {case.title}, {broker} broker; medians of {arguments.rounds} rounds\n")
                    print("| | rows/s | of (a) | took | CPU, 1 M rows | the broker's | peak memory | |")
                    print("|---|--:|--:|--:|--:|--:|--:|---|")
                    lines, met = _rows(broker, case, results)
                    print("\n".join(lines), flush=True)
                    good = good and met
    return 0 if good else 1


def _arguments() -> argparse.Namespace:
    keys = [contestant.key for contestant in CONTESTANTS]
    numbers = range(len(CASES))
    parser = argparse.ArgumentParser(prog="python -m bench.produce", description="Frames to a topic, compared.")
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds (%(default)s)")
    parser.add_argument("--slow-rows", type=int, default=50_000, help="what the slow ones send (%(default)s)")
    parser.add_argument("--broker", nargs="+", choices=[*BROKERS], default=[*BROKERS], metavar="KIND")
    parser.add_argument("--case", type=int, nargs="+", choices=numbers, default=numbers, metavar="NUMBER")
    parser.add_argument("--only", nargs="+", choices=keys, default=keys, metavar="KEY", help=f"of {' '.join(keys)}")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
