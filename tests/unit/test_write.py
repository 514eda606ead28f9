"""The command `write`."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyarrow import csv, feather, parquet

import pykafarr
from pykafarr._cli.main import main
from pykafarr.testing import MockKafka

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = {
    "type": "record",
    "name": "P",
    "fields": [{"name": "symbol", "type": "string"}, {"name": "bid", "type": "double"}],
}
TABLE = pa.table({"symbol": ["A", "B"], "bid": [1.5, 2.0]})


KINDS = ("parquet", "csv", "arrow", "feather", "arrows", "json", "jsonl", "ndjson")


def file(folder: Path, kind: str, table: pa.Table = TABLE, name: str = "a") -> str:
    path = folder / f"{name}.{kind}"
    if kind == "parquet":
        parquet.write_table(table, path)
    elif kind == "csv":
        csv.write_csv(table, path)
    elif kind == "arrows":
        with pa.ipc.new_stream(path, table.schema) as stream:
            stream.write_table(table)
    elif kind in ("arrow", "feather"):
        feather.write_feather(table, str(path))
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    return str(path)


@pytest.fixture
def kafka() -> Iterator[MockKafka]:
    with MockKafka(topics={"PRICES": 1}) as made:
        yield made


@pytest.fixture
def where(kafka: MockKafka, tmp_path: Path) -> list[str]:
    """The arguments that say where the rows go, and how."""
    (tmp_path / "p.avsc").write_text(json.dumps(SCHEMA))
    to = ["--servers", kafka.servers, "--registry", kafka.registry_url, "--topic", "PRICES"]
    return [*to, "--schema", str(tmp_path / "p.avsc")]


def sent(kafka: MockKafka) -> list[dict[str, Any]]:
    with pykafarr.scan(kafka.servers, "PRICES", kafka.registry_url, metadata=()).read() as stream:
        return next(iter(stream.to_arrow().values()), pa.table({})).to_pylist()


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_each_format_is_checked_and_then_sent(
    kafka: MockKafka, where: list[str], tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["write", file(tmp_path, kind), *where, "--message-type", "P"]
    assert main([*given, "--dry-run", "--register"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == SCHEMA
    assert shown.err == "2 rows can be sent to PRICES\n"
    assert sent(kafka) == []
    assert main(given) == 1  # neither was the schema registered
    assert "SchemaNotFoundError" in capsys.readouterr().err
    assert main([*given, "--register"]) == 0
    assert capsys.readouterr() == ("<pykafarr.Report 2 rows to PRICES, [0]@0..1>\n", "")
    assert sent(kafka) == TABLE.to_pylist()


def test_files_are_sent_one_after_the_other_with_keys(
    kafka: MockKafka, where: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [file(tmp_path, kind) for kind in ("parquet", "csv", "arrow", "jsonl")]
    assert main(["write", *files, *where, "--register", "--key", "symbol"]) == 0
    places = [line.partition("PRICES, ")[2] for line in capsys.readouterr().out.splitlines()]
    assert places == ["[0]@0..1>", "[0]@2..3>", "[0]@4..5>", "[0]@6..7>"]
    with pykafarr.scan(kafka.servers, "PRICES", kafka.registry_url, key="string", metadata=()).read() as stream:
        found = stream.to_arrow("P")
    assert found.drop_columns("_key").to_pylist() == TABLE.to_pylist() * 4
    assert found["_key"].to_pylist() == ["A", "B"] * 4


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_columns_and_constants_say_what_is_beside_the_values(
    kafka: MockKafka, where: list[str], tmp_path: Path, kind: str
) -> None:
    kafka.create_topic("WIDE", partitions=3)
    more = {"id": ["007", "8"], "place": pa.array([2, None], pa.int64()), "at": pa.array([5, 6], pa.int64())}
    table = pa.table({**{name: TABLE[name] for name in TABLE.column_names}, **more})
    columns = ["--key", "id", "--key-format", "string", "--partition", "place", "--timestamp", "at"]
    headers = ["--header", "source=desk 4", "--header", "note="]
    given = ["write", file(tmp_path, kind, table), *where, "--topic", "WIDE", "--register", *columns, *headers]
    assert main(given) == 0
    beside = ("partition", "timestamp", "headers")
    plan = pykafarr.scan(kafka.servers, "WIDE", kafka.registry_url, key="string", metadata=beside)
    with plan.read() as stream:
        found = {row["_key"]: row for row in stream.to_arrow("P").to_pylist()}
    assert set(found) == {"007", "8"}  # keys of a csv are texts, too
    assert found["007"]["_partition"] == 2
    assert {row["_timestamp"].microsecond for row in found.values()} == {5000, 6000}
    said = [{"key": "source", "value": b"desk 4"}, {"key": "note", "value": b""}]
    assert [row["_headers"] for row in found.values()] == [said, said]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dry", [["--dry-run"], []], ids=["dry", "sent"])
def test_a_bad_value_is_named_with_its_file_and_row(
    kafka: MockKafka, where: list[str], tmp_path: Path, kind: str, dry: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    bad = file(tmp_path, kind, pa.table({"symbol": ["A", "B"], "bid": [1.5, None]}), "bad")
    assert main(["write", file(tmp_path, kind), bad, *where, "--register", *dry]) == 1
    shown = capsys.readouterr()
    assert f"pykafarr: EncodeError: {bad}: bid: row 1: " in shown.err
    # What was sent before is said.
    assert shown.out == ("" if dry else "<pykafarr.Report 2 rows to PRICES, [0]@0..1>\n")
    assert sent(kafka) == ([] if dry else TABLE.to_pylist())


def test_the_rows_of_a_file_of_several_parts_are_numbered_throughout(
    kafka: MockKafka, where: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = 140_000
    bad = pa.table({"symbol": ["A"] * rows, "bid": [None if row == 139_999 else 1.0 for row in range(rows)]})
    for dry in (["--dry-run"], []):
        assert main(["write", file(tmp_path, "parquet", bad), *where, "--register", *dry]) == 1
        assert "a.parquet: bid: row 139999: " in capsys.readouterr().err
    assert len(sent(kafka)) == 131_072  # the part before


def test_what_is_wrong_with_a_file_is_said_before_any_is_sent(
    kafka: MockKafka, where: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = file(tmp_path, "csv")
    (tmp_path / "a.txt").write_text("x")
    for name, said in {
        "no.csv": "no.csv: there is no such file",
        "a.txt": "a.txt: its name must end with one of .parquet, .csv, ",
        "": f"{tmp_path}: its name must end with",
    }.items():
        assert main(["write", good, str(tmp_path / name), *where, "--register"]) == 1
        assert said in capsys.readouterr().err
    assert sent(kafka) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_damaged_is_an_error_of_one_line(
    kafka: MockKafka, where: list[str], tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = Path(file(tmp_path, kind))
    damaged.write_bytes(
        b'{"symbol": "A", "bid": [}' if "js" in kind else b"symbol,bid\nA\n" if kind == "csv" else b"x" * 9
    )
    assert main(["write", str(damaged), *where]) == 1
    assert f"pykafarr: ConfigError: {damaged} cannot be read: " in capsys.readouterr().err


def test_a_file_without_rows_is_checked_all_the_same(
    where: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind in ("parquet", "arrow", "arrows"):
        given = ["write", file(tmp_path, kind, TABLE.slice(2)), *where, "--register"]
        assert main([*given, "--dry-run"]) == 0
        assert capsys.readouterr().err == "0 rows can be sent to PRICES\n"
        assert main(given) == 0
        assert main(["write", file(tmp_path, kind, TABLE.slice(2).select(["symbol"])), *where, "--dry-run"]) == 1
        assert "bid" in capsys.readouterr().err


def test_texts_of_files_are_what_the_schema_says_and_nothing_else_is_null(
    kafka: MockKafka, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Arrow's readers guess from the values: numbers of "007", moments of "2026-01-31", and nulls of "NA" and "nan"."""
    money = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}
    fields = {"symbol": "string", "code": ["null", "string"], "price": money, "bid": ["null", "double"]}
    inner = {"type": "record", "name": "I", "fields": [{"name": "day", "type": "string"}]}
    schema = {
        "type": "record",
        "name": "P",
        "fields": [{"name": name, "type": kind} for name, kind in fields.items()],
    }
    to = ["--servers", kafka.servers, "--registry", kafka.registry_url, "--topic", "PRICES", "--register"]
    (tmp_path / "p.avsc").write_text(json.dumps(schema))
    (tmp_path / "p.csv").write_text("symbol,code,price,bid\n007,NA,1.10,nan\n2026-01-31,null,-2,\n")
    assert main(["write", str(tmp_path / "p.csv"), *to, "--schema", str(tmp_path / "p.avsc")]) == 0, capsys.readouterr()
    found = sent(kafka)
    assert [(row["symbol"], row["code"], str(row["price"])) for row in found] == [
        ("007", "NA", "1.10"),
        ("2026-01-31", "null", "-2.00"),
    ]
    assert math.isnan(found[0]["bid"])
    assert found[1]["bid"] is None
    schema["name"] = "Q"
    schema["fields"] = [{"name": "symbol", "type": "string"}, {"name": "in", "type": {"type": "array", "items": inner}}]
    (tmp_path / "q.avsc").write_text(json.dumps(schema))
    (tmp_path / "q.jsonl").write_text('{"symbol": "2026-01-31T00:00:00Z", "in": [{"day": "2026-01-31"}]}\n')
    to[5] = "DAYS"
    kafka.create_topic("DAYS")
    assert main(["write", str(tmp_path / "q.jsonl"), *to, "--schema", str(tmp_path / "q.avsc")]) == 0, (
        capsys.readouterr()
    )
    with pykafarr.scan(kafka.servers, "DAYS", kafka.registry_url, metadata=()).read() as stream:
        assert stream.to_arrow("Q").to_pylist() == [{"symbol": "2026-01-31T00:00:00Z", "in": [{"day": "2026-01-31"}]}]


