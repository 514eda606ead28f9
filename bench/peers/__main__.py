"""python -m bench.peers: `pykafarr.decode` to Arrow, in turns with other libraries. bench/README.md has the method."""

from __future__ import annotations

import argparse
import io
import statistics
import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import arro3.io
import polars as pl
import ptars
import pyarrow as pa
import pyarrow.json

import pykafarr
from bench.consume.workloads import WORKLOADS, Workload
from bench.peers import messages

if TYPE_CHECKING:
    from collections.abc import Callable

    # A name, and what makes Arrow columns of bodies.
    Contestant = tuple[str, Callable[[list[bytes]], pa.Table]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description="Decoding in memory, compared.")
    parser.add_argument("--rounds", type=int, default=15, help="how often each has its turn (%(default)s)")
    parser.add_argument("--rows", type=int, default=10_000, help="rows of a batch (%(default)s)")
    arguments = parser.parse_args()
    print("| | ns a message | times pykafarr's |\n|---|---|---|")
    for workload in WORKLOADS.values():
        records = workload.records(arguments.rows)
        of = messages.message_class(workload)
        bodies = messages.protobuf_bodies(of, records)
        _contest(f"Protobuf, {workload.name}", _protobuf(of), bodies, records, arguments.rounds)
        _contest(f"JSON, {workload.name}", _json(workload), messages.json_bodies(records), records, arguments.rounds)


def _protobuf(of: Any) -> list[Contestant]:
    ours = pykafarr.Decoder(of, value="protobuf")
    handler = ptars.HandlerPool([of.DESCRIPTOR.file]).get_for_message(of.DESCRIPTOR)
    return [
        ("pykafarr", lambda bodies: pa.table(ours.decode(bodies))),
        (f"ptars {version('ptars')}", lambda bodies: pa.Table.from_batches([handler.list_to_record_batch(bodies)])),
    ]


def _json(workload: Workload) -> list[Contestant]:
    schema = messages.json_schema(workload)
    ours = pykafarr.Decoder(schema, value="json")
    frame = pl.DataFrame(pl.from_arrow(schema.empty_table())).schema
    options = pyarrow.json.ParseOptions(explicit_schema=schema)
    one = pyarrow.json.ReadOptions(use_threads=False, block_size=1 << 26)

    def arrow_rs(bodies: list[bytes]) -> pa.Table:
        return pa.table(arro3.io.read_json(io.BytesIO(b"\n".join(bodies)), schema, batch_size=len(bodies)))

    def of_polars(bodies: list[bytes]) -> pa.Table:
        return pl.read_ndjson(b"\n".join(bodies), schema=frame).to_arrow()

    def of_pyarrow(bodies: list[bytes]) -> pa.Table:
        return pyarrow.json.read_json(io.BytesIO(b"\n".join(bodies)), one, options)

    return [
        ("pykafarr", lambda bodies: pa.table(ours.decode(bodies))),
        (f"arrow-rs (arro3-io {version('arro3-io')})", arrow_rs),
        (f"polars {version('polars')}", of_polars),
        (f"pyarrow {version('pyarrow')}", of_pyarrow),
    ]


def _contest(
    title: str, contestants: list[Contestant], bodies: list[bytes], records: list[dict[str, Any]], rounds: int
) -> None:
    """All in turns, in an order that changes; the ratios are of the same round, and of the processor's time."""
    ids = [record["id"] for record in records]
    for name, decode in contestants:
        if decode(bodies).column("id").to_pylist() != ids:
            raise AssertionError(f"{title}: {name} reads other values")
    took: dict[str, list[float]] = {name: [] for name, _ in contestants}
    for number in range(rounds):
        for name, decode in contestants[number % len(contestants) :] + contestants[: number % len(contestants)]:
            began = time.process_time()
            decode(bodies)
            took[name].append((time.process_time() - began) / len(bodies) * 1e9)
    size = sum(map(len, bodies)) / len(bodies)
    for name, times in took.items():
        ratio = statistics.median(theirs / ours for theirs, ours in zip(times, took["pykafarr"], strict=True))
        label = f"{title} ({size:.0f} bytes), {name}"
        print(f"| {label} | {statistics.median(times):,.0f} | {ratio:.1f} |", flush=True)


if __name__ == "__main__":
    main()
