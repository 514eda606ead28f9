"""The two servers together."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from typing import TYPE_CHECKING

from . import folder
from .kafka import QUICK, Kafka
from .process import ServerError
from .registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from confluent_kafka.admin import AdminClient


@contextlib.contextmanager
def start(jvm: tuple[str, ...] = QUICK) -> Iterator[Cluster]:
    """Starts both servers at the same time; stops them and removes their data at the end. jvm: the broker's."""
    with folder.temporary() as place, contextlib.ExitStack() as cleanup:
        registry = Registry(place / "registry")
        kafka = Kafka(place / "kafka", jvm=jvm)
        # The registry takes 5 s to start, half of it on one core: formatting and starting Kafka fits beside it.
        cleanup.callback(registry.process.stop)
        registry.start(wait=False)
        kafka.format()
        cleanup.callback(kafka.process.stop)
        kafka.start(wait=False)
        kafka.wait_until_ready()
        registry.wait_until_ready()
        yield Cluster(kafka, registry, place)


class Cluster:
    """A running broker and a running registry, and topics on them."""

    replication = 1  # of topics

    def __init__(self, kafka: Kafka, registry: Registry, place: Path) -> None:
        self.kafka = kafka
        self.registry = registry
        self.folder = place
        self._numbers = itertools.count(1)
        self._admin: AdminClient | None = None

    @property
    def servers(self) -> str:
        """The bootstrap servers."""
        return self.kafka.servers

    @property
    def registry_url(self) -> str:
        """The registry's address."""
        return self.registry.url

    @property
    def admin(self) -> AdminClient:
        """confluent-kafka's AdminClient for this broker."""
        if self._admin is None:
            # Not at the top: only this needs a package from outside.
            from confluent_kafka.admin import AdminClient

            # Quiet: tests stop and restart the broker, and a client that minds would fill their output.
            self._admin = AdminClient({"bootstrap.servers": self.servers, "log_level": 2})
        return self._admin

    def new_name(self, kind: str = "topic") -> str:
        """A name that nobody had before, for a topic or a group."""
        return f"{kind}-{os.getpid()}-{next(self._numbers)}"

    def new_topic(self, partitions: int = 1, **config: object) -> str:
        """Creates a topic with a name that nobody had before: new_topic(3, cleanup_policy="compact")."""
        name = self.new_name()
        self.create_topic(name, partitions, **config)
        return name

    def create_topic(self, name: str, partitions: int = 1, **config: object) -> None:
        """Creates a topic, and waits until every partition has a leader. Dots are underscores in config's names."""
        from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]  # it is there, without a mark

        properties = {key.replace("_", "."): str(value) for key, value in config.items()}
        wanted = NewTopic(name, num_partitions=partitions, replication_factor=self.replication, config=properties)
        self.admin.create_topics([wanted])[name].result(30)
        deadline = time.monotonic() + 30
        while not self._has_leaders(name, partitions):
            if time.monotonic() > deadline:
                raise ServerError(f"the partitions of topic {name} got no leader within 30 s")
            time.sleep(0.02)

    def _has_leaders(self, name: str, partitions: int) -> bool:
        found = self.admin.list_topics(name, timeout=10).topics[name]
        return len(found.partitions) == partitions and all(one.leader >= 0 for one in found.partitions.values())

    def wait(self) -> None:
        """Waits for ever, or until a server ends by itself, which is an error."""
        while self.kafka.process.running and self.registry.process.running:
            time.sleep(0.5)
        ended = self.registry if self.kafka.process.running else self.kafka
        raise ServerError(f"{ended.process.name} ended by itself; see {ended.process.log}")
