"""Frames to messages, against the embedded broker and registry, on defaults."""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import gc
import json
import urllib.request
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest

import pykafarr
from pykafarr.testing import MockKafka
from tests.servers.faulty_registry import Answer, FaultyRegistry
from tests.unit.sent import rows

if TYPE_CHECKING:
    from collections.abc import Iterator

PRICE = {
    "type": "record",
    "name": "com.example.Price",
    "fields": [
        {"name": "symbol", "type": "string"},
        {"name": "bid", "type": "double"},
        {"name": "volume", "type": ["null", "long"]},
    ],
}
FRAME = {"symbol": ["GBPUSD", "EURUSD"], "bid": [1.25, 1.08], "volume": [7, None]}
TYPE = "com.example.Price"


@pytest.fixture(scope="module")
def kafka() -> Iterator[MockKafka]:
    with MockKafka(topics={"PRICES": 1, "MANY": 4, "EMPTY": 1}) as made:
        yield made


@pytest.fixture
def topic(kafka: MockKafka, request: pytest.FixtureRequest) -> str:
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    kafka.create_topic(name)
    return name


@pytest.fixture
def out(kafka: MockKafka) -> Iterator[pykafarr.Producer]:
    with pykafarr.producer(kafka.servers, kafka.registry_url) as made:
        yield made


def test_a_frame_of_pandas_becomes_messages(kafka: MockKafka, topic: str, out: pykafarr.Producer) -> None:
    report = out.send(TYPE, pd.DataFrame(FRAME), topic, schema=PRICE, register=True, wait=True)
    assert (report.rows, report.written, report.failures, report.done) == (2, 2, [], True)
    assert report.ranges == [pykafarr.SentRange(topic, 0, 0, 1, 2)]
    assert rows(kafka, topic).to_pydict() == FRAME
    assert f"2 rows to {topic}" in repr(report)


def test_the_schema_is_found_by_its_subject_and_the_message_type(
    kafka: MockKafka, topic: str, out: pykafarr.Producer
) -> None:
    other = {"type": "record", "name": "com.example.Trade", "fields": [{"name": "id", "type": "int"}]}
    out.send(TYPE, pd.DataFrame(FRAME), topic, schema=PRICE, register=True)
    out.send("com.example.Trade", pa.table({"id": pa.array([1], pa.int32())}), topic, schema=other, register=True)
    with pykafarr.producer(kafka.servers, kafka.registry_url) as fresh:
        assert fresh.send(TYPE, pa.table(FRAME), topic, wait=True).written == 2
        with pytest.raises(
            pykafarr.SchemaNotFoundError, match=r"no version of the message type com\.example\.X, but of"
        ):
            fresh.send("com.example.X", pa.table(FRAME), topic)
        with pytest.raises(pykafarr.SchemaNotFoundError, match=r"Subject 'EMPTY-value' not found.*register=True"):
            fresh.send(TYPE, pa.table(FRAME), "EMPTY")
        with pytest.raises(
            pykafarr.ConfigError, match=r"message_type is com\.example\.Price, and the schema is of the type"
        ):
            fresh.send(TYPE, pa.table(FRAME), topic, schema="latest")
    fresh_id = out.send(TYPE, pa.table(FRAME), topic, schema={"subject": f"{topic}-value", "version": 1}, wait=True)
    assert fresh_id.written == 2


def test_a_schema_that_is_not_registered_is_not_registered_unasked(
    kafka: MockKafka, topic: str, out: pykafarr.Producer
) -> None:
    with pytest.raises(pykafarr.SchemaNotFoundError, match="register=True registers it"):
        out.send(TYPE, pa.table(FRAME), topic, schema=PRICE)
    with pytest.raises(pykafarr.SchemaNotFoundError):
        out.send(TYPE, pa.table(FRAME), topic)


