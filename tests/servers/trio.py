"""Three Kafka nodes that are one cluster, of which a test may kill one, or all, and a proxy before each of them."""

from __future__ import annotations

import base64
import contextlib
import re
import shutil
import uuid
from typing import TYPE_CHECKING

from . import folder, ports
from .cluster import Cluster
from .kafka import Kafka
from .proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .registry import Registry

_NODES = 3

# A killed leader is replaced when its session is over, and clients are told to look elsewhere as soon as that.
_PROPERTIES = """
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
controller.quorum.fetch.timeout.ms=1000
controller.quorum.election.timeout.ms=500
controller.quorum.election.backoff.max.ms=500
"""


@contextlib.contextmanager
def start(registry: Registry) -> Iterator[Trio]:
    """Starts the nodes and their proxies, and ends them and removes their data at the end; the registry stays."""
    with folder.temporary() as place, contextlib.ExitStack() as cleanup:
        clients, controllers = ports.free(_NODES), ports.free(_NODES)
        behind = ports.free(_NODES)
        proxies = [cleanup.enter_context(contextlib.closing(Proxy(port))) for port in behind]
        voters = ",".join(f"{node}@{ports.HOST}:{port}" for node, port in enumerate(controllers, 1))
        nodes = []
        for index in range(_NODES):
            properties = (
                f"{_PROPERTIES}node.id={index + 1}\ncontroller.quorum.voters={voters}\n"
                f"listeners=PLAINTEXT://{ports.HOST}:{clients[index]},PROXIED://{ports.HOST}:{behind[index]},"
                f"CONTROLLER://{ports.HOST}:{controllers[index]}\n"
                f"advertised.listeners=PLAINTEXT://{ports.HOST}:{clients[index]},PROXIED://{proxies[index].address}\n"
            )
            nodes.append(Kafka(place / f"kafka-{index + 1}", properties, clients[index]))
        _format(nodes)
        for node in nodes:
            # Not stop: the last node would wait for a quorum that has gone before it.
            cleanup.callback(node.process.kill)
            node.start(wait=False)
        trio = Trio(nodes, proxies, registry, place)
        trio.wait_until_whole()
        yield trio


def _format(nodes: list[Kafka]) -> None:
    """Prepares the data folders: the first as ever, the others as its copies, which saves two starts of Java."""
    first = nodes[0]
    first.format()
    for number, node in enumerate(nodes[1:], 2):
        shutil.copytree(first.data, node.data)
        properties = node.data / "meta.properties"
        directory = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        text = re.sub(r"(?m)^node\.id=.*$", f"node.id={number}", properties.read_text(encoding="utf-8"))
        properties.write_text(re.sub(r"(?m)^directory\.id=.*$", f"directory.id={directory}", text), encoding="utf-8")


class Trio(Cluster):
    """A cluster of three: topics have three replicas, of which two must have a message before it is acknowledged."""

    replication = 3

    def __init__(self, nodes: list[Kafka], proxies: list[Proxy], registry: Registry, place: Path) -> None:
        super().__init__(nodes[0], registry, place)
        self.nodes = nodes
        self.proxies = proxies

    @property
    def servers(self) -> str:
        """The bootstrap servers."""
        return ",".join(node.servers for node in self.nodes)

    @property
    def proxied_servers(self) -> str:
        """The bootstrap servers for clients that are to come through the proxies."""
        return ",".join(proxy.address for proxy in self.proxies)

    def leader(self, topic: str, partition: int = 0) -> int:
        """The index of the node that leads a partition."""
        return int(self.admin.list_topics(topic, timeout=30).topics[topic].partitions[partition].leader) - 1

    def kill(self, index: int) -> None:
        """Ends a node at once, as a power cut does."""
        self.nodes[index].process.kill()

    def restart(self, *indices: int) -> None:
        """Starts nodes that do not run, on the data that are there, and waits until all nodes are one cluster again."""
        for index in indices:
            self.nodes[index].start(wait=False)
        self.wait_until_whole()

    def wait_until_whole(self) -> None:
        """Waits until every node runs and every partition is in sync everywhere: one more node may die then."""
        for node in self.nodes:
            node.wait_until_ready()
        self.nodes[0].process.wait_until(self._is_whole)

    def _is_whole(self) -> bool:
        from confluent_kafka import KafkaException

        try:
            found = self.admin.list_topics(timeout=5)
        except KafkaException:
            return False
        return len(found.brokers) == _NODES and all(
            partition.leader > 0 and len(partition.isrs) == len(partition.replicas)
            for topic in found.topics.values()
            for partition in topic.partitions.values()
        )
