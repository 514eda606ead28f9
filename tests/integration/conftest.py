"""What the tests against a real broker and registry share. Every test has its own topic and its own group."""

import contextlib
import gc
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

import pykafarr
from pykafarr._batches.batch import batch_from
from pykafarr._library import library as lib
from pykafarr._listeners import listener as module
from tests.integration.writing import Writer
from tests.servers import Cluster

Listen = Callable[..., pykafarr.Listener]
Committed = Callable[..., int | None]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes more than ten seconds; -m 'not slow' leaves it out")


@pytest.fixture(scope="session")
def writer(cluster: Cluster) -> Iterator[Writer]:
    """Writes messages with confluent-kafka's own serializer."""
    with contextlib.closing(Writer(cluster)) as made:
        yield made


@pytest.fixture
def topic(cluster: Cluster) -> str:
    """A new topic of one partition."""
    return cluster.new_topic()


@pytest.fixture
def group(cluster: Cluster) -> str:
    """A new group, which listen() uses unless told otherwise."""
    return cluster.new_name("group")


@pytest.fixture(autouse=True)
def closed_books() -> Iterator[None]:
    """Every test ends with as much memory in use as it began with: none."""
    live_bytes = lib.library().lib.kafarr_live_bytes
    before = live_bytes()
    yield
    deadline = time.monotonic() + 5
    while (after := live_bytes()) > before and time.monotonic() < deadline:
        gc.collect()  # frames hang in cycles, of pandas and of pytest's tracebacks
        time.sleep(0.01)
    assert after <= before


@pytest.fixture(autouse=True)
def valid_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every batch of every test is checked by pyarrow: consumers take this memory on trust."""

    def checked(*arguments: Any) -> pykafarr.Batch:
        batch = batch_from(*arguments)
        batch.to_arrow().validate(full=True)
        if batch.rejected is not None:
            batch.rejected.validate(full=True)
        assert batch.num_rows == sum(found.rows for found in batch.ranges)
        return batch

    monkeypatch.setattr(module, "batch_from", checked)


@pytest.fixture
def listen(cluster: Cluster, topic: str, group: str) -> Iterator[Listen]:
    """Opens listeners, by default on the test's topic from its beginning, and closes those that are still open."""
    opened: list[pykafarr.Listener] = []

    def open_listener(
        topics: str | list[str] | None = topic,
        *,
        servers: str = cluster.servers,
        group: str = group,
        registry_url: str = cluster.registry_url,
        config: dict[str, Any] | None = None,
        **options: Any,
    ) -> pykafarr.Listener:
        merged = {"auto.offset.reset": "earliest", **(config or {})}
        opened.append(pykafarr.listener(servers, group, topics, registry_url, config=merged, **options))
        return opened[-1]

    yield open_listener
    for listener in opened:
        listener.close(commit=False)


@pytest.fixture
def committed(cluster: Cluster, topic: str, group: str) -> Iterator[Committed]:
    """Asks the broker, through confluent-kafka, where a group would continue; None: it has committed nothing."""
    consumer = Consumer({"bootstrap.servers": cluster.servers, "group.id": group})

    def ask(topic: str = topic, partition: int = 0) -> int | None:
        (found,) = consumer.committed([TopicPartition(topic, partition)], timeout=10)
        return None if found.offset < 0 else int(found.offset)

    yield ask
    consumer.close()
