"""The ends of every scale: messages of no byte and of 25 MB, polls of one row and of all that there are."""

import contextlib

import pytest

from tests.integration.writing import A, B, Writer, numbers


def test_a_record_may_have_a_body_of_no_byte(writer, topic, listen):
    schema = {"type": "record", "name": "Nothing", "fields": [{"name": "nothing", "type": "null"}]}
    writer.write(topic, schema, [{"nothing": None}] * 100)

    batch = listen().poll_batch(100, 5000)

    assert batch.to_arrow().column("nothing").to_pylist() == [None] * 100


def test_messages_of_one_byte(writer, topic, listen):
    schema = {"type": "record", "name": "Flag", "fields": [{"name": "flag", "type": "boolean"}]}
    flags = [number % 3 == 0 for number in range(1000)]
    writer.write(topic, schema, [{"flag": flag} for flag in flags])

    _, frame = listen().poll(1000, 5000)

    assert list(frame["flag"]) == flags


def test_messages_of_one_megabyte(writer, topic, listen):
    contents = [chr(ord("a") + number) * 1_000_000 for number in range(10)]
    writer.write(topic, B, [{"text": text} for text in contents])

    _, frame = listen().poll(10, 10_000)

    assert list(frame["text"]) == contents


def test_a_message_of_25_megabytes(cluster, writer, listen):
    topic = cluster.new_topic(max_message_bytes=30_000_000)
    text = "ä" * 12_500_000
    writer.write(topic, B, [{"text": "small"}, {"text": text}, {"text": "small"}])

    _, frame = listen(topic).poll(3, 20_000)

    assert list(frame["text"]) == ["small", text, "small"]


def test_polls_of_one_row(writer, topic, listen):
    writer.write(topic, A, numbers(0, 20))
    listener = listen()

    assert [n for _ in range(20) for n in listener.poll(1, 5000)[1]["n"]] == list(range(20))


def test_as_many_rows_as_there_are(writer, topic, listen):
    writer.write(topic, A, numbers(0, 50_000))

    _, frame = listen().poll(2**31 - 1, 2000)

    assert list(frame["n"]) == list(range(50_000))


def test_max_time_zero_takes_what_is_there(writer, topic, listen):
    writer.write(topic, A, numbers(0, 10))
    listener = listen()

    rows = []
    for _ in range(1000):
        rows.extend(listener.poll(100, 0)[1].get("n", []))
        if len(rows) == 10:
            break

    assert rows == list(range(10))
    assert listener.poll(100, 0)[0] is None


def test_a_hundred_partitions_most_of_them_empty(cluster, writer, listen):
    topic = cluster.new_topic(100)
    for partition in range(0, 100, 7):
        writer.write(topic, A, numbers(partition * 10, 10), partition)
    expected = {partition * 10 + number for partition in range(0, 100, 7) for number in range(10)}
    listener = listen(topic)

    found = []
    while len(found) < len(expected):
        message_type, frame = listener.poll(50, 5000)
        assert message_type is not None
        found.extend(frame["n"])

    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_every_compression_is_read(codec, cluster, topic, listen):
    with contextlib.closing(Writer(cluster, compression_type=codec, linger_ms=50)) as writer:
        writer.write(topic, A, numbers(0, 5000))

    _, frame = listen().poll(5000, 10_000)

    assert list(frame["n"]) == list(range(5000))
