"""Scans of an embedded broker: plans, tasks and what a stream can be made."""

import pickle
import re

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import pykafarr
from pykafarr import IncompleteError
from pykafarr._engines import common
from pykafarr.testing import MockKafka
from tests.books import closed_books  # noqa: F401  # every test keeps the column memory's books

PRICE = {
    "type": "record",
    "name": "com.example.Price",
    "fields": [{"name": "symbol", "type": "string"}, {"name": "bid", "type": "double"}],
}
SIDE = {"type": "enum", "name": "Side", "symbols": ["BUY", "SELL"]}
TRADE = {
    "type": "record",
    "name": "com.example.Trade",
    "fields": [{"name": "side", "type": SIDE}, {"name": "quantity", "type": ["null", "long"]}],
}
COUNT = 90  # prices, 30 a partition


@pytest.fixture(scope="module")
def kafka():
    """PRICES with three partitions; TRADES with one; MIXED with both types; NOTHING."""
    with MockKafka(topics={"PRICES": 3, "TRADES": 1, "MIXED": 1, "NOTHING": 2}) as made:
        for partition in range(3):
            prices = [{"symbol": f"{partition}", "bid": number} for number in range(COUNT // 3)]
            made.produce("PRICES", PRICE, prices, partition=partition)
        made.produce("TRADES", TRADE, [{"side": "SELL", "quantity": 2**60 + number} for number in range(5)])
        made.produce("MIXED", TRADE, [{"side": "BUY", "quantity": None}])
        made.produce("MIXED", PRICE, [{"symbol": "x", "bid": 1}, {"symbol": "y", "bid": 2}])
        yield made


@pytest.fixture
def scan(kafka):
    def plan(topics="PRICES", **options):
        return pykafarr.scan(kafka.servers, topics, kafka.registry_url, **options)

    return plan


def test_a_plan_is_a_frame_of_ranges(scan):
    plan = scan(["PRICES", "NOTHING"])
    frame = plan.partitions
    assert frame["topic"].tolist() == ["NOTHING"] * 2 + ["PRICES"] * 3
    assert frame["partition"].tolist() == [0, 1, 0, 1, 2]
    assert frame["start"].tolist() == [0] * 5
    assert frame["end"].tolist() == frame["rows"].tolist() == [0, 0, 30, 30, 30]
    assert [str(dtype) for dtype in frame.dtypes[1:]] == ["int64"] * 4
    assert plan.rows == COUNT
    assert repr(plan) == "<pykafarr.Plan PRICES, NOTHING: 5 partitions, 90 rows>"


def test_a_topic_may_be_a_regular_expression(scan):
    assert set(scan("^(PRICES|TRADES)$").partitions["topic"]) == {"PRICES", "TRADES"}


@pytest.mark.parametrize(
    ("start", "end", "ranges"),
    [
        ("earliest", "now", [(0, 30)] * 3),
        (5, 25, [(5, 25)] * 3),
        ({1: 7}, {("PRICES", 2): 9, "PRICES": 20}, [(0, 20), (7, 20), (0, 9)]),
        ({"PRICES": 3, ("PRICES", 0): "now"}, "now", [(30, 30), (3, 30), (3, 30)]),
    ],
    ids=["words", "offsets", "by partition", "by topic"],
)
def test_a_scan_begins_and_ends_where_it_is_told(scan, start, end, ranges):
    frame = scan(start=start, end=end).partitions
    assert list(zip(frame["start"], frame["end"], strict=True)) == ranges


def test_a_stream_gives_every_row_once_and_says_so(scan):
    plan = scan(metadata=("offset", "partition"), num_messages=7)
    with plan.read() as stream:
        batches = list(stream)
        assert {(one.rows, one.ended, one.first, one.next) for one in stream.report} == {(30, "complete", 0, 30)}
    assert all(isinstance(batch, pykafarr.Batch) and len(batch) <= 7 for batch in batches)
    table = pa.Table.from_batches([batch.to_arrow() for batch in batches])
    places = list(zip(table["_partition"].to_pylist(), table["_offset"].to_pylist(), strict=True))
    assert sorted(places) == [(partition, offset) for partition in range(3) for offset in range(30)]
    assert table["bid"].to_pylist() == [float(offset) for _, offset in places]
    assert stream.report[0] == pykafarr.Completeness("PRICES", 0, 0, 30, 0, 30, 30, *[0] * 10, "complete")


def test_read_is_a_scan_and_a_stream_at_once(kafka):
    with pykafarr.read(kafka.servers, "TRADES", kafka.registry_url, start=1, end=3) as stream:
        assert stream.to_arrow("com.example.Trade")["_offset"].to_pylist() == [1, 2]


def test_the_plan_knows_the_schema_of_its_batches(scan):
    for options in ({}, {"metadata": ("offset", "key", "headers", "timestamp")}, {"columns": ["side"], "metadata": ()}):
        plan = scan("TRADES", **options)
        assert all(batch.schema.equals(plan.schema, check_metadata=True) for batch in plan.read())
        assert plan.schemas == {"com.example.Trade": plan.schema}
    with pytest.raises(pykafarr.ConfigError, match=r"several message types, com\.example\.Price, com\.exam"):
        _ = scan(["PRICES", "TRADES"]).schema
    with pytest.raises(pykafarr.ConfigError, match="no message type is known"):
        _ = scan("NOTHING").schema


def test_a_stream_becomes_a_table_of_each_type(scan):
    tables = scan(["PRICES", "TRADES"]).read().to_arrow()
    assert {kind: table.num_rows for kind, table in tables.items()} == {"com.example.Price": 90, "com.example.Trade": 5}
    alone = scan(["PRICES", "TRADES"]).read().to_arrow("com.example.Trade")
    assert alone.equals(tables["com.example.Trade"])
    with pytest.raises(pykafarr.SchemaError, match=r"of the message type 'x'; known are com.example.Price"):
        scan(["PRICES", "TRADES"]).read().to_arrow("x")


def test_a_stream_is_read_once_and_says_what_was_left_out(scan):
    ways = (lambda s: s.to_arrow(), lambda s: s.to_pandas(), lambda s: s.reader(), list)
    for first in ways:
        for second in ways:
            with scan("TRADES").read() as stream:
                first(stream)
                with pytest.raises(pykafarr.StateError, match=r"the stream has been read, by .*: call read\(\) again"):
                    second(stream)
    stream = scan(["PRICES", "TRADES"]).read()
    stream.to_pandas("com.example.Trade")
    for again in (stream.to_pandas, stream.to_arrow, stream.reader):
        with pytest.raises(pykafarr.StateError, match=r"left out the rows of com\.example\.Price: call read"):
            again("com.example.Price")
    begun = scan("TRADES", num_messages=2).read()
    next(begun)
    with pytest.raises(pykafarr.StateError, match="by iteration"):
        begun.to_arrow()
    assert [len(batch) for batch in begun] == [2, 1]


def test_an_end_that_the_report_does_not_confirm_is_an_error(scan, monkeypatch):
    stream = scan("TRADES").read()
    report = [one._replace(ended=None, next=2) for one in scan("TRADES").read().report]
    monkeypatch.setattr(pykafarr.Stream, "report", property(lambda _: report))
    with pytest.raises(IncompleteError, match=re.escape("TRADES[0]: of the offsets from 0 up to 5 those before 2")):
        stream.to_arrow()


@pytest.mark.parametrize("read", ["to_arrow", "to_pandas", "reader", "iteration", "task"])
def test_a_registry_that_hangs_up_is_an_error_and_not_the_end(kafka, read):
    broker = f"http://{kafka.servers}"  # which hangs up on HTTP
    plan = pykafarr.scan(kafka.servers, "TRADES", broker, timeout=500)
    with pytest.raises(pykafarr.RegistryError), (plan.tasks()[0] if read == "task" else plan).read() as stream:
        list(stream) if read in {"iteration", "task"} else getattr(stream, read)()


def test_a_tasks_pickle_does_not_grow_with_the_plan(scan):
    alone = scan("TRADES").tasks()[0]
    places = {"TRADES": 0, **{("PRICES", partition): 0 for partition in range(3)}}
    task = scan(["PRICES", "TRADES"], start=places, end=dict.fromkeys(places, 5)).tasks()[-1]
    assert len(pickle.dumps(task)) == len(pickle.dumps(alone))


def test_a_type_without_rows_is_an_empty_table_and_frame(scan):
    plan = scan("PRICES", start="now")
    table = plan.read().to_arrow("com.example.Price")
    assert (table.num_rows, table.schema) == (0, plan.schema)
    frame = plan.read().to_pandas("com.example.Price")
    assert len(frame) == 0
    assert frame.dtypes.equals(scan("PRICES").read().to_pandas("com.example.Price").dtypes)
    assert plan.read().reader().schema == plan.schema


def test_no_rows_at_all_are_an_empty_table_of_each_type_that_is_known(scan):
    for plan in (scan(["PRICES", "TRADES"], start="now"), scan(["PRICES", "TRADES"], start=0, end=0)):
        tables = plan.read().to_arrow()
        assert {kind: (table.num_rows, table.schema) for kind, table in tables.items()} == {
            kind: (0, schema) for kind, schema in plan.schemas.items()
        }
        frames = plan.read().to_pandas()
        whole = scan(["PRICES", "TRADES"]).read().to_pandas()
        assert frames.keys() == whole.keys() == tables.keys()
        assert all(len(frame) == 0 for frame in frames.values())
        for kind, frame in frames.items():  # the symbols of an enum come with its rows
            assert [str(dtype) for dtype in frame.dtypes] == [str(dtype) for dtype in whole[kind].dtypes]
    nothing = scan("NOTHING").read()
    assert nothing.to_arrow() == {}


def test_rows_that_are_all_left_out_need_no_good_message_to_show_their_columns(kafka, scan):
    kafka.create_topic("ALL_BAD")
    kafka.produce_raw("ALL_BAD", [b"\0\0", b"neither"])
    assert scan("ALL_BAD", errors="skip").read().to_arrow() == {}
    with pytest.warns(RuntimeWarning, match="2 of them"):
        assert scan("ALL_BAD", errors="collect").read().to_arrow() == {}


def test_a_topic_that_does_not_exist_and_an_end_before_the_start_have_their_own_errors(scan):
    for topic in ("MISTYPED", ["PRICES", "MISTYPED"], "^MIS"):
        with pytest.raises(pykafarr.TopicNotFoundError, match="MIS") as caught:
            scan(topic)
        assert isinstance(caught.value, (pykafarr.BrokerError, LookupError))
        assert caught.value.topic == (None if topic == "^MIS" else "MISTYPED")
    saved, now = {("PRICES", 1): 20}, {("PRICES", 1): 19}
    with pytest.raises(
        pykafarr.RangeError, match=re.escape("PRICES[1]: start is 20, which is after the end, 19")
    ) as raised:
        scan(start=saved, end=now)
    assert (raised.value.topic, raised.value.partition) == ("PRICES", 1)


def test_frames_have_the_dtypes_of_a_batch_and_are_changeable(scan):
    plan = scan("TRADES", num_messages=2, metadata=("topic",))
    frame = plan.read().to_pandas("com.example.Trade")
    of_batch = next(iter(plan.read())).to_pandas()
    pd.testing.assert_series_equal(frame.dtypes, of_batch.dtypes)
    assert frame["quantity"].tolist() == [2**60 + number for number in range(5)]
    assert frame["side"].cat.categories.tolist() == ["BUY", "SELL"]
    frame.loc[0, "quantity"] = 1
    backed = scan("TRADES", dtype_backend="pyarrow").read().to_pandas()["com.example.Trade"]
    assert all(isinstance(dtype, pd.ArrowDtype) for dtype in backed.dtypes)


def test_topics_of_one_frame_are_categories_of_one_column(scan):
    frame = scan(["MIXED", "PRICES"], metadata=("topic",)).read().to_pandas("com.example.Price")
    assert frame["_topic"].dtype == "category"
    assert frame["_topic"].value_counts().to_dict() == {"PRICES": 90, "MIXED": 2}


def test_a_reader_takes_a_batch_at_a_time(scan):
    with scan(num_messages=10).read() as stream:
        reader = stream.reader()
        assert isinstance(reader, pa.RecordBatchReader)
        assert [len(batch) for batch in reader] == [10] * 9
    assert scan("MIXED").read().reader("com.example.Price").read_all()["symbol"].to_pylist() == ["x", "y"]
    reader = scan("MIXED").read().reader()
    with pytest.raises(
        pykafarr.SchemaError, match=r"rows of com.example.Trade are followed by rows of com.example.Pri"
    ):
        reader.read_all()


@pytest.mark.parametrize(
    ("most", "sizes"), [(None, [30] * 3), (7, [7, 7, 7, 7, 2] * 3), (1, [1] * 90), (10**9, [30] * 3)]
)
def test_tasks_are_cut_by_rows(scan, most, sizes):
    tasks = scan(["PRICES", "NOTHING"]).tasks(max_rows=most)
    assert [task.rows for task in tasks] == sizes
    assert [(task.topic, task.partition) for task in tasks] == sorted((task.topic, task.partition) for task in tasks)
    assert sum(task.read().to_arrow("com.example.Price").num_rows for task in tasks[:20]) == sum(sizes[:20])


def test_tasks_are_cut_by_bytes(scan):
    # 5 bytes of framing, 2 of the symbol, 8 of the price.
    assert [task.rows for task in scan().tasks(max_bytes=150)] == [10] * 9
    assert [task.rows for task in scan().tasks(max_bytes=150, max_rows=15)] == [10] * 9
    assert [task.rows for task in scan().tasks(max_bytes=1)] == [1] * 90


def rows(readable):
    table = readable.read().to_arrow("com.example.Price")
    return sorted(map(tuple, table.to_pandas().itertuples(index=False)))


def test_plans_and_tasks_are_pickled_and_keep_secrets_by_reference(kafka, monkeypatch):
    monkeypatch.setenv("SCAN_REGISTRY", kafka.registry_url)
    monkeypatch.setenv("SCAN_ID", "one-name")
    config = {"client.id": pykafarr.from_env("SCAN_ID"), "sasl.password": "given-as-it-is"}
    plan = pykafarr.scan(kafka.servers, "PRICES", pykafarr.from_env("SCAN_REGISTRY"), config=config)
    for thing in (plan, plan.tasks(max_rows=10)[4]):
        text = pickle.dumps(thing)
        assert b"one-name" not in text
        assert kafka.registry_url.encode() not in text
        assert b"SCAN_REGISTRY" in text
        again = pickle.loads(text)
        assert rows(again) == rows(thing)
        assert repr(again) == repr(thing)
        assert "given-as-it-is" not in f"{thing!r} {thing._options.arguments}"
        monkeypatch.delenv("SCAN_ID")
        with pytest.raises(pykafarr.ConfigError, match="there is no environment variable 'SCAN_ID'"):
            again.read()
        monkeypatch.setenv("SCAN_ID", "one-name")


def test_a_task_knows_its_schema_where_it_arrives(scan):
    plan = scan("TRADES")
    schema = plan.schema
    task = pickle.loads(pickle.dumps(plan.tasks()[0]))
    assert task._schemas == {"com.example.Trade": schema}
    assert task.schema == schema == scan("TRADES").tasks()[0].schema
    assert repr(task) == "<pykafarr.Task TRADES[0] from 0 up to 5>"


def test_a_plan_may_be_read_otherwise(scan):
    plan = scan(end=3)
    changed = plan.with_options(columns="bid", metadata=None)
    assert changed.schema.names == ["bid"]
    assert changed.read().to_arrow("com.example.Price").num_rows == 9
    assert plan.schema.names == ["symbol", "bid", "_offset"]
    latest = plan.with_options(reader_schema="latest")
    assert len(latest._data["latest_schemas"]) == 1
    assert latest.with_options(reader_schema=None)._data["latest_schemas"] == []
    with pytest.raises(pykafarr.ConfigError, match="start is no option of reading"):
        plan.with_options(start=5)  # type: ignore[call-arg]
    with pytest.raises(pykafarr.ConfigError, match="unions"):
        plan.with_options(unions="tuple")  # type: ignore[typeddict-item]


def test_the_latest_version_is_what_all_are_read_as(kafka, scan):
    kafka.create_topic("VERSIONS")
    older = {"type": "record", "name": "V", "fields": [{"name": "n", "type": "int"}]}
    newer = {**older, "fields": [{"name": "n", "type": "long"}, {"name": "more", "type": "string", "default": "-"}]}
    kafka.produce("VERSIONS", older, [{"n": 1}])
    kafka.produce("VERSIONS", newer, [{"n": 2**40, "more": "yes"}])
    kafka.produce("VERSIONS", older, [{"n": 3}])
    plan = scan("VERSIONS", reader_schema="latest", metadata=())
    (batch,) = plan.read()
    assert batch.to_arrow().to_pydict() == {"n": [1, 2**40, 3], "more": ["-", "yes", "-"]}
    assert batch.schema == plan.schema
    with pytest.raises(
        pykafarr.SchemaError, match=re.escape("VERSIONS[0]@1: V has other columns than before (")
    ) as raised:
        scan("VERSIONS").read().to_arrow()
    assert "; 'n' is int64 not null and was int32 not null): reader_schema= reads" in str(raised.value)


def test_iterators_among_the_arguments_are_gone_through_once(scan):
    plan = scan(iter(["TRADES"]), columns=iter(["side"]), metadata=iter(["offset"]))
    for again in (pickle.loads(pickle.dumps(plan)), plan.with_options(num_messages=1), plan.tasks()[0]):
        assert again.read().to_arrow("com.example.Trade").column_names == ["side", "_offset"]
    changed = plan.with_options(columns=iter(["quantity"]))
    assert changed.tasks()[0].with_options(metadata=None).schema.names == ["quantity"]


def test_an_engine_takes_iterators_too(kafka):
    found = common.scan(kafka.servers, "TRADES", kafka.registry_url, columns=iter(["side"]), metadata=iter(["offset"]))
    assert found.schema.names == ["side", "_offset"]
    assert found.columns.metadata == {"_offset": "offset"}
    assert list(found.columns.fields) == ["side"]


def test_times_that_are_given_the_wrong_way_round_are_no_empty_range(scan):
    with pytest.raises(pykafarr.RangeError, match="start is the time 2000, which is after the end, 1000"):
        scan(start=pykafarr.Milliseconds(2000), end=pykafarr.Milliseconds(1000))


def test_each_topic_is_read_as_its_own_latest_version(kafka, scan):
    older = {"type": "record", "name": "W", "fields": [{"name": "n", "type": "int"}]}
    newer = {**older, "fields": [*older["fields"], {"name": "more", "type": "string", "default": "-"}]}
    for topic, schema, row in (("FORMER", older, {"n": 1}), ("LATER", newer, {"n": 2, "more": "yes"})):
        kafka.create_topic(topic)
        kafka.produce(topic, schema, [row])
    plan = scan(["FORMER", "LATER"], reader_schema="latest", metadata="topic")
    wanted = {"FORMER": {"n": 1, "_topic": "FORMER"}, "LATER": {"n": 2, "more": "yes", "_topic": "LATER"}}
    with plan.read() as stream:
        assert {batch.ranges[0].topic: batch.to_arrow().to_pylist() for batch in stream} == {
            topic: [row] for topic, row in wanted.items()
        }
    tasks = pickle.loads(pickle.dumps(plan.tasks()))
    assert {task.topic: task.read().to_arrow("W").to_pylist() for task in tasks} == {
        topic: [row] for topic, row in wanted.items()
    }
    with pytest.raises(pykafarr.SchemaError, match="topic LATER: its W has other columns than that of another topic"):
        plan.schemas  # noqa: B018  # the property asks
    with pytest.raises(pykafarr.SchemaError, match="W has other columns than before"):
        plan.read().to_arrow()


def test_a_bad_message_ends_the_stream_with_its_place(kafka, scan):
    kafka.create_topic("BAD")
    kafka.produce("BAD", PRICE, [{"symbol": "x", "bid": 1}] * 3)
    kafka.produce_raw("BAD", [b"\0\0", b"\0\0\0\0\x01\x02"])
    kafka.produce("BAD", PRICE, [{"symbol": "x", "bid": 1}])
    stream = scan("BAD").read()
    assert len(next(stream)) == 3
    for _ in range(2):  # it stays the stream's end
        with pytest.raises(pykafarr.FramingError, match=re.escape("BAD[0]@3: ")) as caught:
            next(stream)
        assert caught.value.offset == 3
    (report,) = stream.report
    assert report.ended.startswith("error: BAD[0]@3: ")
    assert (report.rows, report.next) == (3, 3)

    skipping = scan("BAD", errors="skip").read()
    assert skipping.to_arrow("com.example.Price")["_offset"].to_pylist() == [0, 1, 2, 5]
    assert (skipping.report[0].skipped, skipping.report[0].rows, skipping.report[0].ended) == (2, 4, "complete")
    collecting = scan("BAD", errors="collect").read()
    rejected = [row for batch in collecting if batch.rejected for row in batch.rejected.to_pylist()]
    assert [row["offset"] for row in rejected] == [3, 4]
    assert (collecting.report[0].rejected, collecting.report[0].rows) == (2, 4)


def test_offsets_outside_the_log_are_an_error_unless_a_part_is_enough(scan):
    with pytest.raises(IncompleteError, match=re.escape("PRICES[0]: end is 31: the log goes from 0 to 30")) as caught:
        scan(end=31)
    assert (caught.value.topic, caught.value.partition, caught.value.report) == ("PRICES", 0, [])
    stream = scan(end=31, allow_partial=True).read()
    assert stream.to_arrow("com.example.Price").num_rows == COUNT
    assert {(one.ended, one.next) for one in stream.report} == {("log_end", 30)}


@pytest.mark.parametrize("places", [{"start": 99}, {"end": 31}, {"start": 35, "end": 99}], ids=str)
def test_a_scan_that_continues_after_one_past_the_log_begins_where_the_log_ended(scan, places):
    ends = scan(**places, allow_partial=True).ends
    assert {where[0] if isinstance(where, tuple) else where for where in ends.values()} == {30}
    assert scan(start=ends).rows == 0


def test_what_is_missing_is_raised_at_the_end_with_the_report(scan):
    plan = scan()
    plan._data["partitions"][1][3] = 40
    stream = plan.read()
    with pytest.raises(
        IncompleteError, match=re.escape("PRICES[1]: of the offsets from 0 up to 40 the log has those")
    ) as caught:
        list(stream)
    assert [one.ended for one in caught.value.report] == ["complete", "log_end", "complete"]
    assert pickle.loads(pickle.dumps(caught.value)).report == caught.value.report


def test_a_closed_stream_is_closed_and_its_batches_and_report_live(scan):
    stream = scan(num_messages=1).read()
    batch = next(stream)
    stream.close()
    stream.close()
    assert batch.to_pandas()["_offset"].tolist() == [0]
    assert sum(one.rows for one in stream.report) >= 1
    with pytest.raises(pykafarr.ClosedError):
        next(stream)
    with pytest.raises(TypeError, match="cannot be copied or pickled"):
        pickle.dumps(stream)


def test_progress_counts_offsets_on_stderr(scan, capsys):
    assert scan().read(progress=True).to_arrow("com.example.Price").num_rows == COUNT
    err = capsys.readouterr().err
    assert "90.0/90.0" in err
    assert "MB/s" in err


def test_progress_says_what_it_needs(scan, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match=re.escape("pip install 'pykafarr[progress]'")):
        scan().read(progress=True)


def test_untyped_topics_need_no_registry(kafka):
    plan = pykafarr.scan(kafka.servers, "TRADES", None, value="bytes", end=1)
    assert plan.schemas.keys() == {"bytes"}
    assert len(plan.read().to_arrow("bytes")["value"][0].as_py()) == 16


def test_a_stream_is_itself_a_stream_of_arrow(scan):
    assert pa.table(scan("TRADES").read())["quantity"].to_pylist() == [2**60 + number for number in range(5)]
    assert pl.DataFrame(scan("TRADES").read()).height == 5
    with pytest.raises(pl.exceptions.ComputeError, match="name the type that you want"):
        pl.DataFrame(scan("MIXED").read())


def test_a_reader_that_meets_tombstones_says_what_they_are(kafka, scan):
    kafka.produce("DELETED", PRICE, [{"symbol": "x", "bid": 1}], keys=[b"x"], partition=0)
    kafka.produce_raw("DELETED", [None], keys=[b"x"], partition=0)
    with pytest.raises(pykafarr.SchemaError, match='the type null: tombstones="skip" leaves them out, "keep" gives'):
        scan("DELETED").read().reader().read_all()


def test_a_bad_message_says_once_what_leaves_it_out(kafka, scan):
    kafka.produce("UNREADABLE", PRICE, [{"symbol": "x", "bid": 1}], partition=0)
    kafka.produce_raw("UNREADABLE", [b"?"], partition=0)
    stream = scan("UNREADABLE").read()
    for _ in range(2):
        with pytest.raises(pykafarr.DecodeError, match=r'^UNREADABLE\[0\]@1: .*; errors="skip" leaves out') as raised:
            for _ in stream:
                pass
        assert str(raised.value).count("errors=") == 1


@pytest.mark.parametrize("name", ["start", "end"])
def test_a_place_that_is_none_is_answered_with_all_that_there_are(scan, name):
    said = f"^{name} must be 'earliest', 'now', an offset, a datetime with a time zone or Milliseconds, not 'latest'"
    with pytest.raises(pykafarr.ConfigError, match=said):
        scan(**{name: "latest"})
    with pytest.raises(pykafarr.ConfigError, match="'committed', 'earliest', 'latest', an offset, a datetime with"):
        pykafarr.listener("a:1", "g", "t", "http://r", start="now")
