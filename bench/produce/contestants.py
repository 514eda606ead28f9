"""Who takes part: how each is started, and how much it sends."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.consume import limit

if TYPE_CHECKING:
    from bench.produce.meter import Job

# What librdkafka's producers get besides. By default its queue holds 100,000 messages, with which it is slower.
LIBRDKAFKA = {
    "enable.idempotence": "true",
    "linger.ms": "5",
    "queue.buffering.max.messages": "500000",
    "queue.buffering.max.kbytes": "1000000",
}


@dataclass(frozen=True)
class Contestant:
    """One way of writing a topic."""

    key: str
    title: str
    module: str = ""  # of this package; empty: the program in C
    slow: bool = False  # sends a fraction
    properties: dict[str, str] = field(default_factory=lambda: LIBRDKAFKA)

    def command(self, job: Job) -> list[str]:
        """What to run for a job."""
        if self.module:
            return [sys.executable, "-m", f"bench.produce.{self.module}", job.to_json()]
        program = str(limit.build_stock(Path(__file__).with_name("raw.c")))
        properties = [f"{name}={value}" for name, value in job.properties.items()]
        return [program, job.servers, job.topic, str(job.partitions), job.values, str(job.rows), *properties]


RAW = "a"
OURS = "b"

# In the order of the table.
CONTESTANTS = [
    Contestant(RAW, "librdkafka in C, messages encoded already", properties=LIBRDKAFKA),
    Contestant(OURS, "pykafarr, from Arrow", module="with_pykafarr", properties={}),
    Contestant("c", "fastavro + confluent-kafka", module="with_fastavro", slow=True),
    Contestant("d", "confluent-kafka's AvroSerializer", module="with_confluent", slow=True),
    Contestant("e", "pyruhvro + confluent-kafka", module="with_pyruhvro"),
]
