"""Opening a listener: its options, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from . import _arguments
from ._arguments import DtypeBackend, Duration, Errors, Property
from ._listener import Listener

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def listener(
    servers: str | Iterable[str],
    group: str,
    topics: str | Iterable[str],
    registry_url: str,
    *,
    config: Mapping[str, Property] | None = None,
    registry_config: Mapping[str, Property] | None = None,
    metadata: str | Iterable[str] | Mapping[str, str] | None = ("offset",),
    errors: Errors = "raise",
    ready_timeout: Duration = 30000,
    dtype_backend: DtypeBackend | None = None,
) -> Listener:
    """Opens a listener on Avro topics, as a member of a consumer group. Does not wait for the network.

    Args:
        servers: bootstrap servers, "host:port,host:port" or a list of "host:port".
        group: id of the consumer group.
        topics: one topic or several.
        registry_url: URL of a schema registry that speaks Confluent's API.
        config: librdkafka's properties by their own names, such as {"auto.offset.reset": "earliest"}. Booleans and
            numbers may be Python's.
        registry_config: properties of the registry client.
        metadata: which metadata columns stand after the message's fields: "offset", "partition", "topic",
            "timestamp", "timestamp_type", "schema_id", "key", "headers". A column has its name with an underscore
            before it ("_offset"); a dict {"offset": "kafka_offset"} gives it another. () or None for none.
        errors: what a message does that cannot be decoded: "raise" a DecodeError, with the next poll going on behind
            it; "skip" leaves it out and counts it in `stats()`; "collect" puts it into `Batch.rejected`.
        ready_timeout: how long the first polls may wait for the broker, the group and the topics, on top of their own
            max_time; milliseconds or a timedelta.
        dtype_backend: the dtypes of frames. None: they follow from the schema, as `Batch.to_pandas()` tells.
            "pyarrow": pandas.ArrowDtype throughout. "numpy": what pyarrow's to_pandas() gives.

    Raises:
        ConfigError: an argument or a property has a wrong or unknown value; the message names it.
        TypeError: an argument has a wrong Python type.
        ForkError: this process was forked from one that had used pykafarr.
        ImportError: the native library cannot be loaded.
    """
    names = _arguments.texts("topics", topics)
    settings = {
        "servers": ",".join(_arguments.texts("servers", servers)),
        "group": _arguments.text("group", group),
        "topics": names,
        "registry_url": _arguments.text("registry_url", registry_url),
        "config": _arguments.properties("config", config),
        "registry_config": _arguments.properties("registry_config", registry_config),
        "metadata": _arguments.metadata_columns(metadata),
        "errors": _arguments.choice("errors", errors, get_args(Errors)),
        "ready_timeout_ms": _arguments.milliseconds("ready_timeout", ready_timeout),
    }
    return Listener(settings, _arguments.dtype_backend(dtype_backend))
