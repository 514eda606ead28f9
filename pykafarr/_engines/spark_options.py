"""Spark's options, which are texts, as the arguments of a scan."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from .._errors import ConfigError
from .._options import json_schemas, nearest, offsets
from .._options.secrets import from_env, from_file, hidden, hidden_argument, plain
from .._options.table import SCAN

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._options.secrets import Secret

_PLACE = re.compile(r"(?P<topic>.+)\[(?P<partition>\d+)\]")


def parsed(options: dict[str, str]) -> tuple[dict[str, Any], tuple[int | None, int | None]]:
    """The arguments of a scan, and the most rows and bytes of a task.

    Raises:
        ConfigError: an option is unknown, missing or not what it should be.
    """
    # Tools that print the variables of a traceback's frames show no passwords. An unknown name may be a mistyped one.
    options = {
        name: hidden_argument(name, text) if name in _OPTIONS else hidden(text) for name, text in options.items()
    }
    found = {}
    for name, text in options.items():
        read = _OPTIONS.get(name)
        if read is None:
            raise ConfigError(f"unknown option {name!r}: there are {nearest.known(name, _OPTIONS)}")
        found[name] = hidden_argument(name, read(name, text))
    found.setdefault("registry_url", None)
    for name in ("servers", "topics"):
        if name not in found:
            raise ConfigError(f'there is no option {name!r}: spark.read.format("pykafarr").option({name!r}, …)')
    return found, (found.pop("max_rows_per_task", None), found.pop("max_bytes_per_task", None))


def _text(_: str, text: str) -> str | None:
    return text or None


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ConfigError(f"option {name!r} must be a whole number, not {text!r}") from None


def _truth(name: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ConfigError(f"option {name!r} must be true or false, not {text!r}")
    return text.lower() == "true"


def _either(name: str, text: str) -> Any:
    """A text, or a list or dict as JSON."""
    return _json(name, text) if text.lstrip().startswith(("[", "{")) else text


def _schema(name: str, text: str) -> Any:
    """The text of a schema as it is, and JSON of several ones, or of {name: type}, as a list or dict."""
    found = _either(name, text)
    return text if json_schemas.is_schema(found) else found


def _json(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        # The text is not shown: it may hold a password.
        raise ConfigError(f"option {name!r} must be JSON: {error}") from None


def _secret(name: str, text: str) -> str | Secret | None:
    found = hidden(_either(name, text))
    return _referred(name, found) if found else None


def _properties(name: str, text: str) -> dict[str, Any]:
    found = hidden(_json(name, text))
    if not isinstance(found, dict):
        raise ConfigError(f"option {name!r} must be a JSON object")
    return {key: _referred(f"{name}[{key!r}]", value) for key, value in found.items()}


def _rules(name: str, text: str) -> Any:
    """A word, or JSON such as {"encrypt": {"secret": {"from_env": "NAME"}}}."""
    found = _either(name, text)
    found = hidden_argument(name, found)
    if not isinstance(found, dict):
        return found
    if isinstance(found.get("encrypt"), dict):
        place = f"{name}['encrypt']"
        found["encrypt"] = {key: _referred(f"{place}[{key!r}]", value) for key, value in found["encrypt"].items()}
    return found


def _referred(place: str, value: Any) -> Any:
    """{"from_env": "NAME"} and {"from_file": "path"} as references."""
    if not isinstance(value, dict):
        return value
    if list(value) == ["from_env"]:
        return from_env(plain(value["from_env"]))
    if list(value) == ["from_file"]:
        return from_file(plain(value["from_file"]))
    raise ConfigError(f'{place}: an object must be {{"from_env": name}} or {{"from_file": path}}')


def _where(name: str, text: str) -> Any:
    """A place: a word, an offset, a time, or JSON that gives each topic or partition its own."""
    return _place(name, _either(name, text))


def _place(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {_key(key): _place(name, place) for key, place in value.items()}
    if not isinstance(value, str):
        return value
    if value.isdecimal():
        return int(value)
    offsets.scan_places(f"option {name!r}", value)  # raises what is no place, by the option's name
    return value


def _key(key: str) -> Any:
    """A partition (JSON's keys are texts), a topic, or both: "0", "orders", "orders[0]"."""
    if key.isdecimal():
        return int(key)
    found = _PLACE.fullmatch(key)
    return (found["topic"], int(found["partition"])) if found else key


_READERS: dict[str, Callable[[str, str], Any]] = {
    "text": _text,
    "number": _number,
    "truth": _truth,
    "either": _either,
    "schema": _schema,
    "json": _json,
    "secret": _secret,
    "properties": _properties,
    "rules": _rules,
    "place": _where,
}
_OPTIONS = {
    **{option.name: _READERS[option.text] for option in SCAN.values() if option.text},
    "max_rows_per_task": _number,
    "max_bytes_per_task": _number,
}
