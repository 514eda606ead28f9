"""polars, whose lazy frames read in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pytest

import pykafarr
from pykafarr._batches import to_polars
from pykafarr.polars import scan_kafka
from tests.engines import examples, formats, orders
from tests.engines.fake import SCHEMA, Diary

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engines.conftest import Planned
    from tests.integration.writing import Writer
    from tests.servers import Cluster

pytestmark = pytest.mark.engines


def expected(table: pa.Table) -> pl.DataFrame:
    made = pl.from_arrow(table)
    assert isinstance(made, pl.DataFrame)
    return made


def reads(diary: Diary) -> list[dict[str, Any]]:
    return [entry for entry in diary.read() if "columns" in entry]


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_gives_all_rows_as_polars_takes_them(plan: Planned, arguments: dict[str, Any], engine: Any) -> None:
    wanted = expected(plan().expected())
    frame = scan_kafka(**arguments).collect(engine=engine)
    assert frame.sort("_partition", "_offset").equals(wanted)
    assert frame.schema == wanted.schema


def test_knows_the_schema_before_anything_is_read(plan: Planned, arguments: dict[str, Any], diary: Diary) -> None:
    wanted = expected(plan().expected())
    assert scan_kafka(**arguments).collect_schema() == wanted.schema
    assert not reads(diary)


def test_an_empty_range_has_a_schema_and_no_rows(plan: Planned, arguments: dict[str, Any]) -> None:
    plan(sizes=(0,))
    frame = scan_kafka(**arguments).collect()
    assert frame.height == 0
    assert frame.columns == SCHEMA.names


def test_reads_only_the_columns_that_are_used(plan: Planned, arguments: dict[str, Any], diary: Diary) -> None:
    wanted = expected(plan().expected())
    frame = scan_kafka(**arguments).filter(pl.col("amount") > 2**60 + 89_000).select("name", "_offset").collect()
    assert sorted(frame.rows()) == sorted(
        wanted.filter(pl.col("amount") > 2**60 + 89_000).select("name", "_offset").rows()
    )
    assert reads(diary)
    assert all(sorted(entry["columns"]) == ["amount", "name"] for entry in reads(diary))
    assert all(entry["metadata"] == ["offset"] for entry in reads(diary))


def test_counting_reads_one_narrow_field(plan: Planned, arguments: dict[str, Any], diary: Diary) -> None:
    plan()
    assert scan_kafka(**arguments).select(pl.len()).collect().item() == 50_000
    assert reads(diary)
    assert all(len(entry["columns"]) == 1 for entry in reads(diary))


def test_head_stops_the_reading(plan: Planned, arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.engines import fake

    made = []
    rows_of = fake.rows_of
    monkeypatch.setattr(fake, "rows_of", lambda *found: made.append(found) or rows_of(*found))
    plan(sizes=(3_000_000,))
    assert scan_kafka(**arguments).head(3).collect()["_offset"].to_list() == [0, 3, 6]
    assert sum(len(offsets) for _, offsets in made) < 100_000


def test_head_behind_a_filter_counts_what_is_kept(plan: Planned, arguments: dict[str, Any]) -> None:
    plan()
    frame = scan_kafka(**arguments).filter(pl.col("id") >= 1_000_000).head(5).collect()
    assert frame["id"].to_list() == [1_000_000 + 3 * index for index in range(5)]


def test_several_message_types_are_an_error(plan: Planned, arguments: dict[str, Any]) -> None:
    plan(other_types=("com.example.Refund",))
    with pytest.raises(pykafarr.ConfigError, match=r"com\.example\.Order, com\.example\.Refund"):
        scan_kafka(**arguments)


def test_what_polars_has_no_type_for_is_refused_by_name(
    plan: Planned, arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.engines.fake.SCHEMA", SCHEMA.append(pa.field("odd", pa.decimal256(50, 2))))
    plan()
    with pytest.raises(pykafarr.SchemaError, match=r"^odd: polars has no decimal of 50 digits.*columns="):
        scan_kafka(**arguments)


def test_reads_a_topic_as_pykafarr_does(real: dict[str, Any], cluster: Cluster, topic: str) -> None:
    wanted = to_polars.to_polars(orders.read(cluster, topic).to_batches()[0])
    lazy = scan_kafka(**real)
    assert lazy.collect_schema() == wanted.schema
    assert lazy.collect().sort("_partition", "_offset").equals(wanted)


def test_polars_reads_each_format_as_pykafarr_does(given: dict[str, Any]) -> None:
    wanted = to_polars.to_polars(formats.read(given).to_batches()[0])
    lazy = scan_kafka(**given)
    assert lazy.collect_schema() == wanted.schema
    assert lazy.collect().sort("_partition", "_offset").equals(wanted)
    assert lazy.select("amount").collect()["amount"].null_count() == formats.ROWS


def test_reads_the_columns_of_a_topic_that_are_used(real: dict[str, Any]) -> None:
    lazy = scan_kafka(**real)
    assert lazy.filter(pl.col("amount") > 2**60 + 495).select("name", "_offset").collect().sort("_offset").rows() == [
        ("order 496", 496),
        ("order 497", 497),
        ("order 498", 498),
        ("order 499", 499),
    ]
    assert lazy.select(pl.len()).collect().item() == orders.ROWS


def test_one_read_serves_both_sides_of_a_join(real: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    begun = []
    read = pykafarr.Plan.read
    monkeypatch.setattr(pykafarr.Plan, "read", lambda plan: begun.append(plan) or read(plan))
    lazy = scan_kafka(**real).select("id", "name")
    assert lazy.join(lazy, on="id").collect().height == orders.ROWS
    assert len(begun) == 1


def test_the_example_of_the_page_runs(
    cluster: Cluster, writer: Writer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    examples.run("pykafarr.polars", tmp_path, cluster, writer)
    assert "1.375" in capsys.readouterr().out
