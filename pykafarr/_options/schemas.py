"""Schemas as callers give them: of Avro, as JSON text or what json.loads() makes of it; those of Protobuf and Arrow
have modules of their own."""

from __future__ import annotations

import json
import operator
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from .._errors import ConfigError, SchemaError
from . import arrow_schemas, json_schemas, protobuf
from .checks import is_integer
from .secrets import kind

# An Avro schema as JSON text, or as what json.loads() makes of it; one of Protobuf; a JSON Schema; an Arrow
# schema for JSON.
Schema: TypeAlias = "str | Mapping[str, Any] | list[Any] | arrow_schemas.ArrowSchema | protobuf.ProtobufSchema"
# What messages that name no schema of a registry were written with: one schema, several, or one by topic.
# And what a listener reads as: one schema, several, or one by message type.
GivenSchemas: TypeAlias = "Schema | tuple[Schema, ...] | list[Schema] | Mapping[str, Schema]"
ReaderSchemas: TypeAlias = "Schema | tuple[Schema, ...] | list[Schema] | Mapping[str, Schema]"


# What a scan takes as its reader_schema: each topic's newest schema.
LATEST = "latest"


def schema_text(schema: object, name: str = "schema", value: object = "avro") -> str:
    """A schema as text: an Arrow schema, where the values are JSON, else one of Avro."""
    if value == "json":
        return arrow_schemas.schema_text(schema, name)
    if value == "protobuf":
        return protobuf.schema_of(schema, name)[0]
    if schema == LATEST:
        raise ConfigError(
            f'{name}: only a scan knows "{LATEST}", and only as reader_schema="{LATEST}", not within a list or dict. '
            "Give the schema itself here: a registry gives the newest at /subjects/<topic>-value/versions/latest"
        )
    if isinstance(schema, str):
        return schema
    if isinstance(schema, (dict, list)):
        try:
            return json.dumps(schema, default=_number)
        except TypeError as error:  # such as bytes, which JSON does not have
            raise TypeError(f"{name} cannot be written as JSON: {error}") from error
        except (ValueError, RecursionError) as error:  # such as a default of NaN, or a circle
            raise SchemaError(f"{name} cannot be written as JSON: {error}") from error
    raise TypeError(f"{name} must be a str, dict or list, not {kind(schema)}")


def schema_of(schema: object, name: str, value: object) -> tuple[str, str]:
    """A schema as text, and the message type that it names; "": none."""
    return protobuf.schema_of(schema, name) if value == "protobuf" else (schema_text(schema, name, value), "")


def decoder_schema(schema: object, value: object, framing: object) -> tuple[str, str]:
    """That of a decoder, where None stands for the schema that the first of Connect's envelopes brings."""
    return ("", "") if schema is None and framing == "connect" else schema_of(schema, "schema", value)


def _number(value: object) -> int:
    """A number of a type that JSON does not know, such as a precision of numpy's."""
    if not is_integer(value):
        raise TypeError(f"Object of type {kind(value)} is not JSON serializable")
    return operator.index(value)


def _is_schema(given: object, value: object) -> bool:
    """Whether what is given is one schema, and not several."""
    if value == "json":
        return arrow_schemas.is_schema(given)
    if value == "protobuf":
        return protobuf.is_schema(given)
    if value == "jsonschema":
        return json_schemas.is_schema(given)
    return isinstance(given, str) or (isinstance(given, Mapping) and "type" in given)


def reader_schemas(given: object, value: object = "avro") -> list[str]:
    """The schemas that a listener reads as, each as text.

    A dict with "type" in it is an Avro schema, any other dict has message types as keys; a list or tuple is several.
    """
    name = "reader_schema"
    if given is None:
        return []
    if _is_schema(given, value):
        return [schema_text(given, name, value)]
    if isinstance(given, Mapping):
        return [_of_type(f"{name}[{key!r}]", key, schema, value) for key, schema in given.items()]
    if isinstance(given, (list, tuple)):
        return [schema_text(schema, f"{name}[{index}]", value) for index, schema in enumerate(given)]
    raise TypeError(f"{name} must be a schema, a list of schemas or a dict, not {kind(given)}")


def scan_reader_schemas(given: object, value: object = "avro") -> tuple[bool, list[str]]:
    """Whether a scan reads as each topic's newest schema, and the schemas that it reads as otherwise."""
    latest = isinstance(given, str) and given == LATEST
    return (True, []) if latest else (False, reader_schemas(given, value))


def given_schemas(given: object, value: object = "avro", name: str = "schema") -> list[tuple[str, str, str]]:
    """The schemas that messages do not carry, each as (topic, text, message type).

    The topic is "" for all topics, and the message type "" for the one that the schema has. A dict with "type" in it is
    an Avro schema, and one of types an Arrow schema. Any other dict has topics as keys; a list or tuple is several.
    """
    if given is None:
        return []
    if _is_schema(given, value):
        return [("", *schema_of(given, name, value))]
    if isinstance(given, Mapping):
        return [(str(topic), *schema_of(schema, f"{name}[{topic!r}]", value)) for topic, schema in given.items()]
    if isinstance(given, (list, tuple)):
        return [("", *schema_of(schema, f"{name}[{index}]", value)) for index, schema in enumerate(given)]
    raise TypeError(f"{name} must be a schema, a list of schemas or a dict, not {kind(given)}")


def _of_type(name: str, message_type: object, schema: object, value: object) -> str:
    """The text of a schema that is given for a message type. The library compares the schema's own names."""
    if not isinstance(message_type, str):
        raise TypeError(f"reader_schema must have keys of type str, not {kind(message_type)}")
    text = schema_text(schema, name, value)
    if value != "avro":
        return text
    try:
        names = _names(json.loads(text))
    except ValueError as error:
        raise SchemaError(f"{name} is not JSON: {error}") from error
    if message_type not in names:
        known = " and ".join(map(repr, names))
        raise ConfigError(f"{name} has the name {known}: give it {message_type!r} as its name or as an alias")
    return text


def _names(schema: Any) -> list[str]:
    """The message types that a schema reads: its full name and its aliases."""
    if isinstance(schema, list):
        return _names(schema[0]) if len(schema) == 1 else ["union"]
    if not isinstance(schema, dict):
        return [str(schema)]
    kind, name = schema.get("type"), schema.get("name")
    if isinstance(kind, (dict, list)):
        return _names(kind)
    if not isinstance(name, str):
        return [str(kind)]
    namespace = schema.get("namespace")
    if "." in name:
        namespace, _, name = name.rpartition(".")
    prefix = f"{namespace}." if isinstance(namespace, str) and namespace else ""
    aliases = schema.get("aliases")
    found = [name, *(aliases if isinstance(aliases, Iterable) and not isinstance(aliases, str) else [])]
    return [alias if "." in alias else prefix + alias for alias in found if isinstance(alias, str)]
