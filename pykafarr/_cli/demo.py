"""The command `demo`: an embedded broker, two message types, their frames, and how fast they come."""

# ruff: noqa: T201  # a command line prints

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .._listeners.open import listener
from ..testing.mock import MockKafka

if TYPE_CHECKING:
    import argparse

    from .._listeners.listener import Listener

PRICE = {
    "type": "record",
    "name": "Price",
    "namespace": "com.example",
    "fields": [
        {"name": "symbol", "type": "string"},
        {"name": "bid", "type": "double"},
        {"name": "ask", "type": "double"},
        {"name": "sequence", "type": "long"},
        {"name": "spread_limit", "type": ["null", "double"], "default": None},
    ],
}
TRADE = {
    "type": "record",
    "name": "Trade",
    "namespace": "com.example",
    "fields": [
        {"name": "symbol", "type": "string"},
        {"name": "side", "type": {"type": "enum", "name": "Side", "symbols": ["BUY", "SELL"]}},
        {"name": "quantity", "type": "int"},
        {"name": "trader", "type": ["null", "long"], "default": None},
        {"name": "own", "type": "boolean"},
    ],
}
PARTITIONS = 4
MESSAGES, CHUNK = 60_000, 10_000


def demo(_: argparse.Namespace) -> int:
    """Runs the demonstration, within a few seconds, and gives the exit status."""
    with MockKafka(topics={"prices": 1, "trades": 1, "ticks": PARTITIONS}) as kafka:
        print(f"An embedded broker at {kafka.servers}, a schema registry at {kafka.registry_url}")
        kafka.produce("prices", PRICE, [_price(number) for number in range(5)])
        kafka.produce("trades", TRADE, [_trade(number) for number in range(5)])
        with _listen(kafka, ["prices", "trades"]) as p:
            _print_frames(p)
        _produce_many(kafka)
        with _listen(kafka, ["ticks"]) as p:
            _measure(p)
    return 0


def _listen(kafka: MockKafka, topics: list[str]) -> Listener:
    return listener(kafka.servers, "demo", topics, kafka.registry_url, config={"auto.offset.reset": "earliest"})


def _print_frames(p: Listener) -> None:
    rows = 0
    while rows < 10:
        message_type, frame = p.poll(num_messages=1000, max_time=500)
        if message_type is not None:
            rows += len(frame)
            print(f"\npoll() -> {message_type!r}, {len(frame)} rows\n\n{frame}\n\n{frame.dtypes.to_string()}")


def _produce_many(kafka: MockKafka) -> None:
    print(f"\nProducing {MESSAGES:,} messages in {PARTITIONS} partitions ...", flush=True)
    for first in range(0, MESSAGES, CHUNK):
        kafka.produce("ticks", PRICE, [_price(number) for number in range(first, first + CHUNK)])


def _measure(p: Listener) -> None:
    """From the first row on: joining a group takes as long as the broker likes, whatever the client."""
    _, frame = p.poll(num_messages=1)
    begun, rows, frames = time.perf_counter(), len(frame), 1
    while rows < MESSAGES:
        message_type, frame = p.poll(num_messages=min(20_000, MESSAGES - rows), max_time=5000)
        if message_type is None:
            break
        rows, frames = rows + len(frame), frames + 1
    seconds = time.perf_counter() - begun
    print(
        f"{rows:,} messages in {frames} frames, {seconds:.3f} s from the first row on: "
        f"{rows / seconds:,.0f} messages per second"
    )


def _price(number: int) -> dict[str, object]:
    bid = 1.27 + number % 100 / 10_000
    return {
        "symbol": ("GBPUSD", "EURUSD", "USDJPY")[number % 3],
        "bid": bid,
        "ask": bid + 0.0002,
        "sequence": 9_007_199_254_740_993 + number,
        "spread_limit": None if number % 2 else 0.0005,
    }


def _trade(number: int) -> dict[str, object]:
    return {
        "symbol": "GBPUSD",
        "side": "SELL" if number % 3 else "BUY",
        "quantity": 1000 * (number + 1),
        "trader": None if number % 4 == 3 else 9_007_199_254_740_993,
        "own": number % 2 == 0,
    }
