"""The contestant: fastavro and confluent-kafka's produce, a message at a time."""

from __future__ import annotations

import json
from importlib.metadata import version
from io import BytesIO

import fastavro

from bench.produce.messages import flushed, producer_of, put
from bench.produce.meter import Job, Meter


def main() -> None:
    job = Job.from_command_line()
    table = job.table()
    schema = fastavro.parse_schema(json.loads(job.schema))
    producer = producer_of(job)
    put(producer, job.topic, b"\0\0\0\0\1" + b"first", 0)
    flushed(producer)
    meter = Meter(job)
    row = 0
    for batch in table.to_batches(10_000):
        for record in batch.to_pylist():
            buffer = BytesIO()
            buffer.write(b"\0\0\0\0\1")
            fastavro.schemaless_writer(buffer, schema, record)
            put(producer, job.topic, buffer.getvalue(), job.partition(row))
            row += 1
    flushed(producer)
    meter.report(f"fastavro {version('fastavro')}")


if __name__ == "__main__":
    main()
