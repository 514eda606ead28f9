"""Rejected messages go to the dead-letter topic as they were, with the reason, and no commit gets ahead of them."""

import contextlib
import time

import pytest
from confluent_kafka import TIMESTAMP_CREATE_TIME, Consumer, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

import pykafarr
from tests.integration.writing import A, B, numbers

BAD = b"no framing"
WHEN = 1_700_000_000_123


@pytest.fixture
def letters(cluster):
    """The name of a topic for letters."""
    return cluster.new_topic()


@pytest.fixture
def read(cluster):
    """Reads the first letters of a topic with confluent-kafka; none of them may be missing after ten seconds."""
    consumer = Consumer({"bootstrap.servers": cluster.servers, "group.id": cluster.new_name("group")})

    def messages(topic, count):
        consumer.assign([TopicPartition(topic, 0, 0)])
        found = consumer.consume(count, timeout=10)
        assert [message.error() for message in found] == [None] * count
        return found

    yield messages
    consumer.close()


@pytest.fixture
def count(cluster):
    """How many letters a topic holds."""
    consumer = Consumer({"bootstrap.servers": cluster.servers, "group.id": cluster.new_name("group")})
    yield lambda topic: consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)[1]
    consumer.close()


@pytest.fixture
def written(writer, topic):
    """Two rows, a bad message at offset 2, and a row."""
    writer.write(topic, A, numbers(0, 2))
    headers = [("trace", b"\xff\0"), ("trace", b"2"), ("none", None), ("empty", b"")]
    writer.write_values(topic, [BAD], key=b"the key", headers=headers, timestamp=WHEN)
    writer.write(topic, A, numbers(3, 1))
    return headers


def test_a_letter_is_the_message_and_says_why_it_was_rejected(listen, letters, read, topic, written):
    listener = listen(errors="skip", dead_letter_topic=letters)
    assert list(listener.poll(3, 5000)[1]["n"]) == [0, 1, 3]
    listener.commit()

    (letter,) = read(letters, 1)

    assert (letter.key(), letter.value()) == (b"the key", BAD)
    assert letter.timestamp() == (TIMESTAMP_CREATE_TIME, WHEN)
    sentence = f"{topic}[0]@2: the value begins with byte 0x6e instead of 0x00"
    *same, error, message, from_topic, partition, offset = letter.headers()
    assert same == written
    assert error == ("pykafarr.error", b"FramingError")
    assert message[0] == "pykafarr.message"
    assert message[1].decode().startswith(sentence)
    assert (from_topic, partition) == (("pykafarr.topic", topic.encode()), ("pykafarr.partition", b"0"))
    assert offset == ("pykafarr.offset", b"2")
    assert listener.stats()["dead_letters"] == 1


def test_the_schema_is_named_where_it_is_known(listen, letters, read, writer, topic):
    value = writer.serialize(topic, B, {"text": ""})[:5] + b"\x0aab"
    writer.write_values(topic, [value])
    listener = listen(errors="skip", dead_letter_topic=letters)
    assert listener.poll(1, 500)[0] is None
    listener.commit()

    (letter,) = read(letters, 1)

    schema_id = str(int.from_bytes(value[1:5], "big")).encode()
    assert (letter.key(), letter.value()) == (None, value)
    assert dict(letter.headers())["pykafarr.schema_id"] == schema_id
    assert dict(letter.headers())["pykafarr.error"] == b"DecodeError"


def test_collected_messages_have_letters_too(listen, letters, read, written, committed):
    listener = listen(errors="collect", dead_letter_topic=letters)
    batch = listener.poll_batch(3, 5000)
    assert batch.rejected.column("value").to_pylist() == [BAD]
    listener.commit(batch)
    assert committed() == 4

    assert read(letters, 1)[0].value() == BAD


def test_keys_that_do_not_decode_and_tombstones_that_do_not(listen, letters, read, writer, topic):
    good = writer.serialize(topic, A, {"n": 1})
    writer.write_values(topic, [good, None, b""], key=b"no framing")
    writer.write_values(topic, [good])
    listener = listen(errors="skip", dead_letter_topic=letters, key="avro", metadata=())
    _, frame = listener.poll(1, 5000)
    assert list(frame["n"]) == [1]
    listener.commit()

    found = read(letters, 3)

    assert [letter.value() for letter in found] == [good, None, b""]
    assert [letter.key() for letter in found] == [b"no framing"] * 3
    errors = [dict(letter.headers())["pykafarr.error"] for letter in found]
    assert errors == [b"KeyDecodeError", b"KeyDecodeError", b"FramingError"]


@pytest.mark.parametrize("errors", ["skip", "collect"])
def test_nothing_is_committed_past_a_letter_that_has_no_topic_yet(
    cluster, listen, topic, read, written, committed, errors
):
    missing = cluster.new_name()
    config = {"topic.metadata.propagation.max.ms": 200, "auto.commit.interval.ms": 100}
    listener = listen(errors=errors, dead_letter_topic=missing, config=config)
    assert listener.poll_batch(3, 5000).to_arrow().column("n").to_pylist() == [0, 1, 3]

    with pytest.raises(pykafarr.BrokerError) as caught:
        listener.commit()
    assert (caught.value.topic, caught.value.partition, caught.value.offset) == (topic, 0, 2)
    assert f"could not be written to dead_letter_topic {missing}: " in str(caught.value)
    assert "the cluster does not have the topic" in str(caught.value)
    assert committed() == 2
    # The poll after the commit tries again, and tells what came of it.
    with pytest.raises(pykafarr.BrokerError, match=f"dead_letter_topic {missing}"):
        polls_until_an_error(listener)
    assert committed() == 2
    assert listener.stats()["dead_letters"] == 0

    cluster.create_topic(missing)
    listener.commit()

    assert committed() == 4
    assert read(missing, 1)[0].value() == BAD
    assert listener.stats()["dead_letters"] == 1


