"""The metadata columns: properties of the message beside its fields."""

import datetime as dt

import pyarrow as pa
import pytest

import pykafarr
from tests.integration.writing import A, numbers

WRITTEN = dt.datetime(2024, 2, 29, 12, 34, 56, 789000, tzinfo=dt.timezone.utc)
MILLISECONDS = 1709210096789


def test_the_offset_is_the_default(writer, topic, listen):
    writer.write(topic, A, numbers(0, 1))

    assert list(listen().poll(1, 5000)[1].columns) == ["n", "_offset"]


@pytest.mark.parametrize("nothing", [None, ()])
def test_no_metadata_when_none_is_wanted(nothing, writer, topic, listen):
    writer.write(topic, A, numbers(0, 1))

    assert list(listen(metadata=nothing).poll(1, 5000)[1].columns) == ["n"]


def test_every_column_says_what_the_message_said(cluster, writer, listen):
    topic = cluster.new_topic(3)
    value = writer.serialize(topic, A, {"n": 7})
    writer.write_values(
        topic, [value], 2, key=b"\0key", headers=[("h", b"1"), ("h", None), ("ü", b"")], timestamp=MILLISECONDS
    )
    names = ("offset", "partition", "topic", "timestamp", "timestamp_type", "schema_id", "key", "headers")

    batch = listen(topic, metadata=names).poll_batch(1, 5000)

    assert batch.schema.names == ["n", *(f"_{name}" for name in names)]
    assert batch.to_arrow().to_pylist() == [
        {
            "n": 7,
            "_offset": 0,
            "_partition": 2,
            "_topic": topic,
            "_timestamp": WRITTEN,
            "_timestamp_type": "CreateTime",
            "_schema_id": int.from_bytes(value[1:5], "big"),
            "_key": b"\0key",
            "_headers": [{"key": "h", "value": b"1"}, {"key": "h", "value": None}, {"key": "ü", "value": b""}],
        }
    ]
    assert batch.schema.field("_timestamp").type == pa.timestamp("ms", "UTC")
    batch.to_pandas()


def test_a_message_without_key_and_headers_has_null_and_an_empty_list(writer, topic, listen):
    writer.write(topic, A, numbers(0, 1))

    batch = listen(metadata=("key", "headers")).poll_batch(1, 5000)

    assert batch.to_arrow().to_pylist() == [{"n": 0, "_key": None, "_headers": []}]


def test_the_broker_s_own_time_is_told_as_such(cluster, writer, listen):
    topic = cluster.new_topic(message_timestamp_type="LogAppendTime")
    writer.write(topic, A, numbers(0, 1), timestamp=MILLISECONDS)

    (row,) = listen(topic, metadata=("timestamp", "timestamp_type")).poll_batch(1, 5000).to_arrow().to_pylist()

    assert row["_timestamp_type"] == "LogAppendTime"
    assert abs(row["_timestamp"] - dt.datetime.now(dt.timezone.utc)) < dt.timedelta(minutes=5)


def test_a_column_can_be_given_another_name(writer, topic, listen):
    writer.write(topic, A, numbers(0, 1))

    assert list(listen(metadata={"offset": "kafka_offset"}).poll(1, 5000)[1].columns) == ["n", "kafka_offset"]


def test_a_clash_with_a_field_is_an_error_that_says_what_to_do(writer, topic, listen):
    clashing = {"type": "record", "name": "Clash", "fields": [{"name": "_offset", "type": "long"}]}
    writer.write(topic, clashing, [{"_offset": 1}])

    with pytest.raises(pykafarr.ConfigError, match=r"_offset.*rename"):
        listen().poll(1, 5000)
    _, frame = listen(group=f"{topic}-renamed", metadata={"offset": "at"}).poll(1, 5000)
    assert frame.to_dict("list") == {"_offset": [1], "at": [0]}
