"""The plot: messages a second, and the time to the first frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt  # the backend comes first: there is no screen

from bench.consume.contestants import OURS, RAW

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from bench.consume.report import Row, Table

COLOURS = {RAW: "#9aa0a6", "a2": "#9aa0a6", OURS: "#d1495b", "b2": "#e79aa4"}
OTHERS = "#30638e"


def save(tables: list[Table], folder: Path) -> list[Path]:
    """Writes consume.png and consume.svg: a line of two diagrams for each workload."""
    figure, lines = plt.subplots(
        len(tables), 2, figsize=(11, 0.8 + 2.6 * len(tables)), squeeze=False, layout="constrained"
    )
    for found, (left, right) in zip(tables, lines, strict=True):
        rates = [row.rate / 1e6 for row in found.rows]
        times = [row.first_frame_seconds * 1000 for row in found.rows]
        _bars(left, found.rows, rates, "{:.2f}")
        _bars(right, found.rows, times, "{:,.0f}")
        topic = f"{found.format}, {found.workload}, {found.message_bytes:.0f} bytes"
        left.set_title(f"{topic}: million messages/s", fontsize=10)
        right.set_title(f"first {found.frame_rows:,} messages, from assignment: ms", fontsize=10)
        right.set_yticklabels([])
    paths = [folder / f"consume.{kind}" for kind in ("png", "svg")]
    for path in paths:
        figure.savefig(path, dpi=150)
    plt.close(figure)
    return paths


def _bars(axes: Axes, rows: list[Row], values: list[float], text: str) -> None:
    bars = axes.barh([row.title for row in rows], values, color=[COLOURS.get(row.key, OTHERS) for row in rows])
    axes.bar_label(bars, [text.format(value) for value in values], padding=3, fontsize=9)
    axes.invert_yaxis()  # the table's order
    axes.set_xlim(0, max(values) * 1.15)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9)