def test_a_schema_is_derived_and_shown(kafka: MockKafka, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    to = ["--servers", kafka.servers, "--registry", kafka.registry_url, "--topic", "PRICES", "--message-type", "D"]
    given = ["write", file(tmp_path, "parquet"), *to, "--schema", "derive"]
    assert main([*given, "--dry-run"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["name"], [field["name"] for field in shown["fields"]]) == ("D", ["symbol", "bid"])
    assert main([*given, "--register"]) == 0
    assert sent(kafka) == TABLE.to_pylist()


def test_the_bar_counts_rows_on_stderr(
    where: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tqdm")
    for more in (["--dry-run"], []):
        assert (
            main(["write", file(tmp_path, "csv"), file(tmp_path, "csv"), *where, "--register", "--progress", *more])
            == 0
        )
        shown = capsys.readouterr()
        assert "4.00row [00:" in shown.err
        assert "row [" not in shown.out
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    assert main(["write", file(tmp_path, "csv"), *where, "--progress"]) == 1
    assert "--progress needs tqdm: pip install 'pykafarr[progress]'" in capsys.readouterr().err


def test_rows_that_were_not_written_are_told_of_each_file(
    kafka: MockKafka, where: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The topic takes smaller messages than one of the rows."""
    kafka.create_topic("SMALL")
    where[5] = "SMALL"
    big = file(tmp_path, "parquet", pa.table({"symbol": ["x" * 2_000_000, "B"], "bid": [1.5, 2.0]}), "big")
    assert main(["write", file(tmp_path, "csv"), big, file(tmp_path, "jsonl"), *where, "--register"]) == 1
    shown = capsys.readouterr()
    assert "DeliveryError" in shown.err or "EncodeError" in shown.err
    assert "2 rows to SMALL, [0]@0..1" in shown.out


def test_wrong_usage_is_the_exit_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    for given in (
        ["write"],
        ["write", "a.csv"],
        ["write", "a.csv", "--servers", "x", "--topic", "t", "--subject", "y"],
    ):
        with pytest.raises(SystemExit) as ended:
            main(given)
        assert ended.value.code == 2
        assert "usage: python -m pykafarr write" in capsys.readouterr().err


def test_an_empty_cell_of_a_csv_is_null_where_a_text_may_be_null(kafka: MockKafka, tmp_path: Path) -> None:
    fields = [{"name": "n", "type": "int"}, {"name": "t", "type": ["null", "string"]}, {"name": "s", "type": "string"}]
    (tmp_path / "t.avsc").write_text(json.dumps({"type": "record", "name": "T", "fields": fields}))
    (tmp_path / "t.csv").write_text('n,t,s\n1,x,y\n2,,\n3,"",""\n4,NA,NA\n')
    to = ["--servers", kafka.servers, "--registry", kafka.registry_url, "--topic", "PRICES", "--register"]
    assert main(["write", str(tmp_path / "t.csv"), *to, "--schema", str(tmp_path / "t.avsc")]) == 0
    with pykafarr.scan(kafka.servers, "PRICES", kafka.registry_url, metadata=()).read() as stream:
        found = stream.to_arrow("T").to_pylist()
    assert [row["t"] for row in found] == ["x", None, "", "NA"]
    assert [row["s"] for row in found] == ["y", "", "", "NA"]
