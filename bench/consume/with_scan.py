"""The contestant: pykafarr.scan to Arrow, or to pandas."""

from __future__ import annotations

import pykafarr
from bench.consume.meter import Job, Meter
from bench.consume.with_pykafarr import warm_up

# What a scan is not asked for: there is no group, no commit, and no queue of a client.
NOT_FOR_SCANS = ("auto.offset.reset", "enable.auto.commit", "fetch.queue.backoff.ms")


def main() -> None:
    job = Job.from_command_line()
    warm_up()
    config = {name: value for name, value in job.properties.items() if name not in NOT_FOR_SCANS}
    plan = pykafarr.scan(job.servers, job.topic, job.registry_url, config=config)
    meter = Meter(job)
    # The others' clock starts with the assignment: they, too, know then what to read, and have not fetched.
    meter.assigned()
    with plan.read() as stream:
        for batch in stream:
            if job.options.get("to") == "arrow":
                meter.record(batch.to_arrow())
            else:
                meter.frame(batch.to_pandas())
            del batch
    meter.report(f"pykafarr {pykafarr.__version__}")


if __name__ == "__main__":
    main()