@pytest.mark.parametrize("kind", ["table", "batch", "reader", "polars", "duckdb", "capsule", "chunks"])
def test_any_frame_is_taken(kafka: MockKafka, topic: str, out: pykafarr.Producer, kind: str) -> None:
    table = pa.table(FRAME)
    frame: Any = table
    if kind == "batch":
        frame = table.to_batches()[0]
    elif kind == "reader":
        frame = table.to_reader()
    elif kind == "polars":
        frame = pytest.importorskip("polars").DataFrame(FRAME)
    elif kind == "duckdb":
        frame = pytest.importorskip("duckdb").from_arrow(table)
    elif kind == "capsule":

        class Capsule:
            def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
                return table.__arrow_c_stream__(requested_schema)

        frame = Capsule()
    elif kind == "chunks":
        frame = pa.concat_tables([table.slice(0, 1), table.slice(1, 1)])
    report = out.send(TYPE, frame, topic, schema=PRICE, register=True, wait=True)
    assert report.ranges == [pykafarr.SentRange(topic, 0, 0, 1, 2)]
    assert rows(kafka, topic).to_pydict() == FRAME


def test_a_bad_value_is_named_before_anything_is_sent(kafka: MockKafka, topic: str, out: pykafarr.Producer) -> None:
    table = pa.concat_tables([pa.table(FRAME)] * 3 + [pa.table({**FRAME, "bid": [1.0, None]})])
    with pytest.raises(pykafarr.EncodeError, match="bid: row 7: ") as caught:
        out.send(TYPE, table, topic, schema=PRICE, register=True)
    assert (caught.value.row, caught.value.path) == (7, "bid")
    assert isinstance(caught.value, ValueError)
    out.flush()
    assert rows(kafka, topic, reader_schema=PRICE).num_rows == 0


