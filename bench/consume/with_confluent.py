"""The contestant: confluent-kafka with its own AvroDeserializer, pandas."""

from __future__ import annotations

import confluent_kafka
import pandas as pd
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from bench.consume.consumer import frames, subscribed
from bench.consume.meter import Job, Meter


def main() -> None:
    job = Job.from_command_line()
    deserialize = AvroDeserializer(SchemaRegistryClient({"url": job.registry_url, "timeout": 10}))
    context = SerializationContext(job.topic, MessageField.VALUE)
    pd.DataFrame([{"n": 1, "text": "x"}])
    meter = Meter(job)
    with subscribed(job, meter) as consumer:
        for lists in frames(consumer, job):
            rows = [deserialize(message.value(), context) for messages in lists for message in messages]
            meter.frame(pd.DataFrame(rows))
        meter.report(f"confluent-kafka {confluent_kafka.__version__}")


if __name__ == "__main__":
    main()
