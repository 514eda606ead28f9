"""Tombstones of several topics in one table: each topic's keys have a type of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

# The message type of rows without a value.
TOMBSTONES = "null"


def alike(batches: list[pa.RecordBatch], column: str | None) -> list[pa.RecordBatch]:
    """The batches with keys of one type.

    That is a struct of all fields where all keys are structs, and else a struct with a member for each type.
    """
    import pyarrow as pa  # noqa: PLC0415  # which importing pykafarr does not load

    first = batches[0].schema
    if column is None or all(batch.schema == first for batch in batches):
        return batches
    index = first.get_field_index(column)
    common = _Common([batch.schema.field(index).type for batch in batches])
    schema = first.set(index, pa.field(column, common.type))
    return [
        pa.RecordBatch.from_arrays(
            [common.of(array) if at == index else array for at, array in enumerate(batch.columns)], schema=schema
        )
        for batch in batches
    ]


class _Common:
    """A type that has room for values of several types."""

    def __init__(self, types: list[pa.DataType]) -> None:
        import pyarrow as pa  # noqa: PLC0415

        # Sorted, as the topics' batches come in any order.
        distinct = sorted({kind for kind in types if not pa.types.is_null(kind)}, key=str)
        members: dict[str, list[pa.DataType]] = {}
        self._by_type = len(distinct) > 1 and not all(map(pa.types.is_struct, distinct))
        if self._by_type:
            for kind in distinct:
                members.setdefault(_name(kind), []).append(kind)
        elif len(distinct) > 1:
            for field in (kind.field(at) for kind in distinct for at in range(kind.num_fields)):
                members.setdefault(field.name, []).append(field.type)
        self._members = {name: _Common(kinds) for name, kinds in members.items()}
        if self._members:
            self.type: pa.DataType = pa.struct([(name, member.type) for name, member in self._members.items()])
        else:
            self.type = distinct[0] if distinct else pa.null()

    def of(self, array: pa.Array[Any]) -> Any:
        """The values of an array of one of the types."""
        import pyarrow as pa  # noqa: PLC0415

        if array.type == self.type:
            return array
        if pa.types.is_null(array.type):
            return _nulls(array, self.type)
        found: dict[str, pa.Array[Any]]
        if self._by_type or not isinstance(array, pa.StructArray):
            found = {_name(array.type): array}
        else:
            found = dict(zip((field.name for field in array.type), array.flatten(), strict=True))
        columns = [
            member.of(found[name]) if name in found else _nulls(array, member.type)
            for name, member in self._members.items()
        ]
        fields = [pa.field(name, member.type) for name, member in self._members.items()]
        return pa.StructArray.from_arrays(columns, fields=fields, mask=array.is_null())


def _nulls(array: pa.Array[Any], kind: Any) -> Any:
    """As many nulls as an array is long."""
    import pyarrow as pa  # noqa: PLC0415

    return pa.nulls(len(array), kind)


def _name(kind: pa.DataType) -> str:
    """The name of a type's member."""
    import pyarrow as pa  # noqa: PLC0415

    return "record" if pa.types.is_struct(kind) else str(kind)
