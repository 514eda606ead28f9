"""Opening a producer: its options, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._options import table
from .._options.environment import environment
from .._options.keywords import check_keywords
from .producer import Producer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .._options.checks import Property
    from .._options.secrets import Secret
    from .._options.tokens import TokenSource


@check_keywords
def producer(
    servers: str | Iterable[str],
    registry_url: str | Secret | None,
    *,
    config: Mapping[str, Property] | None = None,
    registry_config: Mapping[str, Property] | None = None,
    oauth_token: TokenSource | None = None,
    limits: Mapping[str, int] | None = None,
    memory_limit: int | None = None,
    transactional_id: str | None = None,
) -> Producer:
    """Opens a producer, which sends frames to topics. Does not wait for the network.

    It is idempotent: rows are written once and in order, also where connections break and leaders move.

    Args:
        servers: bootstrap servers, "host:port,host:port" or a list of "host:port"; without a port it is 9092.
        registry_url: URL of a schema registry that speaks Confluent's API. None where messages do not name their
            schema (framing="bare").
        config: librdkafka's properties by their own names, such as {"compression.type": "lz4"}. Those for consumers
            only are left out, so that a listener's may be passed.
        registry_config: properties of the registry client.
        oauth_token: as in `listener()`.
        limits: as in `Decoder`.
        memory_limit: most bytes that are encoded and not acknowledged: `send` waits where there are more. None: 32 MiB.
        transactional_id: a name for transactions (`Producer.transaction()`), which no other producer has at the same
            time, and which this one has again after a restart. It then sends within transactions only.

    Raises:
        ConfigError: an argument or a property has a wrong or unknown value, or a secret's file or variable is missing;
            the message names it.
        TypeError: an argument has a wrong Python type.
        ForkError: this process was forked from one that had used pykafarr.
        ImportError: the native library cannot be loaded.
    """
    settings = {**table.settings(table.PRODUCER.values(), locals()), "environment": environment()}
    return Producer(settings, oauth_token)
