"""Schemas of Protobuf as callers give them: .proto text, the bytes of descriptors, or a generated class."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias, TypeGuard

from .checks import text
from .secrets import kind


class Described(Protocol):
    """A class or module that protoc has generated."""

    DESCRIPTOR: Any


# The text of a .proto file, the bytes of a FileDescriptorSet or a FileDescriptorProto, what protoc has generated, or
# {"text": one of these, "message_type": the full name of one of its types}.
ProtobufSchema: TypeAlias = "str | bytes | Described | Mapping[str, Any]"
_NAMED = {"text", "message_type"}
# The folders of the files that registries and clients have themselves.
_BUILT_IN = ("google/protobuf/", "google/type/", "confluent/")


def is_schema(value: object) -> bool:
    """Whether it is one, and not several."""
    return isinstance(value, (str, bytes)) or hasattr(value, "DESCRIPTOR") or _is_named(value)


def _is_named(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping) and value.keys() == _NAMED


def schema_of(schema: object, name: str) -> tuple[str, str]:
    """The text of a schema, which is .proto text or descriptors as base64, and the message type; "": it names none."""
    if _is_named(schema):
        return schema_of(schema["text"], name)[0], text(f"{name}['message_type']", schema["message_type"])
    if isinstance(schema, str):
        return text(name, schema), ""
    if isinstance(schema, bytes):
        return base64.b64encode(schema).decode(), ""
    descriptor, file = _described(schema)
    if not hasattr(file, "serialized_pb"):
        raise TypeError(f"{name} must be .proto text, bytes of descriptors or a generated class, not {kind(schema)}")
    message_type = "" if file is descriptor else str(getattr(descriptor, "full_name", ""))
    return base64.b64encode(_file_set(file)).decode(), message_type


def _described(schema: object) -> tuple[Any, Any]:
    """What a generated class or module describes, and the file that it is in: for a module, the file itself."""
    descriptor = getattr(schema, "DESCRIPTOR", None)
    return descriptor, getattr(descriptor, "file", descriptor)


def registered_text(schema: object) -> str:
    """The text that a registry has of a schema: of a generated class, as Confluent's serializers register it.

    That is the descriptor of the class's file alone, in base64, whose imports are references. Of a file that imports
    what registries and clients do not know by themselves, it is a FileDescriptorSet, which holds them.
    """
    _, file = _described(schema)
    if hasattr(file, "serialized_pb") and all(one.name.startswith(_BUILT_IN) for one in file.dependencies):
        return base64.b64encode(file.serialized_pb).decode()
    return schema_of(schema, "schema")[0]


def file_text(content: bytes) -> str:
    """The content of a file: the text of a .proto file, or descriptors as base64."""
    # The first field of a FileDescriptorSet or FileDescriptorProto has the tag 0x0a, which is a new line in a text.
    # Its length or the version of its syntax, or a tag of a field after it, is a control character, which no text has.
    controls = set(content) & {*range(9), 0x0B, *range(0x0E, 0x20), 0x7F}
    try:
        return base64.b64encode(content).decode() if controls else content.decode()
    except UnicodeDecodeError:
        return base64.b64encode(content).decode()


def plain(given: object) -> object:
    """The same without classes, for pickles: they are read where the classes may not be."""
    if isinstance(given, Mapping):
        return {key: plain(value) for key, value in given.items()}
    if isinstance(given, (list, tuple)):
        return [plain(value) for value in given]
    if not hasattr(given, "DESCRIPTOR"):
        return given
    found, message_type = schema_of(given, "schema")
    return {"text": found, "message_type": message_type} if message_type else found


def _file_set(file: Any) -> bytes:
    """A FileDescriptorSet of a file and what it imports, each after its own imports."""
    files: dict[str, bytes] = {}

    def add(one: Any) -> None:
        if one.name not in files:
            for imported in one.dependencies:
                add(imported)
            files[one.name] = one.serialized_pb

    add(file)
    return b"".join(b"\x0a" + varint(len(content)) + content for content in files.values())


def varint(number: int) -> bytes:
    """A number as Protobuf writes it."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)
