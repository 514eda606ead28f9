"""The recipes of docs/sending.md give what they promise: each row once, as it was, also where they run again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

import pykafarr
from pykafarr.testing import MockKafka
from tests.docs.test_readme import PRICE, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADERS = pa.list_(pa.struct([("key", pa.string()), ("value", pa.binary())]))
WHOLE = ("key", "headers", "timestamp", "tombstone")


@pytest.fixture
def kafka() -> Iterator[MockKafka]:
    with MockKafka(topics={"PRICES": 1, "COPIES": 1, "LETTERS": 1}) as made:
        yield made


def run(kafka: MockKafka, heading: str) -> None:
    page = (ROOT / "docs" / "sending.md").read_text(encoding="utf-8")
    (code,) = re.findall(rf"^### {heading}\n.*?^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    here = code.replace("kafka:9092", kafka.servers).replace("http://registry:8081/", kafka.registry_url)
    exec(compile(here, "sending.md", "exec"), {})


def messages(kafka: MockKafka, topic: str, **options: Any) -> list[dict[str, Any]]:
    options = {"value": "bytes", "key": "bytes", "tombstones": "keep", "metadata": WHOLE, **options}
    with pykafarr.scan(kafka.servers, topic, None, **options).read() as stream:
        return next(iter(stream.to_arrow().values()), pa.table({})).to_pylist()


def test_rows_of_a_database_are_seen_all_or_not_at_all(kafka: MockKafka) -> None:
    pytest.importorskip("duckdb")
    kafka.produce("PRICES", PRICE, [{"symbol": "A", "bid": 0.0}])
    run(kafka, "From a database to a topic")
    with pykafarr.scan(kafka.servers, "PRICES", kafka.registry_url, metadata=(), key="string").read() as stream:
        assert stream.to_arrow("com.example.Price").to_pylist() == [
            {"symbol": "A", "bid": 0.0, "_key": None},
            {"symbol": "GBPUSD", "bid": 1.25, "_key": "GBPUSD"},
        ]


def test_a_copy_of_a_topic_has_each_message_once_as_it_was(kafka: MockKafka) -> None:
    trade = {"type": "record", "name": "com.example.Trade", "fields": [{"name": "id", "type": "long"}]}
    with pykafarr.producer(kafka.servers, kafka.registry_url) as out:
        prices = pa.table({"symbol": ["A", "B"], "bid": [1.0, 2.0], "_tombstone": [False, True]})
        out.send("com.example.Price", prices, "PRICES", schema=PRICE, register=True, key="symbol", headers={"a": "1"})
        out.send("com.example.Trade", pa.table({"id": [1]}), "PRICES", schema=trade, register=True)
    kafka.produce_raw("PRICES", [b"no framing"], keys=[b""], timestamp=5)
    expected = messages(kafka, "PRICES")
    assert len(expected) == 4
    run(kafka, "From one topic to another")
    assert messages(kafka, "COPIES") == expected
    run(kafka, "From one topic to another")  # a restart copies what came since
    kafka.produce_raw("PRICES", [b"more"])
    run(kafka, "From one topic to another")
    assert messages(kafka, "COPIES") == messages(kafka, "PRICES")


def test_dead_letters_are_sent_once_more_as_the_messages_that_they_were(
    kafka: MockKafka, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = pa.table(
        {
            "value": pa.array([b"bad", b"", b"x" * 900_000], pa.binary()),
            "_key": ["k", None, "large"],
            "_headers": pa.array([[("a", b"1")]] * 3, HEADERS),
            "_timestamp": pa.array([5, 6, 7], pa.timestamp("ms", "UTC")),
        }
    )
    kafka.create_topic("OTHERS")
    with pykafarr.producer(kafka.servers, None) as out:
        out.send("bytes", bad, "PRICES")
        out.send("bytes", bad.slice(0, 1), "OTHERS")
    kafka.produce("PRICES", PRICE, [{"symbol": "A", "bid": 0.0}])
    with pykafarr.listener(
        *(kafka.servers, "reader", ["PRICES", "OTHERS"], kafka.registry_url),
        errors="skip",
        dead_letter_topic="LETTERS",
        config={"auto.offset.reset": "earliest"},
    ) as p:
        while p.stats()["skipped"] < 4:
            p.poll(num_messages=10, max_time=100)
    letters = messages(kafka, "LETTERS")
    assert len(letters) == 4
    before = messages(kafka, "PRICES")
    run(kafka, "Dead letters once more")
    found = messages(kafka, "PRICES")[len(before) :]
    written = [{name: row[name] for name in ("value", "_key", "_headers")} for row in found]
    assert written == [{name: row[name] for name in ("value", "_key", "_headers")} for row in before[:3]]
    run(kafka, "Dead letters once more")
    assert len(messages(kafka, "PRICES")) == len(before) + len(found)
    # A letter without its value, as brokers make necessary that take smaller messages than those of the topic.
    notes = pa.array([[("pykafarr.topic", b"PRICES"), ("pykafarr.truncated", b"2000000 bytes")]], HEADERS)
    with pykafarr.producer(kafka.servers, None) as out:
        out.send("bytes", pa.table({"value": pa.array([None], pa.binary()), "_headers": notes}), "LETTERS")
    run(kafka, "Dead letters once more")
    assert len(messages(kafka, "PRICES")) == len(before) + len(found), "a tombstone was made of a letter"
    assert "left out: {'pykafarr.topic': b'PRICES'" in capsys.readouterr().out