def polls_until_an_error(listener, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        listener.poll_batch(1, 200)


def test_the_background_commit_follows_the_letter(cluster, listen, written, committed):
    missing = cluster.new_name()
    config = {"topic.metadata.propagation.max.ms": 100, "auto.commit.interval.ms": 50}
    listener = listen(errors="skip", dead_letter_topic=missing, config=config)
    listener.poll(3, 5000)
    for _ in range(3):  # the attempts fail or are under way
        try_to_poll(listener)
        time.sleep(0.2)
        assert committed() == 2

    cluster.create_topic(missing)

    deadline = time.monotonic() + 20
    while committed() != 4 and time.monotonic() < deadline:
        try_to_poll(listener)
    assert committed() == 4
    assert listener.stats()["dead_letters"] == 1


def try_to_poll(listener):
    try:
        listener.poll(1, 200)
    except pykafarr.BrokerError as error:
        assert "dead_letter_topic" in str(error)  # noqa: PT017  # no other is expected, and none need come


def test_a_letter_that_the_topic_does_not_take_is_kept_until_it_does(cluster, listen, writer, topic, count, committed):
    small = cluster.new_topic(max_message_bytes=200)  # less than the headers that say why
    writer.write_values(topic, [b"x" * 5000])
    with listen(errors="skip", dead_letter_topic=small) as listener:
        with contextlib.suppress(pykafarr.BrokerError):  # the refusal may come within the poll's time
            listener.poll(1, 500)
        for _ in range(2):
            with pytest.raises(
                pykafarr.BrokerError, match=rf"{topic}\[0\]@0: .*{small}: .*larger than max\.message\.bytes"
            ):
                listener.commit()
        assert not committed()

        alter(cluster, small, "max.message.bytes", "100000")
        listener.commit()
    assert (committed(), count(small)) == (1, 1)


def test_a_message_just_below_the_brokers_limit_has_a_letter_without_its_value(
    cluster, listen, read, writer, topic, committed
):
    """With the added headers, the whole letter is larger than Kafka's default allows."""
    letters = cluster.new_topic(max_message_bytes=1_048_588)
    sizes = [10, 1_048_400, 10]
    writer.write_values(topic, [b"x" * size for size in sizes], key=b"the key")
    with listen(errors="skip", dead_letter_topic=letters) as listener:
        listener.poll(1, 500)
        listener.commit()
    assert committed() == 3

    found = {dict(letter.headers())["pykafarr.offset"]: letter for letter in read(letters, 3)}

    values = [found[b"%d" % offset].value() for offset in range(3)]
    assert values == [b"x" * 10, None, b"x" * 10]
    assert found[b"1"].key() == b"the key"
    truncated = [dict(letter.headers()).get("pykafarr.truncated") for _, letter in sorted(found.items())]
    assert truncated[0] is truncated[2] is None
    assert truncated[1].startswith(b"the value of 1048400 bytes is left out")


def alter(cluster, topic, name, value):
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    cluster.admin.incremental_alter_configs([resource])[resource].result(30)


def test_a_close_that_cannot_write_a_letter_says_so_and_the_next_member_writes_it(
    cluster, listen, letters, read, written, committed
):
    listener = listen(
        errors="skip", dead_letter_topic=cluster.new_name(), config={"topic.metadata.propagation.max.ms": 200}
    )
    listener.poll(3, 5000)
    with pytest.raises(pykafarr.BrokerError, match="the cluster does not have the topic"):
        listener.close()
    assert committed() == 2

    with listen(errors="skip", dead_letter_topic=letters) as second:
        assert list(second.poll(1, 5000)[1]["n"]) == [3]
    assert committed() == 4
    assert read(letters, 1)[0].value() == BAD


def test_more_letters_than_may_be_on_their_way_arrive_all_the_same(listen, letters, count, writer, topic, committed):
    writer.write_values(topic, [b"%d" % number for number in range(25_000)])
    with listen(errors="skip", dead_letter_topic=letters) as listener:
        deadline = time.monotonic() + 60
        while listener.stats()["skipped"] < 25_000 and time.monotonic() < deadline:
            listener.poll(1000, 100)
    assert (committed(), count(letters)) == (25_000, 25_000)


def test_the_producer_is_quiet_and_takes_the_consumers_properties(listen, letters, count, written, capfd, caplog):
    config = {
        "client.id": "letters-too",
        "max.poll.interval.ms": 300000,
        "fetch.min.bytes": 1,
        "max.in.flight": 100,
        "acks": 0,
        "compression.type": "gzip",
    }
    with listen(errors="skip", dead_letter_topic=letters, config=config) as listener:
        listener.poll(3, 5000)
    assert count(letters) == 1
    assert capfd.readouterr() == ("", "")
    assert not [line for line in caplog.messages if "producer instance" in line and "consumer property" in line]
