"""The schemas of JSON that the library has inferred, as pyarrow has them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .._options.arrow_schemas import JSON_EXTENSION, WHOLE_VALUE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa


def pyarrow_schema(text: str) -> pa.Schema:
    """A schema that the library has inferred, as pyarrow has it. As schema= it is the same one."""
    import pyarrow as pa  # noqa: PLC0415  # which importing pykafarr does not load

    root = json.loads(text)["arrow"]
    if root["type"] == "struct":
        return pa.schema([_pyarrow_field(pa, kid.get("name", ""), kid) for kid in root["fields"]])
    return pa.schema([_pyarrow_field(pa, "value", root)], metadata={WHOLE_VALUE: b"true"})


def _pyarrow_field(pa: Any, name: str, field: Mapping[str, Any]) -> Any:
    nullable = field.get("nullable", True)
    if field["type"] == "struct":
        kids = [_pyarrow_field(pa, kid.get("name", ""), kid) for kid in field["fields"]]
        return pa.field(name, pa.struct(kids), nullable)
    if field["type"] == "list":
        return pa.field(name, pa.list_(_pyarrow_field(pa, "item", field["items"])), nullable)
    if field["type"] == "json":
        return pa.field(name, pa.string(), nullable, {JSON_EXTENSION: b"arrow.json"})
    makers = {"int64": pa.int64, "double": pa.float64, "bool": pa.bool_, "string": pa.string}
    return pa.field(name, makers[field["type"]](), nullable)
