"""Checks of what callers pass: a wrong Python type is a TypeError, a wrong value a ConfigError."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Literal, SupportsIndex, TypeAlias, TypeGuard, get_args

from .._errors import ConfigError
from . import nearest
from .secrets import Hidden, HiddenObject, Secret, kind

Duration: TypeAlias = int | timedelta
Property: TypeAlias = str | int | float | bool | Secret
Errors: TypeAlias = Literal["raise", "skip", "collect"]
Content: TypeAlias = Literal["avro", "protobuf", "jsonschema", "json", "bytes", "string", "auto"]
KeyContent: TypeAlias = Literal["avro", "protobuf", "jsonschema", "json", "bytes", "string", "auto"]
Bodies: TypeAlias = Literal["avro", "protobuf", "jsonschema", "json"]
Framing: TypeAlias = Literal["confluent", "bare", "single_object", "schema_header", "connect", "apicurio"]
BodyFraming: TypeAlias = Literal["bare", "connect"]
Tombstones: TypeAlias = Literal["split", "keep", "skip"]
Mixed: TypeAlias = Literal["split", "group"]
Acknowledge: TypeAlias = Literal["next_poll", "commit"]
Unions: TypeAlias = Literal["struct", "dense"]
Recursion: TypeAlias = Literal["refuse", "json"]
OutOfRange: TypeAlias = Literal["raise", "null"]
Timestamps: TypeAlias = Literal["us", "ns"]
Enums: TypeAlias = Literal["names", "numbers"]
Formats: TypeAlias = Literal["typed", "string"]
UnknownMembers: TypeAlias = Literal["count", "keep", "raise"]
Rules: TypeAlias = Literal["raise", "ignore"] | Mapping[Literal["encrypt"], Mapping[Literal["secret"], str | Secret]]
DtypeBackend: TypeAlias = Literal["numpy", "pyarrow"]

METADATA = (
    *("offset", "partition", "topic", "timestamp", "timestamp_type", "schema_id", "key", "headers"),
    *("leader_epoch", "tombstone"),
)

LIMITS = ("schema_depth", "columns", "value_depth", "block_items", "empty_items", "message_bytes", "message_steps")

# 2^31-1 rows: Arrow's utf8 and binary columns count with 32 bits.
MAX_MESSAGES = 2**31 - 1
MAX_MEMORY = 2**62
# About 300 years in milliseconds would overflow Go's nanoseconds; 30 years are long enough.
_FOREVER_MS = 10**12


def text(name: str, value: object) -> str:
    """A str that is not empty."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {kind(value)}")
    if not value:
        raise ConfigError(f"{name} must not be empty")
    return _writable(name, value)


def _writable(name: str, value: str) -> str:
    """A text that arrives as it is: C ends texts at a NUL, and half a surrogate pair has no UTF-8."""
    if "\0" in value:
        raise ConfigError(f"{name} must not hold a NUL character")
    # Looked at here, and not left to encode(), whose exception holds the text.
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise ConfigError(f"{name} must be valid Unicode: surrogates not allowed")
    return value


def servers(value: object) -> str:
    """The bootstrap servers, which may be a list. The library checks what a server is."""
    return Hidden(",".join(texts("servers", value)))


def texts(name: str, value: object) -> list[str]:
    """One str or several: at least one, none of them empty."""
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, Iterable) or isinstance(value, (bytes, Mapping)):
        raise TypeError(f"{name} must be a str or a list of str, not {kind(value)}")
    found = [text(f"{name}[{index}]", item) for index, item in enumerate(value)]
    if not found:
        raise ConfigError(f"{name} must not be empty")
    return found


def is_integer(value: object) -> TypeGuard[SupportsIndex]:
    """Whether a value is an int: Python's or numpy's, say. A bool is no int."""
    return hasattr(value, "__index__") and not isinstance(value, bool)


def integer(name: str, value: object, least: int, most: int) -> int:
    """An int from least to most; numpy's integers are ints, too."""
    if not is_integer(value):
        raise TypeError(f"{name} must be an int, not {kind(value)}")
    number = operator.index(value)
    if not least <= number <= most:
        raise ConfigError(f"{name} must be from {least} to {most}, not {number}")
    return number


def from_one(name: str, value: object, most: int) -> int:
    """A number from 1 on; None is the library's default."""
    return 0 if value is None else integer(name, value, 1, most)


def milliseconds(name: str, value: object, least: int = 0) -> int:
    """A duration: an int in milliseconds or a timedelta, rounded up to the next millisecond."""
    if isinstance(value, timedelta):
        number, rest = divmod(value, timedelta(milliseconds=1))
        number += bool(rest)
    elif not is_integer(value):
        # A float is refused: 1.5 would be seconds in most libraries and milliseconds here.
        raise TypeError(f"{name} must be an int in milliseconds or a timedelta, not {kind(value)}")
    else:
        number = operator.index(value)
    if number < 0:
        raise ConfigError(f"{name} must not be negative: {value}")
    if number < least:
        raise ConfigError(f"{name} must be more than 0")
    return min(number, _FOREVER_MS)


def limits(value: object, *more: str) -> dict[str, int]:
    """Limits by name. The library knows their ranges; 0 would be a default there, so it is refused here."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TypeError(f"limits must be a dict, not {kind(value)}")
    known = (*LIMITS, *more)
    if unknown := [name for name in value if name not in known]:
        raise ConfigError(f"unknown limits: {unknown[0]!r}: there are {nearest.known(str(unknown[0]), known)}")
    return {name: integer(f"limits[{name!r}]", number, 1, MAX_MESSAGES) for name, number in value.items()}


def limits_of_batches(value: object) -> tuple[dict[str, int], int, int]:
    """The limits by name, and two that the library takes apart from them: batch_bytes and schema_bytes."""
    found = limits(value, "batch_bytes", "schema_bytes")
    return found, found.pop("batch_bytes", 0), found.pop("schema_bytes", 0)


def truth(name: str, value: object) -> bool:
    """A bool."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be a bool, not {kind(value)}")
    return value


