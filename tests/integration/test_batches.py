"""What one poll returns: rows of one message type and schema, in order, as many as asked for, in the time given."""

import time

import pyarrow as pa
import pytest

from tests.integration.writing import A, B, numbers


def texts(*values):
    return [{"text": value} for value in values]


def test_a_schema_change_ends_the_batch_and_opens_the_next_one(writer, topic, listen):
    writer.write(topic, A, numbers(0, 5))
    writer.write(topic, B, texts("a", "b", "c", "d", "e"))
    listener = listen()

    first_type, first = listener.poll(100, 2000)
    second_type, second = listener.poll(100, 500)

    assert (first_type, second_type) == ("com.example.A", "com.example.B")
    assert list(first["n"]) == [0, 1, 2, 3, 4]
    assert list(first["_offset"]) == [0, 1, 2, 3, 4]
    assert list(second["text"]) == ["a", "b", "c", "d", "e"]
    assert list(second["_offset"]) == [5, 6, 7, 8, 9]


def test_alternating_types_are_a_poll_each(writer, topic, listen):
    for number in range(2):
        writer.write(topic, A, numbers(number, 1))
        writer.write(topic, B, texts(str(number)))
    listener = listen()

    polled = [listener.poll(100, 500) for _ in range(5)]

    assert [message_type for message_type, _ in polled] == ["com.example.A", "com.example.B"] * 2 + [None]
    assert [list(frame["_offset"]) for _, frame in polled[:4]] == [[0], [1], [2], [3]]


def test_a_poll_that_a_schema_change_ends_does_not_wait_for_its_time(writer, topic, listen):
    writer.write(topic, A, numbers(0, 1))
    writer.write(topic, B, texts("b"))

    _, frame = listen().poll(100, 600_000)  # the test's own time-out is less

    assert len(frame) == 1


def test_a_new_schema_with_other_fields_opens_a_batch_of_its_own(writer, topic, listen):
    wider = {**A, "fields": [*A["fields"], {"name": "note", "type": "string", "default": ""}]}
    writer.write(topic, A, numbers(0, 2))
    writer.write(topic, wider, [{"n": 2, "note": "new"}])
    listener = listen(metadata=None)

    batches = [listener.poll_batch(100, 500) for _ in range(2)]

    assert [batch.to_arrow().to_pylist() for batch in batches] == [numbers(0, 2), [{"n": 2, "note": "new"}]]


def test_a_new_schema_with_the_same_columns_does_not_split_the_batch(writer, topic, listen):
    # A text of documentation alone would not do: the registry gives both the same id.
    schemas = [{**A, "fields": [{"name": "n", "type": union}]} for union in (["null", "long"], ["long", "null"])]
    writer.write(topic, schemas[0], numbers(0, 2))
    writer.write(topic, schemas[1], numbers(2, 2))
    writer.write(topic, schemas[0], numbers(4, 1))

    batch = listen(metadata=("schema_id",)).poll_batch(5, 2000)

    assert batch.to_arrow().column("n").to_pylist() == [0, 1, 2, 3, 4]
    first, _, other, _, last = batch.to_arrow().column("_schema_id").to_pylist()
    assert first == last != other


def test_two_types_with_the_same_columns_are_not_mixed(writer, topic, listen):
    twin = {**A, "name": "Twin"}
    writer.write(topic, A, numbers(0, 1))
    writer.write(topic, twin, numbers(1, 1))
    listener = listen()

    assert [listener.poll(100, 500)[0] for _ in range(2)] == ["com.example.A", "com.example.Twin"]


def test_no_more_rows_than_asked_for_and_all_of_them_in_order(writer, topic, listen):
    writer.write(topic, A, numbers(0, 25))
    listener = listen()

    frames = [listener.poll(10, 1000)[1] for _ in range(3)]

    assert [len(frame) for frame in frames] == [10, 10, 5]
    assert [n for frame in frames for n in frame["n"]] == list(range(25))
    assert [offset for frame in frames for offset in frame["_offset"]] == list(range(25))


