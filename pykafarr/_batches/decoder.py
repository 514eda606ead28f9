"""Bodies without a broker: the decoder of the listener, for bytes from anywhere."""

from __future__ import annotations

import functools
import logging
import weakref
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from .._errors import PENDING, ConfigError
from .._library.library import SLICE_MS, encode, library, usable
from .._library.slot import Slot
from .._options import table
from .._options.keywords import check_keywords

if TYPE_CHECKING:
    import pyarrow as pa

    from .._options.checks import (
        Bodies,
        BodyFraming,
        Enums,
        Formats,
        OutOfRange,
        Recursion,
        Timestamps,
        Unions,
        UnknownMembers,
    )
    from .._options.schemas import Schema

# So many bytes objects become Arrow data in one step, which takes some hundredths of a second.
_PART = 200_000

Payloads: TypeAlias = "Iterable[bytes] | pa.Array[Any] | pa.ChunkedArray[Any]"


class Decoder:
    """Decodes bare bodies of one schema: no container file, and no registry header before each.

    Args:
        schema: the Avro schema that the bodies were written with, as JSON text or as the dict or list that the text
            stands for. Of Protobuf, .proto text, the bytes of a FileDescriptorSet or FileDescriptorProto, a generated
            class, or {"text": …, "message_type": …}. Of JSON, a pyarrow schema or {name: type}, with types of pyarrow
            or their names, or the text of a JSON Schema. Of "jsonschema", a JSON Schema as text or dict. Of
            framing="connect", the schema of an envelope, as text or dict, or None: that of the first body.
        reader_schema: the schema to read them as, by Avro's rules of schema resolution. None: as they were written.
        value: what the bodies are: "avro", "protobuf", "jsonschema" or "json".
        framing: what is around the bodies: "bare", nothing; or "connect", with value="json": the envelope of Kafka
            Connect, {"schema": …, "payload": …}. A body whose schema gives other columns is an error.
        message_type: the full name of the bodies' type, where a schema of Protobuf has several.
        columns: the fields to read, as paths such as "customer.address.zip", which go through arrays, maps and unions
            to the records within. The others are passed over in the body; the order is the schema's.
            None: all fields.
        unions: what becomes of a union of more than null and one type: "struct", of one nullable member per branch,
            or "dense", Arrow's dense union, which pandas and polars cannot take.
        recursion: what becomes of a field that leads back to the record it is in: "refuse" it with a SchemaError, or
            read it as text, the "json" encoding of its value.
        out_of_range: what becomes of a value that its Arrow type cannot hold (a time of day of 24:00 or more, a decimal
            of more digits than its precision, a duration of more than 2^31-1 months or days): "raise" a DecodeError
            for its message, or "null", which `stats()` counts. Columns of these types are nullable then.
        timestamps: the unit of Protobuf's timestamps and durations: "us", which holds all their years, or "ns", of
            which those before 1677 or after 2262 are out of range.
        enums: what Protobuf's enums become: "names", a dictionary of them, where a number without a name is null and
            counted by `stats()`; or "numbers", int32.
        formats: what texts become whose JSON Schema has the format date-time, date or time: "typed", timestamps, dates
            and times of day; or "string", the text.
        unknown_members: what becomes of members of JSON that the schema does not name: "count": `stats()` counts them;
            "keep": a column `_extra` has them, as JSON text; "raise": a DecodeError for their message.
        limits: what schema and bodies may ask for, where the default is not right: {"schema_depth": 200} levels of
            the schema, "columns" (20,000) of all its levels together, "value_depth" (256) levels of a value of a
            recursive type, "block_items" (2^24) of one block of an array or map, "empty_items" (65,536) of a message
            that take none of its bytes, "message_bytes" (24 MiB) that the columns of a message may take besides 96
            for each of its bytes, "message_steps" (10,000,000) values that it may have besides 64 for each of them.

    Raises:
        SchemaError: a schema is invalid or holds what is not supported; the message names the field.
        IncompatibleSchemaError: what was written with the schema cannot be read as the reader's.
        ConfigError: an option has an unknown value, or `columns` names a field that the schema does not have.
        TypeError: an argument has a wrong Python type.
    """

    @check_keywords
    def __init__(
        self,
        schema: Schema | None,
        reader_schema: Schema | None = None,
        *,
        value: Bodies = "avro",
        framing: BodyFraming = "bare",
        message_type: str | None = None,
        columns: str | Iterable[str] | None = None,
        unions: Unions = "struct",
        recursion: Recursion = "refuse",
        out_of_range: OutOfRange = "raise",
        timestamps: Timestamps = "us",
        enums: Enums = "names",
        formats: Formats = "typed",
        unknown_members: UnknownMembers = "count",
        limits: Mapping[str, int] | None = None,
    ) -> None:
        self._open(table.settings(table.DECODER.values(), locals()))

    def _open(self, settings: dict[str, Any]) -> None:
        library_ = library()
        self._settings = settings
        self._handle = library_.handle(library_.lib.decoder_new, *encode(settings))
        # Not at exit: then the process ends, and calling into it late has no use.
        weakref.finalize(self, _free, self._handle).atexit = False
        for text in self._stats()["ignored"] or ():
            _warn(text)

    def __reduce__(self) -> tuple[Any, ...]:
        # The handle is of this process: copies and pickles have the settings that it was made of.
        return Decoder._restored, (self._settings,)

    @classmethod
    def _restored(cls, settings: dict[str, Any]) -> Decoder:
        decoder = cls.__new__(cls)
        decoder._open(settings)
        return decoder

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of what `decode()` returns."""
        return self.decode([]).schema

    def stats(self) -> dict[str, int]:
        """Counters since the decoder was made.

        rows, out_of_range and unknown_enums (values that became nulls) and unknown_members (of JSON, that were passed
        over).
        """
        found = self._stats()
        return {name: found[name] for name in ("rows", "out_of_range", "unknown_enums", "unknown_members")}

    def _stats(self) -> dict[str, Any]:
        library_ = library()
        found: dict[str, Any] = library_.json(library_.lib.decoder_stats, self._handle)
        return found

    def decode(self, payloads: Payloads) -> pa.RecordBatch:
        """Decodes the bodies to one row each, in their order.

        Args:
            payloads: bytes objects, or anything of type binary that knows Arrow's C data interface (a pyarrow array
                or chunked array, a polars series): an array is read in place, and a chunked one joined first.

        Returns:
            A pyarrow.RecordBatch of len(payloads) rows; its columns are the fields of the record, or one column
            `value` for a schema that is no record.

        Raises:
            DecodeError: a body does not fit the schema. All or nothing: `offset` is the index of the first such body,
                `path` the field.
            IncompatibleSchemaError: a body holds what the reader schema cannot take, such as a union's branch or an
                enum's symbol that it lacks.
            TypeError: a payload is not bytes.
            ConfigError: an Arrow array of payloads holds nulls.

        Ctrl-C during the call raises KeyboardInterrupt within 0.1 s. Nothing is returned then, and the decoder can be
        used again.
        """
        library_ = library()
        array = _large_binary(payloads)
        ffi, offsets, data = library_.ffi, *_addresses(array)
        begin = ffi.cast("const int64_t *", offsets) if len(array) else ffi.new("int64_t[1]")
        slot, decoding, status = Slot(library_), ffi.new("int64_t *"), PENDING
        try:
            while status == PENDING:  # Ctrl-C is answered between the slices
                status = library_.lib.decoder_decode(
                    self._handle,
                    ffi.cast("const uint8_t *", data),
                    begin,
                    len(array),
                    SLICE_MS,
                    decoding,
                    slot.batch,
                    slot.error,
                )
            if error := slot.exception():
                raise error
            return slot.take_records()["array"]
        finally:
            if decoding[0]:
                library_.lib.decoder_stop(decoding[0], ffi.NULL)
            slot.clear()


@check_keywords
def decode(
    schema: Schema | None,
    payloads: Payloads,
    reader_schema: Schema | None = None,
    *,
    value: Bodies = "avro",
    framing: BodyFraming = "bare",
    message_type: str | None = None,
    columns: str | Iterable[str] | None = None,
    unions: Unions = "struct",
    recursion: Recursion = "refuse",
    out_of_range: OutOfRange = "raise",
    timestamps: Timestamps = "us",
    enums: Enums = "names",
    formats: Formats = "typed",
    unknown_members: UnknownMembers = "count",
    limits: Mapping[str, int] | None = None,
) -> pa.RecordBatch:
    """Decodes bare Avro bodies of one schema; `Decoder` says what it takes, returns and raises.

    For many calls with one schema, make a `Decoder` once.
    """
    decoder = Decoder(
        schema,
        reader_schema,
        value=value,
        framing=framing,
        message_type=message_type,
        columns=columns,
        unions=unions,
        recursion=recursion,
        out_of_range=out_of_range,
        timestamps=timestamps,
        enums=enums,
        formats=formats,
        unknown_members=unknown_members,
        limits=limits,
    )
    return decoder.decode(payloads)


@functools.lru_cache(1000)
def _warn(text: str) -> None:
    """Logs it, once for all decoders of such a schema."""
    logging.getLogger("pykafarr").warning(text)


def _free(handle: int) -> None:
    if usable():
        library_ = library()
        library_.call(library_.lib.decoder_free, handle)


def _large_binary(payloads: Any) -> pa.LargeBinaryArray:
    """The payloads as one Arrow array with 64-bit offsets, without nulls."""
    import pyarrow as pa  # noqa: PLC0415  # which importing pykafarr does not load
    from pyarrow import types  # noqa: PLC0415

    array: Any
    if isinstance(payloads, (pa.Array, pa.ChunkedArray)):
        array = payloads
    elif hasattr(payloads, "__arrow_c_stream__"):
        array = pa.chunked_array(payloads)
    elif hasattr(payloads, "__arrow_c_array__"):
        array = pa.array(payloads)
    elif isinstance(payloads, (str, bytes, Mapping)) or not isinstance(payloads, Iterable):
        raise TypeError(f"payloads must be a list of bytes or an Arrow array, not {type(payloads).__name__}")
    else:
        payloads = list(payloads)
        # pyarrow would take str for its UTF-8, and None; looking at the types takes 2 ms for 100,000.
        if wrong := set(map(type, payloads)) - {bytes, bytearray, memoryview}:
            raise TypeError(f"payloads must be bytes, not {', '.join(sorted(kind.__name__ for kind in wrong))}")
        # Ctrl-C is answered between the parts.
        parts = [pa.array(payloads[n : n + _PART], pa.large_binary()) for n in range(0, len(payloads), _PART)]
        array = parts[0] if len(parts) == 1 else pa.chunked_array(parts, pa.large_binary())

    binary = (types.is_binary, types.is_large_binary, types.is_fixed_size_binary, types.is_binary_view)
    if not any(check(array.type) for check in binary):
        raise TypeError(f"payloads must be an Arrow array of binary, not of {array.type}")
    if array.null_count:
        raise ConfigError(f"payloads must not hold nulls: there are {array.null_count}")
    array = array.cast(pa.large_binary())
    return cast("pa.LargeBinaryArray", array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array)


def _addresses(array: pa.LargeBinaryArray) -> tuple[int, int]:
    """Addresses of the first offset and of the data that the offsets count in. Zero when there is no buffer."""
    _, offsets, data = array.buffers()
    # A slice shares the buffers of the whole: its offsets begin later, and count from the same start.
    return (offsets.address + 8 * array.offset if offsets else 0), (data.address if data else 0)
