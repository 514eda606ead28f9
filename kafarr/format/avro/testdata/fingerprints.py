# ruff: noqa: INP001 -- a script beside what it writes, no package
"""Writes fingerprints.json: random schemas with the canonical form and the CRC-64-AVRO that fastavro gives them.

It writes the same file every time.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from fastavro.schema import fingerprint, to_parsing_canonical_form

PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]
LOGICAL = [
    {"type": "int", "logicalType": "date"},
    {"type": "long", "logicalType": "timestamp-millis"},
    {"type": "string", "logicalType": "uuid", "doc": "é"},
    {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
    {"type": "long", "logicalType": "of our own", "unit": {"name": "m"}},
]
NAMESPACES = ["", "a", "org.example", "org.example.v2"]


class _Writer:
    """Makes one schema. Names are never used twice, so that each is right wherever it stands."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.count = 0
        self.known: list[str] = []  # full names of the types that can be referred to

    def schema(self, depth: int, namespace: str = "", *, union: bool = True) -> Any:
        rng = self.rng
        kinds = ["primitive", "object", "logical", "reference"]
        if depth > 0:
            kinds += [
                "record",
                "record",
                "record",
                "error",
                "enum",
                "fixed",
                "array",
                "map",
                *(["union"] if union else []),
            ]
        kind = rng.choice(kinds)
        if kind == "reference" and not self.known:
            kind = "primitive"
        if kind == "primitive":
            return rng.choice(PRIMITIVES)
        if kind == "object":
            return {"type": rng.choice(PRIMITIVES), **self.noise()}
        if kind == "logical":
            return rng.choice(LOGICAL)
        if kind == "reference":
            return self.reference(namespace)
        if kind == "union":
            return self.union(depth, namespace)
        if kind == "array":
            return self.shuffled(type="array", items=self.schema(depth - 1, namespace), **self.noise())
        if kind == "map":
            return self.shuffled(type="map", values=self.schema(depth - 1, namespace), **self.noise())
        return self.named(kind, depth, namespace)

    def reference(self, namespace: str) -> str:
        full = self.rng.choice(self.known)
        space, _, name = full.rpartition(".")
        return name if space == namespace and self.rng.random() < 0.7 else full

    def union(self, depth: int, namespace: str) -> list[Any]:
        branches: list[Any] = []
        kinds = set()
        for _ in range(self.rng.randint(1, 5)):
            known = len(self.known)
            branch = self.schema(depth - 1, namespace, union=False)
            kind = branch if isinstance(branch, str) else branch.get("name", branch["type"])
            if kind.rpartition(".")[2] not in kinds:
                kinds.add(kind.rpartition(".")[2])
                branches.append(branch)
            else:
                del self.known[known:]  # what the dropped branch defined is not there
        return branches

    def named(self, kind: str, depth: int, namespace: str) -> dict[str, Any]:
        rng = self.rng
        self.count += 1
        name = f"T{self.count}"
        given: dict[str, Any] = {"name": name}
        choice = rng.random()
        if choice < 0.3:
            namespace = rng.choice(NAMESPACES)
            given["namespace"] = namespace
        elif choice < 0.5:
            namespace = rng.choice(NAMESPACES[1:])
            given["name"] = f"{namespace}.{name}"
            given["namespace"] = "ignored"
        full = f"{namespace}.{name}" if namespace else name
        if kind in ("record", "error"):
            # A type of no namespace cannot be named from within a namespace by all readers.
            if namespace:
                self.known.append(full)
            given["fields"] = [self.field(i, depth, namespace) for i in range(rng.randint(0, 4))]
        elif kind == "enum":
            given["symbols"] = [f"S{i}" for i in range(rng.randint(1, 4))]
            if rng.random() < 0.5:
                given["default"] = "S0"
        else:
            given["size"] = rng.choice([1, 12, 16, 100000])
            if given["size"] == 12:
                given["logicalType"] = "duration"
        if kind not in ("record", "error") and namespace:
            self.known.append(full)
        return self.shuffled(type=kind, **given, **self.noise(), aliases=["Old" + name, "b.Older" + name])

    def field(self, i: int, depth: int, namespace: str) -> dict[str, Any]:
        field = self.shuffled(name=f"f_{i}", type=self.schema(depth - 1, namespace), **self.noise())
        if field["type"] == "string":
            field["default"] = 'a "default"'
            field["order"] = "ignore"
        return field

    def noise(self) -> dict[str, Any]:
        return self.rng.choice([{}, {}, {"doc": 'ein "Wort" für dich'}, {"prop": [1, {"type": "x"}]}])

    def shuffled(self, **properties: Any) -> dict[str, Any]:
        items = list(properties.items())
        self.rng.shuffle(items)
        return dict(items)


def main() -> None:
    """Writes the file next to this script."""
    rng = random.Random(64)  # noqa: S311 -- the same schemas every time
    cases: dict[str, dict[str, str]] = {}
    while len(cases) < 300:
        schema = _Writer(rng).schema(rng.randint(0, 5))
        text = json.dumps(schema, ensure_ascii=False, indent=rng.choice([None, None, 1]))
        if len(text) > 3000 or (len(text) < 40 and rng.random() < 0.8):
            continue
        canonical = to_parsing_canonical_form(schema)
        # fastavro gives the 8 bytes in the order of the single-object header.
        crc = bytes.fromhex(fingerprint(canonical, "CRC-64-AVRO"))[::-1].hex()
        cases[text] = {"schema": text, "canonical": canonical, "fingerprint": crc}
    path = Path(__file__).with_name("fingerprints.json")
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases.values())
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
