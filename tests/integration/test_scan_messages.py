"""A scan and a listener make the same tables of the same topic, whatever its messages are: they share one decoder."""

import random
import time

import pyarrow as pa
import pytest

import pykafarr
from tests.integration.raw import raw_messages
from tests.integration.writing import A, B, numbers

WHOLE = ("offset", "partition", "topic", "timestamp", "timestamp_type", "key", "headers", "schema_id", "tombstone")


def scanned(cluster, topic, **options):
    """All batches of a scan, by message type, and the report."""
    with pykafarr.scan(cluster.servers, topic, cluster.registry_url, **options).read() as stream:
        tables = stream.to_arrow()
        assert {one.ended for one in stream.report} == {"complete"}
        return tables, stream.report


def listened(listen, topic, rows, **options):
    """The same rows of a listener."""
    batches = {}
    with listen(topic, **options) as listener:
        while rows > 0:
            batch = listener.poll_batch(1000, 5000)
            assert batch is not None
            rows -= len(batch) + (batch.rejected.num_rows if batch.rejected else 0)
            if len(batch):
                batches.setdefault(batch.message_type, []).append(batch.to_arrow())
    return {kind: pa.Table.from_batches(of) for kind, of in batches.items()}


def same(left, right):
    assert left.keys() == right.keys()
    for kind, table in left.items():
        assert table.schema.equals(right[kind].schema, check_metadata=True)
        ordered = [
            side.combine_chunks().sort_by([("_partition", "ascending"), ("_offset", "ascending")])
            for side in (table, right[kind])
        ]
        assert ordered[0].to_pylist() == ordered[1].to_pylist()


@pytest.fixture
def whole(cluster, writer):
    """Two types, tombstones, keys, headers and times of two partitions."""
    topic, choose = cluster.new_topic(2), random.Random(3)
    for number in range(200):
        of = A if choose.random() < 0.5 else B
        record = {"n": number} if of is A else {"text": str(number)}
        writer.producer.produce(
            topic,
            None if choose.random() < 0.1 else writer.serialize(topic, of, record),
            key=choose.choice([None, b"", "ü".encode(), b"\xff\x00"]),
            headers=choose.choice([None, [("a", b"1"), ("a", None), ("b", b"")]]),
            partition=choose.randrange(2),
            timestamp=1_700_000_000_000 + number,
        )
    writer.flush()
    return topic


@pytest.mark.parametrize(
    "options",
    [
        {"mixed": "split"},
        {"mixed": "group"},
        {"tombstones": "keep"},
        {"tombstones": "keep", "mixed": "group", "reader_schema": A},
        {"value": "bytes"},
        {"value": "auto", "key": "bytes"},
    ],
    ids=lambda options: " ".join(map(str, options.values()))[:30],
)
def test_a_scan_and_a_listener_make_the_same_tables(options, whole, cluster, listen):
    tables, report = scanned(cluster, whole, metadata=WHOLE, **options)
    assert sum(table.num_rows for table in tables.values()) == sum(one.rows for one in report) == 200
    same(tables, listened(listen, whole, 200, metadata=WHOLE, **options))


def test_tombstones_that_are_left_out_are_counted(whole, cluster):
    tables, report = scanned(cluster, whole, tombstones="skip")
    empty = sum(
        message.value() is None for partition in range(2) for message in raw_messages(cluster, whole, partition)
    )
    assert sum(one.tombstones for one in report) == empty > 0
    assert sum(table.num_rows for table in tables.values()) == 200 - empty


def test_bad_messages_are_what_they_are_to_a_listener(cluster, writer, topic, listen):
    writer.write(topic, A, numbers(0, 3))
    writer.write_values(topic, [b"", b"\0\0\0\0", writer.serialize(topic, A, {"n": 2**40})[:-2]])
    writer.write(topic, A, numbers(3, 2))
    tables, (report,) = scanned(cluster, topic, errors="skip", metadata=("offset", "partition"))
    assert (report.rows, report.skipped) == (5, 3)
    same(tables, listened(listen, topic, 8, errors="collect", metadata=("offset", "partition")))
    with pykafarr.read(cluster.servers, topic, cluster.registry_url, errors="collect") as stream:
        rejected = [row for batch in stream if batch.rejected for row in batch.rejected.to_pylist()]
        assert [row["offset"] for row in rejected] == [3, 4, 5]
        assert stream.report[0].rejected == 3
    with pytest.raises(pykafarr.FramingError) as caught:
        pykafarr.read(cluster.servers, topic, cluster.registry_url).to_arrow()
    assert (caught.value.topic, caught.value.offset) == (topic, 3)


