"""The recipes that make a table of the last value of each key give the same table in each run."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pykafarr.testing import MockKafka
from tests.docs.test_readme import PRICE, ROOT

RECIPES = [("delivery.md", "Follow a compacted topic as a table"), ("scans.md", "The latest state of each key")]


def table(kafka: MockKafka, page: str, heading: str) -> Any:
    """What the recipe's table is at its end, without columns that only say how it was made."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    (code,) = re.findall(rf"^##+ {heading}\n.*?^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {}
    here = code.replace("kafka:9092", kafka.servers).replace("http://registry:8081/", kafka.registry_url)
    exec(compile(here, page, "exec"), names)
    found = names["table"]
    return None if found is None else dict(zip(found["_key"], found["bid"], strict=True))


def produce(kafka: MockKafka, bids: dict[str, float]) -> None:
    prices = [{"symbol": key, "bid": bid} for key, bid in bids.items()]
    kafka.produce("PRICES", PRICE, prices, keys=[key.encode() for key in bids], partition=0)


@pytest.mark.parametrize(("page", "heading"), RECIPES)
def test_a_table_of_the_last_values_is_whole_in_each_run(page: str, heading: str) -> None:
    with MockKafka(topics={"PRICES": 1}) as kafka:
        assert table(kafka, page, heading) is None  # an empty topic
        produce(kafka, {"a": 1, "b": 2, "c": 3})
        kafka.produce("PRICES", PRICE, [{"symbol": "no key", "bid": 4}] * 2, partition=0)
        assert table(kafka, page, heading) == {"a": 1, "b": 2, "c": 3}
        assert table(kafka, page, heading) == {"a": 1, "b": 2, "c": 3}  # with nothing new
        produce(kafka, {"a": 5})
        kafka.produce_raw("PRICES", [None], keys=[b"b"], partition=0)
        assert table(kafka, page, heading) == {"a": 5, "c": 3}
        kafka.produce_raw("PRICES", [None] * 2, keys=[b"a", b"c"], partition=0)
        assert table(kafka, page, heading) == {}
