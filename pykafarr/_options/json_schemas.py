"""JSON Schemas as callers give them: text, or what json.loads() makes of it."""

from __future__ import annotations

from collections.abc import Mapping

# The members by which a dict is told from one of schemas by topic, or by message type.
_KEYWORDS = {"$schema", "$ref", "type", "properties", "items", "oneOf", "anyOf", "allOf", "enum", "const"}


def is_schema(given: object) -> bool:
    """Whether it is one, and not several."""
    return isinstance(given, str) or (isinstance(given, Mapping) and not _KEYWORDS.isdisjoint(given))
