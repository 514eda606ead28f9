"""The golden file: what Avro's Java writes, per type, decoded here (in Go: kafarr/format/avro/golden_test.go)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conformance import golden
from tests.conformance.values import Same
from tests.unit.test_differential import Maker, decode, kind_of

CASES = {case["name"]: case for case in json.loads(golden.FILE.read_text(encoding="utf-8"))}

# What the specification itself says of the bytes, under "Binary Encoding".
SPECIFICATION = {
    "long of the specification": ["00", "01", "02", "03", "04", "7f", "8001"],
    "string of the specification": ["06666f6f"],
    "record of the specification": ["3606666f6f"],
    "enum of the specification": ["00", "06"],
    "array of the specification": ["04063600"],
    "union of the specification": ["00", "020261"],
}


def noted(maker: Maker, schema: Any, namespace: str = "") -> Any:
    """The schema, with its named types known to the maker."""
    if isinstance(schema, list):
        return [noted(maker, branch, namespace) for branch in schema]
    if isinstance(schema, str):
        return schema
    made = dict(schema)
    if "name" in made:
        made["@full"] = made["name"] if "." in made["name"] or not namespace else f"{namespace}.{made['name']}"
        made["@namespace"] = namespace = made["@full"].rpartition(".")[0]
        maker.completed(made)
    for key in {"items", "values"} & made.keys():
        made[key] = noted(maker, made[key], namespace)
    if "fields" in made:
        made["fields"] = [{**field, "type": noted(maker, field["type"], namespace)} for field in made["fields"]]
        maker.completed(made)
    return made


@pytest.mark.parametrize("unions", ["struct", "dense"])
@pytest.mark.parametrize("name", CASES)
def test_what_java_wrote_is_decoded(name, unions):
    schema, bodies = CASES[name]["schema"], CASES[name]["bodies"]
    values = [body["value"] for body in bodies]
    text = json.dumps(schema)
    batch = decode(text, [bytes.fromhex(body["hex"]) for body in bodies], unions=unions)
    maker = Maker(0)
    known = noted(maker, schema)
    if kind_of(schema) == "record":
        assert batch.schema.names == [field["name"] for field in schema["fields"]]
        Same(maker).columns(known, batch, values, name)
    else:
        assert batch.schema.names == ["value"]
        whole = {"type": "record", "fields": [{"name": "value", "type": known}]}
        Same(maker).columns(whole, batch, [{"value": value} for value in values], name)


@pytest.mark.parametrize("name", SPECIFICATION)
def test_the_examples_of_the_specification_are_among_them(name):
    assert [body["hex"] for body in CASES[name]["bodies"]] == SPECIFICATION[name]


def test_the_file_is_what_java_writes(java):
    assert golden.FILE.read_text(encoding="utf-8") == golden.text(java), "run `make golden` and read what changed"
