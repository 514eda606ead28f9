"""The recipe of docs/delivery.md that keeps offsets in a database writes each row once, with two members as well."""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING

import pytest

from pykafarr.testing import MockKafka
from tests.docs.test_readme import PRICE, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def run(kafka: MockKafka, file: Path, group: str, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Runs the recipe as the page has it, on a file, and does something else before each transaction of rows."""
    page = (ROOT / "docs" / "delivery.md").read_text(encoding="utf-8")
    (code,) = re.findall(
        r"^### Keep the offsets in the database\n.*?^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE
    )
    for old, new in (
        ("kafka:9092", kafka.servers),
        ("http://registry:8081/", kafka.registry_url),
        (":memory:", str(file)),
        ('"exactly-once"', repr(group)),
        ("        with database:  # one transaction\n", "        meanwhile()\n        with database:\n"),
    ):
        assert old in code
        code = code.replace(old, new)
    exec(compile(code, "delivery.md", "exec"), {"meanwhile": meanwhile})


def written(file: Path) -> tuple[list[float], list[int]]:
    database = sqlite3.connect(file)
    try:
        bids = [bid for (bid,) in database.execute("SELECT bid FROM prices ORDER BY bid")]
        return bids, [offset for (offset,) in database.execute("SELECT offset FROM next")]
    finally:
        database.close()


@pytest.mark.parametrize("before", [0, 2], ids=["the first rows", "after other rows"])
def test_a_member_that_has_lost_its_partition_writes_nothing_that_another_has_written(
    tmp_path: Path, before: int
) -> None:
    file = tmp_path / "prices.db"
    with MockKafka(topics={"PRICES": 1}) as kafka:

        def produce(first: int, count: int) -> None:
            kafka.produce("PRICES", PRICE, [{"symbol": "A", "bid": float(bid)} for bid in range(first, first + count)])

        if before:
            produce(0, before)
            run(kafka, file, "group")
        produce(before, 3)

        def other() -> None:  # in a group of its own: it has the partition while the first one still works
            produce(before + 3, 2)
            run(kafka, file, "other")

        with pytest.raises(RuntimeError, match="another member has written rows of PRICES"):
            run(kafka, file, "group", other)
        everything = [float(bid) for bid in range(before + 5)]
        assert written(file) == (everything, [before + 5])
        run(kafka, file, "group")
        assert written(file) == (everything, [before + 5])
