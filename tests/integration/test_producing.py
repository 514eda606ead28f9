"""The producer in Go against real brokers, while its connections are cut and leaders move.

`make chaos` does that for longer, and kills brokers.
"""

import pytest

from tests.chaos import producer_faults
from tests.servers import Cluster
from tests.servers.trio import Trio


@pytest.mark.parametrize("mode", ["rows", "transactions"])
def test_cut_connections_lose_no_acknowledged_row_and_write_none_twice(cluster: Cluster, mode: str) -> None:
    found = producer_faults.cut(cluster, mode, 5)
    assert found.clean, found.output
    assert found.acknowledged > 0


@pytest.mark.parametrize("mode", ["rows", "transactions"])
def test_leaders_that_move_all_the_time_lose_no_acknowledged_row_and_write_none_twice(trio: Trio, mode: str) -> None:
    found = producer_faults.move(trio, mode, 5)
    assert found.clean, found.output
    assert found.acknowledged > 0
    assert found.moved > 10
