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

# The metadata of a field that say how its values stand in JSON ("epoch", "unscaled"), and which texts a dictionary has,
# as an array of JSON.
WRITTEN_AS = b"pykafarr.json"
SYMBOLS = b"pykafarr.symbols"

# Types of Arrow that JSON is not read into, and those of the same values that it is.
_OTHERS = {
    "large_string": "string",
    "string_view": "string",
    "large_binary": "binary",
    "binary_view": "binary",
    "large_list": "list",
    "fixed_size_list": "list",
    "list_view": "list",
    "large_list_view": "list",
}

# What other libraries call types, by the name that the library knows.
_NAMES = {
    "float32": "float",
    "float64": "double",
    "str": "string",
    "utf8": "string",
    "extension<arrow.json>": "json",
    "object": "string",
    "boolean": "bool",
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
            del fields[0]["name"]  # else it were the message type's
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
    return {"name": field.name, **_said(place, field), **nullable}


def _said(place: str, field: Any) -> dict[str, Any]:
    """A field's type, and what its metadata say of it."""
    metadata = field.metadata or {}
    if SYMBOLS in metadata:
        if str(field.type) != "dictionary<values=string, indices=int32, ordered=0>":
            raise ConfigError(f"{place}: {SYMBOLS.decode()} are the texts of dictionary(int32, string)")
        try:
            symbols = json.loads(metadata[SYMBOLS])
        except ValueError as error:
            raise ConfigError(f"{place}: {SYMBOLS.decode()} is no JSON: {error}") from error
        if not isinstance(symbols, list) or not all(isinstance(symbol, str) for symbol in symbols):
            raise ConfigError(f"{place}: {SYMBOLS.decode()} must be an array of texts, as JSON")
        return {"type": "dictionary", "symbols": symbols}
    written = {"json": metadata[WRITTEN_AS].decode(errors="replace")} if WRITTEN_AS in metadata else {}
    return {**_type(place, field.type), **written}


def _type(place: str, dtype: Any) -> dict[str, Any]:
    """A type as the library's text has it: text as it is, pyarrow's and others' by their name."""
    nested = getattr(dtype, "num_fields", 0)
    name = str(dtype)
    if name.startswith("dictionary<"):
        raise ConfigError(
            f"{place}: a dictionary needs its texts, in the field's metadata "
            f"""{{"{SYMBOLS.decode()}": '["a", "b"]'}}, so that each batch has the same: give them, or use string"""
        )
    if instead := _OTHERS.get(name.partition("<")[0].partition("[")[0]):
        raise ConfigError(f"{place}: JSON is not read into {name}: use {instead}")
    if nested and name.startswith("struct<"):
        kids = [dtype.field(index) for index in range(nested)]
        return {"type": "struct", "fields": [_field(f"{place}.{kid.name}", kid) for kid in kids]}
    if nested and name.startswith("map<"):
        if str(dtype.key_type) != "string":
            raise ConfigError(
                f"{place}: the names of an object of JSON are texts: a map has keys of string, not {dtype.key_type}"
            )
        item = dtype.item_field
        return {"type": "map", "items": {**_field(place, item), "name": "item"}}
    if nested and hasattr(dtype, "value_field"):
        return {"type": "list", "items": {**_field(place, dtype.value_field), "name": "item"}}
    return {"type": _NAMES.get(name, name)}
