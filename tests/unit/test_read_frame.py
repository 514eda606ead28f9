"""`read_frame()`: one frame of a range, the same in every run."""

import duckdb
import polars as pl
import pyarrow as pa
import pytest

import pykafarr
from pykafarr import ConfigError
from pykafarr.testing import MockKafka
from tests.books import closed_books  # noqa: F401  # every test keeps the column memory's books

PRICE = {
    "type": "record",
    "name": "Price",
    "fields": [{"name": "symbol", "type": "string"}, {"name": "bid", "type": "long"}],
}
NEWER = {**PRICE, "fields": [*PRICE["fields"], {"name": "ask", "type": ["null", "long"], "default": None}]}
TRADE = {"type": "record", "name": "Trade", "fields": [{"name": "quantity", "type": "long"}]}


@pytest.fixture(scope="module")
def kafka():
    """PRICES: three partitions, whose rows alternate in time; EVOLVED; MIXED; EMPTY with a schema; NOTHING."""
    with MockKafka(
        topics={"PRICES": 3, "EVOLVED": 1, "MIXED": 1, "EMPTY": 2, "NOTHING": 1, "GAPS": 2, "BROKEN": 1, "COUNTS": 1}
    ) as made:
        for row in range(12):
            price = [{"symbol": "x", "bid": row}]
            made.produce("PRICES", PRICE, price, partition=2 - row % 3, timestamp=1_000_000 + row)
        made.produce("EVOLVED", PRICE, [{"symbol": "a", "bid": 1}])
        made.produce("EVOLVED", NEWER, [{"symbol": "b", "bid": 2, "ask": 3}])
        made.produce("MIXED", TRADE, [{"quantity": 5}])
        made.produce("MIXED", PRICE, [{"symbol": "x", "bid": 1}])
        made.produce("EMPTY", PRICE, [])
        # Rows far apart: those between have no value, and are left out.
        for row in range(4):
            made.produce("GAPS", PRICE, [{"symbol": "g", "bid": row}], partition=row % 2, timestamp=2_000_000 + row)
            made.produce_raw("GAPS", [None] * 50, partition=row % 2, timestamp=2_000_000 + row)
        yield made


@pytest.fixture
def read(kafka):
    def frame(topics="PRICES", **options):
        return pykafarr.read_frame(topics, servers=kafka.servers, registry_url=kafka.registry_url, **options)

    return frame


def test_a_frame_is_in_the_order_of_partitions_and_offsets(read):
    frame = read()
    assert frame.columns.tolist() == ["symbol", "bid", "_partition", "_offset"]
    assert frame["bid"].tolist() == [2, 5, 8, 11, 1, 4, 7, 10, 0, 3, 6, 9]
    assert frame["_partition"].tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert frame["_offset"].tolist() == [0, 1, 2, 3] * 3


def test_a_frame_may_be_in_the_order_of_time(read):
    assert read(order="timestamp")["bid"].tolist() == list(range(12))


def test_a_tail_has_the_newest_rows_of_all_partitions(read):
    assert read(tail=4, order="timestamp")["bid"].tolist() == [8, 9, 10, 11]
    assert read(tail=4)["bid"].tolist() == [8, 11, 10, 9]
    assert len(read(tail=100)) == 12
    assert read(tail=2, partitions=1)["bid"].tolist() == [7, 10]


def test_a_limit_has_the_first_rows_of_the_frame(read):
    assert read(limit=5)["bid"].tolist() == [2, 5, 8, 11, 1]
    assert read(limit=5, order="timestamp")["bid"].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("rows", [1, 2, 3, 4])
def test_a_tail_counts_rows_and_not_offsets(read, rows):
    options = {"tombstones": "skip", "order": "timestamp"}
    assert read("GAPS", tail=rows, **options)["bid"].tolist() == list(range(4))[-rows:]
    assert read("GAPS", limit=rows, **options)["bid"].tolist() == list(range(rows))


def test_partitions_are_chosen_by_number(read):
    assert read(partitions=[0, 2])["bid"].tolist() == [2, 5, 8, 11, 0, 3, 6, 9]
    assert read(partitions=1).columns.tolist() == ["symbol", "bid", "_offset"]
    with pytest.raises(ConfigError, match="there is no 7: there are 0, 1, 2"):
        read(partitions=[7])


def test_since_and_until_are_times(read):
    frame = read(since=pykafarr.Milliseconds(1_000_003), until=pykafarr.Milliseconds(1_000_007), order="timestamp")
    assert frame["bid"].tolist() == [3, 4, 5, 6]
    assert read(since="1h").empty
    with pytest.raises(ConfigError, match="since and start exclude each other"):
        read(since="1h", start="earliest")
    with pytest.raises(TypeError, match="since must be a time"):
        read(since=5)


def test_a_topic_that_evolved_is_read_as_its_newest_schema(read):
    assert read("EVOLVED")["ask"].isna().tolist() == [True, False]


