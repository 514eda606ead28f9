"""The contestant: confluent-kafka, fastavro a message at a time, pandas."""

from __future__ import annotations

import json
from io import BytesIO

import fastavro
import pandas as pd

from bench.consume.consumer import frames, subscribed
from bench.consume.meter import Job, Meter
from bench.consume.workloads import WORKLOADS


def main() -> None:
    job = Job.from_command_line()
    schema = fastavro.parse_schema(json.loads(WORKLOADS[job.workload].schema))
    read = fastavro.schemaless_reader
    pd.DataFrame([{"n": 1, "text": "x"}])
    meter = Meter(job)
    with subscribed(job, meter) as consumer:
        for lists in frames(consumer, job):
            rows = [read(BytesIO(message.value()[5:]), schema, None) for messages in lists for message in messages]
            meter.frame(pd.DataFrame(rows))
        meter.report(f"fastavro {fastavro.__version__}")


if __name__ == "__main__":
    main()
