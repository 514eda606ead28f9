"""Tasks are pickled, sent to processes of their own, and read there."""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor

import pytest

import pykafarr
from tests.integration.scanning import rows_of
from tests.integration.writing import A, numbers


def read(task):
    """What a worker does."""
    with task.read() as stream:
        return os.getpid(), rows_of(stream), stream.report


@pytest.mark.slow
def test_tasks_of_several_processes_give_every_row_once(cluster, writer, monkeypatch):
    topic = cluster.new_topic(2)
    for partition in range(2):
        writer.write(topic, A, numbers(0, 300), partition)
    monkeypatch.setenv("SCAN_REGISTRY", cluster.registry_url)
    plan = pykafarr.scan(
        cluster.servers,
        topic,
        pykafarr.from_env("SCAN_REGISTRY"),
        metadata=("partition", "offset"),
        reader_schema="latest",
    )
    tasks = plan.tasks(max_rows=70)
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        done = list(pool.map(read, reversed(tasks)))
    found = {}
    for _, rows, report in done:
        assert not rows.keys() & found.keys()
        assert [one.ended for one in report] == ["complete"]
        found |= rows
    assert found == {(partition, number): number for partition in range(2) for number in range(300)}
    assert os.getpid() not in {process for process, _, _ in done}