def test_python_objects_become_what_the_schema_says(kafka: MockKafka, topic: str, out: pykafarr.Producer) -> None:
    schema = {
        "type": "record",
        "name": "R",
        "fields": [
            {"name": "d", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
            {"name": "l", "type": {"type": "array", "items": "int"}},
            {
                "name": "r",
                "type": ["null", {"type": "record", "name": "S", "fields": [{"name": "x", "type": ["null", "long"]}]}],
            },
            {"name": "when", "type": {"type": "int", "logicalType": "date"}},
            {"name": "n", "type": ["null", "int"]},
            {"name": "f", "type": ["null", "double"]},
            {"name": "g", "type": "double"},
        ],
    }
    frame = pd.DataFrame(
        {
            "d": [decimal.Decimal("1.5"), decimal.Decimal("-2.25")],
            "l": [[1, 2], []],
            "r": [{"x": 1}, None],
            "when": [dt.date(2026, 1, 31), dt.date(1969, 12, 31)],
            "n": [1, None],
            "f": [float("nan"), 2.0],
            "g": [float("nan"), 2.0],
        }
    )
    out.send("R", frame, topic, schema=schema, register=True, wait=True)
    found = rows(kafka, topic).to_pylist()
    assert [row["d"] for row in found] == [decimal.Decimal("1.50"), decimal.Decimal("-2.25")]
    assert [row["l"] for row in found] == [[1, 2], []]
    assert [row["r"] for row in found] == [{"x": 1}, None]
    assert [row["when"] for row in found] == list(frame["when"])
    assert [row["n"] for row in found] == [1, None]
    # NaN is a null where there may be one, and a number where there may be none.
    assert found[0]["f"] is None
    assert found[0]["g"] != found[0]["g"]
    with pytest.raises(pykafarr.EncodeError, match=r"l\.item: row 1: 'x' cannot be written"):
        out.send("R", frame.assign(l=[[1], ["x"]]), topic)
    with pytest.raises(pykafarr.EncodeError, match=r"n: row 0: 1\.5 cannot be written"):
        out.send("R", frame.assign(n=[1.5, None]), topic)


def test_a_frame_may_be_changed_once_send_has_returned(kafka: MockKafka, topic: str, out: pykafarr.Producer) -> None:
    frame = pd.DataFrame({"symbol": ["A"] * 50_000, "bid": 1.0, "volume": 1})
    bids = frame["bid"].to_numpy()
    report = out.send(TYPE, frame, topic, schema=PRICE, register=True)
    if bids.flags.writeable:
        bids[:] = 2.0
    frame.loc[:, "bid"] = 3.0
    report.wait()
    assert set(rows(kafka, topic)["bid"].to_pylist()) == {1.0}


def test_a_listeners_frames_are_sent_on_as_they_came(kafka: MockKafka, topic: str, out: pykafarr.Producer) -> None:
    table = pa.table(
        {
            **FRAME,
            "_key": pa.array([b"k", None], pa.binary()),
            "_headers": pa.array([[("a", b"1"), ("b", None)], []], pykafarr_headers()),
            "_timestamp": pa.array([1_700_000_000_000, 1_700_000_000_001], pa.timestamp("ms", "UTC")),
            "_tombstone": [False, False],
            "_offset": [4, 5],
        }
    )
    out.send(TYPE, table, topic, schema=PRICE, register=True, extra="error", wait=True)
    kafka.create_topic(f"{topic}-copy")
    metadata = ("key", "headers", "timestamp", "tombstone", "offset")
    with pykafarr.listener(
        kafka.servers, topic, topic, kafka.registry_url, metadata=metadata, config={"auto.offset.reset": "earliest"}
    ) as p:
        batch = p.poll_batch(2)
    assert batch is not None
    out.send(batch.message_type, batch, f"{topic}-copy", schema=PRICE, register=True, wait=True)
    copy = rows(kafka, f"{topic}-copy", metadata=metadata)
    assert copy.drop_columns("_offset").to_pydict() == batch.to_arrow().drop_columns("_offset").to_pydict()
    assert copy.drop_columns("_offset").to_pydict() == table.drop_columns("_offset").to_pydict()


def pykafarr_headers() -> pa.DataType:
    return pa.list_(pa.struct([("key", pa.string()), ("value", pa.binary())]))


def test_keys_headers_and_tombstones_of_pandas(kafka: MockKafka, topic: str, out: pykafarr.Producer) -> None:
    frame = pd.DataFrame({**FRAME, "_headers": [{"a": "1"}, None], "gone": [False, True]})
    report = out.send(
        *(TYPE, frame, topic), schema=PRICE, register=True, key="symbol", tombstone="gone", extra="error", wait=True
    )
    assert report.written == 2
    with pykafarr.listener(
        kafka.servers,
        topic,
        topic,
        kafka.registry_url,
        metadata=("key", "headers", "tombstone"),
        tombstones="keep",
        key="string",
        config={"auto.offset.reset": "earliest"},
    ) as p:
        batch = p.poll_batch(2)
    assert batch is not None
    assert batch.to_arrow().to_pylist() == [
        {
            "symbol": "GBPUSD",
            "bid": 1.25,
            "volume": 7,
            "_key": "GBPUSD",
            "_tombstone": False,
            "_headers": [{"key": "a", "value": b"1"}],
        },
        {"symbol": None, "bid": None, "volume": None, "_key": "EURUSD", "_headers": [], "_tombstone": True},
    ]


def test_avro_keys_are_written_by_the_subject_of_keys(kafka: MockKafka, topic: str, out: pykafarr.Producer) -> None:
    frame = pa.table({**FRAME, "id": pa.array([1, 300], pa.int64())})
    key = {"column": "id", "format": "avro", "schema": '"long"', "register": True}
    out.send(TYPE, frame, topic, schema=PRICE, register=True, key=key, wait=True)
    assert rows(kafka, topic, key="avro")["_key"].to_pylist() == [1, 300]
    key = {"column": "id", "format": "string"}
    out.send(TYPE, frame, topic, key=key, wait=True)
    assert rows(kafka, topic, key="bytes")["_key"].to_pylist()[2:] == [b"1", b"300"]


def test_the_bare_name_of_a_type_is_registered_as_the_schema_that_it_means(
    kafka: MockKafka, topic: str, out: pykafarr.Producer
) -> None:
    frame = pa.table({**FRAME, "id": pa.array([1, 300], pa.int64())})
    for key in ({"column": "id", "schema": "long", "register": True}, {"column": "id", "schema": '"long"'}):
        out.send(TYPE, frame, topic, schema=PRICE, register=True, key=key, wait=True)
    with urllib.request.urlopen(f"{kafka.registry_url}/subjects/{topic}-key/versions/latest") as answer:
        assert json.load(answer)["schema"] == '"long"'
    assert rows(kafka, topic, key="avro")["_key"].to_pylist() == [1, 300] * 2


@pytest.mark.parametrize("framing", ["schema_header", "bare"])
def test_other_framings_are_read_back(kafka: MockKafka, topic: str, out: pykafarr.Producer, framing: Any) -> None:
    register = framing != "bare"
    out.send(TYPE, pa.table(FRAME), topic, schema=PRICE, register=register, framing=framing, wait=True)
    given = {} if register else {"schema": PRICE}
    assert rows(kafka, topic, framing=framing, **given).to_pydict() == FRAME


def test_bare_messages_need_no_registry(kafka: MockKafka, topic: str) -> None:
    with pykafarr.producer(kafka.servers, None) as out:
        out.send(TYPE, pa.table(FRAME), topic, schema=PRICE, framing="bare")
        with pytest.raises(pykafarr.ConfigError, match="registry_url is None"):
            out.send(TYPE, pa.table(FRAME), topic, schema=PRICE)
    assert rows(kafka, topic, framing="bare", schema=PRICE).num_rows == 2


def test_a_topic_that_does_not_exist_is_an_error(kafka: MockKafka, out: pykafarr.Producer) -> None:
    with pytest.raises(pykafarr.TopicNotFoundError, match="no-such-topic"):
        out.send(TYPE, pa.table(FRAME), "no-such-topic", schema=PRICE, register=True)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"schema": {"a": 1}}, pykafarr.ConfigError, "unknown key of schema: 'a'"),
        ({"schema": "latest", "register": True}, pykafarr.ConfigError, "register=True is for a schema that is given"),
        ({"subject": "x"}, pykafarr.ConfigError, "subject must be one of 'topic', 'record', 'topic_record'"),
        ({"key": {"colum": "x"}}, pykafarr.ConfigError, "unknown key of key: 'colum'"),
        ({"key": "no"}, pykafarr.ConfigError, 'key: the frame has no column "no"'),
        ({"key": "symbl"}, pykafarr.ConfigError, "Did you mean symbol"),
        ({"partitioner": "murmur"}, pykafarr.ConfigError, "Did you mean murmur2"),
        ({"timestamp": "symbol"}, pykafarr.ConfigError, "it wants timestamps"),
        ({"partition": "bid"}, pykafarr.ConfigError, r'it wants whole numbers; pandas .*astype\("Int64"\)'),
        ({"key": {"column": "bid", "format": "string"}}, pykafarr.ConfigError, r'whole numbers; .*astype\("Int64"\)'),
        ({"timestamp": "bid"}, pykafarr.ConfigError, r'milliseconds since 1970; .*astype\("Int64"\)'),
        ({"key": {"column": "symbol", "schema": '"long"'}, "framing": "bare"}, pykafarr.SchemaError, "symbol"),
        (
            {"key": {"column": "symbol", "format": "bytes", "schema": '"long"'}},
            pykafarr.ConfigError,
            "key: a schema is given, and the format is bytes",
        ),
        ({"headers": 1}, TypeError, "headers must be"),
        ({"wait": 1}, TypeError, "wait must be a bool"),
        ({"extra": "error", "frame": pa.table({**FRAME, "more": [1, 2]})}, pykafarr.KafarrError, "more"),
        ({"frame": pa.table({"symbol": ["a"]})}, pykafarr.KafarrError, "bid"),
        ({"frame": 5}, TypeError, "frame must be a frame of pandas"),
        ({"frame": pd.DataFrame({1: [1]})}, pykafarr.ConfigError, "the name of column 0 is 1"),
        ({"frame": pd.DataFrame(FRAME).set_index("symbol")}, pykafarr.ConfigError, "call reset_index"),
        ({"frame": pd.Series([1], name="bid")}, TypeError, r"frame is a pandas\.Series: call to_frame\(\) first"),
        ({"frame": pd.DataFrame({"bid": [1 + 2j]})}, pykafarr.ConfigError, "bid: a column of the dtype complex128"),
        ({"frame": pd.DataFrame({"bid": pd.arrays.SparseArray([1.0])})}, pykafarr.ConfigError, "bid: .*dtype Sparse"),
        ({"frame": pa.array([{"bid": 1.0}, None])}, pykafarr.ConfigError, "frame: .*no null rows"),
        ({"topic": ""}, pykafarr.ConfigError, "topic must not be empty"),
    ],
)
def test_a_wrong_argument_is_named(
    kafka: MockKafka, topic: str, out: pykafarr.Producer, arguments: dict[str, Any], error: Any, match: str
) -> None:
    out.send(TYPE, pa.table(FRAME), topic, schema=PRICE, register=True, wait=True)
    arguments = {"message_type": TYPE, "frame": pa.table(FRAME), "topic": topic, **arguments}
    with pytest.raises(error, match=match):
        out.send(**arguments)
    assert rows(kafka, topic).num_rows == 2


