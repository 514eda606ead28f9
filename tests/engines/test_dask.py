"""dask, on a local cluster of two worker processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest

import pykafarr
from pykafarr._batches import to_pandas
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

pytest.importorskip("distributed")
cloudpickle = pytest.importorskip("cloudpickle")

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module", autouse=True)
def workers() -> Iterator[Any]:
    import distributed

    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as local,
        distributed.Client(local) as client,
    ):
        yield client


@pytest.fixture
def read_kafka() -> Any:
    from pykafarr.dask import read_kafka

    return read_kafka


def as_pandas(table: pa.Table) -> pd.DataFrame:
    """What pykafarr makes of these rows."""
    return to_pandas.to_frame(table.combine_chunks().to_batches()[0], None, to_pandas.Memory.COPY)


def reads(diary: Diary) -> list[dict[str, Any]]:
    return [entry for entry in diary.read() if "start" in entry]


def test_gives_all_rows_as_pykafarr_does(plan: Planned, read_kafka: Any, arguments: dict[str, Any]) -> None:
    expected = as_pandas(plan().expected())
    frame = read_kafka(**arguments).compute().sort_values(["_partition", "_offset"], ignore_index=True)
    pd.testing.assert_frame_equal(frame, expected)


def test_knows_the_dtypes_before_anything_is_read(
    plan: Planned, read_kafka: Any, arguments: dict[str, Any], diary: Diary
) -> None:
    expected = as_pandas(plan().expected())
    frame = read_kafka(**arguments)
    assert frame.npartitions == 2
    assert frame.dtypes.drop("state").to_dict() == expected.dtypes.drop("state").to_dict()
    # Its type is known, its symbols come with the rows.
    assert isinstance(frame.dtypes["state"], pd.CategoricalDtype)
    assert not frame["state"].cat.known
    assert not reads(diary)


def test_dtypes_are_those_of_the_backend(plan: Planned, read_kafka: Any, arguments: dict[str, Any]) -> None:
    plan(sizes=(300, 600))
    frame = read_kafka(**arguments, dtype_backend="pyarrow")
    computed = frame.compute()
    assert len(computed) == 300
    assert computed.dtypes.to_dict() == frame.dtypes.to_dict()
    assert all(isinstance(dtype, pd.ArrowDtype) for dtype in computed.dtypes)


def test_a_backend_whose_dtypes_depend_on_the_data_is_refused(
    plan: Planned, read_kafka: Any, arguments: dict[str, Any]
) -> None:
    plan()
    with pytest.raises(pykafarr.ConfigError, match='dtype_backend="numpy"'):
        read_kafka(**arguments, dtype_backend="numpy")


def test_an_empty_range_has_dtypes_and_no_rows(plan: Planned, read_kafka: Any, arguments: dict[str, Any]) -> None:
    expected = as_pandas(plan(sizes=(3,)).expected())
    plan(sizes=(0, 0))
    frame = read_kafka(**arguments).compute()
    assert len(frame) == 0
    assert frame.dtypes.drop("state").to_dict() == expected.dtypes.drop("state").to_dict()


def test_symbols_of_an_enum_can_be_asked_for(plan: Planned, read_kafka: Any, arguments: dict[str, Any]) -> None:
    plan()
    known = read_kafka(**arguments).categorize(["state"])
    assert list(known["state"].cat.categories) == ["new", "paid", "sent"]


def test_reads_only_the_columns_that_are_used(
    plan: Planned, read_kafka: Any, arguments: dict[str, Any], diary: Diary
) -> None:
    expected = plan().expected()
    found = read_kafka(**arguments)["amount"].max().compute()
    assert found == max(value for value in expected["amount"].to_pylist() if value is not None)
    assert reads(diary)
    assert all(entry["columns"] == ["amount"] and entry["metadata"] == [] for entry in reads(diary))


def test_counting_a_metadata_column_reads_the_narrowest_field(
    plan: Planned, read_kafka: Any, arguments: dict[str, Any], diary: Diary
) -> None:
    plan()
    assert read_kafka(**arguments)["_offset"].count().compute() == 50_000
    assert reads(diary)
    assert all(entry["columns"] == ["state"] and entry["metadata"] == ["offset"] for entry in reads(diary))


def test_groups_and_filters_across_partitions(plan: Planned, read_kafka: Any, arguments: dict[str, Any]) -> None:
    expected = as_pandas(plan().expected())
    frame = read_kafka(**arguments)
    counts = frame[frame["amount"] > 2**60 + 30_000].groupby("state", observed=True)["id"].count().compute()
    kept = expected[expected["amount"] > 2**60 + 30_000].groupby("state", observed=True)["id"].count()
    assert counts.to_dict() == kept.to_dict()


def test_tasks_are_as_small_as_asked(plan: Planned, read_kafka: Any, arguments: dict[str, Any], diary: Diary) -> None:
    plan()
    frame = read_kafka(**arguments, max_rows_per_task=10_000)
    assert frame.npartitions == 15
    assert len(frame.compute()) == 50_000
    assert len(reads(diary)) == 15


def test_repeats_the_task_of_a_worker_that_was_killed(
    plan: Planned, read_kafka: Any, arguments: dict[str, Any], diary: Diary
) -> None:
    expected = as_pandas(plan(killed_at=60_000).expected())
    frame = read_kafka(**arguments).compute().sort_values(["_partition", "_offset"], ignore_index=True)
    pd.testing.assert_frame_equal(frame, expected)
    attempts = [entry["pid"] for entry in reads(diary) if entry["partition"] == 0]
    assert len(set(attempts)) == len(attempts) == 2


def test_repeats_what_failed_where_dask_is_told_to(plan: Planned, read_kafka: Any, arguments: dict[str, Any]) -> None:
    plan(fails_at=60_000)
    assert len(read_kafka(**arguments).compute(retries=1)) == 50_000


def test_what_fails_otherwise_is_raised(plan: Planned, read_kafka: Any, arguments: dict[str, Any]) -> None:
    plan(fails_at=60_000)
    with pytest.raises(pykafarr.BrokerError, match="did not answer"):
        read_kafka(**arguments).compute()


def test_several_message_types_are_an_error(plan: Planned, read_kafka: Any, arguments: dict[str, Any]) -> None:
    plan(other_types=("com.example.Refund",))
    with pytest.raises(pykafarr.ConfigError, match=r"com\.example\.Order, com\.example\.Refund"):
        read_kafka(**arguments)


def test_a_message_type_met_while_reading_is_an_error(
    plan: Planned, read_kafka: Any, arguments: dict[str, Any]
) -> None:
    plan(found_type="null")
    with pytest.raises(pykafarr.SchemaError, match=r"orders\[\d\]@\d+: message type 'null'.*tombstones"):
        read_kafka(**arguments).compute()


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (pa.month_day_nano_interval(), "intervals"),
        (pa.struct([("x", pa.list_(pa.dense_union([pa.field("i", pa.int32())])))]), "dense unions"),
    ],
)
def test_what_pandas_has_no_type_for_is_refused_by_name(
    plan: Planned, read_kafka: Any, arguments: dict[str, Any], kind: Any, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.engines.fake.SCHEMA", SCHEMA.append(pa.field("odd", kind)))
    plan()
    with pytest.raises(pykafarr.SchemaError, match=rf"^odd.*{word}.*columns=") as caught:
        read_kafka(**arguments)
    assert caught.value.path is not None
    assert caught.value.path.startswith("odd")


def test_reads_a_topic_as_pykafarr_does(read_kafka: Any, real: dict[str, Any], cluster: Cluster, topic: str) -> None:
    expected = as_pandas(orders.read(cluster, topic))
    frame = read_kafka(**real, max_rows_per_task=100)
    assert frame.dtypes.drop("state").to_dict() == expected.dtypes.drop("state").to_dict()
    found = frame.compute().sort_values(["_partition", "_offset"], ignore_index=True)
    pd.testing.assert_frame_equal(found, expected)


def test_reads_the_columns_of_a_topic_that_are_used(read_kafka: Any, real: dict[str, Any]) -> None:
    frame = read_kafka(**real)
    assert frame["id"].max().compute() == 2_000_299
    assert frame[frame["amount"].isna()]["_offset"].count().compute() == 800


def test_repeats_the_reading_of_a_topic_by_a_worker_that_was_killed(
    read_kafka: Any, real: dict[str, Any], cluster: Cluster, topic: str, dying: Path
) -> None:
    frame = read_kafka(**real, num_messages=30).compute().sort_values(["_partition", "_offset"], ignore_index=True)
    pd.testing.assert_frame_equal(frame, as_pandas(orders.read(cluster, topic)))
    assert dying.exists()


def test_dask_reads_each_format_as_pykafarr_does(read_kafka: Any, given: dict[str, Any]) -> None:
    expected = as_pandas(formats.read(given))
    frame = read_kafka(**given, max_rows_per_task=25)
    plain = [name for name in expected if name != "state"]
    assert frame.dtypes[plain].to_dict() == expected.dtypes[plain].to_dict()
    found = frame.compute().sort_values(["_partition", "_offset"], ignore_index=True)
    pd.testing.assert_frame_equal(found, expected)
    assert frame["amount"].count().compute() == formats.ROWS


def test_a_password_by_reference_is_not_in_the_graph(read_kafka: Any, real: dict[str, Any]) -> None:
    pickled = cloudpickle.dumps(dict(read_kafka(**real).__dask_graph__()))
    assert PASSWORD.encode() not in pickled
    assert SECRET.encode() in pickled


@pytest.mark.parametrize("column", ["tags", "price", "items", "state"])
def test_rows_are_shuffled_by_tasks(read_kafka: Any, real: dict[str, Any], column: str) -> None:
    import dask

    frame = read_kafka(**real)[["id", column]]
    with dask.config.set({"dataframe.shuffle.method": "tasks"}):
        shuffled = frame.shuffle("id").compute()
    assert shuffled["id"].nunique() == len(shuffled) == orders.ROWS
    assert shuffled.dtypes[column] == frame.compute().dtypes[column]


def test_the_example_of_the_page_runs(
    workers: Any, cluster: Cluster, writer: Writer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    examples.run("pykafarr.dask.read_kafka", tmp_path, cluster, writer, **{"scheduler:8786": workers.scheduler.address})
    assert "GBPUSD    1.375" in capsys.readouterr().out


@pytest.fixture
def write_kafka() -> Any:
    from pykafarr.dask import write_kafka

    return write_kafka


def two_parts(table: pa.Table) -> Any:
    import dask.dataframe as dd

    return dd.from_pandas(table.to_pandas(types_mapper=pd.ArrowDtype), npartitions=2)


def test_dask_sends_all_rows_and_gathers_the_reports(
    write_kafka: Any, kafka: MockKafka, target: dict[str, Any]
) -> None:
    reports = write_kafka(two_parts(sending.frame(1000)), **target, **sending.GIVEN)
    assert len(reports) == 2
    assert sum(report.rows for report in reports) == sum(report.written for report in reports) == 1000
    rows = sending.sent(kafka, target["topic"])
    assert sending.in_order(rows) == sending.frame(1000).to_pylist()


@pytest.mark.parametrize("after_the_end", [False, True], ids=["before its end", "after it has committed"])
def test_dask_repeats_a_task_that_was_killed_and_a_header_tells_its_rows_apart(
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
    write_kafka(two_parts(sending.frame(1000)), **target, **options)
    assert mark.exists()
    expected = sending.frame(1000).to_pylist()
    # What was committed is there twice, what was not is not seen. The worker may have had both parts.
    assert len(sending.sent(kafka, target["topic"])) in ((1500, 2000) if after_the_end else (1000, 1500))
    assert sending.in_order(sending.once(kafka, target["topic"])) == expected


def test_dask_raises_what_no_task_could_send(write_kafka: Any, kafka: MockKafka, target: dict[str, Any]) -> None:
    bad = sending.frame(1000).set_column(0, "id", pa.array([None, *range(999)], pa.int64()))
    with pytest.raises(pykafarr.EncodeError, match="id: row 0: "):
        write_kafka(two_parts(bad), **target, **sending.GIVEN)


def test_dask_runs_the_example_of_the_page_that_writes(
    cluster: Cluster, writer: Writer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    examples.run("pykafarr.dask.write_kafka", tmp_path, cluster, writer)
    assert "2 rows were written" in capsys.readouterr().out
