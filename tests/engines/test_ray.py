"""Ray Data, on a local cluster of two workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

import pykafarr
from pykafarr._engines import common
from tests.engines import examples, formats, orders, sending
from tests.engines.conftest import PASSWORD, SECRET
from tests.engines.fake import SCHEMA, Diary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pykafarr.testing import MockKafka
    from tests.engines.conftest import Planned
    from tests.integration.writing import Writer
    from tests.servers import Cluster

ray = pytest.importorskip("ray")
cloudpickle = pytest.importorskip("cloudpickle")

pytestmark = [
    pytest.mark.engines,
    # Ray's settings warn of their own defaults, and it calls pandas in a way that pandas 3 warns of.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.data", "ignore:The inplace keyword"),
]


@pytest.fixture(scope="module", autouse=True)
def workers() -> Iterator[None]:
    import ray.data

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield
    ray.shutdown()


@pytest.fixture
def read_kafka() -> Any:
    from pykafarr.ray import read_kafka

    return read_kafka


def sorted_rows(dataset: Any) -> pa.Table:
    """All rows, by partition and offset."""
    return orders.in_order(pa.concat_tables([ray.get(ref) for ref in dataset.to_arrow_refs()]))


def test_gives_all_rows_as_they_are(plan: Planned, read_kafka: Any, arguments: dict[str, Any]) -> None:
    expected = plan().expected()
    assert sorted_rows(read_kafka(**arguments)).equals(expected)


def test_knows_the_schema_before_anything_is_read(
    plan: Planned, read_kafka: Any, arguments: dict[str, Any], diary: Diary
) -> None:
    plan()
    assert read_kafka(**arguments).schema().base_schema.equals(SCHEMA)
    assert not [entry for entry in diary.read() if "start" in entry]


def test_an_empty_range_has_a_schema_and_no_rows(plan: Planned, read_kafka: Any, arguments: dict[str, Any]) -> None:
    plan(sizes=(0, 0))
    dataset = read_kafka(**arguments)
    assert dataset.schema().base_schema.equals(SCHEMA)
    assert dataset.count() == 0


def test_reads_only_the_columns_that_are_used(
    plan: Planned, read_kafka: Any, arguments: dict[str, Any], diary: Diary
) -> None:
    expected = plan().expected()
    dataset = read_kafka(**arguments).select_columns(["amount", "_offset"])
    assert sorted(dataset.to_pandas()["_offset"]) == sorted(expected["_offset"].to_pylist())
    reads = [entry for entry in diary.read() if "start" in entry]
    assert reads
    assert all(entry["columns"] == ["amount"] and entry["metadata"] == ["offset"] for entry in reads)


def test_counts_rows_and_not_offsets(plan: Planned, read_kafka: Any, arguments: dict[str, Any], diary: Diary) -> None:
    expected = plan().expected()
    assert read_kafka(**arguments).count() == expected.num_rows == 50_000
    reads = [entry for entry in diary.read() if "start" in entry]
    assert reads
    assert all(entry["columns"] == ["state"] and entry["metadata"] == [] for entry in reads)  # the narrowest


def test_filters_while_reading(plan: Planned, read_kafka: Any, arguments: dict[str, Any], diary: Diary) -> None:
    from ray.data.expressions import col

    plan()
    dataset = read_kafka(**arguments).filter(expr=col("id") >= 1_000_000).select_columns(["name"])
    assert len(dataset.to_pandas()) == 20_000
    assert {"name", "id"} == set().union(*(entry["columns"] for entry in diary.read() if "start" in entry))


def test_a_limit_ends_the_reading(plan: Planned, read_kafka: Any, arguments: dict[str, Any], diary: Diary) -> None:
    plan()
    assert len(read_kafka(**arguments, max_rows_per_task=1_000).limit(7).take_all()) == 7
    assert len([entry for entry in diary.read() if "start" in entry]) < 150


def test_tasks_are_as_small_as_asked(plan: Planned, read_kafka: Any, arguments: dict[str, Any], diary: Diary) -> None:
    expected = plan().expected()
    assert sorted_rows(read_kafka(**arguments, max_rows_per_task=10_000)).equals(expected)
    assert len([entry for entry in diary.read() if "start" in entry]) == 15


def test_repeats_the_task_of_a_worker_that_was_killed(
    plan: Planned, read_kafka: Any, arguments: dict[str, Any], diary: Diary
) -> None:
    from ray.data import DataContext

    # Blocks of a few rows, so that the first attempt has handed over some when it is killed.
    context = DataContext.get_current()
    before, context.target_max_block_size = context.target_max_block_size, 64 * 1024
    try:
        expected = plan(sizes=(300_000, 3_000), killed_at=250_000).expected()
        assert sorted_rows(read_kafka(**arguments, max_rows_per_task=300_000)).equals(expected)
    finally:
        context.target_max_block_size = before
    reads = [entry for entry in diary.read() if entry.get("partition") == 0]
    assert len(reads) == 2
    assert reads[0]["pid"] != reads[1]["pid"]


@pytest.mark.filterwarnings("ignore:.*ray_remote_args:DeprecationWarning")  # the only way to say so, by 2.60
def test_repeats_what_failed_where_ray_is_told_to(plan: Planned, read_kafka: Any, arguments: dict[str, Any]) -> None:
    expected = plan(fails_at=60_000).expected()
    again = {"retry_exceptions": [pykafarr.BrokerError]}
    assert sorted_rows(read_kafka(**arguments, ray_options={"ray_remote_args": again})).equals(expected)


def test_what_fails_otherwise_is_raised(plan: Planned, read_kafka: Any, arguments: dict[str, Any]) -> None:
    plan(fails_at=60_000)
    with pytest.raises(pykafarr.BrokerError, match="did not answer"):
        read_kafka(**arguments).take_all()


def test_several_message_types_are_an_error(plan: Planned, read_kafka: Any, arguments: dict[str, Any]) -> None:
    plan(other_types=("com.example.Refund",))
    with pytest.raises(pykafarr.ConfigError, match=r"com\.example\.Order, com\.example\.Refund"):
        read_kafka(**arguments)


def test_a_message_type_met_while_reading_is_an_error(
    plan: Planned, read_kafka: Any, arguments: dict[str, Any]
) -> None:
    plan(found_type="null")
    with pytest.raises(Exception, match=r"orders\[\d\]@\d+: message type 'null' among rows of 'com.example.Order'"):
        read_kafka(**arguments).take_all()


def test_reads_a_topic_as_pykafarr_does(read_kafka: Any, real: dict[str, Any], cluster: Cluster, topic: str) -> None:
    expected = orders.read(cluster, topic)
    dataset = read_kafka(**real, max_rows_per_task=100)
    assert dataset.schema().base_schema.equals(expected.schema)
    assert sorted_rows(dataset).equals(expected)
    assert dataset.count() == expected.num_rows == orders.ROWS


def test_reads_the_columns_of_a_topic_that_are_used(
    read_kafka: Any, real: dict[str, Any], cluster: Cluster, topic: str
) -> None:
    from ray.data.expressions import col

    expected = orders.read(cluster, topic)
    rows = read_kafka(**real).filter(expr=col("id") >= 2_000_000).select_columns(["amount", "_offset"]).take_all()
    assert len(rows) == 300
    assert {row["_offset"] for row in rows} == set(expected["_offset"].to_pylist()[400:700])


def test_repeats_the_reading_of_a_topic_by_a_worker_that_was_killed(
    read_kafka: Any, real: dict[str, Any], cluster: Cluster, topic: str, dying: Path
) -> None:
    assert sorted_rows(read_kafka(**real, num_messages=30)).equals(orders.read(cluster, topic))
    assert dying.exists()


def test_ray_reads_each_format_as_pykafarr_does(read_kafka: Any, given: dict[str, Any]) -> None:
    expected = formats.read(given)
    dataset = read_kafka(**given, max_rows_per_task=25)
    assert dataset.schema().base_schema.equals(expected.schema)
    assert sorted_rows(dataset).equals(expected)
    assert {row["name"] for row in dataset.select_columns(["name"]).take_all()} == set(expected["name"].to_pylist())


def test_a_password_by_reference_is_in_no_task(read_kafka: Any, real: dict[str, Any]) -> None:
    from pykafarr.ray import KafarrDatasource

    source = KafarrDatasource(common.scan(**real))
    for pickled in [cloudpickle.dumps(source), *map(cloudpickle.dumps, source.get_read_tasks(4))]:
        assert PASSWORD.encode() not in pickled
        assert SECRET.encode() in pickled


def test_the_example_of_the_page_runs(
    cluster: Cluster, writer: Writer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    examples.run("pykafarr.ray.read_kafka", tmp_path, cluster, writer)
    assert capsys.readouterr().out.splitlines()[-2:] == ["4", "4"]


@pytest.fixture
def write_kafka() -> Any:
    from pykafarr.ray import write_kafka

    return write_kafka


def two_blocks(table: pa.Table) -> Any:
    return ray.data.from_arrow([table.slice(0, 500), table.slice(500)])


def test_ray_sends_all_rows_and_gathers_the_reports(write_kafka: Any, kafka: MockKafka, target: dict[str, Any]) -> None:
    reports = write_kafka(two_blocks(sending.frame(1000)), **target, **sending.GIVEN)
    assert len(reports) == 2
    assert sum(report.rows for report in reports) == sum(report.written for report in reports) == 1000
    rows = sending.sent(kafka, target["topic"])
    assert sending.in_order(rows) == sending.frame(1000).to_pylist()


@pytest.mark.parametrize("after_the_end", [False, True], ids=["before its end", "after it has committed"])
def test_ray_repeats_a_task_that_was_killed_and_a_header_tells_its_rows_apart(
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
    write_kafka(two_blocks(sending.frame(1000)), **target, **options)
    assert mark.exists()
    expected = sending.frame(1000).to_pylist()
    # What was committed is there twice, what was not is not seen.
    assert len(sending.sent(kafka, target["topic"])) == (1500 if after_the_end else 1000)
    assert sending.in_order(sending.once(kafka, target["topic"])) == expected


def test_ray_raises_what_no_task_could_send(write_kafka: Any, kafka: MockKafka, target: dict[str, Any]) -> None:
    bad = sending.frame(1000).set_column(0, "id", pa.array([None, *range(999)], pa.int64()))
    with pytest.raises(Exception, match="id: row 0: "):
        write_kafka(two_blocks(bad), **target, **sending.GIVEN)


def test_ray_runs_the_example_of_the_page_that_writes(
    cluster: Cluster, writer: Writer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    examples.run("pykafarr.ray.write_kafka", tmp_path, cluster, writer)
    assert "2 rows were written" in capsys.readouterr().out


def test_ray_gathers_blocks_of_arrow_and_pandas_into_tasks(
    write_kafka: Any, kafka: MockKafka, target: dict[str, Any]
) -> None:
    table = sending.frame(1000)
    dataset = ray.data.from_arrow([table.slice(first, 100) for first in range(0, 1000, 100)])
    reports = write_kafka(dataset, **target, **sending.GIVEN, min_rows_per_task=400, concurrency=1)
    assert len(reports) < 10
    assert sum(report.written for report in reports) == 1000
    frames = ray.data.from_pandas(table.to_pandas(types_mapper=None)[["id"]])
    given = {**sending.GIVEN, "missing": "error", "schema": {**sending.ORDER, "fields": sending.ORDER["fields"][:1]}}
    del given["key"]
    assert [report.written for report in write_kafka(frames, **target, **given)] == [1000]


def test_ray_refuses_a_schema_that_each_block_would_derive(write_kafka: Any, target: dict[str, Any]) -> None:
    with pytest.raises(pykafarr.ConfigError, match='schema="derive"'):
        write_kafka(two_blocks(sending.frame(10)), **target, message_type="X", schema="derive", register=True)


def test_a_password_of_a_sender_by_reference_is_in_no_task(target: dict[str, Any]) -> None:
    from pykafarr.ray import KafarrDatasink

    given = {"registry_config": {"basic.auth.user.info": pykafarr.from_env(SECRET)}}
    pickled = cloudpickle.dumps(KafarrDatasink(pykafarr.Sender(**target, **given)))
    assert PASSWORD.encode() not in pickled
    assert SECRET.encode() in pickled
