"""Places in partitions, as callers name them: words, offsets, times."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any, Literal, NamedTuple, TypeAlias

from .._errors import ConfigError
from . import checks
from .secrets import kind

_MAX_OFFSET = 2**63 - 1
_MAX_PARTITION = 2**31 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_WORDS = ("committed", "earliest", "latest")
_SCAN_WORDS = ("earliest", "now")


class TopicPartition(NamedTuple):
    """A partition of a topic; the same as the tuple (topic, partition)."""

    topic: str
    partition: int


class Milliseconds(int):
    """A time in milliseconds since 1970, UTC, where a plain int would be an offset: `Milliseconds(1700000000000)`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Milliseconds({int(self)})"


# A time, in each of its forms. A datetime (pandas' Timestamp is one) has a time zone; a date is its midnight in UTC,
# and a datetime64 of numpy is in UTC. A timedelta is so long ago. A text is a time in ISO 8601 with a time zone, a date
# or so long ago: "-1h", "-90s", "-7d". Numpy's are not named here, as importing pykafarr does not load numpy.
Time: TypeAlias = date | datetime | timedelta | Milliseconds | str
# "committed": where the group left off, and where auto.offset.reset says when it never was there. "earliest": the first
# row that is still there. "latest": after the last one. An int is an offset. A time is the first row with that
# timestamp or a later one, and the end when there is none. A pair of an offset and a topic's id, as `Plan.ends` has
# them, is an error where the topic was deleted and created again since.
Place: TypeAlias = Literal["committed", "earliest", "latest"] | int | Time | tuple[int, str]
# Where partitions begin: all alike, or by topic or (topic, partition).
Start: TypeAlias = Place | Mapping[str | tuple[str, int], Place]
# Where a scan begins and ends: "now" is after the last row that is there when it is planned.
ScanPlace: TypeAlias = Literal["earliest", "now"] | int | Time | tuple[int, str]
# All partitions alike, or by partition, topic or (topic, partition).
ScanPlaces: TypeAlias = (
    ScanPlace | Mapping[int, ScanPlace] | Mapping[str, ScanPlace] | Mapping[tuple[str, int], ScanPlace]
)
# Partitions to read without a subscription.
Assign: TypeAlias = Mapping[str, Iterable[int]] | Iterable[tuple[str, int]]


# A word, the number that goes with "offset" and "time", and perhaps the id of the topic that an offset is of.
_Found: TypeAlias = tuple[str, int] | tuple[str, int, str]
# (topic or "", partition or -1), and what is found there.
Places: TypeAlias = list[tuple[str, int, str, int] | tuple[str, int, str, int, str]]


def place(name: str, value: object, words: tuple[str, ...] = _WORDS) -> _Found:
    """A place as the library takes it."""
    if isinstance(value, (tuple, list)):  # JSON makes lists of tuples
        return _of_topic(name, value)
    if isinstance(value, str) and value in words:
        return value, 0
    moment = time_of(name, value, words)
    if moment is not None:
        return "time", moment
    if not checks.is_integer(value):
        raise TypeError(f"{name} must be {_forms(words)}, not {kind(value)}")
    return "offset", checks.integer(name, value, 0, _MAX_OFFSET)


def _forms(words: tuple[str, ...]) -> str:
    """What a place may be, for errors."""
    return f"{', '.join([*map(repr, words), 'an offset'])}, a datetime with a time zone or Milliseconds"


# So long ago. Months and years have no fixed length, and so no letter; "m" is minutes, as everywhere.
_AGO = re.compile(r"-?(?P<number>[0-9]{1,15})(?P<unit>ms|s|m|h|d|w)")
_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
# What Python 3.10 reads as newer ones do, once the Z is an offset.
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}.*)?")


