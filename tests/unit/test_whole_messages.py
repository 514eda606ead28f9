"""Frames of what a message is besides its value: rows without columns, kept tombstones, keys."""

import contextlib

import pandas as pd
import pyarrow as pa
import pytest

import pykafarr
from pykafarr.testing import MockKafka

TRADE = {
    "type": "record",
    "name": "Trade",
    "fields": [
        {"name": "flag", "type": "boolean"},
        {"name": "count", "type": "int"},
        {"name": "id", "type": "long"},
        {"name": "price", "type": "double"},
        {"name": "name", "type": "string"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "side", "type": {"type": "enum", "name": "Side", "symbols": ["BUY", "SELL"]}},
        {"name": "tags", "type": {"type": "array", "items": "string"}},
    ],
}
ROW = {"flag": True, "count": 1, "id": 2**53 + 1, "price": 0.5, "name": "x", "at": 0, "side": "SELL", "tags": ["t"]}
ID = {
    "type": "record",
    "name": "Id",
    "fields": [{"name": "site", "type": "string"}, {"name": "number", "type": "long"}],
}


@pytest.fixture(scope="module")
def kafka():
    with MockKafka() as kafka:
        yield kafka


@pytest.fixture
def topic(kafka, request):
    name = request.node.name.translate(str.maketrans("[], ", "----"))
    kafka.create_topic(name)
    return name


@pytest.fixture
def listen(kafka, topic):
    with contextlib.ExitStack() as open_listeners:

        def open_listener(**options):
            return open_listeners.enter_context(
                pykafarr.listener(
                    kafka.servers,
                    f"group of {topic}",
                    topic,
                    kafka.registry_url,
                    config={"auto.offset.reset": "earliest"},
                    **options,
                )
            )

        yield open_listener


class TestTombstonesWithoutMetadata:
    @pytest.fixture
    def written(self, kafka, topic):
        kafka.produce_raw(topic, [None] * 3)

    @pytest.mark.parametrize("backend", [None, "pyarrow", "numpy"])
    def test_are_a_frame_of_so_many_rows_and_no_column(self, backend, written, listen):
        message_type, frame = listen(metadata=(), dtype_backend=backend).poll(3, 5000)

        assert message_type == "null"
        assert frame.shape == (3, 0)

    def test_keep_their_number_in_arrow_and_in_a_second_frame(self, written, listen):
        batch = listen(metadata=()).poll_batch(3, 5000)

        assert (len(batch), batch.to_arrow().num_rows, batch.schema.names) == (3, 3, [])
        assert pa.record_batch(batch).num_rows == 3
        assert [len(batch.to_pandas()) for _ in range(2)] == [3, 3]
        assert [found.rows for found in batch.ranges] == [3]

    def test_split_at_the_number_asked_for(self, written, listen):
        listener = listen(metadata=())

        assert [len(listener.poll(2, wait)[1]) for wait in (5000, 200)] == [2, 1]


KEPT = {
    "flag": pd.ArrowDtype(pa.bool_()),
    "count": pd.ArrowDtype(pa.int32()),
    "id": pd.ArrowDtype(pa.int64()),
    "price": pd.ArrowDtype(pa.float64()),
    "name": "str",
    "at": "datetime64[ms, UTC]",
    "side": pd.CategoricalDtype(["BUY", "SELL"]),
}


@pytest.mark.parametrize("tombstones", [0, 1], ids=["without one", "with one"])
def test_kept_tombstones_make_every_column_nullable_whatever_a_frame_holds(tombstones, kafka, topic, listen):
    kafka.produce(topic, TRADE, [ROW])
    kafka.produce_raw(topic, [None] * tombstones)

    _, frame = listen(tombstones="keep", metadata=("offset", "tombstone", "schema_id")).poll(1 + tombstones, 5000)

    for name, dtype in KEPT.items():
        assert frame[name].dtype == dtype, name
    assert str(frame["tags"].dtype).startswith("list<")
    assert [frame[name].dtype for name in ("_offset", "_tombstone")] == ["int64", "bool"]
    assert frame["_schema_id"].dtype == pd.ArrowDtype(pa.int32())
    assert frame.loc[0, "id"] == ROW["id"]
    for name in TRADE["fields"]:
        assert frame[name["name"]].isna().tolist() == [False] + [True] * tombstones
    assert frame["_tombstone"].tolist() == [False] + [True] * tombstones


def test_without_kept_tombstones_the_same_columns_are_numpys(kafka, topic, listen):
    kafka.produce(topic, TRADE, [ROW])

    _, frame = listen().poll(1, 5000)

    assert [str(frame[name].dtype) for name in ("flag", "count", "id", "price")] == [
        "bool",
        "int32",
        "int64",
        "float64",
    ]


@pytest.fixture
def with_record_keys(kafka, topic):
    """Two rows, the second without a key. The registry's first user of the schema is a topic of keys."""
    kafka.create_topic(f"keys-of-{topic}")
    schema_id = kafka.produce(f"keys-of-{topic}", ID, [])
    key = b"\0" + schema_id.to_bytes(4, "big") + b"\x02x\x0e"
    kafka.produce(
        topic,
        {"type": "record", "name": "A", "fields": [{"name": "n", "type": "long"}]},
        [{"n": 1}] * 2,
        keys=[key, None],
    )


def test_a_record_key_is_a_struct_column(with_record_keys, listen):
    _, frame = listen(key="avro").poll(2, 5000)

    keys = frame["_key"]
    assert keys.isna().tolist() == [False, True]
    assert keys.struct.field("site").tolist()[0] == "x"
    assert keys.struct.field("number").dtype == pd.ArrowDtype(pa.int64())
    assert keys.struct.field("number").tolist()[0] == 7


def test_a_record_key_is_a_struct_of_polars(with_record_keys, listen):
    polars = pytest.importorskip("polars")
    batch = listen(key="avro").poll_batch(2, 5000)

    for frame in (batch.to_polars(), polars.DataFrame(batch)):
        assert frame["_key"].to_list() == [{"site": "x", "number": 7}, None]


@pytest.mark.parametrize(("kind", "dtype"), [("bytes", pd.ArrowDtype(pa.binary())), ("string", "str")])
def test_plain_keys_have_one_dtype_whatever_a_frame_holds(kind, dtype, kafka, topic, listen):
    kafka.produce(topic, {"type": "record", "name": "A", "fields": []}, [{}] * 3, keys=[b"k", None, b""])
    listener = listen(key=kind)

    frames = [listener.poll(1, wait)[1] for wait in (5000, 200, 200)]

    assert [frame["_key"].dtype == dtype for frame in frames] == [True] * 3
    assert [frame["_key"].isna().tolist() for frame in frames] == [[False], [True], [False]]
