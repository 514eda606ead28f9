"""Places in their many forms: texts, dates, durations, and the times of pandas and numpy."""

import argparse
import pickle
import time
from datetime import date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

import pykafarr
from pykafarr import ConfigError
from pykafarr._cli.export import place as of_command_line
from pykafarr._cli.main import _parser
from pykafarr._options import offsets
from pykafarr.testing import MockKafka

MOMENT = datetime(2026, 11, 28, 12, 30, tzinfo=timezone.utc)
MIDNIGHT = datetime(2026, 11, 28, tzinfo=timezone.utc)
PRICE = {"type": "record", "name": "Price", "fields": [{"name": "bid", "type": "long"}]}
HOUR = 3_600_000


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ("2026-11-28T12:30Z", MOMENT),
        ("2026-11-28T12:30:00z", MOMENT),
        ("2026-11-28 13:30:00+01:00", MOMENT),
        ("2026-11-28", MIDNIGHT),
        (date(2026, 11, 28), MIDNIGHT),
        (pd.Timestamp("2026-11-28T13:30+01:00"), MOMENT),
        (np.datetime64("2026-11-28T12:30"), MOMENT),
        (np.datetime64("2026-11-28"), MIDNIGHT),
        (pykafarr.Milliseconds(milliseconds(MOMENT)), MOMENT),
    ],
    ids=repr,
)
def test_a_time_is_the_same_place_in_each_of_its_forms(given, moment):
    assert offsets.place("start", given) == ("time", milliseconds(moment))


@pytest.mark.parametrize(
    "given",
    [np.datetime64("2026-11-28T12:30:00.000000001"), pd.Timestamp("2026-11-28T12:30:00.000000001Z")],
    ids=repr,
)
def test_a_part_of_a_millisecond_is_rounded_up(given):
    assert offsets.place("start", given) == ("time", milliseconds(MOMENT) + 1)


@pytest.mark.parametrize(
    ("given", "ago"),
    [
        ("-1h", HOUR),
        ("1h", HOUR),
        ("-90s", 90_000),
        ("-5m", 300_000),
        ("-250ms", 250),
        ("-2d", 48 * HOUR),
        ("-1w", 7 * 24 * HOUR),
        (timedelta(hours=1), HOUR),
        (timedelta(hours=-1), HOUR),
        (pd.Timedelta("1h"), HOUR),
        (np.timedelta64(1, "h"), HOUR),
    ],
    ids=repr,
)
def test_a_duration_is_so_long_ago(given, ago):
    before = time.time_ns() // 1_000_000
    word, found = offsets.place("start", given)
    assert word == "time"
    assert before <= found + ago <= time.time_ns() // 1_000_000


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("2026-11-28T12:30", "a time zone"),
        (datetime(2026, 11, 28), "a time zone"),  # noqa: DTZ001  # which is what is refused
        (pd.Timestamp("2026-11-28"), "a time zone"),
        ("2026-13-28", "not '2026-13-28'"),
        ("1y", "not '1y'"),
        ("-1 h", "not '-1 h'"),
        ("100", "not '100'"),
        (pd.NaT, "not NaT"),
        (np.datetime64("NaT"), "not NaT"),
        (np.timedelta64("NaT", "h"), "not NaT"),
        (np.timedelta64(1, "M"), "with a length"),
        (np.datetime64("20000-01-01"), "of the years"),
    ],
    ids=repr,
)
def test_what_is_no_time_is_refused(given, said):
    with pytest.raises(ConfigError, match=said):
        offsets.place("start", given)


def test_a_number_of_numpy_is_an_offset_still():
    assert offsets.place("start", np.int64(7)) == ("offset", 7)


@pytest.mark.parametrize("given", ["earliest", "now", "-1h", "2026-11-28", "2026-11-28T12:30Z"])
def test_the_command_line_takes_the_same_texts(given):
    assert of_command_line(given) == given
    assert of_command_line("12") == 12
    options = _parser().parse_args(["read", "--servers", "a:1", "--topics", "t", "--start", given])
    assert options.start == given


def test_the_command_line_says_what_a_time_lacks():
    with pytest.raises(argparse.ArgumentTypeError, match=r"no time zone: write 2026-11-28T12:30Z"):
        of_command_line("2026-11-28T12:30")


def test_a_scan_of_the_last_hour_means_the_hour_in_which_it_was_planned():
    now = time.time_ns() // 1_000_000
    with MockKafka(topics=["t"]) as kafka:
        kafka.produce("t", PRICE, [{"bid": 1}], timestamp=now - 2 * HOUR)
        kafka.produce("t", PRICE, [{"bid": 2}], timestamp=now - HOUR // 2)
        kafka.produce("t", PRICE, [{"bid": 3}], timestamp=now)
        where = (kafka.servers, "t", kafka.registry_url)
        for start in ("-1h", {"t": "-1h"}, {0: timedelta(hours=1)}, np.timedelta64(1, "h")):
            plan = pykafarr.scan(*where, start=start, end=pd.Timestamp.now("UTC") - pd.Timedelta("10min"))
            assert plan.read().to_pandas("Price")["bid"].tolist() == [2]
            places = pickle.loads(pickle.dumps(plan))._options.arguments["start"]
            (place,) = places.values() if isinstance(places, dict) else [places]
            assert isinstance(place, pykafarr.Milliseconds)
        with pykafarr.listener(*where[:1], "g", "t", where[2], start="-1h") as p:
            assert next(p.batches(num_messages=2)).to_pandas()["bid"].tolist() == [2, 3]
