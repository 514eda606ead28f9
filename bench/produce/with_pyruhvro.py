"""The contestant: pyruhvro's bulk encoding and confluent-kafka's produce_batch."""

from __future__ import annotations

from importlib.metadata import version

import pyruhvro

from bench.produce.messages import flushed, producer_of, put, put_all
from bench.produce.meter import Job, Meter


def main() -> None:
    job = Job.from_command_line()
    table = job.table()
    producer = producer_of(job)
    put(producer, job.topic, b"\0\0\0\0\1" + b"first", 0)
    flushed(producer)
    meter = Meter(job)
    row = 0
    for batch in table.to_batches(10_000):
        bodies = pyruhvro.serialize_record_batch(batch, job.schema, 1)[0].to_pylist()
        put_all(producer, job.topic, [b"\0\0\0\0\1" + body for body in bodies], job.partition(row))
        row += len(bodies)
    flushed(producer)
    meter.report(f"pyruhvro {version('pyruhvro')}")


if __name__ == "__main__":
    main()
