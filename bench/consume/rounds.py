"""Runs the contestants in turns, each in a process of its own, and checks what they say they read."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from confluent_kafka import Consumer, TopicPartition

import build_native
from bench.consume.meter import Job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.consume.contestants import Contestant
    from bench.consume.topic import Filled
    from bench.consume.workloads import Workload
    from tests.servers import Cluster

PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Settings:
    """How much to measure."""

    rounds: int
    slow_rounds: int
    slow_rows: int
    frame_rows: int
    properties: dict[str, str]  # librdkafka's, the same for all
    format: str = "avro"


@dataclass
class Result:
    """What one contestant measured, or why it could not."""

    contestant: Contestant
    runs: list[dict[str, Any]] = field(default_factory=list)
    failure: str = ""


class Rounds:
    """The contest on one topic."""

    def __init__(self, cluster: Cluster, workload: Workload, filled: Filled, messages: int, settings: Settings) -> None:
        self._cluster = cluster
        self._workload = workload
        self._filled = filled
        self._messages = messages
        self._settings = settings

    def run(self, contestants: list[Contestant]) -> list[Result]:
        """Everybody's results, in the order given."""
        results = [Result(contestant) for contestant in contestants]
        self.measure(contestants[0])  # not counted: brings the topic into the page cache, and warms the broker
        for number in range(self._settings.rounds):
            for result in self._turn(results, number):
                self._once(result)
            print(".", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        return results

    def _turn(self, results: list[Result], number: int) -> Iterator[Result]:
        """Who runs in a round, in an order that changes: a neighbour's after-effects hit everybody in turn."""
        first = number % len(results)
        for result in results[first:] + results[:first]:
            if not result.failure and (number < self._settings.slow_rounds or not result.contestant.slow):
                yield result

    def _once(self, result: Result) -> None:
        try:
            result.runs.append(self.measure(result.contestant))
        except ContestantError as error:
            result.failure = str(error)

    def measure(self, contestant: Contestant) -> dict[str, Any]:
        """One run, checked."""
        rows = min(self._messages, self._settings.slow_rows) if contestant.slow else self._messages
        job = Job(
            servers=self._cluster.servers,
            registry_url=self._cluster.registry_url,
            topic=self._filled.topic,
            workload=self._workload.name,
            format=self._settings.format,
            rows=rows,
            frame_rows=min(self._settings.frame_rows, rows),
            properties=self._settings.properties,
            options=contestant.options,
        )
        self._begin_at_zero(job)
        run = _line(contestant.command(job))
        self._check(run, rows)
        return run

    def _begin_at_zero(self, job: Job) -> None:
        """Commits offset 0: a group without it waits 100 ms, for librdkafka looks for the beginning by a timer.

        That would be a third of the fastest contestants' time, the same for all, and would flatter the ratios.
        """
        consumer = Consumer({"bootstrap.servers": job.servers, "group.id": job.group})
        begin = [TopicPartition(job.topic, partition, 0) for partition in range(self._filled.partitions)]
        consumer.commit(offsets=begin, asynchronous=False)
        consumer.close()

    def _check(self, run: dict[str, Any], rows: int) -> None:
        """All rows, and the right ones. The limit has no columns, but it has bytes."""
        if run["rows"] != rows:
            raise ContestantError(f"{run['rows']} rows arrived, not {rows}")
        if run["id_sum"] is None:
            if run["bytes"] != self._filled.size(rows):
                raise ContestantError(f"{run['bytes']} bytes arrived, not {self._filled.size(rows)}")
        elif (run["id_sum"], run["flag_count"]) != self._filled.checksum(rows):
            raise ContestantError("the checksum is wrong")
        run["bytes"] = self._filled.size(rows)


class ContestantError(Exception):
    """A contestant failed, or read something wrong."""


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
