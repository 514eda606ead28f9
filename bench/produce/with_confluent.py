"""The contestant: confluent-kafka's AvroSerializer and produce, a message at a time."""

from __future__ import annotations

from importlib.metadata import version

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from bench.produce.messages import flushed, producer_of, put
from bench.produce.meter import Job, Meter


def main() -> None:
    job = Job.from_command_line()
    table = job.table()
    serializer = AvroSerializer(SchemaRegistryClient({"url": job.registry_url}), job.schema)
    context = SerializationContext(job.topic, MessageField.VALUE)
    producer = producer_of(job)
    (first,) = table.slice(0, 1).to_pylist()
    put(producer, job.topic, serializer(first, context), 0)
    flushed(producer)
    meter = Meter(job)
    row = 0
    for batch in table.to_batches(10_000):
        for record in batch.to_pylist():
            put(producer, job.topic, serializer(record, context), job.partition(row))
            row += 1
    flushed(producer)
    meter.report(f"confluent-kafka {version('confluent-kafka')}")


if __name__ == "__main__":
    main()
