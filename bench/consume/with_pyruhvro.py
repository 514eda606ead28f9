"""The contestant: confluent-kafka, pyruhvro's bulk decoding to Arrow, pandas."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import pyarrow as pa
import pyruhvro

from bench.consume.consumer import frames, subscribed
from bench.consume.meter import Job, Meter
from bench.consume.workloads import WORKLOADS

if TYPE_CHECKING:
    import pandas as pd


def main() -> None:
    job = Job.from_command_line()
    schema = WORKLOADS[job.workload].schema
    threads = int(job.options.get("threads", 1))
    pa.table({"n": [1], "text": ["x"]}).to_pandas()
    meter = Meter(job)
    with subscribed(job, meter) as consumer:
        for lists in frames(consumer, job):
            batches: list[pa.RecordBatch] = []
            for messages in lists:
                bodies = [message.value()[5:] for message in messages]
                if threads > 1:
                    batches += pyruhvro.deserialize_array_threaded(bodies, schema, threads)
                else:
                    batches.append(pyruhvro.deserialize_array(bodies, schema))
            frame: pd.DataFrame = pa.Table.from_batches(batches).to_pandas()
            meter.frame(frame)
        meter.report(f"pyruhvro {version('pyruhvro')}")


if __name__ == "__main__":
    main()
