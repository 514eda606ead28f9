"""What the contestants on confluent-kafka share: a consumer whose assignment starts the clock, and its batches."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.consume.meter import Job, Meter

# Messages of one consume() call. pyruhvro on flat messages reads 1.15 M/s so; 0.96 by 10,000 and 0.58 by 100,000, which
# fall out of the cache between being fetched and being decoded.
CHUNK = 1000


@contextlib.contextmanager
def subscribed(job: Job, meter: Meter) -> Iterator[Consumer]:
    """A consumer of the job's topic."""
    consumer = Consumer(job.config())
    # A plain callback leaves the assigning to the client.
    consumer.subscribe([job.topic], on_assign=lambda *_: meter.assigned())
    try:
        yield consumer
    finally:
        consumer.close()


def frames(consumer: Consumer, job: Job) -> Iterator[Iterator[list[Message]]]:
    """For each frame, the lists of messages that make it up."""
    chunk = int(job.options.get("chunk", CHUNK))
    for start in range(0, job.rows, job.frame_rows):
        yield _lists(consumer, min(job.frame_rows, job.rows - start), chunk)


def _lists(consumer: Consumer, rows: int, chunk: int) -> Iterator[list[Message]]:
    while rows > 0:
        messages = consumer.consume(min(chunk, rows), timeout=30)
        if not messages:
            raise RuntimeError("no message came within 30 s")
        for message in messages:
            if message.error():
                raise RuntimeError(str(message.error()))
        rows -= len(messages)
        yield messages
