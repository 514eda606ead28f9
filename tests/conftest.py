"""The servers, for whoever asks for them: started once a session, at the first test that does."""

from collections.abc import Iterator

import pytest

from tests import servers
from tests.servers import kafka
from tests.servers import secured as with_logins
from tests.servers.trio import Trio
from tests.servers.trio import start as start_trio


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves out what the broker that KAFKA_VERSION names lacks: tests whose parameters are named after it."""
    if kafka.since(4, 0):
        return
    lacks = pytest.mark.skip(reason=f"Kafka {kafka.VERSION} has no groups of KIP-848, which came with 4.0")
    for item in items:
        if "KIP-848" in item.name:
            item.add_marker(lacks)


@pytest.fixture(scope="session")
def cluster() -> Iterator[servers.Cluster]:
    """A real Kafka broker and a real schema registry."""
    with servers.start() as running:
        yield running


@pytest.fixture(scope="session")
def trio(cluster: servers.Cluster) -> Iterator[Trio]:
    """Three real brokers that are one cluster, for tests that kill them; the registry is the other one's."""
    with start_trio(cluster.registry) as running:
        yield running


@pytest.fixture(scope="session")
def secured() -> Iterator[with_logins.SecuredKafka]:
    """A real broker with logins, ACLs, and the transactions of brokers before KIP-890."""
    with with_logins.start() as running:
        yield running
