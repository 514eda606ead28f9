"""The workloads of `consume` as Protobuf and as JSON, written by other libraries than the ones measured."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pyarrow as pa
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

if TYPE_CHECKING:
    from bench.consume.workloads import Workload

_Field = descriptor_pb2.FieldDescriptorProto
_KINDS = {
    "boolean": _Field.TYPE_BOOL,
    "int": _Field.TYPE_SINT32,
    "long": _Field.TYPE_SINT64,
    "float": _Field.TYPE_FLOAT,
    "double": _Field.TYPE_DOUBLE,
    "string": _Field.TYPE_STRING,
    "bytes": _Field.TYPE_BYTES,
    "fixed": _Field.TYPE_BYTES,
}
_COLUMNS = {
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
}


def message_class(workload: Workload) -> Any:
    """The generated class of a workload's rows: times are Timestamps, decimals texts."""
    file = descriptor_pb2.FileDescriptorProto(name=f"bench/{workload.name}.proto", package="bench", syntax="proto3")
    file.dependency.append("google/protobuf/timestamp.proto")
    message = file.message_type.add(name=workload.name.title())
    for number, (name, kind, _) in enumerate(workload.fields, 1):
        _add(file, message, name, number, kind)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"bench.{message.name}"))


def protobuf_bodies(of: Any, records: list[dict[str, Any]]) -> list[bytes]:
    """The rows as Protobuf."""
    return [of(**_protobuf(record)).SerializeToString() for record in records]


def json_bodies(records: list[dict[str, Any]]) -> list[bytes]:
    """The rows as JSON: times are milliseconds, bytes in hexadecimal, decimals and uuids texts."""
    return [json.dumps(record, default=_json, separators=(",", ":"), ensure_ascii=False).encode() for record in records]


def json_schema(workload: Workload) -> pa.Schema:
    """The columns of those: a map is a struct, as all its keys are known and not all libraries have maps."""
    return pa.schema([(name, _column(kind)) for name, kind, _ in workload.fields])


def json_schema_text(workload: Workload) -> str:
    """A JSON Schema of those, draft 7."""
    properties = {name: _json_type(kind) for name, kind, _ in workload.fields}
    return json.dumps(
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": workload.name.title(),
            "type": "object",
            "properties": properties,
            "required": [name for name, kind, _ in workload.fields if not isinstance(kind, list)],
        }
    )


def _json_type(kind: Any) -> dict[str, Any]:
    if isinstance(kind, list):
        return {"oneOf": [{"type": "null"}, _json_type(kind[1])]}
    shape = kind["type"] if isinstance(kind, dict) else kind
    if shape == "array":
        return {"type": "array", "items": _json_type(kind["items"])}
    if shape == "map":
        return {"type": "object", "additionalProperties": _json_type(kind["values"])}
    if shape == "record":
        return {"type": "object", "properties": {part["name"]: _json_type(part["type"]) for part in kind["fields"]}}
    if shape in {"int", "long"}:
        return {"type": "integer"}
    return {"type": {"float": "number", "double": "number", "boolean": "boolean"}.get(shape, "string")}


def _add(file: Any, message: Any, name: str, number: int, kind: Any) -> None:
    field = message.field.add(name=name, number=number, label=_Field.LABEL_OPTIONAL)
    if isinstance(kind, list):
        kind = kind[1]
        if not (isinstance(kind, dict) and "timestamp" in kind.get("logicalType", "")):
            field.proto3_optional, field.oneof_index = True, len(message.oneof_decl)
            message.oneof_decl.add(name=f"_{name}")
    logical = kind.get("logicalType", "") if isinstance(kind, dict) else ""
    shape = kind["type"] if isinstance(kind, dict) else kind
    if "timestamp" in logical:
        field.type, field.type_name = _Field.TYPE_MESSAGE, ".google.protobuf.Timestamp"
    elif logical == "decimal":
        field.type = _Field.TYPE_STRING
    elif shape == "enum":
        field.type, field.type_name = _Field.TYPE_ENUM, f".bench.{kind['name']}"
        names = file.enum_type.add(name=kind["name"])
        for at, symbol in enumerate(kind["symbols"]):
            names.value.add(name=symbol, number=at)
    elif shape == "array":
        field.type, field.label = _KINDS[kind["items"]], _Field.LABEL_REPEATED
    elif shape == "map":
        entry = message.nested_type.add(name=f"{name.title()}Entry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, type=_Field.TYPE_STRING, label=_Field.LABEL_OPTIONAL)
        entry.field.add(name="value", number=2, type=_KINDS[kind["values"]], label=_Field.LABEL_OPTIONAL)
        field.type, field.label = _Field.TYPE_MESSAGE, _Field.LABEL_REPEATED
        field.type_name = f".bench.{message.name}.{entry.name}"
    elif shape == "record":
        inner = file.message_type.add(name=kind["name"])
        for at, part in enumerate(kind["fields"], 1):
            _add(file, inner, part["name"], at, part["type"])
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".bench.{kind['name']}"
    else:
        field.type = _KINDS[shape]


def _protobuf(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _protobuf(item) for name, item in value.items() if item is not None}
    return str(value) if isinstance(value, (Decimal, UUID)) else value


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000)
    return value.hex() if isinstance(value, bytes) else str(value)


def _column(kind: Any) -> pa.DataType:
    if isinstance(kind, list):
        kind = kind[1]
    if isinstance(kind, str):
        return _COLUMNS.get(kind, pa.string())
    if "timestamp" in kind.get("logicalType", ""):
        return pa.int64()
    if kind["type"] == "array":
        return pa.list_(_column(kind["items"]))
    if kind["type"] == "map":
        return pa.struct([(key, _column(kind["values"])) for key in ("host", "zone", "unit")])
    if kind["type"] == "record":
        return pa.struct([(part["name"], _column(part["type"])) for part in kind["fields"]])
    return pa.string()
