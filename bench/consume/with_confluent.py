"""The contestant: confluent-kafka with its own deserializer of the format, pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import confluent_kafka
import pandas as pd
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from bench.consume.consumer import frames, subscribed
from bench.consume.meter import Job, Meter
from bench.consume.workloads import WORKLOADS
from bench.peers import messages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    # What makes an object of a message's value, and a frame of such objects.
    Deserializer = tuple[Callable[..., Any], Callable[[list[Any]], pd.DataFrame]]


def main() -> None:
    job = Job.from_command_line()
    deserialize, frame = FORMATS[job.format](job, SchemaRegistryClient({"url": job.registry_url, "timeout": 10}))
    context = SerializationContext(job.topic, MessageField.VALUE)
    pd.DataFrame([{"n": 1, "text": "x"}])
    meter = Meter(job)
    with subscribed(job, meter) as consumer:
        for lists in frames(consumer, job):
            rows = [deserialize(message.value(), context) for messages in lists for message in messages]
            meter.frame(frame(rows))
        meter.report(f"confluent-kafka {confluent_kafka.__version__}")


def _avro(_: Job, registry: SchemaRegistryClient) -> Deserializer:
    return AvroDeserializer(registry), pd.DataFrame


def _json(job: Job, registry: SchemaRegistryClient) -> Deserializer:
    text = messages.json_schema_text(WORKLOADS[job.workload])
    return JSONDeserializer(text, schema_registry_client=registry), pd.DataFrame


def _protobuf(job: Job, _: SchemaRegistryClient) -> Deserializer:
    """Without the registry, which the class makes unnecessary.

    Submessages and repeated fields stay Python's views of the message, which is the least work there is.
    """
    of = messages.message_class(WORKLOADS[job.workload])
    fields = of.DESCRIPTOR.fields
    always = [field.name for field in fields if not field.has_presence]
    optional = [field.name for field in fields if field.has_presence]

    def frame(rows: Iterable[Any]) -> pd.DataFrame:
        return pd.DataFrame(
            [
                {name: getattr(row, name) for name in always}
                | {name: getattr(row, name) if row.HasField(name) else None for name in optional}
                for row in rows
            ]
        )

    return ProtobufDeserializer(of, {"use.deprecated.format": False}), frame


FORMATS: dict[str, Callable[[Job, SchemaRegistryClient], Deserializer]] = {
    "avro": _avro,
    "protobuf": _protobuf,
    "jsonschema": _json,
}


if __name__ == "__main__":
    main()
