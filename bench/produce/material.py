"""A workload's rows as files: as Arrow, and as messages that are encoded already."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

import pykafarr

if TYPE_CHECKING:
    from pathlib import Path

    from bench.consume.workloads import Workload

# So many different rows, over and over, as the topics that are read have them.
POOL = 50_000


@dataclass(frozen=True)
class Material:
    """The files, and what the rows of a pool add up to."""

    frame: Path
    values: Path
    ids: list[int]
    bytes: float  # of a message, its framing included

    def checksum(self, rows: int) -> int:
        """The sum of `id`, wrapped to 64 bits."""
        cycles, rest = divmod(rows, len(self.ids))
        total = cycles * sum(self.ids) + sum(self.ids[:rest])
        return (total + 2**63) % 2**64 - 2**63


def write(workload: Workload, folder: Path) -> Material:
    """Writes both files. The Arrow types are those that a reader of the topic gets."""
    records = workload.records(POOL)
    bodies = workload.bodies(records)
    batch = pa.record_batch(pykafarr.decode(workload.schema, bodies))
    frame, values = folder / f"{workload.name}.arrow", folder / f"{workload.name}.values"
    with pa.OSFile(str(frame), "wb") as file, pa.ipc.new_file(file, batch.schema) as writer:
        writer.write(batch)
    framed = [b"\0\0\0\0\1" + body for body in bodies]
    lengths = [len(value) for value in framed]
    values.write_bytes(struct.pack(f"<{1 + len(lengths)}I", len(lengths), *lengths) + b"".join(framed))
    return Material(frame, values, [record["id"] for record in records], sum(lengths) / len(lengths))
