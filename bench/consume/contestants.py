"""Who takes part: how each is started, how much it reads, and how often."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.consume import limit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.consume.meter import Job


@dataclass(frozen=True)
class Contestant:
    """One way of reading a topic."""

    key: str
    title: str
    module: str = ""  # of this package; empty: a program
    program: Callable[[], Path] | None = None
    options: dict[str, str] = field(default_factory=dict)
    formats: tuple[str, ...] = ("avro",)  # that it reads
    slow: bool = False  # reads a fraction, in fewer rounds
    optional: bool = False

    def command(self, job: Job) -> list[str]:
        """What to run for a job."""
        if self.program is None:
            return [sys.executable, "-m", f"bench.consume.{self.module}", job.to_json()]
        properties = [f"{name}={value}" for name, value in job.properties.items()]
        program = str(self.program())
        return [program, job.servers, job.topic, job.group, str(job.rows), str(job.frame_rows), *properties]


RAW = "a"
OURS = "b"
ALL = ("avro", "protobuf", "jsonschema")

# In the order of the table.
CONTESTANTS = [
    Contestant(RAW, "librdkafka in C, counting bytes", program=limit.build_stock, formats=ALL),
    Contestant("a2", "the same with our copy of librdkafka", program=limit.build_ours, formats=ALL, optional=True),
    Contestant(OURS, "pykafarr → pandas", module="with_pykafarr", formats=ALL),
    Contestant("b2", "pykafarr → Arrow", module="with_pykafarr", options={"to": "arrow"}, formats=ALL),
    Contestant("c", "confluent-kafka + fastavro → pandas", module="with_fastavro", slow=True),
    Contestant("d", "confluent-kafka's own deserializer → pandas", module="with_confluent", formats=ALL, slow=True),
    Contestant("e", "confluent-kafka + pyruhvro → pandas", module="with_pyruhvro"),
]
