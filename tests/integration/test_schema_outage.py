"""The registry cannot answer for one id: its partition waits, others flow, and nothing is lost or repeated."""

import contextlib
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

import pykafarr
from tests.integration.writing import A, B, numbers
from tests.servers.faulty_registry import Answer, FaultyRegistry

MANY = 30_000


@pytest.fixture
def registry(cluster):
    with contextlib.closing(FaultyRegistry(cluster.registry_url)) as made:
        yield made


@pytest.fixture
def outage_of_b(registry, writer, topic):
    """The registry answers 503 for B's id, which this gives, until `registry.fault` is taken away."""
    bad = int.from_bytes(writer.serialize(topic, B, {"text": ""})[1:5], "big")
    registry.fault = lambda path: Answer(503) if f"ids/{bad}" in path else None
    return bad


def over(registry):
    registry.fault = lambda _path: None


class Reader:
    """Polls, and counts the rows of each topic and partition by their offsets."""

    def __init__(self, *listeners):
        self.listeners = listeners
        self.rows = Counter()
        self.outages = []

    def poll(self):
        for listener in self.listeners:
            try:
                batch = listener.poll_batch(10_000, 200)
            except pykafarr.RegistryError as error:
                self.outages.append(error)
                continue
            if batch and batch.num_rows:
                places = batch.to_arrow().select(["_topic", "_partition", "_offset"]).to_pydict()
                self.rows.update(zip(*places.values(), strict=True))

    def until(self, found, seconds=60):
        deadline = time.monotonic() + seconds
        while not found():
            assert time.monotonic() < deadline, f"{len(self.rows)} rows, {self.outages[-1:]}"
            self.poll()


def places(topic, partition, count):
    return {(topic, partition, offset) for offset in range(count)}


@pytest.mark.parametrize("options", [{"errors": "raise"}, {"errors": "skip"}, {"errors": "collect", "mixed": "group"}])
def test_one_id_in_an_outage_holds_up_its_partition_only(
    options, registry, outage_of_b, cluster, writer, topic, listen, committed
):
    other = cluster.new_topic()
    for schema, records in ((A, numbers(0, 3)), (B, [{"text": "b"}] * 3), (A, numbers(3, 3))):
        writer.write(topic, schema, records)
    writer.write(other, A, numbers(0, MANY))
    listener = listen(
        [topic, other],
        registry_url=registry.url,
        registry_config={"max.retries": 0},
        metadata=("offset", "partition", "topic"),
        **options,
    )
    reader = Reader(listener)

    reader.until(lambda: len(reader.rows) == 3 + MANY)
    reader.until(lambda: reader.outages)
    writer.write(other, A, numbers(MANY, MANY))
    reader.until(lambda: len(reader.rows) == 3 + 2 * MANY)

    told = reader.outages[-1]
    assert (told.topic, told.partition, told.offset, told.schema_id) == (topic, 0, 3, outage_of_b)
    assert "503" in str(told)
    listener.commit()
    assert committed(topic) == 3
    assert committed(other) == 2 * MANY
    assert listener.position() == {(topic, 0): 3, (other, 0): 2 * MANY}

    over(registry)
    reader.until(lambda: len(reader.rows) == 9 + 2 * MANY)
    reader.poll()

    assert set(reader.rows) == places(topic, 0, 9) | places(other, 0, 2 * MANY)
    assert set(reader.rows.values()) == {1}
    listener.commit()
    assert committed(topic) == 9
    assert listener.stats()["skipped"] == listener.stats()["rejected"] == 0


@pytest.mark.parametrize(
    "protocol",
    [
        {"partition.assignment.strategy": "range"},
        {"partition.assignment.strategy": "cooperative-sticky"},
        {"group.protocol": "consumer"},
    ],
    ids=["eager", "cooperative", "KIP-848"],
)
def test_a_partition_set_aside_moves_to_another_member_and_back(
    protocol, registry, outage_of_b, cluster, writer, listen
):
    topic = cluster.new_topic(partitions=2)
    for partition in (0, 1):
        writer.write(topic, A, numbers(0, 3), partition)
        writer.write(topic, B, [{"text": "b"}] * 3, partition)

    def member():
        return listen(
            topic,
            registry_url=registry.url,
            registry_config={"max.retries": 0},
            metadata=("offset", "partition", "topic"),
            config=protocol,
        )

    first = member()
    alone = Reader(first)
    alone.until(lambda: len(alone.rows) == 6 and alone.outages)
    first.commit()

    second = member()
    joined = Reader(second)
    with ThreadPoolExecutor(1) as pool:  # its first poll waits for the first member to give up a partition
        joining = pool.submit(joined.poll)
        alone.until(joining.done)
    both = Reader(first, second)
    both.until(lambda: len(first.assignment()) == len(second.assignment()) == 1 and len(both.outages) >= 4)
    assert not joined.rows
    assert not both.rows
    second.close()
    alone.until(lambda: len(first.assignment()) == 2)
    over(registry)
    alone.until(lambda: len(alone.rows) == 12)
    alone.poll()

    assert set(alone.rows) == places(topic, 0, 6) | places(topic, 1, 6)
    assert set(alone.rows.values()) == {1}
