"""Polls that wait for their group: what they say, and what they do not take for the end of the rows."""

import itertools
import warnings
from datetime import datetime

import pytest

import pykafarr
from pykafarr.testing import MockKafka
from tests.process.test_polling import A

GROUPS = (f"waits-{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def kafka():
    with MockKafka() as kafka:
        kafka.produce("t", A, [{"x": n} for n in range(3)])
        yield kafka


def listen(kafka, group, **config):
    options = {"ready_timeout": 2500, "config": {"auto.offset.reset": "earliest", **config}}
    return pykafarr.listener(kafka.servers, group, "t", kafka.registry_url, **options)


def press_stop():
    raise KeyboardInterrupt  # no signal: what a shell runs in its background has SIGINT ignored


def interrupted_cell(kafka, group, opened):
    """A cell that opens a listener and is stopped: as in IPython, the traceback keeps its variables alive."""
    try:
        listener = listen(kafka, group)
        opened.append(datetime.now())  # noqa: DTZ005  # as a clock on the wall shows it
        listener.poll(3)
        press_stop()
    except KeyboardInterrupt as stopped:
        return stopped
    raise AssertionError("the interrupt was lost")


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_listener_of_a_cell_that_was_stopped_is_named_to_the_one_that_waits_for_it(kafka):
    group, opened = next(GROUPS), []
    kept = interrupted_cell(kafka, group, opened)

    with listen(kafka, group) as again:

        def poll_twice():
            return [again.poll(1, 100)[0] for _ in range(2)]

        named = r"another open listener of this group, opened at \d\d:\d\d:\d\d"
        with pytest.warns(RuntimeWarning, match=named) as caught:
            assert poll_twice() == [None, None]  # the second one waits on

    assert len(caught) == 1  # once a wait
    assert "that is not being polled: close it" in str(caught[0].message)
    kept.__traceback__.tb_frame.f_locals["listener"].close(commit=False)


def test_a_wait_for_the_group_is_not_the_end_of_the_rows(kafka):
    group, config = next(GROUPS), {"session.timeout.ms": 6000}
    kept = listen(kafka, group, **config)
    assert len(kept.poll(1)[1]) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        with listen(kafka, group, **config) as waits:
            waits.poll(1, 0)  # a rebalance begins, for which the other one does not poll
            kept.close(commit=False)
            batches = waits.batches(3, max_time=100, idle_timeout=100)
            assert sum(batch.num_rows for batch in batches) == 3
