"""Positions against a scripted library: what callers may say, and what the library hears of it."""

import pickle
from datetime import datetime, timedelta, timezone

import pandas as pd
import pyarrow as pa
import pytest

import pykafarr
from pykafarr._errors import ERROR_CLASSES

CODES = {kind: code for code, kind in ERROR_CLASSES.items()}
EAST = timezone(timedelta(hours=5))


def open_listener(topics="t", **options):
    return pykafarr.listener("kafka:9092", "group", topics, "http://registry", **options)


@pytest.fixture
def p(fake):
    with open_listener() as listener:
        yield listener


PLACES = [
    ("committed", ["committed", 0]),
    ("earliest", ["earliest", 0]),
    ("latest", ["latest", 0]),
    (0, ["offset", 0]),
    (2**63 - 1, ["offset", 2**63 - 1]),
    (pykafarr.Milliseconds(5), ["time", 5]),
    (datetime(1970, 1, 1, 0, 0, 1, tzinfo=timezone.utc), ["time", 1000]),
    (datetime(1970, 1, 1, 5, 0, 1, tzinfo=EAST), ["time", 1000]),
    (datetime(1970, 1, 1, 0, 0, 1, 1, tzinfo=timezone.utc), ["time", 1001]),
    (datetime(1960, 1, 1, tzinfo=timezone.utc), ["time", 0]),
    (pd.Timestamp("1970-01-01 00:00:02", tz="UTC"), ["time", 2000]),
]
NO_PLACES = [
    ("first", pykafarr.ConfigError, "'committed', 'earliest', 'latest'"),
    (-1, pykafarr.ConfigError, "from 0 to"),
    (2**63, pykafarr.ConfigError, "from 0 to"),
    (pykafarr.Milliseconds(-1), pykafarr.ConfigError, "from 0 to"),
    (datetime(2024, 1, 1), pykafarr.ConfigError, "another moment in each zone"),  # noqa: DTZ001
    (1.0, TypeError, "an offset"),
    (True, TypeError, "an offset"),
    (None, TypeError, "an offset"),
]


@pytest.mark.parametrize(("place", "sent"), PLACES, ids=str)
def test_a_place_reaches_the_library_as_a_word_and_a_number(fake, p, place, sent):
    p.seek("t", 3, place)
    assert fake.calls[-1] == ("seek", [["t", 3, *sent]])
    with open_listener(start=place):
        assert fake.settings["start"] == [["", -1, *sent]]


@pytest.mark.parametrize(("wrong", "kind", "why"), NO_PLACES, ids=str)
def test_what_is_no_place_is_refused(fake, p, wrong, kind, why):
    with pytest.raises(kind, match=f"^to .*{why}"):
        p.seek("t", 3, wrong)
    with pytest.raises(kind, match=f"^start .*{why}"):
        open_listener(start=wrong)
    with pytest.raises(kind, match=rf"^start\['t'\] .*{why}"):
        open_listener(start={"t": wrong})
    assert not [call for call in fake.calls if call[0] == "seek"]


def test_each_topic_and_partition_may_begin_elsewhere(fake):
    with open_listener(start={"t": "earliest", ("u", 2): 7, pykafarr.TopicPartition("u", 3): "latest"}):
        assert fake.settings["start"] == [["t", -1, "earliest", 0], ["u", 2, "offset", 7], ["u", 3, "latest", 0]]


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [({5: 1}, TypeError), ({("t",): 1}, TypeError), ({("t", -1): 1}, pykafarr.ConfigError), ({"": 1}, ValueError)],
    ids=str,
)
def test_a_wrong_key_of_start_is_refused(fake, wrong, kind):
    with pytest.raises(kind, match="a key of start"):
        open_listener(start=wrong)


@pytest.mark.parametrize("assign", [{"t": [0, 2], "u": range(1)}, [("t", 0), ("t", 2), ("u", 0)]], ids=str)
@pytest.mark.parametrize("topics", [None, [], (), ["u", "t"]], ids=str)
def test_assigned_partitions_take_the_place_of_topics(fake, assign, topics):
    with open_listener(topics, assign=assign) as listener:
        assert fake.settings["topics"] == []
        assert fake.settings["assign"] == [["t", 0], ["t", 2], ["u", 0]]
        assert "topics=['t', 'u']" in repr(listener)


