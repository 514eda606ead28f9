"""Events of the library as log records."""

import logging
import subprocess
import sys

import pytest

from pykafarr._library.logs import log_notices


def log_line(level: int, message: str = "connection refused", facility: str = "FAIL", repeats: int = 0) -> dict:
    return {"kind": "log", "level": level, "facility": facility, "message": message, "repeats": repeats}


@pytest.mark.parametrize(
    ("syslog", "level"),
    [
        (0, logging.CRITICAL),
        (2, logging.CRITICAL),
        (3, logging.ERROR),
        (4, logging.WARNING),
        (5, logging.INFO),
        (6, logging.INFO),
        (7, logging.DEBUG),
        (8, logging.DEBUG),
        (-1, logging.CRITICAL),
    ],
)
def test_syslog_levels_become_loggings(caplog, syslog, level):
    with caplog.at_level(logging.DEBUG, "pykafarr"):
        log_notices([log_line(syslog)])
    [record] = caplog.records
    assert record.levelno == level
    assert record.name == "pykafarr"


def test_a_record_carries_facility_and_repeats(caplog):
    log_notices([log_line(3, repeats=12)])
    [record] = caplog.records
    assert record.getMessage() == "FAIL: connection refused (repeated 12 times)"
    assert (record.facility, record.repeats) == ("FAIL", 12)


def test_a_percent_sign_in_a_message_is_text(caplog):
    log_notices([log_line(3, "50%s of 100%", facility="")])
    assert caplog.messages == ["50%s of 100%"]


def test_a_rebalance_names_its_partitions(caplog):
    with caplog.at_level(logging.INFO, "pykafarr"):
        log_notices(
            [
                {"kind": "assigned", "partitions": [["orders", 0, 42], ["orders", 1, -1001]]},
                {"kind": "revoked", "partitions": []},
                {"kind": "lost", "partitions": [["orders", 0, -1001]]},
            ]
        )
    assert caplog.messages == ["assigned: orders[0]@42, orders[1]", "revoked: no partition", "lost: orders[0]"]
    assert [record.levelno for record in caplog.records] == [logging.INFO, logging.INFO, logging.WARNING]
    assert caplog.records[0].partitions == [["orders", 0, 42], ["orders", 1, -1001]]


def test_a_program_without_logging_gets_nothing_on_stderr():
    code = f"from pykafarr._library.logs import log_notices; log_notices([{log_line(2)!r}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
