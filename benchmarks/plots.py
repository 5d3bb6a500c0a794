"""Plots of tables: a bar for each row's first figure, a line from its least to its most."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.tables import Table

OURS, OTHERS, INK, PAPER = "#2f6f5e", "#b9bdb8", "#3a3d3a", "#fbfbf9"
ROW_INCHES, WIDTH_INCHES = 0.32, 7.0
# The same figures give the same file.
mpl.rcParams.update(
    {"svg.hashsalt": "eyeline", "svg.fonttype": "none", "font.size": 9, "text.color": INK}
)


def draw(given: Sequence[Table], said: str, path: Path) -> None:
    """Draw tables below one another as SVG; `said` tells where the figures come from."""
    rows = [len(table.rows) for table in given]
    height = ROW_INCHES * (sum(rows) + 3 * len(given) + 1)
    figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
    all_axes = figure.subplots(len(given), height_ratios=rows, squeeze=False)
    for table, axes in zip(given, all_axes[:, 0], strict=True):
        bars(table, axes)
    figure.supxlabel(said, fontsize=7)
    figure.savefig(path, metadata={"Date": None}, facecolor=PAPER)


def bars(table: Table, axes: Any) -> None:
    names = [*table.rows][::-1]
    values = [table.rows[name][0] for name in names]
    colours = [OURS if name.startswith("eyeline") else OTHERS for name in names]
    axes.barh(names, values, height=0.6, color=colours)
    most = values
    if len(table.columns) > 2 and table.columns[1] in ("least", "min"):
        least, most = ([table.rows[name][at] for name in names] for at in (1, 2))
        axes.hlines(names, least, most, color=INK, linewidth=1)
    for at, (value, end) in enumerate(zip(values, most, strict=True)):
        axes.annotate(f"{value:,g}", (end, at), (6, 0), textcoords="offset points", va="center")
    title = ", ".join(filter(None, [table.title, *table.columns[:1]]))
    axes.set_title(title, loc="left", fontsize=9)
    axes.set_xlim(0, max(most) * 1.15 or 1)
    axes.set_facecolor(PAPER)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.tick_params(bottom=False, labelbottom=False, left=False, colors=INK)
