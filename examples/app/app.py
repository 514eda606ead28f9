"""Prints a line for each batch that comes, until SIGTERM: then it leaves its group and ends with status 0."""

import os
import signal
import sys
from pathlib import Path

import pykafarr

ALIVE = Path(os.environ.get("HEALTH_FILE", "/tmp/alive"))  # what the image's health check looks at
TOPICS = os.environ.get("TOPICS", "orders").split(",")


def stop(*_: object) -> None:
    sys.exit(0)  # unwinds the with block below


signal.signal(signal.SIGTERM, stop)
with pykafarr.listener(
    os.environ.get("KAFKA", "localhost:9092"),
    os.environ.get("GROUP", "example-app"),
    TOPICS,
    os.environ.get("REGISTRY", "http://localhost:8081"),
    acknowledge="commit",
    config={"auto.offset.reset": "earliest"},
    ready_timeout=120_000,
) as p:
    while True:
        batch = p.poll_batch(num_messages=100_000, max_time=1000)
        ALIVE.touch()
        if batch is not None:
            frame = batch.to_pandas()
            print(f"{batch.message_type}: {len(frame)} rows, {', '.join(map(str, frame.columns))}", flush=True)
            p.commit(batch)
