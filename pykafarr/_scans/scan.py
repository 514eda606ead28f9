"""Scans: known ranges of topics, read to their ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._options.keywords import check_keywords, hide_secrets
from .._options.scans import Options
from .plan import Plan, plan_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from typing_extensions import Unpack

    from .._options.checks import (
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
    from .._options.offsets import ScanPlaces
    from .._options.scans import ScanOptions, ScanReaderSchemas
    from .._options.schemas import GivenSchemas
    from .._options.secrets import Secret
    from .._options.tokens import TokenSource
    from .stream import Stream


@check_keywords
def scan(
    servers: str | Iterable[str],
    topics: str | Iterable[str],
    registry_url: str | Secret | None,
    *,
    start: ScanPlaces = "earliest",
    end: ScanPlaces = "now",
    config: Mapping[str, Property] | None = None,
    registry_config: Mapping[str, Property] | None = None,
    oauth_token: TokenSource | None = None,
    metadata: str | Iterable[str] | Mapping[str, str] | None = ("offset",),
    value: Content = "avro",
    key: KeyContent | None = None,
    key_schema: GivenSchemas | None = None,
    framing: Framing = "confluent",
    schema: GivenSchemas | None = None,
    message_type: str | None = None,
    tombstones: Tombstones = "split",
    mixed: Mixed = "split",
    errors: Errors = "raise",
    schema_patience: Duration = 300_000,
    rules: Rules = "raise",
    reader_schema: ScanReaderSchemas | None = None,
    columns: str | Iterable[str] | None = None,
    unions: Unions = "struct",
    recursion: Recursion = "refuse",
    out_of_range: OutOfRange = "raise",
    timestamps: Timestamps = "us",
    enums: Enums = "names",
    formats: Formats = "typed",
    unknown_members: UnknownMembers = "count",
    limits: Mapping[str, int] | None = None,
    memory_limit: int | None = None,
    num_messages: int | None = None,
    allow_partial: bool = False,
    dtype_backend: DtypeBackend | None = None,
    timeout: Duration = 30000,
) -> Plan:
    """Plans a scan: asks the cluster which offsets `start` and `end` mean in each partition of the topics.

    A scan has no consumer group, and commits nothing. Rows that come after the planning are not part of it.

    Args:
        servers: bootstrap servers, "host:port,host:port" or a list of "host:port"; without a port it is 9092.
            A protocol before the host ("SSL://kafka:9093") must be that of security.protocol.
        topics: one topic or several; one that begins with ^ is a regular expression (Go's), which finds no internal
            topics.
        registry_url: URL of a schema registry that speaks Confluent's API. None where no message names a schema of one:
            value="json", "bytes" or "string", framing="bare" or "single_object".
        start: where to begin. "earliest": with the first row that is still there. An offset (int). A time, a datetime
            with a time zone or `Milliseconds`: with the first row of that timestamp or a later one. A time may also be
            a timedelta or a text such as "-1h" (so long ago: ms, s, m, h, d or w), a text in ISO 8601 with a time zone,
            a date or its text (midnight in UTC), pandas' Timestamp and Timedelta, and numpy's datetime64 (in UTC) and
            timedelta64. Or a dict of these by partition (int), topic, or (topic, partition): (topic, partition) counts
            before a topic, and a topic before a number. Others begin with "earliest".
        end: where to end: with the row before that place. "now": the rows that are there when this is called; with
            isolation.level=read_committed, the default, those before the first open transaction. Else as `start`.
        config: properties of the client, by librdkafka's names. Those of groups, commits and producers are passed over.
        registry_config: as in `listener()`.
        oauth_token: as in `listener()`.
        metadata: as in `listener()`.
        value: as in `listener()`.
        key: as in `listener()`.
        key_schema: as in `listener()`.
        framing: as in `listener()`.
        schema: as in `listener()`.
        message_type: as in `listener()`.
        tombstones: as in `listener()`.
        mixed: as in `listener()`.
        errors: "raise" ends the stream at a message that cannot be decoded, with its place; "skip" and "collect" are
            as in `listener()`, and counted in `Stream.report`.
        schema_patience: as in `listener()`, but no longer than `timeout`, after which "raise" ends the stream. A stream
            waits for an id once, in however many partitions it is.
        rules: as in `listener()`; `Stream.report` counts the rows.
        reader_schema: as in `listener()`, or "latest": all versions of a topic's values are read as the one that was
            registered last for it, the newest of the subject "<topic>-value" (without one: that of its last message).
        columns: as in `listener()`.
        unions: as in `listener()`.
        recursion: as in `listener()`.
        out_of_range: as in `Decoder`; `Stream.report` counts the nulls.
        timestamps: as in `Decoder`.
        enums: as in `Decoder`; `Stream.report` counts the nulls.
        formats: as in `Decoder`.
        unknown_members: as in `Decoder`; `Stream.report` counts those that are passed over.
        limits: as in `listener()`; "batch_bytes" is 4 MiB unless given.
        memory_limit: what a stream may hold, in bytes, 16 MiB or more: answers of the brokers, decompressed batches,
            columns being built, and batches that wait to be taken. What was taken does not count. Fewer partitions are
            read at a time where it is small. None: no limit but those of each part.
        num_messages: the most rows of a batch; None: 131,072.
        allow_partial: whether it is no error that rows of the plan are not in the log (any more): then
            `Stream.report` tells.
        dtype_backend: as in `listener()`.
        timeout: how long to wait for cluster and registry, each time, in milliseconds or a timedelta.

    Raises:
        ConfigError: an argument or a property has a wrong or unknown value, or a secret's file or variable is missing;
            the message names it.
        RangeError: the end of a partition is before its start, both given as offsets or as times.
        IncompleteError: an offset of `start` or `end` is not in the log (without allow_partial).
        TopicNotFoundError: the cluster does not have a topic, or does not show it.
        BrokerError: the cluster does not answer; AuthenticationError if it is the login.
        RegistryError: reader_schema="latest", and the registry does not answer.
        SchemaError: a reader schema is invalid.
        TypeError: an argument has a wrong Python type.
        ForkError: this process was forked from one that had used pykafarr.
        ImportError: the native library cannot be loaded.
    """
    options = Options(locals())
    return Plan(options, plan_data(options))


@hide_secrets
def read(
    servers: str | Iterable[str],
    topics: str | Iterable[str],
    registry_url: str | Secret | None,
    *,
    progress: bool = False,
    **options: Unpack[ScanOptions],
) -> Stream:
    """Plans a scan and begins to read it: `scan(...).read(progress=...)`, with the arguments of `scan()`."""
    return scan(servers, topics, registry_url, **options).read(progress=progress)
