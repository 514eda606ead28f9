"""A plan whose log is a table in memory: the words of pykafarr.Plan, Task and Stream, for tests of what engines do.

Batches end where they like, another way in each run, as they do when a broker answers. What a task was asked for and
read is written to a folder, because it happens in processes of the engine's.
"""

from __future__ import annotations

import json
import os
import random
import signal
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

import pykafarr
from pykafarr._batches.batch import Batch, Range

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typing_extensions import Self

MESSAGE_TYPE = "com.example.Order"
SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("amount", pa.int64()),
        pa.field("state", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("paid", pa.timestamp("ms", "UTC"), nullable=False),
        pa.field("tags", pa.list_(pa.string()), nullable=False),
        pa.field("_partition", pa.int32(), nullable=False),
        pa.field("_offset", pa.int64(), nullable=False),
    ]
)
METADATA = {"partition": "_partition", "offset": "_offset"}


def rows_of(partition: int, offsets: range) -> pa.RecordBatch:
    """The rows of a partition at these offsets."""
    states = pa.array(["new", "paid", "sent"])
    return pa.RecordBatch.from_arrays(
        [
            pa.array([partition * 1_000_000 + offset for offset in offsets], pa.int64()),
            pa.array([f"order {offset}" for offset in offsets]),
            # A long past 2^53, which no float holds, and nulls.
            pa.array([None if offset % 5 == 0 else 2**60 + offset for offset in offsets], pa.int64()),
            pa.DictionaryArray.from_arrays(pa.array([offset % 3 for offset in offsets], pa.int32()), states),
            pa.array([1_700_000_000_000 + offset for offset in offsets], pa.timestamp("ms", "UTC")),
            pa.array([[f"t{offset % 7}"] for offset in offsets], pa.list_(pa.string())),
            pa.array([partition] * len(offsets), pa.int32()),
            pa.array(list(offsets), pa.int64()),
        ],
        schema=SCHEMA,
    )


@dataclass(frozen=True)
class Diary:
    """A folder in which processes write down what they do."""

    folder: Path

    def write(self, **entry: Any) -> None:
        with (self.folder / "diary").open("a") as file:
            file.write(json.dumps({"pid": os.getpid(), **entry}) + "\n")  # one write below the size of a page

    def read(self) -> list[dict[str, Any]]:
        path = self.folder / "diary"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def first(self, name: str) -> bool:
        """Whether nobody has asked this before."""
        try:
            (self.folder / name).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


@dataclass(frozen=True)
class Task:
    partition: int
    start: int
    end: int
    diary: Diary
    columns: tuple[str, ...] | None = None
    metadata: tuple[str, ...] | None = None
    # Offset at which the process that reads is killed, once.
    killed_at: int | None = None
    # Offset at which reading raises, once.
    fails_at: int | None = None
    message_type: str = MESSAGE_TYPE
    topic: str = "orders"

    @property
    def rows(self) -> int:
        return self.end - self.start

    def with_options(self, **options: Any) -> Task:
        assert set(options) <= {"columns", "metadata"}
        return replace(self, **{name: tuple(value) for name, value in options.items()})

    def read(self) -> Stream:
        self.diary.write(start=self.start, partition=self.partition, columns=self.columns, metadata=self.metadata)
        return Stream([self])


class Stream:
    def __init__(self, tasks: list[Task]) -> None:
        self._tasks = tasks

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __iter__(self) -> Iterator[Batch]:
        for task in self._tasks:
            yield from _batches(task)


def _batches(task: Task) -> Iterator[Batch]:
    at = task.start
    while at < task.end:
        upto = min(task.end, at + random.randrange(1, 20_000))
        # Each third row is none of the reader's: a range has more offsets than rows.
        record = rows_of(task.partition, range(at, upto)[-at % 3 :: 3])
        names = [name for name in SCHEMA.names if _wanted(name, task)]
        if task.killed_at is not None and upto > task.killed_at and task.diary.first("killed"):
            os.kill(os.getpid(), signal.SIGKILL)
        if task.fails_at is not None and upto > task.fails_at and task.diary.first("failed"):
            raise pykafarr.BrokerError("the broker did not answer within 30 s")
        place = Range(task.topic, task.partition, at, upto, record.num_rows)
        yield Batch(record.select(names), task.message_type, [place])
        at = upto


def _wanted(name: str, task: Task) -> bool:
    if name.startswith("_"):
        return task.metadata is None or name.removeprefix("_") in task.metadata
    return task.columns is None or name in task.columns


@dataclass(frozen=True)
class Plan:
    diary: Diary
    sizes: tuple[int, ...] = (90_000, 60_000)
    killed_at: int | None = None
    fails_at: int | None = None
    # What is found in the topics besides.
    other_types: tuple[str, ...] = ()
    found_type: str = MESSAGE_TYPE
    options: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)

    @property
    def schema(self) -> pa.Schema:
        if self.other_types:
            raise pykafarr.ConfigError(f"message types: {', '.join([MESSAGE_TYPE, *self.other_types])}")
        return SCHEMA

    @property
    def schemas(self) -> dict[str, pa.Schema]:
        return dict.fromkeys([MESSAGE_TYPE, *self.other_types], SCHEMA)

    @property
    def rows(self) -> int:
        return sum(self.sizes)

    @property
    def partitions(self) -> pd.DataFrame:
        return pd.DataFrame({"partition": range(len(self.sizes)), "start": 0, "end": self.sizes, "rows": self.sizes})

    def with_options(self, **options: Any) -> Plan:
        return replace(self, options={**self.options, **options})

    def tasks(self, max_rows: int | None = None, max_bytes: int | None = None) -> list[Task]:
        assert max_bytes is None
        found = []
        for partition, size in enumerate(self.sizes):
            step = max_rows or size or 1
            for start in range(0, size, step):
                task = Task(partition, start, min(start + step, size), self.diary)
                if partition == 0:
                    task = replace(task, killed_at=self.killed_at, fails_at=self.fails_at)
                found.append(replace(task, message_type=self.found_type).with_options(**self.options))
        return found

    def read(self) -> Stream:
        for task in self.tasks():
            task.diary.write(columns=task.columns, metadata=task.metadata)
        return Stream(self.tasks())

    def expected(self) -> pa.Table:
        """All rows, sorted by partition and offset."""
        return pa.Table.from_batches(
            [rows_of(partition, range(0, size, 3)) for partition, size in enumerate(self.sizes)], SCHEMA
        ).combine_chunks()
