"""Places in partitions, as callers name them."""

from __future__ import annotations

from typing import NamedTuple


class TopicPartition(NamedTuple):
    """A partition of a topic; the same as the tuple (topic, partition)."""

    topic: str
    partition: int
