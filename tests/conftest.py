"""The servers, for whoever asks for them: started once a session, at the first test that does."""

from collections.abc import Iterator

import pytest

from tests import servers


@pytest.fixture(scope="session")
def cluster() -> Iterator[servers.Cluster]:
    """A real Kafka broker and a real schema registry."""
    with servers.start() as running:
        yield running
