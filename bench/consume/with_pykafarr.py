"""The contestant: pykafarr to pandas, or to Arrow only."""

from __future__ import annotations

import threading
import time
from typing import Any

import pandas as pd
import pyarrow as pa

import pykafarr
from bench.consume.meter import Job, Meter


def main() -> None:
    job = Job.from_command_line()
    warm_up()
    meter = Meter(job)
    metadata = tuple(filter(None, job.options.get("metadata", "offset").split(",")))
    mixed: Any = job.options.get("mixed", "split")
    value: Any = job.format
    with pykafarr.listener(
        job.servers,
        job.group,
        job.topic,
        job.registry_url,
        config=job.properties,
        metadata=metadata,
        mixed=mixed,
        value=value,
    ) as listener:
        watcher = threading.Thread(target=_watch, args=(listener, meter))
        watcher.start()
        if job.options.get("to") == "arrow":
            while (batch := listener.poll_batch(job.frame_rows)) and meter.record(batch.to_arrow()):
                pass
        else:
            while meter.frame(listener.poll(job.frame_rows)[1]):
                pass
        meter.report(f"pykafarr {pykafarr.__version__}")
        watcher.join()


def _watch(listener: pykafarr.Listener, meter: Meter) -> None:
    """Starts the clock at the assignment, of which a poll tells nobody: half a millisecond late at most."""
    while not listener.stats()["rebalances"]:
        time.sleep(0.0005)
    meter.assigned()


def warm_up() -> None:
    """Loads what the first conversion would load: every contestant does, by the time the clock starts."""
    pa.record_batch({"n": [1], "text": ["x"]}).to_pandas()
    pykafarr.decode('{"type": "record", "name": "W", "fields": [{"name": "n", "type": "long"}]}', [b"\2"])
    from pykafarr._batches import to_pandas  # noqa: F401, PLC0415

    pd.DataFrame({"n": [1]})


if __name__ == "__main__":
    main()
