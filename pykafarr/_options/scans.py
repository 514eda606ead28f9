"""The options of a scan: checked, picklable, and made settings of the library where it is used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

from . import offsets, protobuf
from .environment import environment
from .secrets import hidden_argument
from .table import SCAN, settings

if TYPE_CHECKING:
    from .checks import (
        Content,
        DtypeBackend,
        Duration,
        Enums,
        Errors,
        Formats,
        Framing,
        KeyContent,
        Mixed,
        OutOfRange,
        Property,
        Recursion,
        Rules,
        Timestamps,
        Tombstones,
        Unions,
        UnknownMembers,
    )
    from .offsets import ScanPlaces
    from .schemas import GivenSchemas, ReaderSchemas
    from .tokens import TokenSource

# What scan= reads as: schemas, or each topic's newest registered one.
ScanReaderSchemas: TypeAlias = 'ReaderSchemas | Literal["latest"]'


class ReadOptions(TypedDict, total=False):
    """How a plan's ranges are read: the options of `Plan.with_options()`, a part of those of `scan()`."""

    metadata: str | Iterable[str] | Mapping[str, str] | None
    value: Content
    key: KeyContent | None
    key_schema: GivenSchemas | None
    framing: Framing
    schema: GivenSchemas | None
    message_type: str | None
    tombstones: Tombstones
    mixed: Mixed
    errors: Errors
    schema_patience: Duration
    rules: Rules
    reader_schema: ScanReaderSchemas | None
    columns: str | Iterable[str] | None
    unions: Unions
    recursion: Recursion
    out_of_range: OutOfRange
    timestamps: Timestamps
    enums: Enums
    formats: Formats
    unknown_members: UnknownMembers
    limits: Mapping[str, int] | None
    memory_limit: int | None
    num_messages: int | None
    allow_partial: bool
    dtype_backend: DtypeBackend | None
    timeout: Duration


class ScanOptions(ReadOptions, total=False):
    """The keyword options of `scan()`, for functions that pass them on."""

    start: ScanPlaces
    end: ScanPlaces
    config: Mapping[str, Property] | None
    registry_config: Mapping[str, Property] | None
    oauth_token: TokenSource | None


class Options:
    """A scan's arguments. Their pickle is `arguments`: it keeps secrets as they were given, by reference or as text."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        self.arguments = {name: hidden_argument(name, value) for name, value in listed(arguments).items()}
        self._checked = settings((option for option in SCAN.values() if not option.late), self.arguments)

    def changed(self, options: Mapping[str, Any]) -> Options:
        """The same with other options."""
        return type(self)({**self.arguments, **options})

    @property
    def latest(self) -> bool:
        """Whether the newest registered schemas are to be read as."""
        return bool(self._checked["read_latest"])

    @property
    def infers(self) -> bool:
        """Whether the schemas of values are inferred when it is planned."""
        return bool(
            self._checked["value"] == "json" and self._checked["framing"] != "connect" and not self._checked["schemas"]
        )

    @property
    def infers_keys(self) -> bool:
        """Whether those of keys are."""
        return bool(
            self._checked["key"] == "json"
            and any(column == "_key" for column, _ in self.metadata)
            and self._checked["framing"] != "connect"
            and not self._checked["key_schemas"]
        )

    @property
    def metadata(self) -> list[tuple[str, str]]:
        """The metadata columns, and their names in frames."""
        columns: list[tuple[str, str]] = self._checked["metadata"]
        return columns

    @property
    def topics(self) -> list[str]:
        """The topics, as they were given."""
        topics: list[str] = self._checked["topics"]
        return topics

    @property
    def dtype_backend(self) -> DtypeBackend | None:
        """The dtypes of frames."""
        backend: DtypeBackend | None = self.arguments["dtype_backend"]
        return backend

    @property
    def oauth_token(self) -> TokenSource | None:
        """The function that gives tokens."""
        source: TokenSource | None = self.arguments["oauth_token"]
        return source

    def settings(self) -> dict[str, Any]:
        """The settings as the library takes them. Reads the secrets and the environment, here and now."""
        return {
            **self._checked,
            **settings((option for option in SCAN.values() if option.late), self.arguments),
            "environment": environment(),
        }


# The framings that name a schema of a registry, and the formats that it has schemas of.
_REGISTERED_FRAMINGS = ("confluent", "schema_header", "apicurio")
_REGISTERED_FORMATS = ("avro", "protobuf", "jsonschema", "auto")


def is_registered(value: object, framing: object) -> bool:
    """Whether a registry has the schemas of such values, and so knows which is the newest."""
    return value in _REGISTERED_FORMATS and framing in _REGISTERED_FRAMINGS


def listed(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Iterators as lists, schemas without classes, and times of their own: they are read again where unpickled."""
    found = dict(arguments)
    for name in {"servers", "topics", "columns", "metadata"} & found.keys():
        value = found[name]
        if isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping)):
            found[name] = list(value)
    for name in {"start", "end"} & found.keys():
        found[name] = offsets.fixed(name, found[name])
    for name in {"schema", "reader_schema"} & found.keys():
        found[name] = protobuf.plain(found[name])
    return found
