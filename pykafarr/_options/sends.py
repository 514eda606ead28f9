"""What a send is told: the schema, the keys, headers."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict, get_args

from .._errors import ConfigError
from . import checks, json_schemas, protobuf
from .schemas import Schema, schema_text
from .secrets import kind

if TYPE_CHECKING:
    from .checks import Property
    from .tokens import TokenSource

Subject: TypeAlias = Literal["topic", "record", "topic_record"]
SendFraming: TypeAlias = Literal["confluent", "schema_header", "bare"]
Extra: TypeAlias = Literal["ignore", "error"]
Missing: TypeAlias = Literal["error", "default"]
KeyFormat: TypeAlias = Literal["bytes", "string", "avro", "jsonschema", "protobuf"]
SendValue: TypeAlias = Literal["avro", "jsonschema", "protobuf", "json"]
Partitioner: TypeAlias = Literal[
    "consistent_random", "consistent", "murmur2", "murmur2_random", "fnv1a", "fnv1a_random", "random"
]
# A schema to write with: the text, dict or list of an Avro schema, a file, a registered id, "latest", "derive", or a
# dict {"subject": …, "version": …}, {"derive": True, "enums": {…}} or {"schema": …, "references": [{…}]}.
SendSchema: TypeAlias = "Schema | int | PathLike[str]"
SendKey: TypeAlias = "str | Mapping[str, Any]"
SendHeaders: TypeAlias = "str | Mapping[str, str | bytes | None]"


class WriteOptions(TypedDict, total=False):
    """The keyword options of `producer()`, and those of its `send()`, for functions that pass them on."""

    config: Mapping[str, Property] | None
    registry_config: Mapping[str, Property] | None
    oauth_token: TokenSource | None
    limits: Mapping[str, int] | None
    memory_limit: int | None
    transactional_id: str | None
    message_type: str | None
    value: SendValue | None
    schema: SendSchema | None
    register: bool
    subject: Subject
    framing: SendFraming
    key: SendKey | None
    partition: str | None
    timestamp: str | None
    headers: SendHeaders | None
    tombstone: str | None
    partitioner: str | None
    extra: Extra
    missing: Missing


LATEST, DERIVE = "latest", "derive"
_LATEST_VERSION = -1
# How names of files with schemas end. Full names of types, which a schema may be, do not.
_FILES = (".avsc", ".json", ".proto")


def send_value(value: object) -> str | None:
    """What the values are; None: what their schema is of."""
    return None if value is None else checks.choice("value", value, get_args(SendValue))


def send_schema(
    schema: object, register: object, subject: object, value: object = None, *, name: str = "schema"
) -> dict[str, Any]:
    """The schema choice as the library takes it."""
    found = _schema(name, schema, value)
    found["register"] = checks.truth("register", register)
    strategy = checks.choice("subject", subject, get_args(Subject))
    if found["register"] and "text" not in found and "derive" not in found:
        raise ConfigError(f"register=True is for a {name} that is given as a text or a file, or derived")
    return {**found, "strategy": strategy}


def _schema(name: str, value: object, form: object) -> dict[str, Any]:
    if value is None:
        return {}
    if value == LATEST:
        return {"version": _LATEST_VERSION}
    if value == DERIVE:
        return {"derive": True}
    if isinstance(value, PathLike):
        return {"text": _file(name, Path(value), form)}
    if checks.is_integer(value):
        return {"id": checks.integer(name, value, 1, checks.MAX_MESSAGES)}
    if form == "protobuf" and protobuf.is_schema(value):
        found, message = protobuf.schema_of(value, name)
        return {"text": found, "message_type": message} if message else {"text": found}
    if isinstance(value, Mapping) and _is_choice(value, form):
        return _choice(name, value, form)
    if isinstance(value, str) and value.lstrip()[:1] not in ("{", "[", '"') and value.strip().endswith(_FILES):
        raise ConfigError(f"{name}: {value!r} is the name of a file, and no schema: give pathlib.Path({value!r})")
    return {"text": schema_text(value, name, "avro" if form is None else form)}


def _is_choice(value: Mapping[Any, Any], form: object) -> bool:
    """Whether a dict says which schema, instead of being one."""
    if form == "json":
        return value.get("derive") is True or isinstance(value.get("schema"), Mapping)
    return not json_schemas.is_schema(value) if form == "jsonschema" else "type" not in value


def _choice(name: str, value: Mapping[Any, Any], form: object) -> dict[str, Any]:
    """A dict that says which schema, instead of being one."""
    known = ("subject", "version", "derive", "enums", "schema", "references")
    if unknown := [key for key in value if key not in known]:
        raise ConfigError(
            f'unknown key of {name}: {unknown[0]!r}: a schema has "type", and a choice has some of {", ".join(known)}'
        )
    found: dict[str, Any] = {}
    if "schema" in value:
        found.update(_schema(f"{name}['schema']", value["schema"], form))
    if "subject" in value:
        found["subject"] = checks.text(f"{name}['subject']", value["subject"])
    version = value.get("version")
    if version == LATEST:
        found["version"] = _LATEST_VERSION
    elif version is not None:
        found["version"] = checks.integer(f"{name}['version']", version, 1, checks.MAX_MESSAGES)
    if value.get("derive"):
        found["derive"] = True
    if enums := value.get("enums"):
        if not isinstance(enums, Mapping):
            raise TypeError(f"{name}['enums'] must be a dict of columns and their symbols, not {kind(enums)}")
        found["enums"] = {str(path): checks.texts(f"{name}['enums'][{path!r}]", items) for path, items in enums.items()}
    if "references" in value:
        found["references"] = [_reference(name, one) for one in value["references"]]
    return found


def _reference(name: str, value: object) -> dict[str, Any]:
    place = f"{name}['references']"
    if not isinstance(value, Mapping) or set(value) != {"name", "subject", "version"}:
        raise ConfigError(f'{place} must be dicts of "name", "subject" and "version"')
    return {
        "name": checks.text(f"{place}: name", value["name"]),
        "subject": checks.text(f"{place}: subject", value["subject"]),
        "version": checks.integer(f"{place}: version", value["version"], 1, checks.MAX_MESSAGES),
    }


def _file(name: str, path: Path, form: object) -> str:
    try:
        if form == "protobuf":
            return protobuf.file_text(path.read_bytes())
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{name}: file {str(path)!r} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name}: file {str(path)!r} is not UTF-8") from error


def send_key(value: object, subject: object = "topic") -> dict[str, Any] | None:
    """The key choice as the library takes it."""
    if value is None:
        return None
    if isinstance(value, str):
        return {"column": checks.text("key", value)}
    if not isinstance(value, Mapping):
        raise TypeError(f"key must be a column's name or a dict, not {kind(value)}")
    if unknown := [name for name in value if name not in ("column", "format", "schema", "register")]:
        raise ConfigError(f"unknown key of key: {unknown[0]!r}: there are 'column', 'format', 'schema', 'register'")
    found: dict[str, Any] = {}
    if "column" in value:
        found["column"] = checks.text("key['column']", value["column"])
    if "format" in value:
        found["format"] = checks.choice("key['format']", value["format"], get_args(KeyFormat))
    if "schema" in value or "register" in value:
        register = value.get("register", False)
        found["key_schema"] = send_schema(
            value.get("schema"), register, subject, value.get("format"), name="key['schema']"
        )
    return found


def send_headers(value: object) -> tuple[str | None, list[tuple[str, str | None]] | None]:
    """The column of headers, and headers that are the same for each row, in base64."""
    if value is None:
        return None, None
    if isinstance(value, str):
        return checks.text("headers", value), None
    if not isinstance(value, (Mapping, Sequence)) or isinstance(value, bytes):
        raise TypeError(f"headers must be a column's name or a dict, not {kind(value)}")
    pairs = value.items() if isinstance(value, Mapping) else value
    return None, [_header(name, content) for name, content in pairs]


def _header(name: object, value: object) -> tuple[str, str | None]:
    if not isinstance(name, str):
        raise TypeError(f"headers must have names of type str, not {kind(name)}")
    if value is not None and not isinstance(value, (str, bytes)):
        raise TypeError(f"headers[{name!r}] must be a str, bytes or None, not {kind(value)}")
    content = value.encode() if isinstance(value, str) else value
    return base64.b64encode(name.encode()).decode(), None if content is None else base64.b64encode(content).decode()


def message_type(value: object) -> str:
    """A full name; none is the empty text."""
    return "" if value is None else checks.text("message_type", value)


def column(name: str, value: object) -> str | None:
    """A column's name; None: that of the listener's, if it is there."""
    return None if value is None else checks.text(name, value)
