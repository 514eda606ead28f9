"""What a poll or a decode gets from the library: a batch or an error, kept until the caller has it."""

from __future__ import annotations

import json
from itertools import starmap
from typing import TYPE_CHECKING, Any

from .._errors import InternalError, KafarrError

if TYPE_CHECKING:
    import pyarrow as pa

    from .library import Library

_STRUCTS = ("array", "schema", "rejected", "rejected_schema")


class Slot:
    """A kafarr_batch and a kafarr_error for the library to fill, again and again.

    Ctrl-C may interrupt every call, also between the return of a C function and the next statement. So what the
    library left here stays until the caller has it, and can be taken again after an interrupt.

    The owner of a slot clears it. No __del__ does: Python swallows an interrupt that is raised there.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self.batch = library.new("kafarr_batch")
        self.error = library.new("kafarr_error")
        self._blank = [(struct, bytes(library.ffi.buffer(struct))) for struct in (self.batch, self.error)]
        # Taken once: addressof() takes a lock, which a finalizer that clears a slot could wait for without end.
        self._members = {member: library.ffi.addressof(self.batch, member) for member in _STRUCTS}
        self._addresses: dict[str, tuple[int, int]] = {}
        # Set by the caller, without a call, as its very last step: records = [], delivered = True.
        self.records: list[pa.RecordBatch] = []
        self.delivered = False

    @property
    def filled(self) -> bool:
        """Whether the library left a batch or an error here, and the caller has not got it yet."""
        return bool(self.error.code or self.batch.info) and not self.delivered

    def clear(self) -> None:
        """Frees what the library left here and the caller did not take, and empties the slot."""
        for member in _STRUCTS:
            struct = getattr(self.batch, member)
            if struct.release:  # NULL once it was imported
                struct.release(self._members[member])
        text, self.batch.info = self.batch.info, self._library.ffi.NULL
        self._library.lib.kafarr_free(text)
        for struct, blank in self._blank:
            self._library.ffi.buffer(struct)[:] = blank
        self._addresses = {}
        self.records = []
        self.delivered = False

    def exception(self) -> KafarrError | None:
        """The error as an exception, if the library left one."""
        return self._library.exception(self.error) if self.error.code else None

    def info(self) -> dict[str, Any]:
        """The batch's message type and ranges."""
        found: dict[str, Any] = json.loads(self._library.ffi.string(self.batch.info))
        return found

    def take_records(self) -> dict[str, pa.RecordBatch]:
        """The rows under "array" and the rejected rows under "rejected", each if the library left some."""
        import pyarrow as pa  # noqa: PLC0415  # which importing pykafarr does not load

        if not self._addresses:
            self._addresses = {
                array: (self._address(array), self._address(schema))
                for array, schema in (("array", "schema"), ("rejected", "rejected_schema"))
                if getattr(self.batch, array).release
            }
        if not self.records:
            try:
                # No Python code runs between two imports, nor between the last and the list: importing moves the
                # memory out of the struct, and an interrupt before its result is stored would lose the rows.
                self.records.extend(starmap(pa.RecordBatch._import_from_c, self._addresses.values()))
            except pa.ArrowException as error:
                # Both structs are released by now, so nothing can be taken a second time: the batch is dropped.
                refused = InternalError(f"pyarrow refused the library's batch{self._places()}: {error}")
                self.clear()
                raise refused from error
        return dict(zip(self._addresses, self.records, strict=True))

    def _places(self) -> str:
        """Which rows the batch in here holds, for the error of one that is dropped."""
        ranges = self.info().get("ranges", []) if self.batch.info else []
        if not ranges:
            return ""
        places = ", ".join(f"{topic}[{partition}]@{first}..{next_ - 1}" for topic, partition, first, next_, _ in ranges)
        return f", which is dropped with its rows ({places}; seek() to read them again)"

    def _address(self, member: str) -> int:
        return int(self._library.ffi.cast("uintptr_t", self._members[member]))
