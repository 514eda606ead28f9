"""Saved offsets that know their topic: one that was deleted and created again has other rows at them."""

import re

import pytest

import pykafarr
from pykafarr.testing import MockKafka

SCHEMA = {"type": "record", "name": "R", "fields": [{"name": "x", "type": "int"}]}
EARLIEST = {"auto.offset.reset": "earliest"}


@pytest.fixture
def where():
    """The arguments that lead to a topic of four rows."""
    with MockKafka() as kafka:
        kafka.produce("T", SCHEMA, [{"x": x} for x in range(4)])
        yield kafka.servers, "T", kafka.registry_url


@pytest.fixture
def ends(where):
    """Where a plan of the first two rows ends."""
    return pykafarr.scan(*where, end=2).ends


@pytest.fixture
def others(ends):
    """The same offset of a topic that existed before."""
    return {key: (offset, "0" * 31 + "1") for key, (offset, _) in ends.items()}


def listen(where, **options):
    servers, topic, registry = where
    return pykafarr.listener(servers, "group", topic, registry, config=EARLIEST, **options)


def test_a_scan_begins_where_a_plan_has_ended(where, ends):
    assert list(ends) == [("T", 0)]
    assert list(pykafarr.read(*where, start=ends).to_pandas("R")["x"]) == [2, 3]
    as_json = {key: list(pair) for key, pair in ends.items()}
    assert pykafarr.scan(*where, start=as_json).rows == 2


def test_a_listener_begins_and_seeks_where_a_plan_has_ended(where, ends):
    with listen(where, start=ends) as p:
        assert list(p.poll(10, 500)[1]["x"]) == [2, 3]
        p.seek(ends)
        assert list(p.poll(10, 500)[1]["x"]) == [2, 3]


def test_a_scan_from_an_offset_of_a_deleted_topic_is_an_error(where, others):
    for options in ({"start": others}, {"end": others}):
        with pytest.raises(pykafarr.BrokerError, match=r"T\[0\]: offset 2 is of the topic with the id 0{31}1.*deleted"):
            pykafarr.scan(*where, **options)


def test_a_listener_that_starts_at_an_offset_of_a_deleted_topic_says_so_and_then_reads_all(where, others):
    with listen(where, start=others) as p:
        with pytest.raises(pykafarr.BrokerError, match="deleted and created again"):
            p.poll(10, 500)
        assert list(p.poll(10, 500)[1]["x"]) == [0, 1, 2, 3]
        with pytest.raises(pykafarr.BrokerError, match="deleted and created again"):
            p.seek(others)


def test_on_assign_cannot_return_an_offset_of_a_deleted_topic(where, others):
    with listen(where, on_assign=lambda _: others) as p:
        for _ in range(2):
            with pytest.raises(pykafarr.BrokerError, match="deleted and created again"):
                p.poll(10, 500)


def test_an_offset_after_the_end_of_the_log_may_be_of_a_deleted_topic(where):
    with pytest.raises(pykafarr.IncompleteError, match="start is 9: the log goes from 0 to 4; if rows before"):
        pykafarr.scan(*where, start=9)


@pytest.mark.parametrize(("pair", "error"), [((1, "x"), pykafarr.ConfigError), ((1,), TypeError), ((1, 2), TypeError)])
def test_what_is_no_offset_with_an_id_is_refused_at_once(where, pair, error):
    for call in (pykafarr.scan, lambda *where, start: listen(where, start=start)):
        with pytest.raises(error, match=re.escape("start[('T', 0)]")):
            call(*where, start={("T", 0): pair})
