"""Spark, on a local cluster of two executors."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

import pykafarr
from tests.engines import examples, formats, orders, sending
from tests.engines.conftest import PASSWORD, SECRET
from tests.engines.fake import METADATA, Diary, Plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pykafarr.testing import MockKafka
    from tests.integration.writing import Writer
    from tests.servers import Cluster

pyspark = pytest.importorskip("pyspark")
cloudpickle = pytest.importorskip("cloudpickle")

# Spark's own: it leaves sockets to the garbage collector.
pytestmark = [
    pytest.mark.engines,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "default::ResourceWarning"),
    # What it says of pandas 3 wherever Python gets Arrow batches.
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from pyspark.sql import SparkSession

    folder = tmp_path_factory.mktemp("spark")
    environment = {
        # The executors' Python is this one, or they find neither pykafarr nor pyarrow.
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder),
    }
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    from pykafarr.spark import KafarrDataSource
    from tests.engines.spark_source import DyingDataSource, FakeDataSource

    session = (
        SparkSession.builder.master("local-cluster[2,1,1024]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.executor.memory", "512m")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    session.dataSource.register(KafarrDataSource)
    session.dataSource.register(FakeDataSource)
    session.dataSource.register(DyingDataSource)
    # A local cluster's executors write here, and nothing says otherwise.
    left = Path(pyspark.__file__).parent / "work" / session.sparkContext.applicationId
    yield session
    session.stop()
    shutil.rmtree(left, ignore_errors=True)
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


@pytest.fixture
def load(spark: Any, tmp_path: Path) -> Any:
    """Loads the fake plan that has these arguments."""

    def loaded(plan: dict[str, Any] | None = None, schema: str | None = None, **options: str) -> Any:
        reader = spark.read.format("fake").options(
            servers=json.dumps({"folder": str(tmp_path), **(plan or {})}),
            topics="orders",
            registry_url="http://registry/",
            metadata=json.dumps(list(METADATA)),
            **options,
        )
        return (reader.schema(schema) if schema else reader).load()

    return loaded


def expected(diary: Diary, **fields: Any) -> pa.Table:
    """All rows in the types that Spark has."""
    table = Plan(diary, **fields).expected()
    return table.set_column(3, "state", table["state"].cast(pa.string())).set_column(
        4, "paid", table["paid"].cast(pa.timestamp("us", "UTC"))
    )


def sorted_rows(frame: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = frame.toArrow().to_pylist()
    return sorted(rows, key=lambda row: (row["_partition"], row["_offset"]))


def reads(diary: Diary) -> list[dict[str, Any]]:
    return [entry for entry in diary.read() if "start" in entry]


def test_gives_all_rows_as_they_are(load: Any, diary: Diary) -> None:
    assert sorted_rows(load()) == expected(diary).to_pylist()


def test_knows_the_schema_before_anything_is_read(load: Any, diary: Diary) -> None:
    assert load().schema.simpleString() == (
        "struct<id:bigint,name:string,amount:bigint,state:string,paid:timestamp,tags:array<string>,"
        "_partition:int,_offset:bigint>"
    )
    assert [field.name for field in load().schema.fields if field.nullable] == ["amount"]
    assert not reads(diary)


def test_an_empty_range_has_a_schema_and_no_rows(load: Any, diary: Diary) -> None:
    frame = load({"sizes": [0]})
    assert frame.count() == 0
    assert "amount" in frame.columns


def test_plans_once_however_often_the_frame_is_used(load: Any, diary: Diary) -> None:
    frame = load({"sizes": [300, 300]})
    assert frame.count() == frame.filter("id >= 0").count() == 200
    assert len([entry for entry in diary.read() if "asked" in entry]) == 1


def test_reads_only_the_columns_of_a_given_schema(load: Any, diary: Diary) -> None:
    frame = load({"sizes": [300, 300]}, schema="_offset long, amount long")
    assert frame.columns == ["_offset", "amount"]
    assert len(frame.collect()) == 200
    assert reads(diary)
    assert all(entry["columns"] == ["amount"] and entry["metadata"] == ["offset"] for entry in reads(diary))


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("nothing long", "nothing: there is no such column: there are id, name"),
        ("id string", "id: is bigint, not string"),
    ],
)
def test_a_given_schema_must_be_of_columns_there_are(load: Any, schema: str, message: str) -> None:
    with pytest.raises(Exception, match=message):
        load({"sizes": [300]}, schema=schema).collect()


def test_tasks_are_as_small_as_asked(load: Any, diary: Diary) -> None:
    frame = load({"sizes": [900, 600]}, max_rows_per_task="100")
    assert frame.count() == 500
    assert len(reads(diary)) == 15


def test_repeats_the_task_of_a_worker_that_was_killed(load: Any, diary: Diary) -> None:
    assert sorted_rows(load({"killed_at": 60_000})) == expected(diary).to_pylist()
    attempts = [entry["pid"] for entry in reads(diary) if entry["partition"] == 0]
    assert len(set(attempts)) == len(attempts) == 2


def test_repeats_what_failed(load: Any, diary: Diary) -> None:
    assert load({"fails_at": 60_000}).count() == 50_000
    assert len([entry for entry in reads(diary) if entry["partition"] == 0]) == 2


def test_several_message_types_are_an_error(load: Any) -> None:
    with pytest.raises(Exception, match=r"ConfigError: message types: com\.example\.Order, com\.example\.Refund"):
        load({"other_types": ["com.example.Refund"]})


def test_a_message_type_met_while_reading_is_an_error(load: Any) -> None:
    with pytest.raises(Exception, match=r"orders\[\d\]@\d+: message type 'null' among rows of 'com.example.Order'"):
        load({"found_type": "null", "sizes": [300]}).collect()


def test_an_unknown_option_is_an_error_that_names_it(load: Any) -> None:
    with pytest.raises(Exception, match="ConfigError: unknown option 'topic'"):
        load(topic="orders")


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (pa.dictionary(pa.int32(), pa.string()), "string"),
        (pa.binary(4), "binary"),
        (pa.uuid(), "binary"),
        (pa.decimal128(38, 10), "decimal(38,10)"),
        (pa.timestamp("ms", "UTC"), "timestamp"),
        (pa.timestamp("us"), "timestamp_ntz"),
        (pa.time32("ms"), "time(6)"),
        (pa.map_(pa.string(), pa.list_(pa.date32())), "map<string,array<date>>"),
        (pa.decimal256(39, 2), "^x: Spark has no decimal of 39 digits, only of 38.*columns="),
        (pa.struct([("y", pa.month_day_nano_interval())]), r"^x\.y: Spark has no interval"),
        (pa.list_(pa.dense_union([pa.field("i", pa.int32())])), r"^x\.item: Spark has no dense unions"),
        (pa.map_(pa.string(), pa.timestamp("ns")), r"^x\.value: Spark's timestamps hold microseconds"),
        (pa.time64("ns"), "^x: Spark's times of day hold microseconds"),
        (pa.duration("us"), "interval day to second"),
        (pa.duration("ns"), "^x: Spark's intervals hold microseconds"),
        (pa.map_(pa.uint32(), pa.uint64()), "map<bigint,decimal(20,0)>"),
        (pa.list_(pa.uint16()), "array<int>"),
    ],
)
def test_types_become_sparks_or_are_refused_by_name(kind: Any, found: str) -> None:
    from pykafarr.spark import spark_schema

    schema = pa.schema([pa.field("x", kind)])
    if found.startswith("^"):
        with pytest.raises(pykafarr.SchemaError, match=found):
            spark_schema(schema)
    else:
        assert spark_schema(schema)["x"].dataType.simpleString() == found


@pytest.fixture
def options(cluster: Cluster, topic: str) -> dict[str, str]:
    """Spark's options for the topic of orders.py, with a password by reference, for which the registry does not ask."""
    user = {"basic.auth.credentials.source": "USER_INFO", "basic.auth.user.info": {"from_env": SECRET}}
    return {
        "servers": cluster.servers,
        "topics": topic,
        "registry_url": cluster.registry_url,
        "metadata": json.dumps(orders.METADATA),
        "registry_config": json.dumps(user),
    }


