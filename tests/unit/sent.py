"""What tests of sending read back from a mock cluster."""

from typing import Any

import pyarrow as pa

import pykafarr
from pykafarr.testing import MockKafka


def rows(kafka: MockKafka, topic: str, **options: Any) -> pa.Table:
    """The rows of a topic of one message type, without metadata; a table without columns where there are none."""
    options = {"metadata": (), **options}
    with pykafarr.scan(kafka.servers, topic, kafka.registry_url, **options).read() as stream:
        found = stream.to_arrow()
    return next(iter(found.values()), pa.table({}))


def bodies(kafka: MockKafka, topic: str) -> list[bytes]:
    """The values of a topic as they were sent."""
    return rows(kafka, topic, value="bytes")["value"].to_pylist()
