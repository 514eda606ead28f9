"""Keys, headers and other metadata, as confluent-kafka's serializers write them and as its consumer reports them."""

import contextlib
import ctypes
import datetime as dt
import json
import re
from pathlib import Path

import confluent_kafka
import pyarrow as pa
import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

import pykafarr
from tests.integration.raw import raw_messages
from tests.integration.writing import A, B, numbers

ID = {
    "type": "record",
    "name": "Id",
    "fields": [{"name": "site", "type": "string"}, {"name": "number", "type": "long"}],
}
KEYS = {
    "primitive": ({"type": "long"}, [1, -(2**62)], pa.int64()),
    "text": ({"type": "string"}, ["a", "ü"], pa.string()),
    "record": (ID, [{"site": "x", "number": 1}, {"site": "", "number": -1}], None),
    "enum": ({"type": "enum", "name": "E", "symbols": ["P", "Q"]}, ["Q", "P"], None),
}


@pytest.fixture
def key_of(cluster):
    """Serializes keys with confluent-kafka's AvroSerializer."""
    registry = SchemaRegistryClient({"url": cluster.registry_url, "timeout": 3})

    def serialize(topic, schema, key):
        serializer = AvroSerializer(registry, json.dumps(schema))
        return serializer(key, SerializationContext(topic, MessageField.KEY))

    yield serialize
    registry.close()


def rows(batch):
    return batch.to_arrow().to_pylist()


@pytest.mark.parametrize(("schema", "keys", "kind"), KEYS.values(), ids=KEYS)
def test_avro_keys_are_columns_of_their_type(schema, keys, kind, key_of, writer, topic, listen):
    for key in keys:
        writer.write(topic, A, numbers(0, 1), key=key_of(topic, schema, key))
    writer.write(topic, A, numbers(0, 1))  # without a key

    batch = listen(key="avro", metadata=()).poll_batch(3, 5000)

    assert [row["_key"] for row in rows(batch)] == [*keys, None]
    assert batch.schema.names == ["n", "_key"]
    assert kind is None or batch.schema.field("_key").type == kind
    frame = batch.to_pandas()
    assert frame["_key"].isna().tolist() == [False, False, True]
    assert frame["_key"].tolist()[:2] == keys


def test_a_record_key_is_a_struct_of_pandas_and_polars(key_of, writer, topic, listen):
    writer.write(topic, A, numbers(0, 1), key=key_of(topic, ID, {"site": "x", "number": 7}))
    batch = listen(key="avro").poll_batch(1, 5000)

    struct = batch.to_pandas()["_key"].struct
    assert struct.field("site").tolist() == ["x"]
    assert struct.field("number").tolist() == [7]
    polars = pytest.importorskip("polars")
    assert polars.DataFrame(batch)["_key"].struct.field("number").to_list() == [7]


@pytest.mark.parametrize("mixed", ["split", "group"])
def test_a_frame_has_one_schema_of_keys(mixed, key_of, writer, topic, listen):
    for key_schema, key in ((ID, {"site": "x", "number": 1}), ({"type": "long"}, 2)) * 2:
        writer.write(topic, A, numbers(0, 1), key=key_of(topic, key_schema, key))
    listener = listen(key="avro", mixed=mixed, metadata=("offset",))

    polled = [batch.to_arrow().column("_offset").to_pylist() for batch in listener.batches(4, 500, idle_timeout=500)]

    assert polled == ([[0, 2], [1, 3]] if mixed == "group" else [[0], [1], [2], [3]])


def test_auto_takes_keys_that_are_not_framed_as_bytes(key_of, writer, topic, listen):
    writer.write(topic, A, numbers(0, 1), key=key_of(topic, {"type": "string"}, "framed"))
    writer.write(topic, A, numbers(1, 1), key=b"plain")
    listener = listen(key="auto")

    assert [rows(listener.poll_batch(1, 5000))[0]["_key"] for _ in range(2)] == ["framed", b"plain"]


def test_keys_may_change_while_the_message_type_stays_and_the_other_way_round(key_of, writer, topic, listen):
    for number, (schema, record) in enumerate([(A, {"n": 1}), (B, {"text": "x"})] * 2):
        writer.write(topic, schema, [record], key=str(number))
    listener = listen(key="string", mixed="group")

    polled = {batch.message_type: batch.to_pandas() for batch in listener.batches(4, 500, idle_timeout=500)}

    assert list(polled["com.example.A"]["_key"]) == ["0", "2"]
    assert list(polled["com.example.B"]["_key"]) == ["1", "3"]
    assert polled["com.example.A"]["_key"].dtype == "str"


