"""Opening a listener: its options, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._options import table
from .._options.environment import environment
from .._options.keywords import check_keywords
from .listener import Listener
from .rebalances import Rebalances

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .._options.checks import (
        Acknowledge,
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
    from .._options.offsets import Assign, Start
    from .._options.schemas import GivenSchemas, ReaderSchemas
    from .._options.secrets import Secret
    from .._options.tokens import TokenSource
    from .rebalances import OnAssign, OnRevoke


@check_keywords
def listener(
    servers: str | Iterable[str],
    group: str,
    topics: str | Iterable[str] | None,
    registry_url: str | Secret | None,
    *,
    start: Start = "committed",
    assign: Assign | None = None,
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
    acknowledge: Acknowledge = "next_poll",
    errors: Errors = "raise",
    schema_patience: Duration = 300_000,
    rules: Rules = "raise",
    dead_letter_topic: str | None = None,
    reader_schema: ReaderSchemas | None = None,
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
    ready_timeout: Duration = 30000,
    dtype_backend: DtypeBackend | None = None,
    on_assign: OnAssign | None = None,
    on_revoke: OnRevoke | None = None,
) -> Listener:
    """Opens a listener on topics, as a member of a consumer group. Does not wait for the network.

    Args:
        servers: bootstrap servers, "host:port,host:port" or a list of "host:port"; without a port it is 9092.
            A protocol before the host ("SSL://kafka:9093") must be that of security.protocol.
        group: id of the consumer group.
        topics: one topic or several; one that begins with ^ is a regular expression (Go's), which finds no internal
            topics, and finds topics that are created later, too. None with `assign=`.
        registry_url: URL of a schema registry that speaks Confluent's API. None where no message names a schema of one:
            value="json", "bytes" or "string", framing="bare" or "single_object".
        start: where partitions begin that this listener gets for the first time, whatever the group has committed.
            "committed": where the group left off, and where auto.offset.reset says if it never was there. "earliest",
            "latest", an offset (int), or a time: a datetime with a time zone or `Milliseconds`, which means the first
            row with that timestamp or a later one, and the end when there is none. A dict gives places to topics or
            (topic, partition) that are read; those that it does not name are "committed". For an offset
            that is not in the log poll raises a BrokerError, and reading begins where auto.offset.reset says.
        assign: partitions to read, {topic: [partitions]} or [(topic, partition), …], instead of a subscription: the
            group does not distribute them, other members do not matter, and `group` is only whose commits they are.
        config: librdkafka's properties by their own names, such as {"auto.offset.reset": "earliest"}. Booleans and
            numbers may be Python's, and passwords `from_file()` and `from_env()`, in both of these dicts.
        registry_config: properties of the registry client.
        oauth_token: with {"sasl.mechanism": "OAUTHBEARER"}: a function without parameters that gives an `OAuthToken`,
            or a tuple (token, expiry, principal, extensions) like it. A thread of the listener calls it at once, and
            again when three quarters of a token's life are over, also while nobody polls. Where it raises, it is called
            again; once the last token has expired, the next poll raises an AuthenticationError.
        metadata: which metadata columns stand after the message's fields: "offset", "partition", "topic",
            "timestamp", "timestamp_type", "schema_id", "key", "headers", "leader_epoch", "tombstone". A column has its
            name with an underscore before it ("_offset"); a dict {"offset": "kafka_offset"} gives it another. () or
            None for none.
        value: what the values are: "avro", "protobuf" or "jsonschema"; "json", without a framing, of which `schema`
            gives the columns, or with framing="connect"; "bytes" or "string", which go as they are into a column
            `value`; these three without a registry; "auto": what the registry says that the schema is where a message
            is framed, bytes where it is not, each with frames of their own.
        key: what the keys are, for a column `_key`, null where a message has none: "bytes" (as when metadata asks for
            it), "string", "avro", "protobuf" or "jsonschema" (registry-framed; a record becomes a struct), "auto", or
            "json". A frame has one schema of keys.
        key_schema: what keys are read by with key="json", as `schema` for value="json". None: with framing="connect"
            keys are envelopes, and else their schemas are inferred of the first messages.
        framing: how values say which schema they were written with: "confluent", a zero byte and the registry's id;
            "schema_header", Confluent's newer form with the schema's GUID or id in the header `__value_schema_id`
            (a message without it is read as "confluent"); "apicurio", a zero byte and an id of Apicurio's in 8 bytes,
            for which registry_config={"apicurio.registry.use-id": "globalId"} or "contentId" says which of its ids
            that is; "bare", not at all: `schema` gives it; "single_object", Avro's marker and fingerprint, of one of
            the schemas that `schema` gives; "connect", with value="json", the envelope {"schema": …, "payload": …} that
            Kafka Connect and Debezium write, of which a null payload is a message without a value. Keys are framed
            alike, as far as a registry knows their schemas.
        schema: the writer's schema for framing="bare", one or a dict {topic: schema}; for "single_object" one
            or a list. One of Protobuf is .proto text, the bytes of a FileDescriptorSet or FileDescriptorProto, a
            generated class, or {"text": …, "message_type": …}. For value="json" a pyarrow schema or {name: type}, with
            types of pyarrow or their names, such as "int64", "string" and "timestamp[us, tz=UTC]", or the text of a
            JSON Schema; or one of these by topic.
        message_type: the full name of the type that values of Protobuf are of, where their schema has several. None:
            the one that their message indexes say, or that of the class given.
        tombstones: what messages without a value become: "split": frames of the message type "null", of metadata
            columns alone, each after the rows between which they lie, with the order of every key kept; "keep": rows of
            their topic's message type with null in each of its columns, which are all nullable then, whatever a frame
            holds; "skip": nothing, `stats()` counts them.
        mixed: what topics of several message types give: "split" ends a frame where the type changes; "group" sorts
            each poll's messages into a frame per type, which this poll and the next ones return one after the other.
        acknowledge: what counts rows as processed: "next_poll": the next poll, `commit()` or a clean `close()`, which
            assumes that no poll is abandoned (by a time-out or a cancelled task) and that its rows are worked on before
            the next poll; "commit": only `commit()`, so that batches may be handed to workers and committed in any
            order, and an abandoned poll loses nothing.
        errors: what a message does that cannot be decoded: "raise" raises a DecodeError, and the next poll continues
            with the row after it; "skip" leaves it out and counts it in `stats()`; "collect" puts it into
            `Batch.rejected`. A wrong option, such as an unknown name in `columns`, is raised at every poll, and no row
            is passed.
        schema_patience: how long, with errors="skip" or "collect", a message waits for a schema id that the registry
            does not know, or for which its answer is of no use; then it counts as bad. Milliseconds or a timedelta,
            counted from the first such answer. Meanwhile its partition waits and others flow, and a poll that gets
            nothing else raises the error. With errors="raise" this does not end. 0: a message does not wait, and with
            "raise" the error comes at once.
        rules: what happens to fields and messages that the rules of a data contract (ENCRYPT, ENCRYPT_PAYLOAD) have
            encrypted. "raise": a ConfigError that names subject, rule and fields, at every poll and whatever `errors`
            says, as the messages are good; `columns` without those fields reads the rest. "ignore": the ciphertext is
            read as it is, and the log says so once. {"encrypt": {"secret": …}}: the strings and bytes of values that
            one rule has encrypted are decrypted, with keys that the registry keeps and the secret of the local KMS. The
            secret may be `from_file()` or `from_env()`; keys that the registry itself decrypts (shared) need none.
            Anything encrypted otherwise is refused as with "raise". No other rule is executed; `stats()` counts the
            rows whose schemas have one.
        dead_letter_topic: with errors="skip" or "collect", a topic to which such messages are written, with their key,
            value, timestamp and headers. More headers say why, `pykafarr.error` (the class) and `pykafarr.message`, and
            where the message was, `pykafarr.topic`, `.partition`, `.offset` and, where known, `.schema_id`. No commit
            passes a message before the cluster has acknowledged its letter. A letter that cannot be written is a
            BrokerError of the next poll or commit, and the one after that tries again. At least once: after a
            rebalance, or an end without a clean `close()`, a letter may be there twice. `config` is for this producer,
            too, such as {"compression.type": "zstd"}; properties for consumers only are left out, and idempotence is
            on.
        reader_schema: the schema to read a message type as, whichever version of it was written: all versions then
            share one batch. One schema (JSON text or dict), a list of several, or a dict {message type: schema}. A
            schema is for the message type that its name or one of its aliases says; other message types are read as
            they were written. A union goes as JSON text or as a list within the list.
        columns: the fields to read, of every message type, as paths such as "customer.address.zip", which go through
            arrays, maps and unions to the records within. The others are passed over in the message; the order is
            the schema's. None: all.
        unions: what becomes of a union of more than null and one type: "struct", of one nullable member per branch,
            or "dense", Arrow's dense union, which pandas and polars cannot take.
        recursion: what becomes of a field that leads back to the record it is in: "refuse" it with a SchemaError, or
            read it as text, the "json" encoding of its value.
        out_of_range: as in `Decoder`; `stats()` counts the nulls.
        timestamps: as in `Decoder`.
        enums: as in `Decoder`; `stats()` counts the nulls.
        formats: as in `Decoder`.
        unknown_members: as in `Decoder`; `stats()` counts those that are passed over.
        limits: as in `Decoder`, and "batch_bytes", at which a batch ends: 2^30, the default, at the most. The rows of a
            batch are bounded by `num_messages`. "schema_bytes" bounds what compiled schemas take: 64 MiB, or a quarter
            of memory_limit where that is less. Those used the longest time ago are dropped, and compiled again when a
            message needs them.
        memory_limit: most bytes that the listener may hold, 16 MiB at the least: librdkafka's queue and fetches,
            messages not decoded yet, the batch being filled, dead letters on their way. None: no such bound. It sets
            queued.max.messages.kbytes, fetch.max.bytes, fetch.message.max.bytes and batch_bytes, which must not be
            given besides. Frames returned are yours and do not count; one message larger than its share, a sixteenth,
            still comes. See docs/processes.md.
        ready_timeout: how long one poll may wait for the brokers, the group and the first fetch, on top of its
            max_time; milliseconds or a timedelta. When it has passed and the brokers answer, the poll gives nothing and
            the next one waits on, as in a rebalance, which ends by itself; the log says what is being waited for. When
            no broker answers, a login is refused or a topic is missing, it raises an error.
        dtype_backend: the dtypes of frames. None: they follow from the schema, as `Batch.to_pandas()` tells.
            "pyarrow": pandas.ArrowDtype throughout. "numpy": what pyarrow's to_pandas() gives.
        on_assign: called with a list of `TopicPartition`, the partitions that this listener got, before a poll returns
            the first of their rows; not with those that it keeps, nor with an empty list. Nothing is fetched of them
            until it returns. It may return where they begin, {(topic, partition) or topic: place} with the places of
            `start`; one that it does not name begins as it does without on_assign, and names that are not among
            the partitions do nothing. An exception of its own, or a place that is not in the log (BrokerError), comes
            out of the poll, and the next poll calls it again: no row comes before it returns.
        on_revoke: called with a list of `TopicPartition` and whether they are lost, before they are given up: unless
            they are lost, `commit()` and `commit(batch)` still cover their rows. Lost partitions may be another
            member's by now, as when `max.poll.interval.ms` was exceeded. By `close()` it is called with the whole
            assignment, after the commit; not when the listener is dropped without `close()`.

            Both run within a poll or close(), on its thread, and hold up the group meanwhile. An exception of on_revoke
            is raised by that call, and the partitions are given up nevertheless. Neither may poll.

    Raises:
        ConfigError: an argument or a property has a wrong or unknown value, or a secret's file or variable is missing;
            the message names it.
        SchemaError: a reader schema is invalid.
        TypeError: an argument has a wrong Python type.
        ForkError: this process was forked from one that had used pykafarr.
        ImportError: the native library cannot be loaded.
    """
    settings = {**table.settings(table.LISTENER.values(), locals()), "environment": environment()}
    return Listener(settings, dtype_backend, Rebalances(on_assign, on_revoke), oauth_token)
