"""Arrow schemas as callers give them, for messages of JSON: pyarrow's, or a dict of names and types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from .._errors import ConfigError
from .secrets import kind

if TYPE_CHECKING:
    import pyarrow as pa

# A pyarrow schema, or {name: type}: a type of pyarrow, or a text such as "int64", "string" or "timestamp[us, tz=UTC]".
ArrowSchema: TypeAlias = "pa.Schema | Mapping[str, pa.DataType | str] | str"

# The metadata of a field of JSON texts, as Arrow has it, and that of a schema whose only field is the whole value.
JSON_EXTENSION = b"ARROW:extension:name"
WHOLE_VALUE = b"pykafarr.whole_value"

# What other libraries call types, by the name that the library knows.
_NAMES = {
    "float32": "float",
    "float64": "double",
    "str": "string",
    "utf8": "string",
    "large_string": "string",
    "extension<arrow.json>": "json",
    "string_view": "string",
    "object": "string",
    "boolean": "bool",
    "large_binary": "binary",
    "int": "int64",
    "date32": "date32[day]",
    "datetime64[ms]": "timestamp[ms]",
    "datetime64[us]": "timestamp[us]",
    "datetime64[ns]": "timestamp[ns]",
    "datetime64[us, UTC]": "timestamp[us, tz=UTC]",
    "datetime64[ns, UTC]": "timestamp[ns, tz=UTC]",
}


def is_schema(given: object) -> bool:
    """Whether it is one schema, and not one by topic: whose values are schemas, and no types."""
    if isinstance(given, Mapping):
        return not any(_is_nested(value) for value in given.values())
    return isinstance(given, str) or _is_pyarrow(given)


def _is_nested(value: object) -> bool:
    """Whether it is a schema itself, and no type."""
    return isinstance(value, Mapping) or _is_pyarrow(value) or (isinstance(value, str) and value.startswith("{"))


def _is_pyarrow(value: object) -> bool:
    return hasattr(value, "names") and hasattr(value, "field") and hasattr(value, "metadata")


def schema_text(schema: object, name: str) -> str:
    """A schema as the library takes it."""
    if isinstance(schema, str):
        return schema
    if isinstance(schema, Mapping) and schema.get("type") == "struct":  # one of Connect's, as json.loads() makes it
        return json.dumps(schema)
    if isinstance(schema, Mapping):
        fields = [{"name": _name(name, key), **_type(f"{name}[{key!r}]", value)} for key, value in schema.items()]
    elif _is_pyarrow(schema):
        found: Any = schema
        fields = [_field(f"{name}: {found.field(index).name}", found.field(index)) for index in range(len(found.names))]
        if WHOLE_VALUE in (found.metadata or {}) and len(fields) == 1:
            return json.dumps({"arrow": fields[0]})
    else:
        raise TypeError(f"{name} must be a pyarrow schema or a dict of names and types, not {kind(schema)}")
    if not fields:
        raise ConfigError(f"{name} must not be empty")
    return json.dumps({"arrow": {"type": "struct", "nullable": False, "fields": fields}})


def _name(name: str, key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"{name} must have keys of type str, not {kind(key)}")
    return key


def _field(place: str, field: Any) -> dict[str, Any]:
    nullable = {} if field.nullable else {"nullable": False}
    if (field.metadata or {}).get(JSON_EXTENSION) == b"arrow.json":
        return {"name": field.name, "type": "json", **nullable}
    return {"name": field.name, **_type(place, field.type), **nullable}


def _type(place: str, dtype: Any) -> dict[str, Any]:
    """A type as the library's text has it: text as it is, pyarrow's and others' by their name."""
    nested = getattr(dtype, "num_fields", 0)
    name = str(dtype)
    if name.startswith("dictionary<"):
        raise ConfigError(f"{place}: a dictionary needs its texts: use string")
    if nested and name.startswith("struct<"):
        kids = [dtype.field(index) for index in range(nested)]
        return {"type": "struct", "fields": [_field(f"{place}.{kid.name}", kid) for kid in kids]}
    if nested and name.startswith("map<"):
        item = dtype.item_field
        return {"type": "map", "items": {**_field(place, item), "name": "item"}}
    if nested and hasattr(dtype, "value_field"):
        return {"type": "list", "items": {**_field(place, dtype.value_field), "name": "item"}}
    return {"type": _NAMES.get(name, name)}