BAD_KEYS = {
    "no text": ("string", b"\xff", "_key: "),
    "not framed": ("avro", b"plain", "_key: "),
    "cut off": ("avro", None, "_key: "),
}


@contextlib.contextmanager
def collecting_into(errors):
    """Continues after a key that does not decode."""
    try:
        yield
    except pykafarr.KeyDecodeError as error:
        errors.append(error)


@pytest.mark.parametrize("mixed", ["split", "group"])
@pytest.mark.parametrize(("kind", "bad", "told"), BAD_KEYS.values(), ids=BAD_KEYS)
def test_a_bad_key_is_an_error_of_its_own_class_and_costs_its_own_row(
    kind, bad, told, mixed, key_of, writer, topic, listen, committed
):
    good = "k" if kind == "string" else key_of(topic, {"type": "string"}, "k")
    bad = key_of(topic, {"type": "string"}, "four")[:-1] if bad is None else bad
    for number, key in enumerate([good, bad, good]):
        writer.write(topic, A, numbers(number, 1), key=key)
    value = writer.serialize(topic, A, {"n": 1})

    collecting = listen(key=kind, errors="collect", mixed=mixed, group=f"{topic}-collect")
    batch = collecting.poll_batch(2, 5000)
    assert [(row["n"], row["_key"]) for row in rows(batch)] == [(0, "k"), (2, "k")]
    (rejected,) = batch.rejected.to_pylist()
    assert (rejected["error"], rejected["key"], rejected["value"]) == ("KeyDecodeError", bad, value)

    with listen(key=kind, mixed=mixed) as listener:
        seen, errors = [], []
        while len(seen) < 2 or not errors:
            with collecting_into(errors):
                seen += listener.poll(3, 500)[1]["n"].tolist()
        assert sorted(seen) == [0, 2]
    (error,) = errors
    assert re.match(rf"{topic}\[0\]@1: .*{told}", str(error))
    assert (error.topic, error.partition, error.offset, error.path) == (topic, 0, 1, "_key")
    assert committed() == 3


def test_headers_keep_their_order_repeats_and_nulls(writer, topic, listen):
    headers = [("b", b"1"), ("a", None), ("b", b""), ("b", b"1"), ("", b"\0\xff"), ("ü€𝄞", b"x")]
    writer.write(topic, A, numbers(0, 1), headers=headers)
    writer.write(topic, A, numbers(1, 1))

    batch = listen(metadata="headers").poll_batch(2, 5000)

    assert [[(header["key"], header["value"]) for header in row["_headers"]] for row in rows(batch)] == [headers, []]
    assert str(batch.to_pandas()["_headers"].dtype).startswith("list<")


class Librdkafka:
    """confluent-kafka's own librdkafka by ctypes: its Python takes header names that are text only."""

    TOPIC, PARTITION, VALUE, HEADER, END = 1, 3, 4, 9, 0  # of rd_kafka_vtype_t

    def __init__(self, servers):
        (path,) = (Path(confluent_kafka.__file__).parent.parent / "confluent_kafka.libs").glob("librdkafka*")
        self.lib = ctypes.CDLL(str(path))
        for name in ("rd_kafka_conf_new", "rd_kafka_new"):
            getattr(self.lib, name).restype = ctypes.c_void_p
        text = ctypes.create_string_buffer(512)
        conf = ctypes.c_void_p(self.lib.rd_kafka_conf_new())
        for name, value in ((b"bootstrap.servers", servers.encode()), (b"log_level", b"2")):
            assert self.lib.rd_kafka_conf_set(conf, name, value, text, 512) == 0
        self.client = ctypes.c_void_p(self.lib.rd_kafka_new(0, conf, text, 512))

    def produce(self, topic, value, header):
        size = ctypes.c_size_t
        arguments = [self.TOPIC, topic.encode(), self.PARTITION, 0, self.VALUE, value, size(len(value))]
        arguments += [self.HEADER, header, b"x", size(1), self.END]
        assert self.lib.rd_kafka_producev(self.client, *arguments) == 0
        assert self.lib.rd_kafka_flush(self.client, 30_000) == 0

    def close(self):
        self.lib.rd_kafka_destroy(self.client)