@pytest.mark.parametrize(
    ("column", "match"),
    [
        (pa.array([1, 2**63 - 1], pa.timestamp("s", "UTC")), "when: row 1: .* more than 285,000 years after 1970$"),
        (pa.array([1, 2**63 - 1], pa.int64()), "when: row 1: .* divide numbers of another unit"),
        (pa.array([1, -1], pa.timestamp("us", "UTC")), "when: row 1: -1 milliseconds are before 1970"),
        (pa.array([1, -(2**63)], pa.timestamp("s", "UTC")), "when: row 1: .* before 1970"),
    ],
)
def test_a_timestamp_that_no_broker_takes_is_an_error_that_says_why(
    topic: str, out: pykafarr.Producer, column: Any, match: str
) -> None:
    frame = pa.table({**FRAME, "when": column})
    with pytest.raises(pykafarr.EncodeError, match=match):
        out.send(TYPE, frame, topic, schema=PRICE, register=True, timestamp="when")


def test_a_stream_is_checked_batch_by_batch_and_an_empty_one_all_the_same(
    kafka: MockKafka, topic: str, out: pykafarr.Producer
) -> None:
    good, bad = pa.table(FRAME).to_batches()[0], pa.table({**FRAME, "bid": [1.0, None]}).to_batches()[0]
    stream = pa.RecordBatchReader.from_batches(good.schema, iter([good, bad]))
    with pytest.raises(pykafarr.EncodeError, match="bid: row 3: "):
        out.send(TYPE, stream, topic, schema=PRICE, register=True)
    out.flush()
    assert rows(kafka, topic).num_rows == 2
    empty = pa.RecordBatchReader.from_batches(good.schema, iter([]))
    assert out.send(TYPE, empty, topic, wait=True).rows == 0
    assert out.send(TYPE, pd.DataFrame(FRAME)[:0], topic, wait=True).rows == 0
    with pytest.raises(pykafarr.KafarrError, match="bid"):
        out.send(TYPE, pa.table({"symbol": pa.array([], pa.string())}), topic)


