"""Kafka topics as polars' lazy frames: `pykafarr.polars.scan_kafka(...)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

try:
    from polars.io.plugins import register_io_source
except ImportError as error:
    raise ImportError("pykafarr.polars needs polars: pip install 'pykafarr[polars]'") from error

import pyarrow as pa

from ._batches import to_polars
from ._engines import common
from ._options.keywords import hide_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import polars as pl
    from typing_extensions import Unpack

    from ._options.scans import ScanOptions
    from ._options.secrets import Secret


@hide_secrets
def scan_kafka(
    servers: str | Iterable[str],
    topics: str | Iterable[str],
    registry_url: str | Secret | None,
    **options: Unpack[ScanOptions],
) -> pl.LazyFrame:
    """A lazy frame of a range of topics, planned now, and read in this process when it is collected.

    Columns that are not used are not read, filters are applied to each batch, and `head(n)` stops the reading after n
    rows. Rows of a partition keep their order; partitions come as they are ready. See docs/engines.md.

    Args:
        servers: as in `pykafarr.scan`.
        topics: as in `pykafarr.scan`; all of one message type.
        registry_url: as in `pykafarr.scan`.
        **options: as in `pykafarr.scan`; reader_schema is "latest" by default.

    Raises:
        ConfigError: an argument is wrong, or the topics hold several message types.
        SchemaError: polars has no type for a column: durations, decimals of more than 38 digits, dense unions.
    """
    scan = common.scan(servers, topics, registry_url, **options)
    schema = to_polars.to_polars(_no_rows(scan.schema)).schema

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, batch_rows: int | None
    ) -> Iterator[pl.DataFrame]:
        del batch_rows  # a hint; a batch is as large as the fetch that it came with
        wanted = scan.schema.names if columns is None else columns
        plan = scan.plan.with_options(**scan.columns.options(wanted))
        for record in scan.columns.records(plan.read(), wanted):
            frame = to_polars.to_polars(record if rows is None else record.slice(0, rows))
            if rows is not None:
                rows -= frame.height
            yield frame if predicate is None else frame.filter(predicate)
            if rows == 0:
                return

    # Pure: the range is fixed, so polars may read it once for two uses in one query.
    return register_io_source(read, schema=schema, is_pure=True)


def _no_rows(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=schema)
