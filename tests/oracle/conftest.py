"""One Java for all tests, and closed books after each."""

import gc
from collections.abc import Iterator

import pytest

from pykafarr import _lib
from tests.oracle.avro import Avro


@pytest.fixture(scope="session")
def java() -> Iterator[Avro]:
    """Apache Avro's Java."""
    avro = Avro()
    yield avro
    avro.close()


@pytest.fixture(autouse=True)
def closed_books():
    """Every byte of column memory is given back."""
    live_bytes = _lib.library().lib.kafarr_live_bytes
    gc.collect()
    before = live_bytes()
    yield
    gc.collect()
    assert live_bytes() <= before
