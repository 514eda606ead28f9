"""What the messages hold. Each workload has a long `id` and a boolean `flag`, never null: the checksum."""

from __future__ import annotations

import json
import random
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING, Any

import fastavro

if TYPE_CHECKING:
    from collections.abc import Callable

    # A field: its name, its Avro type, and how a value is drawn.
    Field = tuple[str, Any, Callable[[random.Random], Any]]


@dataclass(frozen=True)
class Workload:
    """A record schema, and how values for its fields are drawn."""

    name: str
    messages: int
    fields: list[Field]

    @property
    def schema(self) -> str:
        """The schema's JSON text."""
        fields = [{"name": name, "type": type_} for name, type_, _ in self.fields]
        return json.dumps({"type": "record", "name": self.name.title(), "namespace": "bench", "fields": fields})

    def records(self, count: int) -> list[dict[str, Any]]:
        """The same records in every run."""
        r = random.Random(7)
        return [{name: draw(r) for name, _, draw in self.fields} for _ in range(count)]

    def bodies(self, records: list[dict[str, Any]]) -> list[bytes]:
        """The records as Avro bodies, without framing; written by another implementation than the one measured."""
        parsed = fastavro.parse_schema(json.loads(self.schema))
        out = []
        for record in records:
            buffer = BytesIO()
            fastavro.schemaless_writer(buffer, parsed, record)
            out.append(buffer.getvalue())
        return out


def _flag(r: random.Random) -> bool:
    return r.random() < 0.5


# Numbers of all lengths, as varints go: counters and ids in real topics are seldom 31 or 63 bits long.
def _int(r: random.Random) -> int:
    return r.getrandbits(r.randint(1, 31)) * r.choice((1, -1))


def _long(r: random.Random) -> int:
    return r.getrandbits(r.randint(8, 62)) * r.choice((1, -1))


def _float(r: random.Random) -> float:
    return r.random()


def _string(r: random.Random) -> str:
    return "".join(r.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", k=r.randint(8, 16)))


def _text(r: random.Random) -> str:
    return "Zürich, " + "".join(r.choices("abcdefghijklmnopqrstuvwxyz ", k=r.randint(4, 40)))


def _or_null(draw: Callable[[random.Random], Any], nulls: float = 0.2) -> Callable[[random.Random], Any]:
    return lambda r: None if r.random() < nulls else draw(r)


def _bytes(size: int) -> Callable[[random.Random], bytes]:
    return lambda r: r.randbytes(size)


def _time(r: random.Random) -> datetime:
    return datetime.fromtimestamp(1_700_000_000 + r.randint(0, 10_000_000), timezone.utc)


def _decimal_type(precision: int, scale: int) -> dict[str, Any]:
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}


def _decimal(scale: int) -> Callable[[random.Random], Decimal]:
    return lambda r: Decimal(r.randint(-(10**12), 10**12)).scaleb(-scale)


_ADDRESS = {
    "type": "record",
    "name": "Address",
    "fields": [
        {"name": "street", "type": "string"},
        {"name": "number", "type": "int"},
        {"name": "zip", "type": ["null", "string"]},
    ],
}
_SYMBOLS = ["NEW", "OPEN", "PARTIAL", "FILLED", "CANCELLED", "REJECTED"]

FLAT = Workload(
    "flat",
    1_000_000,
    [
        ("flag", "boolean", _flag),
        ("count", "int", _int),
        ("id", "long", _long),
        ("ratio", "float", _float),
        ("price", "double", _float),
        ("symbol", "string", _string),
    ],
)

# 25 fields, of every kind: name, Avro type, how a value is drawn.
WIDE = Workload(
    "wide",
    200_000,
    [
        ("flag", "boolean", _flag),
        ("id", "long", _long),
        ("sequence", "long", _long),
        ("count", "int", _int),
        ("created", {"type": "long", "logicalType": "timestamp-millis"}, _time),
        ("ratio", "float", _float),
        ("price", "double", _float),
        ("bid", "double", _float),
        ("updated", ["null", {"type": "long", "logicalType": "timestamp-micros"}], _or_null(_time)),
        ("symbol", "string", _string),
        ("uuid", {"type": "string", "logicalType": "uuid"}, lambda r: uuid.UUID(int=r.getrandbits(128))),
        ("comment", "string", _text),
        ("payload", "bytes", _bytes(12)),
        ("key", {"type": "fixed", "name": "Key", "size": 16}, _bytes(16)),
        ("status", {"type": "enum", "name": "Status", "symbols": _SYMBOLS}, lambda r: r.choice(_SYMBOLS)),
        ("maybe_flag", ["null", "boolean"], _or_null(_flag)),
        ("maybe_count", ["null", "int"], _or_null(_int)),
        ("maybe_id", ["null", "long"], _or_null(_long)),
        ("amount", _decimal_type(18, 4), _decimal(4)),
        ("maybe_ratio", ["null", "float"], _or_null(_float)),
        ("maybe_price", ["null", "double"], _or_null(_float)),
        ("maybe_total", ["null", _decimal_type(30, 2)], _or_null(_decimal(2))),
        ("samples", {"type": "array", "items": "double"}, lambda r: [r.random() for _ in range(8)]),
        ("tags", {"type": "map", "values": "string"}, lambda r: {k: _string(r) for k in ("host", "zone", "unit")}),
        ("address", _ADDRESS, lambda r: {"street": _text(r), "number": _int(r), "zip": _or_null(_string)(r)}),
    ],
)

WORKLOADS = {workload.name: workload for workload in (FLAT, WIDE)}