def time_of(name: str, value: object, words: tuple[str, ...] = ()) -> int | None:
    """The milliseconds since 1970 of a time in any of its forms; None: it is of no type that times have.

    words: what a text may be besides, for the error.

    Raises:
        ConfigError: it is a text that is no time, or it has no time zone.
    """
    kind_of = type(value)
    if kind_of.__module__ == "numpy" and kind_of.__name__ in {"datetime64", "timedelta64"}:
        value = _of_numpy(name, value)
    if isinstance(value, (datetime, timedelta)) and value != value:  # noqa: PLR0124  # NaT, of pandas, is none
        raise ConfigError(f"{name} must be a time, not NaT")
    if isinstance(value, str):
        return _of_text(name, value, words)
    if isinstance(value, timedelta):
        return _ago(-(-abs(value) // timedelta(milliseconds=1)))
    if isinstance(value, datetime):
        return _since_1970(name, value)
    if isinstance(value, date):
        return _since_1970(name, datetime(value.year, value.month, value.day, tzinfo=timezone.utc))
    return checks.integer(name, value, 0, _MAX_OFFSET) if isinstance(value, Milliseconds) else None


def fixed(name: str, value: object) -> object:
    """A place whose meaning does not move on with the clock: "-1h" and a timedelta are so long before now."""
    if isinstance(value, Mapping):
        return {key: fixed(name, one) for key, one in value.items()}
    moves = isinstance(value, timedelta) or type(value).__name__ == "timedelta64"
    if moves or (isinstance(value, str) and _AGO.fullmatch(value)):
        return Milliseconds(time_of(name, value) or 0)
    return value


def _ago(milliseconds: int) -> int:
    return max(0, time.time_ns() // 1_000_000 - milliseconds)


def _of_text(name: str, value: str, words: tuple[str, ...]) -> int:
    if ago := _AGO.fullmatch(value):
        return _ago(int(ago["number"]) * _UNITS[ago["unit"]])
    if _ISO.fullmatch(value):
        try:
            if len(value) == len("2026-01-31"):
                return _since_1970(name, datetime.fromisoformat(f"{value}T00:00+00:00"))
            moment = datetime.fromisoformat(re.sub("[zZ]$", "+00:00", value))  # Python 3.10 knows no Z
        except ValueError:
            pass
        else:
            return _since_1970(name, moment)
    known = _forms(words) if words else "a datetime with a time zone or Milliseconds"
    raise ConfigError(
        f"{name} must be {known}, not {value!r}; texts of times are such as '-1h' and '2026-01-31T00:00Z'"
    )


def _of_numpy(name: str, value: Any) -> datetime | timedelta:
    """A datetime64, which is in UTC, rounded up to milliseconds, or a timedelta64."""
    if value != value:  # noqa: PLR0124  # NaT
        raise ConfigError(f"{name} must be a time, not NaT")
    unit = "datetime64[ms]" if type(value).__name__ == "datetime64" else "timedelta64[ms]"
    try:
        rounded = value.astype(unit)
        found = (rounded + (rounded < value)).item()
    except TypeError:  # a timedelta64 of months, which have no length
        found = None
    if isinstance(found, datetime):
        return found.replace(tzinfo=timezone.utc)
    if not isinstance(found, timedelta):
        raise ConfigError(f"{name} must be a time of the years 1 to 9999, or a duration with a length, not {value}")
    return found


def _of_topic(name: str, value: Sequence[object]) -> tuple[str, int, str]:
    """An offset with the id of its topic."""
    if len(value) != 2 or not isinstance(value[1], str):
        raise TypeError(f"{name} must be an offset, or an offset and the id of its topic, not {value!r}")
    if not re.fullmatch("[0-9a-f]{32}", value[1]):
        raise ConfigError(f"{name}: {value[1]!r} is no id of a topic: it has 32 hexadecimal digits")
    return "offset", checks.integer(name, value[0], 0, _MAX_OFFSET), value[1]


def _since_1970(name: str, value: datetime) -> int:
    """Milliseconds, rounded up: the row a moment before the time is not meant."""
    if value.utcoffset() is None:
        raise ConfigError(
            f"{name} must be a datetime with a time zone, not {value}: the same clock time is another moment in each "
            "zone. datetime.now(timezone.utc) has one, value.astimezone() takes the zone of this machine"
        )
    return max(0, -((_EPOCH - value) // timedelta(milliseconds=1)))  # before 1970 there are no rows


def start(value: object) -> Places:
    """Where partitions begin: (topic or "", partition or -1, word, number)."""
    if not isinstance(value, Mapping):
        return [("", -1, *place("start", value))]
    return begin("start", value)


def begin(name: str, value: object) -> Places:
    """Where partitions begin, by topic or (topic, partition): (topic, partition or -1, word, number)."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a dict of topics or (topic, partition) and places, not {kind(value)}")
    found: Places = []
    for key, where in value.items():
        topic, number = (key, -1) if isinstance(key, str) else partition(f"a key of {name}", key)
        found.append((checks.text(f"a key of {name}", topic), number, *place(f"{name}[{key!r}]", where)))
    return found


def targets(value: Mapping[tuple[str, int], Place]) -> Places:
    """Where partitions are to go: (topic, partition, word, number)."""
    return [(*partition("a key of seek", key), *place(f"seek[{key!r}]", to)) for key, to in value.items()]


def scan_places(name: str, value: object) -> Places:
    """Where a scan begins or ends: (topic or "", partition or -1, word, number)."""
    if not isinstance(value, Mapping):
        return [("", -1, *_scan_place(name, value))]
    found: Places = []
    for key, where in value.items():
        if isinstance(key, str):
            topic, number = checks.text(f"a key of {name}", key), -1
        elif isinstance(key, tuple):
            topic, number = partition(f"a key of {name}", key)
        else:
            topic, number = "", checks.integer(f"a key of {name}", key, 0, _MAX_PARTITION)
        found.append((topic, number, *_scan_place(f"{name}[{key!r}]", where)))
    return found


def _scan_place(name: str, value: object) -> _Found:
    word, *rest = place(name, value, _SCAN_WORDS)
    return ("latest" if word == "now" else word, *rest)


def assign(value: object) -> list[TopicPartition]:
    """Partitions as {topic: [partitions]} or [(topic, partition), …]."""
    if value is None:
        return []
    if isinstance(value, Mapping):
        pairs: list[object] = []
        for topic, numbers in value.items():
            if isinstance(numbers, (str, bytes)) or not isinstance(numbers, Iterable):
                raise TypeError(f"assign[{topic!r}] must be a list of partitions, not {kind(numbers)}")
            pairs.extend((topic, number) for number in numbers)
    elif isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        pairs = list(value)
    else:
        raise TypeError(
            f"assign must be a dict of topic and partitions or a list of (topic, partition), not {kind(value)}"
        )
    found = [partition("assign", pair) for pair in pairs]
    if not found:
        raise ConfigError("assign must not be empty")
    for one in found:
        if found.count(one) > 1:
            raise ConfigError(f"assign holds {one.topic}[{one.partition}] twice")
    return found


def topics_or_assign(topics: object, assigned: object) -> tuple[list[str], list[TopicPartition]]:
    """The topics to subscribe to, and the partitions to read without a subscription."""
    partitions = assign(assigned)
    return _topics(topics, partitions), partitions


def _topics(value: object, assigned: list[TopicPartition]) -> list[str]:
    """The topics to subscribe to; none where partitions are assigned, though their topics may be named."""
    if not assigned:
        if value is None:
            raise TypeError("topics must be a str or a list of str, not None: only with assign= it may be None")
        return checks.texts("topics", value)
    if value is None or (not isinstance(value, str) and isinstance(value, Iterable) and not list(value)):
        return []
    named = set(checks.texts("topics", value))
    if named != {one.topic for one in assigned}:
        raise ConfigError(f"topics must be None or those of assign, not {', '.join(sorted(named))}")
    return []


def partition(name: str, value: object) -> TopicPartition:
    """A (topic, partition)."""
    if not isinstance(value, tuple) or len(value) != 2:
        raise TypeError(f"{name} must be a (topic, partition), not {value!r}")
    topic, number = value
    return TopicPartition(
        checks.text(f"the topic of {name}", topic),
        checks.integer(f"the partition of {name}", number, 0, _MAX_PARTITION),
    )


def partitions(value: object) -> list[tuple[str, int]] | None:
    """Partitions by (topic, partition) or by topic, which is (topic, -1); None for all."""
    if value is None:
        return None
    if isinstance(value, str) or (isinstance(value, tuple) and len(value) == 2 and checks.is_integer(value[1])):
        value = [value]
    if not isinstance(value, Iterable) or isinstance(value, (bytes, Mapping)):
        raise TypeError(f"partitions must be a list of topics or (topic, partition), not {kind(value)}")
    return [
        (checks.text("partitions", one), -1) if isinstance(one, str) else partition("partitions", one) for one in value
    ]