def test_a_closed_producer_says_so(kafka: MockKafka) -> None:
    out = pykafarr.producer(kafka.servers, kafka.registry_url)
    out.close()
    out.close()
    with pytest.raises(pykafarr.ClosedError):
        out.send(TYPE, pa.table(FRAME), "PRICES")
    with pytest.raises(pykafarr.ClosedError):
        out.flush()
    assert "closed" in repr(out)


def test_an_unclosed_producer_warns(kafka: MockKafka) -> None:
    left_open = [pykafarr.producer(kafka.servers, kafka.registry_url)]
    with pytest.warns(ResourceWarning, match="was never closed"):
        left_open.clear()


def test_each_array_is_released_once_whatever_happens(kafka: MockKafka, topic: str, out: pykafarr.Producer) -> None:
    before = pa.total_allocated_bytes()
    for frame in (FRAME, {**FRAME, "bid": [1.0, None]}):
        table = pa.table({name: pa.array(values) for name, values in frame.items()})
        with contextlib.suppress(pykafarr.EncodeError):
            out.send(TYPE, pa.concat_tables([table, table]), topic, schema=PRICE, register=True, wait=True)
        with pytest.raises(pykafarr.ConfigError):
            out.send(TYPE, table, topic, partition="symbol")
        del table
    gc.collect()
    assert pa.total_allocated_bytes() <= before


def test_thousands_of_small_sends_leave_no_handle_behind(kafka: MockKafka, topic: str, out: pykafarr.Producer) -> None:
    frame = pa.table(FRAME)
    for _ in range(1000):
        out.send(TYPE, frame, topic, schema=PRICE, register=True)
    out.flush()
    assert rows(kafka, topic).num_rows == 2000


def test_a_transaction_is_seen_as_a_whole_or_not_at_all(kafka: MockKafka, topic: str) -> None:
    frame = pa.table(FRAME)
    with pykafarr.producer(kafka.servers, kafka.registry_url, transactional_id=topic) as out:
        with pytest.raises(pykafarr.StateError, match="within transactions only"):
            out.send(TYPE, frame, topic, schema=PRICE, register=True)
        with out.transaction() as t:
            t.send(TYPE, frame, topic, schema=PRICE, register=True)
        with contextlib.suppress(ZeroDivisionError), out.transaction() as t:
            t.send(TYPE, frame, topic)
            _ = 1 / 0
        with out.transaction() as t:
            t.send(TYPE, frame.slice(0, 1), topic)
    assert rows(kafka, topic)["symbol"].to_pylist() == ["GBPUSD", "EURUSD", "GBPUSD"]
    with (
        pykafarr.producer(kafka.servers, kafka.registry_url) as out,
        pytest.raises(pykafarr.ConfigError, match=r"transactional\.id"),
        out.transaction(),
    ):
        pass


