"""Random readers' schemas for random writers' schemas: such as match, and such as do not."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from tests.conformance.values import of_union
from tests.unit.test_differential import NUMBERS, PRIMITIVES, Maker, kind_of, logical_of

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMED = {"record", "enum", "fixed"}


class PairMaker(Maker):
    """Makes readers' schemas with more branches in their unions, and such as do not match."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, references=False)

    def reader(self, schema: Any) -> Any:
        made = super().reader(schema)
        if isinstance(made, list) and self.random.random() < 0.4:
            more = self.random.choice([*NUMBERS, "bytes"])
            if more not in map(self.type_name, made):
                made = list(made)
                made.insert(self.random.randint(0, len(made)), more)
        # Text may be read as bytes; bytes that are read as text are an error for most of the rows.
        return sorted(made, key=lambda branch: kind_of(branch) == "string") if isinstance(made, list) else made

    def reader_branch(self, schema: Any) -> Any:
        made = super().reader_branch(schema)
        if isinstance(made, dict) and "aliases" in made:
            made["@full"] = made["name"]
        return made

    def broken(self, reader: Any) -> Any:
        """The same with one difference more, which may matter or not."""
        top = [copy.deepcopy(reader)]
        places = list(schemas_in(top, 0))
        self.random.shuffle(places)
        for holder, key in places:
            found = holder[key]
            changed = getattr(self, f"broken_{kind_of(found)}", self.broken_leaf)(found)
            if isinstance(holder, list) and self.type_name(changed) in map(self.type_name, holder):
                continue
            if changed != found:
                holder[key] = changed
                break
        return top[0]

    def broken_leaf(self, schema: Any) -> Any:
        # No text, for the same reason.
        return self.random.choice([kind for kind in PRIMITIVES[1:] if kind != "string"])

    def broken_array(self, schema: Any) -> Any:
        return {"type": "map", "values": schema["items"]}

    def broken_map(self, schema: Any) -> Any:
        return {"type": "array", "items": schema["values"]}

    def broken_union(self, schema: Any) -> Any:
        at = self.random.randrange(len(schema))
        return [*schema[:at], *schema[at + 1 :]] or schema

    def broken_enum(self, schema: Any) -> Any:
        symbols = self.random.sample(schema["symbols"], self.random.randint(1, len(schema["symbols"])))
        some = {**schema, "symbols": symbols}
        return self.random.choice([some, {**some, "default": symbols[0]}, self.renamed(schema)])

    def broken_fixed(self, schema: Any) -> Any:
        return self.renamed(schema) if logical_of(schema) else {**schema, "size": schema["size"] + 1}

    def broken_record(self, schema: Any) -> Any:
        fields = copy.deepcopy(schema["fields"])
        for field in fields:
            if "default" in field:
                del field["default"]
                return {**schema, "fields": fields}
        return self.renamed(schema)

    def renamed(self, schema: Any) -> Any:
        made = {key: value for key, value in schema.items() if key not in {"namespace", "aliases"}}
        return {**made, "name": f"{schema['@full']}other", "@full": f"{schema['@full']}other"}


def schemas_in(holder: Any, *keys: Any) -> Iterator[tuple[Any, Any]]:
    """Where the schemas below these keys stand: what holds each, and its key there."""
    for key in keys:
        yield holder, key
        schema = holder[key]
        if isinstance(schema, list):
            yield from schemas_in(schema, *range(len(schema)))
        elif kind_of(schema) == "record":
            for field in schema["fields"]:
                if "default" not in field:  # which would no longer fit
                    yield from schemas_in(field, "type")
        elif kind_of(schema) in {"array", "map"}:
            yield from schemas_in(schema, "items" if schema["type"] == "array" else "values")


def alone(schema: Any) -> Any:
    """A schema as it stands by itself, outside of the namespace that it is in."""
    if isinstance(schema, list):
        return [alone(item) for item in schema]
    if isinstance(schema, dict):
        own = {"@full", "@namespace", "namespace"}
        made = {key: alone(value) for key, value in schema.items() if key not in own}
        return {**made, "name": schema["@full"]} if "@full" in schema else made
    return schema


def narrowed(maker: Maker, schema: Any, values: list[Any]) -> Any:
    """A schema of these values that has no branch and no symbol that is in none of them."""
    if isinstance(schema, list):
        found = [of_union(maker.type_name, schema, value) for value in values]
        made = []
        for at, branch in enumerate(schema):
            here = [value.value for value in found if value and value.index == at]
            if here or (branch == "null" and None in found):
                made.append(narrowed(maker, branch, here))
        return made or schema
    kind = kind_of(schema)
    if kind == "record":
        fields = [
            {**field, "type": narrowed(maker, field["type"], [value[field["name"]] for value in values])}
            for field in schema["fields"]
        ]
        return {**schema, "fields": fields}
    if kind == "array":
        return {**schema, "items": narrowed(maker, schema["items"], [item for value in values for item in value])}
    if kind == "map":
        return {
            **schema,
            "values": narrowed(maker, schema["values"], [item for value in values for item in value.values()]),
        }
    if kind == "enum":
        return {**schema, "symbols": [symbol for symbol in schema["symbols"] if symbol in values] or schema["symbols"]}
    return schema
