"""python -m bench.consume.options: what metadata columns cost, and topics of two types that take turns.

All are pykafarr to pandas, in turns within one run; the figures are medians, and ratios to the default.
"""

from __future__ import annotations

import argparse
import sys
from statistics import median
from typing import NamedTuple

from bench.consume import topic
from bench.consume.__main__ import PROPERTIES
from bench.consume.contestants import Contestant
from bench.consume.rounds import Rounds, Settings
from bench.consume.workloads import FLAT
from tests.servers import start

ALL = "offset,partition,topic,timestamp,timestamp_type,schema_id,leader_epoch,tombstone"


class Variant(NamedTuple):
    """A way of reading one of the topics."""

    title: str
    types: int  # of the topic
    options: dict[str, str]


DEFAULT = Variant("the default: the offset, one type", 1, {})
VARIANTS = [
    DEFAULT,
    Variant("no metadata", 1, {"metadata": ""}),
    Variant("all metadata but keys and headers", 1, {"metadata": ALL}),
    Variant('mixed="group", one type', 1, {"mixed": "group"}),
    Variant('mixed="group", two types in turns', 2, {"mixed": "group"}),
]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.consume.options", description="What options cost.")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--messages", type=int, default=FLAT.messages)
    arguments = parser.parse_args()
    settings = Settings(arguments.rounds, arguments.rounds, arguments.messages, 100_000, PROPERTIES)
    contestants = [Contestant(v.title, v.title, module="with_pykafarr", options=v.options) for v in VARIANTS]
    seconds: list[list[float]] = [[] for _ in VARIANTS]
    with start() as cluster:
        topics = {
            types: Rounds(
                cluster, FLAT, topic.fill(cluster, FLAT, arguments.messages, types), arguments.messages, settings
            )
            for types in (1, 2)
        }
        for number in range(-1, arguments.rounds):
            for turn in range(len(VARIANTS)):
                at = (turn + number) % len(VARIANTS)
                run = topics[VARIANTS[at].types].measure(contestants[at])
                if number >= 0:  # the first round warms the broker
                    seconds[at].append(run["seconds"])
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    rates = [arguments.messages / median(runs) for runs in seconds]
    print(f"{arguments.messages:,} flat messages to pandas, medians of {arguments.rounds} rounds:\n")
    print("| | messages/s | time, of the default's |\n|---|---:|---:|")
    for variant, rate in zip(VARIANTS, rates, strict=True):
        print(f"| {variant.title} | {rate:,.0f} | {rates[0] / rate:.2f} |")


if __name__ == "__main__":
    main()
