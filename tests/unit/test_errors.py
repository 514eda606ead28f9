"""The error tree: one table, three spellings."""

import pickle
import re
from pathlib import Path

import pytest

import pykafarr
from pykafarr import _errors

ROOT = Path(__file__).resolve().parents[2]
CLASSES = [getattr(_errors, name) for name in _errors.__all__]

TREE = {
    "KafarrError": {"Exception"},
    "ConfigError": {"KafarrError", "ValueError"},
    "BrokerError": {"KafarrError", "ConnectionError"},
    "AuthenticationError": {"BrokerError"},
    "GroupError": {"BrokerError"},
    "RegistryError": {"KafarrError"},
    "SchemaNotFoundError": {"RegistryError", "LookupError"},
    "SchemaError": {"KafarrError", "ValueError"},
    "IncompatibleSchemaError": {"SchemaError"},
    "DecodeError": {"KafarrError", "ValueError"},
    "EncodeError": {"KafarrError", "ValueError"},
    "DeliveryError": {"BrokerError"},
    "FramingError": {"DecodeError"},
    "KeyDecodeError": {"DecodeError"},
    "ClosedError": {"KafarrError"},
    "ForkError": {"KafarrError"},
    "StateError": {"KafarrError", "RuntimeError"},
    "InternalError": {"KafarrError"},
    "IncompleteError": {"KafarrError"},
    "TopicNotFoundError": {"BrokerError", "LookupError"},
    "RangeError": {"ConfigError"},
}


def test_the_tree_is_the_one_that_is_documented():
    assert {kind.__name__: {base.__name__ for base in kind.__bases__} for kind in CLASSES} == TREE


def test_every_class_is_public():
    assert all(getattr(pykafarr, kind.__name__) is kind for kind in CLASSES)
    assert all(kind.__name__ in pykafarr.__all__ for kind in CLASSES)


def test_the_codes_are_those_of_the_header():
    header = (ROOT / "cgo" / "kafarr.h").read_text()
    found = re.findall(r"KAFARR_(?:E_)?(\w+) = (\d+),?\s*(?:/\* (\w+Error):)?", header)
    assert len(found) == 2 + len(_errors.ERROR_CLASSES)
    for name, code, kind in found:
        if kind:
            assert _errors.ERROR_CLASSES[int(code)].__name__ == kind
            assert kind.lower() == name.replace("_", "").lower() + "error"
        else:
            assert getattr(_errors, name) == int(code)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_an_error_says_its_message_and_knows_its_place(kind):
    error = kind("orders[3]@1042: bad", topic="orders", partition=3, offset=1042, schema_id=17, path="customer.zip")
    assert str(error) == "orders[3]@1042: bad"
    assert (error.topic, error.partition, error.offset) == ("orders", 3, 1042)
    assert (error.schema_id, error.path) == (17, "customer.zip")


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_what_is_not_known_is_none(kind):
    error = kind("bad")
    assert [error.topic, error.partition, error.offset, error.schema_id, error.path] == [None] * 5


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_an_error_survives_pickling(kind):
    error = kind("orders[3]@1042: bad", topic="orders", offset=1042)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert str(again) == str(error)
    assert vars(again) == vars(error)
