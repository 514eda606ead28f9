"""The library's events as records of Python's logging, logger `pykafarr`."""

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


def log_events(events: list[dict[str, Any]]) -> None:
    """Logs what listener_events() gave.

    A record of a log line has the extra attributes `facility` (librdkafka's, such as FAIL) and `repeats` (how many
    more lines were equal to it); one of a rebalance has `event` and `partitions`.
    """
    for event in events:
        if event["event"] == "log":
            _log_line(event)
        else:
            _log_partitions(event)


def _log_line(event: dict[str, Any]) -> None:
    level = _LEVELS[min(max(event["level"], 0), len(_LEVELS) - 1)]
    facility, repeats = event.get("facility", ""), event.get("repeats", 0)
    text = f"{facility}: {event['message']}" if facility else event["message"]
    if repeats:
        text += f" (repeated {repeats} times)"
    logger.log(level, "%s", text, extra={"facility": facility, "repeats": repeats})
    if facility == "NEIGHBOUR":  # a mistake in this program, and a notebook does not show the log
        warnings.warn(event["message"], RuntimeWarning, stacklevel=2)


def _log_partitions(event: dict[str, Any]) -> None:
    name, partitions = event["event"], event["partitions"]
    logger.log(
        _PARTITION_EVENT_LEVELS.get(name, logging.DEBUG),
        "%s: %s",
        name,
        # An offset below zero is librdkafka's way to say "wherever the group stopped".
        ", ".join(f"{topic}[{number}]" + (f"@{offset}" if offset >= 0 else "") for topic, number, offset in partitions)
        or "no partition",
        extra={"event": name, "partitions": partitions},
    )
