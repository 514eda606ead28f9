"""SECURITY.md promises what is tested, and its numbers are the code's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the table below a heading."""
    section = (ROOT / page).read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


BOUNDS = rows("SECURITY.md", "What is bounded")
TESTS = rows("docs/threat-model.md", "What tests it")


def test_each_bound_has_its_test() -> None:
    bounds = {name for name, limit, _ in BOUNDS if "not bounded" not in limit}
    assert bounds <= {what for what, *_ in TESTS}


@pytest.mark.parametrize(("what", "where", "test"), TESTS, ids=[what for what, *_ in TESTS])
def test_each_test_that_is_named_exists(what: str, where: str, test: str) -> None:
    assert re.search(rf"^(func|def) {test.strip('`')}\(", (ROOT / where).read_text(), re.MULTILINE), what


# Where a number stands in the code, and how the page writes it.
NUMBERS = [
    ("items of one block of an array or map", "kafarr/format/limits.go", "BlockItems: 1 << 24", "2^24"),
    ("items of no bytes", "kafarr/format/limits.go", "EmptyItems: 1 << 16", "65,536"),
    ("memory of a message in columns", "kafarr/format/limits.go", "MessageBytes: 24 << 20", "24 MiB"),
    (
        "values of a message, those of no bytes counted",
        "kafarr/format/limits.go",
        "MessageSteps: 10_000_000",
        "10,000,000",
    ),
    ("depth of values of recursive types, of schemas", "kafarr/format/limits.go", "ValueDepth: 256", "256, 200"),
    ("depth of values of recursive types, of schemas", "kafarr/format/limits.go", "SchemaDepth: 200", "256, 200"),
    ("columns of a schema", "kafarr/format/limits.go", "Columns: 20_000", "20,000"),
    ("a batch", "kafarr/memory.go", "DefaultBatchBytes = 1 << 30", "1 GiB"),
    ("time between two looks at the clock", "kafarr/format/effort.go", "= 4_000_000", "4,000,000"),
    ("an answer of the registry", "kafarr/registry/transport.go", "maxAnswer = 16 << 20", "16 MiB"),
    ("references of a schema", "kafarr/registry/lookup.go", "maxReferences = 1000", "1,000"),
    ("an answer of a broker to a scan", "kafarr/internal/cluster/incoming.go", "= 16 << 20", "16 MiB"),
    ("an answer of a broker to a scan", "kafarr/scanmemory.go", "metadataShare = 64", "a 64th of"),
    ("a wait that a broker asks a scan for", "kafarr/source/fetch/fetch.go", "maxThrottled = time.Minute", "a minute"),
    ("texts of others in our errors", "cgo/kafarr.h", "message[4096]", "4,096"),
    ("texts of others in our errors", "kafarr/registry/failure.go", "oneLine(text, 300)", "300"),
    ("texts of others in our errors", "kafarr/registry/subject.go", "oneLine(answer.Message, 3000)", "3,000"),
]


@pytest.mark.parametrize(("bound", "where", "code", "text"), NUMBERS)
def test_the_numbers_of_the_page_are_those_of_the_code(bound: str, where: str, code: str, text: str) -> None:
    assert re.sub(r" +", " ", code) in re.sub(r" +", " ", (ROOT / where).read_text())
    (found,) = [limit for name, limit, _ in BOUNDS if name == bound]
    assert text in found
