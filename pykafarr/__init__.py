"""pykafarr: Kafka topics of Avro, Protobuf or JSON into typed pandas frames and Arrow batches.

Example:
    with pykafarr.listener("localhost:9092", "my-group", ["prices"], "http://localhost:8081") as p:
        while True:
            message_type, frame = p.poll(num_messages=100_000, max_time=1000)
            if message_type is not None:
                print(message_type, frame)

Importing this loads neither the native library nor pandas nor pyarrow; the first use does. On a platform that has no
library, it is an ImportError.
"""

from ._library import platform  # noqa: F401  # first of all: where no library is, it refuses to be imported

# isort: split
from ._batches.batch import Batch, Event, Range
from ._batches.decoder import Decoder, decode
from ._errors import (
    AuthenticationError,
    BrokerError,
    ClosedError,
    ConfigError,
    DecodeError,
    DeliveryError,
    EncodeError,
    ForkError,
    FramingError,
    GroupError,
    IncompatibleSchemaError,
    IncompleteError,
    InternalError,
    KafarrError,
    KeyDecodeError,
    RangeError,
    RegistryError,
    SchemaError,
    SchemaNotFoundError,
    StateError,
    TopicNotFoundError,
)
from ._library.versions import show_versions
from ._listeners.listener import Listener
from ._listeners.open import listener
from ._naming import publish
from ._options.checks import (
    Acknowledge,
    Content,
    DtypeBackend,
    Duration,
    Errors,
    Framing,
    Mixed,
    OutOfRange,
    Recursion,
    Tombstones,
    Unions,
)
from ._options.offsets import Assign, Milliseconds, Place, ScanPlace, ScanPlaces, Start, TopicPartition
from ._options.secrets import Secret, from_env, from_file
from ._options.tokens import OAuthToken
from ._producers.open import producer
from ._producers.producer import Producer
from ._producers.report import Report, SendFailure, SentRange
from ._producers.sender import Sender, write
from ._producers.transaction import Transaction
from ._scans.frame import read_frame
from ._scans.plan import Plan
from ._scans.report import Completeness
from ._scans.scan import read, scan
from ._scans.stream import Stream
from ._scans.task import Task
from ._version import __version__

__all__ = [
    "Acknowledge",
    "Assign",
    "AuthenticationError",
    "Batch",
    "BrokerError",
    "ClosedError",
    "Completeness",
    "ConfigError",
    "Content",
    "DecodeError",
    "Decoder",
    "DeliveryError",
    "DtypeBackend",
    "Duration",
    "EncodeError",
    "Errors",
    "Event",
    "ForkError",
    "Framing",
    "FramingError",
    "GroupError",
    "IncompatibleSchemaError",
    "IncompleteError",
    "InternalError",
    "KafarrError",
    "KeyDecodeError",
    "Listener",
    "Milliseconds",
    "Mixed",
    "OAuthToken",
    "OutOfRange",
    "Place",
    "Plan",
    "Producer",
    "Range",
    "RangeError",
    "Recursion",
    "RegistryError",
    "Report",
    "ScanPlace",
    "ScanPlaces",
    "SchemaError",
    "SchemaNotFoundError",
    "Secret",
    "SendFailure",
    "Sender",
    "SentRange",
    "Start",
    "StateError",
    "Stream",
    "Task",
    "Tombstones",
    "TopicNotFoundError",
    "TopicPartition",
    "Transaction",
    "Unions",
    "__version__",
    "decode",
    "from_env",
    "from_file",
    "listener",
    "producer",
    "read",
    "read_frame",
    "scan",
    "show_versions",
    "write",
]

# Pickles and tracebacks name a class as users do, not the file that it happens to be in.
for _name in __all__:
    if isinstance(globals()[_name], type):
        publish(globals()[_name], __name__)
del _name, publish