def test_values_without_a_schema_are_sent_as_they_are(kafka: MockKafka, topic: str, out: pykafarr.Producer) -> None:
    table = pa.table({"value": pa.array([b"\x00\x01", b"", None], pa.binary()), "_key": ["a", "b", "c"]})
    out.send("bytes", table, topic, wait=True)
    with pykafarr.scan(kafka.servers, topic, None, value="bytes", key="string", tombstones="keep").read() as stream:
        found = stream.to_arrow("bytes")
    assert found.drop_columns("_offset").to_pydict() == table.to_pydict()
    out.send("string", pd.DataFrame({"value": ["x"]}), topic, wait=True)
    with pytest.raises(pykafarr.ConfigError, match="the frame has no column"):
        out.send("bytes", pa.table({"other": [b"x"]}), topic)


def test_a_schema_is_derived_when_that_is_asked_for(kafka: MockKafka, topic: str, out: pykafarr.Producer) -> None:
    frame = pd.DataFrame(
        {"symbol": ["A", None], "bid": [1.0, 2.0], "at": pd.to_datetime(["2026-01-31", None], utc=True)}
    )
    out.send("com.example.Derived", frame, topic, schema="derive", register=True, wait=True)
    found = rows(kafka, topic)
    assert found["symbol"].to_pylist() == ["A", None]
    assert found["bid"].to_pylist() == [1.0, 2.0]
    assert [value is None for value in found["at"].to_pylist()] == [False, True]


@contextlib.contextmanager
def registry_that_says(answer: Answer) -> Iterator[str]:
    """The address of a registry that has one answer to everything."""
    registry = FaultyRegistry("http://127.0.0.1:9")
    registry.fault = lambda _path: answer
    try:
        yield registry.url
    finally:
        registry.close()


@pytest.mark.parametrize("number", [None, 0, -5, 2**31, 2**33 + 7])
@pytest.mark.parametrize("options", [{}, {"schema": PRICE, "register": True}])
def test_an_answer_of_the_registry_without_a_usable_id_is_an_error_and_nothing_is_sent(
    kafka: MockKafka, topic: str, number: int | None, options: dict[str, Any]
) -> None:
    answer: dict[str, Any] = {} if number is None else {"id": number, "version": 1}
    body = json.dumps({"schema": json.dumps(PRICE), **answer}).encode()
    with (
        registry_that_says(Answer(200, body)) as url,
        pykafarr.producer(kafka.servers, url) as out,
        pytest.raises(pykafarr.RegistryError, match="the answer has no schema id"),
    ):
        out.send(TYPE, pa.table(FRAME), topic, **options)
    assert len(rows(kafka, topic, value="bytes")) == 0


def test_a_registry_that_is_slow_is_a_registry_error(kafka: MockKafka, topic: str) -> None:
    answer = Answer(200, raw=b"HTTP/1.1 200 OK\r\n\r\n", more=b" ", pause=0.02)
    config = {"request.timeout.ms": 300}
    with (
        registry_that_says(answer) as url,
        pykafarr.producer(kafka.servers, url, registry_config=config) as out,
        pytest.raises(pykafarr.RegistryError, match="no answer within"),
    ):
        out.send(TYPE, pa.table(FRAME), topic)


@pytest.mark.parametrize("framing", ["confluent", "schema_header"])
def test_a_header_that_named_the_schema_of_a_message_that_was_read_is_not_sent_with_its_copy(
    kafka: MockKafka, topic: str, out: pykafarr.Producer, framing: str
) -> None:
    out.send(TYPE, pa.table(FRAME), topic, schema=PRICE, register=True, framing="schema_header", wait=True)
    kafka.create_topic(topic + "-copy")
    wider = {**PRICE, "fields": [{"name": "pad", "type": "string", "default": "-"}, *PRICE["fields"]]}  # type: ignore[misc]
    options: dict[str, Any] = {"framing": "schema_header", "metadata": ("headers",)}
    with pykafarr.scan(kafka.servers, topic, kafka.registry_url, **options).read() as stream:
        for batch in stream:
            assert [header["key"] for header in batch.to_arrow()["_headers"][0].as_py()] == ["__value_schema_id"]
            more = {"schema": wider, "register": True, "missing": "default", "framing": framing, "wait": True}
            out.send(TYPE, batch, topic + "-copy", **more)
    found = rows(kafka, topic + "-copy", framing=framing, metadata=("headers",))
    assert found["symbol"].to_pylist() == FRAME["symbol"]
    assert [len(headers) for headers in found["_headers"].to_pylist()] == [framing == "schema_header"] * 2


