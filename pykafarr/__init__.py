"""pykafarr: Kafka topics of Avro messages straight into typed pandas frames and Arrow batches.

Example:
    with pykafarr.listener("localhost:9092", "my-group", ["prices"], "http://localhost:8081") as p:
        while True:
            message_type, frame = p.poll(num_messages=100_000, max_time=1000)
            if message_type is not None:
                print(message_type, frame)

Importing this loads neither the native library nor pandas nor pyarrow; the first use does. On a platform that has no
library, it is an ImportError.
"""

from . import _platform  # noqa: F401  # first of all: where no library is, it refuses to be imported
from ._arguments import (
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
from ._batch import Batch, Event, Range
from ._completeness import Completeness
from ._decoder import Decoder, decode
from ._errors import (
    AuthenticationError,
    BrokerError,
    ClosedError,
    ConfigError,
    DecodeError,
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
from ._listener import Listener
from ._oauth import OAuthToken
from ._open import listener
from ._places import Assign, Milliseconds, Place, ScanPlace, ScanPlaces, Start, TopicPartition
from ._plan import Plan
from ._scan import read, scan
from ._secrets import Secret, from_env, from_file
from ._stream import Stream
from ._task import Task
from ._version import __version__
from ._versions import show_versions

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
    "DtypeBackend",
    "Duration",
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
    "Range",
    "RangeError",
    "Recursion",
    "RegistryError",
    "ScanPlace",
    "ScanPlaces",
    "SchemaError",
    "SchemaNotFoundError",
    "Secret",
    "Start",
    "StateError",
    "Stream",
    "Task",
    "Tombstones",
    "TopicNotFoundError",
    "TopicPartition",
    "Unions",
    "__version__",
    "decode",
    "from_env",
    "from_file",
    "listener",
    "read",
    "scan",
    "show_versions",
]
