"""An embedded broker (franz-go's kfake) and an embedded schema registry; public as pykafarr.testing."""

from __future__ import annotations

import base64
import json
import operator
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from .._errors import ClosedError, ConfigError
from .._library.library import Library, encode, library, usable
from .._options import checks, protobuf
from .._options.keywords import check_keywords
from .._options.schemas import Schema, schema_text
from .bodies import SchemaType, json_bodies, protobuf_bodies, schema_type_of

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

_MAX_INT32 = 2**31 - 1


class MockKafka:
    """A Kafka cluster and a schema registry inside this process, on loopback ports of their own.

    For tests and demonstrations: any client may talk to it, not only pykafarr. It keeps all messages in memory, and
    nothing when it is closed. A context manager.

    Groups behave as on a broker: a listener that was closed has left at once, and one that died keeps its partitions
    until its session ends, `session.timeout.ms`, 45 s by default. Here that may be as short as 100 ms. Unlike a
    broker it does not wait for more members before a new group's first assignment.

    Args:
        brokers: number of brokers.
        topics: topics to begin with, as {name: number of partitions} or as names, with one partition each.

    Raises:
        ConfigError, TypeError: an argument has a wrong value or type.
    """

    _handle = 0  # until __init__ is done: __del__ also runs for what it could not finish

    @check_keywords
    def __init__(self, *, brokers: int = 1, topics: Mapping[str, int] | Iterable[str] = ()) -> None:
        asked = topics if isinstance(topics, Mapping) else dict.fromkeys(_names(topics), 1)
        settings = {
            "brokers": checks.integer("brokers", brokers, 1, 100),
            "topics": {checks.text("a topic", name): _partitions(count) for name, count in asked.items()},
        }
        library_ = library()
        self._handle = library_.handle(library_.lib.kafarr_mock_new, *encode(settings))
        info = library_.json(library_.lib.kafarr_mock_info, self._handle)
        self._servers: str = info["servers"]
        self._registry_url: str = info["registry_url"]

    @property
    def servers(self) -> str:
        """The bootstrap servers, for `listener()` or any other client."""
        return self._servers

    @property
    def registry_url(self) -> str:
        """URL of the schema registry."""
        return self._registry_url

    def create_topic(self, topic: str, *, partitions: int = 1) -> None:
        """Creates a topic.

        Raises:
            ConfigError, BrokerError: the topic exists, or cannot be created.
        """
        name = checks.text("topic", topic).encode()
        library_ = self._library()
        library_.call(library_.lib.kafarr_mock_create_topic, self._handle, name, len(name), _partitions(partitions))

    def produce(
        self,
        topic: str,
        schema: Schema,
        records: Iterable[Any],
        *,
        schema_type: SchemaType | None = None,
        partition: int | None = None,
        keys: Iterable[bytes | None] | None = None,
        timestamp: int | None = None,
    ) -> int:
        """Registers the schema, encodes the records, produces them and waits until the broker has them.

        Args:
            topic: name of the topic; its values are registered under the subject "<topic>-value".
            schema: the schema, as JSON text or as the dict or list that the text stands for. Of Protobuf: a class or
                a module that protoc has generated, or .proto text.
            records: plain values that fit the schema: dicts for records, None or the value itself for a union with
                null, bytes for bytes and fixed. Of Protobuf: messages of generated classes, or dicts of the arguments
                of the class that is the schema. Of JSON Schema: what json.dumps() takes; it is not compared with the
                schema. Of both, None is a tombstone.
            schema_type: "AVRO", "PROTOBUF" or "JSON", which is JSON Schema. None: "PROTOBUF" where the schema is
                generated, else "AVRO".
            partition: number of the partition; None spreads the messages evenly.
            keys: a key or None for each record.
            timestamp: the messages' time in milliseconds since 1970 UTC; None: now.

        Returns:
            The id of the schema in the registry.

        Raises:
            SchemaError, ConfigError: the schema is invalid, or a record does not fit it.
            BrokerError: the messages could not be produced.
        """
        kind = schema_type_of(schema, schema_type)
        request: dict[str, Any] = {"schema_type": kind}
        if kind == "AVRO":
            request |= {"schema": schema_text(schema), "records": list(records)}
        elif kind == "JSON":
            request |= {"schema": schema_text(schema), "bodies": _base64(json_bodies(records))}
        else:
            text = protobuf.registered_text(schema)
            request |= {"schema": text, "bodies": _base64(protobuf_bodies(schema, records))}
        return int(self._produce(topic, request, partition, keys, timestamp)["schema_id"])

    def produce_raw(
        self,
        topic: str,
        values: Iterable[bytes | None],
        *,
        partition: int | None = None,
        keys: Iterable[bytes | None] | None = None,
        timestamp: int | None = None,
    ) -> int:
        """Produces values as they are, the broken ones that a test wants included; None is a tombstone.

        Takes the other arguments as `produce()` does, and returns the number of messages produced.
        """
        return int(self._produce(topic, {"values": _base64(values)}, partition, keys, timestamp)["produced"])

    def close(self) -> None:
        """Stops the broker and the registry. Closing again does nothing, nor does closing in a forked child."""
        handle, self._handle = self._handle, 0
        if handle and usable():
            library_ = library()
            library_.call(library_.lib.kafarr_mock_free, handle)

    def _produce(
        self,
        topic: str,
        request: dict[str, Any],
        partition: int | None,
        keys: Iterable[bytes | None] | None,
        timestamp: int | None,
    ) -> dict[str, Any]:
        library_ = self._library()
        request["topic"] = checks.text("topic", topic)
        request["partition"] = -1 if partition is None else checks.integer("partition", partition, 0, _MAX_INT32)
        request["keys"] = None if keys is None else _base64(keys)
        count = len(next(request[name] for name in ("records", "bodies", "values") if name in request))
        if keys is not None and len(request["keys"]) != count:
            raise ConfigError(f"there must be a key for each message: {count}, not {len(request['keys'])}")
        request["timestamp_ms"] = None if timestamp is None else checks.integer("timestamp", timestamp, 0, 2**63 - 1)
        try:
            text = json.dumps(request, default=_avro_json, allow_nan=False).encode()
        except ValueError as error:
            raise ConfigError(f"a record cannot be written as JSON: {error}") from error
        start = library_.lib.kafarr_mock_produce_start
        done: dict[str, Any] = library_.wait(library_.handle(start, self._handle, text, len(text)))
        return done

    def _library(self) -> Library:
        if not self._handle:
            raise ClosedError("this MockKafka is closed")
        return library()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a MockKafka cannot be copied or pickled: give others its servers and registry_url")

    def __del__(self) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<pykafarr.testing.MockKafka {self._servers if self._handle else 'closed'}>"


def _names(topics: Iterable[str]) -> list[str]:
    topics = [topics] if isinstance(topics, str) else list(topics)
    return checks.texts("topics", topics) if topics else []


def _partitions(count: object) -> int:
    return checks.integer("partitions", count, 1, _MAX_INT32)


def _base64(values: Iterable[bytes | None]) -> list[str | None]:
    found: list[str | None] = []
    for value in values:
        if value is not None and not isinstance(value, (bytes, bytearray, memoryview)):
            raise TypeError(f"keys and values must be bytes or None, not {type(value).__name__}")
        found.append(None if value is None else base64.b64encode(value).decode())
    return found


def _avro_json(value: object) -> object:
    """Bytes the way Avro writes them in JSON: a character of the same number for each. numpy's numbers as numbers."""
    if isinstance(value, (bytes, bytearray)):
        return value.decode("latin-1")
    if checks.is_integer(value):
        return operator.index(value)
    raise TypeError(f"a record may hold what JSON has, and bytes, not {type(value).__name__}")
