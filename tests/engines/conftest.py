"""What the engines' tests share: a plan in memory in the place of a cluster, and a topic on a real one."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import pykafarr
from pykafarr.testing import MockKafka
from tests.engines import formats, orders
from tests.engines.fake import METADATA, Diary, Plan
from tests.integration.writing import Writer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import Cluster

Planned = Callable[..., Plan]

# A variable that the engines' processes inherit, as they are started after it.
SECRET = "PYKAFARR_TEST_SECRET"
PASSWORD = "hunter2"


@pytest.fixture(scope="session", autouse=True)
def secret() -> Iterator[None]:
    os.environ[SECRET] = f"reader:{PASSWORD}"
    yield
    del os.environ[SECRET]


@pytest.fixture
def diary(tmp_path: Path) -> Diary:
    return Diary(tmp_path)


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch, diary: Diary) -> Planned:
    """Makes pykafarr.scan give a plan in memory, made with these arguments."""

    def make(**fields: Any) -> Plan:
        made = Plan(diary, **fields)

        def scan(*arguments: Any, **options: Any) -> Plan:
            diary.write(asked={name: str(value) for name, value in options.items()})
            return replace(made, asked=options)

        monkeypatch.setattr("pykafarr._scans.scan.scan", scan)
        return made

    return make


@pytest.fixture
def arguments() -> dict[str, Any]:
    """The arguments of a scan, which names its metadata columns."""
    return {"servers": "kafka:9092", "topics": "orders", "registry_url": "http://registry/", "metadata": list(METADATA)}


@pytest.fixture(scope="session")
def writer(cluster: Cluster) -> Iterator[Writer]:
    with contextlib.closing(Writer(cluster)) as made:
        yield made


@pytest.fixture(scope="session")
def topic(cluster: Cluster, writer: Writer) -> str:
    """The topic of orders.py."""
    return orders.write(cluster, writer)


@pytest.fixture
def real(cluster: Cluster, topic: str) -> dict[str, Any]:
    """The arguments of a scan of it, with a password by reference, for which the registry does not ask."""
    return {
        "servers": cluster.servers,
        "topics": topic,
        "registry_url": cluster.registry_url,
        "metadata": orders.METADATA,
        "registry_config": {
            "basic.auth.credentials.source": "USER_INFO",
            "basic.auth.user.info": pykafarr.from_env(SECRET),
        },
    }


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Makes the tasks of plans kill the first process that reads one; gives what exists then."""
    tasks = pykafarr.Plan.tasks
    mark = tmp_path / "killed"
    monkeypatch.setattr(
        pykafarr.Plan, "tasks", lambda plan, **most: [orders.Dying(task, mark) for task in tasks(plan, **most)]
    )
    return mark


@pytest.fixture(scope="session")
def kafka() -> Iterator[MockKafka]:
    """An embedded broker, for what is sent."""
    with MockKafka() as made:
        yield made


@pytest.fixture(scope="session", params=formats.WORDS)
def given(request: pytest.FixtureRequest, kafka: MockKafka) -> dict[str, Any]:
    """The arguments of a scan of a topic of each format besides Avro, in formats.py."""
    return formats.write(kafka, request.param)


_NUMBERS = itertools.count()


@pytest.fixture
def target(kafka: MockKafka) -> dict[str, Any]:
    """The arguments of a write to a new topic of it."""
    topic = f"sent-{next(_NUMBERS)}"
    kafka.create_topic(topic, partitions=2)
    return {"servers": kafka.servers, "topic": topic, "registry_url": kafka.registry_url}
