"""What messages are and how they become columns: the options that listeners and scans have in common, checked."""

from __future__ import annotations

from typing import Any, get_args

from . import checks
from .checks import Content, Errors, Framing, Mixed, Tombstones
from .schemas import given_schemas


def message_options(
    *,
    metadata: object,
    value: object,
    key: object,
    framing: object,
    schema: Any,
    tombstones: object,
    mixed: object,
    errors: object,
    schema_patience: object,
    rules: object,
    columns: object,
    unions: object,
    recursion: object,
    out_of_range: object,
    limits: object,
    memory_limit: object,
    oauth_token: object,
) -> dict[str, Any]:
    """The options as the library takes them."""
    if oauth_token is not None and not callable(oauth_token):
        raise TypeError(f"oauth_token must be callable, not {type(oauth_token).__name__}")
    bounds = checks.limits(limits, "batch_bytes", "schema_bytes")
    return {
        "metadata": checks.metadata_columns(metadata, with_key=key is not None),
        "value": checks.choice("value", value, get_args(Content)),
        "key": "bytes" if key is None else checks.choice("key", key, get_args(Content)),
        "framing": checks.choice("framing", framing, get_args(Framing)),
        "schemas": given_schemas(schema),
        "tombstones": checks.choice("tombstones", tombstones, get_args(Tombstones)),
        "mixed": checks.choice("mixed", mixed, get_args(Mixed)),
        "errors": checks.choice("errors", errors, get_args(Errors)),
        "schema_patience_ms": checks.milliseconds("schema_patience", schema_patience) or -1,
        "rules": checks.rules(rules),
        "batch_bytes": bounds.pop("batch_bytes", 0),
        "schema_bytes": bounds.pop("schema_bytes", 0),
        "memory_limit": checks.from_one("memory_limit", memory_limit, checks.MAX_MEMORY),
        **checks.column_options(columns, unions, recursion, out_of_range, bounds),
        "oauth_token": oauth_token is not None,
    }
