"""The command `write`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import csv, feather, parquet

import pykafarr
from pykafarr._cli.main import main
from pykafarr.testing import MockKafka

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SCHEMA = {
    "type": "record",
    "name": "P",
    "fields": [{"name": "symbol", "type": "string"}, {"name": "bid", "type": "double"}],
}
TABLE = pa.table({"symbol": ["A", "B"], "bid": [1.5, 2.0]})


def files(folder: Path) -> list[str]:
    parquet.write_table(TABLE, folder / "a.parquet")
    csv.write_csv(TABLE, folder / "a.csv")
    feather.write_feather(TABLE, str(folder / "a.arrow"))
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in TABLE.to_pylist()))
    return [str(folder / f"a.{suffix}") for suffix in ("parquet", "csv", "arrow", "jsonl")]


def test_files_of_each_format_are_sent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p.avsc").write_text(json.dumps(SCHEMA))
    with MockKafka(topics={"PRICES": 1}) as kafka:
        where = [
            "--servers",
            kafka.servers,
            "--registry",
            kafka.registry_url,
            "--topic",
            "PRICES",
            "--message-type",
            "P",
        ]
        given = ["write", *files(tmp_path), *where, "--schema", str(tmp_path / "p.avsc")]
        assert main([*given, "--dry-run"]) == 0
        shown = capsys.readouterr()
        assert json.loads(shown.out) == SCHEMA
        assert "8 rows can be sent to PRICES" in shown.err
        assert main([*given, "--register", "--key", "symbol"]) == 0
        assert "2 rows to PRICES, [0]@6..7" in capsys.readouterr().out
        with pykafarr.scan(kafka.servers, "PRICES", kafka.registry_url, key="string", metadata=()).read() as stream:
            found = stream.to_arrow("P")
    assert found.drop_columns("_key").to_pylist() == TABLE.to_pylist() * 4
    assert found["_key"].to_pylist() == ["A", "B"] * 4


def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parquet.write_table(pa.table({"symbol": ["A", None], "bid": [1.5, 2.0]}), tmp_path / "bad.parquet")
    (tmp_path / "p.avsc").write_text(json.dumps(SCHEMA))
    with MockKafka(topics={"PRICES": 1}) as kafka:
        where = ["--servers", kafka.servers, "--registry", kafka.registry_url, "--topic", "PRICES"]
        for name, said in {
            "bad.parquet": "symbol: row 1: ",
            "no.csv": "there is no such file",
            "a.txt": "must end with",
        }.items():
            given = ["write", str(tmp_path / name), *where, "--schema", str(tmp_path / "p.avsc"), "--dry-run"]
            assert main(given) == 1
            assert said in capsys.readouterr().err
