"""Brokers and registries that hang up, fall silent or answer nonsense while a listener reads: no row is lost."""

from __future__ import annotations

import contextlib
import itertools
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, get_args

import pytest

import pykafarr
from pykafarr.testing import MockKafka
from tests.books import closed_books  # noqa: F401  # every test keeps the column memory's books
from tests.servers.faulty_broker import Fault, FaultyBroker
from tests.servers.faulty_registry import Answer, FaultyRegistry

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

S = {"type": "record", "name": "R", "fields": [{"name": "x", "type": "int"}]}
PLACES = [(partition, offset) for partition in range(2) for offset in range(30)]
GROUPS = (f"group-{number}" for number in itertools.count())
CONFIG = {
    "auto.offset.reset": "earliest",
    "socket.timeout.ms": 1500,
    "fetch.wait.max.ms": 100,
    "max.partition.fetch.bytes": 100,
    "reconnect.backoff.ms": 10,
    "reconnect.backoff.max.ms": 50,
    "retry.backoff.ms": 20,
}


ASKS_AGAIN = {**CONFIG, "topic.metadata.refresh.interval.ms": 1000}


@pytest.fixture(scope="module")
def kafka() -> Iterator[MockKafka]:
    with MockKafka(topics={"T": 2}) as made:
        for partition, first in itertools.product(range(2), range(0, 30, 10)):
            made.produce("T", S, [{"x": first + number} for number in range(10)], partition=partition)
        yield made


def listen(servers: str, registry_url: str, **options: Any) -> pykafarr.Listener:
    return pykafarr.listener(
        servers,
        next(GROUPS),
        "T",
        registry_url,
        metadata=("partition", "offset"),
        **{"ready_timeout": 1000, "config": CONFIG, **options},
    )


def places_of(batch: pykafarr.Batch) -> list[tuple[int, int]]:
    table = batch.to_arrow()
    return list(zip(table["_partition"].to_pylist(), table["_offset"].to_pylist(), strict=True))


def read(listener: pykafarr.Listener, count: int = len(PLACES)) -> list[tuple[int, int]]:
    """The places of so many rows, whatever errors come on the way."""
    places: list[tuple[int, int]] = []
    deadline = time.monotonic() + 60
    while len(places) < count and time.monotonic() < deadline:
        with contextlib.suppress(pykafarr.KafarrError):
            batch = listener.poll_batch(100, 300)
            places += places_of(batch) if batch else []
    return places


def recovers(kafka: MockKafka, step: str, fault: Fault) -> str:
    """What comes of it that the broker is faulty for the first second."""
    begun = time.monotonic()
    with contextlib.closing(FaultyBroker(kafka.servers)) as broker:
        broker.fault = lambda name, _before: fault if name == step and time.monotonic() < begun + 1 else None
        with listen(broker.servers, kafka.registry_url) as listener:
            places = read(listener)
    return "all rows, once each" if sorted(places) == PLACES else f"{len(places)} rows, {len(set(places))} of them"


class NamelessTopics(FaultyBroker):
    """Takes the topic's name out of the answers that say who leads it, where the fault is "half"."""

    def _break(self, client: socket.socket, fault: Fault, answer: bytes) -> Fault | None:
        body = answer[4:].replace(b"\x02T", b"\x00", 1)  # a compact text: its length and one, then the text
        client.sendall(struct.pack(">i", len(body)) + body)
        return None


def test_a_topic_without_a_name_in_an_answer_costs_a_listener_no_row(kafka):
    begun = time.monotonic()
    with contextlib.closing(NamelessTopics(kafka.servers)) as broker:
        broker.fault = lambda name, _before: "half" if name == "Metadata" and time.monotonic() < begun + 1 else None
        with listen(broker.servers, kafka.registry_url, config=ASKS_AGAIN) as listener:
            assert sorted(read(listener)) == PLACES


CUT_OFF = ("hang up", "reset", "stall", "truncate")
# librdkafka 2.16 does not survive all nonsense in the other answers: it aborts, or waits until it asks again.
NONSENSE = {"FindCoordinator", "ListOffsets", "Fetch"}
# Zeros are a valid answer there, which gives broker 0 no address: librdkafka has none of it any more.
MISLEADING = {("FindCoordinator", "zeros")}