def topic_rows(cluster: Cluster, topic: str) -> list[dict[str, Any]]:
    """All rows of the topic, in the types that Spark has."""
    table = orders.read(cluster, topic)
    return table.set_column(2, "state", table["state"].cast(pa.string())).to_pylist()


def test_reads_a_topic_as_pykafarr_does(spark: Any, options: dict[str, str], cluster: Cluster, topic: str) -> None:
    frame = spark.read.format("pykafarr").options(**options, max_rows_per_task="200").load()
    assert sorted_rows(frame) == topic_rows(cluster, topic)
    assert frame.count() == orders.ROWS


def test_spark_reads_each_format_as_pykafarr_does(spark: Any, given: dict[str, Any]) -> None:
    table = formats.read(given)
    options = {name: value for name, value in given.items() if value is not None and name != "metadata"}
    reader = spark.read.format("pykafarr").options(**options, metadata=json.dumps(given["metadata"]))
    frame = reader.option("max_rows_per_task", "25").load()
    assert sorted_rows(frame) == table.to_pylist()
    assert frame.filter("amount is null").count() == formats.ROWS


def test_spark_reads_json_by_the_text_of_a_schema(spark: Any, kafka: MockKafka) -> None:
    schema = {"properties": {"id": {"type": "integer"}}, "required": ["id"]}
    kafka.produce_raw("by-schema", [b'{"id": 1}', b'{"id": 2}'])
    options = {"servers": kafka.servers, "topics": "by-schema", "value": "json", "metadata": "[]"}
    for text in (json.dumps(schema), '{"id": "int64"}'):
        frame = spark.read.format("pykafarr").options(**options, schema=text).load()
        assert sorted(row.id for row in frame.collect()) == [1, 2]


