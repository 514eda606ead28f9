"""The options of a scan: checked, picklable, and made settings of the library where it is used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

from .._errors import ConfigError
from . import checks, offsets
from .environment import environment
from .messages import message_options
from .schemas import LATEST, GivenSchemas, ReaderSchemas, reader_schemas
from .secrets import hidden_argument

if TYPE_CHECKING:
    from .checks import (
        Content,
        DtypeBackend,
        Duration,
        Errors,
        Framing,
        Mixed,
        OutOfRange,
        Property,
        Recursion,
        Rules,
        Tombstones,
        Unions,
    )
    from .offsets import ScanPlaces
    from .secrets import Secret
    from .tokens import TokenSource

# What scan= reads as: schemas, or each topic's newest registered one.
ScanReaderSchemas: TypeAlias = 'ReaderSchemas | Literal["latest"]'


class ReadOptions(TypedDict, total=False):
    """How a plan's ranges are read: the options of `Plan.with_options()`, a part of those of `scan()`."""

    metadata: str | Iterable[str] | Mapping[str, str] | None
    value: Content
    key: Content | None
    framing: Framing
    schema: GivenSchemas | None
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
        self.arguments = {name: hidden_argument(name, value) for name, value in arguments.items()}
        self._checked = _checked(**self.arguments)
        self.dtype_backend = checks.dtype_backend(arguments["dtype_backend"])

    @classmethod
    def of(
        cls,
        servers: str | Iterable[str],
        topics: str | Iterable[str],
        registry_url: str | Secret | None,
        **options: Any,
    ) -> Options:
        """The options, whose passwords are in texts that no debugger shows."""
        return cls(listed({"servers": servers, "topics": topics, "registry_url": registry_url, **options}))

    def changed(self, options: Mapping[str, Any]) -> Options:
        """The same with other options."""
        return type(self)({**self.arguments, **listed(options)})

    @property
    def latest(self) -> bool:
        """Whether the newest registered schemas are to be read as."""
        return bool(self._checked["read_latest"])

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
    def oauth_token(self) -> TokenSource | None:
        """The function that gives tokens."""
        source: TokenSource | None = self.arguments["oauth_token"]
        return source

    def settings(self) -> dict[str, Any]:
        """What the library takes. Reads the secrets and the environment: here and now, on this machine."""
        return {
            **self._checked,
            "registry_url": checks.registry_url(self.arguments["registry_url"]),
            "config": checks.properties("config", self.arguments["config"]),
            "registry_config": checks.properties("registry_config", self.arguments["registry_config"]),
            "environment": environment(),
            "rules_secret": checks.rules_secret(self.arguments["rules"]),
        }


def listed(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Iterators as lists: the arguments are gone through again where they are changed or unpickled."""
    found = dict(arguments)
    for name in {"servers", "topics", "columns", "metadata"} & found.keys():
        value = found[name]
        if isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping)):
            found[name] = list(value)
    return found


def _checked(  # the arguments of scan()
    *,
    servers: str | Iterable[str],
    topics: str | Iterable[str],
    registry_url: object,  # noqa: ARG001  # with config and registry_config, read when it is used
    start: object,
    end: object,
    config: object,  # noqa: ARG001
    registry_config: object,  # noqa: ARG001
    oauth_token: object,
    metadata: object,
    value: str,
    key: str | None,
    framing: str,
    schema: object,
    tombstones: str,
    mixed: str,
    errors: str,
    schema_patience: object,
    rules: object,
    reader_schema: object,
    columns: object,
    unions: object,
    recursion: object,
    out_of_range: object,
    limits: object,
    memory_limit: int | None,
    num_messages: int | None,
    allow_partial: bool,
    dtype_backend: object,  # noqa: ARG001  # the library has no part in it
    timeout: object,
) -> dict[str, Any]:
    if not isinstance(allow_partial, bool):
        raise TypeError(f"allow_partial must be a bool, not {type(allow_partial).__name__}")
    latest = reader_schema == LATEST
    wait = checks.milliseconds("timeout", timeout)
    if wait == 0:
        raise ConfigError("timeout must be more than 0")
    return {
        "servers": ",".join(checks.texts("servers", servers)),
        "topics": checks.texts("topics", topics),
        "start": offsets.scan_places("start", start),
        "end": offsets.scan_places("end", end),
        "read_latest": latest,
        "reader_schemas": [] if latest else reader_schemas(reader_schema),
        "num_messages": checks.from_one("num_messages", num_messages, checks.MAX_MESSAGES),
        "allow_partial": allow_partial,
        "ready_timeout_ms": wait,
        **message_options(
            metadata=metadata,
            value=value,
            key=key,
            framing=framing,
            schema=schema,
            tombstones=tombstones,
            mixed=mixed,
            errors=errors,
            schema_patience=schema_patience,
            rules=rules,
            columns=columns,
            unions=unions,
            recursion=recursion,
            out_of_range=out_of_range,
            limits=limits,
            memory_limit=memory_limit,
            oauth_token=oauth_token,
        ),
    }
