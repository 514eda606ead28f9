"""Polls through the whole package and the embedded broker: frames, order, errors, acknowledging."""

import contextlib
import itertools
import struct

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import pykafarr
from pykafarr.testing import MockKafka

NAMES = (f"topic-{number}" for number in itertools.count())
CONFIG = {"auto.offset.reset": "earliest"}


def schema(name: str, **fields: object) -> dict[str, object]:
    fields = fields or {"x": "long"}
    return {
        "type": "record",
        "name": name,
        "namespace": "com.example",
        "fields": [{"name": field, "type": kind} for field, kind in fields.items()],
    }


A, B = schema("A"), schema("B", x="long", s="string")


@pytest.fixture(scope="module")
def kafka():
    with MockKafka() as kafka:
        yield kafka


@pytest.fixture
def topic(kafka):
    name = next(NAMES)
    kafka.create_topic(name)
    return name


def listen(kafka: MockKafka, topics: str | list[str], group: str = "", **options: object) -> pykafarr.Listener:
    options["config"] = CONFIG | options.get("config", {})
    return pykafarr.listener(kafka.servers, group or f"group-{topics}", topics, kafka.registry_url, **options)


def produce_a(kafka: MockKafka, topic: str, *numbers: int) -> int:
    return kafka.produce(topic, A, [{"x": number} for number in numbers])


def produce_b(kafka: MockKafka, topic: str, *numbers: int) -> int:
    return kafka.produce(topic, B, [{"x": number, "s": str(number)} for number in numbers])


def test_a_frame_has_the_fields_and_then_the_offset(kafka, topic):
    produce_b(kafka, topic, 1, 2, 3)
    with listen(kafka, topic) as p:
        message_type, frame = p.poll(num_messages=3)
    assert message_type == "com.example.B"
    assert frame.columns.tolist() == ["x", "s", "_offset"]
    assert frame["x"].tolist() == [1, 2, 3]
    assert frame["s"].tolist() == ["1", "2", "3"]
    assert frame["_offset"].tolist() == [0, 1, 2]
    assert frame.dtypes["x"] == np.dtype("int64")
    assert frame.dtypes["_offset"] == np.dtype("int64")
    assert isinstance(frame.dtypes["s"], pd.StringDtype)


def test_a_schema_change_ends_the_frame_and_opens_the_next(kafka, topic):
    produce_a(kafka, topic, *range(5))
    produce_b(kafka, topic, *range(5, 10))
    with listen(kafka, topic) as p:
        polls = [p.poll(num_messages=100, max_time=300) for _ in range(3)]
    assert [message_type for message_type, _ in polls] == ["com.example.A", "com.example.B", None]
    assert [frame["x"].tolist() for _, frame in polls[:2]] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


def test_alternating_types_are_a_poll_each(kafka, topic):
    for number, produce in enumerate([produce_a, produce_b, produce_a, produce_b]):
        produce(kafka, topic, number)
    with listen(kafka, topic) as p:
        polls = [p.poll(num_messages=100, max_time=300) for _ in range(4)]
    assert [frame["x"].tolist() for _, frame in polls] == [[0], [1], [2], [3]]


def test_every_metadata_column_can_be_asked_for_and_renamed(kafka, topic):
    schema_id = kafka.produce(topic, A, [{"x": 1}, {"x": 2}], keys=[b"k", None], timestamp=1_700_000_000_123)
    names = ["offset", "partition", "topic", "timestamp", "timestamp_type", "schema_id", "key", "headers"]
    with listen(kafka, topic, metadata={name: f"kafka_{name}" for name in names}) as p:
        batch = p.poll_batch(num_messages=2)
    record = batch.to_arrow()
    record.validate(full=True)
    assert record.schema.names == ["x", *(f"kafka_{name}" for name in names)]
    first = record.slice(0, 1).to_pylist()[0]
    assert (first["kafka_offset"], first["kafka_partition"], first["kafka_topic"]) == (0, 0, topic)
    assert (first["kafka_key"], first["kafka_schema_id"]) == (b"k", schema_id)
    assert first["kafka_timestamp"].timestamp() == 1_700_000_000.123
    assert record["kafka_key"].to_pylist() == [b"k", None]


