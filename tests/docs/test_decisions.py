"""The records in docs/decisions have one form, and their list names each of them."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "decisions"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))


def test_records_are_numbered_without_a_gap() -> None:
    assert len(RECORDS) > 40
    assert [record.name[:5] for record in RECORDS] == [f"{number:04}-" for number in range(1, len(RECORDS) + 1)]


@pytest.mark.parametrize("record", RECORDS, ids=[record.stem for record in RECORDS])
def test_a_record_has_its_number_a_title_a_date_and_what_was_decided(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    title, date = re.match(rf"# {record.name[:4]}\. (\S.*)\n\nDate: (\S+)\n\n", text).groups()  # type: ignore[union-attr]
    assert dt.date.fromisoformat(date) >= dt.date(2026, 11, 23)
    assert "**Decision.**" in text
    assert f"* [{record.name[:4]}]({record.name}) {title}\n" in (FOLDER / "README.md").read_text(encoding="utf-8")
