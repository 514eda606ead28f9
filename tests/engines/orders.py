"""A topic on the real cluster whose rows are fewer than its offsets, and of two versions of a schema."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

from confluent_kafka import Producer

import pykafarr

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa
    from typing_extensions import Self

    from tests.integration.writing import Writer
    from tests.servers import Cluster

V1: dict[str, Any] = {
    "type": "record",
    "name": "Order",
    "namespace": "com.example",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "name", "type": "string"},
        {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["new", "paid", "sent"]}},
        {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 2}},
        {"name": "paid", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "tags", "type": {"type": "array", "items": "string"}},
        {"name": "items", "type": {"type": "map", "values": "int"}},
    ],
}
V2: dict[str, Any] = {
    **V1,
    "fields": [*V1["fields"], {"name": "amount", "type": ["null", "long"], "default": None}],
}
MESSAGE_TYPE = "com.example.Order"
METADATA = ("partition", "offset")
# What each partition holds: 400 rows of v1; 300 of v1 and markers, amounts of aborted ones between; 500 of v2.
ROWS = 1_200


def write(cluster: Cluster, writer: Writer) -> str:
    """Writes the topic, and gives its name."""
    topic = cluster.new_topic(partitions=4)
    writer.write(topic, V1, _records(0, 400), partition=0)
    writer.write(topic, V2, _records(1, 500, v2=True), partition=2)
    producer = Producer({"bootstrap.servers": cluster.servers, "transactional.id": topic, "log_level": 2})
    producer.init_transactions(30)
    for begin in range(0, 300, 50):
        for commit in (True, False):
            producer.begin_transaction()
            for record in _records(2, 50, begin=begin):
                producer.produce(topic, writer.serialize(topic, V1, record), partition=1)
            assert producer.flush(30) == 0
            if commit:
                producer.commit_transaction(30)
            else:
                producer.abort_transaction(30)
    # The newest version is the one that was registered last.
    return topic


def _records(partition: int, count: int, *, begin: int = 0, v2: bool = False) -> list[dict[str, Any]]:
    from datetime import datetime, timezone
    from decimal import Decimal

    made = []
    for number in range(begin, begin + count):
        record: dict[str, Any] = {
            "id": partition * 1_000_000 + number,
            "name": f"order {number}",
            "state": ["new", "paid", "sent"][number % 3],
            "price": Decimal(number) / 100,
            "paid": datetime.fromtimestamp(1_700_000_000 + number, timezone.utc),
            "tags": [f"t{number % 7}", "x"],
            "items": {"a": number},
        }
        if v2:
            record["amount"] = None if number % 5 == 0 else 2**60 + number
        made.append(record)
    return made


def read(cluster: Cluster, topic: str) -> pa.Table:
    """All rows, as pykafarr itself reads them, sorted by partition and offset."""
    with pykafarr.read(
        cluster.servers, topic, cluster.registry_url, metadata=METADATA, reader_schema="latest"
    ) as stream:
        return in_order(stream.to_arrow(MESSAGE_TYPE))


def in_order(table: pa.Table) -> pa.Table:
    """The rows by partition and offset, in one chunk."""
    return table.sort_by([("_partition", "ascending"), ("_offset", "ascending")]).combine_chunks()


class Dying:
    """A task that kills the process which reads it, after the first batch, the first time."""

    def __init__(self, task: pykafarr.Task, mark: Path) -> None:
        self.task = task
        self.mark = mark

    @property
    def rows(self) -> int:
        return self.task.rows

    def with_options(self, **options: Any) -> Dying:
        return Dying(self.task.with_options(**options), self.mark)

    def read(self) -> _DyingStream:
        return _DyingStream(self.task.read(), self.mark)


class _DyingStream:
    def __init__(self, stream: pykafarr.Stream, mark: Path) -> None:
        self.stream = stream
        self.mark = mark

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()

    def __iter__(self) -> Iterator[pykafarr.Batch]:
        for batch in self.stream:
            yield batch
            try:
                self.mark.touch(exist_ok=False)
            except FileExistsError:
                continue
            os.kill(os.getpid(), signal.SIGKILL)
