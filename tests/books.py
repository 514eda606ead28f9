"""The column memory's books, which a test leaves as it found them."""

import gc
from collections.abc import Iterator

import pytest

from pykafarr import _lib


@pytest.fixture(autouse=True)
def closed_books() -> Iterator[None]:
    """Every byte of column memory is given back. For each module or folder that imports it."""
    live_bytes = _lib.library().lib.kafarr_live_bytes
    gc.collect()
    before = live_bytes()
    yield
    gc.collect()
    assert live_bytes() <= before
