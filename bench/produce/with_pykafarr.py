"""The contestant: pykafarr's producer, a frame at a time."""

from __future__ import annotations

from functools import partial

import pykafarr
from bench.produce.meter import Job, Meter


def main() -> None:
    job = Job.from_command_line()
    table = job.table()
    with pykafarr.producer(job.servers, job.registry_url, config=job.properties) as out:
        send = partial(out.send, job.message_type, topic=job.topic, schema=job.schema, register=True, wait=True)
        send(table.slice(0, 1))
        meter = Meter(job)
        send(table)
        meter.report(f"pykafarr {pykafarr.__version__}")


if __name__ == "__main__":
    main()
