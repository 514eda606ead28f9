"""The library's notices as records of Python's logging, logger `pykafarr`."""

from __future__ import annotations

import logging
import warnings
from typing import Any

logger = logging.getLogger("pykafarr")
# Without a handler, logging's last resort would print warnings to stderr: a program that configured no logging
# must not get a dozen lines a second because a broker is down. The failure itself is raised.
logger.addHandler(logging.NullHandler())

# syslog has eight levels (emergency, alert, critical, error, warning, notice, info, debug), logging five.
_LEVELS = (
    logging.CRITICAL,
    logging.CRITICAL,
    logging.CRITICAL,
    logging.ERROR,
    logging.WARNING,
    logging.INFO,
    logging.INFO,
    logging.DEBUG,
)
_PARTITION_EVENT_LEVELS = {"assigned": logging.INFO, "revoked": logging.INFO, "lost": logging.WARNING}


def log_notices(notices: list[dict[str, Any]]) -> None:
    """Logs the notices that listener_events() gave.

    A record of a log line has the extra attributes `facility` (librdkafka's, such as FAIL) and `repeats` (how many
    more lines were equal to it); one of a rebalance has `event` and `partitions`.
    """
    for notice in notices:
        if notice["kind"] == "log":
            _log_line(notice)
        else:
            _log_partitions(notice)


def _log_line(notice: dict[str, Any]) -> None:
    level = _LEVELS[min(max(notice["level"], 0), len(_LEVELS) - 1)]
    facility, repeats = notice.get("facility", ""), notice.get("repeats", 0)
    text = f"{facility}: {notice['message']}" if facility else notice["message"]
    if repeats:
        text += f" (repeated {repeats} times)"
    logger.log(level, "%s", text, extra={"facility": facility, "repeats": repeats})
    if facility == "NEIGHBOUR":  # a mistake in this program, and a notebook does not show the log
        warnings.warn(notice["message"], RuntimeWarning, stacklevel=2)


def _log_partitions(notice: dict[str, Any]) -> None:
    name, partitions = notice["kind"], notice["partitions"]
    logger.log(
        _PARTITION_EVENT_LEVELS.get(name, logging.DEBUG),
        "%s: %s",
        name,
        # An offset below zero is librdkafka's way to say "wherever the group stopped".
        ", ".join(f"{topic}[{number}]" + (f"@{offset}" if offset >= 0 else "") for topic, number, offset in partitions)
        or "no partition",
        extra={"event": name, "partitions": partitions},
    )
