"""A listener to be killed: `python -m tests.chaos.reader SERVERS REGISTRY TOPIC GROUP BOOK CONFIG`.

Writes a line into the book for each batch that it got, before it commits the batch, and another one when the commit is
done. Reads until it is killed.
"""

from __future__ import annotations

import json
import os
import sys

import pykafarr

from .ledger import METADATA


def main() -> None:
    servers, registry, topic, group, path, more = sys.argv[1:]
    config = {"auto.offset.reset": "earliest", **json.loads(more)}
    book = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(kind: str, batch: pykafarr.Batch) -> None:
        columns = batch.to_arrow().to_pydict()
        places = list(zip(*(columns[f"_{name}"] for name in METADATA), strict=True))
        # One write: what a kill cuts off is a line without its end.
        os.write(book, (json.dumps([kind, os.getpid(), places, columns["n"]]) + "\n").encode())

    with pykafarr.listener(
        servers, group, topic, registry, metadata=METADATA, acknowledge="commit", config=config
    ) as listener:
        for batch in listener.batches(500, 100):
            note("got", batch)
            listener.commit(batch)
            note("committed", batch)


if __name__ == "__main__":
    main()
