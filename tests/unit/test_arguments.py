"""What listener() takes, and what it refuses before it looks at the library."""

from datetime import timedelta

import numpy as np
import pytest

from pykafarr import ConfigError
from pykafarr._options import checks

METADATA_NAMES = ["offset", "partition", "topic", "timestamp", "timestamp_type", "schema_id", "key", "headers"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0),
        (30000, 30000),
        (np.int64(5), 5),
        (timedelta(seconds=1.5), 1500),
        (timedelta(microseconds=1), 1),
        (timedelta.max, 10**12),
        (2**80, 10**12),
    ],
    ids=str,
)
def test_a_duration_is_milliseconds_or_a_timedelta(value, expected):
    assert checks.milliseconds("max_time", value) == expected


@pytest.mark.parametrize("value", [1.5, 1000.0, True, "1000", None, np.float64(1)], ids=repr)
def test_another_type_is_no_duration(value):
    with pytest.raises(TypeError, match=r"max_time must be an int in milliseconds or a timedelta, not \w+"):
        checks.milliseconds("max_time", value)


@pytest.mark.parametrize("value", [-1, timedelta(seconds=-1)], ids=repr)
def test_a_duration_is_not_negative(value):
    with pytest.raises(ConfigError, match="max_time must not be negative"):
        checks.milliseconds("max_time", value)


def test_num_messages_is_an_int_within_bounds():
    assert checks.integer("n", np.int32(7), 1, 10) == 7
    for wrong in (0, 11, -(2**70)):
        with pytest.raises(ConfigError, match="n must be from 1 to 10, not"):
            checks.integer("n", wrong, 1, 10)
    for wrong in (True, 1.0, "1", None):
        with pytest.raises(TypeError, match="n must be an int, not"):
            checks.integer("n", wrong, 1, 10)


def test_topics_are_one_str_or_several():
    assert checks.texts("topics", "a") == ["a"]
    assert checks.texts("topics", ["a", "b"]) == ["a", "b"]
    assert checks.texts("topics", ("a",)) == ["a"]


@pytest.mark.parametrize("value", [[], "", ["a", ""]], ids=repr)
def test_an_empty_topic_list_is_refused(value):
    with pytest.raises(ConfigError, match=r"topics(\[\d\])? must not be empty"):
        checks.texts("topics", value)


@pytest.mark.parametrize("value", [None, 1, b"a", [1], ["a", None], {"a": 1}], ids=repr)
def test_topics_of_another_type_are_refused(value):
    with pytest.raises(TypeError, match="topics"):
        checks.texts("topics", value)


def test_properties_become_librdkafkas_strings():
    given = {"a": "x", "b": 1, "c": 0.5, "d": True, "e": False}
    assert checks.properties("config", given) == {"a": "x", "b": "1", "c": "0.5", "d": "true", "e": "false"}
    assert checks.properties("config", None) == {}


def test_a_property_of_another_type_is_refused_without_showing_its_value():
    with pytest.raises(
        TypeError,
        match=r"config\['sasl.password'\] must be a str, int, float, bool, from_file\(\) or from_env\(\), not bytes",
    ) as info:
        checks.properties("config", {"sasl.password": b"secret"})
    assert "secret" not in str(info.value)
    for wrong in ({1: "a"}, {"a": None}, [("a", "b")], "a=b"):
        with pytest.raises(TypeError):
            checks.properties("config", wrong)


@pytest.mark.parametrize(
    ("value", "columns"),
    [
        (("offset",), [("_offset", "_offset")]),
        (["_offset", "topic"], [("_offset", "_offset"), ("_topic", "_topic")]),
        ("partition", [("_partition", "_partition")]),
        ({"offset": "position", "_key": "key"}, [("_offset", "position"), ("_key", "key")]),
        ((), []),
        (None, []),
        (METADATA_NAMES, [(f"_{name}", f"_{name}") for name in METADATA_NAMES]),
    ],
    ids=repr,
)
def test_metadata_columns_have_names(value, columns):
    assert checks.metadata_columns(value) == columns


def test_unknown_metadata_is_refused_with_the_names_there_are():
    with pytest.raises(ConfigError, match=r"unknown metadata '_offsets': there are offset, partition, "):
        checks.metadata_columns(["_offsets"])


@pytest.mark.parametrize("value", [["offset", "_offset"], {"offset": "x", "key": "x"}], ids=repr)
def test_two_metadata_columns_of_one_name_are_refused(value):
    with pytest.raises(ConfigError, match="two columns named"):
        checks.metadata_columns(value)


@pytest.mark.parametrize("value", [[1], 1, b"offset", {"offset": 1}, {1: "offset"}], ids=repr)
def test_metadata_of_another_type_is_refused(value):
    with pytest.raises(TypeError, match="metadata"):
        checks.metadata_columns(value)


def test_a_word_that_is_none_of_the_choices_is_refused():
    with pytest.raises(ConfigError, match="errors must be one of 'raise', 'skip', not 'ignore'"):
        checks.choice("errors", "ignore", ("raise", "skip"))
    with pytest.raises(TypeError, match="errors must be a str, not bool"):
        checks.choice("errors", True, ("raise", "skip"))
    assert checks.dtype_backend(None) is None
    assert checks.dtype_backend("pyarrow") == "pyarrow"
    with pytest.raises(ConfigError, match="dtype_backend"):
        checks.dtype_backend("arrow")
