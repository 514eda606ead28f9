"""What the contestants that produce message by message have in common: confluent-kafka's producer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confluent_kafka import Producer

if TYPE_CHECKING:
    from bench.produce.meter import Job


def producer_of(job: Job) -> Producer:
    """With the properties of the job."""
    return Producer({"bootstrap.servers": job.servers, "delivery.report.only.error": True, **job.properties})


def put(producer: Producer, topic: str, value: bytes, partition: int) -> None:
    """Hands a message over, and waits while the queue is full."""
    while not _taken(producer, topic, value, partition):
        producer.poll(0.001)


def _taken(producer: Producer, topic: str, value: bytes, partition: int) -> bool:
    try:
        producer.produce(topic, value, partition=partition)
    except BufferError:
        return False
    return True


def put_all(producer: Producer, topic: str, values: list[bytes], partition: int) -> None:
    """Hands messages over at once, and those again for which the queue had no room."""
    messages: list[dict[str, Any]] = [{"value": value} for value in values]
    while producer.produce_batch(topic, messages, partition=partition) < len(messages):
        messages = [{"value": message["value"]} for message in messages if "_error" in message]
        producer.poll(0.001)


def flushed(producer: Producer) -> None:
    """Waits until all are acknowledged."""
    if left := producer.flush(60):
        raise RuntimeError(f"{left} messages were not delivered")
