"""The examples of the README and of the pages in docs/ run as they stand, but for the addresses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import pykafarr
from pykafarr.testing import MockKafka

ROOT = Path(__file__).resolve().parents[2]
# But for the engines' page, whose examples run in tests/engines, and the one that test_migrating_page.py runs.
ELSEWHERE = {ROOT / "docs" / "engines.md", ROOT / "docs" / "migrating.md"}
PAGES = [ROOT / "README.md", *sorted(set((ROOT / "docs").glob("*.md")) - ELSEWHERE)]
PRICE = {
    "type": "record",
    "name": "com.example.Price",
    "fields": [{"name": "symbol", "type": "string"}, {"name": "bid", "type": "double"}],
}


def blocks(language: str) -> list[str]:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("code", blocks("python no-run"))
def test_an_example_that_needs_what_is_not_here_compiles_and_names_what_there_is(code: str) -> None:
    compile(code, "docs", "exec")
    for name in re.findall(r"pykafarr\.(\w+)", code):
        assert hasattr(pykafarr, name)


@pytest.mark.parametrize("code", blocks("python"))
def test_an_example_in_python_runs_as_it_stands(
    code: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # some write files
    with MockKafka() as kafka:
        for topic in ("PRICES", "TRADES", "COPIES", "LETTERS", "JSON_PRICES", "PLAIN_PRICES"):
            kafka.produce(topic, PRICE, [{"symbol": "GBPUSD", "bid": 1.25}] * 3)
        here = code.replace("kafka:9092", kafka.servers).replace("http://registry:8081/", kafka.registry_url)
        exec(compile(here, "README.md", "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr().out
    for expected in re.findall(r"# (\{.*\})$", code, re.MULTILINE):
        assert expected in printed
    if "com.example.Price:" in code:
        assert printed.startswith("com.example.Price\n")


def test_the_example_in_go_is_compiled_by_the_go_tests() -> None:
    compiled = re.sub(r"\s+", " ", (ROOT / "kafarr" / "example_test.go").read_text(encoding="utf-8"))
    for code in blocks("go"):
        assert re.sub(r"\s+", " ", code).strip() in compiled