@pytest.fixture
def write_an_odd_header(cluster, writer, topic):
    """Three rows, the second with a header whose name is not UTF-8."""
    writer.write(topic, A, numbers(0, 1), headers=[("h", b"x")])
    with contextlib.closing(Librdkafka(cluster.servers)) as odd:
        odd.produce(topic, writer.serialize(topic, A, {"n": 1}), b"\xff\xfe")
    writer.write(topic, A, numbers(2, 1))


@pytest.mark.usefixtures("write_an_odd_header")
@pytest.mark.parametrize("mixed", ["split", "group"])
class TestAHeaderThatIsNotText:
    def test_is_an_error_that_names_it(self, mixed, topic, listen):
        listener = listen(metadata="headers", mixed=mixed)

        assert list(listener.poll(3, 1000)[1]["n"]) == [0]
        told = rf"{topic}\[0\]@1: _headers: the name of header 0 is not valid UTF-8"
        with pytest.raises(pykafarr.DecodeError, match=told) as caught:
            listener.poll(3, 1000)
        assert caught.value.path == "_headers"
        assert list(listener.poll(1, 5000)[1]["n"]) == [2]

    def test_leaves_its_value_whole_among_the_rejected(self, mixed, writer, topic, listen):
        batch = listen(metadata="headers", errors="collect", mixed=mixed).poll_batch(2, 5000)

        assert batch.to_arrow().column("n").to_pylist() == [0, 2]
        (rejected,) = batch.rejected.to_pylist()
        assert (rejected["offset"], rejected["error"]) == (1, "DecodeError")
        assert rejected["value"] == writer.serialize(topic, A, {"n": 1})

    @pytest.mark.parametrize("framing", ["confluent", "schema_header"])
    def test_does_no_harm_where_headers_are_not_asked_for(self, mixed, framing, listen):
        assert list(listen(mixed=mixed, framing=framing).poll(3, 5000)[1]["n"]) == [0, 1, 2]


TYPES = {
    confluent_kafka.TIMESTAMP_CREATE_TIME: "CreateTime",
    confluent_kafka.TIMESTAMP_LOG_APPEND_TIME: "LogAppendTime",
}


@pytest.mark.parametrize("time", ["CreateTime", "LogAppendTime"])
def test_all_metadata_are_what_confluent_kafkas_consumer_reports(time, cluster, writer, listen):
    topic = cluster.new_topic(2, message_timestamp_type=time)
    for partition in range(2):
        writer.write(topic, A, numbers(0, 3), partition, key=b"k", headers=[("h", b"1")], timestamp=1709210096789)
        writer.write(topic, A, numbers(3, 1), partition)
        writer.write_values(topic, [None], partition, key=b"k")
    names = [
        "offset",
        "partition",
        "topic",
        "timestamp",
        "timestamp_type",
        "schema_id",
        "key",
        "headers",
        "leader_epoch",
        "tombstone",
    ]
    listener = listen(topic, metadata=names, tombstones="keep")

    found = []
    while len(found) < 10:
        found += rows(listener.poll_batch(10, 5000))

    for partition in range(2):
        expected = []
        for message in raw_messages(cluster, topic, partition):
            kind, milliseconds = message.timestamp()
            value = message.value()
            expected.append(
                {
                    "_offset": message.offset(),
                    "_partition": partition,
                    "_topic": topic,
                    "_timestamp": dt.datetime.fromtimestamp(milliseconds // 1000, dt.timezone.utc)
                    + dt.timedelta(milliseconds=milliseconds % 1000),
                    "_timestamp_type": TYPES[kind],
                    "_schema_id": None if value is None else int.from_bytes(value[1:5], "big"),
                    "_key": message.key(),
                    "_headers": [{"key": key, "value": data} for key, data in message.headers() or []],
                    "_leader_epoch": message.leader_epoch(),
                    "_tombstone": value is None,
                }
            )
        assert {row["_timestamp_type"] for row in expected} == {time}
        mine = [{name: row[f"_{name}"] for name in names} for row in found if row["_partition"] == partition]
        assert mine == [{name: row[f"_{name}"] for name in names} for row in expected]
