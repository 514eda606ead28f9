"""What became of the ranges of a scan."""

from __future__ import annotations

from typing import Any, NamedTuple


class Completeness(NamedTuple):
    """What became of a partition's range of a scan.

    When it has ended, every offset of [start, next) is accounted for: its row was handed over, or left out as counted
    here, or the log has none at that offset, which is what compaction leaves.

    Attributes:
        topic: name of the topic.
        partition: number of the partition.
        start: first offset that was to be read.
        end: the offset after the last one that was to be read.
        first: offset of the first row that was handed over; None when there is none.
        next: the first offset that is not accounted for; `end` when nothing is missing.
        rows: rows handed over.
        aborted: rows of transactions that were aborted.
        control: offsets that transactions took for their markers.
        tombstones: messages without a value that were left out, with tombstones="skip".
        rejected: rows in `Batch.rejected`, with errors="collect".
        skipped: rows that could not be decoded, with errors="skip".
        out_of_range: values of rows handed over that their types cannot hold, and that became nulls, with
            out_of_range="null".
        unknown_enums: numbers of Protobuf's enums that have no name in the schema, and that became nulls.
        unknown_members: members of JSON that the schema does not name, and that were passed over.
        rules_not_run: rows handed over whose schemas have rules of a data contract, which were not executed.
        gone: offsets that were deleted from the log before they were read.
        ended: "complete"; "log_end", the log ends before the range does; "deleted", rows were deleted before they were
            read; "error: …"; None: it has not ended.
    """

    topic: str
    partition: int
    start: int
    end: int
    first: int | None
    next: int
    rows: int
    aborted: int
    control: int
    tombstones: int
    rejected: int
    skipped: int
    out_of_range: int
    unknown_enums: int
    unknown_members: int
    rules_not_run: int
    gone: int
    ended: str | None


def completeness(found: list[Any]) -> Completeness:
    """One entry of what scan_report gives."""
    made = Completeness(*found)
    return made._replace(first=None if made.first is None or made.first < 0 else made.first, ended=made.ended or None)
