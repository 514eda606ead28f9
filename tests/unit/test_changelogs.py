"""Changelogs on defaults: tombstones make few batches, and whoever applies the batches in turn gets the table."""

import random

import pytest

import pykafarr
from pykafarr.testing import MockKafka

ROW = {"type": "record", "name": "shop.Row", "fields": [{"name": "x", "type": "int"}]}
PAIRS = 5000
METADATA = ("offset", "key")


@pytest.fixture(scope="module")
def kafka():
    with MockKafka() as made:
        yield made


def write(kafka, topic, changes):
    """Writes (key, x), where x is None for a tombstone, and returns the messages' bodies."""
    kafka.produce("schemas", ROW, [{"x": 0}])
    with pykafarr.read(kafka.servers, "schemas", kafka.registry_url, metadata="schema_id") as stream:
        framing = b"\0" + stream.to_arrow("shop.Row").column("_schema_id")[0].as_py().to_bytes(4, "big")
    kafka.produce_raw(
        topic, [None if x is None else framing + bytes([2 * x]) for _, x in changes], keys=[key for key, _ in changes]
    )


def pairs():
    return [change for n in range(PAIRS) for change in ((f"{n}".encode(), 1), (f"{n}".encode(), None))]


def listened(kafka, topic, num_messages, total):
    with pykafarr.listener(
        kafka.servers, "g", None, kafka.registry_url, assign=[(topic, 0)], start="earliest", metadata=METADATA
    ) as p:
        rows = 0
        while rows < total:
            if batch := p.poll_batch(min(num_messages, total - rows), 20_000):
                rows += batch.num_rows
                yield batch


def scanned(kafka, topic, num_messages, total):
    options = {"metadata": METADATA, "num_messages": num_messages}
    with pykafarr.read(kafka.servers, topic, kafka.registry_url, **options) as stream:
        yield from stream


def in_tasks(kafka, topic, num_messages, total):
    plan = pykafarr.scan(kafka.servers, topic, kafka.registry_url, metadata=METADATA, num_messages=num_messages)
    for task in plan.tasks(max_rows=total // 5):
        with task.read() as stream:
            yield from stream


@pytest.mark.parametrize("read", [listened, scanned])
def test_pairs_of_a_deletion_and_its_tombstone_are_two_batches(kafka, read):
    topic = f"pairs-{read.__name__}"
    write(kafka, topic, pairs())
    batches = [(batch.message_type, batch.num_rows) for batch in read(kafka, topic, 2 * PAIRS, 2 * PAIRS)]
    assert batches == [("shop.Row", PAIRS), ("null", PAIRS)]


def test_whole_tables_need_few_batches_too(kafka):
    write(kafka, "table", pairs())
    frames = pykafarr.read(kafka.servers, "table", kafka.registry_url).to_pandas()
    assert {kind: len(frame) for kind, frame in frames.items()} == {"shop.Row": PAIRS, "null": PAIRS}


@pytest.mark.parametrize("read", [listened, scanned, in_tasks])
@pytest.mark.parametrize("keys", [1, 5, 300])
def test_who_applies_the_batches_in_turn_gets_the_table(kafka, read, keys):
    topic, chosen = f"changes-{read.__name__}-{keys}", random.Random(keys)
    changes = [(f"{chosen.randrange(keys)}".encode(), None if chosen.random() < 0.4 else n % 60) for n in range(1000)]
    write(kafka, topic, changes)
    table, count = {}, 0
    for batch in read(kafka, topic, 170, len(changes)):
        values = batch.to_arrow().to_pydict()
        count += batch.num_rows
        assert batch.num_rows <= 170
        for at, key in enumerate(values["_key"]):
            table[key] = values["x"][at] if batch.message_type == "shop.Row" else None
    assert count == len(changes)
    assert table == dict(changes)