def function(name: str, value: object) -> bool:
    """Whether a function was given, and not None."""
    if value is not None and not callable(value.value if isinstance(value, HiddenObject) else value):
        raise TypeError(f"{name} must be callable, not {kind(value)}")
    return value is not None


def choice(name: str, value: object, choices: tuple[str, ...]) -> str:
    """One of the words."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {kind(value)}")
    if value not in choices:
        raise ConfigError(f"{name} must be one of {', '.join(map(repr, choices))}, not {value!r}")
    return value


def rules(value: object) -> str:
    """The word of rules=: that of a dict is its key."""
    if isinstance(value, str) and value not in ("raise", "ignore"):  # the value is not shown: it may be the secret
        raise ConfigError('rules must be "raise", "ignore" or {"encrypt": {"secret": …}}')
    if not isinstance(value, Mapping):
        return choice("rules", value, ("raise", "ignore"))
    if list(value) != ["encrypt"]:
        raise ConfigError('rules must be "raise", "ignore" or {"encrypt": {…}}, and nothing else')
    if not isinstance(value["encrypt"], Mapping):
        raise TypeError(f"rules['encrypt'] must be a dict, not {kind(value['encrypt'])}")
    if unknown := [name for name in value["encrypt"] if name != "secret"]:
        raise ConfigError(f"unknown key of rules['encrypt']: {unknown[0]!r}: there is 'secret'")
    if not isinstance(value["encrypt"].get("secret", ""), (str, Secret)):
        given = kind(value["encrypt"]["secret"])
        raise TypeError(f"rules['encrypt']['secret'] must be a str, from_file() or from_env(), not {given}")
    return "encrypt"


def rules_secret(value: object) -> str:
    """The secret of rules={"encrypt": {"secret": …}}; none is the empty text."""
    if rules(value) != "encrypt" or not isinstance(value, Mapping) or "secret" not in value["encrypt"]:
        return ""
    place, secret = "rules['encrypt']['secret']", value["encrypt"]["secret"]
    return Hidden(text(place, secret.read(place) if isinstance(secret, Secret) else secret))


def dtype_backend(value: object) -> DtypeBackend | None:
    """None, "numpy" or "pyarrow"."""
    if value is None:
        return None
    return choice("dtype_backend", value, get_args(DtypeBackend))  # type: ignore[return-value]  # checked by choice


def properties(name: str, value: object) -> dict[str, str]:
    """Properties as librdkafka spells them: {"fetch.min.bytes": 1, "enable.auto.commit": False} → strings."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a dict, not {kind(value)}")
    found: dict[str, str] = {}
    for key, setting in value.items():
        if not isinstance(key, str):
            raise TypeError(f"{name} must have keys of type str, not {kind(key)}")
        found[_writable(name, key)] = _property(f"{name}[{key!r}]", setting)
    return found


def _property(place: str, setting: object) -> str:
    """A value as librdkafka reads it: true and false, and no exponents, of which it would read the first digit."""
    if isinstance(setting, Secret):
        return Hidden(_writable(place, setting.read(place)))
    text = _property_text(setting.value if isinstance(setting, HiddenObject) else setting)
    if text is None:
        # The value is not shown: it may be a password.
        raise TypeError(f"{place} must be a str, int, float, bool, from_file() or from_env(), not {kind(setting)}")
    return Hidden(_writable(place, text))


def _property_text(setting: object) -> Hidden | None:
    if isinstance(setting, bool):
        return Hidden(str(setting).lower())
    if is_integer(setting):
        return Hidden(operator.index(setting))
    if isinstance(setting, float) and setting.is_integer():
        return Hidden(int(setting))
    return Hidden(setting) if isinstance(setting, (str, float)) else None


def registry_url(value: object) -> str:
    """The registry's address, which may hold a password; none is the empty text."""
    if isinstance(value, Secret):
        value = value.read("registry_url")
    return "" if value is None else Hidden(text("registry_url", value))


def metadata_columns(value: object, *, with_key: bool = False) -> list[tuple[str, str]]:
    """Metadata columns as (the library's name, the frame's): of ("offset",), ("_offset",) or {"offset": "position"}.

    with_key: the key's is one of them, whether it is asked for here or not.
    """
    if value is None:
        value = ()
    if isinstance(value, Mapping):
        asked: list[tuple[Any, Any]] = list(value.items())
    elif isinstance(value, str):
        asked = [(value, None)]
    elif isinstance(value, Iterable) and not isinstance(value, bytes):
        asked = [(item, None) for item in value]
    else:
        raise TypeError(f"metadata must be names or a dict of name and column, not {kind(value)}")

    columns: list[tuple[str, str]] = []
    for item, column in asked:
        if not isinstance(item, str):
            raise TypeError(f"metadata must be named by str, not {kind(item)}: {item!r}")
        name = item.removeprefix("_")
        if name not in METADATA:
            raise ConfigError(f"unknown metadata {item!r}: there are {nearest.known(name, METADATA)}")
        columns.append((f"_{name}", f"_{name}" if column is None else text(f"metadata[{item!r}]", column)))
    if with_key and not any(column == "_key" for column, _ in columns):
        columns.append(("_key", "_key"))
    names = [column for _, column in columns]
    for column in names:
        if names.count(column) > 1:
            raise ConfigError(f"metadata would give two columns named {column!r}")
    return columns