def test_reads_the_columns_of_a_topic_that_are_asked_for(spark: Any, options: dict[str, str]) -> None:
    frame = spark.read.format("pykafarr").options(**options).schema("amount long, _offset long").load()
    assert frame.filter("amount is null").count() == 800
    assert frame.agg({"_offset": "max"}).first()[0] > 499


def test_repeats_the_reading_of_a_topic_by_a_worker_that_was_killed(
    spark: Any, options: dict[str, str], cluster: Cluster, topic: str, tmp_path: Path
) -> None:
    mark = tmp_path / "killed"
    frame = spark.read.format("dying").options(**options, num_messages="30", schema=str(mark)).load()
    assert sorted_rows(frame) == topic_rows(cluster, topic)
    assert mark.exists()


def test_a_password_by_reference_is_in_no_partition(options: dict[str, str]) -> None:
    from pykafarr.spark import KafarrDataSource

    source = KafarrDataSource(options)
    reader = source.reader(source.schema())
    sent = [cloudpickle.dumps(partition) for partition in reader.partitions()]
    assert all(SECRET.encode() in pickled for pickled in sent)
    assert all(PASSWORD.encode() not in pickled for pickled in [*sent, cloudpickle.dumps((source, reader))])


def test_the_tasks_of_a_plan_do_not_travel_with_each_of_them(options: dict[str, str]) -> None:
    from pykafarr.spark import KafarrDataSource

    def sent(rows: str) -> int:
        source = KafarrDataSource({**options, "max_rows_per_task": rows})
        return len(cloudpickle.dumps((source, source.reader(source.schema()))))

    assert sent("0001") == sent("1000")


