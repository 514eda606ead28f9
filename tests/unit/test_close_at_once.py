"""Listeners that are closed right after they were opened, while their group still answers."""

import threading
import time

import pykafarr
from pykafarr.testing import MockKafka

THREADS, OPENINGS = 6, 25


def test_close_right_after_open_returns_whatever_the_group_is_doing():
    closed, errors = [], []
    with MockKafka(topics={"T": 2}) as kafka:

        def open_and_close(name):
            try:
                for i in range(OPENINGS):
                    pykafarr.listener(kafka.servers, f"{name}-{i}", "T", kafka.registry_url).close()
                    closed.append(name)
            except pykafarr.KafarrError as error:
                errors.append(error)

        threads = [threading.Thread(target=open_and_close, args=(f"g{n}",), daemon=True) for n in range(THREADS)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 120
        for thread in threads:
            thread.join(max(0, deadline - time.monotonic()))

    assert errors == []
    assert len(closed) == THREADS * OPENINGS
