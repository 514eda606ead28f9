"""python -m bench.consume.changelogs: topics whose deletions are followed by tombstones, by what becomes of those.

All are scans to Arrow, in turns within one run, as the batches count here and not the client; the figures are medians.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from confluent_kafka import Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

import pykafarr
from bench.consume.workloads import FLAT
from tests.servers import start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Cluster

# A key, and whether it comes with a value.
Change = tuple[bytes, bool]

VARIANTS: dict[str, dict[str, Any]] = {
    "the default": {},
    'mixed="group"': {"mixed": "group"},
    'tombstones="keep"': {"tombstones": "keep"},
    'tombstones="skip"': {"tombstones": "skip"},
}


def table(messages: int) -> Iterator[Change]:
    """The life of a table: 100 inserts to 60 updates and 40 deletions, each with its tombstone."""
    chosen, alive, count = random.Random(1), 0, 0
    born = gone = 0
    while count < messages:
        kind = chosen.choices("iud", (100, 60, 40))[0]
        if kind == "i" or not alive:
            yield f"key-{born}".encode(), True
            born, alive = born + 1, alive + 1
        elif kind == "u":
            yield f"key-{chosen.randrange(gone, born)}".encode(), True
        else:
            yield f"key-{gone}".encode(), True
            yield f"key-{gone}".encode(), False
            gone, alive, count = gone + 1, alive - 1, count + 1
        count += 1


def pairs(messages: int) -> Iterator[Change]:
    """Nothing but deletions, each with its tombstone."""
    for n in range(messages // 2):
        yield f"key-{n}".encode(), True
        yield f"key-{n}".encode(), False


def few(messages: int) -> Iterator[Change]:
    """A thousand keys, which are written and deleted again and again."""
    chosen = random.Random(2)
    for _ in range(messages):
        yield f"key-{chosen.randrange(1000)}".encode(), chosen.random() < 0.7


TOPICS = {"a table's life": table, "deletions and tombstones": pairs, "the same 1,000 keys": few}


def fill(cluster: Cluster, changes: Iterator[Change]) -> tuple[str, int]:
    """Writes changes into a new topic, and returns how many they are."""
    topic = cluster.new_topic(1)
    registry = SchemaRegistryClient({"url": cluster.registry_url, "timeout": 10})
    framing = b"\0" + registry.register_schema(f"{topic}-value", Schema(FLAT.schema, "AVRO")).to_bytes(4, "big")
    bodies = [framing + body for body in FLAT.bodies(FLAT.records(1000))]
    producer = Producer({"bootstrap.servers": cluster.servers, "linger.ms": 50, "queue.buffering.max.messages": 0})
    count = 0
    for key, has_value in changes:
        producer.produce(topic, bodies[count % len(bodies)] if has_value else None, key, partition=0)
        count += 1
        if count % 10_000 == 0:
            producer.poll(0)
    producer.flush()
    return topic, count


def measure(cluster: Cluster, topic: str, options: dict[str, Any]) -> tuple[float, int]:
    """The seconds and the batches of a scan."""
    plan = pykafarr.scan(cluster.servers, topic, cluster.registry_url, **options)
    began = time.perf_counter()
    with plan.read() as stream:
        batches = sum(1 for _ in stream)
    return time.perf_counter() - began, batches


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.consume.changelogs", description="What tombstones cost.")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--messages", type=int, default=240_000)
    arguments = parser.parse_args()
    print("| topic | | messages/s | seconds | batches |\n|---|---|---:|---:|---:|")
    with start() as cluster:
        for title, changes in TOPICS.items():
            topic, count = fill(cluster, changes(arguments.messages))
            runs: dict[str, list[tuple[float, int]]] = {variant: [] for variant in VARIANTS}
            for number in range(-1, arguments.rounds):
                for variant, options in VARIANTS.items():
                    run = measure(cluster, topic, options)
                    if number >= 0:  # the first round warms the broker
                        runs[variant].append(run)
                print(".", end="", file=sys.stderr, flush=True)
            for variant, made in runs.items():
                seconds = median(run[0] for run in made)
                print(f"| {title} | {variant} | {count / seconds:,.0f} | {seconds:.2f} | {made[-1][1]:,} |")


if __name__ == "__main__":
    main()
