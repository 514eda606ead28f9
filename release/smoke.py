"""`python smoke.py VERSION`: what an installed wheel must do where there is only it, and what it asks for.

All that the package is for, once: versions, decoding, an embedded broker and registry, frames of many types, Arrow.
"""

from __future__ import annotations

import datetime as dt
import decimal
import sys
import time

import pykafarr
from pykafarr.testing import MockKafka

SCHEMA = {
    "type": "record",
    "name": "com.example.Smoke",
    "fields": [
        {"name": "number", "type": "long"},
        {"name": "maybe", "type": ["null", "long"]},
        {"name": "text", "type": "string"},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
        {"name": "items", "type": {"type": "array", "items": "double"}},
    ],
}
AT = dt.datetime(2024, 2, 29, 12, 30, tzinfo=dt.timezone.utc)
ROWS = [
    {
        "number": number,
        "maybe": None if number % 2 else 2**53 + number,
        "text": f"no. {number}",
        "kind": "B" if number % 3 else "A",
        "at": int(AT.timestamp() * 1_000_000),
        "price": (1234).to_bytes(2, "big"),
        "items": [0.5] * (number % 4),
    }
    for number in range(1000)
]


def main() -> int:
    """Runs the checks and gives the exit status."""
    begun = time.monotonic()
    (expected,) = sys.argv[1:]
    pykafarr.show_versions()
    assert pykafarr.__version__ == expected, (pykafarr.__version__, expected)
    decoded = pykafarr.decode('"long"', [b"\x02", b"\x04"])
    assert decoded.to_pydict() == {"value": [1, 2]}, decoded
    with MockKafka() as kafka:
        kafka.produce("smoke", SCHEMA, ROWS)
        with pykafarr.listener(kafka.servers, "frames", "smoke", kafka.registry_url, start="earliest") as p:
            message_type, frame = p.poll(num_messages=len(ROWS), max_time=30_000)
        with pykafarr.listener(kafka.servers, "arrow", "smoke", kafka.registry_url, start="earliest") as p:
            batch = p.poll_batch(num_messages=len(ROWS), max_time=30_000)
    assert message_type == "com.example.Smoke"
    assert frame["number"].tolist() == list(range(len(ROWS)))
    assert frame["maybe"].dropna().tolist() == [row["maybe"] for row in ROWS if row["maybe"] is not None]
    assert frame["text"].tolist() == [row["text"] for row in ROWS]
    assert frame["kind"].dtype == "category"
    assert frame["kind"].tolist() == [row["kind"] for row in ROWS]
    assert frame["at"].dt.year.eq(2024).all()
    assert frame["at"].iloc[0] == AT
    assert frame["price"].iloc[0] == decimal.Decimal("12.34")
    assert list(frame["items"].iloc[3]) == [0.5] * 3
    assert batch is not None
    rows = batch.to_arrow().to_pylist()
    assert rows[3] == {**ROWS[3], "at": AT, "price": decimal.Decimal("12.34"), "_offset": 3}, rows[3]
    assert [row["number"] for row in rows] == list(range(len(ROWS)))
    print(f"smoke: {len(ROWS)} rows, {time.monotonic() - begun:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
