"""The producer in Go against a real broker, while its connections are cut. `make chaos` kills brokers, too."""

import pytest

from tests.chaos import producer_faults
from tests.servers import Cluster


@pytest.mark.parametrize("mode", ["rows", "transactions"])
def test_cut_connections_lose_no_acknowledged_row_and_write_none_twice(cluster: Cluster, mode: str) -> None:
    found = producer_faults.cut(cluster, mode, 5)
    assert found.clean, found.output
    assert found.acknowledged > 0
