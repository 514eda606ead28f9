"""ARCHITECTURE.md is short, and the files, tests and decisions that it and the other guides name exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
ADDING = (ROOT / "docs" / "adding.md").read_text(encoding="utf-8")
TEXT = PAGE + ADDING + "".join(record.read_text(encoding="utf-8") for record in DECISIONS)
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
COMMENT = (ROOT / "kafarr" / "doc.go").read_text(encoding="utf-8")
FLOWS = [
    *("Poll", "Schema look-up", "Acknowledge and commit", "Rebalance and callbacks"),
    *("Seek and pause", "Dead letters", "Scan", "Produce", "Boundary and close"),
]


def tracked() -> list[str]:
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [name for name in listing.stdout.splitlines() if (ROOT / name).exists()]


def test_the_page_is_short_enough_to_be_read_at_once() -> None:
    lines = PAGE.splitlines()
    assert len(lines) <= 400
    assert [line for line in lines if len(line) > 120] == []


@pytest.mark.parametrize("flow", FLOWS)
def test_each_flow_has_a_diagram_its_files_and_the_tests_of_its_invariants(flow: str) -> None:
    section = PAGE.split(f"\n## {flow}\n")[1].split("\n## ")[0]
    assert section.count("```mermaid\n") == 1
    assert "\nFiles: " in section
    invariants = re.findall(r"^\* .*?(?=^\* |^$)", section, re.DOTALL | re.MULTILINE)
    assert len(invariants) >= 3
    assert [text for text in invariants if not re.search(r"`(?:Test|test_)\w+`", text)] == []


def test_each_test_that_is_named_exists() -> None:
    named = set(re.findall(r"`((?:Test|test_)\w+)`", TEXT))
    sources = [name for name in tracked() if name.endswith("_test.go") or re.match(r"tests/.*\.py$", name)]
    defined = {
        test
        for name in sources
        for test in re.findall(r"^\s*(?:async )?(?:func|def) (\w+)\(", (ROOT / name).read_text("utf-8"), re.MULTILINE)
    }
    assert len(named) > 50
    assert named - defined == set()


def test_each_file_and_folder_that_is_named_exists() -> None:
    in_backticks = r"`([\w.-]+(?:/[\w.-]+)+/?|\w+\.(?:go|py|c|h|md))`"
    of_the_package = [f"kafarr/{name}" for name in re.findall(r"\b([a-z_/]+\.go)\b", COMMENT)]
    assert of_the_package != []
    assert len(re.findall(in_backticks, GUIDE)) > 5
    named = {*re.findall(in_backticks, TEXT + GUIDE), *of_the_package}
    paths = {f"/{name}/" for name in tracked()}
    others = {"apache/thrift", "arrow/cdata", "daead/subtle", "golang.org/x", "os/signal"}  # packages of other projects
    missing = {name for name in named - others if not any(f"/{name.rstrip('/')}/" in path for path in paths)}
    assert len(named) > 50
    assert missing == set()


def test_each_decision_that_is_named_exists() -> None:
    named = set(re.findall(r"\b(0\d{3})\b", PAGE))
    assert len(named) > 20
    assert named <= {record.name[:4] for record in DECISIONS}