def test_a_full_batch_does_not_wait_for_its_time(writer, topic, listen):
    writer.write(topic, A, numbers(0, 10))

    assert len(listen().poll(10, 600_000)[1]) == 10


def test_rows_that_come_while_a_poll_waits_are_in_it(writer, topic, listen):
    listener = listen()
    assert listener.poll(1, 0)[0] is None  # the group is there now
    writer.write(topic, A, numbers(0, 3))

    assert list(listener.poll(3, 5000)[1]["n"]) == [0, 1, 2]


def test_max_time_ends_a_poll_with_the_rows_that_came(writer, topic, listen):
    writer.write(topic, A, numbers(0, 3))
    begun = time.monotonic()

    _, frame = listen().poll(100, 300)

    assert list(frame["n"]) == [0, 1, 2]
    assert time.monotonic() - begun >= 0.3


def test_a_quiet_topic_gives_none_and_an_empty_frame(topic, listen):
    listener = listen()
    listener.poll(1, 0)
    begun = time.monotonic()

    message_type, frame = listener.poll(100, 300)

    assert message_type is None
    assert frame.shape == (0, 0)
    assert 0.25 <= time.monotonic() - begun < 10
    assert listener.poll_batch(100, 0) is None


def test_catching_up_does_not_count_as_max_time(writer, topic, listen):
    writer.write(topic, A, numbers(0, 10))

    _, frame = listen().poll(100, 1)

    assert list(frame["n"]) == list(range(10))


def test_several_topics_and_partitions_come_through_one_listener(cluster, writer, listen):
    topics = [cluster.new_topic(partitions) for partitions in (1, 2, 3)]
    number = 0
    for topic, partitions in zip(topics, (1, 2, 3), strict=True):
        for partition in range(partitions):
            writer.write(topic, A, numbers(number, 17), partition)
            number += 17
    listener = listen(topics, metadata=("topic", "partition", "offset"))

    rows = []
    while len(rows) < number:
        batch = listener.poll_batch(17, 5000)
        rows += batch.to_arrow().to_pylist()

    assert sorted(row["n"] for row in rows) == list(range(number))
    for topic in topics:
        for partition in range(3):
            found = [row["_offset"] for row in rows if (row["_topic"], row["_partition"]) == (topic, partition)]
            assert found in (list(range(17)), [])  # each partition in the order of its offsets
    assert listener.poll(1, 200)[0] is None


def test_ranges_say_where_the_rows_come_from(cluster, writer, listen):
    topic = cluster.new_topic(2)
    writer.write(topic, A, numbers(0, 3), 0)
    writer.write(topic, A, numbers(3, 4), 1)

    batch = listen(topic).poll_batch(7, 5000)

    assert sorted(batch.ranges) == [(topic, 0, 0, 3, 3), (topic, 1, 0, 4, 4)]


def test_batches_iterates_until_it_has_been_idle(writer, topic, listen):
    writer.write(topic, A, numbers(0, 5))
    writer.write(topic, B, texts("b"))

    sizes = [len(batch) for batch in listen().batches(2, 200, idle_timeout=400)]

    assert sizes == [2, 2, 1, 1]


def test_a_frame_outlives_its_listener(writer, topic, listen):
    writer.write(topic, B, texts("first", "second"))
    listener = listen()
    batch = listener.poll_batch(2, 5000)
    frame = batch.to_pandas()
    listener.close()

    assert list(frame["text"]) == ["first", "second"]
    assert pa.record_batch(batch).column("text").to_pylist() == ["first", "second"]


def test_polars_takes_a_batch(writer, topic, listen):
    polars = pytest.importorskip("polars")
    writer.write(topic, A, numbers(0, 3))

    frame = polars.DataFrame(listen().poll_batch(3, 5000))

    assert frame.to_dict(as_series=False) == {"n": [0, 1, 2], "_offset": [0, 1, 2]}
