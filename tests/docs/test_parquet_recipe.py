"""The recipe of docs/delivery.md that writes parquet files has each row once, also where a run committed nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pyarrow import parquet

from pykafarr.testing import MockKafka
from tests.docs.test_readme import PRICE, ROOT

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def run(kafka: MockKafka, *changes: tuple[str, str]) -> None:
    """Runs the recipe as the page has it, but for these changes."""
    page = (ROOT / "docs" / "delivery.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^### Parquet files that .*?^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    servers = (("kafka:9092", kafka.servers), ("http://registry:8081/", kafka.registry_url))
    for old, new in (*servers, *changes):
        assert old in code
        code = code.replace(old, new)
    exec(compile(code, "delivery.md", "exec"), {})


def test_files_that_were_not_committed_are_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "prices"
    with MockKafka(topics={"PRICES": 1}) as kafka:
        kafka.produce("PRICES", PRICE, [{"symbol": "A", "bid": float(bid)} for bid in range(5)])
        run(kafka, ("num_messages=100_000", "num_messages=2"), ("p.commit(batch)", "pass"))
        assert len(list(folder.iterdir())) == 3
        run(kafka)
        assert [file.name for file in folder.iterdir()] == ["PRICES-0-0.parquet"]
        kafka.produce("PRICES", PRICE, [{"symbol": "A", "bid": 5.0}])
        run(kafka)
        found = [offset for file in folder.iterdir() for offset in parquet.read_table(file)["_offset"].to_pylist()]
        assert sorted(found) == [*range(6)]