@pytest.mark.parametrize(
    ("topics", "assign", "kind", "why"),
    [
        (None, None, TypeError, "topics"),
        ([], None, pykafarr.ConfigError, "topics"),
        ("u", {"t": [0]}, pykafarr.ConfigError, "those of assign, not u"),
        (None, {}, pykafarr.ConfigError, "assign must not be empty"),
        (None, {"t": []}, pykafarr.ConfigError, "assign must not be empty"),
        (None, {"t": 0}, TypeError, r"assign\['t'\]"),
        (None, {"t": "0"}, TypeError, r"assign\['t'\]"),
        (None, {"t": [0, 0]}, pykafarr.ConfigError, r"t\[0\] twice"),
        (None, [("t", -1)], pykafarr.ConfigError, "the partition of assign"),
        (None, [("t", 2**31)], pykafarr.ConfigError, "the partition of assign"),
        (None, ["t"], TypeError, "assign must be a"),
        (None, "t", TypeError, "assign must be a"),
        (None, 5, TypeError, "assign must be a"),
    ],
    ids=str,
)
def test_a_wrong_assignment_is_refused(fake, topics, assign, kind, why):
    with pytest.raises(kind, match=why):
        open_listener(topics, assign=assign)
    assert not fake.settings


@pytest.mark.parametrize("verb", ["pause", "resume"])
@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (None, None),
        ([], []),
        ("t", [["t", -1]]),
        (["t", ("u", 1)], [["t", -1], ["u", 1]]),
        (("u", 1), [["u", 1]]),
        ((("u", 1), ("u", 2)), [["u", 1], ["u", 2]]),
    ],
    ids=str,
)
def test_partitions_are_paused_and_resumed_by_topic_or_one_by_one(fake, p, verb, given, sent):
    getattr(p, verb)(given)
    assert fake.calls == [(verb, sent)]


@pytest.mark.parametrize("wrong", [5, [5], [("t", "0")], [("t",)], {"t": 0}], ids=str)
def test_what_is_no_partition_cannot_be_paused(fake, p, wrong):
    for call in (p.pause, p.resume):
        with pytest.raises(TypeError, match="partition"):
            call(wrong)
    assert fake.calls == []


def test_positions_come_by_partition(fake, p):
    fake.results.append([["t", 0, 5], ["t", 1, 0]])
    assert p.position() == {("t", 0): 5, ("t", 1): 0}
    fake.results.append([["t", 0, 5], ["t", 1, -1]])
    assert p.committed() == {("t", 0): 5, ("t", 1): None}
    fake.results.append([["t", 0], ["t", 1]])
    assert [(one.topic, one.partition) for one in p.assignment()] == [("t", 0), ("t", 1)]


def test_lag_is_a_frame_of_the_same_dtypes_with_and_without_rows(fake, p):
    fake.results.extend([[["t", 0, 5, 9, 4]], []])
    lag, empty = p.lag(), p.lag()
    assert lag.to_dict("records") == [{"topic": "t", "partition": 0, "position": 5, "end": 9, "lag": 4}]
    assert len(empty) == 0
    assert list(lag.dtypes.items()) == list(empty.dtypes.items())
    assert [str(dtype) for dtype in lag.dtypes[1:]] == ["int64"] * 4


@pytest.fixture
def interrupted(fake, p):
    """A listener whose poll was interrupted when it had the rows t[0]@5 and 6 already."""
    record = pa.record_batch([pa.array([1, 2], pa.int64())], names=["x"])
    fake.answers.append(fake.interrupted(fake.batch(record)))
    with pytest.raises(KeyboardInterrupt):
        p.poll_batch()
    fake.calls.clear()
    return p


def test_rows_that_an_interrupt_kept_are_not_passed_yet(fake, interrupted):
    fake.results.append([["t", 0, 7], ["t", 1, 3]])
    assert interrupted.position() == {("t", 0): 5, ("t", 1): 3}
    fake.results.append([["t", 0, 7, 10, 3], ["t", 1, 3, 3, 0]])
    assert interrupted.lag()["lag"].tolist() == [5, 0]


GIVEN_BACK = ("give back", {"ids": [7], "ranges": [["t", 0, 5, 7]]})


def test_a_seek_gives_back_the_rows_that_an_interrupt_kept(fake, interrupted):
    interrupted.seek("t", 1, "latest")
    assert fake.calls == [GIVEN_BACK, ("seek", [["t", 1, "latest", 0]])]
    assert interrupted.poll_batch() is None


def test_a_pause_gives_back_the_rows_that_an_interrupt_kept(fake, interrupted):
    interrupted.pause()
    assert fake.calls == [GIVEN_BACK, ("pause", None)]
    assert interrupted.poll_batch() is None


def test_rows_that_cannot_be_given_back_are_kept(fake, interrupted):
    fake.waits.append(CODES[pykafarr.BrokerError])
    with pytest.raises(pykafarr.BrokerError):
        interrupted.seek("t", 0, 20)
    assert interrupted.poll_batch().num_rows == 2


def test_milliseconds_are_an_int_that_says_what_it_is():
    value = pykafarr.Milliseconds(1_700_000_000_000)
    assert value == 1_700_000_000_000
    assert repr(value) == "Milliseconds(1700000000000)"
    assert type(pickle.loads(pickle.dumps(value))) is pykafarr.Milliseconds
