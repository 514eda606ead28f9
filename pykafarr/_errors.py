"""The exceptions of pykafarr, and the table from the library's error codes to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._producers.report import Report
    from ._scans.report import Completeness

__all__ = [
    "AuthenticationError",
    "BrokerError",
    "ClosedError",
    "ConfigError",
    "DecodeError",
    "DeliveryError",
    "EncodeError",
    "ForkError",
    "FramingError",
    "GroupError",
    "IncompatibleSchemaError",
    "IncompleteError",
    "InternalError",
    "KafarrError",
    "KeyDecodeError",
    "RangeError",
    "RegistryError",
    "SchemaError",
    "SchemaNotFoundError",
    "StateError",
    "TopicNotFoundError",
]


class KafarrError(Exception):
    """Whatever pykafarr raises, wrong Python types (TypeError) apart.

    The message is a whole sentence that begins with the place: ``orders[3]@1042: schema 17: customer.zip: …``.
    The attributes hold that place for programs; each is None when it is not known.

    Attributes:
        topic: name of the topic.
        partition: number of the partition.
        offset: offset of the message; for ``decode()``, the index of the payload.
        schema_id: id of the writer's schema in the registry.
        path: path of the field within the schema, such as ``customer.address.zip``.
    """

    topic: str | None
    partition: int | None
    offset: int | None
    schema_id: int | None
    path: str | None

    def __init__(
        self,
        message: str,
        *,
        topic: str | None = None,
        partition: int | None = None,
        offset: int | None = None,
        schema_id: int | None = None,
        path: str | None = None,
    ) -> None:
        # Only the message goes into args: with the place in __dict__, BaseException's own pickling carries both.
        super().__init__(message)
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.schema_id = schema_id
        self.path = path


class ConfigError(KafarrError, ValueError):
    """An option, a property or an argument has a value that is wrong or unknown."""


class RangeError(ConfigError):
    """The `end` of a scan is before its `start`, as when a saved offset has passed the end."""


class BrokerError(KafarrError, ConnectionError):
    """The Kafka cluster could not be reached or did not do what was asked."""


class TopicNotFoundError(BrokerError, LookupError):
    """The cluster does not have a topic that is to be scanned, or does not show it to this user."""


class AuthenticationError(BrokerError):
    """The cluster refused the credentials, or has a certificate that cannot be trusted. Names mechanism and user."""


class GroupError(BrokerError):
    """The consumer group refused or lost this member."""


class RegistryError(KafarrError):
    """The schema registry did not answer usefully. The rows wait: the next poll tries again."""


class SchemaNotFoundError(RegistryError, LookupError):
    """The registry does not know the schema id. The rows wait: the next poll tries again."""


class SchemaError(KafarrError, ValueError):
    """A schema is invalid, or holds what is not supported."""


class IncompatibleSchemaError(SchemaError):
    """The writer's and the reader's schema do not resolve."""


class DecodeError(KafarrError, ValueError):
    """A message's body does not fit its schema. The next poll continues with the message after it."""


class FramingError(DecodeError):
    """A message does not begin with a known framing, such as the registry's five bytes."""


class KeyDecodeError(DecodeError):
    """A message's key is not what `key=` says. The next poll continues with the message after it."""


class IncompleteError(KafarrError):
    """Rows that a scan was to read are not in the log (any more). `allow_partial=True` takes what there is.

    Attributes:
        report: what became of each range, a list of `Completeness`; empty when planning already found it out.
    """

    report: list[Completeness]

    def __init__(self, message: str, **place: Any) -> None:
        super().__init__(message, **place)
        self.report = []


class EncodeError(KafarrError, ValueError):
    """A value of a frame cannot be written: the message names row, column and value. No row of the frame was sent.

    Attributes:
        row: the number of the row in the frame, from 0; None where the column as a whole is wrong. `path` is the
            column.
    """

    @property
    def row(self) -> int | None:
        """The number of the row in the frame, from 0; None where the column as a whole is wrong."""
        return self.offset


class DeliveryError(BrokerError):
    """Rows of a frame were not written, or it is not known whether they were.

    Attributes:
        report: the `Report` of the send: which rows were written where, and what became of the others; None where
            `flush()` or `close()` raises the error of an earlier send.
    """

    report: Report | None

    def __init__(self, message: str, **place: Any) -> None:
        super().__init__(message, **place)
        self.report = None


class ClosedError(KafarrError):
    """The listener, producer or stream is closed."""


class ForkError(KafarrError):
    """Used in a forked child, where the threads of the library do not exist."""


class StateError(KafarrError, RuntimeError):
    """Called at the wrong time, such as a second poll while one is running."""


class InternalError(KafarrError):
    """A bug in pykafarr's library. It refuses further calls; restart the process, and please report it."""


# enum kafarr_status of kafarr.h; a test holds the two, and Go's sentinels, together.
OK = 0
PENDING = 1
ERROR_CLASSES: dict[int, type[KafarrError]] = {
    10: ConfigError,
    11: BrokerError,
    12: AuthenticationError,
    13: GroupError,
    14: RegistryError,
    15: SchemaNotFoundError,
    16: SchemaError,
    17: IncompatibleSchemaError,
    18: DecodeError,
    19: FramingError,
    20: ClosedError,
    21: ForkError,
    22: StateError,
    23: InternalError,
    24: KeyDecodeError,
    25: IncompleteError,
    26: TopicNotFoundError,
    27: RangeError,
    28: EncodeError,
    29: DeliveryError,
}
