"""Topics of Protobuf, JSON Schema and JSON on an embedded broker, with rows of two versions of a schema."""

from __future__ import annotations

import json
import struct
import urllib.request
from typing import TYPE_CHECKING, Any

import pykafarr
from tests.engines import orders

if TYPE_CHECKING:
    import pyarrow as pa

    from pykafarr.testing import MockKafka

PROTO = """syntax = "proto3";
import "google/protobuf/duration.proto";
import "google/protobuf/timestamp.proto";
message Order {
  uint64 id = 1;
  string name = 2;
  State state = 3;
  map<uint32, string> items = 4;
  google.protobuf.Timestamp paid = 5;
  google.protobuf.Duration took = 6;
  Place to = 7;
  repeated string tags = 8;
  %s
}
message Place { string city = 1; }
enum State { NEW = 0; PAID = 1; }
"""
MEMBERS = {
    "id": {"type": "integer"},
    "name": {"type": "string"},
    "state": {"enum": ["NEW", "PAID"]},
    "items": {"type": "object", "additionalProperties": {"type": "string"}},
    "paid": {"type": "string", "format": "date-time"},
    "to": {"type": "object", "properties": {"city": {"type": "string"}}},
    "tags": {"type": "array", "items": {"type": "string"}},
}
JSON_SCHEMA = {"title": "Order", "type": "object", "properties": MEMBERS, "required": ["id", "name"]}
WORDS = ("protobuf", "jsonschema", "json")
METADATA = ("partition", "offset")
# Rows of each partition, half of each version.
ROWS = 60


def write(kafka: MockKafka, word: str) -> dict[str, Any]:
    """Writes a topic of a format, and gives the arguments of a scan of it."""
    kafka.create_topic(word, partitions=2)
    schemas = {
        "protobuf": ("PROTOBUF", [PROTO % "", PROTO % "optional double amount = 9;"]),
        "jsonschema": ("JSON", [json.dumps(JSON_SCHEMA), json.dumps(_newer())]),
        "json": ("", ["", ""]),
    }
    kind, texts = schemas[word]
    framings = [_register(kafka, word, text, kind) if kind else b"" for text in texts]
    body = _protobuf if kind == "PROTOBUF" else _json
    for partition in range(2):
        for version, framing in enumerate(framings):
            numbers = range(version * ROWS // 2, (version + 1) * ROWS // 2)
            values = [framing + body(partition * 1000 + number, amount=bool(version)) for number in numbers]
            kafka.produce_raw(word, values, partition=partition)
    registry = None if word == "json" else kafka.registry_url
    return {
        "servers": kafka.servers,
        "topics": word,
        "registry_url": registry,
        "value": word,
        "metadata": METADATA,
    }


def read(arguments: dict[str, Any]) -> pa.Table:
    """All rows, as pykafarr itself reads them, sorted by partition and offset."""
    latest = {} if arguments["value"] == "json" else {"reader_schema": "latest"}
    with pykafarr.read(**arguments, **latest) as stream:
        (table,) = stream.to_arrow().values()
    assert table.num_rows == 2 * ROWS
    assert table["amount"].null_count == ROWS
    return orders.in_order(table)


def _newer() -> dict[str, Any]:
    return {**JSON_SCHEMA, "properties": {**MEMBERS, "amount": {"type": "number"}}}


def _register(kafka: MockKafka, topic: str, schema: str, kind: str) -> bytes:
    request = urllib.request.Request(
        f"{kafka.registry_url}/subjects/{topic}-value/versions",
        json.dumps({"schema": schema, "schemaType": kind}).encode(),
    )
    with urllib.request.urlopen(request) as answer:
        framing = struct.pack(">bI", 0, json.load(answer)["id"])
    return framing + b"\0" if kind == "PROTOBUF" else framing  # its first message


def _json(number: int, *, amount: bool) -> bytes:
    row: dict[str, Any] = {
        "id": number,
        "name": f"order {number}",
        "state": ["NEW", "PAID"][number % 2],
        "items": {"1": "a"},
        "paid": f"2026-11-30T12:00:{number % 60:02}.5Z",
        "to": {"city": "London"},
        "tags": ["x"] * (number % 3),
    }
    return json.dumps(row | ({"amount": number / 4} if amount else {})).encode()


def _protobuf(number: int, *, amount: bool) -> bytes:
    def part(field: int, content: bytes) -> bytes:
        return bytes([field << 3 | 2, len(content)]) + content

    body = b"\x08" + _varint(2**63 + number) + part(2, f"order {number}".encode()) + bytes([3 << 3, number % 2])
    body += part(4, b"\x08" + _varint(2**32 - 1) + part(2, b"a")) + part(5, b"\x08" + _varint(1_800_000_000 + number))
    body += part(6, b"\x08" + _varint(number)) + part(7, part(1, b"London")) + part(8, b"x") * (number % 3)
    return body + (b"\x49" + struct.pack("<d", number / 4) if amount else b"")


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])