def test_the_example_of_the_page_runs(
    spark: Any, cluster: Cluster, writer: Writer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    examples.run("KafarrDataSource", tmp_path, cluster, writer)
    printed = capsys.readouterr().out
    assert printed.count("1.375") == 2


@pytest.fixture
def write_kafka() -> Any:
    from pykafarr.spark import write_kafka

    return write_kafka


def two_parts(spark: Any, table: pa.Table) -> Any:
    return spark.createDataFrame(table).repartition(2)


def test_spark_sends_all_rows_and_gathers_the_reports(
    spark: Any, write_kafka: Any, kafka: MockKafka, target: dict[str, Any]
) -> None:
    reports = write_kafka(two_parts(spark, sending.frame(1000)), **target, **sending.GIVEN)
    assert len(reports) == 2
    assert sum(report.rows for report in reports) == sum(report.written for report in reports) == 1000
    rows = sending.sent(kafka, target["topic"])
    assert sending.in_order(rows) == sending.frame(1000).to_pylist()


@pytest.mark.parametrize("after_the_end", [False, True], ids=["before its end", "after it has committed"])
def test_spark_repeats_a_task_that_was_killed_and_a_header_tells_its_rows_apart(
    spark: Any,
    write_kafka: Any,
    kafka: MockKafka,
    target: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    after_the_end: bool,
) -> None:
    mark = tmp_path / "killed"
    sending.patch(monkeypatch, mark, after_the_end=after_the_end)
    options = {**sending.GIVEN, "transactional_id": target["topic"], "task_header": sending.HEADER}
    write_kafka(two_parts(spark, sending.frame(1000)), **target, **options)
    assert mark.exists()
    expected = sending.frame(1000).to_pylist()
    # What was committed is there twice, what was not is not seen.
    assert len(sending.sent(kafka, target["topic"])) == (1500 if after_the_end else 1000)
    assert sending.in_order(sending.once(kafka, target["topic"])) == expected


def test_spark_raises_what_no_task_could_send(
    spark: Any, write_kafka: Any, kafka: MockKafka, target: dict[str, Any]
) -> None:
    bad = sending.frame(1000).set_column(0, "id", pa.array([None, *range(999)], pa.int64()))
    with pytest.raises(Exception, match=r"EncodeError: id: row \d+: null is not allowed"):
        write_kafka(two_parts(spark, bad), **target, **sending.GIVEN)


def test_spark_runs_the_example_of_the_page_that_writes(
    spark: Any, cluster: Cluster, writer: Writer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shorter = {"awaitTermination(20)": "awaitTermination(8)"}
    examples.run("pykafarr.spark.write_kafka", tmp_path, cluster, writer, **shorter)
    assert "1 rows were written" in capsys.readouterr().out


def test_a_batch_of_a_stream_that_is_repeated_has_its_number_and_its_partitions_again(
    spark: Any, kafka: MockKafka, target: dict[str, Any]
) -> None:
    from pykafarr.spark import foreach_batch

    send = foreach_batch(**target, **sending.GIVEN, task_header=sending.HEADER, transactional_id=target["topic"])
    rows = two_parts(spark, sending.frame(100)).cache()
    for _ in range(2):
        send(rows, 7)
        assert sum(report.written for report in send.reports) == 100
    assert len(sending.sent(kafka, target["topic"])) == 200
    assert sending.in_order(sending.once(kafka, target["topic"])) == sending.frame(100).to_pylist()


def test_a_stream_is_not_written_as_a_frame(spark: Any, write_kafka: Any, target: dict[str, Any]) -> None:
    stream = spark.readStream.format("rate").load()
    with pytest.raises(pykafarr.ConfigError, match="foreachBatch"):
        write_kafka(stream, **target, message_type="X")


def test_spark_derives_one_schema_of_all_partitions(
    spark: Any, write_kafka: Any, kafka: MockKafka, target: dict[str, Any]
) -> None:
    frame = spark.createDataFrame([(1, None), (2, "b")], "id long, name string").repartition(2)
    write_kafka(frame, **target, message_type="com.example.Derived", schema="derive", register=True)
    assert sending.in_order(sending.sent(kafka, target["topic"])) == [{"id": 1, "name": None}, {"id": 2, "name": "b"}]


def test_a_partition_whose_rows_fail_to_come_commits_nothing(
    spark: Any, write_kafka: Any, kafka: MockKafka, target: dict[str, Any]
) -> None:
    """What comes of a failure upstream must not look like the end of the rows."""

    def fails(batches: Any) -> Any:
        for number, batch in enumerate(batches):
            if number == 3:
                raise ValueError("a row that cannot be computed")
            yield batch

    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "100")
    try:
        frame = two_parts(spark, sending.frame(1000)).mapInArrow(fails, "id long, name string")
        with pytest.raises(Exception, match="a row that cannot be computed"):
            write_kafka(frame, **target, **sending.GIVEN, transactional_id=target["topic"])
    finally:
        spark.conf.unset("spark.sql.execution.arrow.maxRecordsPerBatch")
    assert sending.sent(kafka, target["topic"], reader_schema=sending.ORDER) == []
