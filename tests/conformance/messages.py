"""Random Protobuf schemas, bodies of them, and their values as Google's libraries have them.

A value is told as in Messages.java, with the names of enums instead of their numbers: a null where a number has none.
"""

from __future__ import annotations

import math
import random
import struct
from typing import TYPE_CHECKING, Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

if TYPE_CHECKING:
    from collections.abc import Callable

Field = descriptor_pb2.FieldDescriptorProto
SCALARS = [
    *(Field.TYPE_DOUBLE, Field.TYPE_FLOAT, Field.TYPE_INT64, Field.TYPE_UINT64, Field.TYPE_INT32, Field.TYPE_FIXED64),
    *(Field.TYPE_FIXED32, Field.TYPE_BOOL, Field.TYPE_STRING, Field.TYPE_BYTES, Field.TYPE_UINT32),
    *(Field.TYPE_SFIXED32, Field.TYPE_SFIXED64, Field.TYPE_SINT32, Field.TYPE_SINT64),
]
KEYS = [Field.TYPE_STRING, Field.TYPE_SINT64, Field.TYPE_BOOL, Field.TYPE_UINT32, Field.TYPE_FIXED64]
NUMBERS = [0, 1, 2, 127, 128, 2**31, 2**32 - 1, 2**63, 2**64 - 1]
NAMES = {0: "A", -7: "B", 1: "C"}
_FIXED32 = {Field.TYPE_FLOAT, Field.TYPE_FIXED32, Field.TYPE_SFIXED32}
_FIXED64 = {Field.TYPE_DOUBLE, Field.TYPE_FIXED64, Field.TYPE_SFIXED64}
_LENGTH = {Field.TYPE_STRING, Field.TYPE_BYTES, Field.TYPE_MESSAGE}
VARINT, FIXED64, LENGTH, START, END, FIXED32 = range(6)


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def tag(number: int, wire: int) -> bytes:
    return varint(number << 3 | wire)


def wire_of(kind: int) -> int:
    if kind in _FIXED32:
        return FIXED32
    if kind in _FIXED64:
        return FIXED64
    return LENGTH if kind in _LENGTH else START if kind == Field.TYPE_GROUP else VARINT


class Maker:
    """Makes a schema of its seed, and bodies of it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.types = 0
        self.proto3 = seed % 2 == 0
        self.file = descriptor_pb2.FileDescriptorProto(name=f"random{seed}.proto", package="t")
        if self.proto3:
            self.file.syntax = "proto3"
        names = self.file.enum_type.add(name="E")
        for number, name in NAMES.items():
            names.value.add(name=name, number=number)
        self._message(self.file.message_type.add(name="T"), ".t.T", 0)
        pool = descriptor_pool.DescriptorPool()
        pool.Add(self.file)
        self.descriptor = pool.FindMessageTypeByName("t.T")
        self.type: Any = message_factory.GetMessageClass(self.descriptor)

    def _message(self, into: Any, full: str, depth: int) -> None:
        number = 0
        for at in range(self.random.randint(1, 8)):
            number += 1 + self.random.randrange(3) * self.random.randrange(8) * self.random.randrange(300)
            field = into.field.add(name=f"f{at}", number=number, label=Field.LABEL_OPTIONAL)
            self._type(field, into, full, depth)
            choice = self.random.randrange(5)
            if choice < 2:
                field.label = Field.LABEL_REPEATED
            elif choice == 2 and field.type != Field.TYPE_GROUP:
                self._map(field, into, full)
        alone = [field for field in into.field if field.label == Field.LABEL_OPTIONAL]
        if alone and self.random.random() < 0.5:
            into.oneof_decl.add(name="o")
            for field in alone[: self.random.randint(1, 3)]:
                field.oneof_index = 0
        for field in alone:
            if self.proto3 and not field.HasField("oneof_index") and self.random.random() < 0.3:
                field.proto3_optional = True
                field.oneof_index = len(into.oneof_decl)
                into.oneof_decl.add(name=f"_{field.name}")

    def _map(self, field: Any, into: Any, full: str) -> None:
        entry = into.nested_type.add(name=f"{field.name.upper()}Entry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, label=Field.LABEL_OPTIONAL, type=self.random.choice(KEYS))
        value = entry.field.add(name="value", number=2, label=Field.LABEL_OPTIONAL, type=field.type)
        if field.HasField("type_name"):
            value.type_name = field.type_name
        field.label, field.type, field.type_name = Field.LABEL_REPEATED, Field.TYPE_MESSAGE, f"{full}.{entry.name}"

    def _type(self, field: Any, into: Any, full: str, depth: int) -> None:
        if depth < 3 and self.random.randrange(3) == 0:
            self.types += 1
            name = f"M{self.types}"
            self._message(into.nested_type.add(name=name), f"{full}.{name}", depth + 1)
            field.type, field.type_name = Field.TYPE_MESSAGE, f"{full}.{name}"
            if not self.proto3 and self.random.randrange(3) == 0:
                field.type, field.name = Field.TYPE_GROUP, name.lower()
        elif self.random.randrange(6) == 0:
            field.type, field.type_name = Field.TYPE_ENUM, ".t.E"
        else:
            field.type = self.random.choice(SCALARS)

    def body(self, of: Any = None, depth: int = 0) -> bytes:
        """A message whose fields come in any order and any number, with unknown ones between them."""
        of = of or self.descriptor
        out = b""
        for _ in range(self.random.randrange(2 + 2 * len(of.fields))):
            field = self.random.choice(of.fields)
            wire = wire_of(field.type)
            if self.random.randrange(12) == 0:
                # upb drops an entry with an unknown field, as it does one whose enum has an unknown number.
                out += b"" if of.GetOptions().map_entry else self._unknown(of, depth)
            elif field.is_repeated and wire not in (LENGTH, START) and self.random.random() < 0.5:
                values = b"".join(self._value(field, depth) for _ in range(self.random.randrange(5)))
                out += tag(field.number, LENGTH) + varint(len(values)) + values
            else:
                out += tag(field.number, wire) + self._value(field, depth)
        return out

    def _value(self, field: Any, depth: int) -> bytes:
        number = self.random.choice([*NUMBERS, self.random.getrandbits(64) >> self.random.randrange(64)])
        match wire_of(field.type):
            case 5:
                return struct.pack("<I", number & 0xFFFFFFFF)
            case 1:
                return struct.pack("<Q", number)
            case 3:
                return self.body(field.message_type, depth + 1) + tag(field.number, END)
            case 2:
                text = "aé".encode() * self.random.randrange(9)
                inner = text if field.type != Field.TYPE_MESSAGE else self.body(field.message_type, depth + 1)
                return varint(len(inner)) + inner
        in_map = field.containing_type.GetOptions().map_entry
        if field.type == Field.TYPE_ENUM and (in_map or self.random.random() < 0.8):
            number = self.random.choice(list(NAMES)) % 2**64
        return varint(number)

    def _unknown(self, of: Any, depth: int) -> bytes:
        """A field that the message does not have, or one of another wire type."""
        number = self.random.randint(1, 3000)
        wire = self.random.choice([VARINT, FIXED64, LENGTH, START, FIXED32])
        if self.random.random() < 0.5:
            field = self.random.choice(of.fields)
            number = field.number
            wire = FIXED64 if wire_of(field.type) != FIXED64 else FIXED32
        elif number in of.fields_by_number:
            return b""
        contents = {VARINT: varint(self.random.getrandbits(64)), FIXED64: bytes(8), FIXED32: bytes(4), LENGTH: b"\x01x"}
        if wire != START:
            return tag(number, wire) + contents[wire]
        return tag(number, START) + (self._unknown(of, depth + 1) if depth < 5 else b"") + tag(number, END)

    def damaged(self, body: bytes) -> bytes:
        """The body with a few bytes changed, or cut off."""
        changed = bytearray(body)
        for _ in range(self.random.randint(1, 3)):
            changed[self.random.randrange(len(changed))] = self.random.randrange(256)
        return bytes(changed[: self.random.randint(0, len(body))] if self.random.random() < 0.3 else changed)


def floats(value: float, form: str) -> int:
    """The bits of a number; all that are no number are one."""
    return int.from_bytes(struct.pack(f">{form}", math.nan if math.isnan(value) else value), "big")


def upbs(message: Any) -> dict[str, Any]:
    """The value of a message of Google's Python."""
    return {field.name: _upb_field(message, field) for field in message.DESCRIPTOR.fields}


