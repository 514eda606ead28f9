"""Copies a topic exactly once: `python -m tests.chaos.copier SERVERS REGISTRY SOURCE TARGET GROUP NAME CONFIG`.

Prints a line for each transaction that was committed. Copies until it is killed.
"""

from __future__ import annotations

import json
import sys

import pyarrow as pa

import pykafarr
from tests.integration.writing import A


def main() -> None:
    servers, registry, source, target, group, name, more = sys.argv[1:]
    config = {"auto.offset.reset": "earliest", "enable.auto.commit": False, **json.loads(more)}
    with (
        pykafarr.producer(servers, registry, transactional_id=name) as out,
        pykafarr.listener(
            *(servers, group, source, registry), acknowledge="commit", metadata=("partition",), config=config
        ) as listener,
    ):
        good = True
        while True:
            good = turn(listener, out, target, good)


def turn(listener: pykafarr.Listener, out: pykafarr.Producer, target: str, good: bool) -> bool:
    """Copies a batch, if one comes. Where the last turn was not good, its rows come again, or are another member's."""
    try:
        if not good:
            listener.seek(dict.fromkeys(listener.assignment(), "committed"))
        batch = listener.poll_batch(200, 50)
        if batch is not None:
            copy(out, batch, target)
    except (pykafarr.GroupError, pykafarr.BrokerError) as error:
        print(error, file=sys.stderr, flush=True)
        return False
    return True


def copy(out: pykafarr.Producer, batch: pykafarr.Batch, target: str) -> None:
    rows = batch.to_arrow()
    copies = pa.table({"n": rows["n"], "_partition": rows["_partition"]})
    with out.transaction() as t:
        t.send(batch.message_type, copies, target, schema=A, register=True)
        t.commit_offsets(batch)
    print(batch.num_rows, flush=True)


if __name__ == "__main__":
    main()
