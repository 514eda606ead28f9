"""A real Kafka broker and a real schema registry on loopback, for tests, benchmarks and trying things out.

    with start() as cluster:
        topic = cluster.new_topic(partitions=3)
        pykafarr.listener(cluster.servers, "group", [topic], cluster.registry_url)

`python -m tests.servers` runs both in the foreground. Only Java (17 or newer) and, the first time, Maven are needed;
this package itself uses nothing but the standard library, `Cluster.new_topic()` apart (confluent-kafka).
"""

from .cluster import Cluster, start
from .process import ServerError

__all__ = ["Cluster", "ServerError", "start"]