@pytest.mark.parametrize(
    "step", ["connect", "ApiVersions", "Metadata", "FindCoordinator", "OffsetFetch", "ListOffsets", "Fetch"]
)
def test_a_fault_of_a_broker_that_ends_costs_a_listener_no_row_and_repeats_none(kafka, step):
    faults = [fault for fault in get_args(Fault) if (step, fault) not in MISLEADING] if step in NONSENSE else CUT_OFF
    with ThreadPoolExecutor(len(faults)) as threads:
        begun = {fault: threads.submit(recovers, kafka, step, fault) for fault in faults}
        found = {fault: one.result() for fault, one in begun.items()}
    assert found == dict.fromkeys(faults, "all rows, once each")


@pytest.mark.parametrize("fault", CUT_OFF)
def test_a_broker_that_stops_answering_is_no_end_of_the_rows(kafka, fault):
    with (
        contextlib.closing(FaultyBroker(kafka.servers)) as broker,
        listen(broker.servers, kafka.registry_url) as listener,
    ):
        batches = listener.batches(5, 300, idle_timeout=300)
        places = places_of(next(batches))
        broker.fault = lambda name, _before: fault
        with pytest.raises(pykafarr.BrokerError):
            places.extend(place for batch in batches for place in places_of(batch))  # keeps those before the error
        broker.fault = lambda _name, _before: None
        places += read(listener, len(PLACES) - len(places))
    assert sorted(places) == PLACES


@pytest.mark.parametrize("fault", ["stall", "half"])
def test_rows_that_are_late_are_waited_for_although_the_brokers_say_where_the_log_ends(kafka, fault):
    with (
        contextlib.closing(FaultyBroker(kafka.servers)) as broker,
        listen(broker.servers, kafka.registry_url, ready_timeout=20_000) as listener,
    ):
        batches = listener.batches(5, 300, idle_timeout=200)
        places, begun = places_of(next(batches)), time.monotonic()
        broker.fault = lambda name, _before: fault if name == "Fetch" and time.monotonic() < begun + 2 else None
        places.extend(place for batch in batches for place in places_of(batch))
    assert sorted(places) == PLACES


ANSWERS = {
    "hang up": Answer(200, raw=b""),
    "reset": Answer(200, raw=b"", reset=True),
    "half of the headers": Answer(200, raw=b"HTTP/1.1 200 OK\r\nContent-Ty"),
    "half of the body": Answer(200, b'{"schema": "{', cut=True),
    "TLS": Answer(200, raw=b"\x15\x03\x01\x00\x02\x02\x16"),
    "HTML": Answer(200, b"<html></html>", "text/html"),
    "an error of a gateway": Answer(200, b'{"error": "log in first"}'),
    "a 404 of a gateway": Answer(404, b'{"message": "no Route matched with those values"}'),
    "400": Answer(400, b'{"message": "bad request"}'),
    "JSON of another form": Answer(200, b"[]"),
}


def test_committed_offsets_that_cannot_be_read_are_told_by_every_poll_and_lose_no_row(kafka):
    with contextlib.closing(FaultyBroker(kafka.servers)) as broker:
        broker.fault = lambda name, before: "half" if name == "OffsetFetch" and before == 0 else None
        with listen(broker.servers, kafka.registry_url) as listener:
            for _ in range(3):
                with pytest.raises(pykafarr.BrokerError, match="Failed to fetch committed offsets"):
                    poll_in_vain(listener)
        with listen(broker.servers, kafka.registry_url) as listener:
            assert sorted(read(listener)) == PLACES


def poll_in_vain(listener: pykafarr.Listener) -> None:
    for _ in range(20):  # the first ones may still wait for the group
        assert listener.poll_batch(100, 300) is None


@pytest.mark.parametrize("errors", ["skip", "collect"])
def test_an_answer_that_says_nothing_of_a_schema_passes_no_row(kafka, errors):
    def rows_after(answer: Answer) -> tuple[int, int]:
        with contextlib.closing(FaultyRegistry(kafka.registry_url)) as registry:
            registry.fault = lambda _path: answer
            config = {"max.retries": 0}
            with listen(kafka.servers, registry.url, errors=errors, registry_config=config) as listener:
                with pytest.raises(pykafarr.RegistryError):
                    poll_in_vain(listener)
                registry.fault = lambda _path: None
                rows = 0
                while rows < len(PLACES):
                    batch = listener.poll_batch(100, 5000)
                    rows += batch.num_rows if batch else 0
                return rows, listener.stats()["skipped"] + listener.stats()["rejected"]

    with ThreadPoolExecutor(len(ANSWERS)) as threads:
        begun = {name: threads.submit(rows_after, answer) for name, answer in ANSWERS.items()}
        found = {name: one.result() for name, one in begun.items()}
    assert found == dict.fromkeys(ANSWERS, (len(PLACES), 0))
