"""The column memory's books, which a test leaves as it found them."""

import gc
import time
from collections.abc import Iterator

import pytest

from pykafarr._library import library as lib


@pytest.fixture(autouse=True)
def closed_books() -> Iterator[None]:
    """Every byte of column memory is given back. For each module or folder that imports it."""
    live_bytes = lib.library().lib.kafarr_live_bytes
    gc.collect()
    before = live_bytes()
    yield
    gc.collect()
    deadline = time.monotonic() + 5
    while live_bytes() > before and time.monotonic() < deadline:
        time.sleep(0.01)  # a stream that was dropped ends in the background
    assert live_bytes() <= before
