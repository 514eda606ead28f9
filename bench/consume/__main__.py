"""python -m bench.consume: the contest. bench/README.md tells the method."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

from bench.consume import plot, report, topic
from bench.consume.contestants import CONTESTANTS
from bench.consume.rounds import Result, Rounds, Settings
from bench.consume.workloads import WORKLOADS
from tests.servers import Cluster, start

RESULTS = Path(__file__).parents[1] / "results"

# librdkafka's, the same for all; what is not named here is librdkafka's default.
PROPERTIES = {
    "auto.offset.reset": "earliest",
    "enable.auto.commit": "false",
    # By default a fetcher whose queue is full looks again after a second. That costs the slower contestants most of
    # their time (pyruhvro: 7.4 s for a million messages, 1.0 s so), hits a fast one now and then, and hides the rest.
    "fetch.queue.backoff.ms": "5",
}


@dataclass(frozen=True)
class Contest:
    """One workload's table and what it was made of."""

    table: report.Table
    results: list[Result]


def main() -> int:
    arguments = _arguments()
    properties = PROPERTIES | dict(pair.split("=", 1) for pair in arguments.set)
    settings = Settings(
        rounds=arguments.rounds,
        slow_rounds=min(arguments.slow_rounds, arguments.rounds),
        slow_rows=arguments.slow_rows,
        frame_rows=arguments.frame_rows,
        properties=properties,
    )
    with start() as cluster:
        contests = [
            _contest(cluster, name, arguments, replace(settings, format=format_))
            for format_ in arguments.format
            for name in arguments.workload
        ]
    tables = [contest.table for contest in contests]
    text = "\n\n".join([_machine(settings), *(table.markdown() for table in tables)])
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "consume.md").write_text(f"{text}\n", encoding="utf-8")
    (RESULTS / "consume.json").write_text(_json(contests, settings), encoding="utf-8")
    plot.save(tables, RESULTS)
    return 1 if any(table.failures.keys() - {"e"} for table in tables) else 0  # pyruhvro does not know all types


def _arguments() -> argparse.Namespace:
    keys = [contestant.key for contestant in CONTESTANTS]
    usual = [contestant.key for contestant in CONTESTANTS if not contestant.optional]
    parser = argparse.ArgumentParser(prog="python -m bench.consume", description="Kafka topics to frames, compared.")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of the fast contestants (%(default)s)")
    parser.add_argument("--slow-rounds", type=int, default=3, help="rounds of the slow ones (%(default)s)")
    parser.add_argument("--slow-rows", type=int, default=100_000, help="what the slow ones read (%(default)s)")
    parser.add_argument("--frame-rows", type=int, default=100_000, help="rows of a frame (%(default)s)")
    parser.add_argument("--messages", type=int, help="messages of a topic, instead of the workload's own number")
    parser.add_argument("--workload", nargs="+", choices=[*WORKLOADS], default=[*WORKLOADS], metavar="NAME")
    parser.add_argument("--format", nargs="+", choices=[*topic.FORMATS], default=[*topic.FORMATS], metavar="NAME")
    parser.add_argument("--only", nargs="+", choices=keys, default=usual, metavar="KEY", help=f"of {' '.join(keys)}")
    parser.add_argument("--set", action="append", default=[], metavar="PROPERTY=VALUE", help="librdkafka's, for all")
    return parser.parse_args()


def _contest(cluster: Cluster, name: str, arguments: argparse.Namespace, settings: Settings) -> Contest:
    workload = WORKLOADS[name]
    messages = arguments.messages or workload.messages
    print(f"{settings.format}, {name}: {messages:,} messages …", file=sys.stderr, flush=True)
    filled = topic.fill(cluster, workload, messages, format=settings.format)
    contestants = [one for one in CONTESTANTS if one.key in arguments.only and settings.format in one.formats]
    results = Rounds(cluster, workload, filled, messages, settings).run(contestants)
    frame_rows = min(settings.frame_rows, messages)
    size = filled.size(messages) / messages
    return Contest(report.table(settings.format, name, messages, size, frame_rows, results), results)


def _machine(settings: Settings) -> str:
    processor = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("model name\t: ")[2].partition("\n")[0]
    versions = ", ".join(f"{name} {version(name)}" for name in ("confluent-kafka", "fastavro", "pandas", "pyarrow"))
    changed = ", ".join(f"{name}={value}" for name, value in settings.properties.items())
    return (
        f"{os.cpu_count()} cores ({processor.strip() or platform.machine()}), broker on the same machine; "
        f"Python {platform.python_version()}, {versions}.\nFor all: {changed}. Medians of {settings.rounds} rounds, "
        f"of {settings.slow_rounds} for the slow ones."
    )


def _json(contests: list[Contest], settings: Settings) -> str:
    found = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "settings": asdict(settings),
        "workloads": {
            f"{contest.table.format}, {contest.table.workload}": {
                **asdict(contest.table),
                "runs": {result.contestant.key: result.runs for result in contest.results},
            }
            for contest in contests
        },
    }
    return json.dumps(found, indent=1)


if __name__ == "__main__":
    sys.exit(main())
