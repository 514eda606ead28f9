"""The figures: medians, ratios, the issue's targets, and a table in Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from bench.consume.contestants import OURS, RAW

if TYPE_CHECKING:
    from bench.consume.rounds import Result

# librdkafka's default of queued.max.messages.kbytes, which no contestant changes.
QUEUE_CAP = 64 << 20
SLACK = 100_000_000


@dataclass(frozen=True)
class Row:
    """Medians of one contestant's runs."""

    key: str
    title: str
    version: str
    rows: int  # of a run
    runs: int
    rate: float  # messages a second
    slowest_rate: float
    first_frame_seconds: float
    cpu_seconds: float  # for a million messages
    peak_bytes: int  # above the start
    frame_bytes: int


@dataclass(frozen=True)
class Table:
    """A workload's rows, and who could not read it."""

    format: str
    workload: str
    messages: int
    message_bytes: float
    frame_rows: int
    rows: list[Row]
    failures: dict[str, str]

    @property
    def by_key(self) -> dict[str, Row]:
        """The rows by their contestant's key."""
        return {row.key: row for row in self.rows}

    def markdown(self) -> str:
        """The table, with its targets below."""
        by_key = self.by_key
        raw, ours = by_key.get(RAW), by_key.get(OURS)
        lines = [
            f"### {self.format}, {self.workload}: {self.messages:,} messages of {self.message_bytes:.0f} bytes",
            "",
            f"| | | messages/s | of (a) | (b) is | first {self.frame_rows:,} | CPU, 1 M messages | peak memory |",
            "|---|---|---:|---:|---:|---:|---:|---:|",
        ]
        for row in self.rows:
            fraction = "" if row.rows == self.messages else f" ¹{row.rows:,}"
            cells = [
                f"({row.key})",
                f"{row.title}{fraction}",
                f"{row.rate:,.0f}",
                _share(row, raw),
                _times(row, ours),
                f"{row.first_frame_seconds * 1000:,.0f} ms",
                f"{row.cpu_seconds:.2f} s",
                f"+{row.peak_bytes / 1e6:.0f} MB",
            ]
            lines.append(f"| {' | '.join(cells)} |")
        lines += [f"| ({key}) | | fails: {why} | | | | | |" for key, why in self.failures.items()]
        if any(row.rows != self.messages for row in self.rows):
            lines += ["", "¹ reads only so many messages; its rates hold for any number."]
        return "\n".join([*lines, "", *self._targets()])

    def _targets(self) -> list[str]:
        """What the flat record is to reach."""
        by_key = self.by_key
        ours = by_key.get(OURS)
        if self.workload != "flat" or ours is None:
            return []
        factors = {RAW: 0.8, "c": 10, "e": 2.5} if self.format == "avro" else {"d": 30}
        targets = [
            (
                f"≥ {factor:g} ({key})",
                f"{ours.rate / by_key[key].rate:.2f} ({key})",
                ours.rate >= factor * by_key[key].rate,
            )
            for key, factor in factors.items()
            if key in by_key
        ]
        others = [row.first_frame_seconds for key, row in by_key.items() if key in {"c", "d", "e"}]
        if others:
            first = ours.first_frame_seconds
            text = f"{first * 1000:.0f} ms, the best other {min(others) * 1000:.0f} ms"
            targets.append((f"first {self.frame_rows:,} soonest", text, first < min(others)))
        allowed = ours.frame_bytes + QUEUE_CAP + SLACK
        text = f"+{ours.peak_bytes / 1e6:.0f} MB of {allowed / 1e6:.0f}"
        targets.append(("memory: frame + queue cap + 100 MB", text, ours.peak_bytes <= allowed))
        return [f"- (b) {what}: {found} {'✓' if met else '✗ missed'}" for what, found, met in targets]


def table(
    format: str,  # noqa: A002 - Kafka's users say format
    workload: str,
    messages: int,
    message_bytes: float,
    frame_rows: int,
    results: list[Result],
) -> Table:
    """What the results come to."""
    rows = [_row(result) for result in results if result.runs and not result.failure]
    failures = {result.contestant.key: result.failure for result in results if result.failure}
    return Table(format, workload, messages, message_bytes, frame_rows, rows, failures)


def _row(result: Result) -> Row:
    runs: list[dict[str, Any]] = result.runs
    rows = runs[0]["rows"]
    return Row(
        key=result.contestant.key,
        title=result.contestant.title,
        version=runs[0]["version"],
        rows=rows,
        runs=len(runs),
        rate=rows / median(run["seconds"] for run in runs),
        slowest_rate=rows / max(run["seconds"] for run in runs),
        first_frame_seconds=median(run["first_frame_seconds"] for run in runs),
        cpu_seconds=median(run["cpu_seconds"] for run in runs) * 1_000_000 / rows,
        peak_bytes=int(median(run["peak_rss_bytes"] - run["rss_before"] for run in runs)),
        frame_bytes=runs[0]["frame_bytes"],
    )


def _share(row: Row, raw: Row | None) -> str:
    return "" if raw is None else f"{row.rate / raw.rate:.2f}"


def _times(row: Row, ours: Row | None) -> str:
    return "" if ours is None or row.key in {RAW, OURS} else f"{ours.rate / row.rate:.1f} x"