def test_a_header_without_a_key_is_an_error(out: pykafarr.Producer, topic: str) -> None:
    headers = [[{"key": "a", "value": b"1"}], [{"key": None, "value": b"2"}]]
    table = pa.table(FRAME).append_column(
        "h", pa.array(headers, pa.list_(pa.struct({"key": pa.string(), "value": pa.binary()})))
    )
    with pytest.raises(pykafarr.EncodeError, match=r"h: row 1: a header has no key"):
        out.send(TYPE, table, topic, schema=PRICE, register=True, headers="h")


def test_timestamps_without_a_time_zone_are_no_timestamps_of_messages(out: pykafarr.Producer, topic: str) -> None:
    frame = pd.DataFrame({**FRAME, "at": pd.to_datetime(["2026-01-01", "2026-01-02"])})
    with pytest.raises(pykafarr.ConfigError, match="tz_localize"):
        out.send(TYPE, frame, topic, schema=PRICE, register=True, timestamp="at")
    frame["at"] = frame["at"].dt.tz_localize("UTC")
    assert out.send(TYPE, frame, topic, schema=PRICE, register=True, timestamp="at", wait=True).written == 2


def test_an_exception_of_a_stream_has_the_report_of_the_rows_before_it(
    kafka: MockKafka, topic: str, out: pykafarr.Producer
) -> None:
    table = pa.table(FRAME)

    def broken(last: pa.RecordBatch | None) -> Iterator[pa.RecordBatch]:
        yield from table.to_batches()
        if last is None:
            raise KeyError("the database is gone")
        yield last

    bad = pa.record_batch({**FRAME, "symbol": ["A", None]}, schema=table.schema)
    for last, kind in ((None, KeyError), (bad, pykafarr.EncodeError)):
        for send in (out.send, sender_of(kafka)):
            reader = pa.RecordBatchReader.from_batches(table.schema, broken(last))
            with pytest.raises(kind) as raised:
                send(TYPE, reader, topic, schema=PRICE, register=True)
            report: Any = raised.value.report  # type: ignore[attr-defined]
            assert report.wait().rows == report.written == 2
    with pytest.raises(pykafarr.EncodeError) as raised:  # of which nothing was sent
        out.send(TYPE, pa.table([bad[name] for name in table.schema.names], schema=table.schema), topic, schema=PRICE)
    assert getattr(raised.value, "report", None) is None
    assert rows(kafka, topic).num_rows == 8


def sender_of(kafka: MockKafka) -> Any:
    """send(), by a sender."""

    def send(kind: str, frame: Any, topic: str, **options: Any) -> Any:
        return pykafarr.Sender(kafka.servers, topic, kafka.registry_url, message_type=kind, **options).send(frame)

    return send


def test_a_topic_that_does_not_exist_leaves_no_schema_in_the_registry(kafka: MockKafka) -> None:
    quick = {"topic.metadata.propagation.max.ms": 1}
    with pykafarr.producer(kafka.servers, kafka.registry_url, config=quick) as out:
        for frame in (pd.DataFrame({**FRAME, "volume": [7, 8]}), pa.table(FRAME)):
            with pytest.raises(pykafarr.TopicNotFoundError):
                out.send(TYPE, frame, "NO-SUCH-TOPIC", schema=PRICE, register=True)
    with urllib.request.urlopen(f"{kafka.registry_url}/subjects") as answer:
        assert "NO-SUCH-TOPIC-value" not in json.load(answer)


def test_the_name_of_a_file_is_no_schema(out: pykafarr.Producer, topic: str) -> None:
    with pytest.raises(pykafarr.ConfigError, match=r"schema: 'price.avsc' is the name of a file, .*pathlib.Path\("):
        out.send(TYPE, pa.table(FRAME), topic, schema="price.avsc")
