"""The senders that the engines (Ray, dask, Spark) hand to their tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._errors import ConfigError
from .._producers.sender import Sender

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._options.secrets import Secret
    from .._options.sends import WriteOptions


def sender(
    servers: str | Iterable[str],
    topic: str,
    registry_url: str | Secret | None,
    task_header: str | None,
    options: WriteOptions,
    *,
    same_columns: bool = False,
) -> Sender:
    """A sender for the tasks of an engine. The arguments are hidden already.

    same_columns: whether each part has the same columns, so that a schema may be derived from them.

    Raises:
        ConfigError, TypeError: an argument has a wrong value or type.
    """
    made = Sender(servers, topic, registry_url, task_header=task_header, **options)
    if made.derives and not same_columns:
        raise ConfigError(
            'schema="derive": the columns of one part may have other types than those of another, and would become '
            "another schema: give the schema, such as the one that `python -m pykafarr write --dry-run` prints"
        )
    return made
