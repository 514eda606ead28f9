"""What producers and transactions have in common: they send frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._options import checks, table
from .report import Report

if TYPE_CHECKING:
    from .._options.sends import Extra, Missing, SendFraming, SendHeaders, SendKey, SendSchema, SendValue, Subject


class Sends:
    """Sends frames by a producer."""

    def _append(self, report: Report, settings: dict[str, Any], frame: Any) -> None:
        """Sends a frame, whose rows are numbered after those that the report has already."""
        raise NotImplementedError

    def send(
        self,
        message_type: str | None,
        frame: Any,
        topic: str,
        *,
        value: SendValue | None = None,
        schema: SendSchema | None = None,
        register: bool = False,
        subject: Subject = "topic",
        framing: SendFraming = "confluent",
        key: SendKey | None = None,
        partition: str | None = None,
        timestamp: str | None = None,
        headers: SendHeaders | None = None,
        tombstone: str | None = None,
        partitioner: str | None = None,
        extra: Extra = "ignore",
        missing: Missing = "error",
        wait: bool = False,
    ) -> Report:
        """Sends the rows of a frame, a message each.

        Every value is checked before the first row is sent (of a stream, of its batch). It returns once the rows are
        encoded and within the memory limit: then the frame may be changed, and the report says what becomes of them.

        Args:
            message_type: the full name of the type, such as "com.example.Price"; that of JSON Schema is its title.
                None: that of the schema.
                "null", as listeners give it: every row is a tombstone, and there is no schema. "bytes" and "string", as
                they give them, without a schema: the column `value` is sent as it is.
            frame: a frame of pandas or polars, a table, batch or reader of pyarrow, a relation of duckdb, a `Batch`, or
                anything with `__arrow_c_stream__` or `__arrow_c_array__`. The index of a pandas frame is not sent.
                Columns with the names of a listener's metadata are never fields: `_key`, `_headers`, `_timestamp`,
                `_partition` and `_tombstone` say what they say there, and `_offset`, `_topic` and others are left out.
            topic: the topic, which has to exist.
            value: what the values are: "avro", "jsonschema", "protobuf", or "json", which has no registry and no
                framing, and is written by an Arrow schema or a JSON Schema, or by the frame's columns. None: what the
                schema is of, and Avro for one that is given as a text or a dict, or derived.
            schema: the schema to write with. None: the last version of the subject that is of the message type. An
                Avro schema or a JSON Schema (text, dict, or a pathlib.Path of a file), or one of Protobuf (.proto text,
                bytes of descriptors, a generated class, {"text": …, "message_type": …}, or a file), which its subject
                must have; a registered id; "latest"; {"subject": …, "version": …}; {"schema": …, "references":
                [{"name": …, "subject": …, "version": …}]}; "derive": it is made of the frame's columns, or {"derive":
                True, "enums": {column: symbols}}. What the registry answers is remembered as long as the producer
                lives, for sends with the same arguments.
            register: register a schema that is given or derived, where its subject does not have it. What the registry
                answers to an incompatible one is in the RegistryError.
            subject: what names the subject: "topic" ("<topic>-value"), "record" (the message type), or "topic_record"
                ("<topic>-<message type>"). Another one goes into schema={"subject": …}.
            framing: how messages name their schema: "confluent", a zero byte and the id; "schema_header", in the header
                `__value_schema_id`; "bare", not at all: a schema that is given then needs no registry.
            key: the column of keys, whose texts or bytes are taken as they are; or {"column": …, "format": …} with
                "bytes", "string" (whole numbers, too), "avro" or "jsonschema", which write values by the subject
                "<topic>-key", or by "schema", with "register" as above.
            partition: the column of partitions; a row that has none gets one by its key.
            timestamp: the column of timestamps, or of milliseconds since 1970; a row that has none has the time of the
                send.
            headers: the column of headers, as listeners give them or as dicts; or a dict of headers for each row.
            tombstone: the column that is true for rows without a value.
            partitioner: what chooses the partition of a key, by librdkafka's names: "consistent_random" (its default),
                "murmur2_random" (that of Java), …. None: the property `partitioner`. Rows without keys are sent to one
                partition after the other, in stretches.
            extra: what columns do that the schema does not have: "ignore" leaves them out, "error" refuses the frame.
            missing: what fields do that the frame does not have: "error" refuses the frame, "default" writes the
                schema's defaults.
            wait: wait until the brokers have acknowledged the rows.

        Raises:
            EncodeError: a value cannot be written; the message names row, column and value. Nothing was sent.
            DeliveryError: rows were not written (wait=True), or could not be handed over.
            RegistryError: the registry gave no schema, or took none; SchemaNotFoundError where it has none.
            SchemaError: the schema is invalid, or the columns do not fit it.
            TopicNotFoundError: the cluster does not have the topic.
            BrokerError: the cluster does not answer.
            ConfigError: an argument has a wrong value.
            TypeError: an argument has a wrong type.
            Where rows of a stream were sent before it failed, `error.report` of any exception, the stream's own, too,
            says what becomes of them.
        """
        settings = table.settings(table.SEND.values(), locals())
        checks.truth("wait", wait)
        report = Report(settings["topic"])
        with report._attached():
            self._append(report, settings, frame)
        return report.wait() if wait else report
