"""ARCHITECTURE.md is short, and each of its flows has a diagram and the tests of its invariants."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
FLOWS = [
    *("Poll", "Schema look-up", "Acknowledge and commit", "Rebalance and callbacks"),
    *("Seek and pause", "Dead letters", "Scan", "Boundary and close"),
]


def test_the_page_is_short_enough_to_be_read_at_once() -> None:
    lines = PAGE.splitlines()
    assert len(lines) <= 350
    assert [line for line in lines if len(line) > 120] == []


@pytest.mark.parametrize("flow", FLOWS)
def test_each_flow_has_a_diagram_its_files_and_the_tests_of_its_invariants(flow: str) -> None:
    section = PAGE.split(f"\n## {flow}\n")[1].split("\n## ")[0]
    assert section.count("```mermaid\n") == 1
    assert "\nFiles: " in section
    invariants = re.findall(r"^\* .*?(?=^\* |^$)", section, re.DOTALL | re.MULTILINE)
    assert len(invariants) >= 3
    assert [text for text in invariants if not re.search(r"`(?:Test|test_)\w+`", text)] == []


def test_each_decision_that_is_named_exists() -> None:
    named = set(re.findall(r"\b(0\d{3})\b", PAGE))
    assert len(named) > 20
    assert named <= {record.name[:4] for record in DECISIONS}
