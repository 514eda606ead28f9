"""What crosses the C boundary on a poll or a decode: a batch or an error, kept until the caller has it."""

from __future__ import annotations

import json
from itertools import starmap
from typing import TYPE_CHECKING, Any

from ._errors import InternalError
from ._lib import Library, usable

if TYPE_CHECKING:
    import pyarrow as pa

_STRUCTS = ("array", "schema", "rejected", "rejected_schema")


class Slot:
    """A kafarr_batch and a kafarr_error for the library to fill.

    Ctrl-C may strike between the return of a C call and the next statement. So a caller to whom no row may get lost
    stores the slot first, lets go of it last, and may ask it again after an interrupt.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self.batch = library.new("kafarr_batch")
        self.error = library.new("kafarr_error")
        self._addresses: dict[str, tuple[int, int]] = {}
        self._records: list[pa.RecordBatch] = []

    @property
    def filled(self) -> bool:
        """Whether the library left a batch or an error here."""
        return bool(self.error.code or self.batch.info)

    def raise_error(self) -> None:
        """Raises the error, if the library left one."""
        if self.error.code:
            self._library.raise_error(self.error)

    def info(self) -> dict[str, Any]:
        """The batch's message type and ranges."""
        found: dict[str, Any] = json.loads(self._library.ffi.string(self.batch.info))
        return found

    def records(self) -> dict[str, pa.RecordBatch]:
        """The rows under "array" and the rejected rows under "rejected", each if the library left some."""
        import pyarrow as pa  # noqa: PLC0415  # which importing pykafarr does not load

        if not self._addresses:
            self._addresses = {
                array: (self._address(array), self._address(schema))
                for array, schema in (("array", "schema"), ("rejected", "rejected_schema"))
                if getattr(self.batch, array).release
            }
        if not self._records:
            try:
                # No Python code runs between two imports, nor between the last and the list: importing moves the
                # memory out of the struct, and an interrupt before its result is stored would lose the rows.
                self._records.extend(starmap(pa.RecordBatch._import_from_c, self._addresses.values()))
            except pa.ArrowException as error:
                raise InternalError(f"pyarrow refused the library's batch: {error}") from error
        return dict(zip(self._addresses, self._records, strict=True))

    def _address(self, member: str) -> int:
        ffi = self._library.ffi
        return int(ffi.cast("uintptr_t", ffi.addressof(self.batch, member)))

    def __del__(self) -> None:
        for member in _STRUCTS:
            struct = getattr(self.batch, member)
            if struct.release:  # NULL once it was imported
                struct.release(self._library.ffi.addressof(self.batch, member))
        if self.batch.info and usable():
            self._library.lib.kafarr_free(self.batch.info)
