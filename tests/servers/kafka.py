"""One Kafka node in KRaft mode: broker and controller in one process, data in a folder that the caller removes."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
from pathlib import Path

from . import download, java, ports
from .process import ServerError, ServerProcess

# The newest on Maven Central, or another one that the environment names.
VERSION = os.environ.get("KAFKA_VERSION") or "4.4.0"
LEAST_JAVA = 17
MAX_MESSAGE_BYTES = 32 * 1024 * 1024

_CLUSTER_ID = "cHlrYWZhcnItdGVzdHMtMQ"  # 16 bytes in base64, as Kafka wants it

# Quick to start and to stop, and strict where a test wants to know: topics are never created by asking for them.
_PROPERTIES = f"""
process.roles=broker,controller
controller.listener.names=CONTROLLER
auto.create.topics.enable=false
# The first member of a group need not wait for others that might come.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
offsets.topic.num.partitions=2
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=2
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
message.max.bytes={MAX_MESSAGE_BYTES}
# Messages may say that they are years old.
log.retention.ms=-1
# Tests of compacted topics wait for the cleaner: not its usual 15 s.
log.cleaner.backoff.ms=200
log.cleaner.dedupe.buffer.size=16777216
log.initial.task.delay.ms=100
# A transaction that lasts for too long is aborted soon: not within its usual 10 s.
transaction.abort.timed.out.transaction.cleanup.interval.ms=500
# A broker that has been paused for a few seconds is still the same broker.
broker.session.timeout.ms=60000
"""

# What brokers before 4.0 do not know, or have switched off.
_PROPERTIES_SINCE_4 = """
# Rebalances of the newer protocol (KIP-848) take a heartbeat or two, whose pace the broker sets.
group.consumer.min.heartbeat.interval.ms=100
group.consumer.heartbeat.interval.ms=200
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""


# One thread for collecting, and the quick compiler only: up in 2 s instead of 5, on two cores.
QUICK = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
# As brokers run: slower to start, and faster afterwards.
PRODUCTION = ("-Xms512m", "-Xmx1g", "-XX:+UseG1GC")


def since(*version: int) -> bool:
    """Whether the Kafka of the tests is this version or a later one."""
    return tuple(int(part) for part in VERSION.split(".")) >= version


class Kafka:
    """A Kafka node. `servers` is what clients take as bootstrap servers.

    properties: more lines of its configuration, in which later lines overrule earlier ones; port: where clients find it
    by them. Without, it is a cluster of its own. jvm: QUICK or PRODUCTION.
    """

    def __init__(
        self, folder: Path, properties: str | None = None, port: int | None = None, jvm: tuple[str, ...] = QUICK
    ) -> None:
        found = java.find(LEAST_JAVA)
        if found is None:
            raise ServerError(f"Kafka {VERSION} needs Java {LEAST_JAVA} or newer; found: {java.describe()}")
        jars = download.kafka(VERSION)
        free, self._controller_port = ports.free(2)
        self._port = port or free
        self.servers = f"{ports.HOST}:{self._port}"
        folder.mkdir()
        self.data = folder / "data"
        self._properties = folder / "server.properties"
        lines = _PROPERTIES + (_PROPERTIES_SINCE_4 if since(4, 0) else "") + (properties or self._addresses())
        self._properties.write_text(f"{lines}log.dirs={self.data}\n", encoding="utf-8")
        # Runs any class of Kafka's jars, its command-line tools among them.
        self.java = [
            str(found.program),
            *jvm,
            f"-Dlog4j2.configurationFile={Path(__file__).parent / 'log4j2.properties'}",
            *("-cp", f"{jars}/*"),
        ]
        self.process = ServerProcess("kafka", [*self.java, "kafka.Kafka", str(self._properties)], folder)

    def _addresses(self) -> str:
        return (
            "node.id=1\n"
            f"listeners=PLAINTEXT://{self.servers},CONTROLLER://{ports.HOST}:{self._controller_port}\n"
            f"advertised.listeners=PLAINTEXT://{self.servers}\n"
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n"
            f"controller.quorum.voters=1@{ports.HOST}:{self._controller_port}\n"
        )

    def format(self, *more: str) -> None:
        """Prepares the empty data folder, as KRaft wants it; with more arguments of its tool."""
        command = [*self.java, "kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", str(self._properties)]
        command += more
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90, check=False
        )
        if done.returncode != 0:
            raise ServerError(f"Kafka's data folder could not be formatted:\n{done.stdout}{done.stderr}")

    def tool(self, program: str, *arguments: str) -> str:
        """What one of Kafka's command-line tools prints: tool("org.apache.kafka.tools.FeatureCommand", "describe")."""
        command = [*self.java, program, "--bootstrap-server", self.servers, *arguments]
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True
        ).stdout

    def start(self, wait: bool = True) -> None:
        """Starts the node, on the data that are there."""
        self.process.start()
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Waits until the broker answers requests."""
        self.process.wait_until(self._answers)

    def restart(self) -> None:
        """Stops and starts it in good order; topics and offsets stay."""
        self.process.stop()
        self.start()

    def _answers(self) -> bool:
        """Whether the broker answers an ApiVersions request: a port that is open says less."""
        request = struct.pack(">hhih", 18, 0, 1, -1)  # key, version, correlation id, no client id
        with socket.create_connection((ports.HOST, self._port), timeout=2) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            answer = connection.recv(10)
        return len(answer) == 10 and struct.unpack(">iih", answer)[1:] == (1, 0)
