"""A ledger of scans: which rows a scan gave, beside what confluent-kafka's consumer finds in the same log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.integration.raw import raw_messages

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pykafarr
    from tests.servers import Cluster

Place = tuple[int, int]  # partition and offset
METADATA = ("partition", "offset", "key", "timestamp", "headers")


def rows_of(batches: Iterable[pykafarr.Batch], field: str = "n") -> dict[Place, Any]:
    """The rows of batches, none of which comes twice, and each partition's in the order of its offsets."""
    found: dict[Place, Any] = {}
    last: dict[int, int] = {}
    for batch in batches:
        columns = batch.to_arrow().to_pydict()
        if not batch.num_rows:
            continue
        for partition, offset, value in zip(columns["_partition"], columns["_offset"], columns[field], strict=True):
            assert offset > last.get(partition, -1), f"{offset} comes after {last[partition]}"
            last[partition] = offset
            found[partition, offset] = value
    return found


def in_the_log(cluster: Cluster, topic: str, partitions: int = 1, **config: object) -> set[Place]:
    """The places of all rows that confluent-kafka's consumer gives."""
    return {
        (message.partition(), message.offset())
        for partition in range(partitions)
        for message in raw_messages(cluster, topic, partition, **config)
    }