def _upb_field(message: Any, field: Any) -> Any:
    if field.has_presence and not message.HasField(field.name):
        return None
    value = getattr(message, field.name)
    if not field.is_repeated:
        return _scalar(field, value, upbs)
    if field.message_type is None or not field.message_type.GetOptions().map_entry:
        return [_scalar(field, item, upbs) for item in value]
    of = field.message_type.fields_by_name
    return _sorted([[key, _scalar(of["value"], value[key], upbs)] for key in value])


def _sorted(entries: list[list[Any]]) -> list[list[Any]]:
    return sorted(entries, key=lambda entry: entry[0])


def _scalar(field: Any, value: Any, of_message: Any) -> Any:
    if field.type in (Field.TYPE_MESSAGE, Field.TYPE_GROUP):
        return of_message(value)
    if field.type == Field.TYPE_ENUM:
        return NAMES.get(value)
    if field.type == Field.TYPE_BYTES:
        return value.hex()
    if field.type in (Field.TYPE_FLOAT, Field.TYPE_DOUBLE):
        return floats(value, "f" if field.type == Field.TYPE_FLOAT else "d")
    return value


def ours(descriptor: Any, row: dict[str, Any]) -> dict[str, Any]:
    """The value of a row, as `to_pylist` has it."""
    return {field.name: _field(field, row[field.name], _our_scalar) for field in descriptor.fields}


def _field(field: Any, value: Any, scalar: Callable[[Any, Any], Any]) -> Any:
    """The value of a field whose scalars become those that are compared."""
    if value is None:
        return None
    if not field.is_repeated:
        return scalar(field, value)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        of = field.message_type.fields_by_name["value"]
        return _sorted([[key, scalar(of, item)] for key, item in value])
    return [scalar(field, item) for item in value]


def _our_scalar(field: Any, value: Any) -> Any:
    if field.type == Field.TYPE_ENUM:
        return value
    return _scalar(field, value, lambda inner: ours(field.message_type, inner))


def javas(descriptor: Any, value: Any) -> dict[str, Any]:
    """The value that Messages.java tells."""
    return {field.name: _field(field, value[field.name], _java_scalar) for field in descriptor.fields}


def _java_scalar(field: Any, value: Any) -> Any:
    if field.type in (Field.TYPE_MESSAGE, Field.TYPE_GROUP):
        return javas(field.message_type, value)
    return NAMES.get(value) if field.type == Field.TYPE_ENUM else value