def test_a_batch_knows_where_its_rows_come_from(kafka, topic):
    produce_a(kafka, topic, 1, 2, 3)
    with listen(kafka, topic) as p:
        batch = p.poll_batch(num_messages=2)
        assert batch.ranges == [pykafarr.Range(topic, 0, 0, 2, 2)]
        assert p.poll_batch(num_messages=1).ranges == [pykafarr.Range(topic, 0, 2, 3, 1)]
        assert p.stats()["rows"] == 3
    assert pa.record_batch(batch)["x"].to_pylist() == [1, 2]


def test_a_bad_message_costs_its_own_row_only(kafka, topic):
    schema_id = produce_a(kafka, topic, 1, 2)
    kafka.produce_raw(topic, [struct.pack(">bI", 0, schema_id) + b"\xff"])
    produce_a(kafka, topic, 3)
    with listen(kafka, topic) as p:
        assert p.poll(num_messages=10, max_time=500)[1]["x"].tolist() == [1, 2]
        with pytest.raises(pykafarr.DecodeError) as info:
            p.poll(num_messages=10, max_time=500)
        assert p.poll(num_messages=10, max_time=500)[1]["x"].tolist() == [3]
    error = info.value
    assert (error.topic, error.partition, error.offset, error.schema_id, error.path) == (topic, 0, 2, schema_id, "x")
    assert str(error).startswith(f"{topic}[0]@2: schema {schema_id}: x: ")


def test_a_bad_message_can_be_skipped_and_counted(kafka, topic):
    kafka.produce_raw(topic, [b"no framing"])
    produce_a(kafka, topic, 1)
    with listen(kafka, topic, errors="skip") as p:
        assert p.poll(num_messages=1, max_time=3000)[1]["x"].tolist() == [1]
        assert p.stats()["skipped"] == 1


def test_rejected_rows_can_be_collected(kafka, topic):
    produce_a(kafka, topic, 1)
    kafka.produce_raw(topic, [b"no framing"])
    produce_a(kafka, topic, 2)
    with listen(kafka, topic, errors="collect") as p:
        batches = list(p.batches(num_messages=3, max_time=500, idle_timeout=500))
    assert [row for batch in batches for row in batch.to_arrow()["x"].to_pylist()] == [1, 2]
    assert sum(batch.rejected.num_rows for batch in batches if batch.rejected is not None) == 1


def test_a_message_without_framing_is_a_framing_error(kafka, topic):
    kafka.produce_raw(topic, [b"no framing"])
    with listen(kafka, topic) as p, pytest.raises(pykafarr.FramingError) as info:
        p.poll(num_messages=1, max_time=3000)
    assert (info.value.topic, info.value.offset) == (topic, 0)


def test_an_unknown_schema_id_is_told_and_tried_again(kafka, topic):
    kafka.produce_raw(topic, [struct.pack(">bI", 0, 999_999) + b"\x02"])
    with listen(kafka, topic) as p:
        for _ in range(2):
            with pytest.raises(pykafarr.SchemaNotFoundError) as info:
                p.poll(num_messages=1, max_time=500)
            assert (info.value.offset, info.value.schema_id) == (0, 999_999)


def test_a_clean_restart_repeats_and_loses_nothing(kafka, topic):
    produce_a(kafka, topic, *range(10))
    with listen(kafka, topic) as p:
        assert p.poll(num_messages=4)[1]["x"].tolist() == [0, 1, 2, 3]
    with listen(kafka, topic) as p:
        assert p.poll(num_messages=6)[1]["x"].tolist() == [4, 5, 6, 7, 8, 9]


def test_a_block_left_by_an_exception_repeats_its_last_rows(kafka, topic):
    produce_a(kafka, topic, *range(10))
    with contextlib.suppress(ZeroDivisionError), listen(kafka, topic) as p:
        p.poll(num_messages=4)
        p.poll(num_messages=3)
        1 / 0  # noqa: B018
    with listen(kafka, topic) as p:
        assert p.poll(num_messages=6)[1]["x"].tolist() == [4, 5, 6, 7, 8, 9]


