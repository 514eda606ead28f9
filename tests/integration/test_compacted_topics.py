"""Topics that hold the last value of each key: deletions are messages without a value, and the cleaner leaves gaps."""

import random
import time

import pytest

from tests.integration.raw import raw_messages
from tests.integration.writing import A, B

KEYS = 6


@pytest.fixture
def table(cluster, writer):
    """A compacted topic in which the cleaner has been, and what the producer's table ended as."""
    topic = cluster.new_topic(
        cleanup_policy="compact", segment_ms=50, min_cleanable_dirty_ratio=0.001, max_compaction_lag_ms=50
    )
    choose = random.Random(7)
    state, written = {}, 0
    for _ in range(4):
        for _ in range(20):
            key = f"key {choose.randrange(KEYS)}"
            if choose.random() < 0.3:
                state.pop(key, None)
                writer.write_values(topic, [None], key=key)
            else:
                state[key] = {"n": choose.randrange(1000)}
                writer.write(topic, A, [state[key]], key=key)
            written += 1
        time.sleep(0.1)
    state["key last"] = {"n": -1}  # the segment that is written to is never cleaned: all others may be
    writer.write(topic, A, [state["key last"]], key="key last")
    assert len(state) > 2
    deadline = time.monotonic() + 20
    while len(raw_messages(cluster, topic)) > written // 2:
        assert time.monotonic() < deadline, "the broker has not compacted"
        time.sleep(0.1)
    return topic, state


def rows(listener):
    """All rows there are, each once and those of a key and of a type in order, with their message types."""
    found = []
    for batch in listener.batches(7, 300, idle_timeout=500):
        found += [(batch.message_type, row) for row in batch.to_arrow().to_pylist()]
    assert len({row["_offset"] for _, row in found}) == len(found)
    for of in (lambda _, row: row.get("_key"), lambda message_type, _: message_type):
        offsets = {}
        for entry in found:
            offsets.setdefault(of(*entry), []).append(entry[1]["_offset"])
        assert all(of_one == sorted(of_one) for of_one in offsets.values())
    return found


@pytest.mark.parametrize("mixed", ["split", "group"])
def test_a_compacted_topic_is_followed_as_a_table(mixed, table, listen):
    topic, state = table
    listener = listen(topic, key="string", tombstones="keep", metadata=("offset", "tombstone"), mixed=mixed)

    followed = {}
    for message_type, row in rows(listener):
        assert message_type == "com.example.A"
        if row["_tombstone"]:
            assert row["n"] is None
            followed.pop(row["_key"], None)
        else:
            followed[row["_key"]] = {"n": row["n"]}

    assert followed == state


def test_tombstones_are_frames_of_their_own_unless_told_otherwise(table, listen):
    topic, state = table

    followed = {}
    for message_type, row in rows(listen(topic, key="string")):
        if message_type == "null":
            assert row.keys() == {"_offset", "_key"}
            followed.pop(row["_key"], None)
        else:
            assert message_type == "com.example.A"
            followed[row["_key"]] = {"n": row["n"]}

    assert followed == state


def test_skipped_tombstones_are_counted_and_committed(table, listen, committed):
    topic, state = table
    with listen(topic, key="string", tombstones="skip") as listener:
        found = rows(listener)
        skipped = listener.stats()["tombstones"]
    last = {row["_key"]: {"n": row["n"]} for _, row in found}

    assert {message_type for message_type, _ in found} == {"com.example.A"}
    assert state.items() <= last.items()
    assert skipped > 0
    assert committed(topic) == 81


def test_a_topic_that_ends_in_skipped_tombstones_is_committed_to_its_end(writer, topic, listen, committed):
    writer.write(topic, A, [{"n": 1}], key="k")
    writer.write_values(topic, [None] * 3, key="k")
    with listen(tombstones="skip") as listener:
        assert list(listener.poll(10, 500)[1]["n"]) == [1]
        assert listener.poll(10, 200)[0] is None

    assert committed() == 4


def test_a_topic_of_skipped_tombstones_alone_is_committed(writer, topic, listen, committed):
    writer.write_values(topic, [None] * 3, key="k")
    with listen(tombstones="skip") as listener:
        assert listener.poll(10, 500)[0] is None
        assert listener.stats()["tombstones"] == 3

    assert committed() == 3


@pytest.mark.parametrize("mixed", ["split", "group"])
def test_a_kept_tombstone_has_the_columns_of_the_type_before_it(mixed, writer, topic, listen):
    writer.write(topic, A, [{"n": 1}], key="a")
    writer.write_values(topic, [None], key="a")
    writer.write(topic, B, [{"text": "x"}], key="b")
    writer.write_values(topic, [None], key="b")
    listener = listen(tombstones="keep", key="string", mixed=mixed)

    polled = [listener.poll_batch(4, 1000 if first else 200) for first in (True, False)]

    assert [batch.message_type for batch in polled] == ["com.example.A", "com.example.B"]
    assert polled[0].to_arrow().to_pylist() == [
        {"n": 1, "_offset": 0, "_key": "a"},
        {"n": None, "_offset": 1, "_key": "a"},
    ]
    assert polled[1].to_arrow().to_pylist() == [
        {"text": "x", "_offset": 2, "_key": "b"},
        {"text": None, "_offset": 3, "_key": "b"},
    ]
    assert all(field.nullable for batch in polled for field in batch.schema if not field.name.startswith("_"))


def test_a_kept_tombstone_that_comes_first_has_the_columns_of_what_follows(writer, topic, listen):
    writer.write_values(topic, [None, None], key="a")
    writer.write(topic, A, [{"n": 1}], key="a")

    message_type, frame = listen(tombstones="keep").poll(3, 5000)

    assert message_type == "com.example.A"
    assert frame["n"].isna().tolist() == [True, True, False]
