"""Bodies of messages of Protobuf and JSON, made of what a test has: generated messages, and what JSON takes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, TypeAlias, get_args

from .._errors import ConfigError
from .._options import checks
from .._options.protobuf import varint
from .._options.secrets import kind

SchemaType: TypeAlias = Literal["AVRO", "PROTOBUF", "JSON"]


def schema_type_of(schema: object, given: object) -> str:
    """What a schema is of: what is said, or what it shows by itself."""
    if given is None:
        return "PROTOBUF" if hasattr(schema, "DESCRIPTOR") else "AVRO"
    return checks.choice("schema_type", given, get_args(SchemaType))


def json_bodies(records: Iterable[object]) -> Iterator[bytes | None]:
    """Records as JSON; None is a tombstone."""
    for index, record in enumerate(records):
        yield None if record is None else _json(index, record)


def _json(index: int, record: object) -> bytes:
    try:
        return json.dumps(record, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(f"record {index} cannot be written as JSON: {error}") from error


def protobuf_bodies(schema: object, records: Iterable[object]) -> Iterator[bytes | None]:
    """Messages, each after the message indexes of its type; None is a tombstone."""
    for index, record in enumerate(records):
        if record is None:
            yield None
            continue
        message: Any = record
        if isinstance(record, Mapping):
            if not callable(schema):
                raise ConfigError(
                    f"record {index} is a dict, which only a generated class as the schema makes a message of: "
                    "give the class as the schema, or a message of it as the record"
                )
            message_type = getattr(schema, "__name__", kind(schema))
            try:
                message = schema(**record)
            except (TypeError, ValueError) as error:
                raise ConfigError(f"record {index} does not fit {message_type}: {error}") from error
        if not hasattr(message, "SerializeToString"):
            raise TypeError(
                f"record {index} must be a message of a generated class or a dict, not {kind(record)}; "
                "produce_raw() writes bytes"
            )
        yield _indexes(message.DESCRIPTOR) + message.SerializeToString()


def _indexes(descriptor: Any) -> bytes:
    """Where the type stands in its file, as Confluent's serializers write it: the file's first type is a zero byte."""
    path: list[int] = []
    while descriptor.containing_type is not None:
        names = [nested.name for nested in descriptor.containing_type.nested_types]
        path.insert(0, names.index(descriptor.name))
        descriptor = descriptor.containing_type
    path.insert(0, list(descriptor.file.message_types_by_name).index(descriptor.name))
    if path == [0]:
        return b"\0"
    return b"".join(varint(number << 1) for number in (len(path), *path))  # the numbers are zigzag-coded