def test_a_commit_of_a_batch_covers_that_batch_only(kafka, topic):
    produce_a(kafka, topic, *range(10))
    config = {"enable.auto.commit": False}
    with listen(kafka, topic, config=config) as p:
        first, _second = p.poll_batch(num_messages=4), p.poll_batch(num_messages=3)
        p.commit(first)
        p.close(commit=False)
    with listen(kafka, topic, config=config) as p:
        assert p.poll(num_messages=10, max_time=500)[1]["x"].tolist() == [4, 5, 6, 7, 8, 9]
        p.commit()
        p.close(commit=False)
    with listen(kafka, topic, config=config) as p:
        assert p.poll(max_time=500)[0] is None


def test_several_topics_and_partitions_come_in_one_listener(kafka):
    names = [next(NAMES), next(NAMES)]
    for name in names:
        kafka.create_topic(name, partitions=3)
        produce_a(kafka, name, *range(30))
    with listen(kafka, names, metadata=["topic", "partition"]) as p:
        frame = pd.concat([batch.to_pandas() for batch in p.batches(max_time=500, idle_timeout=500)])
    assert len(frame) == 60
    assert set(zip(frame["_topic"], frame["_partition"], strict=True)) == {(n, i) for n in names for i in range(3)}


def test_a_topic_that_does_not_exist_is_named(kafka, topic):
    with (
        listen(kafka, "no-such-topic", ready_timeout=1000, config={"allow.auto.create.topics": False}) as p,
        pytest.raises(pykafarr.BrokerError, match="no-such-topic"),
    ):
        p.poll(max_time=100)


def test_an_unknown_property_is_named(kafka):
    with pytest.raises(pykafarr.ConfigError, match=r"no\.such\.property"):
        listen(kafka, "t", config={"no.such.property": 1})
    with pytest.raises(pykafarr.ConfigError, match=r"no\.such\.property"):
        listen(kafka, "t", registry_config={"no.such.property": 1})


@pytest.mark.parametrize("name", ["enable.auto.offset.store", "log.queue", "go.events.channel.enable"])
def test_a_reserved_property_is_refused_by_name(kafka, name):
    with pytest.raises(pykafarr.ConfigError, match=name):
        listen(kafka, "t", config={name: True})


def test_the_end_of_a_partition_as_an_event_changes_no_position(kafka, topic):
    produce_a(kafka, topic, 1, 2, 3)
    with listen(kafka, topic, config={"enable.partition.eof": True}) as p:
        assert p.poll(3)[1]["x"].tolist() == [1, 2, 3]
        for number in (4, 5, 6):
            assert p.poll(1, 300)[0] is None  # in which the end is reached
            p.pause((topic, 0))
            p.resume((topic, 0))  # the client fetches on from the position that it has
            produce_a(kafka, topic, number)
            assert p.poll(1, 10_000)[1]["x"].tolist() == [number]
            assert p.position() == {(topic, 0): number}


def test_a_dead_letter_topic_that_cannot_work_is_refused(kafka):
    with pytest.raises(pykafarr.ConfigError, match="dead_letter_topic is given, and errors is raise"):
        listen(kafka, "t", dead_letter_topic="letters")
    for mode in ("skip", "collect"):
        with pytest.raises(pykafarr.ConfigError, match='dead_letter_topic "t" is read by topics'):
            listen(kafka, "t", errors=mode, dead_letter_topic="t")


def test_a_metadata_column_that_clashes_with_a_field_is_an_error(kafka, topic):
    produce_a(kafka, topic, 1)
    with listen(kafka, topic, metadata={"offset": "x"}) as p, pytest.raises(pykafarr.KafarrError, match="x"):
        p.poll(num_messages=1, max_time=1000)


