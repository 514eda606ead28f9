"""A scan of the library: one for planning, one for each stream."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from .._errors import ConfigError
from .._library import oauth
from .._library.library import encode, library, usable
from .._library.slot import Slot

if TYPE_CHECKING:
    import pyarrow as pa
    from typing_extensions import Self

    from .._options.scans import Options


class ScanHandle:
    """A handle that is freed with this object; what is under way then ends in the background."""

    def __init__(self, options: Options, data: dict[str, Any]) -> None:
        library_ = library()
        self.library = library_
        self.number = library_.handle(library_.lib.scan_new, *encode({**options.settings(), **data}))
        # Not at exit: then the process ends, and there is no group to leave.
        self._finalizer = weakref.finalize(self, _free, self.number)
        self._finalizer.atexit = False
        if options.oauth_token is not None:
            oauth.start_token_thread(library_, self.number, options.oauth_token)

    def free(self) -> None:
        """Frees the handle now. Again: does nothing."""
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.free()

    def plan(self) -> dict[str, Any]:
        """Asks the cluster, and gives the plan's data."""
        found: dict[str, Any] = self.library.wait(self.library.handle(self.library.lib.scan_plan_start, self.number))
        return found

    def sizes(self) -> list[float]:
        """The mean bytes of an offset of each partition of the plan."""
        found: list[float] = self.library.wait(self.library.handle(self.library.lib.scan_sizes_start, self.number))
        return found

    def schemas(self) -> dict[str, pa.Schema]:
        """Finds out how the rows of the plan look, by message type."""
        import pyarrow as pa  # noqa: PLC0415  # which importing pykafarr does not load

        library_ = self.library
        library_.wait(library_.handle(library_.lib.scan_schemas_start, self.number))
        slot, found = Slot(library_), dict[str, pa.Schema]()
        try:
            while True:
                slot.clear()
                library_.call(library_.lib.scan_schema, self.number, len(found), slot.batch)
                if slot.batch.info == library_.ffi.NULL:
                    return found
                address = library_.ffi.cast("uintptr_t", library_.ffi.addressof(slot.batch, "schema"))
                found[slot.info()["message_type"]] = pa.Schema._import_from_c(int(address))
        finally:
            slot.clear()


def schemas(options: Options, data: dict[str, Any]) -> dict[str, pa.Schema]:
    """How the rows of a plan or task look, by message type."""
    with ScanHandle(options, data) as handle:
        return handle.schemas()


def only_schema(schemas: dict[str, pa.Schema]) -> pa.Schema:
    """The schema of the only message type."""
    if len(schemas) == 1:
        return next(iter(schemas.values()))
    if not schemas:
        raise ConfigError("no message type is known: the topics have no message, and no schema is registered for them")
    raise ConfigError(f"there are several message types, {', '.join(sorted(schemas))}: see schemas")


def _free(number: int) -> None:
    if usable():
        library_ = library()
        library_.call(library_.lib.scan_free, number)