def test_an_evolved_topic_is_one_table_read_as_its_latest_version(cluster, writer, topic):
    newer = {**A, "fields": [*A["fields"], {"name": "more", "type": "string", "default": "-"}]}
    writer.write(topic, A, numbers(0, 3))
    writer.write(topic, newer, [{"n": 3, "more": "x"}])
    writer.write(topic, A, numbers(4, 2))
    plan = pykafarr.scan(cluster.servers, topic, cluster.registry_url, reader_schema="latest")
    table = plan.read().to_arrow("com.example.A")
    assert table.schema == plan.schema
    assert table.to_pydict() == {"n": [*range(6)], "more": [*"---x--"], "_offset": [*range(6)]}
    for task in plan.tasks(max_rows=2):
        assert task.read().to_arrow("com.example.A").schema == task.schema == plan.schema

    written = pykafarr.scan(cluster.servers, topic, cluster.registry_url)
    batches = list(written.read())
    assert [batch.schema.names for batch in batches] == [["n", "_offset"], ["n", "more", "_offset"], ["n", "_offset"]]
    with pytest.raises(pykafarr.SchemaError, match=f"{topic}.0.@3: com.example.A has other columns than before"):
        written.read().to_arrow()


def test_an_unknown_schema_ends_the_stream(cluster, writer, topic):
    writer.write(topic, A, numbers(0, 2))
    writer.write_values(topic, [b"\0\x7f\xff\xff\xff\x02"])
    stream = pykafarr.read(cluster.servers, topic, cluster.registry_url, timeout=3000)
    assert len(next(stream)) == 2
    with pytest.raises(pykafarr.SchemaNotFoundError) as caught:
        next(stream)
    assert (caught.value.offset, caught.value.schema_id) == (2, 0x7FFFFFFF)


def test_a_registry_that_is_not_there_ends_the_stream_after_the_time_out(cluster, writer, topic):
    writer.write(topic, A, numbers(0, 2))
    begun = time.monotonic()
    with pytest.raises(pykafarr.RegistryError, match=f"{topic}.0.@0: "):
        pykafarr.read(cluster.servers, topic, "http://127.0.0.1:1/", timeout=1500).to_arrow()
    assert 1 < time.monotonic() - begun < 20


@pytest.fixture
def compacted(cluster, writer):
    """A topic with holes where the cleaner has been."""
    topic = cluster.new_topic(
        cleanup_policy="compact", segment_ms=50, min_cleanable_dirty_ratio=0.001, max_compaction_lag_ms=50
    )
    for turn in range(4):
        for number in range(20):
            writer.write(topic, A, [{"n": 20 * turn + number}], key=f"key {number % 6}")
        time.sleep(0.1)
    deadline = time.monotonic() + 20
    while len(raw_messages(cluster, topic)) > 40:
        assert time.monotonic() < deadline, "the broker has not compacted"
        time.sleep(0.1)
    return topic


def test_a_compacted_topic_gives_what_the_cleaner_has_left(compacted, cluster):
    plan = pykafarr.scan(cluster.servers, compacted, cluster.registry_url, allow_partial=True)
    before = {message.offset() for message in raw_messages(cluster, compacted)}
    with plan.read() as stream:
        found = set(stream.to_arrow("com.example.A")["_offset"].to_pylist())
        (report,) = stream.report
    # The cleaner may have run in between.
    assert before >= found >= {message.offset() for message in raw_messages(cluster, compacted)}
    assert (report.rows, report.next, report.gone, report.ended) == (len(found), 80, 0, "complete")
    of_tasks = [
        offset
        for task in plan.tasks(max_rows=7)
        for offset in task.read().to_arrow("com.example.A")["_offset"].to_pylist()
    ]
    assert of_tasks == sorted(set(of_tasks))
    assert set(of_tasks) <= found
