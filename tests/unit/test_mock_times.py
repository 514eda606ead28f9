"""The embedded broker answers times as a broker does: with the first row that has this timestamp or a later one."""

from collections.abc import Iterator
from datetime import datetime, timezone

import pytest

import pykafarr
from pykafarr.testing import MockKafka

SCHEMA = {"type": "record", "name": "A", "fields": [{"name": "x", "type": "long"}]}


@pytest.fixture(scope="module")
def kafka() -> Iterator[MockKafka]:
    with MockKafka(topics={"t": 2}) as kafka:
        for second in (10, 30, 20, 40):
            kafka.produce("t", SCHEMA, [{"x": second}], partition=0, timestamp=second * 1000)
        yield kafka


def scanned(kafka: MockKafka, **bounds: object) -> list[int]:
    with pykafarr.read(kafka.servers, "t", kafka.registry_url, **bounds) as stream:
        return list(stream.to_pandas("A")["x"])


@pytest.mark.parametrize(
    ("bounds", "rows"),
    [
        ({"start": 25_000}, [30, 20, 40]),
        ({"start": 30_000}, [30, 20, 40]),
        ({"start": 30_001}, [40]),
        ({"start": 40_001}, []),
        ({"start": 1}, [10, 30, 20, 40]),
        ({"end": 25_000}, [10]),
        ({"end": 1}, []),
        ({"end": 40_001}, [10, 30, 20, 40]),
        ({"start": 15_000, "end": 35_000}, [30, 20]),
    ],
    ids=str,
)
def test_a_scan_between_times_has_the_rows_that_a_broker_gives(
    kafka: MockKafka, bounds: dict[str, int], rows: list[int]
) -> None:
    assert scanned(kafka, **{end: pykafarr.Milliseconds(at) for end, at in bounds.items()}) == rows


def test_a_listener_begins_at_the_first_row_at_or_after_a_time(kafka: MockKafka) -> None:
    start = datetime.fromtimestamp(25, timezone.utc)
    with pykafarr.listener(kafka.servers, "group", "t", kafka.registry_url, start=start) as p:
        _, frame = p.poll(num_messages=3, max_time=60_000)
        assert list(frame["x"]) == [30, 20, 40]
        p.seek("t", 0, pykafarr.Milliseconds(35_000))
        _, frame = p.poll(num_messages=1, max_time=60_000)
        assert list(frame["x"]) == [40]