def test_an_empty_topic_has_the_columns_of_its_subject(read):
    for frame in (read("EMPTY"), read("EMPTY", tail=3), read("EMPTY", limit=3, order="timestamp")):
        assert frame.columns.tolist() == ["symbol", "bid", "_partition", "_offset"]
        assert len(frame) == 0
    with pytest.raises(ConfigError, match="no message type is known"):
        read("NOTHING")


def test_rows_of_several_types_are_an_error_that_names_them(read):
    with pytest.raises(ConfigError, match="several message types, Price, Trade: message_type= chooses one"):
        read("MIXED", reader_schema=None)
    assert read("MIXED", reader_schema=None, message_type="Price")["bid"].tolist() == [1]
    assert read("MIXED", reader_schema=None, message_type="Trade")["quantity"].tolist() == [5]


@pytest.mark.parametrize("message_type", ["Price", "Trade"])
def test_a_tail_of_a_type_counts_its_rows_alone(read, message_type):
    for count in ({"tail": 1}, {"limit": 1}):
        assert len(read("MIXED", reader_schema=None, message_type=message_type, **count)) == 1
    with pytest.raises(pykafarr.SchemaError, match="no rows of the message type 'Order'"):
        read("MIXED", reader_schema=None, message_type="Order", tail=1)


def test_a_frame_is_of_the_library_that_is_asked_for(read):
    table, frame = read(frame="arrow"), read(frame="polars")
    assert isinstance(table, pa.Table)
    assert isinstance(frame, pl.DataFrame)
    assert frame["bid"].to_list() == table["bid"].to_pylist() == read()["bid"].tolist()
    assert read("EMPTY", frame="polars").columns == ["symbol", "bid", "_partition", "_offset"]


def test_metadata_has_the_names_and_the_order_asked_for(read):
    frame = read(metadata={"timestamp": "when", "offset": "position"}, tail=1)
    assert frame.columns.tolist() == ["symbol", "bid", "when", "position"]
    assert frame["position"].tolist() == [3]
    assert read(metadata=None).columns.tolist() == ["symbol", "bid"]
    assert read(["PRICES", "EMPTY"]).columns.tolist() == ["symbol", "bid", "_topic", "_partition", "_offset"]
    assert read(key="bytes", limit=1).columns.tolist()[-2:] == ["_offset", "_key"]


def test_servers_and_registry_may_be_variables(kafka, monkeypatch):
    monkeypatch.delenv("PYKAFARR_SERVERS", raising=False)
    with pytest.raises(ConfigError, match="the variable PYKAFARR_SERVERS"):
        pykafarr.read_frame("PRICES")
    monkeypatch.setenv("PYKAFARR_SERVERS", kafka.servers)
    monkeypatch.setenv("PYKAFARR_REGISTRY_URL", kafka.registry_url)
    assert len(pykafarr.read_frame("PRICES")) == 12


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"tail": 1, "limit": 1}, "exclude each other"),
        ({"tail": 0}, "1 or more"),
        ({"limit": -1}, "limit must be from 1"),
        ({"frame": "dask"}, "frame must be one of 'pandas', 'arrow', 'polars'"),
        ({"order": "key"}, "order must be one of"),
        ({"errors": "collect"}, "no place for rejected rows"),
        ({"partitions": []}, "there are 0, 1, 2"),
    ],
    ids=repr,
)
def test_what_cannot_be_meant_is_refused(read, options, said):
    with pytest.raises(ConfigError, match=said):
        read(**options)


def test_a_plan_is_a_stream_of_arrow_that_is_read_as_often_as_one_likes(kafka):
    plan = pykafarr.scan(kafka.servers, "PRICES", kafka.registry_url)
    for _ in range(2):
        assert sorted(pa.table(plan)["bid"].to_pylist()) == list(range(12))
        assert sorted(pl.DataFrame(plan)["bid"].to_list()) == list(range(12))
    assert pa.schema(plan) == plan.schema
    assert duckdb.sql("SELECT sum(bid) FROM plan").fetchall() == [(66,)]


def test_an_error_in_the_middle_of_a_plans_stream_is_raised(kafka):
    kafka.produce("BROKEN", PRICE, [{"symbol": "x", "bid": row} for row in range(3)])
    kafka.produce_raw("BROKEN", [b"\1broken"])
    plan = pykafarr.scan(kafka.servers, "BROKEN", kafka.registry_url, num_messages=1)
    for read in (pa.table, pl.DataFrame, lambda plan: duckdb.sql("SELECT * FROM plan").fetchall()):
        with pytest.raises(Exception, match=r"BROKEN\[0\]@3"):
            read(plan)
    # Half of a stream that is dropped frees what it held: closed_books looks.
    reader = pa.RecordBatchReader.from_stream(plan)
    assert reader.read_next_batch().num_rows == 1