def test_values_of_every_type_survive_the_mock(kafka, topic):
    kind = schema(
        "Everything",
        flag="boolean",
        count="int",
        number="long",
        single="float",
        double="double",
        text="string",
        raw="bytes",
        fixed={"type": "fixed", "name": "F", "size": 2},
        enum={"type": "enum", "name": "E", "symbols": ["RED", "GREEN"]},
        maybe=["null", "long"],
        perhaps=["string", "null"],
        nothing="null",
    )
    rows = [
        {
            "flag": True, "count": -1, "number": 2**53 + 1, "single": 1.5, "double": -0.1, "text": "ü€𝄞",
            "raw": b"\0\xff", "fixed": b"ab", "enum": "GREEN", "maybe": 2**53 + 1, "perhaps": None, "nothing": None,
        },
        {
            "flag": False, "count": 2**31 - 1, "number": -(2**63), "single": 0.0, "double": 1e300, "text": "",
            "raw": b"", "fixed": b"\xff\0", "enum": "RED", "maybe": None, "perhaps": "s", "nothing": None,
        },
    ]  # fmt: skip
    kafka.produce(topic, kind, rows)
    with listen(kafka, topic, metadata=()) as p:
        record = p.poll_batch(num_messages=2).to_arrow()
    record.validate(full=True)
    assert record.to_pylist() == rows


DATE = {"type": "int", "logicalType": "date"}


def test_a_date_past_python_s_years_is_no_obstacle(kafka, topic):
    kafka.produce(topic, schema("A", x=DATE), [{"x": 2**31 - 1}, {"x": 1}])
    for group, more in (("numpy", {"dtype_backend": "numpy"}), ("default", {})):
        with pykafarr.listener(
            kafka.servers, f"{topic}-{group}", topic, kafka.registry_url, config=CONFIG, **more
        ) as p:
            assert len(p.poll(2, 5000)[1]) == 2


def test_a_batch_that_cannot_be_made_a_frame_is_kept_for_arrow(kafka, topic, monkeypatch):
    kafka.produce(topic, A, [{"x": 1}, {"x": 2}])

    def refuse(*_: object) -> None:
        raise OverflowError("too far")

    with pykafarr.listener(kafka.servers, topic, topic, kafka.registry_url, config=CONFIG) as p:
        monkeypatch.setattr("pykafarr._batches.to_pandas.to_frame", refuse)
        with pytest.raises(pykafarr.KafarrError, match="poll_batch"):
            p.poll(2, 5000)
        assert p.poll_batch(2, 5000).to_arrow()["x"].to_pylist() == [1, 2]


@pytest.mark.parametrize("wrong", ["a\0b", "\ud800"])
def test_texts_that_would_not_arrive_as_they_are_are_refused(wrong):
    for arguments in ((wrong, "g", "t", "http://r"), ("s:1", wrong, "t", "http://r"), ("s:1", "g", wrong, "http://r")):
        with pytest.raises(pykafarr.ConfigError):
            pykafarr.listener(*arguments)
    for options in ({"config": {wrong: "1"}}, {"config": {"client.id": wrong}}, {"metadata": {"offset": wrong}}):
        with pytest.raises(pykafarr.ConfigError):
            pykafarr.listener("s:1", "g", "t", "http://r", **options)


def test_a_topic_named_twice_is_an_error():
    with pytest.raises(pykafarr.ConfigError, match="twice"):
        pykafarr.listener("s:1", "g", ["t", "t"], "http://r")


def test_a_decoder_is_copied_by_what_it_was_made_of(kafka):
    import copy
    import pickle

    decoder = pykafarr.Decoder('"int"')
    for other in (copy.copy(decoder), pickle.loads(pickle.dumps(decoder))):
        assert other.decode([b"\x02"])["value"].to_pylist() == [1]
    with pytest.raises(TypeError, match="cannot be copied"):
        copy.copy(kafka)
    with (
        pykafarr.listener("127.0.0.1:1", "g", "t", "http://r") as p,
        pytest.raises(TypeError, match="cannot be copied"),
    ):
        pickle.dumps(p)


@pytest.mark.parametrize("columns", [".a", "n.", "n..k", "z.int", "nosuch"])
def test_a_column_path_that_leads_nowhere_is_an_error(columns):
    inner = {"type": "record", "name": "N", "fields": [{"name": "k", "type": "int"}]}
    with pytest.raises(pykafarr.ConfigError, match="columns"):
        pykafarr.Decoder(schema("A", n=["null", inner], z=["int", "string"]), columns=columns)
